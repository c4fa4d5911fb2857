"""Every table, in a file for each subject. Times are seconds since the epoch (UTC); ids are ours unless the name says whose.

`texts` of people and answers stand in `questions` and `answers` only; `questions.reply_to` may hold a platform's short-lived
token and is emptied as soon as the answer is delivered.
"""

from __future__ import annotations

from bot.store.schema.base import VERSION, Words, metadata
from bot.store.schema.conversations import (
    answers,
    claims,
    escalations,
    questions,
    shown_at,
    traces,
    vote_changes,
    votes,
)
from bot.store.schema.gaps import digests, gap_events, gap_questions, gaps
from bot.store.schema.learning import (
    evaluations,
    example_changes,
    example_origins,
    example_people,
    examples,
    lora_examples,
    loras,
    releases,
)
from bot.store.schema.people import (
    audit,
    exports,
    privacy_people,
    privacy_requests,
    tombstones,
    web_accounts,
    web_sessions,
)
from bot.store.schema.service import day_numbers, facts, leases, places
from bot.store.schema.work import job_runs, job_switches

__all__ = [
    "VERSION",
    "Words",
    "answers",
    "audit",
    "claims",
    "day_numbers",
    "digests",
    "escalations",
    "evaluations",
    "example_changes",
    "example_origins",
    "example_people",
    "examples",
    "exports",
    "facts",
    "gap_events",
    "gap_questions",
    "gaps",
    "job_runs",
    "job_switches",
    "leases",
    "lora_examples",
    "loras",
    "metadata",
    "places",
    "privacy_people",
    "privacy_requests",
    "questions",
    "releases",
    "shown_at",
    "tombstones",
    "traces",
    "vote_changes",
    "votes",
    "web_accounts",
    "web_sessions",
]
