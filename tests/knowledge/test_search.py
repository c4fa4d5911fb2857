"""The one read path: audiences before ranking, and the rest of the recipe."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.fusion import best, fuse
from knowledge.korean import Analyser, bigrams, self_test
from knowledge.lexicon import Lexicon
from knowledge.page import Audience, reader_of
from knowledge.search import SearchIndex
from tests.conftest import Indexer, write_wiki

GROUPS = ["hr", "it", "exec"]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, analyser: Analyser) -> SearchIndex:
    """The same sentence on pages for every combination of groups."""
    folder = tmp_path_factory.mktemp("guarded")
    pages = {
        f"{number}.md": f"---\naudience: [{', '.join(groups)}]\n---\n# 문서 {number}\n\n비밀 금액은 {number}만 원입니다.\n"
        for number, groups in enumerate([["everyone"], ["hr"], ["it"], ["exec"], ["hr", "it"], ["it", "exec"]], start=1)
    }
    indexer = Indexer(write_wiki(folder / "wiki", pages), folder / "data", analyser)
    indexer.build()
    return indexer.open()


@given(st.sets(st.sampled_from(GROUPS)), st.text(alphabet="비밀 금액은만원입니다123", min_size=1, max_size=20))
def test_no_passage_outside_the_audience_is_ever_found(guarded: SearchIndex, groups: set[str], question: str) -> None:
    reader = reader_of(groups)
    found = guarded.search(question, reader, 10)
    assert all(hit.passage.audience.admits(reader) for hit in found.hits)


def test_a_page_only_narrows_its_source() -> None:
    audience = Audience.of(["hr"]).narrowed(Audience.of(["everyone"]))
    assert audience.admits(reader_of(["hr"]))
    assert not audience.admits(reader_of(["it"]))
    assert not Audience.of([]).admits(reader_of(GROUPS))


def test_scores_of_readers_do_not_depend_on_pages_they_may_not_read(guarded: SearchIndex, tmp_path: Path) -> None:
    open_page = guarded.search("비밀 금액", reader_of(), 10)
    assert [hit.passage.page for hit in open_page.hits] == ["1.md"]
    assert open_page.hits[0].score == pytest.approx(1.0)  # the best of what may be read, whatever else there is


def test_an_outdated_page_stands_below_its_replacement(index: SearchIndex) -> None:
    pages = [hit.passage.page for hit in index.search("국내 출장 일비", reader_of(), 10).hits]
    assert pages.index("출장.md") < pages.index("출장-2025.md")


def test_one_hit_per_page_when_asked(index: SearchIndex) -> None:
    pages = [hit.passage.page for hit in index.search("연차 신청", reader_of(), 10, one_per_page=True).hits]
    assert len(pages) == len(set(pages))


def test_scores_are_explained(index: SearchIndex) -> None:
    hit = index.search("회의실 예약", reader_of(), 1).hits[0]
    assert hit.passage.page == "회의실.md"
    assert hit.score == pytest.approx(
        0.4 * hit.shares["morpheme"] + 0.3 * hit.shares["bigram"] + 0.3 * hit.shares["dense"]
    )
    assert hit.coverage == pytest.approx(1.0)


def test_an_empty_question_and_an_unknown_one_find_without_failing(index: SearchIndex) -> None:
    for question in ("", "???", "zzqx"):
        assert index.search(question, reader_of(), 3).evidence.coverage == 0.0


def test_minmax_by_hand() -> None:
    legs = {
        "a": (np.array([1, 2, 3]), np.array([4.0, 3.0, 2.0], dtype=np.float32)),
        "b": (np.array([3]), np.array([9.0], dtype=np.float32)),
    }
    fused = fuse(legs, {"a": 0.75, "b": 0.25})
    assert fused.numbers.tolist() == [1, 2, 3]
    assert fused.scores.tolist() == pytest.approx([0.75, 0.375, 0.25])
    assert [fused.shares_of(place) for place in range(3)] == [{"a": 1.0}, {"a": 0.5}, {"a": 0.0, "b": 1.0}]


def test_rrf_by_hand() -> None:
    legs = {"a": (np.array([1, 2]), np.array([4.0, 3.0], dtype=np.float32))}
    first, second = fuse(legs, {"a": 1.0}, "rrf").scores
    assert first / second == pytest.approx(62 / 61)


@given(st.lists(st.floats(0, 100, width=32), min_size=1, max_size=30), st.integers(1, 40))
def test_best_gives_the_highest_in_order(scores: list[float], count: int) -> None:
    numbers, picked = best(np.array(scores, dtype=np.float32), count)
    assert picked.tolist() == sorted((np.float32(s) for s in scores), reverse=True)[: min(count, len(scores))]
    assert [scores[n] for n in numbers] == picked.tolist()


def test_a_saved_lexicon_scores_alike(tmp_path: Path) -> None:
    built = Lexicon.build([["연차", "신청"], [], ["출장", "신청", "신청"]])
    built.save(tmp_path / "lexicon")
    loaded = Lexicon.load(tmp_path / "lexicon")
    assert np.allclose(built.scores(["신청"]), loaded.scores(["신청"]))
    assert loaded.scores(["없는말"]).tolist() == [0.0, 0.0, 0.0]
    assert loaded.holders("신청").tolist() == [0, 2]
    assert loaded.idf("신청") == pytest.approx(np.log(1 + (3 - 2 + 0.5) / 2.5))


def test_particles_and_spelling_forms_do_not_hide_a_noun(analyser: Analyser) -> None:
    self_test(analyser)
    assert "연차" in analyser.morphemes("연차를 쓰려면")
    assert bigrams("ＶＰＮ") == bigrams("vpn")


@pytest.mark.parametrize("question", ["", "  \n", "?!…", "🤔"])
def test_a_question_without_a_word_finds_nothing(index: SearchIndex, question: str) -> None:
    assert index.search(question, reader_of(), 5).hits == ()
