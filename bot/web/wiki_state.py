"""How the wiki stands: its sources with their runs, which pages could not be read. Read by the page 위키."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.job_book import JobBook
from bot.store import job_history
from knowledge.failures import UnreadPage, unread_pages
from knowledge.page import Audience
from knowledge.sources.narrowed import FolderAudience
from knowledge.sources.patterns import Patterns

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bot.store.job_rows import Run
    from knowledge.edition import Edition

_RUNS = 100
"""That are looked through for the last one of each source."""


@dataclass(frozen=True, slots=True)
class KnownSource:
    """A source of the settings."""

    name: str
    kind: str
    audience: Audience
    folders: tuple[FolderAudience, ...] = ()

    def audience_of(self, path: str) -> Audience:
        """Who may read a page, as far as the settings tell."""
        audience = self.audience
        for rule in self.folders:
            if Patterns(rule.pages).match(path):
                audience = audience.narrowed(rule.audience)
        return audience


@dataclass(frozen=True, slots=True)
class Reading:
    """How one source is read: runs and times."""

    job: str
    """That reads it by itself, or the one that reads all."""
    last: Run | None
    """The last run that read it and was begun."""
    active: Run | None
    """One that waits or runs."""
    next_at: float | None


@dataclass(frozen=True, slots=True)
class EditionFacts:
    """Of one edition, by one look through its passages."""

    name: str
    passages: Counter[str]
    """By source."""
    audiences: dict[tuple[str, str], Audience]
    """Of each (source, page): whom all of its passages admit."""
    groups: tuple[str, ...]
    """That some page is for."""


def reads(book: JobBook, run: Run, source: str) -> bool:
    """Whether a run reads this source."""
    everything = book.reading()[0]
    if run.job != everything:
        return run.job == book.reading(source)[0]
    named = run.arguments.get("sources")
    return not named or source in named


def readings(
    connection: Connection, book: JobBook, sources: Sequence[KnownSource], *, now: float
) -> dict[str, Reading]:
    """By source."""
    everything = book.reading()[0]
    stands = job_history.now_of(connection, [])
    times = book.next_times(connection, now=now)
    ran = job_history.last_of(connection, book.jobs[everything].group, _RUNS)
    found = {}
    for source in sources:
        job = book.reading(source.name)[0]
        active = [run for run in stands.active if run.job in (job, everything) and reads(book, run, source.name)]
        due = [times[name] for name in {job, everything} if name in times and name not in stands.paused]
        mine = [run for run in ran if reads(book, run, source.name)]
        found[source.name] = Reading(
            job=job,
            last=mine[0] if mine else None,
            active=next((run for run in active if run.state == "running"), active[0] if active else None),
            next_at=min(due, default=None),
        )
    return found


class WikiState:
    """Keeps what costs a look through everything for as long as it stays true."""

    def __init__(self, sources: Sequence[KnownSource], ledger: Path) -> None:
        """`ledger`: of the indexing runs (knowledge/ledger.py)."""
        self.sources = tuple(sources)
        self._ledger = ledger
        self._facts: EditionFacts | None = None
        self._looking = asyncio.Lock()
        self._unread: tuple[object, list[UnreadPage]] | None = None

    async def facts(self, edition: Edition) -> EditionFacts:
        """Of the edition that answers; made once for each, on another thread."""
        async with self._looking:  # who comes meanwhile waits for the one look
            if self._facts is None or self._facts.name != edition.manifest.edition:
                self._facts = await asyncio.to_thread(_facts_of, edition)
            return self._facts

    async def unread(self, facts: EditionFacts) -> list[UnreadPage]:
        """Pages that could not be read the last time, whoever may know of them. `facts`: of the edition that answers."""
        return await asyncio.to_thread(self._unread_now, facts)

    def _unread_now(self, facts: EditionFacts) -> list[UnreadPage]:
        stamp = (facts.name, *_stamp(self._ledger))
        if self._unread is None or self._unread[0] != stamp:
            named = {source.name: source for source in self.sources}
            found = unread_pages(
                self._ledger,
                {name: source.kind for name, source in named.items()},
                lambda source, path: named[source].audience_of(path),
                lambda source, path: facts.audiences.get((source, path)),
            )
            self._unread = (stamp, found)
        return self._unread[1]


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)


def _facts_of(edition: Edition) -> EditionFacts:
    passages: Counter[str] = Counter()
    audiences: dict[tuple[str, str], Audience] = {}
    for passage in edition.passages:
        passages[passage.source] += 1
        page = (passage.source, passage.page)
        known = audiences.get(page)
        if known is None:
            audiences[page] = passage.audience
        elif known != passage.audience:
            audiences[page] = known.narrowed(passage.audience)
    groups = {group for audience in set(audiences.values()) for clause in audience.clauses for group in clause}
    return EditionFacts(edition.manifest.edition, passages, audiences, tuple(sorted(groups)))
