"""One side answers: what is kept on disk under its stamp is not asked again, the rest is, and each answer is kept at once."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bot import prompts
from bot.answering.verify import wrong_language
from bot.errors import ModelError, WriterTimeout, WritingError
from bot.live import EXTRACTIVE, name_of
from bot.messages import Answer, Outcome, Question
from bot.writers.engine import UnlessSure
from jobs.evaluate import Answering
from jobs.gate.answers import GateAnswer, Stamp
from jobs.gate.cases import GateCase, marks_of, without_marks
from jobs.gate.kept import KeptAnswers
from jobs.gate.refusals import refused

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from bot.writers.engine import LoraFile
    from knowledge.korean import Analyser

Progress = Callable[[int, int], None]
GiveWay = Callable[[], Awaitable[None]]
"""Comes back once nothing more urgent needs the machine."""
_ASKER = "gate"


@dataclass(frozen=True, slots=True)
class WriterDials:
    """Of `[writer]`: how examples are answered, as in `bot.answering.flow.FlowOptions`."""

    max_answer_tokens: int = 160
    temperature: float = 0.0
    timeout_seconds: float = 90.0
    refusal_confidence: float = 0.0


@dataclass(frozen=True, slots=True)
class Answerers:
    """What answers for one side, over the same model and LoRA."""

    flow: Answering
    """For questions over the wiki."""
    writer: BaseChatModel
    """For examples that bring their passages."""
    lora: LoraFile | None
    """What the writer is told to write with; the flow has its own word for it, which must be the same."""
    analyser: Analyser
    """The flow's own, by which refusals are read."""
    dials: WriterDials = WriterDials()


@dataclass(frozen=True, slots=True)
class Side:
    """A candidate, or what serves now. `open` is entered only if something must be asked: loading a model takes seconds and memory."""

    name: str
    """Of the LoRA, or `none`."""
    stamp: Stamp
    open: Callable[[], AbstractAsyncContextManager[Answerers]]


async def ask_side(
    side: Side,
    cases: Sequence[GateCase],
    kept: KeptAnswers,
    *,
    run: str,
    timed: int,
    progress: Progress | None = None,
    give_way: GiveWay | None = None,
) -> dict[str, GateAnswer]:
    """Fingerprint → answer for every case. Cancelling leaves what is answered on disk; the next call goes on.

    Kept failures are asked again in another `run`; what timed out also once more at the end of this one, since that may be the
    machine's fault and not the side's. `timed`: so many questions, the same for every side, are asked again if they were not in this
    `run`. `give_way`: awaited before each question.
    """
    answers = {}
    for fingerprint, answer in kept.of(side.stamp).items():
        if answer.run == run or not (answer.outcome is Outcome.FAILED or _timed_out(answer)):
            answers[fingerprint] = answer
    again = _timed(cases, timed)
    todo = {
        case.fingerprint: case
        for case in cases
        if case.fingerprint not in answers or (case.fingerprint in again and answers[case.fingerprint].run != run)
    }
    if not todo:
        return answers
    if progress is not None:
        progress(0, len(todo))
    async with side.open() as answerers:
        waiting = list(todo)
        for done, fingerprint in enumerate(waiting, start=1):  # it grows
            if give_way is not None:
                await give_way()
            case = todo[fingerprint]
            answer = replace(await answer_case(case, answerers, side.stamp.edition), run=run)
            kept.keep(side.stamp.without_edition if case.passages else side.stamp, fingerprint, answer)
            answers[fingerprint] = answer
            if done <= len(todo) and _timed_out(answer):
                waiting.append(fingerprint)
            if progress is not None:
                progress(done, len(waiting))
    return answers


def _timed_out(answer: GateAnswer) -> bool:
    """Before its first words, or after some that could be shown."""
    return WriterTimeout.__name__ in answer.notes


async def answer_case(case: GateCase, answerers: Answerers, edition: str = "") -> GateAnswer:
    """Never raises but for a cancellation: what goes wrong is a failed answer, and counts as one. `edition`: that it must be from."""
    try:
        if case.passages:
            return await _written(case, answerers)
        question = Question(case.question, f"gate-{case.fingerprint[:12]}", _ASKER, case.groups, case.turns)
        return _of_flow(await answerers.flow.answer(question), answerers.lora, edition)
    except Exception as error:  # noqa: BLE001 - counted, by name; the other questions still count
        return GateAnswer(Outcome.FAILED, notes=(type(error).__name__,))


def _of_flow(answer: Answer, lora: LoraFile | None, edition: str) -> GateAnswer:
    notes = answer.notes
    # Either way the flow was put together wrongly: better no verdict than one about something else.
    if answer.model != EXTRACTIVE and answer.lora != name_of(lora):
        notes = (*notes, "other_lora")
    if edition and answer.edition != edition:
        notes = (*notes, "other_edition")
    # Quotes instead of a broken writer are not its answer.
    outcome = (
        Outcome.FAILED if {"writer_failed", "no_writer", "other_lora", "other_edition"} & set(notes) else answer.outcome
    )
    return GateAnswer(
        outcome=outcome,
        text=without_marks(answer.text) if outcome is Outcome.ANSWERED else "",
        cited=tuple(dict.fromkeys(one.page for one in answer.citations)) if outcome is Outcome.ANSWERED else (),
        notes=notes,
        written=answer.tokens.written,
        first_token=answer.seconds.first_token,
        total=answer.seconds.total,
    )


async def _written(case: GateCase, answerers: Answerers) -> GateAnswer:
    """The real prompt in front of the writer; what a person would be shown after the flow's check of sentences is not looked at."""
    dials = answerers.dials
    began = time.perf_counter()
    first: float | None = None
    text, written, notes = "", 0, list[str]()
    sure = dials.refusal_confidence if answerers.lora is not None else 0.0  # as in bot/answering/flow.py
    pieces: Any = answerers.writer.astream(
        prompts.prompt(case.passages, case.question, case.turns),
        asker=_ASKER,
        max_tokens=dials.max_answer_tokens,
        temperature=dials.temperature,
        seed=0,
        timeout=dials.timeout_seconds,
        lora=answerers.lora,
        unless_sure=UnlessSure(prompts.REFUSAL, sure) if sure else None,
    )
    try:
        async with aclosing(pieces):
            async for piece in pieces:
                if piece.content and first is None:
                    first = time.perf_counter() - began
                text += str(piece.content)
                if usage := piece.usage_metadata:
                    written = usage["output_tokens"]
                if (stop := piece.response_metadata.get("stop")) in ("length", "loop"):
                    notes.append(str(stop))
    except (WritingError, ModelError) as error:
        return GateAnswer(Outcome.FAILED, notes=(type(error).__name__,))
    total, said = time.perf_counter() - began, without_marks(text)  # reading it is no part of the writer's time
    declined = refused(text, "\n".join((*case.turns, case.question)), case.passages, answerers.analyser)
    if not said:
        # The flow shows quotes instead, if any are near: no refusal, and nothing that the writer said.
        notes.append("ungrounded")
    elif not declined and wrong_language(said, case.passages):
        notes.append("wrong_language")
    return GateAnswer(
        outcome=Outcome.ABSTAINED if declined else Outcome.ANSWERED,
        text="" if declined else said,
        cited=marks_of(text) if said and not declined else (),
        notes=tuple(notes),
        written=written,
        first_token=first,
        total=total,
    )


def _timed(cases: Sequence[GateCase], count: int) -> frozenset[str]:
    """The same questions whoever is asked, and in every run over the same set."""
    prints: Mapping[str, None] = dict.fromkeys(case.fingerprint for case in cases)
    return frozenset(sorted(prints, key=lambda one: hashlib.sha256(one.encode()).digest())[:count])
