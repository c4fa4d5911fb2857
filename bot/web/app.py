"""The console as an ASGI application: pages, login, static files, errors."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.messages import Language
from bot.readable_texts import Texts as ShownTexts
from bot.store.database import Store
from bot.web.login import Login
from bot.web.page import Page
from bot.web.render import STATIC, Renderer
from bot.web.security import BodyLimit, Guard, door
from bot.web.texts import Texts
from bot.web.throttle import Throttle
from knowledge.errors import ExplainedError

_log = logging.getLogger(__name__)
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".png": "image/png"}
_YEAR = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class WebOptions:
    """`[web]` and what else of the settings the console needs."""

    host: str
    public_url: str
    language: Language
    texts: ShownTexts
    zone: tzinfo
    proxies: Sequence[str] = ()


def make_app(
    pages: Sequence[Page], store: Store, options: WebOptions, *, open_routes: Sequence[BaseRoute] = ()
) -> Starlette:
    """All pages behind the guard. `open_routes`: what answers without a login, such as `/healthz`."""
    texts = Texts(("common", *(page.name for page in pages)))
    renderer = Renderer(texts, pages, options.zone)
    login = Login(store, Throttle())
    routes: list[BaseRoute] = [Route("/static/{name:path}", static_file), *login.routes(), *open_routes]
    for page in pages:
        routes += page.routes
    open_paths = ["/login", "/logout", "/preferences", *(getattr(one, "path", "") for one in open_routes)]
    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(BodyLimit),
            Middleware(
                Guard,
                store,
                door(options.host, options.public_url, options.proxies),
                language=options.language,
                texts=options.texts,
                explain=renderer.explained,
                refuse=renderer.refused,
                unforeseen=_unforeseen(renderer, texts),
                open_paths=open_paths,
            ),
        ],
        exception_handlers={
            ExplainedError: _known(renderer),
            HTTPException: _http(renderer),
        },
    )
    app.state.renderer = renderer
    return app


async def static_file(request: Request) -> Response:
    """A file of `static/`; nothing outside it."""
    name: str = request.path_params["name"]
    wanted = (STATIC / name.replace("\0", "")).resolve()
    kind = _TYPES.get(wanted.suffix)
    if kind is None or "\0" in name or not wanted.is_relative_to(STATIC) or not wanted.is_file():
        return PlainTextResponse("404", status_code=404)
    return FileResponse(wanted, media_type=kind, headers={"Cache-Control": _YEAR})


Handling = Callable[[Request, Exception], Response]


def _known(renderer: Renderer) -> Handling:
    def handle(request: Request, error: Exception) -> Response:
        assert isinstance(error, ExplainedError)  # noqa: S101 - Starlette calls it with nothing else
        return renderer.explained(request, error)

    return handle


def _http(renderer: Renderer) -> Handling:
    def handle(request: Request, error: Exception) -> Response:
        return renderer.refused(request, error.status_code if isinstance(error, HTTPException) else 500)

    return handle


def _unforeseen(renderer: Renderer, texts: Texts) -> Handling:
    def handle(request: Request, error: Exception) -> Response:
        reference = secrets.token_hex(6)
        _log.error(
            json.dumps({"event": "console_error", "reference": reference, "path": request.url.path}), exc_info=error
        )
        return renderer.failed(request, texts("error.500", request.state.viewer.language, reference=reference), 500)

    return handle
