"""A company's own rows become examples."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot import prompts
from bot.errors import BadExampleFile
from bot.examples.build import Mask
from bot.examples.example import Example
from bot.examples.formats import Row
from bot.examples.grounding import SentenceGrounding
from bot.examples.own import MOST_CHARACTERS, checked, merged
from bot.examples.pages import EditionPages
from knowledge.korean import Analyser
from knowledge.page import Audience, Passage
from knowledge.search import SearchIndex
from tests.bot.examples.rows import LEAVE, NOW, example, mask

FILE = Path("own.csv")


def imported(
    rows: Sequence[Row], path: Path, pages: EditionPages, grounding: SentenceGrounding, mask: Mask, *, now: float
) -> list[Example]:
    """What becomes of rows that no example of the store stands behind."""
    return merged(zip(rows, checked(rows, path, pages, grounding, mask, now=now), strict=True), {})


@pytest.fixture(scope="module")
def grounding(analyser: Analyser) -> SentenceGrounding:
    return SentenceGrounding(analyser, lambda _: 1.0)


def test_a_named_page_gives_the_passages_and_the_marks(index: SearchIndex, grounding: SentenceGrounding) -> None:
    pages = EditionPages(index.edition.passages)
    for name in ("휴가.md", "연차 규정"):
        (one,) = imported(
            [Row("언제 신청해?", "연차는 사용 3일 전까지 그룹웨어에서 신청합니다.", page=name)],
            FILE,
            pages,
            grounding,
            mask,
            now=NOW,
        )
        places = [place for place, passage in enumerate(one.passages, 1) if "3일 전까지" in passage.text]
        assert one.answer == f"연차는 사용 3일 전까지 그룹웨어에서 신청합니다 [{places[0]}]."
        assert (one.kind, one.problems, one.passages[0].page) == ("imported", (), "휴가.md")


@pytest.mark.parametrize("page", ["없는.md", "연봉.md", "출장-2025.md"])
def test_a_page_that_is_missing_restricted_or_outdated_names_the_line(
    page: str, index: SearchIndex, grounding: SentenceGrounding
) -> None:
    pages = EditionPages(index.edition.passages)
    with pytest.raises(BadExampleFile) as caught:
        imported([Row("질문", "답", page=page, line=7)], FILE, pages, grounding, mask, now=NOW)
    assert caught.value.details["line"] == 7


def test_all_rows_without_a_page_are_named_at_once_with_the_nearest_open_page(
    index: SearchIndex, grounding: SentenceGrounding
) -> None:
    pages = EditionPages(index.edition.passages)
    rows = [
        Row("질문", "답", page=page, line=line) for line, page in enumerate(["연차", "휴가.md", "휴게.md", "연차"], 2)
    ]
    with pytest.raises(BadExampleFile) as caught:
        imported(rows, FILE, pages, grounding, mask, now=NOW)
    assert caught.value.details["line"] == 2
    reason = str(caught.value.details["reason"])
    assert "연차 (2, 5행, 비슷한 이름: 연차 규정)" in reason
    assert "휴게.md (4행, 비슷한 이름: 휴가.md)" in reason


def test_a_page_that_not_everyone_may_read_is_no_nearest_name(index: SearchIndex) -> None:
    pages = EditionPages(index.edition.passages)
    assert "연봉" not in pages.like("연봉.m")
    assert pages.like("zzzzzz") == ""
    assert pages.like(" ") == ""


def test_of_many_pages_that_are_missing_ten_are_named_and_the_others_counted(
    index: SearchIndex, grounding: SentenceGrounding
) -> None:
    pages = EditionPages(index.edition.passages)
    rows = [Row("질문", "답", page=f"zzz-{number}", line=number) for number in range(1, 14)]
    with pytest.raises(BadExampleFile) as caught:
        imported(rows, FILE, pages, grounding, mask, now=NOW)
    reason = str(caught.value.details["reason"])
    assert "zzz-10 (10행)" in reason
    assert "zzz-11" not in reason
    assert reason.endswith("그 밖에 문서 3개")


def test_a_file_name_copied_on_a_mac_is_found(index: SearchIndex) -> None:
    pages = EditionPages(index.edition.passages)
    assert pages.evidence(unicodedata.normalize("NFD", "휴가.md")) == pages.evidence("휴가.md") != ()


def test_an_answer_that_the_page_does_not_say_has_problems(index: SearchIndex, grounding: SentenceGrounding) -> None:
    pages = EditionPages(index.edition.passages)
    rows = [Row("며칠?", "연차는 1년에 30일을 줍니다.", page="휴가.md"), Row("며칠?", prompts.REFUSAL, page="휴가.md")]
    bad, refused = imported(rows, FILE, pages, grounding, mask, now=NOW)
    assert bad.problems
    assert (refused.answer, refused.problems) == (prompts.REFUSAL, ())
    assert refused.passages


def test_of_a_long_page_what_carries_the_answer_is_shown(grounding: SentenceGrounding) -> None:
    long = [Passage("wiki", "긴.md", n, "긴 문서", (), f"{n}번 항목은 따로 안내합니다. " * 12) for n in range(9)]
    pages = EditionPages([*long, Passage("wiki", "긴.md", 9, "긴 문서", (), LEAVE)])
    (one,) = imported([Row("며칠?", LEAVE, page="긴.md")], FILE, pages, grounding, mask, now=NOW)
    assert LEAVE in [passage.text for passage in one.passages]
    assert 1 < len(one.passages) < 10
    assert sum(len(passage.text) for passage in one.passages) <= MOST_CHARACTERS
    assert one.problems == ()


def test_rows_are_masked_and_the_same_row_is_one_example(grounding: SentenceGrounding) -> None:
    row = Row(
        "010-1234-5678은?",
        "010-1234-5678입니다.",
        turns=("010-1234-5678",),
        passages=example().passages,
        rejected="010-1234-5678",
    )
    made = imported([row, row], FILE, EditionPages([]), grounding, mask, now=NOW)
    assert len(made) == 1
    assert "5678" not in repr(made)
    assert made[0].problems


def test_plain_instructions_keep_their_lines_and_need_no_page(grounding: SentenceGrounding) -> None:
    (one,) = imported([Row("번역\n\nhello", "안녕\n하세요")], FILE, EditionPages([]), grounding, mask, now=NOW)
    assert (one.question, one.answer, one.passages, one.problems) == ("번역\n\nhello", "안녕\n하세요", (), ())


def test_a_page_with_one_restricted_passage_is_closed() -> None:
    hr = Passage("wiki", "a.md", 1, "a", (), "비밀", audience=Audience.of(["hr"]))
    pages = EditionPages([Passage("wiki", "a.md", 0, "a", ("머리",), LEAVE), hr])
    assert not pages.is_open("wiki", "a.md")
    assert pages.context("wiki", "a.md", 0, LEAVE) is None
    assert pages.evidence("a.md") == ()


def test_a_passage_is_found_where_its_words_moved_to_and_not_when_they_changed() -> None:
    pages = EditionPages(
        [Passage("wiki", "a.md", 0, "a", ("옛",), "다른 글"), Passage("wiki", "a.md", 4, "a", ("새",), f"앞. {LEAVE}")]
    )
    assert pages.context("wiki", "a.md", 0, LEAVE) == "a > 새"
    assert pages.context("wiki", "a.md", 0, "연차는 1년에 16일을 줍니다.") is None
    assert pages.context("wiki", "b.md", 0, LEAVE) is None
    assert pages.context("other", "a.md", 0, LEAVE) is None


def test_rows_that_say_the_same_are_one_and_the_rest_keeps_the_order_of_the_file(
    index: SearchIndex, grounding: SentenceGrounding
) -> None:
    said = ("연차는 며칠 전까지 신청해요?", "안녕?", "연차는 며칠 전까지 신청해요??", "연차는 3일 전까지 신청해요?")
    rows = [Row(question, "네.") for question in said]
    made = imported(rows, FILE, EditionPages(index.edition.passages), grounding, mask, now=NOW)
    assert [one.question for one in sorted(made, key=lambda one: one.made_at)] == [said[0], said[1], said[3]]


def test_whoever_stands_behind_an_example_stands_behind_what_its_row_becomes(grounding: SentenceGrounding) -> None:
    first = example("1", people=("p2",), asker="a1", origins=("o1",))
    same = example("2", people=("p1", "p2"), asker="a2", origins=("o2",))
    alike = example("3", people=(), asker="a1", origins=("o3",))
    other = example("4", people=("p9",), asker="a9", origins=("o9",))
    said = "연차는 며칠 전까지 신청해요?"
    rows = [
        Row(said, "네.", id="unknown"),
        Row(said, "네.", id=first.id),
        Row(said, "네.", id=same.id),
        Row(f"{said}?", "네.", id=alike.id),
        Row("안녕?", "네.", id=other.id),
    ]
    made = checked(rows, FILE, EditionPages([]), grounding, mask, now=NOW)
    behind = {one.id: one for one in (first, same, alike, other)}
    one, two = merged(zip(rows, made, strict=True), behind)
    assert (one.asker, one.people, one.origins) == ("a1", ("a2", "p1", "p2"), ("o1", "o2", "o3"))
    assert (two.asker, two.people, two.origins) == ("a9", ("p9",), ("o9",))
    assert {one.kind, two.kind} == {"imported"}
    assert one.id not in behind
