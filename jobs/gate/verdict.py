"""What the gate found, as one frozen value: stored as JSON, shown as a table and as a picture. Figures and ids only, nobody's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from bot.releases.shortage import Shortage
from jobs.gate.answers import Stamp
from jobs.gate.comparison import Comparison
from jobs.gate.parity import Parity
from jobs.gate.settings import GateSettings


class Decision(StrEnum):
    """One word. Only `passed` lets a candidate through."""

    PASSED = "passed"
    UNFAITHFUL = "unfaithful"
    """llama.cpp does not serve what torch trained (`jobs.gate.parity`)."""
    WORSE = "worse"
    """Beyond noise: on the main measure, or on a guarded one by more than its margin."""
    NOT_BETTER = "not_better"
    """As far as can be seen, no better on the main measure."""
    NOT_ENOUGH = "not_enough"
    """Better as far as can be seen, but with so few questions it may be chance, or a guard cannot be vouched for."""


State = Literal["held", "broken", "unclear", "aside"]


@dataclass(frozen=True, slots=True)
class Guard:
    """One guarded measure. With `gain` positive where the candidate is better:

    `held`: the interval's lower end is above -margin. `broken`: the gain is below -margin and the interval's upper end below 0.
    `unclear`: everything else: not enough questions to tell. `aside`: what serves now has no such figure (it never cites, say, or no
    question is over the wiki), so nothing can be worse; only where that is no gap of the set (`Measure.must_count`).
    """

    comparison: Comparison
    margin: float
    state: State
    needed: int | None = None
    """When unclear: about how many questions that count here would do; None: cannot be said."""

    @property
    def worse(self) -> bool:
        """By more than the margin as measured, be it chance."""
        gain = self.comparison.gain
        return self.state in ("broken", "unclear") and gain is not None and gain < -self.margin

    def as_json(self) -> dict[str, object]:
        """Its four parts."""
        return {
            "comparison": self.comparison.as_json(),
            "margin": self.margin,
            "state": self.state,
            "needed": self.needed,
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Guard:
        """What `as_json` gave."""
        return cls(**{**raw, "comparison": Comparison.from_json(raw["comparison"])})


@dataclass(frozen=True, slots=True)
class Who:
    """One side by name and stamp."""

    name: str
    stamp: Stamp

    def as_json(self) -> dict[str, object]:
        """Both."""
        return {"name": self.name, "stamp": self.stamp.as_json()}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Who:
        """What `as_json` gave."""
        return cls(raw["name"], Stamp.from_json(raw["stamp"]))


@dataclass(frozen=True, slots=True)
class Verdict:
    """The whole table. `kinds`: some measures per kind of question, for reading; they decide nothing."""

    decision: Decision
    candidate: Who
    present: Who
    questions: int
    clusters: int
    main: Comparison
    needed: int | None
    """When the main measure is not beyond noise though better: about how many questions would show it."""
    guards: tuple[Guard, ...]
    told: tuple[Comparison, ...]
    """The other measures."""
    kinds: Mapping[str, tuple[Comparison, ...]]
    parity: Parity | None
    """None: training left nothing to compare with."""
    won: tuple[str, ...]
    """Ids of the questions with the largest gains on the main measure, at most ten, and of the largest losses."""
    lost: tuple[str, ...]
    settings: GateSettings
    rival: bool = False
    """`present` does not answer now: it is the same run's LoRA that learnt without preferences."""

    @property
    def passed(self) -> bool:
        """Whether the candidate may answer."""
        return self.decision is Decision.PASSED

    @property
    def stopped_by(self) -> tuple[Guard, ...]:
        """Guards that did not hold."""
        return tuple(guard for guard in self.guards if guard.state in ("broken", "unclear"))

    @property
    def shortage(self) -> Shortage | None:
        """What is lacking where only more questions can tell; else None. Of rivals nobody is asked again."""
        if self.decision is not Decision.NOT_ENOUGH or self.rival:
            return None
        unclear = [guard for guard in self.guards if guard.state == "unclear"]
        refusals = next((guard for guard in self.guards if guard.comparison.measure == "abstention_recall"), None)
        wanted = [] if self._better else [(self.main.questions, self.needed)]
        wanted += [(guard.comparison.questions, guard.needed) for guard in unclear]
        # As they are mixed now so many in all hold enough of each; of what there is none yet comes on top.
        totals = [
            -(-self.questions * need // had) if had else self.questions + need
            for had, need in wanted
            if need is not None
        ]
        return Shortage(
            questions=self.questions,
            # What would do for one of them does not where nobody can say how many another one needs.
            questions_needed=max(totals, default=None) if len(totals) == len(wanted) else None,
            groups=self.main.clusters,
            groups_needed=self.settings.least_clusters,
            unanswerable=0 if refusals is None else refusals.comparison.questions,
            unanswerable_needed=refusals.needed if refusals is not None and refusals in unclear else None,
            worse=tuple(guard.comparison.measure for guard in unclear if guard.worse),
        )

    @property
    def _better(self) -> bool:
        """On the main measure, beyond noise: see `jobs.gate.decide`."""
        bounds = self.main.gain_bounds
        few = self.main.clusters < self.settings.least_clusters
        return bounds is not None and bounds[0] > self.settings.least_gain and not few

    @property
    def measures(self) -> tuple[Comparison, ...]:
        """All of them: the main one first, then guards, then the rest."""
        return (self.main, *(guard.comparison for guard in self.guards), *self.told)

    def as_json(self) -> dict[str, object]:
        """For `evaluations.verdict` and `--json`."""
        return {
            "decision": self.decision.value,
            "passed": self.passed,
            "candidate": self.candidate.as_json(),
            "present": self.present.as_json(),
            "questions": self.questions,
            "clusters": self.clusters,
            "main": self.main.as_json(),
            "needed": self.needed,
            "guards": [guard.as_json() for guard in self.guards],
            "told": [one.as_json() for one in self.told],
            "kinds": {kind: [one.as_json() for one in many] for kind, many in self.kinds.items()},
            "parity": None if self.parity is None else self.parity.as_json(),
            "won": list(self.won),
            "lost": list(self.lost),
            "settings": self.settings.as_json(),
            "rival": self.rival,
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Verdict:
        """What `as_json` gave."""
        return cls(
            decision=Decision(raw["decision"]),
            candidate=Who.from_json(raw["candidate"]),
            present=Who.from_json(raw["present"]),
            questions=raw["questions"],
            clusters=raw["clusters"],
            main=Comparison.from_json(raw["main"]),
            needed=raw["needed"],
            guards=tuple(Guard.from_json(one) for one in raw["guards"]),
            told=tuple(Comparison.from_json(one) for one in raw["told"]),
            kinds={kind: tuple(Comparison.from_json(one) for one in many) for kind, many in raw["kinds"].items()},
            parity=None if raw["parity"] is None else Parity.from_json(raw["parity"]),
            won=tuple(raw["won"]),
            lost=tuple(raw["lost"]),
            settings=GateSettings.from_json(raw["settings"]),
            rival=raw.get("rival", False),  # verdicts of before have none
        )
