"""A loopback HTTP server for fakes of web APIs: JSON in and out, a log of requests, and trouble on demand."""

from __future__ import annotations

import json
import re
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass(frozen=True)
class Request:
    """What a client sent. `path` without the query, decoded; header names in lower case."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: dict[str, str]
    body: bytes

    @property
    def line(self) -> str:
        """What troubles are matched with: `METHOD path?name=value body`."""
        query = "&".join(f"{name}={value}" for name, value in self.query)
        return f"{self.method} {self.path}?{query} {self.body.decode()}"

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """`cut`: the connection ends in the middle of the body."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


@dataclass
class Trouble:
    """The next `times` requests that match `where` get `reply`; with `cut` their own answer, cut off."""

    where: str
    reply: Reply | None
    times: int
    cut: bool = False


class Refused(Exception):
    """A request against the API's rules."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status, reply.body)
        self.reply = reply


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is nothing to report."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class HttpApi:
    """Subclasses answer in `answer`; what they raise beside Refused is kept in `broken` for the test to see."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.troubles: list[Trouble] = []
        self.broken: list[BaseException] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: Request) -> Reply:
        raise NotImplementedError

    def trouble(self, where: str, status: int, times: int = 1, body: Any = None, **headers: str) -> None:
        """Refuse; header names with `_` for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.troubles.append(Trouble(where, Reply(status, body or {}, named), times))

    def cut_off(self, where: str, times: int = 1) -> None:
        """Break the connection in the middle of the answer."""
        self.troubles.append(Trouble(where, None, times, cut=True))

    def asked(self, where: str) -> list[Request]:
        """The requests that match."""
        return [one for one in self.requests if re.search(where, one.line)]

    def _reply(self, request: Request) -> Reply:
        with self._lock:
            self.requests.append(request)
            trouble = next((one for one in self.troubles if one.times and re.search(one.where, request.line)), None)
            if trouble is not None:
                trouble.times -= 1
            try:
                if trouble is not None and trouble.reply is not None:
                    return trouble.reply
                reply = self.answer(request)
            except Refused as refused:
                reply = refused.reply
            except Exception as error:
                self.broken.append(error)
                raise
            return Reply(reply.status, reply.body, reply.headers, cut=trouble is not None and trouble.cut)

    def _handler(api) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                parts = urlsplit(self.path)
                reply = api._reply(
                    Request(
                        self.command,
                        unquote(parts.path),
                        tuple(parse_qsl(parts.query, keep_blank_values=True)),
                        {name.lower(): value for name, value in self.headers.items()},
                        self.rfile.read(int(self.headers.get("content-length", 0))),
                    )
                )
                data = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
                self.send_response(reply.status)
                for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data[: len(data) // 2] if reply.cut else data)
                self.close_connection = self.close_connection or reply.cut

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler
