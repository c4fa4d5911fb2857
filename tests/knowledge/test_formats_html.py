"""HTML: what is content, and how its blocks come out."""

from __future__ import annotations

import pytest

from knowledge.formats.html import parse
from knowledge.page import Block, Document


def read(text: str) -> Document:
    return parse(text.encode())


def blocks(text: str) -> list[Block]:
    return [block for section in read(text).sections for block in section.blocks]


def test_navigation_scripts_and_hidden_parts_are_dropped() -> None:
    page = """<html><head><title>사내 위키</title><style>p{}</style></head><body><nav>메뉴</nav><p>본문입니다.</p>
    <script>var 비밀;</script><aside>광고</aside><footer>바닥</footer><form>검색</form><template>틀</template>
    <p hidden>숨김1</p><p aria-hidden="true">숨김2</p><p style="color:red; Display : none">숨김3</p>
    <noscript>스크립트</noscript><!-- 주석 --></body></html>"""
    assert blocks(page) == [Block("본문입니다.")]
    assert read(page).title == "사내 위키"


def test_main_is_preferred_when_it_holds_most_of_the_text() -> None:
    page = "<h1>규정집</h1><div>최근 문서</div><main><h2>연차</h2><p>연차는 1년에 15일이며 그룹웨어로 신청합니다.</p></main>"
    document = read(page)
    assert document.title == "규정집"
    assert [section.heading for section in document.sections] == [("연차",)]
    assert blocks("<main>짧다</main><p>본문이 바깥에 있는 오래된 페이지입니다.</p>")[1].text.startswith("본문이")


def test_a_form_around_the_whole_page_is_content() -> None:
    assert blocks("<body><form id=aspnetForm><p>그룹웨어 공지 본문입니다.</p></form></body>") == [
        Block("그룹웨어 공지 본문입니다.")
    ]


def test_blocks_keep_their_order_and_kind() -> None:
    page = """<h1>제목</h1>앞말<p>첫째<br>둘째 &amp; <b>굵게</b></p>뒷말
    <ol start=3><li>셋<ul><li>안</li></ul><li><p>넷</p></ol><pre>  코드
줄</pre><dl><dt>연차</dt><dd>유급 휴가</dd></dl><blockquote>인용</blockquote><img alt="조직도">"""
    assert blocks(page) == [
        Block("앞말"),
        Block("첫째\n둘째 & 굵게"),
        Block("뒷말"),
        Block("3. 셋\n  - 안\n4. 넷", "list"),
        Block("  코드\n줄", "code"),
        Block("- 연차: 유급 휴가", "list"),
        Block("인용"),
        Block("조직도"),
    ]


def test_spanning_cells_are_repeated_so_that_each_row_reads_alone() -> None:
    page = """<table><caption>휴가표</caption><tbody><tr><td rowspan=2>정규직</td><td>1년</td><td>15일</td></tr>
    <tr><td>3년</td><td>16일</td></tr><tr><td colspan=3>비고</td></tr></tbody>
    <thead><tr><th>구분</th><th colspan=2>일수</th></tr></thead></table>"""
    assert blocks(page) == [
        Block("휴가표"),
        Block("구분 | 일수 | 일수\n정규직 | 1년 | 15일\n정규직 | 3년 | 16일\n비고", "table"),
    ]


def test_layout_tables_are_read_as_blocks() -> None:
    page = (
        "<table><tr><td>메뉴 칸</td><td><h2>공지</h2><table><tr><td>가</td><td>나</td></tr></table></td></tr></table>"
    )
    assert [block.kind for block in blocks(page)] == ["paragraph", "table"]


def test_a_cell_that_spans_very_many_rows_keeps_the_columns() -> None:
    rest = "".join(f"<tr><td>{n}년</td><td>{n + 15}일</td></tr>" for n in range(2, 81))
    (table,) = blocks(f"<table><tr><td rowspan=80>정규직</td><td>1년</td><td>16일</td></tr>{rest}</table>")
    assert table.text.split("\n") == [f"정규직 | {n}년 | {n + 15}일" for n in range(1, 81)]


def test_a_long_text_that_spans_rows_is_written_once_and_keeps_the_columns() -> None:
    long = "가나다라 " * 60
    page = f"<table><tr><td rowspan=3>{long}</td><td>1년</td></tr><tr><td>2년</td></tr><tr><td>3년</td></tr></table>"
    (table,) = blocks(page)
    assert table.text.split("\n") == [f"{long.strip()} | 1년", " | 2년", " | 3년"]


def test_very_many_spans_do_not_make_a_small_page_a_huge_one() -> None:
    page = f"<table><tr>{'<td rowspan=1000>가</td>' * 1000}</tr>{'<tr><td>나</td></tr>' * 1000}</table>"
    (table,) = blocks(page)
    assert len(table.text) < 1_000_000
    assert table.text.endswith("나")


def test_absurd_spans_stay_small() -> None:
    assert len(blocks("<table><tr><td colspan=99999 rowspan=99999>가</td><td>나</td></tr></table>")[0].text) < 1000


@pytest.mark.parametrize("charset", ["euc-kr", "ks_c_5601-1987", "x-windows-949", "없는-문자셋"])
def test_cp949_pages_are_read_by_their_meta_tag(charset: str) -> None:
    page = f'<html><head><meta http-equiv="Content-Type" content="text/html; charset={charset}"></head><p>똠얌꿍 회식 안내</p>'
    assert parse(page.encode("cp949")) == read("<p>똠얌꿍 회식 안내</p>")


def test_a_wrong_meta_tag_is_not_believed() -> None:
    assert parse('<meta charset="euc-kr"><p>연차 신청 안내입니다.</p>'.encode()) == read("<p>연차 신청 안내입니다.</p>")


@pytest.mark.parametrize("tag", ["<div>", "<ul><li>", "<table><tr><td>", "<b>", "<form>"])
def test_hostile_nesting_does_not_crash(tag: str) -> None:
    assert blocks(tag * 4000 + "끝")[0].text.endswith("끝")


def test_a_page_nested_100_000_deep_does_not_crash() -> None:
    assert blocks("<div>" * 100_000 + "끝") == [Block("끝")]
