"""The client of APIs: its pace, its patience with a busy server, and its bounds, over real sockets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from knowledge.sources.paced import ApiFailure, PacedApi, Patience, checked_address, is_this_machine
from tests.fakes.http_api import HttpApi, Reply, Request


class Echo(HttpApi):
    """Answers with what it was asked."""

    body: object = None

    def answer(self, request: Request) -> Reply:
        return Reply(200, self.body if self.body is not None else {"path": request.path, "query": list(request.query)})


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def server() -> Iterator[Echo]:
    with Echo() as echo:
        yield echo


@pytest.fixture
def clock() -> Clock:
    return Clock()


def api(server: Echo, clock: Clock, per_second: float = 1000.0, **bounds: float) -> PacedApi:
    patience = Patience(**bounds)  # type: ignore[arg-type]
    return PacedApi(server.address, {"Authorization": "Bearer t"}, per_second, patience, clock=clock, sleep=clock.sleep)


def test_it_sends_the_token_and_the_query(server: Echo, clock: Clock) -> None:
    answer = api(server, clock).get("a/b", [("키", "값 1"), ("n", 2)])
    assert answer == {"path": "/a/b", "query": [["키", "값 1"], ["n", "2"]]}
    assert server.requests[0].headers["authorization"] == "Bearer t"


def test_requests_are_never_closer_together_than_the_pace(server: Echo, clock: Clock) -> None:
    client = api(server, clock, per_second=4.0)
    for _ in range(5):
        client.get("x")
    assert clock.slept == [pytest.approx(0.25)] * 4


def test_a_pause_that_the_server_asks_for_is_kept(server: Echo, clock: Clock) -> None:
    server.trouble("x", 429, times=2, Retry_After="17")
    api(server, clock).get("x")
    assert [round(pause) for pause in clock.slept if pause > 1] == [17, 17]


def test_a_pause_until_a_date_is_kept(server: Echo, clock: Clock) -> None:
    until = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=100)
    server.trouble("x", 503, Retry_After=until.strftime("%a, %d %b %Y %H:%M:%S GMT"))
    api(server, clock).get("x")
    assert 60 < max(clock.slept) <= 100


def test_a_server_that_wants_an_hour_is_given_up_for_this_run(server: Echo, clock: Clock) -> None:
    server.trouble("x", 429, times=9, Retry_After="3600")
    with pytest.raises(ApiFailure, match="3600 s"):
        api(server, clock).get("x")
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again_each_time_later(server: Echo, clock: Clock, status: int) -> None:
    server.trouble("x", status, times=4)
    assert api(server, clock).get("x")["path"] == "/x"
    waits = [pause for pause in clock.slept if pause > 0.5]
    assert waits == sorted(waits)
    assert len(waits) == 4


def test_it_gives_up_after_the_last_attempt_without_waiting_once_more(server: Echo, clock: Clock) -> None:
    server.trouble("x", 500, times=99)
    with pytest.raises(ApiFailure, match="HTTP 500") as refused:
        api(server, clock, attempts=3).get("x")
    assert refused.value.status == 500
    assert len(server.requests) == 3
    assert len([pause for pause in clock.slept if pause > 0.5]) == 2


def test_a_server_that_is_down_is_not_waited_for_by_every_page(server: Echo, clock: Clock) -> None:
    server.trouble("", 500, times=999)
    client = api(server, clock, attempts=2)
    for _ in range(50):
        with pytest.raises(ApiFailure):
            client.get("x")
    assert len(server.requests) == 6


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404])
def test_a_refusal_is_final(server: Echo, clock: Clock, status: int) -> None:
    server.trouble("x", status, Location="/elsewhere")
    with pytest.raises(ApiFailure) as refused:
        api(server, clock).get("x")
    assert refused.value.status == status
    assert [one.path for one in server.requests] == ["/x"]


def test_an_answer_that_breaks_off_is_asked_for_again(server: Echo, clock: Clock) -> None:
    server.cut_off("x")
    assert api(server, clock).get("x")["path"] == "/x"
    assert len(server.requests) == 2


def test_an_answer_that_always_breaks_off_is_no_answer(server: Echo, clock: Clock) -> None:
    server.cut_off("x", times=99)
    with pytest.raises(ApiFailure, match="broke"):
        api(server, clock).get("x")


def test_nobody_there(clock: Clock) -> None:
    with Echo() as gone:
        client = api(gone, clock, attempts=2)
    with pytest.raises(ApiFailure, match="no connection"):
        client.get("x")


def test_an_endless_answer_is_cut(server: Echo, clock: Clock) -> None:
    server.body = b"[" + b"1," * 50_000 + b"1]"
    with pytest.raises(ApiFailure, match="larger"):
        api(server, clock, most_bytes=50_000).get_any("x")


@pytest.mark.parametrize("body", [b"<html>login</html>", b"", b"\xff\xfe", b"[" * 200_000, b'{"a": '])
def test_what_is_no_json_is_no_answer(server: Echo, clock: Clock, body: bytes) -> None:
    server.body = body
    with pytest.raises(ApiFailure, match="no JSON"):
        api(server, clock).get("x")


def test_a_list_is_no_object(server: Echo, clock: Clock) -> None:
    server.body = [1]
    assert api(server, clock).get_any("x") == [1]
    with pytest.raises(ApiFailure, match="no JSON object"):
        api(server, clock).get("x")


def test_a_reason_names_neither_token_nor_query(server: Echo, clock: Clock) -> None:
    server.trouble("x", 500, times=99)
    with pytest.raises(ApiFailure) as refused:
        api(server, clock, attempts=1).get("x", [("secret", "s3cr3t")])
    assert "s3cr3t" not in refused.value.reason
    assert "Bearer" not in refused.value.reason


def test_the_servers_clock_is_known_after_an_answer(server: Echo, clock: Clock) -> None:
    client = api(server, clock)
    assert client.server_time is None
    client.get("x")
    assert client.server_time is not None
    assert abs(client.server_time - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)


@pytest.mark.parametrize(
    "address",
    [
        "http://wiki.example.com",
        "ftp://127.0.0.1",
        "wiki.example.com",
        "https://u:p@example.com",
        "https://e.com/?x=1",
        "",
    ],
)
def test_a_token_travels_only_over_https(address: str) -> None:
    with pytest.raises(ValueError, match="https"):
        checked_address(address)


@pytest.mark.parametrize(
    ("address", "base"),
    [
        ("https://example.com/wiki", "https://example.com/wiki/"),
        ("http://127.0.0.1:80/v1/", "http://127.0.0.1:80/v1/"),
        ("http://[::1]:80", "http://[::1]:80/"),
        ("http://localhost", "http://localhost/"),
    ],
)
def test_https_or_this_machine(address: str, base: str) -> None:
    assert checked_address(address) == base


def test_this_machine() -> None:
    assert is_this_machine("127.3.2.1")
    assert not is_this_machine("127.0.0.1.example.com")
    assert not is_this_machine("10.0.0.1")
