"""Which answers people liked and which they did not: JSON Lines → token ids. No torch.

    {"question", "passages", "turns"?, "id"?, "answer"?, "rejected"?}      passages as in `jobs.tuning.dataset`

`answer` alone: a thumb up. `rejected` alone: a thumb down. Both: a correction (`answer`) of a rejected answer.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from bot import jsonl
from bot.errors import BadExamples
from bot.jsonl import Malformed
from jobs.tuning import dataset
from jobs.tuning.dataset import Example, Sample, Tokens

Kind = Literal["up", "down", "pair"]


@dataclass(frozen=True, slots=True)
class Preference:
    """One question with what was wanted, what was not, or both. At least one of the two is not empty."""

    id: str
    question: str
    passages: tuple[str, ...]
    answer: str = ""
    rejected: str = ""
    turns: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """One line of a file that `load_preferences` reads."""
        return dataclasses.asdict(self)


@dataclass(frozen=True, slots=True)
class Preferred:
    """One preference as tokens; at least one is there."""

    id: str
    up: Sample | None
    down: Sample | None

    @property
    def kind(self) -> Kind:
        """See the module."""
        return "up" if self.down is None else "down" if self.up is None else "pair"


def load_preferences(path: Path) -> list[Preference]:
    """In file order. Raises `BadExamples` with the line (0: the file as a whole)."""
    return jsonl.read_lines(path, _preference, BadExamples)


def write_preferences(path: Path, preferences: Iterable[Preference]) -> None:
    """A file that `load_preferences` reads back."""
    lines = (json.dumps(one.as_json(), ensure_ascii=False) + "\n" for one in preferences)
    path.write_text("".join(lines), encoding="utf-8")


Asked = TypeVar("Asked", Preference, Example)


def apart_from(some: Sequence[Asked], held_out: Sequence[Example]) -> list[Asked]:
    """Those that share no passage, word for word, with the held-out examples, which would no longer be new."""
    seen = {" ".join(passage.split()) for example in held_out for passage in example.passages}
    return [one for one in some if not any(" ".join(passage.split()) in seen for passage in one.passages)]


def encode_preferences(preferences: Sequence[Preference], tokens: Tokens, most_tokens: int) -> tuple[Preferred, ...]:
    """As `dataset.encode`; one of which either answer is too long is left out."""
    found = []
    for one in preferences:
        wanted = [text for text in (one.answer, one.rejected) if text]
        written = [Example(one.id, one.question, one.passages, text, one.turns) for text in wanted]
        samples, too_long = dataset.encode(written, tokens, most_tokens)
        if not too_long:
            up = samples[0] if one.answer else None
            found.append(Preferred(one.id, up, samples[-1] if one.rejected else None))
    return tuple(found)


def _preference(raw: dict[str, object], line: int) -> Preference:
    answer, rejected = jsonl.text(raw, "answer"), jsonl.text(raw, "rejected")
    if not answer and not rejected:
        raise Malformed("answer와 rejected 가운데 하나는 있어야 합니다")
    if not raw.get("passages"):
        raise Malformed("passages는 비어 있지 않은 목록이어야 합니다")
    # The rest is that of an example, with the same checks.
    example = dataset._example({**raw, "answer": answer or rejected}, line)
    return Preference(example.id, example.question, example.passages, answer, rejected, example.turns)
