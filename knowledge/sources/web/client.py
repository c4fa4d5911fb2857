"""GET, politely and safely: paced, bounded in bytes and time, redirected only where allowed, without cookies."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import email.utils
import http
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from urllib.parse import urlsplit

import httpcore

from knowledge.sources.web.addresses import Resolve, resolve
from knowledge.sources.web.body import BodyBroken, BodyTooLarge, read_body, too_large
from knowledge.sources.web.connection import AddressRefused, CheckedBackend, Deadline
from knowledge.sources.web.urls import normal, origin

_TRIES = 3
_HOPS = 5
_SMALL = 64 * 1024
_WAIT = 10.0
_REQUEST_SECONDS = 120.0
_LONGEST_BACK_OFF = 120.0
_LONGEST_PAUSE = 60.0
_PASSING = frozenset({429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Unanswered(Exception):
    """No usable answer. `args[0]`: why, for a person, without secrets. `passing`: it may work the next time."""

    def __init__(self, reason: str, *, passing: bool = True) -> None:
        super().__init__(reason)
        self.passing = passing


class Forbidden(Unanswered):
    """The address must not be talked to."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`url`: the address that answered, after redirects. `headers`: lower-case names. `body`: None if not read."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes | None = None

    @property
    def phrase(self) -> str:
        """`404 Not Found`"""
        with contextlib.suppress(ValueError):
            return f"{self.status} {http.HTTPStatus(self.status).phrase}"
        return str(self.status)

    @property
    def leads_to(self) -> str | None:
        """Where a redirect points, as a normal address."""
        location = self.headers.get("location") if self.status in _REDIRECTS else None
        return normal(location, self.url) if location else None


@dataclass(frozen=True, slots=True)
class Credential:
    """A header that is sent to one origin and nowhere else."""

    origin: str
    name: str
    value: str = field(repr=False)

    @classmethod
    def of(cls, url: str, auth: str, token: str) -> Credential:
        """`auth`: "bearer", "basic" (`token` is user:password) or the name of a header."""
        if auth == "basic":
            packed = base64.b64encode(token.encode()).decode()
            return cls(origin(url), "Authorization", f"Basic {packed}")
        if auth == "bearer":
            return cls(origin(url), "Authorization", f"Bearer {token}")
        return cls(origin(url), auth, token)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What may be done with one address."""

    most: int
    """Bytes."""
    follow: Callable[[str], bool] = lambda url: True
    """Whether a redirect to this address is followed."""
    conditions: Callable[[str], Mapping[str, str]] = lambda url: {}
    """Headers such as If-None-Match for this address."""
    read: Callable[[Answer], bool] = lambda answer: True
    """Whether the body is worth reading, by what the headers say."""


class WebClient:
    """Use as a context manager. One request at a time, of at most `request_seconds` from first to last byte.

    `secure`: https will be asked for. `sleep` and `clock` are the system's; tests bring their own, as they do with `resolve`.
    """

    def __init__(
        self,
        user_agent: str,
        requests_per_second: float,
        *,
        secure: bool = True,
        allow_private: bool = False,
        credential: Credential | None = None,
        request_seconds: float = _REQUEST_SECONDS,
        resolve: Resolve = resolve,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._user_agent = user_agent
        self._credential = credential
        self._request_seconds = request_seconds
        self._pause = 1 / requests_per_second
        self._sleep = sleep
        self._clock = clock
        self._next = clock()
        self._deadline = Deadline()
        self._pool = httpcore.ConnectionPool(
            # Read once: it takes longer than a request.
            ssl_context=httpcore.default_ssl_context() if secure else None,
            max_connections=2,
            keepalive_expiry=30,
            network_backend=CheckedBackend(resolve, self._deadline, allow_private=allow_private),
        )

    def __enter__(self) -> WebClient:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._pool.close()

    def slow_down(self, seconds: float) -> None:
        """At least so long between two requests (robots.txt), within reason."""
        self._pause = max(self._pause, min(seconds, _LONGEST_PAUSE))

    def get(self, url: str, wanted: Wanted) -> Answer:
        """The answer after the redirects that may be followed; a body only with status 200. Raises Unanswered.

        429, 5xx and broken connections are tried again, as the server says (Retry-After) or with doubling pauses.
        """
        for hop in range(_HOPS + 1):
            answer = self._patiently(url, wanted)
            target = answer.leads_to
            if target is None or target == url or not wanted.follow(target):
                return answer
            url = target
            if hop == _HOPS:
                break
        raise Unanswered("too many redirects", passing=False)

    def _patiently(self, url: str, wanted: Wanted) -> Answer:
        for number in range(1, _TRIES):
            pause = 2.0**number
            try:
                answer = self._once(url, wanted)
            except Unanswered as error:
                if not error.passing:
                    raise
            else:
                if answer.status not in _PASSING:
                    return answer
                pause = _back_off(answer.headers.get("retry-after", ""), pause)
            self._sleep(pause)
        return self._once(url, wanted)

    def _once(self, url: str, wanted: Wanted) -> Answer:
        self._wait_for_turn()
        self._deadline.start(self._request_seconds)
        headers = {
            "Host": urlsplit(url).netloc,
            "User-Agent": self._user_agent,
            "Accept": "text/html,application/xhtml+xml,application/pdf;q=0.9,text/*;q=0.9,*/*;q=0.5",
            "Accept-Encoding": "gzip",
            "Accept-Language": "ko,en;q=0.5",
            **wanted.conditions(url),
        }
        if self._credential is not None and self._credential.origin == origin(url):
            headers[self._credential.name] = self._credential.value
        sent = [(name.encode("ascii"), value.encode()) for name, value in headers.items()]
        waits = {"timeout": {"connect": _WAIT, "read": _WAIT, "write": _WAIT, "pool": _WAIT}}
        with _explained(), self._pool.stream("GET", url, headers=sent, extensions=waits) as response:
            received = _headers(response.headers)
            answer = Answer(url, response.status, received)
            length = received.get("content-length", "")
            if response.status != http.HTTPStatus.OK or not wanted.read(answer):
                if response.status == http.HTTPStatus.NOT_MODIFIED or (length.isdigit() and int(length) <= _SMALL):
                    read_body(response.iter_stream(), "", _SMALL)  # to its end, so that the connection can be kept
                return answer
            if length.isdigit() and int(length) > wanted.most:
                raise too_large(wanted.most)
            body = read_body(response.iter_stream(), received.get("content-encoding", ""), wanted.most)
            return Answer(url, response.status, received, body)

    def _wait_for_turn(self) -> None:
        now = self._clock()
        if now < self._next:
            self._sleep(self._next - now)
        self._next = max(now, self._next) + self._pause


def _headers(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("ascii", "replace").lower(), value.decode("utf-8", "replace").strip()
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def _back_off(retry_after: str, otherwise: float) -> float:
    """Seconds; Retry-After holds seconds or a date (RFC 9110, 10.2.3)."""
    seconds = otherwise
    if retry_after.isdigit():
        seconds = float(retry_after)
    elif retry_after:
        with contextlib.suppress(ValueError, TypeError):
            moment = email.utils.parsedate_to_datetime(retry_after)
            seconds = (moment - dt.datetime.now(dt.UTC)).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_BACK_OFF)


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Whatever goes wrong on the wire → Unanswered, in words that hold nothing we sent."""
    try:
        yield
    except AddressRefused as error:
        raise Forbidden(str(error), passing=False) from error
    except (BodyTooLarge, BodyBroken) as error:
        raise Unanswered(str(error), passing=False) from error
    except httpcore.TimeoutException as error:
        raise Unanswered("no answer in time") from error
    except httpcore.NetworkError as error:
        raise Unanswered("".join(char for char in str(error) if char.isprintable())[:200] or "no connection") from error
    except (httpcore.ProtocolError, httpcore.UnsupportedProtocol, UnicodeError) as error:
        raise Unanswered("not a valid HTTP answer") from error
