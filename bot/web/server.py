"""Serves an ASGI application on the service's own event loop until it stops."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from bot.errors import ConsoleNotStarted

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_log = logging.getLogger(__name__)
_GRACE_SECONDS = 3
_FIRST_SECONDS = 15.0
"""For a connection to send the head of its first request: silent ones would take the places of others."""


class WebServer:
    """One listening address. `open` before `run`, so that a port that is taken is told at once."""

    def __init__(
        self, app: ASGIApp, host: str, port: int, *, proxies: Sequence[str] = (), name: str = "console"
    ) -> None:
        """`port` 0: any free one. `name`: in the log. `proxies`: addresses whose X-Forwarded-* headers are believed."""
        self._name = name
        self._host = host
        self._port = port
        self._socket: socket.socket | None = None
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            proxy_headers=bool(proxies),
            forwarded_allow_ips=list(proxies),
            server_header=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            limit_concurrency=200,
            http=_Impatient,
            timeout_keep_alive=15,
        )
        self._server = _Quiet(config)

    @property
    def address(self) -> str:
        """`http://127.0.0.1:8787`, once open."""
        port = self._socket.getsockname()[1] if self._socket else self._port
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{port}"

    def open(self) -> None:
        """Take the address. Raises ConsoleNotStarted."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listening = socket.socket(family, socket.SOCK_STREAM)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((self._host, self._port))
            listening.listen(128)
        except OSError as error:
            listening.close()
            reason = error.strerror or str(error)
            raise ConsoleNotStarted(host=self._host, port=self._port, reason=reason) from error
        listening.setblocking(False)
        self._socket = listening

    async def run(self) -> None:
        """Serve until cancelled or closed. Nothing that happens here may end the service."""
        if self._socket is None:
            self.open()
        assert self._socket is not None  # noqa: S101 - `open` has raised otherwise
        _log.info(json.dumps({"event": f"{self._name}_opened", "address": self.address}))
        serving = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            self._server.should_exit = True
            with contextlib.suppress(Exception):
                await serving
            raise
        except Exception:  # noqa: BLE001 - the service goes on without its console
            _log.exception(json.dumps({"event": f"{self._name}_failed"}))

    async def close(self, seconds: float) -> None:
        """After that the address is free."""
        self._server.should_exit = True
        self._server.force_exit = seconds <= 0
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class _Impatient(H11Protocol):
    """Closes connections that say nothing; uvicorn's own limit begins after the first answer."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See asyncio.Protocol."""
        super().connection_made(transport)
        self.loop.call_later(_FIRST_SECONDS, self._leave_if_silent, transport)

    def _leave_if_silent(self, transport: asyncio.Transport) -> None:
        asked: object = getattr(self, "cycle", None)  # uvicorn types it as if there always were one
        if asked is None and not transport.is_closing():
            transport.close()


class _Quiet(uvicorn.Server):
    """Leaves signals to the service."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        """Nothing: SIGTERM stops the service, and with it this."""
        yield
