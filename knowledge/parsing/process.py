"""Parsing for an indexing run: `ParsingProcess(...).parse` in place of `knowledge.formats.parse`.

    with ParsingProcess(seconds=60, memory_mb=1024) as parsing:
        document = parsing.parse(data, "규정.docx")

One child is started at the first page and used for the next ones. What hangs, eats memory or kills it costs one page; the next
page gets a new child.
"""

from __future__ import annotations

import json
import threading
import time
from types import TracebackType

from knowledge import errors
from knowledge.errors import (
    PageError,
    PageTooHungry,
    PageTooLong,
    PageTooSlow,
    ParsingUnavailable,
    UnreadablePage,
)
from knowledge.page import Document
from knowledge.parsing import document_json, frames
from knowledge.parsing.child import Child, ChildBroken, ChildDied, ChildEndless, ChildHungry, ChildSlow
from knowledge.parsing.limits import MOST_CHARACTERS

_PAGES = 1000
"""After which a child is replaced: libraries leak a little at every page."""
_GROWTH_MB = 128
"""The same for memory that it holds between pages, or a quarter of `memory_mb` if that is more."""
_TRIES = 2
"""A child that dies may have been killed from outside, or have been hurt by the page before: ask another one once."""
_PAUSES = (1.0, 5.0, 15.0)
"""Seconds before another start where the machine had no memory for one."""


class ParsingProcess:
    """Use as a context manager. Threads wait for each other; the child goes when the thread that started it ends (on Linux)."""

    def __init__(
        self,
        *,
        seconds: float = 60.0,
        memory_mb: int = 1024,
        parser: str = "knowledge.formats:parse",
        pages: int = _PAGES,
    ) -> None:
        """`seconds` by the clock and `memory_mb` for one page; `parser` as `module:function`; `pages` for one child."""
        self._seconds = seconds
        self._memory_mb = memory_mb
        self._parser = parser
        self._pages = pages
        self._child: Child | None = None
        self._lock = threading.Lock()
        self.started = 0
        """How many children there have been."""

    def __enter__(self) -> ParsingProcess:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the child. The next page would start another."""
        with self._lock:
            self._drop()

    @property
    def pid(self) -> int | None:
        """Of the child, if one is running."""
        return self._child.pid if self._child is not None else None

    def parse(self, data: bytes, name: str) -> Document:
        """As `knowledge.formats.parse`: the suffix of `name` says what `data` is.

        Raises PageError: what that raises, or PageTooSlow, PageTooHungry, PageTooLong, or UnreadablePage if the child died.
        Raises ParsingUnavailable, which is no page's fault, if no child can be started.
        """
        with self._lock:
            reply = self._asked(data, name)
        try:
            return _read(reply)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
            raise UnreadablePage(reason="the parser's answer is damaged") from error

    def _asked(self, data: bytes, name: str) -> bytearray:
        how = ""
        for _ in range(_TRIES):
            try:
                return self._ask(data, name)
            except ChildSlow as error:
                raise PageTooSlow(seconds=self._seconds) from error
            except ChildHungry as error:
                raise PageTooHungry(megabytes=self._memory_mb) from error
            except ChildEndless as error:
                raise PageTooLong(characters=MOST_CHARACTERS + 1, limit=MOST_CHARACTERS) from error
            except ChildBroken as error:
                raise ParsingUnavailable(reason=error.reason) from error
            except ChildDied as died:
                how = died.how
        raise UnreadablePage(reason=f"the parser died of it twice ({how})")

    def _ask(self, data: bytes, name: str) -> bytearray:
        child = self._child = self._child or self._start()
        try:
            reply = child.ask(name, data)
        except BaseException:  # also Ctrl-C: an answer that nobody waits for must not become the next page's
            self._drop()
            raise
        growth = child.resident_mb - child.resident_at_first
        if child.asked >= self._pages or growth > max(_GROWTH_MB, self._memory_mb // 4):
            self._drop()
        return reply

    def _start(self) -> Child:
        for pause in (*_PAUSES, None):
            try:
                child = Child(self._parser, seconds=self._seconds, memory_mb=self._memory_mb)
            except ChildBroken as broken:
                if pause is None or not broken.killed:
                    raise
                time.sleep(pause)
            else:
                self.started += 1
                return child
        raise AssertionError("the last pause is None")

    def _drop(self) -> None:
        if self._child is not None:
            self._child.close()
            self._child = None


def _read(reply: bytearray) -> Document:
    """Raises the PageError that the child told, or ValueError and the like if it told nothing that we know."""
    if reply.startswith(frames.DOCUMENT):
        return document_json.loads(reply[len(frames.DOCUMENT) :])
    told = json.loads(reply[len(frames.FAILED) :])
    kind = getattr(errors, told["error"])
    if not (isinstance(kind, type) and issubclass(kind, PageError)):
        raise ValueError("no error of a page")
    raise kind(**told["details"])
