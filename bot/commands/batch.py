"""JSON Lines in, for `--batch`: `{"question", "as"?, "turns"?}` per line, checked before anything runs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from bot.errors import BadEvaluationSet


@dataclass(frozen=True, slots=True)
class Asked:
    """One line of a batch."""

    question: str
    groups: frozenset[str]
    turns: tuple[str, ...]


def groups_of(value: object) -> frozenset[str]:
    """`"hr"`, `"hr,exec"` or a list."""
    if value is None:
        return frozenset()
    names = value if isinstance(value, list) else str(value).split(",")
    return frozenset(str(name).strip() for name in names if str(name).strip())


def read_batch(path: Path) -> list[Asked]:
    """Raises BadEvaluationSet, naming the line."""
    asked = []
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            raw = json.loads(line)
            question, turns = raw["question"], raw.get("turns") or []
            if not isinstance(question, str) or not isinstance(turns, list):
                raise ValueError("question은 글자, turns는 목록이어야 합니다")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadEvaluationSet(path=path, line=number, reason=str(error)) from error
        asked.append(Asked(question, groups_of(raw.get("as")), tuple(map(str, turns))))
    return asked
