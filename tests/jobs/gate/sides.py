"""Cases, and sides that answer them as a random generator says: what the gate's statistics are tried on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bot.messages import Outcome
from jobs.gate.answers import GateAnswer, Stamp
from jobs.gate.cases import GateCase
from jobs.gate.decide import decide
from jobs.gate.parity import Parity
from jobs.gate.settings import GateSettings
from jobs.gate.verdict import Verdict, Who

WANTED = "연차는 15일입니다."
NOW = Who("none", Stamp("base", "none", "edition", "ko-1"))
NEW = Who("faq-1", Stamp("base", "abc", "edition", "ko-1"))
QUICK = GateSettings(resamples=2000)


def make_cases(count: int, *, per_page: int = 2, unanswerable: float = 0.3, given: float = 0.5) -> list[GateCase]:
    """`per_page` questions of one page stand in a row; shares are spread evenly, in tenths."""
    cases = []
    for number in range(count):
        answerable = (3 * number + number // 10) % 10 >= round(10 * unanswerable)
        shown = 7 * number % 10 < round(10 * given)
        cases.append(
            GateCase(
                id=f"s/{number}",
                question=f"질문 {number}?",
                answerable=answerable,
                answers=(WANTED,) if answerable else (),
                sources=("1",) if answerable else (),
                passages=(f"제목 {number // per_page}\n글",) if shown else (),
                kind="plain",
                pages=(f"page {number // per_page}",),
            )
        )
    return cases


def right(case: GateCase) -> GateAnswer:
    """As good as can be."""
    if not case.answerable:
        return GateAnswer(Outcome.ABSTAINED, total=2.0, first_token=1.0, run="r")
    return GateAnswer(Outcome.ANSWERED, WANTED, ("1",), total=2.0, first_token=1.0, run="r")


def wrong(case: GateCase) -> GateAnswer:
    """Declines what could be answered, makes up what could not."""
    if case.answerable:
        return GateAnswer(Outcome.ABSTAINED, total=2.0, first_token=1.0, run="r")
    return GateAnswer(Outcome.ANSWERED, "없는 말을 씁니다.", ("2",), total=2.0, first_token=1.0, run="r")


def beside(case: GateCase) -> GateAnswer:
    """Answers, but about something else; declines as it should."""
    return replace(right(case), text="노트북을 켜십시오.") if case.answerable else right(case)


def answers_of(cases: Sequence[GateCase], good: Sequence[bool], *, bad: object = beside) -> dict[str, GateAnswer]:
    """Right where `good` says so, else `bad`."""
    assert callable(bad)
    return {case.fingerprint: right(case) if so else bad(case) for case, so in zip(cases, good, strict=True)}


def noisy(
    cases: Sequence[GateCase], skill: float, random: np.random.Generator, page_luck: NDArray[np.float64]
) -> dict[str, GateAnswer]:
    """Each question is answered well with a chance around `skill` that its page shifts up or down."""
    pages = [int(case.pages[0].split()[1]) for case in cases]
    chances = np.clip(skill + page_luck[pages], 0.02, 0.98)
    return answers_of(cases, random.random(len(cases)) < chances)  # type: ignore[arg-type]


def judged(
    cases: Sequence[GateCase],
    candidate: dict[str, GateAnswer],
    present: dict[str, GateAnswer],
    settings: GateSettings = QUICK,
    parity: Parity | None = None,
) -> Verdict:
    """The verdict over two sets of answers."""
    return decide(cases, (NEW, candidate), (NOW, present), settings, parity=parity)
