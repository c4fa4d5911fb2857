"""Gaps for other programs: JSON, CSV for spreadsheets, Markdown for people."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from sqlalchemy import Connection

from bot.gaps import texts
from bot.gaps.detail import Detail
from bot.gaps.drafting import draft_of
from bot.gaps.gap import Gap
from bot.messages import Language
from bot.spreadsheet import cell
from bot.store import audit, privacy
from bot.store import gaps as rows

Format = Literal["md", "csv", "json"]
FORMATS: tuple[Format, ...] = get_args(Format)
_COLUMNS = (
    "id",
    "name",
    "state",
    "questions",
    "people",
    "recent_people",
    "first",
    "newest",
    "weeks",
    "nearest",
    "assigned",
    "example",
)


def as_json(gap: Gap) -> dict[str, object]:
    """One gap of a list for scripts. Times as ISO 8601 in UTC."""
    return {
        "id": gap.id,
        "name": gap.title,
        "state": gap.state,
        "questions": gap.count,
        "people": gap.people,
        "recent_people": gap.recent_people,
        "private": gap.private,
        "reasons": dict(gap.reasons),
        "weeks": list(gap.weeks),
        "first": _day(gap.made_at),
        "newest": _day(gap.newest_at),
        "snoozed_until": _day(gap.snoozed_until),
        "assigned": gap.assigned,
        "shared": gap.shared,
        "answered_by": {"source": gap.answered_source, "page": gap.answered_page} if gap.answered_page else None,
        "nearest": [
            {"source": one.source, "page": one.page, "title": one.title, "heading": one.heading, "url": one.url, "closeness": one.closeness}
            for one in gap.nearest
        ],
    }  # fmt: skip


def detail_as_json(detail: Detail, language: Language) -> dict[str, object]:
    """One gap with everything."""
    return {
        **as_json(detail.gap),
        "typical": [
            {"text": one.text, "reason": one.reason, "asked": _day(one.asked_at), "times": one.times}
            for one in detail.questions
        ],
        "hidden": detail.hidden,
        "more": detail.more,
        "helpers": [
            {"platform": one.platform, "contacts": list(one.contacts), "resolution": one.resolution}
            for one in detail.helpers
        ],
        "history": [
            {"action": one.action, "by": one.by, "at": _day(one.at), "detail": dict(one.detail)}
            for one in detail.history
        ],
        "draft": draft_of(detail, language),
    }


def as_csv(details: Sequence[Detail], language: Language) -> str:
    """One row per gap, with a byte order mark so that Excel reads Korean. No cell can be a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for detail in details:
        gap = detail.gap
        writer.writerow(
            cell(value)
            for value in (
                gap.id,
                texts.title(gap.title, gap.id, language),
                texts.state(gap.state, language),
                gap.count,
                gap.people,
                gap.recent_people,
                _day(gap.made_at),
                _day(gap.newest_at) or "",
                " ".join(str(week) for week in gap.weeks),
                "; ".join(one.title for one in gap.nearest),
                gap.assigned,
                detail.questions[0].text if detail.questions else "",
            )
        )
    return "\ufeff" + out.getvalue()


def as_markdown(details: Sequence[Detail], language: Language) -> str:
    """The drafts one below the other, each with its numbers."""
    parts = []
    for detail in details:
        gap = detail.gap
        numbers = f"`{gap.id}` · {texts.state(gap.state, language)} · {counts(gap, language)}"
        parts.append(f"{numbers}\n\n{draft_of(detail, language)}")
    return "\n---\n\n".join(parts)


def counts(gap: Gap, language: Language) -> str:
    """How often and by how many."""
    if language == "en":
        return f"{gap.count} questions, {gap.people} people"
    return f"질문 {gap.count}건, {gap.people}명"


def write(details: Sequence[Detail], form: Format, language: Language) -> str:
    """A file's text."""
    if form == "csv":
        return as_csv(details, language)
    if form == "md":
        return as_markdown(details, language)
    import json

    every = [detail_as_json(one, language) for one in details]
    return json.dumps(every, ensure_ascii=False, indent=2) + "\n"


def held(connection: Connection, gaps: Sequence[str]) -> list[str]:
    """Ids of the questions whose words a file of these gaps may hold."""
    return [one.id for gap in gaps for one in rows.of(connection, gap)]


def note(
    connection: Connection,
    path: str,
    sha256: str,
    held: Sequence[str],
    *,
    by: str,
    detail: Mapping[str, object],
    now: float,
    origin: str = "",
) -> None:
    """On record, and to be found again when somebody whose words are in it is erased. `path`: see `bot.store.privacy.exported`."""
    privacy.exported(connection, "gaps", path, sha256, holds=held, now=now)
    more = {**detail, "sha256": sha256}
    audit.record(connection, by=by, action="gap.export", detail=more, origin=origin, now=now)


def _day(at: float | None) -> str | None:
    return None if at is None else dt.datetime.fromtimestamp(at, dt.UTC).isoformat(timespec="seconds")
