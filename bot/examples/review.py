"""A person decides about examples: approve, reject, edit, and take the last step back. Every step is on record, and in the audit log.

What the passages do not support cannot be approved, whoever asks; it can be edited until they do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from bot.errors import NotApprovable, UnknownExample
from bot.examples.build import Mask, Pages
from bot.examples.example import Example, State
from bot.examples.grounding import Grounding
from bot.examples.problems import problems
from bot.messages import Language
from bot.store import audit, example_lists, examples
from bot.store.database import Store

_PROBLEMS = {
    "empty": ("답변이 비어 있거나 질문을 되풀이함", "the answer is empty or repeats the question"),
    "no_passages": ("근거 구절이 없음", "there are no passages"),
    "no_mark": ("출처 번호가 없는 문장", "a sentence without its source's number"),
    "wrong_mark": ("출처 번호가 근거와 다름", "a number that names another passage than the one it rests on"),
    "refusal": ("답할 수 없다는 문장이 섞여 있음", "it also says that it cannot answer"),
    "language": ("구절과 다른 언어", "another language than the passages'"),
    "number": ("구절에 없는 숫자", "a number that the passages do not have"),
    "name": ("구절에 없는 이름", "a name that the passages do not have"),
    "negation": ("구절과 반대되는 뜻", "the opposite of what the passages say"),
    "support": ("구절이 뒷받침하지 않음", "the passages do not support it"),
    "masked_answer": ("답변에 가려진 개인정보가 있음", "masked personal data in the answer"),
    "masked_question": ("질문이 가려진 개인정보뿐임", "a question of nothing but masked personal data"),
    "withheld": (
        "학습에 쓸 수 없는 사람의 자료(삭제 요청, 학습 거부, 또는 learn_from_feedback = false)",
        "from people of whom nothing may be learnt (forgotten, objecting, or learn_from_feedback = false)",
    ),
    "page_gone": (
        "문서가 없어졌거나 모두가 읽을 수 있는 문서가 아님",
        "its page is gone, or is not one that everyone may read",
    ),
}


def words(keys: Iterable[str], language: Language = "ko") -> str:
    """The problems as phrases."""
    return ", ".join(word(one, language) for one in keys)


def word(key: str, language: Language) -> str:
    """One problem as a phrase."""
    both = _PROBLEMS.get(key)
    return key if both is None else both[0 if language == "ko" else 1]


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of a decision about several examples."""

    done: tuple[str, ...]
    """Ids."""
    refused: Mapping[str, tuple[str, ...]]
    """Id → problems."""


@dataclass(frozen=True, slots=True)
class Review:
    """One reviewer at work. Methods raise UnknownExample; `approve` and `edit_and_approve` also NotApprovable."""

    store: Store
    pages: Pages
    grounding: Grounding
    mask: Mask
    reviewer: str
    """Stands in the record, e.g. `terminal:kim`."""
    clock: Callable[[], float]
    language: Language = "ko"
    """Of the reasons in errors."""
    origin: str = ""
    """Where they sit, on record: an address; empty: this machine."""

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
        refused = self.approve_all([example_id]).refused
        if refused:
            raise NotApprovable(id=example_id, reasons=words(refused[example_id], self.language))
        return self.store.run_now(_known, example_id)

    def approve_all(self, example_ids: Sequence[str]) -> Decided:
        """Those without problems may be learnt; one step for `undo_step`."""
        # Kiwi reads them before the transaction: it would hold up the running service.
        checked = {one: self.store.run_now(_known, one) for one in dict.fromkeys(example_ids)}
        refused = {one: found for one, example in checked.items() if (found := self.problems(example))}
        wanted = {one: example for one, example in checked.items() if one not in refused}

        def approve(connection: Connection) -> Decided:
            now = self.clock()
            for one, example in wanted.items():
                present = _known(connection, one)
                if _said(present) != _said(example):  # somebody edited it meanwhile
                    refused[one] = self.problems(present)
                    if refused[one]:
                        continue
                    del refused[one]
                examples.decide(connection, present, "approved", "approve", by=self.reviewer, now=now)
            done = tuple(one for one in wanted if one not in refused)
            self._record(connection, "example.approve", done, now)
            return Decided(done, dict(refused))

        return self.store.run_now(approve)

    def reject(self, example_id: str) -> Example:
        """It is never learnt, and not asked about again."""
        self.reject_all([example_id])
        return self.store.run_now(_known, example_id)

    def reject_all(self, example_ids: Sequence[str]) -> Decided:
        """None of them is learnt; one step for `undo_step`."""

        def reject(connection: Connection) -> Decided:
            now, done = self.clock(), tuple(dict.fromkeys(example_ids))
            for one in done:
                example = _known(connection, one)
                examples.decide(connection, example, "rejected", "reject", by=self.reviewer, now=now)
            self._record(connection, "example.reject", done, now)
            return Decided(done, {})

        return self.store.run_now(reject)

    def edit(self, example_id: str, answer: str) -> Example:
        """Another answer, masked like everything else. It still has to be approved."""
        return self._edit(example_id, answer, approve=False)

    def edit_and_approve(self, example_id: str, answer: str) -> Example:
        """Another answer, and it may be learnt. Raises NotApprovable when it may not; then nothing has changed."""
        return self._edit(example_id, answer, approve=True)

    def _edit(self, example_id: str, answer: str, *, approve: bool) -> Example:
        text = self.mask(" ".join(answer.split())).text
        changed = replace(self.store.run_now(_known, example_id), answer=text)
        found = self.problems(changed)
        if found and approve:
            raise NotApprovable(id=example_id, reasons=words(found, self.language))
        # That a page is gone is looked up each time; of the answer itself is kept what stands against it.
        kept = tuple(one for one in found if one != "page_gone")

        def edit(connection: Connection) -> Example:
            now = self.clock()
            example = _known(connection, example_id)
            if text != example.answer:
                examples.edit(connection, example, text, kept, by=self.reviewer, now=now)
                self._record(connection, "example.edit", (example_id,), now)
            if approve:
                edited = _known(connection, example_id)
                examples.decide(connection, edited, "approved", "approve", by=self.reviewer, now=now)
                self._record(connection, "example.approve", (example_id,), now)
            return _known(connection, example_id)

        return self.store.run_now(edit)

    def undo(self) -> Example | None:
        """This reviewer's last step is taken back; None when there is none. Raises ChangedSince."""
        back = self._undo(one=True)
        return back[0] if back else None

    def undo_step(self) -> list[Example]:
        """The same for everything that was decided with it at once, or nothing of it; empty when there is nothing. Raises ChangedSince."""
        return self._undo(one=False)

    def _undo(self, *, one: bool) -> list[Example]:
        def undo(connection: Connection) -> list[Example]:
            now = self.clock()
            last = example_lists.steps(connection, self.reviewer, most=1)
            back: dict[str, None] = {}
            while (
                last and (left := example_lists.steps(connection, self.reviewer, most=1)) and left[0].at == last[0].at
            ):
                example_id = examples.undo(connection, self.reviewer, now=now)
                if example_id is None:
                    break
                back[example_id] = None
                if one:
                    break
            self._record(connection, "example.undo", tuple(back), now)
            return [_known(connection, example_id) for example_id in back]

        return [self._checked(example) for example in self.store.run_now(undo)]

    def _checked(self, example: Example) -> Example:
        """With what stands against it as it is now, on record."""
        found = problems(example, self.grounding)
        self.store.run_now(examples.set_problems, example.id, example.answer, found)
        return replace(example, problems=found)

    def _record(self, connection: Connection, action: str, ids: Sequence[str], now: float) -> None:
        if not ids:
            return
        by, subject = audit.auditor(self.reviewer), ids[0] if len(ids) == 1 else ""
        detail = {"count": len(ids), "ids": list(ids)} if len(ids) > 1 else None
        more = {"by": by, "subject": subject, "origin": self.origin}
        audit.record(connection, action=action, detail=detail, now=now, **more)


def _said(example: Example) -> tuple[object, ...]:
    """What a check of it depends on."""
    return example.kind, example.question, example.condensed, example.passages, example.answer


def _known(connection: Connection, example_id: str) -> Example:
    found = examples.get(connection, example_id)
    if found is None:
        raise UnknownExample(id=example_id)
    return found
