"""One file over HTTPS: resumable, never silently truncated, never redirected to an unencrypted address."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.models.places.job import PlaceFailed
from knowledge.editions.files import write_whole

if TYPE_CHECKING:
    import httpx

_HOPS = 6
_ATTEMPTS = 5  # without a single new byte in between
_LONGEST_PAUSE = 30.0
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class _Again(Exception):
    """A passing fault."""

    def __init__(self, reason: str, pause: float = 0.0) -> None:
        super().__init__(reason)
        self.pause = pause


@dataclass(frozen=True)
class Download:
    """What to fetch and what to ask on the way."""

    client: httpx.Client
    url: str
    target: Path
    headers: Mapping[str, str]  # for the first address only: a token never follows a redirect to another host
    limit: int  # more bytes than this are refused
    need: Callable[[int], None]  # raises when that many bytes do not fit
    advance: Callable[[int, int | None], None]  # done, total
    sleep: Callable[[float], None]

    def run(self) -> str:
        """Fetch into `target`. Returns the SHA-256 the server announced, or an empty string."""
        import httpx

        misses, reached = 0, self._size()
        while True:
            before = self._size()
            try:
                announced = self._attempt()
                break
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
                # An air-gapped machine: the next place must not wait for retries. Unless it worked a moment ago.
                if self._size() == reached:
                    raise PlaceFailed(f"{self._host()}: {_text(error)}") from error
                fault: Exception = error
                pause = 0.0
            except httpx.TransportError as error:
                fault, pause = error, 0.0
            except _Again as error:
                fault, pause = error, error.pause
            misses = 0 if self._size() > before else misses + 1
            if misses >= _ATTEMPTS:
                raise PlaceFailed(f"{self._host()}: {_text(fault)}") from fault
            self.sleep(min(_LONGEST_PAUSE, max(pause, 2.0**misses / 2)))
        self._part.replace(self.target)
        self._note.unlink(missing_ok=True)
        return announced

    @property
    def _part(self) -> Path:
        return self.target.with_name(self.target.name + ".part")

    @property
    def _note(self) -> Path:
        return self.target.with_name(self.target.name + ".part.json")

    def _host(self) -> str:
        import httpx

        return httpx.URL(self.url).host

    def _size(self) -> int:
        try:
            return self._part.stat().st_size
        except FileNotFoundError:
            return 0

    def _attempt(self) -> str:
        start, etag = self._size(), self._etag()
        if not etag:
            start = 0
        extra = {"Accept-Encoding": "identity"}
        if start:
            # If-Range: should the file have changed, the server sends all of it instead of a tail that does not fit.
            extra |= {"Range": f"bytes={start}-", "If-Range": etag}
        response, announced = self._open(extra)
        try:
            self._receive(response, start)
        finally:
            response.close()
        return announced

    def _open(self, extra: Mapping[str, str]) -> tuple[httpx.Response, str]:
        import httpx

        origin = httpx.URL(self.url)
        url, announced = origin, ""
        for _ in range(_HOPS):
            own = self.headers if _same(url, origin) else {}
            request = self.client.build_request("GET", url, headers={**extra, **own})
            response = self.client.send(request, stream=True)
            announced = _sha256(response.headers.get("x-linked-etag", "")) or announced
            if not response.has_redirect_location:
                return response, announced
            response.close()
            url = response.url.join(response.headers["location"])
            if url.scheme != "https" and not _same(url, origin):
                raise PlaceFailed(f"{origin.host}: refused a redirect to {url.scheme}://{url.host}")
        raise PlaceFailed(f"{origin.host}: too many redirects")

    def _receive(self, response: httpx.Response, start: int) -> None:
        code = response.status_code
        if code == 416:
            # The range starts at or behind the end: the part is whole, or belongs to another version of the file.
            if response.headers.get("content-range", "") == f"bytes */{start}":
                return
            self._part.unlink(missing_ok=True)
            raise _Again("the file changed")
        if code in {408, 425, 429} or code >= 500:
            pause = response.headers.get("retry-after", "")
            raise _Again(f"HTTP {code}", float(pause) if pause.isdigit() else 0.0)
        if code not in {200, 206}:
            raise PlaceFailed(f"{self._host()}: HTTP {code}")
        if code == 206:
            found = _RANGE.fullmatch(response.headers.get("content-range", ""))
            other = response.headers.get("etag", "") not in {"", self._etag()}  # it ignored If-Range
            if not found or int(found[1]) != start or not start or other:
                self._part.unlink(missing_ok=True)
                raise _Again("the server sent another range")
            total: int | None = int(found[3])
        else:
            start = 0
            length = response.headers.get("content-length", "")
            total = int(length) if length.isdigit() else None
        if total is not None and total > self.limit:
            raise PlaceFailed(f"{self._host()}: {total} bytes, at most {self.limit} were expected")
        self.need((total or self.limit) - start)
        self._write(response, start, total)

    def _write(self, response: httpx.Response, start: int, total: int | None) -> None:
        if not start:
            write_whole(self._note, json.dumps({"url": self.url, "etag": response.headers.get("etag", "")}))
        done = start
        with self._part.open("r+b" if start else "wb") as stream:
            stream.seek(start)
            stream.truncate()
            for chunk in response.iter_raw():
                done += len(chunk)
                if done > self.limit:
                    raise PlaceFailed(f"{self._host()}: more than the {self.limit} bytes that were expected")
                stream.write(chunk)
                self.advance(done, total)
        if total is not None and done != total:
            raise _Again(f"the connection ended after {done} of {total} bytes")

    def _etag(self) -> str:
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
            etag = str(note["etag"]) if note["url"] == self.url else ""
        except (OSError, ValueError, KeyError, TypeError):
            return ""
        # A weak one does not promise the same bytes, so nothing can be appended on its word.
        return "" if etag.startswith("W/") else etag


def _same(one: httpx.URL, other: httpx.URL) -> bool:
    return (one.scheme, one.host, one.port) == (other.scheme, other.host, other.port)


def _sha256(etag: str) -> str:
    bare = etag.strip('"').lower()
    return bare if re.fullmatch(r"[0-9a-f]{64}", bare) else ""


def _text(error: Exception) -> str:
    return str(error) or type(error).__name__
