"""Only what is better beyond noise and worse nowhere passes."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import InvalidSetting
from bot.messages import Outcome
from jobs.gate.answers import GateAnswer
from jobs.gate.cases import clusters
from jobs.gate.comparison import Resampling, compare
from jobs.gate.measures import MEASURES
from jobs.gate.parity import Parity
from jobs.gate.settings import GateSettings, Margins
from jobs.gate.verdict import Decision, Guard, Verdict
from tests.jobs.gate.sides import QUICK, WANTED, answers_of, beside, judged, make_cases, noisy, right, wrong

CASES = make_cases(300)
HALF = [number % 2 == 0 for number in range(len(CASES))]


def guard(verdict: Verdict, measure: str) -> Guard:
    [found] = [one for one in verdict.guards if one.comparison.measure == measure]
    return found


@given(good=st.lists(st.booleans(), min_size=40, max_size=40), count=st.integers(2, 40))
@settings(max_examples=25, deadline=None)
def test_identical_sides_never_pass(good: list[bool], count: int) -> None:
    cases = make_cases(count, per_page=1)
    same = answers_of(cases, good[:count])
    verdict = judged(cases, same, same, replace(QUICK, least_clusters=10, resamples=1000))
    assert not verdict.passed
    assert verdict.main.difference in (0.0, None)
    assert {one.state for one in verdict.guards} <= {"held", "unclear", "aside"}


def test_a_clearly_better_side_passes() -> None:
    verdict = judged(CASES, answers_of(CASES, [True] * 300), answers_of(CASES, HALF))
    assert verdict.decision is Decision.PASSED
    assert verdict.stopped_by == ()
    assert verdict.main.low is not None
    assert verdict.main.low > 0.2
    assert verdict.main.low < verdict.main.difference < verdict.main.high  # type: ignore[operator]
    assert (verdict.questions, verdict.clusters) == (300, 150)


SPANS = [replace(case, answers=("15일",)) if case.answerable else case for case in CASES]
"""Wanted is what people write into an evaluation set: the number, not the sentence around it."""


def saying(text: str, good: list[bool]) -> dict[str, GateAnswer]:
    """`text` where `good` says so, else that other number."""
    return {
        case.fingerprint: replace(right(case), text=text if so else text.replace("15", "18"))
        if case.answerable
        else right(case)
        for case, so in zip(SPANS, good, strict=True)
    }


def test_a_bare_fragment_is_no_better_than_the_sentence_that_says_the_same() -> None:
    often = [number % 5 != 0 for number in range(len(SPANS))]
    sentences, fragments = saying(WANTED, often), saying("15일", HALF)
    assert judged(SPANS, sentences, fragments).passed
    assert judged(SPANS, sentences, saying("15일", often)).main.difference == 0.0
    assert judged(SPANS, sentences, fragments, replace(QUICK, main="answer_f1")).decision is Decision.WORSE


def test_a_wrong_number_in_a_whole_sentence_is_worse_than_the_right_one_in_a_fragment() -> None:
    wrong_number = saying(WANTED, [False] * len(SPANS))
    assert judged(SPANS, wrong_number, saying("15일", [True] * len(SPANS))).decision is Decision.WORSE


@pytest.mark.parametrize(
    "hedge",
    [
        "연차는 15일 또는 18일입니다.",
        "연차는 15일이 아니라 18일입니다.",
        "연차는 사원 11일, 대리 13일, 과장 15일, 차장 18일입니다.",
    ],
)
def test_who_names_every_number_has_the_wanted_words_more_often_and_does_not_pass(hedge: str) -> None:
    often = [number % 5 != 0 for number in range(len(SPANS))]
    naming = {key: replace(one, text=hedge) if one.text else one for key, one in saying(WANTED, often).items()}
    verdict = judged(SPANS, naming, saying(WANTED, often))
    assert verdict.main.low is not None
    assert verdict.main.low > 0
    assert guard(verdict, "number_precision").state == "broken"
    assert verdict.decision is Decision.WORSE


def test_one_true_number_more_now_and_then_is_forgiven() -> None:
    often = [number % 5 != 0 for number in range(len(SPANS))]
    telling = {
        key: replace(one, text="연차는 1년에 15일이며, 7일까지 이월합니다.") if one.text and number % 8 == 0 else one
        for number, (key, one) in enumerate(saying(WANTED, [True] * len(SPANS)).items())
    }
    verdict = judged(SPANS, telling, saying("15일", often))
    assert guard(verdict, "number_precision").state == "held"
    assert verdict.passed


def test_sides_swapped_the_worse_one_is_told_to_be_worse() -> None:
    verdict = judged(CASES, answers_of(CASES, HALF), answers_of(CASES, [True] * 300))
    assert verdict.decision is Decision.WORSE


def test_with_few_questions_even_the_best_is_not_enough_and_it_says_how_many_are() -> None:
    cases = make_cases(20)
    verdict = judged(cases, answers_of(cases, [True] * 20), answers_of(cases, [False] * 20))
    assert verdict.decision is Decision.NOT_ENOUGH
    assert verdict.needed is not None
    assert verdict.needed >= 60  # 30 pages with two questions each


def test_a_gain_within_noise_is_not_enough_and_the_number_it_names_would_do() -> None:
    good = [number % 7 != 0 for number in range(80)]
    cases = make_cases(80, per_page=1)
    better = answers_of(cases, [so or number % 35 == 0 for number, so in enumerate(good)])
    verdict = judged(cases, better, answers_of(cases, good))
    assert verdict.decision is Decision.NOT_ENOUGH
    assert verdict.main.gain is not None
    assert verdict.main.gain > 0
    assert verdict.needed is not None
    many = verdict.needed // 80 + 1
    cases = make_cases(80 * many, per_page=1)
    better = answers_of(cases, [so or number % 35 == 0 for number, so in enumerate(good)] * many)
    again = judged(cases, better, answers_of(cases, good * many))
    assert again.main.gain_bounds is not None
    assert again.main.gain_bounds[0] > 0


@pytest.mark.parametrize("given_share", [0.0, 0.5, 1.0])
def test_without_passages_or_without_a_wiki_what_cannot_be_counted_stops_nobody(given_share: float) -> None:
    cases = make_cases(300, given=given_share)
    verdict = judged(cases, answers_of(cases, [True] * 300), answers_of(cases, HALF))
    assert verdict.passed
    assert guard(verdict, "left_out").state == ("aside" if given_share == 1.0 else "held")


def test_a_set_without_unanswerable_questions_cannot_vouch_for_refusals() -> None:
    cases = make_cases(300, unanswerable=0.0)
    verdict = judged(cases, answers_of(cases, [True] * 300), answers_of(cases, HALF))
    assert verdict.decision is Decision.NOT_ENOUGH
    [stopping] = verdict.stopped_by
    assert stopping.comparison.measure == "abstention_recall"
    assert stopping.needed is not None
    assert 30 <= stopping.needed <= 40


def test_what_serves_now_and_never_cites_is_no_bar() -> None:
    mute = {key: replace(one, cited=()) for key, one in answers_of(CASES, HALF).items()}
    verdict = judged(CASES, answers_of(CASES, [True] * 300), mute)
    assert guard(verdict, "citation_precision").state == "aside"
    assert verdict.passed


def harmed(measure: str, every: int) -> dict[str, GateAnswer]:
    """The best answers, every so many of those that count for the measure spoiled in that respect alone."""
    spoilt = {}
    counted = 0
    for case in CASES:
        answer = right(case)
        hurt: GateAnswer | None = None
        if measure == "citation_precision" and case.answerable:
            hurt = replace(answer, cited=("2",))
        elif measure == "citation_recall" and case.answerable:
            hurt = replace(answer, cited=())
        elif (measure, case.answerable) in {("abstention_recall", False), ("wrongly_declined", True)}:
            hurt = wrong(case)
        elif measure == "contains" and case.answerable:
            hurt = replace(answer, text=WANTED[:-4])
        elif measure == "wrong_language":
            hurt = replace(answer, notes=("wrong_language",))
        elif measure == "failed":
            hurt = GateAnswer(Outcome.FAILED)
        elif measure == "too_long":
            hurt = replace(answer, text=answer.text + " 덧붙입니다." * 30)
        elif measure == "left_out" and not case.passages:
            hurt = replace(answer, notes=("removed_number",))
        counted += hurt is not None
        spoilt[case.fingerprint] = hurt if hurt is not None and counted % every == 0 else answer
    return spoilt


@pytest.mark.parametrize(
    "measure",
    [
        "citation_precision", "citation_recall", "abstention_recall", "wrongly_declined", "contains",
        "wrong_language", "failed", "left_out", "too_long",
    ],
)  # fmt: skip
def test_each_guard_stops_what_is_better_on_the_whole_and_worse_there(measure: str) -> None:
    present = {
        case.fingerprint: beside(case) if case.answerable and number % 2 else right(case)
        for number, case in enumerate(CASES)
    }
    if measure == "contains":  # a gain that lies elsewhere
        present = {case.fingerprint: right(case) if case.answerable else wrong(case) for case in CASES}
    verdict = judged(CASES, harmed(measure, 5), present)
    assert verdict.main.low is not None
    assert verdict.main.low > 0
    assert guard(verdict, measure).state == "broken"
    assert verdict.decision is Decision.WORSE


def test_a_guard_holds_within_its_margin() -> None:
    verdict = judged(CASES, harmed("wrong_language", 100), answers_of(CASES, HALF))
    assert guard(verdict, "wrong_language").comparison.difference == pytest.approx(0.01)
    assert verdict.passed


@pytest.mark.parametrize(("factor", "state"), [(1.5, "held"), (3.0, "broken")])
def test_slower_answers_are_guarded(factor: float, state: str) -> None:
    random = np.random.default_rng(2)
    present, candidate = {}, {}
    for case in CASES:
        seconds = float(random.lognormal(1, 0.4))
        present[case.fingerprint] = replace(right(case) if HALF[CASES.index(case)] else beside(case), total=seconds)
        spoken = right(case)
        candidate[case.fingerprint] = replace(spoken, total=factor * seconds * float(random.lognormal(0, 0.1)))
    verdict = judged(CASES, candidate, present)
    assert guard(verdict, "seconds").state == state
    assert verdict.passed == (state == "held")


def test_seconds_of_different_runs_are_not_compared() -> None:
    old = {key: replace(one, run="old", total=0.1) for key, one in answers_of(CASES, HALF).items()}
    verdict = judged(CASES, answers_of(CASES, [True] * 300), old)
    assert guard(verdict, "seconds").comparison.questions == 0
    assert guard(verdict, "seconds").state == "aside"


@pytest.mark.parametrize(
    ("parity", "decision"),
    [
        (Parity(4, 100, 0.03, 0.99, 0.6), Decision.PASSED),
        (Parity(4, 100, 0.04, 0.99, 0.05), Decision.PASSED),  # a small LoRA: rounding is as large as its effect
        (Parity(4, 100, 0.15, 0.99, 0.2), Decision.UNFAITHFUL),
        (Parity(4, 100, 0.30, 0.99, 2.0), Decision.UNFAITHFUL),
        (Parity(4, 100, 0.03, 0.80, 0.6), Decision.UNFAITHFUL),
    ],
)
def test_a_candidate_that_is_not_what_was_trained_does_not_pass(parity: Parity, decision: Decision) -> None:
    verdict = judged(CASES, answers_of(CASES, [True] * 300), answers_of(CASES, HALF), parity=parity)
    assert verdict.decision is decision


def test_the_verdict_survives_json() -> None:
    verdict = judged(CASES, harmed("failed", 9), answers_of(CASES, HALF), parity=Parity(4, 100, 0.03, 0.99, 0.6))
    raw = json.loads(json.dumps(verdict.as_json(), ensure_ascii=False))
    again = Verdict.from_json(raw)
    assert again.as_json() == verdict.as_json()
    assert again.decision is verdict.decision
    assert again.guards[0].comparison.measure == verdict.guards[0].comparison.measure
    assert set(raw["kinds"]) >= {"answerable", "unanswerable", "numbers", "passages given", "through the wiki", "plain"}
    assert raw["won"]
    assert "연차" not in json.dumps(raw, ensure_ascii=False)  # nobody's words


def test_the_same_answers_give_the_same_verdict() -> None:
    first, second = (judged(CASES, harmed("failed", 9), answers_of(CASES, HALF)) for _ in range(2))
    assert first == second


@pytest.mark.slow
def test_of_two_equal_noisy_sides_no_more_are_promoted_than_the_level_says() -> None:
    """1000 simulated gates of 120 questions on 40 pages; both sides have the same skill, and pages have their luck."""
    random = np.random.default_rng(11)
    cases = make_cases(120, per_page=3)
    pages = clusters(cases)
    [measure] = [one for one in MEASURES if one.name == QUICK.main]
    beyond = 0
    for _ in range(1000):
        luck = random.normal(0, 0.2, 40)
        theirs, ours = (noisy(cases, 0.6, random, luck) for _ in range(2))
        rows = [[measure.of(case, side[case.fingerprint]) for case in cases] for side in (theirs, ours)]
        found = compare("x", "higher", "share", rows[0], rows[1], pages, Resampling(QUICK.confidence, 1000))
        beyond += found.low is not None and found.low > 0
    print(f"of two equal sides beyond noise: {beyond / 1000:.3f}, nominal 0.025")  # noqa: T201
    assert beyond / 1000 <= 0.037  # 0.025 and 2.5 standard errors of 1000 runs


@pytest.mark.slow
def test_with_all_guards_equal_sides_are_promoted_rarely_and_better_ones_mostly() -> None:
    random = np.random.default_rng(12)
    cases = make_cases(240, per_page=3)
    quick = replace(QUICK, resamples=1000)
    promoted = {0.55: 0, 0.75: 0}
    for skill in promoted:
        for _ in range(40):
            luck = random.normal(0, 0.2, 80)
            candidate, present = noisy(cases, skill, random, luck), noisy(cases, 0.55, random, luck)
            promoted[skill] += judged(cases, candidate, present, quick).passed
    print(f"promoted of 40: {promoted}")  # noqa: T201
    assert promoted[0.55] <= 3
    assert promoted[0.75] >= 32


@pytest.mark.parametrize(
    "bad",
    [
        {"main": "seconds"}, {"confidence": 1.0}, {"guard_confidence": 0.2}, {"least_clusters": 2}, {"resamples": 10},
        {"parity_top1": float("nan")}, {"margins": Margins(failed=0.0)}, {"least_gain": -0.1}, {"timed_questions": -1},
    ],
)  # fmt: skip
def test_impossible_settings_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(InvalidSetting):
        GateSettings(**bad)  # type: ignore[arg-type]


def test_the_defaults_are_those_of_config_toml() -> None:
    from bot.job_settings import GateTable

    assert GateSettings.from_json(GateTable().model_dump()) == GateSettings()
