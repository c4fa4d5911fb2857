"""All that rows hold of one person: to be shown to them, counted, searched for in files, and erased. People are pseudonyms here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, false, or_, select

from bot.store.schema import (
    answers,
    audit,
    claims,
    escalations,
    example_changes,
    example_origins,
    example_people,
    examples,
    exports,
    gap_questions,
    lora_examples,
    privacy_people,
    privacy_requests,
    questions,
    traces,
    vote_changes,
    votes,
)

_BATCH = 500
"""SQLite takes a limited number of parameters."""


@dataclass(frozen=True, slots=True)
class Personal:
    """Rows by their table, as dictionaries. `others`: ids of other people's questions whose answers leaned on this person's."""

    person: str
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    others: tuple[str, ...] = ()

    def ids(self, table: str, column: str = "id") -> list[str]:
        """Of one table's rows, sorted, each once."""
        return sorted({str(row[column]) for row in self.tables.get(table, [])})

    def count(self, table: str) -> int:
        """How many rows."""
        return len(self.tables.get(table, []))

    @property
    def empty(self) -> bool:
        """Nothing is kept of them but what they wish and asked for."""
        return not any(rows for name, rows in self.tables.items() if not name.startswith("privacy_"))

    def digests(self) -> dict[str, str]:
        """Table → SHA-256 over its rows: what was there, without saying it."""
        return {name: digest(rows) for name, rows in self.tables.items() if rows}

    def texts(self) -> set[str]:
        """Every text of theirs, and those that were written for them."""
        found: set[str] = set()
        for row in self.tables.get("questions", []):
            found.add(row["text"])
        for row in self.tables.get("answers", []):
            found |= {row["answer"].get("text", ""), row["answer"].get("condensed", "")}
        for row in self.tables.get("votes", []):
            found |= {row["reason"], row["correction"]}
        for row in self.tables.get("escalations", []):
            found.add(row["resolution"])
        for row in self.tables.get("examples", []):
            found |= {row["question"], row["condensed"], row["answer"], row["rejected"]}
        return {text for text in found if text.strip()}


def of_person(connection: Connection, person: str, *, before: float | None = None) -> Personal:
    """Everything. `before`: only what was asked and said up to then."""

    def until(column: ColumnElement[Any]) -> list[ColumnElement[bool]]:
        return [] if before is None else [column <= before]

    q = _rows(connection, questions, questions.c.person == person, *until(questions.c.asked_at))
    asked = [row["id"] for row in q]
    a = _among(connection, answers, answers.c.question, asked)
    given = [row["id"] for row in a]
    v = _rows(connection, votes, votes.c.person == person, *until(votes.c.voted_at))
    stood = connection.execute(select(example_people.c.example).where(example_people.c.person == person)).scalars()
    theirs = connection.execute(select(examples.c.id).where(examples.c.asker == person)).scalars()
    e = [
        row
        for row in _among(connection, examples, examples.c.id, sorted({*stood, *theirs}))
        if before is None or row["made_at"] <= before
    ]
    others = _leaning(connection, person, q)
    seen = {row["id"] for row in e}
    e += [row for row in _leant(connection, others) if row["id"] not in seen]
    ids = [row["id"] for row in e]
    said = _rows(connection, escalations, escalations.c.resolved_by == person)
    helped = _among(connection, answers, answers.c.id, [row["answer"] for row in said])
    written = {*ids, *asked, *others, *(row["question"] for row in helped)}
    called = or_(escalations.c.called_by == person, escalations.c.resolved_by == person)
    tables: dict[str, list[dict[str, Any]]] = {
        "questions": q,
        "claims": _among(connection, claims, claims.c.question, asked),
        "answers": a,
        "traces": _among(connection, traces, traces.c.question, asked),
        "gap_questions": _among(connection, gap_questions, gap_questions.c.question, asked),
        "votes": v,
        "vote_changes": _rows(connection, vote_changes, vote_changes.c.person == person, *until(vote_changes.c.at)),
        "votes_of_others": [row for row in _among(connection, votes, votes.c.answer, given) if row["person"] != person],
        "escalations": _rows(connection, escalations, called, *until(escalations.c.called_at)),
        "examples": e,
        "example_changes": _among(connection, example_changes, example_changes.c.example, ids),
        "lora_examples": _among(connection, lora_examples, lora_examples.c.example, ids),
        "exports": [
            row
            for row in _rows(connection, exports)
            if row["person"] == person or not written.isdisjoint(row["examples"])
        ],
        "privacy_people": _rows(connection, privacy_people, privacy_people.c.person == person),
        "privacy_requests": _rows(connection, privacy_requests, privacy_requests.c.person == person),
    }
    return Personal(person, tables, tuple(others))


def on_record(connection: Connection, names: Collection[str], account: str = "") -> list[dict[str, Any]]:
    """What the audit says of them: who looked at or did what. `names`: however it names them; `account`: of theirs in the console."""
    listed = sorted(names)
    of_account = and_(
        audit.c.subject == account, audit.c.action.startswith("account.") | (audit.c.action == "login.failed")
    )
    found = or_(audit.c.subject.in_(listed), audit.c.by.in_(listed), of_account if account else false())
    return _rows(connection, audit, found)


def digest(rows: Iterable[dict[str, Any]]) -> str:
    """SHA-256 over rows, whatever their order."""
    lines = sorted(json.dumps(row, sort_keys=True, ensure_ascii=False, default=_plain) for row in rows)
    return hashlib.sha256("\n".join(lines).encode("utf-8", "replace")).hexdigest()


def _plain(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _leaning(connection: Connection, person: str, asked: Sequence[dict[str, Any]]) -> list[str]:
    """Ids of others' later questions in the same conversations: their condensed form may hold words of this person's."""
    first: dict[str, float] = {}
    for row in asked:
        if row["conversation"]:
            first[row["conversation"]] = min(first.get(row["conversation"], row["asked_at"]), row["asked_at"])
    found = []
    names = sorted(first)
    for at in range(0, len(names), _BATCH):
        rows = connection.execute(
            select(questions.c.id, questions.c.conversation, questions.c.asked_at).where(
                questions.c.conversation.in_(names[at : at + _BATCH]), questions.c.person != person
            )
        )
        found += [row.id for row in rows if row.asked_at >= first[row.conversation]]
    return sorted(found)


def _leant(connection: Connection, others: Sequence[str]) -> list[dict[str, Any]]:
    """Examples made of those whose question is not the words that were asked: they lean on what was said before."""
    asked = {row["id"]: " ".join(row["text"].split()) for row in _among(connection, questions, questions.c.id, others)}
    own = {row["id"]: asked[row["question"]] for row in _among(connection, answers, answers.c.question, others)}
    made = _among(connection, example_origins, example_origins.c.answer, sorted(own))
    words: dict[str, set[str]] = {}
    for one in made:
        words.setdefault(one["example"], set()).add(own[one["answer"]])
    found = _among(connection, examples, examples.c.id, sorted(words))
    return [row for row in found if row["question"] not in words[row["id"]]]


def _rows(connection: Connection, table: Table, *conditions: ColumnElement[bool]) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in connection.execute(select(table).where(*conditions))]


def _among(connection: Connection, table: Table, column: Any, values: Sequence[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for at in range(0, len(values), _BATCH):
        found += _rows(connection, table, column.in_(list(values[at : at + _BATCH])))
    return found
