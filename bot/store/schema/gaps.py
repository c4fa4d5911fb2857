"""What the wiki does not say, and the weekly report of it."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from bot.store.schema.base import Words, metadata

gaps = Table(
    "gaps",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("state", String(8), nullable=False),  # open → snoozed, closed (by a person), answered (by a page)
    Column("name", Words, nullable=False, default=""),  # made from its questions anew at each run
    Column("named", Words, nullable=False, default=""),  # by a person; goes before `name`
    Column("open_name", Words, nullable=False, default=""),  # of words that several people used in the open
    Column("assigned", String(128), nullable=False, default=""),
    Column("draft", Words, nullable=False, default=""),  # as a person left it; empty: made from its questions
    Column("shared", Boolean, nullable=False, default=False),  # an admin showed it to everyone
    Column("nearest", JSON, nullable=False),  # [{source, page, title, heading, url, closeness, audience}, …]
    Column("numbers", JSON, nullable=False, default=dict, server_default="{}"),  # of its questions, as of the last run
    Column("snoozed_until", Float),
    Column("answered_source", String(64), nullable=False, default=""),
    Column("answered_page", Text, nullable=False, default=""),
    Column("asked_edition", String(64), nullable=False, default=""),  # where they were last asked again
    Column("made_at", Float, nullable=False),
    Column("changed_at", Float, nullable=False),
    Index("gaps_by_state", "state"),
)
"""Topics that people ask about and the wiki does not answer."""

gap_questions = Table(
    "gap_questions",
    metadata,
    Column("question", String(12), ForeignKey("questions.id", ondelete="CASCADE"), primary_key=True),
    Column("gap", String(12), ForeignKey("gaps.id", ondelete="CASCADE"), nullable=False),
    Column("reason", String(9), nullable=False),  # abstained, down, escalated
    Column("asked_at", Float, nullable=False),
    Column("typical", Float, nullable=False, default=0.0),  # how near to the others of its gap, 0..1
    Column("vector", LargeBinary),  # little-endian float32, by `embedder`
    Column("embedder", Text, nullable=False, default=""),
    Index("gap_questions_of", "gap", "asked_at"),
)

gap_events = Table(
    "gap_events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("gap", String(12), ForeignKey("gaps.id", ondelete="CASCADE"), nullable=False),
    Column("action", String(16), nullable=False),  # made, grew, named, closed, snoozed, reopened, answered, asked, …
    Column("by", String(128), nullable=False),  # auto: a job
    Column("detail", JSON, nullable=False),  # numbers, page, edition; nobody's words
    Column("at", Float, nullable=False),
    Index("gap_events_of", "gap", "id"),
)

digests = Table(
    "digests",
    metadata,
    Column("week", String(8), primary_key=True),  # ISO: 2026-W47
    Column("platform", String(32), primary_key=True),
    Column("place", String(64), primary_key=True),
    Column("state", String(8), nullable=False),  # claimed → posted
    Column("owner", String(64), nullable=False),
    Column("until", Float, nullable=False),  # of the claim
    Column("attempt", Integer, nullable=False),
    Column("message", String(255), nullable=False, default=""),  # the platform's reference
    Column("claimed_at", Float, nullable=False),  # first
    Column("posted_at", Float),
)
"""The weekly report: each once per place, also over restarts."""
