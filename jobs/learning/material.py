"""What a LoRA learns from: approved examples of the store, or files of examples. Texts are masked before they get into either."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bot.examples import example as kept
from bot.examples.workbench import Workbench
from bot.loras.seen import Seen, fingerprint
from jobs.tuning import dataset
from jobs.tuning.dataset import Example
from jobs.tuning.preferences import Preference


@dataclass(frozen=True, slots=True)
class LearningSet:
    """Examples and, beside them, what people preferred. Ids are those of the store, or of the files."""

    examples: tuple[Example, ...]
    preferences: tuple[Preference, ...] = ()

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


def of_files(paths: Iterable[Path]) -> LearningSet:
    """Of files, or of every `.jsonl` of a folder by name. An id that was there before gets its file's name in front. Raises BadExamples."""
    found: dict[str, Example] = {}
    for path in paths:
        for file in sorted(path.glob("*.jsonl")) if path.is_dir() else [path]:
            for one in dataset.load_examples(file):
                name = one.id if one.id not in found else f"{file.stem}/{one.id}"
                found[name] = replace(one, id=name)
    return LearningSet(tuple(found.values()))


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
