"""Examples: JSON Lines → what is learnt and what is held out, then → token ids exactly as serving makes them. No torch.

    {"question", "passages": [{"title", "heading": […], "text"} | "text as shown"], "answer", "turns"?, "id"?, "kind"?}
    {"question", "answer", "turns"?, "id"?, "kind"?}                                    a plain instruction: nothing to look up

An example with passages becomes the very prompt of serving. One without (KoAlpaca and the like) is what the base's own chat
template makes of a user's message: no rules of the librarian, no examples, so that what is learnt from it is the language and
how to follow an instruction. Both kinds may stand in one set.
Only tokens of the answer and the end of the turn carry loss.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bot import jsonl, prompts
from bot.errors import BadExamples
from bot.jsonl import Malformed
from bot.writers.base import turns_of
from bot.writers.engine import Turn
from jobs.linked import linked


@dataclass(frozen=True, slots=True)
class Example:
    """One question, the passages that were shown (none: a plain instruction), and the answer that is wanted."""

    id: str
    question: str
    passages: tuple[str, ...]
    """As the writer saw them: heading line and text, without the number."""
    answer: str
    turns: tuple[str, ...] = ()
    """Earlier questions, oldest first."""
    kind: str = ""

    def as_json(self) -> dict[str, object]:
        """One line of a file that `load_examples` reads."""
        return {
            "id": self.id,
            "kind": self.kind,
            "turns": list(self.turns),
            "question": self.question,
            "passages": list(self.passages),
            "answer": self.answer,
        }


@dataclass(frozen=True, slots=True)
class Sample:
    """One example as tokens; from `answer_begins` on they are the answer."""

    id: str
    tokens: tuple[int, ...]
    answer_begins: int


@dataclass(frozen=True, slots=True)
class TooLong:
    """An example that was left out."""

    id: str
    tokens: int


class Tokens(Protocol):
    """Text → the tokens of the model that serves (`jobs.tuning.served_tokens`)."""

    def prompt(self, turns: Sequence[Turn]) -> list[int]:
        """What the writer reads."""

    def answer(self, text: str) -> list[int]:
        """What it should write after the prompt, up to and with the token that ends its turn."""


def load_examples(path: Path) -> list[Example]:
    """In file order. Raises `BadExamples` with the line (0: the file as a whole)."""
    return jsonl.read_lines(path, _example, BadExamples)


def write_examples(path: Path, examples: Iterable[Example]) -> None:
    """A file that `load_examples` reads back."""
    lines = (json.dumps(example.as_json(), ensure_ascii=False) + "\n" for example in examples)
    path.write_text("".join(lines), encoding="utf-8")


def fingerprint(examples: Sequence[Example]) -> str:
    """SHA-256 over every word, in order: the name of exactly this set."""
    digest = hashlib.sha256()
    for example in examples:
        digest.update(json.dumps(example.as_json(), ensure_ascii=False, sort_keys=True).encode() + b"\n")
    return digest.hexdigest()


def split_by_passage(examples: Sequence[Example], share: float, seed: int) -> tuple[list[Example], list[Example]]:
    """(learnt, held out): a passage, word for word, is never on both sides, so what is held out is really new.

    Examples that share a passage (where there is none: their question), also through others, stay together; whole groups are held
    out, in an order that `seed` decides, while they fit into `share`. So the held-out part may be smaller than asked for, and is
    empty when all examples hang together.
    """
    groups = _groups(examples)
    room = round(share * len(examples))
    if room < 1 or len(groups) < 2:
        return list(examples), []
    shuffled = sorted(groups, key=lambda group: hashlib.sha256(f"{seed} {examples[group[0]].id}".encode()).digest())
    held: set[int] = set()
    for group in shuffled:
        if len(held) + len(group) <= room:
            held.update(group)
    return [e for i, e in enumerate(examples) if i not in held], [e for i, e in enumerate(examples) if i in held]


def turns_for(example: Example) -> tuple[Turn, ...]:
    """What the model reads before it answers."""
    if example.passages:
        return turns_of(prompts.prompt(example.passages, example.question, example.turns))
    # One message: chat templates demand that roles alternate, and what was answered to the earlier ones is not known.
    return (Turn("user", "\n\n".join((*example.turns, example.question))),)


def encode(
    examples: Sequence[Example], tokens: Tokens, most_tokens: int
) -> tuple[tuple[Sample, ...], tuple[TooLong, ...]]:
    """(samples, what was longer than `most_tokens`): `turns_for` through the template that serves, then the answer."""
    samples, too_long = [], []
    for example in examples:
        prompt = tokens.prompt(turns_for(example))
        whole = (*prompt, *tokens.answer(example.answer))
        if len(whole) > most_tokens:
            too_long.append(TooLong(example.id, len(whole)))
        else:
            samples.append(Sample(example.id, whole, len(prompt)))
    return tuple(samples), tuple(too_long)


def _groups(examples: Sequence[Example]) -> list[list[int]]:
    """Places of examples that hang together by their passages."""
    keys = [[" ".join(text.split()) for text in one.passages or (one.question,)] for one in examples]
    groups: dict[int, list[int]] = defaultdict(list)
    for place, number in enumerate(linked(keys)):
        groups[number].append(place)
    return list(groups.values())


def _example(raw: dict[str, object], line: int) -> Example:
    question, answer = jsonl.text(raw, "question"), jsonl.text(raw, "answer")
    if not question or not answer:
        raise Malformed("question과 answer가 모두 있어야 합니다")
    passages = raw.get("passages", [])
    if not isinstance(passages, list):
        raise Malformed("passages는 목록이어야 합니다")
    return Example(
        id=jsonl.text(raw, "id") or str(line),
        question=question,
        passages=tuple(_shown(passage) for passage in passages),
        answer=answer,
        turns=jsonl.texts(raw, "turns"),
        kind=jsonl.text(raw, "kind"),
    )


def _shown(passage: object) -> str:
    """As `bot.answering.excerpts.Excerpt.shown`: the heading line (`knowledge.page.Passage.context`), then the text."""
    if isinstance(passage, str) and passage.strip():
        return jsonl.text({"passage": passage}, "passage")
    if not isinstance(passage, dict):
        raise Malformed("passages의 항목은 문자열이거나 {title, heading, text} 객체여야 합니다")
    text = jsonl.text(passage, "text")
    if not text:
        raise Malformed("passages의 text가 없거나 비어 있습니다")
    path = dict.fromkeys(filter(None, [jsonl.text(passage, "title"), *jsonl.texts(passage, "heading")]))
    return "\n".join(filter(None, [" > ".join(path), text]))
