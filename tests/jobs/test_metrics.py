"""Every metric against values worked out by hand, and what must hold for all inputs."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs import metrics

PAGES = st.lists(st.sampled_from([f"{letter}.md" for letter in "abcdefghijklmno"]), max_size=15, unique=True)
GOLD = st.lists(st.sampled_from([f"{letter}.md" for letter in "abcdefgh"]), min_size=1, max_size=4, unique=True)
TEXT = st.text(alphabet="가나다라15.,% ab()-", max_size=12)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("《삼국유사》", "삼국유사"),
        ("뉘르부르크링(Nürburgring)", "뉘르부르크링 nürburgring"),
        ("GP-슈트레케", "gp슈트레케"),  # the official script deletes the hyphen, it does not part the words
        ("  1,000 원. ", "1000 원"),
        ("‘이순신’ 장군", "이순신 장군"),
        ("“이순신”", "“이순신”"),  # curly double quotes are not on the official list
        (unicodedata.normalize("NFD", "연차"), "연차"),
        ("?!", ""),
    ],
)
def test_normalise_answer(text: str, normal: str) -> None:
    assert metrics.normalise_answer(text) == normal


def test_exact_match() -> None:
    assert metrics.exact_match("15일.", ["15일"]) == 1.0
    assert metrics.exact_match("연차는 15일입니다", ["15일"]) == 0.0
    assert metrics.exact_match("5일", ["최대 5일", "5일"]) == 1.0
    assert metrics.exact_match("5일", []) == 0.0


def test_character_f1() -> None:
    # "15일" in "연차는15일입니다" (9 characters): 3 in common, P = 3/9, R = 3/3, F1 = 2·(1/3)/(4/3) = 1/2
    assert metrics.character_f1("연차는 15일입니다.", ["15일"]) == pytest.approx(0.5)
    # common {가}: P = 1/2, R = 1/3, F1 = 2·(1/6)/(5/6) = 0.4
    assert metrics.character_f1("가나", ["가다라"]) == pytest.approx(0.4)
    assert metrics.character_f1("가가", ["가"]) == pytest.approx(2 / 3)  # a multiset: the second 가 is not in common
    assert metrics.character_f1("가나", ["다라", "가나"]) == 1.0
    assert metrics.character_f1("", ["가"]) == 0.0
    assert metrics.character_f1("?", ["!"]) == 0.0
    assert metrics.character_f1("가", []) == 0.0


@pytest.mark.parametrize(
    ("answer", "gold", "score"),
    [
        ("연차는 15일입니다.", "15일", 1.0),
        ("입사 3년부터 연차는 15 일입니다.", "15일", 1.0),
        ("한도는 연 1,500,000원입니다.", "1500000원", 1.0),
        ("연차는 18일입니다.", "15일", 1 / 3),  # of 18일: P = R = 1/3
        ("연차는 1.5일입니다.", "15일", 1 / 3),  # of 일입니
        ("프로필은 vpn-busan입니다.", "vpn-seoul", 3 / 8),  # of vpn busan
        ("15일", "최대 15일", 0.75),  # the whole answer is shorter: P = 1, R = 3/5
        (
            "월요일에는 오전에 열고 금요일에는 쉽니다",
            "월요일, 금요일",
            12 / 19,
        ),  # of all from the first to the last, 13 characters
        ("연차는 없습니다.", "15일", 0.0),
        ("", "15일", 0.0),
        ("15일", "?", 0.0),
    ],
)
def test_span_f1_takes_the_stretch_that_fits_best_and_numbers_whole(answer: str, gold: str, score: float) -> None:
    assert metrics.span_f1(answer, [gold]) == pytest.approx(score)


def test_span_f1_takes_the_best_gold() -> None:
    assert metrics.span_f1("최대 5일까지 이월합니다.", ["닷새", "최대 5일"]) == 1.0
    assert metrics.span_f1("최대 5일까지 이월합니다.", []) == 0.0


@pytest.mark.parametrize(
    ("answer", "gold", "found"),
    [
        ("연차는 15일입니다.", "15일", True),
        ("연차는 15일입니다.", "5일", False),
        ("연차는 1.5일입니다.", "5일", False),
        ("연차는 1.5일입니다.", "1.5일", True),
        ("연차는 15일입니다.", "1.5일", False),
        ("일비는 40,000원입니다.", "40000원", True),
        ("일비는 40000 원입니다.", "40,000원", True),
        ("상한은 7,200만 원입니다.", "7,200", True),
        ("상한은 17,200만 원입니다.", "7,200", False),
        ("3 영업일전까지 신청합니다.", "3영업일 전", True),
        ("3~5일 걸립니다.", "3~5일", True),
        ("35일 걸립니다.", "3~5일", False),
        ("연봉의 10%까지입니다.", "10%", True),
        ("10명입니다.", "10%", False),
        ("security 팀", "IT", False),
        ("IT팀에 묻습니다.", "it팀", True),
        ("휴가 > 휴가 신청에서 합니다.", "휴가 > 휴가 신청", True),
        (unicodedata.normalize("NFD", "나루워크에서"), "나루워크", True),
        ("아무 말", "?", False),
        ("", "가", False),
    ],
)
def test_contains(answer: str, gold: str, found: bool) -> None:
    assert metrics.contains(answer, [gold]) == float(found)


def test_contains_takes_one_gold_and_contains_all_takes_every_one() -> None:
    text = "국내는 40,000원, 미국은 80달러입니다."
    assert metrics.contains(text, ["40,000원", "90달러"]) == 1.0
    assert metrics.contains_all(text, ["40,000원", "90달러"]) == 0.0
    assert metrics.contains_all(text, ["40,000원", "80달러"]) == 1.0
    assert metrics.contains(text, []) == metrics.contains_all(text, []) == 0.0


def test_ranking_of_one_gold_page() -> None:
    ranked = ["a", "b", "c"]
    assert [metrics.recall_at(ranked, ["b"], k) for k in (1, 2, 10)] == [0.0, 1.0, 1.0]
    assert metrics.reciprocal_rank(ranked, ["b"]) == 0.5
    assert metrics.ndcg(ranked, ["b"]) == pytest.approx(1 / math.log2(3))
    assert metrics.reciprocal_rank(ranked, ["z"]) == metrics.ndcg(ranked, ["z"]) == 0.0
    assert metrics.reciprocal_rank([*"abcdefghijk"], ["k"]) == 0.0  # rank 11


def test_ranking_of_two_gold_pages() -> None:
    ranked = ["a", "x", "b"]
    assert [metrics.recall_at(ranked, ["a", "b"], k) for k in (1, 2, 3)] == [0.5, 0.5, 1.0]
    assert metrics.reciprocal_rank(ranked, ["b", "a"]) == 1.0
    # (1/log2 2 + 1/log2 4) / (1/log2 2 + 1/log2 3) = 1.5 / 1.6309
    assert metrics.ndcg(ranked, ["a", "b"]) == pytest.approx(1.5 / (1 + 1 / math.log2(3)))


def test_a_page_found_twice_takes_one_rank() -> None:
    assert metrics.reciprocal_rank(["a", "a", "b"], ["b"]) == 0.5
    assert metrics.recall_at(["a", "a", "b"], ["b"], 2) == 1.0


def test_without_gold_pages_nothing_is_found() -> None:
    assert metrics.recall_at(["a"], [], 1) == metrics.reciprocal_rank(["a"], []) == metrics.ndcg(["a"], []) == 0.0


def test_cited_pages() -> None:
    assert metrics.page_precision(["a", "a", "b"], ["a"]) == 0.5
    assert metrics.page_recall(["a"], ["a", "b"]) == 0.5
    assert metrics.page_precision([], ["a"]) == metrics.page_recall(["a"], []) == 0.0


def test_bootstrap() -> None:
    found = metrics.bootstrap([1.0, 0.0] * 50, seed=7)
    assert (found.mean, found.n) == (0.5, 100)
    assert found.low is not None
    assert found.high is not None
    # The standard error of a mean of 100 fair coins is .05: an interval of about ±.098.
    assert found.low == pytest.approx(0.402, abs=0.02)
    assert found.high == pytest.approx(0.598, abs=0.02)
    assert found == metrics.bootstrap([1.0, 0.0] * 50, seed=7)
    assert metrics.bootstrap([0.25]) == metrics.Mean(0.25, 0.25, 0.25, 1)
    assert metrics.bootstrap([]) == metrics.Mean(None, None, None, 0)
    assert metrics.bootstrap([1 / 3]).as_json() == {"mean": 0.3333, "low": 0.3333, "high": 0.3333, "n": 1}


def test_bootstrap_ratio_leaves_out_samples_that_say_nothing() -> None:
    found = metrics.bootstrap_ratio([1.0, 0.0], [2.0, 0.0])
    assert found == metrics.Mean(0.5, 0.5, 0.5, 1)
    assert metrics.bootstrap_ratio([0.0], [0.0]) == metrics.Mean(None, None, None, 0)


def test_percentiles() -> None:
    found = metrics.percentiles([float(value) for value in range(101)])
    assert (found.p50, found.p95, found.n) == (50.0, 95.0, 101)
    assert metrics.percentiles([1.0, 2.0]).p50 == 1.5
    assert metrics.percentiles([]).as_json() == {"p50": None, "p95": None, "n": 0}


def test_precision_recall() -> None:
    # 2 true positives, 1 false positive, 2 false negatives, 1 true negative: P = 2/3, R = 2/4, F1 = 4/7
    found = metrics.precision_recall([True, True, True, False, False, False], [True, True, False, True, True, False])
    assert found.precision.mean == pytest.approx(2 / 3)
    assert found.recall.mean == pytest.approx(1 / 2)
    assert found.f1.mean == pytest.approx(4 / 7)
    assert (found.precision.n, found.recall.n, found.f1.n) == (3, 4, 5)
    never = metrics.precision_recall([False], [True])
    assert (never.precision.mean, never.recall.mean, never.f1.mean) == (None, 0.0, 0.0)


@given(TEXT, st.lists(TEXT, max_size=3))
def test_text_scores_stay_in_bounds_and_an_exact_match_is_perfect(answer: str, golds: list[str]) -> None:
    exact, f1 = metrics.exact_match(answer, golds), metrics.character_f1(answer, golds)
    assert exact in {0.0, 1.0}
    assert 0.0 <= f1 <= 1.0
    assert 0.0 <= metrics.contains_all(answer, golds) <= metrics.contains(answer, golds) <= 1.0
    if exact and metrics.normalise_answer(answer):
        assert f1 == 1.0


@given(TEXT)
def test_a_text_contains_itself(text: str) -> None:
    assert metrics.contains(text, [text]) == float(any(c.isalnum() or c == "%" for c in text))


@given(PAGES, GOLD)
def test_ranking_scores_stay_in_bounds_and_recall_grows_with_k(ranked: list[str], gold: list[str]) -> None:
    recalls = [metrics.recall_at(ranked, gold, k) for k in range(1, 16)]
    assert recalls == sorted(recalls)
    for score in (*recalls, metrics.reciprocal_rank(ranked, gold), metrics.ndcg(ranked, gold)):
        assert 0.0 <= score <= 1.0


@given(PAGES, GOLD, st.randoms())
def test_the_order_of_gold_pages_does_not_matter(ranked: list[str], gold: list[str], chance: object) -> None:
    shuffled = list(gold)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    for score in (metrics.ndcg, metrics.reciprocal_rank):
        assert score(ranked, gold) == score(ranked, shuffled)
    assert metrics.recall_at(ranked, gold, 5) == metrics.recall_at(ranked, shuffled, 5)


@given(PAGES, GOLD)
def test_a_perfect_ranking_scores_one(others: list[str], gold: list[str]) -> None:
    ranked = [*gold, *(page for page in others if page not in gold)]
    assert metrics.ndcg(ranked, gold) == 1.0
    assert metrics.reciprocal_rank(ranked, gold) == 1.0
    assert metrics.recall_at(ranked, gold, len(gold)) == 1.0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_an_interval_lies_within_the_values(values: list[float]) -> None:
    found = metrics.bootstrap(values, rounds=30)
    assert found.low is not None
    assert found.high is not None
    assert min(values) - 1e-9 <= found.low <= found.high <= max(values) + 1e-9


@settings(max_examples=15)  # six bootstraps each
@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=20))
def test_precision_and_recall_swap_with_decision_and_truth(pairs: list[tuple[bool, bool]]) -> None:
    said, so = [one for one, _ in pairs], [other for _, other in pairs]
    there, back = metrics.precision_recall(said, so), metrics.precision_recall(so, said)
    assert there.precision.mean == back.recall.mean
    assert there.f1.mean == back.f1.mean


@given(st.text(alphabet="가나다15.,% ab-", max_size=30), TEXT)
def test_span_f1_of_what_contains_a_gold_is_one(answer: str, gold: str) -> None:
    score = metrics.span_f1(answer, [gold])
    assert 0.0 <= score <= 1.0
    if metrics.contains(answer, [gold]):
        assert score == 1.0


@pytest.mark.parametrize(
    ("answer", "gold", "asked", "share"),
    [
        ("연차는 15일입니다.", "15일", "", 1.0),
        ("15일", "15일", "", 1.0),
        ("연차는 1년에 15일을 줍니다.", "15일", "연차는 며칠인가요?", 1.0),
        ("15일 또는 18일입니다.", "15일", "", 1 / 2),
        ("15일이 아니라 18일입니다.", "15일", "", 1 / 2),
        ("사원 20,000원, 대리 25,000원, 과장 30,000원, 차장 35,000원입니다.", "30,000원", "과장 식대는?", 1 / 4),
        ("3년 차에는 16일입니다.", "16일", "3년 차 연차는?", 1.0),
        ("15일을 다 썼으면 3일까지 더 씁니다.", "3일", "15일을 다 쓰면요?", 1.0),
        ("7월 1일과 10월 31일입니다.", "7월 1일", "", 1 / 2),
        ("3만 원입니다. 30,000원입니다.", "30,000원", "", 1.0),
        ("18일입니다.", "15일", "", None),
        ("그룹웨어에서 신청합니다.", "그룹웨어", "", None),
        ("", "15일", "", None),
    ],
)
def test_a_number_beside_the_wanted_one_in_its_unit_counts(
    answer: str, gold: str, asked: str, share: float | None
) -> None:
    assert metrics.number_precision(answer, [gold], asked) == (None if share is None else pytest.approx(share))


def test_a_number_of_any_wanted_answer_is_wanted() -> None:
    assert metrics.number_precision("매월 25일, 늦으면 26일입니다.", ["25일", "26일"]) == 1.0
    assert metrics.number_precision("25일", []) is None


DAYS = st.lists(st.integers(1, 30), min_size=1, max_size=6, unique=True)


@given(DAYS, st.integers(1, 9), st.integers(1, 6))
def test_of_a_list_the_wanted_numbers_are_its_share_whatever_stands_in_other_units(
    days: list[int], years: int, wanted: int
) -> None:
    said = f"{years}년에 " + ", ".join(f"{day}일" for day in days)
    golds = [f"{day}일" for day in days[:wanted]]
    assert metrics.number_precision(said, golds) == pytest.approx(len(golds) / len(days))
    assert metrics.number_precision(said, golds, said) == 1.0
    assert metrics.number_precision(said, [said]) == 1.0


@given(TEXT, st.lists(TEXT, max_size=3), TEXT)
def test_number_precision_stays_in_bounds_and_a_question_only_frees(answer: str, golds: list[str], asked: str) -> None:
    strict, free = metrics.number_precision(answer, golds), metrics.number_precision(answer, golds, asked)
    assert (strict is None) == (free is None)
    assert 0.0 < (strict or 1.0) <= (free or 1.0) <= 1.0


PARTS = st.lists(st.sampled_from(["월요일", "금요일", "화", "15", "18일"]), min_size=1, max_size=3)
GAPS = st.lists(st.text(alphabet="에는오전열고 ", max_size=12), min_size=4, max_size=4)


@settings(deadline=None)
@given(PARTS, GAPS, st.lists(PARTS, max_size=1))
def test_span_f1_is_that_of_the_best_of_all_stretches(
    parts: list[str], gaps: list[str], other: list[list[str]]
) -> None:
    """The wanted parts, or others, with more or less between them."""
    gold, said_parts = " ".join(parts), other[0] if other else parts
    answer = "".join(gap + part for gap, part in zip(gaps, said_parts, strict=False)) + gaps[-1]
    pieces = re.compile(r"\d+|[^\s\d]")
    said, wanted = pieces.findall(answer), pieces.findall(gold)
    most = sum(map(len, wanted))
    stretches = [said[first:last] for first in range(len(said)) for last in range(first + 1, len(said) + 1)]
    long_enough = [one for one in stretches if sum(map(len, one)) >= most or one == said]

    def f1(stretch: list[str]) -> float:
        common = sum(len(piece) for piece in (Counter(stretch) & Counter(wanted)).elements())
        return 2 * common / (sum(map(len, stretch)) + most)

    assert metrics.span_f1(answer, [gold]) == pytest.approx(max(map(f1, long_enough), default=0.0))
