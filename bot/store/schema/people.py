"""Accounts of the console, the audit log, and people's rights."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Float, ForeignKey, Index, Integer, String, Table, Text, event

from bot.store.append_only import guard
from bot.store.schema.base import metadata

web_accounts = Table(
    "web_accounts",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("password", Text, nullable=False),  # Argon2id
    Column("role", String(8), nullable=False),  # viewer, reviewer, admin
    Column("groups", JSON, nullable=False),  # names: whose pages they may read
    Column("made_at", Float, nullable=False),
)

web_sessions = Table(
    "web_sessions",
    metadata,
    Column("token", String(64), primary_key=True),  # SHA-256 of the cookie's
    Column("account", String(64), ForeignKey("web_accounts.name", ondelete="CASCADE"), nullable=False),
    Column("csrf", String(64), nullable=False),
    Column("began_at", Float, nullable=False),
    Column("seen_at", Float, nullable=False),
    Index("web_sessions_of_account", "account"),
)

audit = Table(
    "audit",
    metadata,
    # Who did what to what, chained by hashes (bot/store/audit.py). Holds no texts; append-only by triggers (append_only.py).
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("at", Float, nullable=False),
    Column("by", String(128), nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("detail", Text, nullable=False),  # canonical JSON: the text itself is hashed
    Column("origin", String(255), nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("audit_by_action", "action", "id"),
    Index("audit_by_subject", "subject", "id"),
)
event.listen(audit, "after_create", lambda table, connection, **more: guard(connection))

tombstones = Table(
    "tombstones",
    metadata,
    # Who was erased up to when: what a restored backup brings back of them goes again.
    Column("person", String(128), primary_key=True),  # a pseudonym
    Column("at", Float, nullable=False),
)

privacy_people = Table(
    "privacy_people",
    metadata,
    Column("person", String(128), primary_key=True),  # a pseudonym
    Column("told_at", Float),  # they have read what is kept of them
    Column("suspended_at", Float),  # nothing of theirs is learnt from
)

privacy_requests = Table(
    "privacy_requests",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("person", String(128), nullable=False),  # a pseudonym
    Column("kind", String(8), nullable=False),  # export, forget, suspend
    Column("received_at", Float, nullable=False),
    Column("due_at", Float, nullable=False),
    Column("done_at", Float),
    Column("report", JSON, nullable=False),  # counts and hashes of what went; no texts
    Index("privacy_requests_open", "done_at", "due_at"),
    Index("privacy_requests_of_person", "person"),
)

exports = Table(
    "exports",
    metadata,
    # Files with people's words that were written for somebody: found again when one of those people is erased.
    Column("id", String(16), primary_key=True),
    Column("kind", String(16), nullable=False),  # feedback, privacy, gaps
    Column("path", Text, nullable=False),  # console:…: downloaded there (bot/store/privacy.py)
    Column("sha256", String(64), nullable=False),
    Column("examples", JSON, nullable=False),  # ids of what it holds: examples, or questions (gaps)
    Column("person", String(128), nullable=False, default=""),  # whose copy it is; a pseudonym
    Column("made_at", Float, nullable=False),
)
