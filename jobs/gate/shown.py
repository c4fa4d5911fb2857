"""A verdict for the console: its words and figures, as bot/web/verdict.py draws them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.messages import Language
from bot.web.verdict import Measured, ShownVerdict, Tone
from jobs.gate import texts
from jobs.gate.comparison import Comparison
from jobs.gate.table import figures
from jobs.gate.verdict import Decision, Guard, Verdict

_TONES: Mapping[str, Tone] = {"held": "good", "broken": "bad", "unclear": "warn", "aside": "quiet"}
_HEADS = (
    "measure",
    "present",
    "candidate",
    "difference",
    "margin",
    "questions",
    "state",
    "main",
    "guards",
    "told",
    "kinds",
)


def shown(raw: Mapping[str, Any], language: Language) -> ShownVerdict:
    """Of `evaluations.verdict`. Raises KeyError, TypeError or ValueError for what is no verdict."""
    verdict = Verdict.from_json(raw)
    lacking = verdict.shortage
    tone: Tone = "good" if verdict.passed else "warn" if verdict.decision is Decision.NOT_ENOUGH else "bad"
    return ShownVerdict(
        candidate=verdict.candidate.name,
        present=verdict.present.name,
        passed=verdict.passed,
        tone=tone,
        sentence=texts.decision(verdict, language),
        basis=texts.basis(verdict, language),
        reasons=[
            *texts.reasons(verdict, language),
            *([] if lacking is None else lacking.advice(verdict.candidate.name, language)),
        ],
        main=_measured(verdict.main, language, tone="main"),
        guards=[_guarded(guard, language) for guard in verdict.guards],
        told=[_measured(one, language) for one in verdict.told],
        kinds=[
            (texts.kind(kind, language), [_measured(one, language) for one in many])
            for kind, many in verdict.kinds.items()
        ],
        parity=texts.parity(verdict, language),
        heads={name: texts.column(name, language) for name in _HEADS}
        | {
            "present": texts.column("rival" if verdict.rival else "present", language),
            "main": f"{texts.column('main', language)} ({texts.interval(verdict.main.confidence, language)})",
            "guards": f"{texts.column('guards', language)} ({texts.interval(verdict.settings.guard_confidence, language)})",
        },
    )


def _guarded(guard: Guard, language: Language) -> Measured:
    return _measured(
        guard.comparison,
        language,
        margin=guard.margin,
        state=texts.state(guard, language),
        tone=_TONES[guard.state],
    )


def _measured(
    one: Comparison, language: Language, *, margin: float | None = None, state: str = "", tone: Tone = "quiet"
) -> Measured:
    present, candidate, difference = figures(one)
    low, high = one.gain_bounds or (None, None)
    return Measured(
        key=one.measure,
        name=texts.measure(one.measure, language),
        present=present,
        candidate=candidate,
        difference=difference,
        questions=one.questions,
        share=one.as_ == "share",
        gain=one.gain,
        low=low,
        high=high,
        margin=margin,
        state=state,
        tone=tone,
    )
