"""git over HTTP on this machine: the real `git http-backend` behind a door that asks for a user and a token."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class GitServer:
    """Serves the repositories below `root`. `token`: what callers must show; None lets everybody in."""

    def __init__(self, root: Path, token: str | None) -> None:
        self.root = root
        self.token = token
        self.shown: list[str] = []
        """`user:token` of every request that carried one."""
        self.url = ""

    def admits(self, header: str | None) -> bool:
        """Checks and remembers what a request shows."""
        if header is not None:
            scheme, _, packed = header.partition(" ")
            assert scheme == "Basic"
            self.shown.append(base64.b64decode(packed).decode())
        return self.token is None or (header is not None and self.shown[-1].endswith(f":{self.token}"))


@contextmanager
def serving(root: Path, token: str | None = None) -> Iterator[GitServer]:
    """A running server; `url` ends without a slash."""
    server = GitServer(root, token)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._backend(b"")

        def do_POST(self) -> None:
            self._backend(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

        def _backend(self, body: bytes) -> None:
            if not server.admits(self.headers.get("Authorization")):
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            path, _, query = self.path.partition("?")
            environment = {
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(server.root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            }
            answer = subprocess.run(["git", "http-backend"], input=body, env=environment, stdout=subprocess.PIPE).stdout
            head, _, content = answer.partition(b"\r\n\r\n")
            fields = [line.partition(": ")[::2] for line in head.decode().split("\r\n") if line]
            self.send_response(int(dict(fields).get("Status", "200")[:3]))
            for name, value in fields:
                if name != "Status":
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
