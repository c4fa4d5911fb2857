"""Runs of jobs, and which jobs are paused."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, Index, Integer, String, Table, Text

from bot.store.schema.base import metadata

job_runs = Table(
    "job_runs",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("job", String(32), nullable=False),
    Column("state", String(8), nullable=False),  # due → running → done, failed, stopped, missed
    Column("asked_by", String(128), nullable=False),  # clock, or who asked
    Column("due_at", Float, nullable=False),
    Column("started_at", Float),
    Column("ended_at", Float),
    Column("owner", String(64), nullable=False, default=""),  # the process that runs it
    # Running: its lease, renewed by a heartbeat. Stopped: from when on any runner may go on with it; NULL: only once it is asked for.
    Column("until", Float),
    Column("attempt", Integer, nullable=False, default=0),  # counts the starts: with `owner` it fences
    Column("arguments", JSON, nullable=False),
    Column("progress", JSON, nullable=False),  # done, total, message; deaths, errors: `Run` has them
    Column("result", JSON, nullable=False),
    Column("error", Text, nullable=False, default=""),
    Index("job_runs_of_job", "job", "due_at"),
    Index("job_runs_by_state", "state"),
)
"""What ran, runs and is due: the truth about jobs. The clock (APScheduler) only adds rows in state `due`."""

job_switches = Table(
    "job_switches",
    metadata,
    Column("job", String(32), primary_key=True),
    Column("paused", Boolean, nullable=False),
    Column("by", String(128), nullable=False),
    Column("at", Float, nullable=False),
)
