"""PDF: page numbers, joined lines, running lines, and files that cannot be read. Bookmarks: test_formats_pdf_bookmarks.py."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from knowledge.errors import LockedPage, PageWithoutText, UnreadablePage
from knowledge.formats.pdf import parse
from knowledge.page import Block
from tests.fakes.pdf_maker import make_pdf

LONG = "이 규칙은 회사에 재직하는 모든 직원의 근로 조건에 관한"


def test_korean_text_comes_out_page_by_page() -> None:
    document = parse(make_pdf([["연차는 15일입니다."], ["반차는 네 시간입니다."]], title="취업규칙"))
    assert document.title == "취업규칙"
    assert [(section.page_number, section.blocks) for section in document.sections] == [
        (1, (Block("연차는 15일입니다."),)),
        (2, (Block("반차는 네 시간입니다."),)),
    ]


def test_wrapped_lines_are_joined_and_headings_and_items_stay() -> None:
    lines = ["총칙", LONG, "사항을 정한다.", LONG, "내용은 다음과 같다.", "가. 연차 휴가", "나. 병가"]
    (section,) = parse(make_pdf([lines])).sections
    assert section.blocks == (
        Block(f"총칙\n{LONG} 사항을 정한다."),
        Block(f"{LONG} 내용은 다음과 같다."),
        Block("가. 연차 휴가\n나. 병가", "list"),
    )


def test_running_headers_footers_and_page_numbers_are_dropped() -> None:
    pages = [["사서 주식회사 취업규칙", f"{n}번째 내용입니다.", f"- {n} -", "대외비"] for n in range(1, 6)]
    sections = parse(make_pdf(pages)).sections
    assert [section.blocks[0].text for section in sections] == [f"{n}번째 내용입니다." for n in range(1, 6)]


def test_a_running_header_with_the_page_number_in_it_is_dropped() -> None:
    pages = [[f"취업규칙 {n} / 5", f"내용 {'가나다라마'[n - 1]}입니다."] for n in range(1, 6)]
    assert all("취업규칙" not in section.blocks[0].text for section in parse(make_pdf(pages)).sections)


def test_numbers_that_are_content_stay() -> None:
    pages = [["매출", f"{amount}"] for amount in (1200, 3400, 2025, 17)]
    texts = [section.blocks[0].text for section in parse(make_pdf(pages)).sections]
    assert [text.split("\n")[-1] for text in texts] == ["1200", "3400", "2025", "17"]


def test_lines_repeated_on_few_pages_stay() -> None:
    pages = [["공통 머리말", "가입니다."], ["공통 머리말", "나입니다."], ["공통 머리말", "다입니다."]]
    assert all("공통" in section.blocks[0].text for section in parse(make_pdf(pages)).sections)


@pytest.mark.parametrize(
    "title", ["Microsoft Word - 취업규칙.doc", "규정집_최종.hwp", "Untitled", "제목 없음", "1234", "문서1"]
)
def test_a_title_left_by_a_program_is_no_title(title: str) -> None:
    assert parse(make_pdf([["본문입니다."]], title=title)).title is None


def test_an_encrypted_pdf_is_locked_and_says_so() -> None:
    locked = make_pdf([["비밀"]], encrypted=True)
    for data in (locked, locked.replace(b"/Filter /Standard", b"/Filter /Adobe.PubSec")):
        with pytest.raises(LockedPage, match="encrypted"):
            parse(data)


@pytest.mark.parametrize("data", [b"%PDF-1.7\nbroken", make_pdf([["가"]])[:40], b"\0" * 100])
def test_a_broken_pdf_is_unreadable(data: bytes) -> None:
    with pytest.raises(UnreadablePage):
        parse(data)


def broken(data: bytes, page: int) -> bytes:
    """`data` with its page `page` (from 0) no page any more."""
    head, *rest = data.split(b"/Type /Page /")
    return head + b"".join((b"/Type /Pagx /" if at == page else b"/Type /Page /") + one for at, one in enumerate(rest))


def test_one_broken_page_costs_that_page_only_and_is_told() -> None:
    document = parse(broken(make_pdf([["하나입니다."], ["둘입니다."], ["셋입니다."]]), 1))
    assert [(section.page_number, section.blocks[0].text) for section in document.sections] == [
        (1, "하나입니다."),
        (2, "(이 쪽은 손상되어 읽지 못했습니다.)"),
        (3, "셋입니다."),
    ]


def test_a_pdf_whose_only_text_is_on_broken_pages_is_unreadable_not_empty() -> None:
    for pages in ([["하나입니다."]], [["하나입니다."], []]):
        with pytest.raises(UnreadablePage, match="a page of the PDF is broken"):
            parse(broken(make_pdf(pages), 0))


def test_a_scanned_pdf_is_a_page_without_text() -> None:
    with pytest.raises(PageWithoutText):
        parse(make_pdf([[], []]))


def test_threads_may_parse_at_once() -> None:
    data = make_pdf([["동시에 읽습니다."]] * 5)
    with ThreadPoolExecutor(4) as pool:
        assert len({str(document) for document in pool.map(parse, [data] * 20)}) == 1
