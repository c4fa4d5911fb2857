"""What a page is to the console: where it stands, who may open it, and how a handler answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.errors import NotAllowedInConsole
from bot.store.web_accounts import Role
from bot.web.viewer import Viewer

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Page:
    """A page with its routes. Its title is the text `nav.NAME`; strings: `texts/NAME.py`, templates: `templates/NAME/`."""

    name: str
    path: str
    routes: Sequence[Route]
    role: Role = "viewer"
    """Below it the page is not listed; every handler that changes something asks again (`allow`)."""
    key: str = ""
    """Opens it after `g`."""


def viewer(request: Request) -> Viewer:
    """Who asks; set before any handler runs."""
    found: Viewer = request.state.viewer
    return found


def allow(request: Request, role: Role) -> Viewer:
    """The viewer, if they have at least this role. Raises NotAllowedInConsole."""
    one = viewer(request)
    if not one.may(role):
        raise NotAllowedInConsole(role=role)
    return one


def origin(request: Request) -> str:
    """The visitor's address, as the audit log keeps it; empty where there is none."""
    return request.client.host if request.client is not None else ""


def say(request: Request, key: str, /, **values: object) -> str:
    """A text of the console, in the visitor's language."""
    said: str = request.app.state.renderer.texts(key, viewer(request).language, **values)
    return said


def is_htmx(request: Request) -> bool:
    """Whether htmx asks for a part of a page rather than the browser for all of it."""
    asked = request.headers
    # Going back in the browser's history brings the whole page back, too (https://htmx.org/docs/#history).
    whole = asked.get("HX-Boosted") == "true" or asked.get("HX-History-Restore-Request") == "true"
    return asked.get("HX-Request") == "true" and not whole


def render(request: Request, template: str, status: int = 200, /, **values: Any) -> Response:
    """A template with `values`, beside what every template has: `viewer`, `t`, `pages`, `here`."""
    response: Response = request.app.state.renderer.response(request, template, values, status)
    return response


def done(request: Request, url: str, said: str = "") -> Response:
    """After a form: go to `url`, which shows `said` (a text, not a key) once."""
    response = RedirectResponse(url, status_code=303)
    if said:
        request.app.state.renderer.say_next(response, said)
    return response


async def form(request: Request) -> dict[str, str]:
    """The fields of a form, without files. A field that comes twice: the last one."""
    async with request.form(max_files=0, max_fields=2000) as fields:
        return {name: value for name, value in fields.multi_items() if isinstance(value, str)}


async def form_list(request: Request, name: str) -> list[str]:
    """All values of one field."""
    async with request.form(max_files=0, max_fields=2000) as fields:
        return [value for value in fields.getlist(name) if isinstance(value, str)]
