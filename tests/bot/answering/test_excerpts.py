"""What the writer is shown: little, whole sentences, tables with their header, nothing outdated beside its replacement."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.answering.excerpts import Excerpt, excerpts
from knowledge.korean import Analyser
from knowledge.page import Passage
from knowledge.search import Hit

FILLER = "담당 부서는 매월 첫째 주에 목록을 점검하고 결과를 게시판에 올립니다."
TABLE = "\n".join(
    ["구분 | 휴가 | 경조금", *(f"친족 {n}촌상 | {n}일 | {n}0만 원" for n in range(1, 9)), "조부모상 | 3일 | 20만 원"]
)


def hit(
    text: str, score: float = 1.0, *, page: str = "쪽.md", title: str = "안내", replaced_by: str | None = None
) -> Hit:
    passage = Passage("wiki", page, 0, title, (), text, replaced_by=replaced_by)
    return Hit(passage, 0, score, score, 0.9, 0.5, {})


def shown(
    question: str, hits: list[Hit], analyser: Analyser, *, most: int = 4, characters: int = 550
) -> tuple[Excerpt, ...]:
    return excerpts(question, hits, analyser, lambda token: 1.0, most=most, characters=characters)


def test_a_table_row_is_shown_under_its_header(analyser: Analyser) -> None:
    [only] = shown("조부모상 경조금은?", [hit(TABLE, title="경조 휴가")], analyser, characters=60)
    assert only.sentences[0] == "구분 | 휴가 | 경조금"
    assert "조부모상 | 3일 | 20만 원" in only.sentences


def test_the_sentence_that_answers_is_picked_from_a_long_passage(analyser: Analyser) -> None:
    text = f"{FILLER} " * 6 + "주차권은 총무팀 자리에서 받습니다. " + f"{FILLER} " * 6
    [only] = shown("주차권은 어디서 받아?", [hit(text)], analyser, characters=120)
    assert "주차권은 총무팀 자리에서 받습니다." in only.sentences
    assert len(only.text) < len(text) / 3


def test_a_lesser_passage_gets_its_best_sentence_in(analyser: Analyser) -> None:
    first, second = hit(f"{FILLER} " * 12), hit(f"{FILLER} 주차권은 총무팀에서 받습니다.", 0.8, page="주차.md")
    found = shown("주차권은 어디서 받아?", [first, second], analyser, characters=200)
    assert "주차권은 총무팀에서 받습니다." in found[-1].sentences


def test_an_outdated_page_is_not_shown_beside_its_replacement(analyser: Analyser) -> None:
    old = hit("일비는 30,000원입니다.", 1.0, page="옛.md", replaced_by="새.md")
    new = hit("일비는 40,000원입니다.", 0.9, page="새.md")
    assert [one.passage.page for one in shown("일비는?", [old, new], analyser)] == ["새.md"]
    assert [one.passage.page for one in shown("일비는?", [old], analyser)] == ["옛.md"]


def test_a_passage_far_below_the_best_is_left_out(analyser: Analyser) -> None:
    assert (
        len(shown("일비는?", [hit("일비는 40,000원입니다."), hit("일비와 숙박비", 0.1, page="딴.md")], analyser)) == 1
    )


def test_nothing_found_shows_nothing(analyser: Analyser) -> None:
    assert shown("일비는?", [], analyser) == ()


SENTENCES = st.lists(
    st.sampled_from([FILLER, "일비는 40,000원입니다.", "항목 | 금액", "일비 | 4만 원"]), min_size=1, max_size=12
)


@settings(max_examples=50, deadline=None)
@given(st.lists(SENTENCES, min_size=1, max_size=5), st.integers(1, 4), st.integers(50, 400))
def test_what_is_shown_fits_and_is_the_pages_own_words_in_their_order(
    analyser: Analyser, pages: list[list[str]], most: int, characters: int
) -> None:
    hits = [hit("\n".join(lines), 1.0 - n / 10, page=f"{n}.md") for n, lines in enumerate(pages)]
    found = shown("출장 일비는 얼마야?", hits, analyser, most=most, characters=characters)
    assert 1 <= len(found) <= most
    assert [one.passage.page for one in found] == sorted(one.passage.page for one in found)
    for one in found:
        lines = iter(one.passage.text.split("\n"))
        assert all(sentence in lines for sentence in one.sentences)  # `in` walks on: the order is kept
    if sum(len(one.sentences) for one in found) > 2:  # one sentence with its table's header is always shown
        assert sum(len(one.text) + len(one.passage.context) for one in found) <= characters
