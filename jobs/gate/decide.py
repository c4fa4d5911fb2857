"""Answers of both sides → the verdict. Pure: the same answers and settings always give the same one, and nothing is asked here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jobs.gate.answers import GateAnswer
from jobs.gate.cases import GateCase, clusters
from jobs.gate.comparison import Comparison, Resampling, compare, questions_if_alike, questions_needed
from jobs.gate.measures import MEASURES, NOTHING, Measure
from jobs.gate.parity import Parity
from jobs.gate.settings import GateSettings
from jobs.gate.verdict import Decision, Guard, State, Verdict, Who

Answers = Mapping[str, GateAnswer]
"""Fingerprint of the question → answer."""

_OF_KINDS = ("contains", "citation_precision", "wrongly_declined", "abstention_recall")
"""Beside the main measure."""
_POWER = 0.8
"""For "how many questions are needed": the usual chance of seeing a difference that is there."""
_NAMED = 10


def decide(
    cases: Sequence[GateCase],
    candidate: tuple[Who, Answers],
    present: tuple[Who, Answers],
    settings: GateSettings,
    *,
    parity: Parity | None = None,
    rival: bool = False,
) -> Verdict:
    """Judge. Every case must have an answer on both sides. `rival`: see `Verdict`.

    Passed: the main measure's interval lies above `least_gain`, over at least `least_clusters` clusters; no guard is `broken` or
    `unclear` (see `Guard`); and parity, where it was measured, holds. Otherwise the gravest reason decides, in the order of `Decision`.
    """
    judge = _Judge(cases, candidate[1], present[1], settings)
    by_name = {measure.name: measure for measure in MEASURES}
    main = judge.compared(by_name[settings.main])
    guards = tuple(
        _guard(judge, measure, margin) for measure in MEASURES if (margin := settings.margins.of(measure.name))
    )
    guarded = {settings.main, *(guard.comparison.measure for guard in guards)}
    decision, needed = _decision(main, guards, parity, settings)
    won, lost = judge.changed(by_name[settings.main])
    return Verdict(
        decision=decision,
        candidate=candidate[0],
        present=present[0],
        questions=len(cases),
        clusters=len(set(judge.clusters)),
        main=main,
        needed=needed,
        guards=guards,
        told=tuple(judge.compared(measure) for measure in MEASURES if measure.name not in guarded),
        kinds=judge.by_kind([by_name[name] for name in dict.fromkeys((settings.main, *_OF_KINDS))]),
        parity=parity,
        won=won,
        lost=lost,
        settings=settings,
        rival=rival,
    )


def _decision(
    main: Comparison, guards: Sequence[Guard], parity: Parity | None, settings: GateSettings
) -> tuple[Decision, int | None]:
    """And how many questions the main measure needs, where it is better but not beyond noise."""
    gain, bounds = main.gain, main.gain_bounds
    better = bounds is not None and bounds[0] > settings.least_gain and main.clusters >= settings.least_clusters
    needed = None if better else _needed(main, settings)
    if parity is not None and not parity.holds(settings):
        return Decision.UNFAITHFUL, needed
    if (bounds is not None and bounds[1] < 0) or any(guard.state == "broken" for guard in guards):
        return Decision.WORSE, needed
    if bounds is not None and gain is not None and gain <= settings.least_gain:
        return Decision.NOT_BETTER, needed
    if not better or any(guard.state == "unclear" for guard in guards):
        return Decision.NOT_ENOUGH, needed
    return Decision.PASSED, None


def _needed(main: Comparison, settings: GateSettings) -> int | None:
    """Enough to show the gain, and at least `least_clusters` clusters if they stay as large as they are."""
    shown = questions_needed(main, settings.least_gain, power=_POWER)
    if main.clusters >= settings.least_clusters:
        return shown
    most = -(-settings.least_clusters * max(main.questions, 1) // max(main.clusters, 1))
    return max(shown or 0, most)


def _guard(judge: _Judge, measure: Measure, margin: float) -> Guard:
    comparison = judge.compared(measure, guard=True)
    gain, bounds = comparison.gain, comparison.gain_bounds
    if comparison.present is None and not measure.must_count:
        return Guard(comparison, margin, "aside")
    state: State = "unclear"
    needed: int | None = None
    if gain is None or bounds is None:
        needed = questions_if_alike(margin, comparison.confidence) if measure.as_ == "share" else None
    elif bounds[0] >= -margin:
        state = "held"
    elif gain < -margin and bounds[1] < 0:
        state = "broken"
    else:
        needed = questions_needed(comparison, -margin, power=0.5)
    return Guard(comparison, margin, state, needed)


class _Judge:
    """The answers of one gate, lined up."""

    def __init__(self, cases: Sequence[GateCase], candidate: Answers, present: Answers, settings: GateSettings) -> None:
        self.cases = cases
        self.clusters = clusters(cases)
        self._pairs = [(candidate[case.fingerprint], present[case.fingerprint]) for case in cases]
        self._settings = settings

    def compared(self, measure: Measure, *, guard: bool = False, only: Sequence[int] | None = None) -> Comparison:
        """One measure, over all cases or `only` some places."""
        settings = self._settings
        places = range(len(self.cases)) if only is None else only
        shares = [self._shares(measure, place) for place in places]
        confidence = settings.guard_confidence if guard else settings.confidence
        return compare(
            measure.name,
            measure.better,
            measure.as_,
            [theirs for theirs, _ in shares],
            [ours for _, ours in shares],
            [self.clusters[place] for place in places],
            Resampling(confidence, settings.resamples, settings.seed, cautious=guard),
        )

    def by_kind(self, measures: Sequence[Measure]) -> dict[str, tuple[Comparison, ...]]:
        """Only what counts there."""
        kinds = sorted({kind for case in self.cases for kind in case.kinds})
        found = {}
        for kind in kinds:
            places = [place for place, case in enumerate(self.cases) if kind in case.kinds]
            compared = [self.compared(measure, only=places) for measure in measures]
            found[kind] = tuple(one for one in compared if one.questions)
        return found

    def changed(self, measure: Measure) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Ids of what was won and of what was lost most."""
        gains = []
        for place, case in enumerate(self.cases):
            theirs, ours = self._shares(measure, place)
            if theirs[1] and ours[1]:
                gains.append((theirs[0] / theirs[1] - ours[0] / ours[1], case.id))
        won = sorted((-gain, name) for gain, name in gains if gain > 0)[:_NAMED]
        lost = sorted((gain, name) for gain, name in gains if gain < 0)[:_NAMED]
        return tuple(name for _, name in won), tuple(name for _, name in lost)

    def _shares(self, measure: Measure, place: int) -> tuple[tuple[float, float], tuple[float, float]]:
        case, (theirs, ours) = self.cases[place], self._pairs[place]
        if measure.one_run and (theirs.run != ours.run or not theirs.run):
            return NOTHING, NOTHING
        return measure.of(case, theirs), measure.of(case, ours)
