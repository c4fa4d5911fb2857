"""What the running service knows besides: numbers of days, settings of places, facts, who holds what."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Float, Index, Integer, String, Table, Text

from bot.store.schema.base import metadata

day_numbers = Table(
    "day_numbers",
    metadata,
    # How many questions came and how they ended, of days that are over (bot/store/days.py). Names nobody and outlives its questions.
    Column("day", String(10), primary_key=True),  # 2026-11-26, in the installation's time zone
    Column("platform", String(32), primary_key=True),  # empty: everywhere together
    Column("place", String(64), primary_key=True),  # as in questions
    Column("begins", Float, nullable=False),
    Column("ends", Float, nullable=False),
    *(Column(name, Integer, nullable=False) for name in ("questions", "answered", "abstained", "escalated", "failed")),
    *(Column(name, BigInteger, nullable=False) for name in ("tokens_read", "tokens_written")),
    Column("cost_krw", Float, nullable=False),
    *(Column(name, JSON, nullable=False) for name in ("first_token", "total_seconds")),  # {bucket: how many}
    Index("day_numbers_by_span", "begins", "ends"),
)

places = Table(
    "places",
    metadata,
    Column("platform", String(32), primary_key=True),
    Column("place", String(64), primary_key=True),
    Column("changes", JSON, nullable=False),  # what an admin changed from chat, over config.toml
    Column("changed_by", String(128), nullable=False),
    Column("changed_at", Float, nullable=False),
)

facts = Table(
    "facts",
    metadata,
    Column("key", String(255), primary_key=True),
    Column("value", Text, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("until", Float, nullable=False),
)
