"""The words of the weekly report. Korean first, English beside it."""

from __future__ import annotations

import datetime as dt

from bot.gaps.texts import pick
from bot.messages import Language

LINK = ("콘솔에서 빈틈 보기", "See the gaps in the console")
GAPS = ("자주 물었지만 위키가 답하지 못한 내용", "Often asked, and not answered by the wiki")
CLOSED = ("이번 주에 문서가 답하게 된 내용", "Answered by a page since")
NO_GAPS = (
    "여러 사람이 물었는데 답하지 못한 내용이 없습니다.",
    "Nothing that several people asked stayed without an answer.",
)
HIDDEN = ("비공개로 물은 주제", "A topic asked in private")
QUIET = ("이번 주에는 질문이 없었습니다.", "Nobody asked anything this week.")


def head(first: dt.date, last: dt.date, language: Language) -> str:
    """What this is, and of which days."""
    if language == "en":
        return f"**Saseo: the week** ({first:%b} {first.day} to {last:%b} {last.day})"
    return f"**사서 주간 보고** ({first.month}월 {first.day}일 ~ {last.month}월 {last.day}일)"


def asked(questions: int, people: int, before: int, language: Language) -> str:
    """How much was asked."""
    if language == "en":
        return f"{questions} questions from {people} people (the week before: {before})"
    return f"질문 {questions}건, {people}명 (지난주 {before}건)"


def answered(share: float | None, before: float | None, declined: int, escalated: int, language: Language) -> str:
    """How it went."""
    if language == "en":
        earlier = f" (the week before: {_percent(before)})" if before is not None else ""
        return f"Answered: {_percent(share)}{earlier}, declined {declined}, escalated {escalated}"
    earlier = f" (지난주 {_percent(before)})" if before is not None else ""
    return f"답변 {_percent(share)}{earlier}, 답하지 못함 {declined}건, 담당자 호출 {escalated}건"


def thumbs(up: int, down: int) -> str:
    """The same in both languages."""
    return f"👍 {up} · 👎 {down}"


def gap(name: str, people: int, count: int, now: int, before: int, language: Language) -> str:
    """One of them with its trend."""
    mark = "↑" if now > before else ("↓" if now < before else "→")
    if language == "en":
        return f"{name}: {people} people, {count} questions (week: {before} {mark} {now})"
    return f"{name}: {people}명, {count}건 (지난주 {before}건 {mark} 이번 주 {now}건)"


def near(title: str, language: Language) -> str:
    """The page that comes closest."""
    return f" · nearest page: {title}" if language == "en" else f" · 가까운 문서: {title}"


def closed(name: str, title: str, language: Language) -> str:
    """A gap that a page answers now; `title` empty where it may not be told."""
    if not title:
        return name
    return f"{name}: answered by “{title}”" if language == "en" else f"{name}: 「{title}」 문서가 답합니다"


def mark(week: str, language: Language) -> str:
    """Stands below the report, and finds it again."""
    return f"Saseo weekly {week}" if language == "en" else f"사서 주간 보고 {week}"


def say(pair: tuple[str, str], language: Language) -> str:
    """One of the constants above."""
    return pick(pair, language)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f}%"
