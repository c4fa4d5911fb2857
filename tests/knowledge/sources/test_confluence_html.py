"""Confluence's HTML export: the tree of its index, pages without their frame, attachments by their names."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.formats import parse
from knowledge.page import Audience
from knowledge.sources import SourceConfig
from knowledge.sources.archive import ExportOptions, ExportSource
from knowledge.sources.base import SourceFile
from knowledge.sources.confluence_html import read_tree, tidy
from tests.fakes.confluence_export import html_page, index_page
from tests.fakes.zip_maker import make_zip

TREE = (
    '<ul><li><a href="10001.html">홈</a><img src="x.gif"/><ul>'
    '<li><a href="10002.html">연차 &amp; <b>반차</b></a><ul><li><a href="Guide_10003.html">Guide</a></li></ul></li>'
    '<li><a href="10004.html">출장/파견</a></li></ul></li></ul>'
)


def listed(tmp_path: Path, members: dict[str, str], site: str = "") -> dict[str, SourceFile]:
    path = make_zip(tmp_path / "HR.zip", members)
    source = ExportSource(SourceConfig("위키", Audience(), tmp_path / "home"), ExportOptions(path, site=site))
    return {file.path: file for file in source.files()}


def test_pages_stand_where_the_index_has_them(tmp_path: Path) -> None:
    files = listed(
        tmp_path,
        {
            "HR/index.html": index_page(TREE),
            "HR/10001.html": html_page("홈", "<p>본문</p>"),
            "HR/10002.html": html_page("연차 & 반차", "<p>본문</p>"),
            "HR/Guide_10003.html": html_page("Guide", "<p>본문</p>"),
            "HR/10004.html": html_page("출장/파견", "<p>본문</p>"),
            "HR/Orphan-page_10005.html": html_page("고아", "<p>본문</p>"),
            "HR/styles/site.css": "x",
            "HR/images/icons/a.gif": "x",
        },
        site="https://wiki.example.com",
    )
    assert {path: file.identity for path, file in files.items()} == {
        "홈": "10001",
        "홈/연차 & 반차": "10002",
        "홈/연차 & 반차/Guide": "10003",
        "홈/출장-파견": "10004",
        "Orphan page": "10005",
    }
    assert files["홈/출장-파견"].title == "출장/파견"
    assert files["홈"].url == "https://wiki.example.com/pages/viewpage.action?pageId=10001"
    assert parse(files["Orphan page"].read(), "a.html").title == "고아"


def test_of_a_page_only_its_content_is_read(tmp_path: Path) -> None:
    page = html_page(
        "연차", "<h2>부여</h2><p>15일입니다.</p>", attachments={"attachments/10001/20001.txt": "양식 <최종>.txt"}
    )
    files = listed(
        tmp_path,
        {
            "index.html": index_page(TREE),
            "10001.html": page,
            "attachments/10001/20001.txt": "양식",
            "attachments/10001/2.png": "x",
        },
    )
    assert set(files) == {"홈", "홈/양식 <최종>.txt"}
    document = parse(files["홈"].read(), "a.html")
    assert document.title == "연차"
    assert [(s.heading, [b.text for b in s.blocks]) for s in document.sections] == [(("부여",), ["15일입니다."])]
    attached = files["홈/양식 <최종>.txt"]
    assert (attached.read().decode(), attached.suffix, attached.identity) == ("양식", ".txt", "attachment:20001")


def test_a_page_of_another_look_stays_whole() -> None:
    assert tidy("<p>다른 모양</p>") == "<p>다른 모양</p>"


def test_html_files_without_an_index_are_a_plain_zip(tmp_path: Path) -> None:
    assert set(listed(tmp_path, {"연차_10001.html": "<p>본문</p>", "index.txt": "x"})) == {
        "연차_10001.html",
        "index.txt",
    }


@pytest.mark.parametrize(
    "index", ["", "<li>" * 5000 + '<a href="10001.html">홈</a>', "</li></ul>", "<a href='10001.html'>"]
)
def test_a_broken_index_costs_only_the_places(tmp_path: Path, index: str) -> None:
    files = listed(tmp_path, {"index.html": index, "10001.html": html_page("홈", "<p>본문</p>")})
    assert [file.identity for file in files.values()] == ["10001"]


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(["<ul>", "<li>", "</li>", "</ul>", '<a href="12345.html">', "</a>", "글", "<a href="]),
        max_size=30,
    )
)
def test_any_index_gives_a_tree_without_itself_above(pieces: list[str]) -> None:
    for key, (above, _) in read_tree("".join(pieces)).items():
        assert key not in dict(above)
