"""The course of a training run's losses as a plot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from itertools import pairwise
from typing import Any

from bot.messages import Language
from bot.web.charts import Chart, Series
from bot.web.texts import Texts

_MOST = 300
"""Points of a plot."""


@dataclass(frozen=True, slots=True)
class Course:
    """`losses`: (step from 1, nats per answer token); `held_out`: (steps done, loss). Both by step."""

    name: str
    losses: Sequence[tuple[int, float]] = ()
    held_out: Sequence[tuple[int, float]] = ()
    steps: int | None = None
    """Planned."""
    seconds_left: float | None = None
    paused: bool = False
    """It makes way for people's questions."""
    ended: bool = False


Following = Callable[[str], Sequence[Course]]
"""Id of a run → its parts as they stand on disk. Reads files."""


def of_card(card: Mapping[str, Any]) -> Course | None:
    """As a LoRA's card tells it; None: it tells nothing (made elsewhere)."""
    try:
        losses = [(step, float(loss)) for step, loss in enumerate(card["losses"], start=1)]
        held_out = [(int(step), float(loss)) for step, loss in card.get("held_out_losses", ())]
    except (KeyError, TypeError, ValueError):
        return None
    return Course("", losses, held_out, ended=True) if losses else None


def chart(course: Course, texts: Texts, language: Language, zone: tzinfo, *, title: str = "") -> Chart:
    """For `ui.plot`."""
    losses, seen = dict(course.losses), sorted(dict(course.held_out).items())
    steps = sorted({*losses, *(step for step, _ in seen)})
    if len(steps) > _MOST:
        kept = {step for step, _ in seen} | set(steps[:: len(steps) // _MOST + 1]) | {steps[-1]}
        steps = [step for step in steps if step in kept]
    last = course.losses[-1][1] if course.losses else 0.0
    return Chart(
        title=title or texts("models.losses", language),
        summary=texts(
            "models.losses.summary",
            language,
            steps=len(course.losses),
            last=f"{last:.3f}",
            held=f"{seen[-1][1]:.3f}" if seen else "–",
        ),
        x=[float(step) for step in steps],
        series=[
            Series(texts("models.loss", language), [losses.get(step) for step in steps], "1"),
            Series(texts("models.held_out", language), [_between(seen, step) for step in steps], "2"),
        ],
        zone=zone,
        time=False,
        x_label=texts("models.step", language),
        height=260,
    )


def _between(seen: Sequence[tuple[int, float]], step: int) -> float | None:
    """On the straight line between two measurements."""
    for (left, before), (right, after) in pairwise(seen):
        if left <= step <= right:
            return before + (after - before) * (step - left) / (right - left)
    return next((loss for at, loss in seen if at == step), None)
