"""PDF outlines as headings: where they open, what page they say, and outlines that nobody should believe."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.chunk import split
from knowledge.errors import PageWithoutText
from knowledge.formats.pdf import parse
from knowledge.page import Audience, Document, Page
from tests.fakes.pdf_maker import Entry, make_pdf, tree

PAGES = [
    ["사서 주식회사"],
    ["제1장 총칙", "제1조(목적) 이 규칙은 근로 조건을 정합니다.", "제2조(정의) 직원은 재직하는 사람입니다."],
    ["그 밖의 사람에게는 따로 정합니다.", "제2장 휴가", "연차는 15일입니다."],
    ["병가는 60일입니다."],
]


def sections(document: Document) -> list[tuple[int | None, tuple[str, ...], str]]:
    """Page number, heading path and text of each."""
    return [
        (section.page_number, section.heading, "\n".join(block.text for block in section.blocks))
        for section in document.sections
    ]


def read(*entries: tuple[int, str, int | bytes | None]) -> list[tuple[int | None, tuple[str, ...], str]]:
    return sections(parse(make_pdf(PAGES, bookmarks=tree(*entries))))


def test_bookmarks_open_sections_at_their_lines_and_go_on_over_pages() -> None:
    found = read((0, "제1장 총칙", 1), (1, "제1조(목적)", 1), (1, "제2조(정의)", 1), (0, "제2장 휴가", 2))
    assert found == [
        (1, (), "사서 주식회사"),
        (2, ("제1장 총칙", "제1조(목적)"), "제1조(목적) 이 규칙은 근로 조건을 정합니다."),
        (2, ("제1장 총칙", "제2조(정의)"), "제2조(정의) 직원은 재직하는 사람입니다."),
        (3, ("제1장 총칙", "제2조(정의)"), "그 밖의 사람에게는 따로 정합니다."),
        (3, ("제2장 휴가",), "연차는 15일입니다."),
        (4, ("제2장 휴가",), "병가는 60일입니다."),
    ]


def test_a_passage_says_its_chapter_and_its_page() -> None:
    document = parse(make_pdf(PAGES, title="취업규칙", bookmarks=tree((0, "제1장 총칙", 1), (0, "제2장 휴가", 2))))
    page = Page("hr", "a.pdf", "취업규칙", None, dt.date(2026, 1, 1), Audience(), document.sections)
    (passage,) = [passage for passage in split(page) if "병가" in passage.text]
    assert (passage.context, passage.page_number) == ("취업규칙 > 제2장 휴가", 4)
    (passage,) = [passage for passage in split(page) if "연차" in passage.text]  # short sections share one passage
    assert (passage.text.split("\n")[-2:], passage.page_number) == (["제2장 휴가", "연차는 15일입니다."], 3)


@pytest.mark.parametrize(
    ("title", "heading"),
    [("제 2 장  휴가", "제 2 장 휴가"), ("휴가", "제2장 휴가"), ("제2장\n휴가", "제2장 휴가"), ("「제2장」 휴가", "「제2장」 휴가")],
)  # fmt: skip
def test_a_title_written_a_little_differently_is_found(title: str, heading: str) -> None:
    assert read((0, title, 2))[2:4] == [
        (3, (), "그 밖의 사람에게는 따로 정합니다."),
        (3, (heading,), "연차는 15일입니다."),
    ]


def test_a_title_wrapped_into_two_lines_is_one_heading() -> None:
    pages = [["앞의 글입니다.", "제3장 육아 휴직과", "가족 돌봄", "1년입니다."]]
    found = sections(parse(make_pdf(pages, bookmarks=tree((0, "제3장 육아 휴직과 가족 돌봄", 0)))))
    assert found == [(1, (), "앞의 글입니다."), (1, ("제3장 육아 휴직과 가족 돌봄",), "1년입니다.")]


def test_another_number_is_another_title() -> None:
    pages = [["앞의 글입니다.", "제1조의2 특례입니다.", "제3장 휴가", "15일입니다."]]
    for title in ("제1조", "제2장 휴가"):
        assert sections(parse(make_pdf(pages, bookmarks=tree((0, title, 0)))))[0][1] == (title,), "opens with the page"


def test_a_title_that_is_printed_nowhere_opens_with_its_page() -> None:
    assert read((0, "쉬는 날", 2))[2:] == [
        (3, ("쉬는 날",), "그 밖의 사람에게는 따로 정합니다.\n제2장 휴가\n연차는 15일입니다."),
        (4, ("쉬는 날",), "병가는 60일입니다."),
    ]


def test_of_several_that_are_printed_nowhere_the_first_has_the_page_and_the_last_what_follows() -> None:
    found = read((0, "가", 2), (0, "나", 2), (0, "다", 2))[2:]
    assert [(number, heading, text[:4]) for number, heading, text in found] == [
        (3, ("가",), "그 밖의"),
        (3, ("나",), ""),
        (4, ("다",), "병가는 "),
    ]


def test_a_group_that_points_nowhere_opens_where_its_first_chapter_does() -> None:
    found = read((0, "제1편 복무", None), (1, "제1장 총칙", 1), (0, "제2편 휴식", 77), (1, "제2장 휴가", 2))
    assert [heading for _, heading, _ in found] == [
        (),
        ("제1편 복무", "제1장 총칙"),
        ("제1편 복무", "제1장 총칙"),
        ("제2편 휴식", "제2장 휴가"),
        ("제2편 휴식", "제2장 휴가"),
    ]


def test_what_points_back_or_into_another_file_is_left_out() -> None:
    elsewhere = b"/A << /S /GoToR /F (other.pdf) /D [1 /Fit] >>"
    found = read((0, "제2장 휴가", 2), (0, "표 목차", 0), (1, "표 1", 3), (0, "다른 규칙", elsewhere))
    assert {heading for _, heading, _ in found} == {(), ("제2장 휴가",)}


def test_a_goto_action_is_as_good_as_a_destination() -> None:
    assert read((0, "제2장 휴가", b"/A << /S /GoTo /D [2 /Fit] >>"))[-1][1] == ("제2장 휴가",)


def test_page_numbers_as_bookmarks_are_no_headings() -> None:
    assert {heading for _, heading, _ in read(*((0, str(page + 1), page) for page in range(4)))} == {()}


def test_a_scan_with_bookmarks_is_a_page_without_text() -> None:
    with pytest.raises(PageWithoutText):
        parse(make_pdf([[], []], bookmarks=tree((0, "제1장 총칙", 0))))


def test_a_very_long_title_is_cut_and_still_found() -> None:
    line = "제2장 " + "휴가와 휴직과 " * 30
    found = sections(parse(make_pdf([["앞의 글입니다.", line, "15일입니다."]], bookmarks=tree((0, line, 0)))))
    assert found[0] == (1, (), "앞의 글입니다.")
    (heading,) = found[1][1]
    assert len(heading) <= 120
    assert line.startswith(heading.removesuffix("…"))


def _chain(count: int, **link: int) -> list[Entry]:
    """`count` entries, each linked to the next one by `first` or `after`."""
    return [
        Entry(f"장 {number}", number % 4, **{name: number + step for name, step in link.items()})
        for number in range(count)
    ]


HOSTILE = {
    "a circle of neighbours": [Entry("가", 0, after=1), Entry("나", 1, after=0)],
    "its own neighbour": [Entry("가", 0, after=0)],
    "its own child": [Entry("가", 0, first=0)],
    "below its own child": [Entry("가", 0, first=1), Entry("나", 1, first=0, after=0)],
    "nested 3,000 deep": _chain(3_000, first=1),
    "20,000 neighbours": _chain(20_000, after=1),
    "each twice": [Entry("가", 0, first=1, after=1), Entry("나", 1, first=2, after=2), Entry("다", 3)],
    "a huge title": [Entry("가" * 2_000_000, 1)],
    "many long titles": [Entry("가" * 5_000, 1, after=number + 1) for number in range(300)],
    "far pages": [
        Entry("가", 10**9, after=1),
        Entry("나", -1, after=2),
        Entry("다", 2**31, after=3),
        Entry("라", 10**30),
    ],
    "links to nothing": [Entry("가", 1, first=900, after=901)],
    "half a letter": [Entry("\ud83d", 1, after=1), Entry("나\udc00", 2)],
    "no title": [Entry("", 1, first=1), Entry("\u200b \x00", 2)],
    "a target that is none": [Entry("가", b"/Dest (none) /A 7", after=1), Entry("나", b"/Dest << /D 0 0 R >>")],
    "no dictionary": [Entry("가", b">> [ <<")],
}


@pytest.mark.parametrize("entries", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_outline_costs_text_or_swells(entries: list[Entry]) -> None:
    found = sections(parse(make_pdf(PAGES, bookmarks=entries)))
    _all_there(found)
    assert sum(len("".join(heading)) for _, heading, _ in found) < 2_000_000


def test_long_paths_that_would_be_repeated_too_often_are_no_headings() -> None:
    entries = [(min(number, 4), "가" * 119, 1) for number in range(4_900)]
    found = read(*entries)
    assert {heading for _, heading, _ in found} == {()}
    assert read(*entries[:1_000])[-1][1] == ("가" * 119,) * 5


_TITLES = st.one_of(
    st.sampled_from([line for page in PAGES for line in page] + ["제1조(목적)", "휴가"]), st.text(max_size=9)
)
_LINKS = st.one_of(st.none(), st.integers(0, 12))
_TARGETS = st.one_of(st.none(), st.integers(0, 3), st.integers(-(2**40), 2**40), st.binary(max_size=12))
_ENTRIES = st.lists(st.builds(Entry, _TITLES, _TARGETS, _LINKS, _LINKS), min_size=1, max_size=12)


@settings(max_examples=150, deadline=None)
@given(_ENTRIES)
def test_whatever_the_outline_says_the_text_is_read_and_keeps_its_pages(entries: list[Entry]) -> None:
    _all_there(sections(parse(make_pdf(PAGES, bookmarks=entries))))


def _all_there(found: list[tuple[int | None, tuple[str, ...], str]]) -> None:
    """Each printed line is in a section of its page, or it is a heading."""
    headings = {_letters(name) for _, heading, _ in found for name in heading}
    for number, lines in enumerate(PAGES, 1):
        texts = [line for page, _, text in found if page == number for line in text.split("\n")]
        for line in lines:
            assert line in texts or any(_letters(line) in name for name in headings), (number, line)
    pages = [page for page, _, _ in found]
    assert pages == sorted(page for page in pages if page is not None)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))
