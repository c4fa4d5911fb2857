"""The ways of questions (bot/trace.py), kept with their answers and for a shorter time; they go with their question."""

from __future__ import annotations

import hashlib
import json

from sqlalchemy import Connection, select

from bot.store import facts
from bot.store.inserting import insert_into
from bot.store.schema import questions, traces
from bot.trace import Trace

_HEADS = "prompt_head:"
"""Before the hash of what every prompt of one version begins with: kept once, not with every question."""


def save(connection: Connection, question_id: str, trace: Trace, *, now: float) -> None:
    """Keep it; a later try of the same question replaces it. Nothing happens when the question is gone."""
    if connection.execute(select(questions.c.id).where(questions.c.id == question_id)).first() is None:
        return
    data = trace.as_json()
    data["prompt_head"], data["prompt"] = _head(connection, trace), data["prompt"][-1:]
    fresh = insert_into(connection, traces).values(question=question_id, trace=data, kept_at=now)
    connection.execute(
        fresh.on_conflict_do_update(index_elements=[traces.c.question], set_={"trace": data, "kept_at": now})
    )


def of_question(connection: Connection, question_id: str) -> Trace | None:
    """None: none was kept, or it is gone already."""
    data = connection.execute(select(traces.c.trace).where(traces.c.question == question_id)).scalar()
    if data is None:
        return None
    head = facts.get(connection, _HEADS + data.pop("prompt_head", ""))
    begun = json.loads(head) if head is not None else []
    return Trace.of_json(data | {"prompt": [*begun, *data["prompt"]]})


def _head(connection: Connection, trace: Trace) -> str:
    """The name of the prompt's constant part, which is remembered if it is new; empty: there is none."""
    if len(trace.prompt) < 2:
        return ""
    said = [{"role": one.role, "text": one.text} for one in trace.prompt[:-1]]
    words = json.dumps(said, ensure_ascii=False)
    name = hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()[:16]
    if facts.get(connection, _HEADS + name) is None:
        facts.put(connection, _HEADS + name, words)
    return name
