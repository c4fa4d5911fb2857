"""What people decide about a gap. Each is one transaction with its line in the gap's history and in the audit log; `by` as there.

All raise UnknownGap. The audit log holds that it was done, not the words: names and drafts are written by people about people's questions.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection

from bot.errors import UnknownGap
from bot.gaps.gap import BESIDE, RESTS, Beside
from bot.store import audit, gaps

DAY = 86400.0
LONGEST_NAME = 80
LONGEST_DRAFT = 20_000


def close(connection: Connection, gap: str, *, by: str, now: float, origin: str = "") -> None:
    """It is none, or none that a page should fill. It stays closed whoever asks again."""
    _decide(connection, gap, "closed", by, now, origin, state="closed", snoozed_until=None)


def reopen(connection: Connection, gap: str, *, by: str, now: float, origin: str = "") -> None:
    """It is one after all."""
    _decide(
        connection, gap, "reopened", by, now, origin,
        state="open", snoozed_until=None, answered_source="", answered_page="",
    )  # fmt: skip


def snooze(connection: Connection, gap: str, days: float, *, by: str, now: float, origin: str = "") -> None:
    """Not now: it is open again after so many days."""
    until = now + days * DAY
    _decide(connection, gap, "snoozed", by, now, origin, {"days": days}, state="snoozed", snoozed_until=until)


def rename(connection: Connection, gap: str, name: str, *, by: str, now: float, origin: str = "") -> None:
    """A better name; empty: the one made from its questions again."""
    _decide(connection, gap, "named", by, now, origin, named=" ".join(name.split())[:LONGEST_NAME])


def assign(connection: Connection, gap: str, to: str, *, by: str, now: float, origin: str = "") -> None:
    """Who writes the page; empty: nobody."""
    _decide(connection, gap, "assigned", by, now, origin, assigned=" ".join(to.split())[:LONGEST_NAME])


def share(connection: Connection, gap: str, shared: bool, *, by: str, now: float, origin: str = "") -> None:
    """Show it to others than admins although few people asked, or no longer."""
    _decide(connection, gap, "shared" if shared else "unshared", by, now, origin, shared=shared)


def write(
    connection: Connection,
    gap: str,
    draft: str,
    *,
    by: str,
    now: float,
    origin: str = "",
    beside: Collection[Beside] | None = None,
    rests: Collection[tuple[str, str]] = (),
) -> None:
    """The draft as a person left it; empty: made from the questions again.

    `beside`: the pages that they saw, and that it may name; None: nobody knows, so all that are near the gap.
    `rests`: (source, page) of answers whose words they saw, as far as not everyone may read them.
    """
    text = draft.replace("\r\n", "\n").strip()[:LONGEST_DRAFT]
    noted: dict[str, Any] = {} if beside is None else {BESIDE: [asdict(page) for page in beside]}
    if rests:
        noted[RESTS] = [list(page) for page in sorted(rests)]
    _decide(connection, gap, "drafted", by, now, origin, {"characters": len(text)}, noted, draft=text)


def _decide(
    connection: Connection,
    gap: str,
    action: str,
    by: str,
    now: float,
    origin: str,
    detail: dict[str, Any] | None = None,
    noted: dict[str, Any] | None = None,
    **values: Any,
) -> None:
    """`noted`: for the gap's history only."""
    if not gaps.change(connection, gap, action, by=by, now=now, detail={**(detail or {}), **(noted or {})}, **values):
        raise UnknownGap(id=gap)
    audit.record(connection, by=by, action=f"gap.{action}", subject=gap, detail=detail, origin=origin, now=now)
