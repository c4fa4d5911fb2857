"""JSON Lines in, for `--batch`: `{"question", "as"?, "turns"?}` per line, checked before anything runs."""

from __future__ import annotations

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


def read_batch(path: Path) -> list[Asked]:
    """The questions in file order, word for word. Raises BadBatch, naming the line."""
    return jsonl.read_lines(path, _asked, BadBatch)


def _asked(raw: dict[str, object], line: int) -> Asked:
    # An empty question is let through: its line says so in its answer, and the other lines are not lost.
    if not isinstance(raw.get("question"), str):
        raise jsonl.Malformed("question이 없거나 글자가 아닙니다")
    jsonl.text(raw, "question")
    return Asked(str(raw["question"]), jsonl.groups(raw), jsonl.texts(raw, "turns"))
