"""What every request to the console passes before a page sees it: its host, its size, its origin, its session, its token.

- Host: a name that is not ours may be another site's that resolves to this machine (DNS rebinding).
- Origin: a browser says where a request comes from (Sec-Fetch-Site, https://www.w3.org/TR/fetch-metadata/; Origin, RFC 6454); forms
  carry the session's token besides.
- Headers: nothing is loaded from elsewhere, nothing inline runs, nobody frames the pages.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import re
import secrets
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from urllib.parse import urlencode, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.errors import ConsoleProxied, FormExpired, WrongConsoleHost
from bot.messages import Language
from bot.readable_texts import Texts
from bot.store import web_accounts
from bot.store.database import Store
from bot.web.viewer import Theme, Viewer
from knowledge.errors import ExplainedError

_log = logging.getLogger(__name__)
SESSION = "saseo_session"
VISITOR = "saseo_visitor"
LANGUAGE = "saseo_language"
THEME = "saseo_theme"
BIGGEST_BODY = 2 * 1024 * 1024
"""Bytes. No form of ours is near it."""
_BODY_SECONDS = 60.0
"""For a body to arrive; slower ones would hold a place that others need."""
_HOST = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::\d{1,5})?")
"""A name or an address, and a port: nothing else is a Host (RFC 9110, 7.2)."""
_SAFE = ("GET", "HEAD", "OPTIONS")
_FORWARDED = ("forwarded", "via", "x-real-ip")
"""Headers that proxies add, beside X-Forwarded-…; no browser sends them."""
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
}


@dataclass(frozen=True, slots=True)
class Door:
    """What the console's address means for who may come in."""

    hosts: frozenset[str]
    """Names, without ports, by which it is called."""
    everywhere: bool
    """It listens beyond loopback: any address of this machine is a name of it."""
    login: bool
    """Strangers may come, by themselves or through a proxy: nobody is let in without an account."""
    secure: bool
    """Browsers come over TLS: cookies are sent over nothing else."""


def door(host: str, public_url: str, proxies: Collection[str] = ()) -> Door:
    """Of `[web] host`, `public_url` and `proxies`. A proxy need not say that it is one, so its settings do."""
    public = urlsplit(public_url)
    loopback = {"127.0.0.1", "localhost", "::1"}
    everywhere = host not in loopback
    names = loopback | {host} | ({public.hostname} if public.hostname else set())
    login = everywhere or bool(proxies) or (public.hostname or "127.0.0.1") not in loopback
    return Door(frozenset(names), everywhere, login, public.scheme == "https")


class BodyLimit:
    """Who reads a body above `BIGGEST_BODY`, told or not, gets TooBig; one that does not come in time: TimeoutError."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told = dict(scope["headers"]).get(b"content-length", b"0")
        announced = int(told) if told.isdigit() else BIGGEST_BODY + 1
        read, whole = 0, False
        until = asyncio.get_running_loop().time() + _BODY_SECONDS

        async def counted() -> Message:
            nonlocal read, whole
            if whole:  # now it only waits for the visitor to leave
                return await receive()
            if announced > BIGGEST_BODY:
                raise TooBig
            async with asyncio.timeout_at(until):
                message = await receive()
            read += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if read > BIGGEST_BODY:
                raise TooBig
            return message

        await self._app(scope, counted, send)


class TooBig(Exception):
    """The body is above the limit."""


class Guard:
    """Finds out who asks (`request.state.viewer`), turns away who may not, and puts the headers on what goes out."""

    def __init__(
        self,
        app: ASGIApp,
        store: Store,
        where: Door,
        *,
        language: Language,
        texts: Texts,
        explain: Callable[[Request, ExplainedError], Response],
        refuse: Callable[[Request, int], Response],
        unforeseen: Callable[[Request, Exception], Response],
        open_paths: Collection[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`open_paths`: what needs no login: the login itself, health. `explain` makes the page of a known error, `refuse` that of a
        status, `unforeseen` logs another one and makes its page."""
        self._app = app
        self._store = store
        self._where = where
        self._language = language
        self._texts = texts
        self._explain = explain
        self._refuse = refuse
        self._unforeseen = unforeseen
        self._open = tuple(open_paths)
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        """Signs the tokens of who has no session; another process, another secret: such a form is too old then."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        visitor = request.cookies.get(VISITOR) or secrets.token_urlsafe(24)

        begun = False

        async def dressed(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                self._dress(MutableHeaders(scope=message), request, visitor)
            await send(message)

        try:
            early = await self._turned_away(request, visitor)
        except TooBig:
            early = self._refuse(request, 413)
        except ExplainedError as error:  # a form that is too old, a store that is away
            early = self._explain(request, error)
        except TimeoutError:
            early = self._refuse(request, 408)
        except HTTPException as error:  # a form that cannot be read
            early = self._refuse(request, error.status_code)
        except Exception as error:  # noqa: BLE001 - whatever was sent, the answer carries our headers
            early = self._unforeseen(request, error)
        if early is not None:
            await early(scope, receive, dressed)
            return
        try:
            await self._app(scope, _again(request, receive), dressed)
        except TooBig:
            if not begun:
                await self._refuse(request, 413)(scope, receive, dressed)
        except Exception as error:  # noqa: BLE001 - whatever it was, the browser gets a page with our headers
            response = self._unforeseen(request, error)
            if not begun:
                await response(scope, receive, dressed)

    def _dress(self, headers: MutableHeaders, request: Request, visitor: str) -> None:
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        if self._where.secure:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        if _path(request).startswith("/static/"):
            return
        headers.setdefault("Cache-Control", "no-store")
        if VISITOR not in request.cookies:
            response = Response()
            set_cookie(response, VISITOR, visitor, secure=self._where.secure)
            headers.append("set-cookie", response.headers["set-cookie"])

    async def _turned_away(self, request: Request, visitor: str) -> Response | None:
        """None: it may go on."""
        request.state.secure = self._where.secure
        request.state.viewer = self._stranger(request, visitor)
        if not self._is_ours(request):
            raise WrongConsoleHost
        if _path(request).startswith("/static/"):
            return None
        needed = self._where.login or await self._store.run(web_accounts.count) > 0
        if not needed and not self._is_open(_path(request)) and _is_passed_on(request):
            # A proxy on this machine passes strangers on; without accounts each of them would be an admin.
            _log.warning(json.dumps({"event": "console_forwarded_without_login"}))
            raise ConsoleProxied
        request.state.viewer = viewer = await self._viewer(request, needed)
        if request.method not in _SAFE and not await self._is_from_us(request, viewer):
            raise FormExpired
        if needed and not viewer.logged_in and not self._is_open(_path(request)):
            return self._to_login(request)
        return None

    def _is_ours(self, request: Request) -> bool:
        found = _HOST.fullmatch(request.headers.get("host", ""))
        name = (found["v6"] or found["name"]).lower() if found else ""
        if name in self._where.hosts:
            return True
        server = request.scope.get("server") or ("", 0)
        return self._where.everywhere and name == server[0]

    def _is_open(self, path: str) -> bool:
        return any(path == one or path.startswith(one + "/") for one in self._open)

    @staticmethod
    def _to_login(request: Request) -> Response:
        if request.headers.get("HX-Request") == "true":  # htmx would put the login page into a part of this one
            return Response(status_code=401, headers={"HX-Redirect": "/login"})
        if request.method not in _SAFE or "text/html" not in request.headers.get("accept", ""):
            return PlainTextResponse("401", status_code=401)
        query = request.scope["query_string"].decode("latin-1")
        wanted = _path(request) + (f"?{query}" if query else "")
        return RedirectResponse(f"/login?{_next(wanted)}", status_code=303)

    def _stranger(self, request: Request, visitor: str) -> Viewer:
        language = request.cookies.get(LANGUAGE)
        theme = request.cookies.get(THEME)
        shown: Language = "en" if language == "en" else "ko" if language == "ko" else self._language
        colours: Theme = "light" if theme == "light" else "dark" if theme == "dark" else "auto"
        csrf = hmac.new(self._secret, visitor.encode(), hashlib.sha256).hexdigest()
        return Viewer("", "viewer", frozenset(), shown, colours, csrf, "none", False)

    async def _viewer(self, request: Request, needed: bool) -> Viewer:
        stranger: Viewer = request.state.viewer
        token = request.cookies.get(SESSION, "")
        found = await self._store.run(web_accounts.session, token, now=self._clock()) if token else None
        if found is not None:
            one = found.account
            return replace(
                stranger,
                name=one.name,
                role=one.role,
                groups=one.groups,
                csrf=found.csrf,
                texts=self._texts,
                logged_in=True,
            )
        return stranger if needed else replace(stranger, name="local", role="admin", texts=self._texts)

    async def _is_from_us(self, request: Request, viewer: Viewer) -> bool:
        site = request.headers.get("sec-fetch-site")
        if site not in (None, "same-origin", "none"):
            return False
        origin = request.headers.get("origin")
        if origin and origin.partition("://")[2] != request.headers.get("host"):
            return False
        given = request.headers.get("X-CSRF")
        if given is None and _is_form(request):
            await request.body()  # kept by the request, so that the handler can read it again
            async with request.form(max_files=0, max_fields=2000) as fields:
                field = fields.get("csrf")
                given = field if isinstance(field, str) else None
        return given is not None and hmac.compare_digest(given.encode(), viewer.csrf.encode())


def set_cookie(response: Response, name: str, value: str, *, secure: bool, days: float | None = None) -> None:
    """A cookie that no script reads and that does not travel with requests other sites start, except links."""
    response.set_cookie(
        name, value, httponly=True, samesite="lax", secure=secure, max_age=None if days is None else int(days * 86400)
    )


def safe_next(wanted: str) -> str:
    """A path of ours to go to after the login; anything else, such as `//elsewhere`, becomes the first page."""
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return "/"
    ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    return wanted if ours and not any(ord(one) < 32 for one in wanted) else "/"


def _again(request: Request, receive: Receive) -> Receive:
    """`receive`, with the body that was read while looking for a form's token once more at its beginning."""
    body: bytes | None = getattr(request, "_body", None)
    if body is None:
        return receive
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed


def _next(wanted: str) -> str:
    return urlencode({"next": wanted})


def _path(request: Request) -> str:
    """As the router reads it: an address made from the Host header is the visitor's word."""
    path: str = request.scope["path"]
    return path


def _is_passed_on(request: Request) -> bool:
    """A proxy shows: by a header, or by HTTP/1.0, which nginx speaks to what stands behind it unless it is told otherwise, and which
    browsers have not spoken for decades. One that does neither cannot be told from a browser: hence accounts come first."""
    if request.scope.get("http_version") == "1.0":
        return True
    return any(name in _FORWARDED or name.startswith("x-forwarded-") for name in request.headers)


def _is_form(request: Request) -> bool:
    kind = request.headers.get("content-type", "")
    return kind.startswith(("application/x-www-form-urlencoded", "multipart/form-data"))
