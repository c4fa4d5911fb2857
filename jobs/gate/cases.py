"""What both sides are asked: questions over the wiki, through the whole flow, and examples that bring their passages, to the writer alone.

A company without evaluation sets of its own is judged by the examples that its LoRA has not seen: `joined([], held_out)`.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot import prompts
from bot.answering import verify
from jobs import metrics
from jobs.evaluation_set import Case, load_set
from jobs.linked import linked
from jobs.tuning.dataset import Example


@dataclass(frozen=True, slots=True)
class GateCase:
    """One question. With `passages` the writer is shown exactly these; without, the whole flow answers."""

    id: str
    """Unique within a gate: `set/id`."""
    question: str
    answerable: bool
    answers: tuple[str, ...] = ()
    """Wanted, without marks."""
    sources: tuple[str, ...] = ()
    """What a right answer cites: pages, or of an example the numbers of its passages."""
    turns: tuple[str, ...] = ()
    passages: tuple[str, ...] = ()
    groups: frozenset[str] = frozenset()
    kind: str = ""
    pages: tuple[str, ...] = ()
    """Where its truth stands; questions that share one are not independent."""

    @property
    def fingerprint(self) -> str:
        """Of all that the answer depends on. What is wanted may change without asking again."""
        asked = [self.question, self.turns, self.passages, sorted(self.groups)]
        return hashlib.sha256(json.dumps(asked, ensure_ascii=False).encode()).hexdigest()

    @property
    def kinds(self) -> tuple[str, ...]:
        """Its groups in the breakdown: the set's own word, and what can be seen of it."""
        seen = {
            "answerable": self.answerable,
            "unanswerable": not self.answerable,
            "numbers": self.answerable and any(c.isdecimal() for answer in self.answers for c in answer),
            "several sources": len(self.sources) > 1,
            "follow-up": bool(self.turns),
            "passages given": bool(self.passages),
            "through the wiki": not self.passages,
        }
        return tuple(
            dict.fromkeys([*filter(None, [self.kind.replace("_", "-")]), *(k for k, so in seen.items() if so)])
        )


def of_set(name: str, cases: Iterable[Case]) -> list[GateCase]:
    """Questions of an evaluation set."""
    return [
        GateCase(
            id=f"{name}/{case.id}",
            question=case.question,
            answerable=case.answerable,
            answers=case.answers if case.answerable else (),
            sources=case.pages if case.answerable else (),
            turns=case.turns,
            groups=case.groups,
            kind=case.kind,
            pages=tuple(f"page {page}" for page in case.pages),
        )
        for case in cases
    ]


def of_examples(name: str, examples: Iterable[Example]) -> list[GateCase]:
    """Examples as questions; one whose answer is the refusal has none. Plain instructions are left out: nothing is looked up for them."""
    cases = []
    for example in examples:
        if not example.passages:
            continue
        answerable = not is_refusal(example.answer)
        marks = marks_of(example.answer) if answerable else ()
        cases.append(
            GateCase(
                id=f"{name}/{example.id}",
                question=example.question,
                answerable=answerable,
                answers=(without_marks(example.answer),) if answerable else (),
                sources=marks,
                turns=example.turns,
                passages=example.passages,
                kind=example.kind,
                pages=_pages_of(example.passages, marks),
            )
        )
    return cases


def joined(sets: Sequence[Path], held_out: Sequence[Example]) -> list[GateCase]:
    """All questions of a gate: the company's sets, if it has any, and the held-out examples. Of the same question in the same
    circumstances only the first stays. Raises `BadEvaluationSet`."""
    names: Counter[str] = Counter()
    cases: list[GateCase] = []
    for path in sets:
        names[path.stem] += 1
        name = path.stem if names[path.stem] == 1 else f"{path.stem}-{names[path.stem]}"
        cases += of_set(name, load_set(path))
    first: dict[str, GateCase] = {}
    for case in [*cases, *of_examples("held-out", held_out)]:
        first.setdefault(case.fingerprint, case)
    return list(first.values())


def clusters(cases: Sequence[GateCase]) -> list[int]:
    """A number for each case: the same where two share a page, also through others. A case without a page stands alone."""
    return linked([case.pages for case in cases])


def is_refusal(text: str) -> bool:
    """Of an example, which can teach no other words: it begins with those that the prompt asks for. What a writer says is read by
    `jobs.gate.refusals`."""
    refusal = metrics.normalise_answer(prompts.REFUSAL).replace(" ", "")
    return metrics.normalise_answer(text).replace(" ", "").startswith(refusal)


def without_marks(text: str) -> str:
    """The words alone."""
    return verify.MARKS.sub("", text).strip()


def marks_of(text: str) -> tuple[str, ...]:
    """The numbers in square brackets, once each."""
    return tuple(dict.fromkeys(map(str, verify.marks_of(text))))


def _pages_of(passages: Sequence[str], marks: Sequence[str]) -> tuple[str, ...]:
    """Titles (the heading line up to ` > `) of the passages that the answer rests on; of a refusal the one that most passages have.

    Not of all passages: the others are often drawn from anywhere, and would tie everything to everything.
    """
    titles = [passage.split("\n", 1)[0].split(" > ", 1)[0].strip() for passage in passages]
    cited = [titles[int(mark) - 1] for mark in marks if 0 < int(mark) <= len(titles)]
    chosen = cited or [title for title, _ in Counter(titles).most_common(1)]
    return tuple(dict.fromkeys(f"title {title}" for title in chosen))
