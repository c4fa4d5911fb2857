"""The end of a run's log, for a page: bounded, and whatever stands in it is text."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from bot.logs import moment

_MOST_BYTES = 64 * 1024
_MOST_LINES = 200
_LONGEST = 500
"""Characters of a value."""


@dataclass(frozen=True, slots=True)
class Line:
    """One event. `at`: seconds since the epoch; None: the line does not say."""

    at: float | None
    level: str
    event: str
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Log:
    """`whole`: nothing before these lines was left out."""

    lines: tuple[Line, ...]
    whole: bool


def tail(path: Path) -> Log | None:
    """The last lines; None: there is no such file here. Whoever writes it goes on meanwhile."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            start = max(0, size - _MOST_BYTES)
            file.seek(start)
            raw = file.read(_MOST_BYTES)
    except OSError:
        return None
    lines = raw.decode("utf-8", "replace").splitlines()
    if start:
        lines = lines[1:]  # its beginning was cut off
    return Log(tuple(_line(one) for one in lines[-_MOST_LINES:]), not start and len(lines) <= _MOST_LINES)


def _line(raw: str) -> Line:
    try:
        fields = json.loads(raw)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        return Line(None, "", raw[:_LONGEST], ())
    at = moment(fields.pop("time", None))
    level, event = str(fields.pop("level", "")), fields.pop("event", None)
    if event is None:
        event = fields.pop("message", "")
    fields.pop("logger", None)
    rest = tuple((str(key), _text(value)) for key, value in fields.items() if value not in ("", None, [], {}))
    return Line(at, level, _text(event), rest)


def _text(value: object) -> str:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        text = "\n".join(value)
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
