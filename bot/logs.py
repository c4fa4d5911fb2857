"""Structured logs: one JSON object per line on standard error, with time, level and logger; while a question is on its way, with its id.

Of an exception the kind and the way are told, never its words: they may quote a question, a page, or an address with a token.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

_MOST_FRAMES = 12


class _Subject:
    """What lines are about. One object is shared with the tasks that are started meanwhile, so that it can become known later."""

    __slots__ = ("question",)

    def __init__(self, question: str) -> None:
        self.question = question


_SUBJECT: ContextVar[_Subject | None] = ContextVar("subject", default=None)


@contextmanager
def about(question: str = "") -> Iterator[None]:
    """Every line inside carries the question's id as `question`, also those of libraries and of tasks that are started inside.

    Threads take over the context where it is handed to them (`contextvars.copy_context`). Empty: until `is_about` says it.
    """
    before = _SUBJECT.set(_Subject(question))
    try:
        yield
    finally:
        _SUBJECT.reset(before)


def is_about(question: str) -> None:
    """The id of what the `about` around this is about; nothing happens outside of one."""
    subject = _SUBJECT.get()
    if subject is not None:
        subject.question = question


class JsonLines(logging.Formatter):
    """Our own events are JSON already (their message is an object); everything else becomes `{"message": …}`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        message = record.getMessage()
        try:
            fields = json.loads(message)
        except ValueError:
            fields = None
        line: dict[str, object] = {"time": _written(record.created), "level": record.levelname, "logger": record.name}
        line |= fields if isinstance(fields, dict) else {"message": message}
        subject = _SUBJECT.get()
        if subject is not None and subject.question:
            line.setdefault("question", subject.question)
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = _way(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)


def moment(written: object) -> float | None:
    """A line's `time` in seconds since the epoch, also one of before, without an offset: of this machine. None: it is no time."""
    try:
        return datetime.fromisoformat(str(written)).astimezone().timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _written(at: float) -> str:
    """In this machine's time, with its offset: whoever reads it may be elsewhere."""
    return datetime.fromtimestamp(at).astimezone().isoformat(sep=" ", timespec="milliseconds")


def _way(error: BaseException | None) -> list[str]:
    """Kinds and frames, outermost exception first."""
    lines: list[str] = []
    told: set[int] = set()
    while error is not None and id(error) not in told:
        told.add(id(error))
        lines.append(type(error).__qualname__)
        lines += [
            f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)[-_MOST_FRAMES:]
        ]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return lines


def configure(level: str) -> None:
    """Send everything from `level` up to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    handler.setLevel(level)  # some libraries set their own loggers to DEBUG when imported
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("apscheduler", "faiss", "httpx", "httpcore", "sentence_transformers", "urllib3"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))
