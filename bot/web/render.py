"""Templates → responses. Everything is escaped unless a template says otherwise, and none does with what people wrote."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from bot.errors import NotAllowedInConsole
from bot.texts import part as part_of
from bot.web import shown
from bot.web.page import Page
from bot.web.security import set_cookie
from bot.web.texts import Texts
from bot.web.viewer import Viewer
from knowledge.errors import ExplainedError
from knowledge.page import Passage

HERE = Path(__file__).resolve().parent
STATIC = HERE / "static"
_SAID = "saseo_said"
_LONGEST_SAID = 400
_STATUS = {
    "NotFoundInConsole": 404,
    "FormExpired": 403,
    "NotAllowedInConsole": 403,
    "ConsoleProxied": 403,
    "WrongConsoleHost": 421,
    "StoreError": 503,
}
"""Of known errors; of others 409."""


class Renderer:
    """One for the application: the Jinja environment and what every template may use."""

    def __init__(
        self, texts: Texts, pages: Sequence[Page], zone: tzinfo, *, clock: Callable[[], float] = time.time
    ) -> None:
        """`zone`: the times on the pages are of it."""
        self.texts = texts
        self.zone = zone
        self.pages = tuple(pages)
        self._clock = clock
        self._versions = {
            file.relative_to(STATIC).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()[:12]
            for file in STATIC.rglob("*")
            if file.is_file()
        }
        self._environment = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(static=self.static)
        self._environment.filters.update(number=shown.number, share=shown.share, size=shown.size)
        for name in ("t", "when", "ago", "duration", "part"):
            self._environment.globals[name] = getattr(self, f"_{name}")

    def warm(self) -> None:
        """Compile every template now: the first use of one would hold the event loop for up to a tenth of a second."""
        for name in self._environment.list_templates(extensions=["html"]):
            self._environment.get_template(name)

    def html(self, viewer: Viewer, template: str, values: Mapping[str, Any], *, here: str = "", said: str = "") -> str:
        """The text of a page or of a part of one."""
        listed = [page for page in self.pages if viewer.may(page.role)]
        return self._environment.get_template(template).render(
            **{"viewer": viewer, "pages": listed, "here": here, "said": said, **values}
        )

    def response(self, request: Request, template: str, values: Mapping[str, Any], status: int) -> Response:
        """To `request`; what was left to be said is said."""
        said = unquote(request.cookies.get(_SAID, ""))[:_LONGEST_SAID]
        html = self.html(request.state.viewer, template, values, here=self._here(request.url.path), said=said)
        response = HTMLResponse(html, status)
        if said:
            response.delete_cookie(_SAID)
        return response

    def say_next(self, response: Response, said: str) -> None:
        """Show `said` on the next page."""
        set_cookie(response, _SAID, quote(said[:_LONGEST_SAID]), secure=False, days=1 / 1440)

    def explained(self, request: Request, error: ExplainedError) -> Response:
        """A known error as a page, or as a part for htmx."""
        viewer: Viewer = request.state.viewer
        status = _STATUS.get(type(error).__name__, 409)
        sentence = error.explain(viewer.language)
        if isinstance(error, NotAllowedInConsole):
            role = self.texts(f"role.{error.details['role']}", viewer.language)
            sentence = type(error)(role=role).explain(viewer.language)
        return self.failed(request, sentence, status)

    def refused(self, request: Request, status: int) -> Response:
        """A page for a status of HTTP."""
        key = f"error.{status}"
        known = self.texts.has(key) and status != 500  # which has a reference
        sentence = self.texts(key, request.state.viewer.language) if known else f"HTTP {status}"
        return self.failed(request, sentence, status)

    def failed(self, request: Request, sentence: str, status: int) -> Response:
        """A page that says why nothing came of it."""
        part = request.headers.get("HX-Request") == "true"
        response = self.response(request, "error_part.html" if part else "error.html", {"sentence": sentence}, status)
        if part:  # beside what is on the page, not in its place
            response.headers["HX-Retarget"] = "#said"
            response.headers["HX-Reswap"] = "innerHTML"
            response.headers["HX-Reselect"] = "unset"
            response.headers["HX-Push-Url"] = "false"
        return response

    def static(self, name: str) -> str:
        """Address of a file of ours, with its version, so that browsers may keep it."""
        return f"/static/{name}?v={self._versions[name]}"

    def _here(self, path: str) -> str:
        found = [page for page in self.pages if path == page.path or path.startswith(page.path.rstrip("/") + "/")]
        return max(found, key=lambda page: len(page.path)).name if found else ""

    # -- in templates -----------------------------------------------------------------------------------------------------

    @pass_context
    def _part(self, context: Context, passage: Passage, /) -> str:
        """Page, slide or sheet of a passage of a paged file."""
        return part_of(passage.page, passage.page_number, context["viewer"].language)

    @pass_context
    def _t(self, context: Context, key: str, /, **values: object) -> str:
        language = context["viewer"].language
        if any(
            isinstance(value, Markup) for value in values.values()
        ):  # what a macro made is escaped already: not twice
            return Markup(self.texts(key, language)).format(**values)  # noqa: S704 - a string of ours
        return self.texts(key, language, **values)

    @pass_context
    def _when(self, context: Context, at: float | None) -> Markup:
        """A moment, with its distance from now as a tooltip."""
        language = context["viewer"].language
        written = shown.moment(at, self.zone, language)
        if at is None:
            return escape(written)
        away = shown.ago(at, self._clock(), self.texts, language)
        return Markup('<time datetime="{}" title="{}">{}</time>').format(shown.iso(at, self.zone), away, written)

    @pass_context
    def _ago(self, context: Context, at: float | None) -> Markup:
        """How long ago, with the moment as a tooltip."""
        language = context["viewer"].language
        away = shown.ago(at, self._clock(), self.texts, language)
        if at is None:
            return escape(away)
        written = shown.moment(at, self.zone, language)
        return Markup('<time datetime="{}" title="{}">{}</time>').format(shown.iso(at, self.zone), written, away)

    @pass_context
    def _duration(self, context: Context, seconds: float | None) -> str:
        return shown.duration(seconds, self.texts, context["viewer"].language)
