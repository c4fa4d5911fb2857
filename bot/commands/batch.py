"""JSON Lines in, for `--batch`: `{"question", "as"?, "turns"?}` per line, checked before anything runs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from bot import jsonl
from bot.errors import BadBatch


@dataclass(frozen=True, slots=True)
class Asked:
    """One line of a batch."""

    question: str
    groups: frozenset[str]
    turns: tuple[str, ...]


def groups_of(value: str | None) -> frozenset[str]:
    """`--as hr` or `--as hr,exec`."""
    return jsonl.groups({"as": value})


def typed(question: str | None) -> str:
    """An argument of the command line; one that is not UTF-8 was typed in a terminal that speaks CP949."""
    raw = os.fsencode(question or "")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp949", "replace")


def read_batch(path: Path, groups: frozenset[str] = frozenset(), turns: tuple[str, ...] = ()) -> list[Asked]:
    """The questions in file order, word for word. `groups`, `turns`: of lines that do not say. Raises BadBatch."""

    def asked(raw: dict[str, object], line: int) -> Asked:
        # An empty question is let through: its line says so in its answer, and the other lines are not lost.
        if not isinstance(raw.get("question"), str):
            raise jsonl.Malformed("question이 없거나 문자열이 아닙니다")
        jsonl.text(raw, "question")
        theirs = groups if raw.get("as") is None else jsonl.groups(raw)
        return Asked(str(raw["question"]), theirs, turns if raw.get("turns") is None else jsonl.texts(raw, "turns"))

    return jsonl.read_lines(path, asked, BadBatch)
