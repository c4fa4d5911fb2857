"""What a LoRA learns from: approved examples of the store, or files of examples.

Both are masked and checked: the store's on their way in, those of files here, by what an import does. Nobody reviews a file's rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path

from bot.examples import example as kept
from bot.examples.own import name_of
from bot.examples.workbench import Workbench
from bot.loras.seen import Seen, fingerprint
from bot.models.hashing import sha256_of
from jobs.tuning.dataset import Example
from jobs.tuning.preferences import Preference

WITHHELD = "withheld"
"""Why a row is left out: somebody behind it was forgotten, or objects."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row of a file that is not learnt."""

    file: str
    """Its name."""
    line: int
    reasons: tuple[str, ...]
    """Keys (bot/examples/review.py has the phrases)."""


@dataclass(frozen=True, slots=True)
class LearningSet:
    """Examples and, beside them, what people preferred. Ids are those of the store, or of the files."""

    examples: tuple[Example, ...]
    preferences: tuple[Preference, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    """Only of files."""

    @property
    def ids(self) -> list[str]:
        """Of everything in it, each once."""
        return list(dict.fromkeys([*(one.id for one in self.examples), *(one.id for one in self.preferences)]))


def of_store(bench: Workbench) -> LearningSet:
    """The approved examples that may go into one set, as votes and pages are now. Raises StoreError."""
    bench.build()  # since the last one a page may have been closed, or somebody voted down
    chosen = bench.training_set()
    return LearningSet(
        tuple(as_learnt(one) for one in chosen if one.answer),
        tuple(_preference(one) for one in chosen if one.kind == "liked" or one.rejected),
    )


def of_files(paths: Iterable[Path], bench: Workbench) -> LearningSet:
    """Of files that an import reads, or of every `.jsonl` of a folder by name; rows go through the import's masks and its check.

    A row that fails, or that rests on somebody who was forgotten or objects, is left out. A row without an id is known by what it says,
    as if it were imported. An id that was there before gets its file's name in front and, if need be, a number behind. Raises
    BadExampleFile, StoreError.
    """
    found: dict[str, Example] = {}
    left_out = []
    for path in paths:
        for file in _files(path):
            rows = bench.look_at(file)
            withheld = bench.not_to_learn({name_of(row, one) for row, one in rows})
            for row, one in rows:
                known = name_of(row, one)
                reasons = (WITHHELD,) if known in withheld else one.problems
                if reasons:
                    left_out.append(LeftOut(file.name, row.line, reasons))
                    continue
                name = _free(known, file.stem, found)
                found[name] = replace(as_learnt(one), id=name, kind=row.kind)
    return LearningSet(tuple(found.values()), left_out=tuple(left_out))


def digest(paths: Iterable[Path]) -> str | None:
    """SHA-256 over the names and bytes of all files that `of_files` reads; None: one of them cannot be read."""
    found = hashlib.sha256()
    try:
        for path in paths:
            for file in _files(path):
                found.update(f"{file.name} {sha256_of(file)}\n".encode())
    except OSError:
        return None
    return found.hexdigest()


def _files(path: Path) -> list[Path]:
    return sorted(path.glob("*.jsonl")) if path.is_dir() else [path]


def _free(name: str, stem: str, taken: Container[str]) -> str:
    """The name itself, `stem/name`, `stem/name-2`, …: the first that is not taken."""
    named = chain((name, f"{stem}/{name}"), (f"{stem}/{name}-{number}" for number in count(2)))
    return next(one for one in named if one not in taken)


def as_learnt(one: kept.Example) -> Example:
    """An example of the store as training reads it."""
    shown = tuple(passage.shown for passage in one.passages)
    return Example(one.id, one.question, shown, one.answer, one.turns, one.kind)


def ever_kept(bench: Workbench) -> list[Example]:
    """Every example of the store, whatever was decided of it since a LoRA has seen it. Raises StoreError."""
    return [as_learnt(one) for one in bench.every()]


def unseen(examples: Sequence[Example], seen: Seen, among: Iterable[Example] = ()) -> list[Example]:
    """Those that a LoRA has not seen and whose passages, word for word, it has not seen either.

    Beside the fingerprints that `seen` holds, passages of its examples are looked up in `examples` and `among`: some of these may not
    be asked any more.
    """
    learnt = (one for one in (*examples, *among) if one.id in seen.examples)
    known = seen.passages | {fingerprint(passage) for one in learnt for passage in one.passages}
    return [
        one
        for one in examples
        if one.id not in seen.examples and one.passages and known.isdisjoint(map(fingerprint, one.passages))
    ]


def _preference(one: kept.Example) -> Preference:
    shown = tuple(passage.shown for passage in one.passages)
    return Preference(one.id, one.question, shown, one.answer, one.rejected, one.turns)
