"""Notion's export: names with ids, databases, and Markdown and HTML as Notion writes them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.formats import parse
from knowledge.page import Audience
from knowledge.sources import SourceConfig
from knowledge.sources.archive import ExportOptions, ExportSource
from knowledge.sources.base import SourceFile, to_page
from knowledge.sources.notion_export import split_name, tidy_html, tidy_markdown
from tests.fakes.zip_maker import make_zip, zip_bytes

A, B, C, D = (letter * 31 + "0" for letter in "abcd")


def listed(tmp_path: Path, members: dict[str, str | bytes]) -> dict[str, SourceFile]:
    path = make_zip(tmp_path / "Export.zip", members)
    source = ExportSource(SourceConfig("노션", Audience(), tmp_path / "home"), ExportOptions(path))
    return {file.path: file for file in source.files()}


def page(file: SourceFile) -> tuple[str, str]:
    """Title and text as they are indexed."""
    document = parse(file.read(), f"page{file.suffix}" if file.suffix else file.path)
    made = to_page("노션", Audience(), file, document)
    return made.title, "\n".join(block.text for section in made.sections for block in section.blocks)


def test_ids_leave_the_names_and_become_the_identities(tmp_path: Path) -> None:
    files = listed(
        tmp_path,
        {
            f"Export-0a1b2c3d/총무 {A}.md": "# 총무\n\n본문",
            f"Export-0a1b2c3d/총무 {A}/회의록 {B}.md": "# 회의록\n\n본문",
            f"Export-0a1b2c3d/총무/새 회의록 {C}.md": "# 새 회의록\n\n본문",
            f"Export-0a1b2c3d/{D}/{'e' * 32}/깊은 곳 {'f' * 32}.md": "# 깊은 곳\n\n본문",
            "Export-0a1b2c3d/index.html": "<a>목록</a>",
            f"Export-0a1b2c3d/총무 {A}/사진.png": b"x",
            f"Export-0a1b2c3d/총무 {A}/규정집.txt": "붙임",
        },
    )
    assert {path: file.identity for path, file in files.items()} == {
        "총무.md": A,
        "총무/회의록.md": B,
        "총무/새 회의록.md": C,
        "깊은 곳.md": "f" * 32,
        "총무/규정집.txt": None,
    }
    assert files["총무.md"].url == f"https://www.notion.so/{A}"
    assert files["총무/규정집.txt"].url is None


def test_the_title_is_the_pages_heading_where_its_name_was_cut(tmp_path: Path) -> None:
    whole = "2026년 상반기 전사 워크숍/타운홀 준비 회의에서 정한 것과 남은 것, 그리고 담당자별 할 일"
    files = listed(tmp_path, {f"{whole.replace('/', ' ')[:50]} {A}.md": f"# {whole}\n\n본문"})
    ((path, file),) = files.items()
    assert (path, page(file)[0]) == (f"{whole.replace('/', ' ')[:50].rstrip()}.md", whole)


def test_pages_of_one_name_bear_the_beginning_of_their_ids(tmp_path: Path) -> None:
    files = listed(tmp_path, {f"회의록 {A}.md": "# 회의록\n\n하나", f"회의록 {B}.md": "# 회의록\n\n둘"})
    assert set(files) == {"회의록 (aaaaaaaa).md", "회의록 (bbbbbbbb).md"}


def test_a_database_stands_there_once_with_all_its_rows(tmp_path: Path) -> None:
    head = "\ufeffName,상태,담당\n"
    files = listed(
        tmp_path,
        {
            f"고객 {A}.csv": head + "한빛상사,계약,김\n",
            f"고객 {A}_all.csv": head + f"한빛상사,계약,김\n청운,상담,이 (https://www.notion.so/{D}?pvs=21)\n",
            f"고객/한빛상사 {B}.md": "# 한빛상사\n\n상태: 계약\n담당: 김\n\n비고: 우수 고객\n",
            f"고객 {A}/청운 {C}.md": f"# 청운\n\n상태: 상담\n담당: \n관련: 한빛상사 (../%EA%B3%A0%EA%B0%9D%20{B}.md)\n\n본문",
        },
    )
    assert set(files) == {"고객.csv", "고객/한빛상사.md", "고객/청운.md"}
    title, text = page(files["고객.csv"])
    assert title == "고객"
    assert "청운" in text
    assert "notion.so" not in text
    assert page(files["고객/한빛상사.md"]) == ("한빛상사", "- 상태: 계약\n- 담당: 김\n비고: 우수 고객")
    assert page(files["고객/청운.md"])[1] == "- 상태: 상담\n관련: 한빛상사\n본문"


def test_of_one_page_in_two_forms_the_better_one_counts(tmp_path: Path) -> None:
    files = listed(
        tmp_path,
        {
            f"표 {A}.csv": "a,b\n1,2\n",
            f"표 {A}.html": "<h1>표</h1><p>본문</p>",
            f"글 {B}.html": "<p>x</p>",
            f"글 {B}.md": "# 글",
        },
    )
    assert set(files) == {"표.html", "글.md"}


def test_one_day_for_all_pages_is_the_day_of_the_export_and_not_theirs(tmp_path: Path) -> None:
    members = {f"가 {A}.md": "# 가\n\n본문", f"나 {B}.md": "# 나\n\n본문"}
    assert [file.modified for file in listed(tmp_path, members).values()] == [None, None]
    path = tmp_path / "b.zip"
    path.write_bytes(zip_bytes({f"가 {A}.md": "x"}))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(zipfile.ZipInfo(f"나 {B}.md", (2025, 3, 1, 0, 0, 0)), "x")
    source = ExportSource(SourceConfig("노션", Audience(), tmp_path), ExportOptions(path))
    assert [str(file.modified) for file in source.files()] == ["2026-01-05", "2025-03-01"]


def test_markdown_loses_images_and_keeps_call_outs_captions_and_code() -> None:
    text = tidy_markdown(
        "# 안내\n\n<aside>\n💡 중요 공지\n\n</aside>\n\n![Untitled](안내%20aaa/Untitled.png)\n![image.png](a(1)/image.png)\n"
        f"![조직도](b/c.png)\n[휴가](휴가%20{A}.md)와 [밖](https://a.b/{A})\n\n```\n<aside>\n![x](y.png)\n```\n"
    )
    document = parse(text.encode(), "a.md")
    blocks = [block.text for section in document.sections for block in section.blocks]
    assert blocks == ["💡 중요 공지", "조직도\n휴가와 밖", "<aside>\n![x](y.png)"]
    assert "조직도" in text
    assert "Untitled" not in text
    assert "image.png" not in text
    assert "```\n<aside>\n![x](y.png)\n```" in text


def test_links_to_elsewhere_in_brackets_stay() -> None:
    outside = "문의 (https://example.com/a/b/c/d/e/f/g/h/i/j/k/l/m/n)"
    assert tidy_markdown(outside) == outside + "\n"


def test_a_line_with_a_colon_is_a_property_only_at_the_top_of_a_row() -> None:
    row = "# 제목\n\n상태: 완료\n- 목록\n상태: 본문 안의 말\n"
    assert tidy_markdown(row, frozenset({"상태"})) == "# 제목\n\n- 상태: 완료\n- 목록\n상태: 본문 안의 말\n"
    assert tidy_markdown(row) == row


def test_properties_in_html_are_a_definition_list() -> None:
    data = (
        '<html><head><title>한빛</title></head><body><article><header><h1 class="page-title">한빛</h1>'
        '<table class="properties"><tbody><tr class="property-row property-row-select"><th><span><svg></svg></span>상태</th>'
        '<td><span class="selected-value">계약</span></td></tr></tbody></table></header>'
        '<div class="page-body"><figure class="callout"><p>알림</p></figure><table><tr><th>가</th><td>나</td></tr></table></div>'
        "</article></body></html>"
    )
    document = parse(tidy_html(data.encode()), "a.html")
    blocks = [(block.kind, block.text) for section in document.sections for block in section.blocks]
    assert document.title == "한빛"
    assert blocks == [("list", "- 상태: 계약"), ("paragraph", "알림"), ("table", "가 | 나")]


@pytest.mark.parametrize("data", [b"", b'<table class="properties">', b"</table>" * 3])
def test_html_without_properties_stays_as_it_is(data: bytes) -> None:
    assert tidy_html(data) == data


@settings(deadline=None)
@given(st.text(max_size=40), st.from_regex(r"[0-9a-f]{32}", fullmatch=True), st.sampled_from(["", "_all"]))
def test_every_name_is_split_into_its_title_and_its_id(title: str, page_id: str, end: str) -> None:
    found = split_name(f"{title} {page_id}{end}")
    assert (found.title, found.id, found.whole) == (title.rstrip(" _-"), page_id, bool(end))


@settings(deadline=None)
@given(st.text(max_size=300), st.frozensets(st.text(max_size=5), max_size=3))
def test_any_markdown_is_tidied_without_an_error(text: str, columns: frozenset[str]) -> None:
    assert tidy_markdown(text, columns).endswith("\n")
