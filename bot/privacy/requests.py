"""When requests of people are due, for `saseo doctor`. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from bot.messages import Language
from bot.store.privacy import Request

WARN_DAYS = 3
"""Before one is due: of ten days, from the seventh on."""
_DAY = 86400.0


def due(waiting: Sequence[Request], now: float, language: Language) -> tuple[str, str]:
    """What was found, and what to do; nothing where there is time."""
    late = sum(one.due_at < now for one in waiting)
    soon = sum(now <= one.due_at < now + WARN_DAYS * _DAY for one in waiting)
    if language == "ko":
        found = f"처리를 기다리는 요청 {len(waiting)}건" if waiting else "기다리는 요청이 없습니다"
        parts = [f"기한이 지난 요청 {late}건"] if late else []
        parts += [f"기한이 {WARN_DAYS}일 안에 끝나는 요청 {soon}건"] if soon else []
        remedy = f"{', '.join(parts)}이 있습니다. `saseo privacy requests`로 확인하고 처리해 주십시오." if parts else ""
        return found, remedy
    found = f"{len(waiting)} requests wait" if waiting else "no request waits"
    parts = [f"{late} are late"] if late else []
    parts += [f"{soon} are due within {WARN_DAYS} days"] if soon else []
    return found, f"{', '.join(parts)}. See `saseo privacy requests`." if parts else ""
