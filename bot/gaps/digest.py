"""The weekly report: numbers, gaps with their trend, what pages answer now. Only what everyone in the place may know.

Of a question nothing is told but the name of its gap: one that a person gave, or one of words that several people used where others read
along (`open_name`). Titles of pages only if the place may read them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from bot.conversation import Announcement
from bot.gaps import digest_texts as texts
from bot.gaps.gap import Gap
from bot.messages import Language, Outcome
from bot.store import digests, gap_numbers, gaps
from bot.store.digests import Numbers
from knowledge.page import reader_of

WEEK = 7 * 86400.0


@dataclass(frozen=True, slots=True)
class DigestOptions:
    """`[gaps]` and `[web]` as the report wants them. `url`: of the gaps in the console; empty: no link."""

    language: Language = "ko"
    people: int = 2
    most: int = 5
    names: bool = True
    """False: not even names are told (`[web] texts = "none"`)."""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days, and the seven before."""

    until: float
    """Seconds since the epoch."""
    now: Numbers
    before: Numbers
    open: Sequence[Gap]
    """Heaviest first."""
    answered: Sequence[Gap]


def collect(connection: Connection, *, now: float) -> Week:
    """What the report is made of."""
    closed = digests.answered_gaps(connection, since=now - WEEK, until=now)
    gap_numbers.recount(connection, now=now)  # the trend is that of this week, not of the last run's
    every = gaps.every(connection)
    return Week(
        until=now,
        now=digests.numbers(connection, since=now - WEEK, until=now),
        before=digests.numbers(connection, since=now - 2 * WEEK, until=now - WEEK),
        open=[one for one in every if one.state == "open"],
        answered=[one for one in every if one.state == "answered" and one.id in closed],
    )


def week_of(now: float, zone: dt.tzinfo) -> str:
    """ISO: `2026-W47`. Each place gets one report in each."""
    year, week, _ = dt.datetime.fromtimestamp(now, zone).isocalendar()
    return f"{year}-W{week:02}"


def compose(week: Week, options: DigestOptions, groups: frozenset[str], zone: dt.tzinfo) -> Announcement:
    """`groups`: those that everyone in the place shares."""
    language, reader = options.language, reader_of(groups)
    last = dt.datetime.fromtimestamp(week.until, zone).date() - dt.timedelta(days=1)
    first = dt.datetime.fromtimestamp(week.until - WEEK, zone).date()
    lines = [texts.head(first, max(first, last), language), ""]
    lines += [f"- {line}" for line in _numbers(week, language)]
    told = [one for one in week.open if one.shown_to_all(options.people)][: options.most]
    if options.most:
        lines += ["", f"**{texts.say(texts.GAPS, language)}**", ""]
        lines += [f"{n}. {_gap(one, options, reader)}" for n, one in enumerate(told, start=1)]
        if not told:
            lines.append(texts.say(texts.NO_GAPS, language))
    closed = [one for one in week.answered if one.shown_to_all(options.people)]
    if closed:
        lines += ["", f"**{texts.say(texts.CLOSED, language)}**", ""]
        lines += [f"- {texts.closed(_name(one, options), _answering(one, reader), language)}" for one in closed]
    return Announcement(
        mark=texts.mark(week_of(week.until, zone), language),
        text="\n".join(lines),
        label=texts.say(texts.LINK, language) if options.url else "",
        url=options.url,
    )


def _numbers(week: Week, language: Language) -> list[str]:
    now, before = week.now, week.before
    if not now.questions:
        return [texts.say(texts.QUIET, language)]
    declined, escalated = (now.outcomes.get(one.value, 0) for one in (Outcome.ABSTAINED, Outcome.ESCALATED))
    return [
        texts.asked(now.questions, now.people, before.questions, language),
        texts.answered(now.answered_share, before.answered_share, declined, escalated, language),
        texts.thumbs(now.up, now.down),
    ]


def _gap(gap: Gap, options: DigestOptions, reader: frozenset[str]) -> str:
    line = texts.gap(_name(gap, options), gap.people, gap.count, gap.weeks[-1], gap.weeks[-2], options.language)
    near = next((page.title for page in gap.nearest if page.open_to(reader)), "")
    return line + (texts.near(_line(near), options.language) if near else "")


def _name(gap: Gap, options: DigestOptions) -> str:
    name = (gap.named or gap.open_name) if options.names else ""
    return _line(name) or f"{texts.say(texts.HIDDEN, options.language)} ({gap.id[:4]})"


def _answering(gap: Gap, reader: frozenset[str]) -> str:
    """Title of the page that answers it, if it stands among the nearest and may be told."""
    here = (gap.answered_source, gap.answered_page)
    return next((_line(p.title) for p in gap.nearest if (p.source, p.page) == here and p.open_to(reader)), "")


def _line(text: str) -> str:
    return " ".join(text.split())
