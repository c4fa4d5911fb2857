"""What the page 모델 shows, as data: what answers, verdicts side by side, a card, a run of a job. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from itertools import islice
from typing import Any

from bot.loras.seen import counts_in
from bot.messages import Language
from bot.releases.overview import Listed
from bot.store.job_rows import Run
from bot.store.loras import Evaluation
from bot.store.releases import Release
from bot.web import course as courses
from bot.web.charts import Chart
from bot.web.course import Course
from bot.web.texts import Texts
from bot.web.verdict import Measured, Reading, Scale, ShownVerdict, scale

_SIDE_BY_SIDE = 4
"""LoRAs that stand in the comparison."""
_SOON = 60.0
"""Seconds in which a release that can be used has been taken over."""


@dataclass(frozen=True, slots=True)
class Answering:
    """What answers in this process, and what is released."""

    lora: str
    canary: str
    share: float
    newest: Release | None
    pinned: str
    """The setting, where it says what answers; empty: releases do."""
    now: float

    @property
    def settled(self) -> bool:
        """The process has taken over what is released."""
        if self.newest is None or self.pinned:
            return True
        return (self.newest.lora, self.newest.canary) == (self.lora, self.canary)

    @property
    def refused(self) -> bool:
        """It has not, though it had the time: it cannot."""
        return not self.settled and self.newest is not None and self.now - self.newest.at > _SOON


@dataclass(frozen=True, slots=True)
class Row:
    """A measure side by side. `cells`: of each LoRA, None where it was not measured."""

    name: str
    scale: Scale
    cells: Sequence[Measured | None]


@dataclass(frozen=True, slots=True)
class Judged:
    """One evaluation. `verdict` None: it cannot be read."""

    evaluation: Evaluation
    verdict: ShownVerdict | None
    shares: Scale
    ratios: Scale


@dataclass(frozen=True, slots=True)
class Running:
    """A job that makes or judges a LoRA."""

    run: Run
    plots: Sequence[tuple[Course, Chart]]


def compared(
    listed: Sequence[Listed], reading: Reading, language: Language
) -> tuple[Sequence[ShownVerdict], Sequence[Row]]:
    """The latest verdicts of the newest LoRAs beside each other. No more verdicts are read than that takes."""
    latest = (one.evaluation for one in listed if one.evaluation is not None and one.fits)
    readable = (verdict for one in latest if (verdict := _read(one, reading, language)) is not None)
    found = list(islice(readable, _SIDE_BY_SIDE))
    every = [measured for one in found for measured in one.measures]
    scales = {share: scale(every, share=share) for share in (True, False)}
    names = dict.fromkeys(measured.key for measured in every if measured.gain is not None)
    rows = []
    for key in names:
        cells = [next((one for one in verdict.measures if one.key == key), None) for verdict in found]
        first = next(cell for cell in cells if cell is not None)
        rows.append(Row(first.name, scales[first.share], cells))
    return found, rows


def judged(evaluation: Evaluation, reading: Reading, language: Language) -> Judged:
    """One evaluation with its scales."""
    verdict = _read(evaluation, reading, language)
    rows = verdict.measures if verdict is not None else ()
    return Judged(evaluation, verdict, scale(rows, share=True), scale(rows, share=False))


def running(run: Run, found: Sequence[Course], texts: Texts, language: Language, zone: tzinfo) -> Running:
    """A run with the losses of its parts."""
    plots = []
    for one in found:
        known = one.name in ("plain", "preferences")
        named = texts(f"models.training.{one.name}", language) if known else one.name
        title = f"{texts('models.losses', language)}: {named}"
        plots.append((one, courses.chart(one, texts, language, zone, title=title)))
    return Running(run, plots)


def _read(evaluation: Evaluation, reading: Reading, language: Language) -> ShownVerdict | None:
    try:
        return reading(evaluation.verdict, language)
    except (KeyError, TypeError, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class Card:
    """What a card tells, where it tells it."""

    learnt: int | None
    held_out: int | None
    replay: int | None
    seconds: float | None
    steps: str
    device: str
    rank: str

    @classmethod
    def of(cls, card: Mapping[str, Any]) -> Card:
        counts = counts_in(card)
        steps = _mapping(card.get("steps"))
        told = f"{steps.get('done')} / {steps.get('planned')} ({steps.get('best')})" if steps else ""
        seconds = card.get("seconds")
        device = " · ".join(str(card[name]) for name in ("device", "precision") if card.get(name))
        rank = " / ".join(str(card[name]) for name in ("rank", "alpha") if card.get(name) is not None)
        return cls(
            counts.get("learnt"),
            counts.get("held_out"),
            counts.get("replay"),
            float(seconds) if isinstance(seconds, int | float) else None,
            told,
            device,
            rank,
        )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def short(card: Mapping[str, Any]) -> dict[str, Any]:
    """Without its long lists, which are drawn or name examples."""
    return {name: value for name, value in card.items() if not isinstance(value, list) or len(value) < 12}
