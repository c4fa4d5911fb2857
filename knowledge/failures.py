"""Pages that could not be read the last time, and who may know of them: the ledger, looked at while an indexing run may be writing it."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from knowledge.errors import PageError, UnclearFrontMatter, UnreadablePage
from knowledge.ledger import Entry, read_entry
from knowledge.page import Audience
from knowledge.sources.base import SourceFile, to_page

NOBODY = Audience(frozenset([frozenset()]))
_KINDS_THAT_TELL_READERS = frozenset({"confluence", "export", "slack"})
"""Their pages may be narrower than the settings say, and a page that was never read told nobody how."""
_WAIT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class UnreadPage:
    """A page that is listed and could not be read. Times in seconds since the epoch; 0 where the ledger does not tell."""

    source: str
    page: str
    error: PageError
    audience: Audience
    """Whoever it does not admit must not be told the page's name, nor the error, which may repeat it."""
    count: int = 1
    """Times in a row."""
    since: float = 0.0
    retry_at: float = 0.0


def unread_pages(
    ledger: Path,
    kinds: Mapping[str, str],
    settings_audience: Callable[[str, str], Audience],
    served_audience: Callable[[str, str], Audience | None],
) -> list[UnreadPage]:
    """By source and path. `kinds`: of each configured source. `settings_audience`, `served_audience`: of (source, path), as far as the
    settings tell and as the serving edition has it (None: not at all).

    A ledger that is away or damaged says nothing: it only saves time, and the next run makes it anew.
    """
    try:
        with closing(sqlite3.connect(f"{ledger.absolute().as_uri()}?mode=ro", uri=True, timeout=_WAIT_SECONDS)) as db:
            rows = db.execute(
                "SELECT source, path, made_with, version, identity, document, head, failure FROM file"
                # Whoever says of its readers what cannot be understood was read, and failed all the same.
                " WHERE failure IS NOT NULL OR head LIKE '%\"audience\"%' ORDER BY source, path"
            ).fetchall()
    except sqlite3.Error:
        return []
    found = []
    for source, path, *rest in rows:
        if source in kinds:
            told = settings_audience(source, path)
            served = served_audience(source, path)
            one = _unread(source, path, read_entry(*rest), told if served is None else told.narrowed(served))
            if one is not None:
                never = served is None and kinds[source] in _KINDS_THAT_TELL_READERS
                found.append(dataclasses.replace(one, audience=NOBODY) if never else one)
    return found


def _unread(source: str, path: str, entry: Entry, audience: Audience) -> UnreadPage | None:
    """None: it was read. As much narrower than `audience` as it said of itself when it could be read."""
    failure = entry.failure
    if entry.known is not None:
        try:
            file = SourceFile(path, None, None, 0, bytes)
            audience = to_page(source, audience, file, entry.known.head).audience
        except UnreadablePage as error:
            return UnreadPage(source, path, error, NOBODY)
    if failure is None:
        return None
    if isinstance(failure.error, UnclearFrontMatter):
        audience = NOBODY
    return UnreadPage(source, path, failure.error, audience, failure.count, failure.since, failure.retry_at)


def failure_counts(ledger: Path) -> dict[str, int]:
    """By source: how many pages could not be read the last time. Cheap, and nothing where there is no ledger."""
    try:
        with closing(sqlite3.connect(f"{ledger.absolute().as_uri()}?mode=ro", uri=True, timeout=_WAIT_SECONDS)) as db:
            return dict(db.execute("SELECT source, count(*) FROM file WHERE failure IS NOT NULL GROUP BY source"))
    except sqlite3.Error:
        return {}
