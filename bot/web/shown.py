"""How values are written on pages: times, durations, numbers, shares. Pure functions of the language and the time zone."""

from __future__ import annotations

from datetime import datetime, tzinfo

from bot.messages import Language
from bot.web.texts import Texts

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0


def moment(at: float | None, zone: tzinfo, language: Language) -> str:
    """`2026. 11. 26. 17:05` or `26 Nov 2026 17:05`; a dash for None. `at`: seconds since the epoch."""
    if at is None:
        return "–"
    when = datetime.fromtimestamp(at, zone)
    if language == "ko":
        return f"{when.year}. {when.month}. {when.day}. {when:%H:%M}"
    return f"{when.day} {when:%b %Y %H:%M}"


def iso(at: float, zone: tzinfo) -> str:
    """For `<time datetime>`."""
    return datetime.fromtimestamp(at, zone).isoformat(timespec="seconds")


def ago(at: float | None, now: float, texts: Texts, language: Language) -> str:
    """How long before (or after) now, in the largest unit that fits; a dash for None."""
    if at is None:
        return "–"
    away = abs(now - at)
    side = "ago" if at <= now else "in"
    if away < _MINUTE:
        return texts(f"{side}.now", language)
    if away < _HOUR:
        return texts(f"{side}.minutes", language, n=int(away // _MINUTE))
    if away < 2 * _DAY:
        return texts(f"{side}.hours", language, n=int(away // _HOUR))
    return texts(f"{side}.days", language, n=int(away // _DAY))


def duration(seconds: float | None, texts: Texts, language: Language) -> str:
    """`820밀리초`, `4.1초`, `3분`, `2.5시간`; a dash for None."""
    if seconds is None:
        return "–"
    if seconds < 1:
        return texts("milliseconds", language, n=round(seconds * 1000))
    if seconds < 2 * _MINUTE:
        return texts("seconds", language, n=f"{seconds:.1f}")
    if seconds < 2 * _HOUR:
        return texts("minutes", language, n=round(seconds / _MINUTE))
    return texts("hours", language, n=f"{seconds / _HOUR:.1f}")


def number(value: float | None, digits: int = 0) -> str:
    """`12,345`; a dash for None."""
    return "–" if value is None else f"{value:,.{digits}f}"


def share(value: float | None, digits: int = 0) -> str:
    """0.153 → `15%`; a dash for None."""
    return "–" if value is None else f"{100 * value:.{digits}f}%"


def size(count: float | None) -> str:
    """Bytes in the largest binary unit; a dash for None."""
    if count is None:
        return "–"
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:,.0f} {unit}"
        count /= 1024
    return f"{count:,.1f} GiB"
