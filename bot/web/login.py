"""Logging in and out, and what a visitor chooses for themselves: language and colours."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.store import audit, web_accounts
from bot.store.database import Store
from bot.web import passwords
from bot.web.page import form, origin, render, viewer
from bot.web.security import LANGUAGE, SESSION, THEME, safe_next, set_cookie
from bot.web.throttle import Throttle

_CHOICE_DAYS = 365.0
_SESSION_DAYS = 7.0
_LONGEST_PASSWORD = 1024
"""Characters; a longer one would only cost time."""


class Login:
    """The routes that need no login."""

    def __init__(self, store: Store, throttle: Throttle) -> None:
        self._store = store
        self._throttle = throttle
        # One at a time: each takes 64 MiB, and guesses must not fill the threads that pages and questions need.
        self._hashing = ThreadPoolExecutor(1, thread_name_prefix="passwords")

    def routes(self) -> list[Route]:
        """Of the application."""
        return [
            Route("/login", self.show, methods=["GET"]),
            Route("/login", self.log_in, methods=["POST"]),
            Route("/logout", self.log_out, methods=["POST"]),
            Route("/preferences", self.prefer, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """The form."""
        return _form(request, "")

    async def log_in(self, request: Request) -> Response:
        """Check name and password."""
        fields = await form(request)
        name, password = fields.get("name", "").strip()[:64], fields.get("password", "")[:_LONGEST_PASSWORD]
        address = origin(request)
        keys = (f"address:{address}", f"account:{name}")
        wanted = fields.get("next", "/")
        wait = self._throttle.wait(*keys)
        if wait > 0:
            return _form(request, "login.wait", 429, wanted=wanted, seconds=int(wait) + 1)
        # It counts as failed until it is known to be right: who sends many at once waits like who sends them one by one.
        self._throttle.failed(*keys)
        account = await self._store.run(web_accounts.get, name)
        right = await asyncio.get_running_loop().run_in_executor(
            self._hashing, passwords.right, account.password if account else "", password
        )
        if account is None or not right:
            # What was typed as a name may be a password: only a name that exists is kept.
            subject = account.name if account else ""
            await self._store.run(
                audit.record, by="web", action="login.failed", subject=subject, origin=address, now=time.time()
            )
            return _form(request, "login.wrong", 401, wanted=wanted)
        self._throttle.succeeded(*keys)
        token = await self._store.run(_begin, account.name, address, time.time())
        response = RedirectResponse(safe_next(wanted), status_code=303)
        set_cookie(response, SESSION, token, secure=request.state.secure, days=_SESSION_DAYS)
        return response

    async def log_out(self, request: Request) -> Response:
        """End this session."""
        token = request.cookies.get(SESSION, "")
        if token:
            await self._store.run(web_accounts.end_session, token)
        response = RedirectResponse("/login" if viewer(request).logged_in else "/", status_code=303)
        response.delete_cookie(SESSION)
        return response

    async def prefer(self, request: Request) -> Response:
        """Remember language and colours in this browser."""
        fields = await form(request)
        response = RedirectResponse(_back(request), status_code=303)
        for name, field, allowed in ((LANGUAGE, "language", ("ko", "en")), (THEME, "theme", ("auto", "light", "dark"))):
            if fields.get(field) in allowed:
                set_cookie(response, name, fields[field], secure=request.state.secure, days=_CHOICE_DAYS)
        return response


def _back(request: Request) -> str:
    """Where the visitor came from, as a path of ours."""
    try:
        back = urlsplit(request.headers.get("referer", "/"))
    except ValueError:
        return "/"
    return safe_next(f"{back.path}?{back.query}" if back.query else back.path)


def _begin(connection: Connection, name: str, address: str, now: float) -> str:
    audit.record(connection, by=f"web:{name}", action="login", origin=address, now=now)
    return web_accounts.begin_session(connection, name, now=now)


def _form(request: Request, said: str, status: int = 200, *, wanted: str = "", **values: object) -> Response:
    return render(
        request,
        "login.html",
        status,
        problem=said,
        problem_values=values,
        next=safe_next(wanted or request.query_params.get("next", "/")),
    )
