"""A person decides about examples: approve, reject, edit, and take the last step back. Every step is on record.

What the passages do not support cannot be approved, whoever asks; it can be edited until they do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from bot.errors import NotApprovable, UnknownExample
from bot.examples.build import Mask, Pages
from bot.examples.example import Example, State
from bot.examples.grounding import Grounding
from bot.examples.problems import problems
from bot.store import examples
from bot.store.database import Store

_PROBLEMS = {
    "empty": "답변이 비어 있거나 질문을 되풀이함",
    "no_passages": "근거 구절이 없음",
    "no_mark": "출처 번호가 없는 문장",
    "wrong_mark": "출처 번호가 근거와 다름",
    "refusal": "답할 수 없다는 문장이 섞여 있음",
    "language": "구절과 다른 언어",
    "number": "구절에 없는 숫자",
    "name": "구절에 없는 이름",
    "negation": "구절과 반대되는 뜻",
    "support": "구절이 뒷받침하지 않음",
    "masked_answer": "답변에 가려진 개인정보가 있음",
    "masked_question": "질문이 가려진 개인정보뿐임",
    "page_gone": "문서가 없어졌거나 모두가 읽을 수 있는 문서가 아님",
}


def words(keys: tuple[str, ...]) -> str:
    """The problems as Korean phrases."""
    return ", ".join(_PROBLEMS.get(one, one) for one in keys)


@dataclass(frozen=True, slots=True)
class Review:
    """One reviewer at work. Methods raise UnknownExample; `approve` also NotApprovable."""

    store: Store
    pages: Pages
    grounding: Grounding
    mask: Mask
    reviewer: str
    """Stands in the record, e.g. `terminal:kim`."""
    clock: Callable[[], float]

    def waiting(self) -> list[Example]:
        """What nobody has decided, oldest first."""
        states: tuple[State, ...] = ("pending",)
        return self.store.run_now(examples.every, states=states)

    def problems(self, example: Example) -> tuple[str, ...]:
        """Why it cannot be approved now."""
        gone = any(one.source and not self.pages.is_open(one.source, one.page) for one in example.passages)
        return (*(("page_gone",) if gone else ()), *problems(example, self.grounding))

    def approve(self, example_id: str) -> Example:
        """It may be learnt."""

        def approve(connection: Connection) -> Example:
            example = _known(connection, example_id)
            found = self.problems(example)
            if found:
                raise NotApprovable(id=example_id, reasons=words(found))
            examples.decide(connection, example, "approved", "approve", by=self.reviewer, now=self.clock())
            return _known(connection, example_id)

        return self.store.run_now(approve)

    def reject(self, example_id: str) -> Example:
        """It is never learnt, and not asked about again."""

        def reject(connection: Connection) -> Example:
            examples.decide(
                connection, _known(connection, example_id), "rejected", "reject", by=self.reviewer, now=self.clock()
            )
            return _known(connection, example_id)

        return self.store.run_now(reject)

    def edit(self, example_id: str, answer: str) -> Example:
        """Another answer, masked like everything else. It still has to be approved."""

        def edit(connection: Connection) -> Example:
            example = _known(connection, example_id)
            text = self.mask(" ".join(answer.split())).text
            found = problems(replace(example, answer=text), self.grounding)
            examples.edit(connection, example, text, found, by=self.reviewer, now=self.clock())
            return _known(connection, example_id)

        return self.store.run_now(edit)

    def undo(self) -> Example | None:
        """This reviewer's last step is taken back; None when there is none."""

        def undo(connection: Connection) -> Example | None:
            example_id = examples.undo(connection, self.reviewer, now=self.clock())
            if example_id is None:
                return None
            example = _known(connection, example_id)
            examples.refresh(connection, replace(example, problems=problems(example, self.grounding)))
            return _known(connection, example_id)

        return self.store.run_now(undo)


def _known(connection: Connection, example_id: str) -> Example:
    found = examples.get(connection, example_id)
    if found is None:
        raise UnknownExample(id=example_id)
    return found
