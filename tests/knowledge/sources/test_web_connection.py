"""Where a request really goes: names that lead inside, answers that change, servers that send one byte at a time."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpcore
import pytest

from knowledge.errors import AddressForbidden
from knowledge.page import Audience
from knowledge.sources import SourceConfig
from knowledge.sources.web import WebOptions
from knowledge.sources.web.client import Credential, Unanswered, Wanted, WebClient
from knowledge.sources.web.connection import AddressRefused, CheckedBackend, Deadline
from knowledge.sources.web.source import WebSource
from tests.fakes.web_site import WebSite, running

PUBLIC, INSIDE, KEYS = "93.184.216.34", "10.0.0.7", "169.254.169.254"


class Names:
    """A name server that answers each question with the next of `answers`; the last one stays."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Stream(httpcore.NetworkStream):
    """Answers every request with an empty page and notes for whom TLS was started."""

    def __init__(self, sockets: Sockets) -> None:
        self.sockets = sockets
        self.rest = b""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        piece, self.rest = self.rest[:max_bytes], self.rest[max_bytes:]
        return piece

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.sockets.sent += buffer
        self.rest = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    def close(self) -> None:
        pass

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        assert ssl_context.check_hostname
        assert ssl_context.verify_mode is ssl.CERT_REQUIRED
        self.sockets.tls_names.append(server_hostname)
        return self


class Sockets(httpcore.NetworkBackend):
    """Opens nothing; remembers where connections would go. `closed`: addresses that refuse."""

    def __init__(self, closed: Sequence[str] = ()) -> None:
        self.closed = closed
        self.tried: list[tuple[str, int]] = []
        self.tls_names: list[str | None] = []
        self.sent = b""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        self.tried.append((host, port))
        if host in self.closed:
            raise httpcore.ConnectError("refused")
        return Stream(self)


def get(url: str, names: Names, sockets: Sockets, *, allow_private: bool = False, times: int = 1) -> None:
    backend = CheckedBackend(names, Deadline(), allow_private=allow_private, sockets=sockets)
    with httpcore.ConnectionPool(network_backend=backend) as pool:
        for _ in range(times):
            assert pool.request("GET", url).status == 200


def test_the_connection_goes_to_the_very_address_that_was_checked() -> None:
    names, sockets = Names([PUBLIC], [INSIDE]), Sockets()
    get("http://wiki.example.com/a", names, sockets)
    assert names.asked == [("wiki.example.com", 80)]
    assert sockets.tried == [(PUBLIC, 80)]
    assert b"Host: wiki.example.com\r\n" in sockets.sent


def test_a_name_that_turns_inside_between_two_connections_is_refused_then() -> None:
    names, sockets = Names([PUBLIC], [INSIDE]), Sockets()
    with pytest.raises(AddressRefused, match="private"):
        get("http://wiki.example.com/a", names, sockets, times=2)
    assert sockets.tried == [(PUBLIC, 80)]


def test_tls_is_started_for_the_name_and_checked() -> None:
    sockets = Sockets()
    get("https://wiki.example.com:8443/a", Names([PUBLIC]), sockets)
    assert (sockets.tried, sockets.tls_names) == ([(PUBLIC, 8443)], ["wiki.example.com"])


@pytest.mark.parametrize(
    ("answer", "allow_private"),
    [
        ([INSIDE], False),
        ([PUBLIC, INSIDE], False),
        (["127.0.0.1"], False),
        (["::1"], False),
        (["::ffff:10.0.0.7"], False),
        (["fe80::1%eth0"], False),
        (["0.0.0.0"], True),  # noqa: S104
        ([KEYS], True),
        (["::ffff:169.254.169.254"], True),
        (["64:ff9b::a9fe:a9fe"], True),
        ([PUBLIC, "224.0.0.1"], True),
    ],
)
def test_a_name_with_any_address_inside_is_not_connected_to(answer: list[str], allow_private: bool) -> None:
    sockets = Sockets()
    with pytest.raises(AddressRefused, match="wiki"):
        get("http://wiki.example.com/", Names(answer), sockets, allow_private=allow_private)
    assert sockets.tried == []


def test_where_allowed_the_companys_network_is_reached_and_the_next_address_tried() -> None:
    sockets = Sockets(closed=["fd00::7"])
    get("http://wiki.internal/", Names(["fd00::7", INSIDE]), sockets, allow_private=True)
    assert sockets.tried == [("fd00::7", 80), (INSIDE, 80)]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_no_spelling_of_this_machine_is_let_through(tmp_path: Path, host: str) -> None:
    with running(WebSite()) as site:
        port = site.url.rpartition(":")[2]
        source = WebSource(SourceConfig("사이트", Audience(), tmp_path), WebOptions(f"http://{host}:{port}/"))
        with pytest.raises(AddressForbidden, match="private network") as refused:
            source.files()
        assert "allow_private = true" in refused.value.explain("ko")
        assert (site.asked, site.complaints) == ([], [])


@contextmanager
def dripping(start: bytes) -> Iterator[str]:
    """The address of a server that answers `start` and then one byte after the other, for ever."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        try:
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.02)
        except ConnectionError:
            writer.close()

    async def stop() -> None:
        server.close()
        await asyncio.sleep(0.1)  # until the last byte has met a closed connection

    server = asyncio.run_coroutine_threadsafe(asyncio.start_server(serve, "127.0.0.1", 0), loop).result()
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def client(**options: Any) -> WebClient:
    return WebClient("SaseoBot", 1e9, allow_private=True, sleep=lambda seconds: None, **options)


@pytest.mark.parametrize(
    "start", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"]
)
def test_an_answer_that_drips_is_left_at_the_deadline(start: bytes) -> None:
    with dripping(start) as url, client(request_seconds=0.3) as reader, pytest.raises(Unanswered, match="in time"):
        reader.get(url, Wanted(1_000_000))


def test_a_name_that_cannot_be_resolved_is_told() -> None:
    def nobody(host: str, port: int) -> Sequence[str]:
        raise OSError("no such host")

    with client(resolve=nobody) as reader, pytest.raises(Unanswered, match="cannot be resolved"):
        reader.get("https://wiki.example.com/", Wanted(1))
    with client() as reader, pytest.raises(Unanswered, match="resolved"):
        reader.get(f"http://{'a' * 70}.example/", Wanted(1))


def test_a_credential_does_not_show_itself() -> None:
    for auth in ("bearer", "basic", "PRIVATE-TOKEN"):
        assert "s3cret" not in repr(Credential.of("https://wiki.example.com/a", auth, "s3cret"))
