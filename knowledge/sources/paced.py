"""One HTTP client for sources behind an API: never faster than asked, patient with a busy server, bounded in everything.

Requests go to one address over https (or to this machine); the token is sent nowhere else, since no redirect is followed.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import ipaddress
import json
import random
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import httpx

Query = Sequence[tuple[str, str | int]]

_BUSY = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
"""Statuses after which the same request may succeed. 409: Notion's conflict_error."""
_FIRST_WAIT = 1.0
_LONGEST_WAIT = 60.0
"""Seconds, of the waits that we choose ourselves."""
_GIVE_UP_AFTER = 3
"""Requests given up in a row, after which the server counts as down: the thousand pages that follow must not each wait."""


class ApiFailure(Exception):
    """A request that brought nothing. `reason` is short and holds no page text, no token, no query."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        """HTTP status; None where there was no answer."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Bounds of one request. Times in seconds."""

    attempts: int = 6
    longest_retry_after: float = 300.0
    """A server that asks for a longer pause is given up for this run."""
    time_out: float = 60.0
    """For connecting, and for each piece of the answer."""
    longest_answer: float = 180.0
    """From the first byte to the last."""
    most_bytes: int = 32_000_000
    """Of one answer, unpacked."""


class PacedApi:
    """JSON over HTTP below `base_url`, at most `per_second` requests a second, one after the other.

    `headers` hold the token. Tests give `clock` (seconds, monotonic) and `sleep`.
    """

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        per_second: float,
        patience: Patience | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.base_url = checked_address(base_url)
        self._headers = dict(headers)
        self._pause = 1.0 / per_second
        self._patience = patience or Patience()
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next = 0.0
        self._given_up = 0
        self._client: httpx.Client | None = None
        self.server_time: dt.datetime | None = None
        """The server's clock at its last answer."""

    def get(self, path: str, query: Query = ()) -> dict[str, Any]:
        """The JSON object at `path`. Raises ApiFailure."""
        return self._object(self.get_any(path, query))

    def get_any(self, path: str, query: Query = ()) -> Any:
        """Any JSON. Raises ApiFailure."""
        return self._ask("GET", path, query, None)

    def post(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        """Only for requests that change nothing (searches): they are repeated as freely as a GET. Raises ApiFailure."""
        return self._object(self._ask("POST", path, (), body))

    @staticmethod
    def _object(answer: Any) -> dict[str, Any]:
        if not isinstance(answer, dict):
            raise ApiFailure("the answer is no JSON object")
        return answer

    def _ask(self, method: str, path: str, query: Query, body: Mapping[str, object] | None) -> Any:
        if self._given_up >= _GIVE_UP_AFTER:
            raise ApiFailure("given up after several requests without an answer")
        wait, last = _FIRST_WAIT, ApiFailure("no attempt was made")
        for attempt in range(self._patience.attempts):
            try:
                answer = self._once(method, path, query, body)
            except _Busy as busy:
                last = busy.failure
                asked = busy.retry_after
                if asked is not None and asked > self._patience.longest_retry_after:
                    last = ApiFailure(f"{last.reason}; it asks for a pause of {asked:.0f} s", last.status)
                    break
                if attempt + 1 < self._patience.attempts:
                    # Jitter: several sources that were refused together do not come back together.
                    self._sleep(asked if asked is not None else wait * random.uniform(0.75, 1.25))  # noqa: S311
                wait = min(wait * 2, _LONGEST_WAIT)
                continue
            self._given_up = 0
            return answer
        self._given_up += 1
        raise last

    def _once(self, method: str, path: str, query: Query, body: Mapping[str, object] | None) -> Any:
        import httpx

        self._take_turn()
        try:
            with self._open().stream(method, self.base_url + path, params=list(query), json=body) as response:
                self._notice(response.headers.get("date"))
                if response.status_code in _BUSY:
                    raise _Busy(_refusal(response.status_code), _seconds(response.headers.get("retry-after")))
                if response.status_code != 200:
                    self._given_up = 0
                    raise _refusal(response.status_code)
                data = self._read(response)
        except httpx.TransportError as error:
            raise _Busy(ApiFailure(_name_of(error)), None) from error
        except httpx.HTTPError as error:
            raise ApiFailure(_name_of(error)) from error
        try:
            return json.loads(data)
        except (ValueError, RecursionError) as error:
            raise ApiFailure("the answer is no JSON") from error

    def _read(self, response: httpx.Response) -> bytes:
        started, pieces, size = self._clock(), [], 0
        for piece in response.iter_bytes():
            size += len(piece)
            if size > self._patience.most_bytes:
                raise ApiFailure(f"the answer is larger than {self._patience.most_bytes // 1_000_000} MB")
            if self._clock() - started > self._patience.longest_answer:
                raise ApiFailure("the answer does not end")
            pieces.append(piece)
        return b"".join(pieces)

    def _take_turn(self) -> None:
        with self._lock:
            now = self._clock()
            turn = max(now, self._next)
            self._next = turn + self._pause
        if turn > now:
            self._sleep(turn - now)

    def _open(self) -> httpx.Client:
        import httpx

        with self._lock:
            if self._client is None:
                self._client = httpx.Client(
                    headers={"Accept": "application/json", **self._headers},
                    timeout=self._patience.time_out,
                    follow_redirects=False,
                    # A company's proxy and certificates (HTTPS_PROXY, SSL_CERT_FILE); no proxy for this machine itself.
                    trust_env=not is_this_machine(urlsplit(self.base_url).hostname or ""),
                )
                weakref.finalize(self, self._client.close)  # files hold it to be read; the last of them closes it
            return self._client

    def _notice(self, date: str | None) -> None:
        if date is None:
            return
        try:
            said = email.utils.parsedate_to_datetime(date)
        except ValueError:
            return
        self.server_time = said if said.tzinfo else said.replace(tzinfo=dt.UTC)


class _Busy(Exception):
    """The same request may succeed later."""

    def __init__(self, failure: ApiFailure, retry_after: float | None) -> None:
        super().__init__(failure.reason)
        self.failure = failure
        self.retry_after = retry_after


def checked_address(address: str) -> str:
    """`address` ending in `/`. Raises ValueError if a token would travel unencrypted, or it is no plain address."""
    parts = urlsplit(address.strip())
    host = parts.hostname or ""
    if not host or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError(f"{address!r} is not a plain https address")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_this_machine(host)):
        raise ValueError(f"{address!r}: only https, so that the token is not read on the way (http: this machine only)")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/"


def is_this_machine(host: str) -> bool:
    """Whether `host` is a loopback address or `localhost`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _refusal(status: int) -> ApiFailure:
    if 300 <= status < 400:
        return ApiFailure(f"HTTP {status}: it sends us elsewhere, which is not followed", status)
    return ApiFailure(f"HTTP {status}", status)


def _seconds(retry_after: str | None) -> float | None:
    """A `Retry-After` header: seconds, or a date. None if there is none or it cannot be read."""
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.replace(".", "", 1).isdigit() and len(text) < 12:
        return float(text)
    try:
        until = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=dt.UTC)
    return max((until - dt.datetime.now(dt.UTC)).total_seconds(), 0.0)


def _name_of(error: Exception) -> str:
    """What kind of network error; its own message may quote an address with a query."""
    words = {
        "ConnectError": "no connection",
        "ConnectTimeout": "no connection in time",
        "ReadTimeout": "no answer in time",
        "ReadError": "the connection broke",
        "RemoteProtocolError": "the connection broke",
    }
    return words.get(type(error).__name__, type(error).__name__)
