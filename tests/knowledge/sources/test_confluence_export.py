"""Confluence's XML export: which pages are current, where they stand, and who may read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.errors import BrokenExport, EmptyExport, PageError, UnreadablePage
from knowledge.page import Audience
from knowledge.sources import SourceConfig
from knowledge.sources.archive import ExportOptions, ExportSource
from knowledge.sources.base import SourceFile
from tests.fakes.confluence_export import HEAD, entities, entity, page, restriction, space
from tests.fakes.zip_maker import make_zip

SITE = "https://wiki.example.com/"


def source(tmp_path: Path, xml: str | bytes, more: dict[str, bytes] | None = None, **options: Any) -> ExportSource:
    path = make_zip(tmp_path / "HR.zip", {"entities.xml": xml, "exportDescriptor.properties": "x=y", **(more or {})})
    return ExportSource(SourceConfig("위키", Audience(), tmp_path / "home"), ExportOptions(path, **options))


def listed(
    tmp_path: Path, *objects: str, more: dict[str, bytes] | None = None, **options: Any
) -> dict[str, SourceFile]:
    return {file.path: file for file in source(tmp_path, entities(space(), *objects), more, **options).files()}


def test_pages_stand_below_their_parents_with_what_confluence_knows(tmp_path: Path) -> None:
    files = listed(
        tmp_path,
        page("12", "신청/승인", parent="11"),
        page("10", "홈"),
        page("11", "연차 규정", parent="10", version="7"),
        page("13", "연말 인사", kind="BlogPost", creationDate="2025-12-31 10:00:00.000"),
        site=SITE,
    )
    assert set(files) == {
        "인사팀/홈",
        "인사팀/홈/연차 규정",
        "인사팀/홈/연차 규정/신청-승인",
        "인사팀/블로그/2025-12-31 연말 인사",
    }
    file = files["인사팀/홈/연차 규정"]
    assert (file.identity, file.title, file.suffix) == ("11", "연차 규정", ".html")
    assert file.url == "https://wiki.example.com/pages/viewpage.action?pageId=11"
    assert (str(file.modified), file.audience) == ("2025-12-24", Audience())
    assert files["인사팀/홈/연차 규정/신청-승인"].title == "신청/승인"


def test_drafts_deleted_pages_and_earlier_versions_are_left_out(tmp_path: Path) -> None:
    files = listed(
        tmp_path,
        page("10", "홈"),
        page("11", "초안", contentStatus="draft"),
        page("12", "삭제", contentStatus="deleted"),
        page("13", "홈", originalVersion="10"),
        entity("Page", "14", {"title": "홈", "contentStatus": "current", "originalVersionId": "10"}),
        entity("Comment", "15", {"contentStatus": "current"}),
    )
    assert set(files) == {"인사팀/홈"}


def test_the_version_is_that_of_the_body_and_survives_a_new_export(tmp_path: Path) -> None:
    (first,) = listed(tmp_path / "1", page("10", "홈")).values()
    (_, moved) = listed(tmp_path / "2", page("10", "홈", parent="11"), page("11", "위", "<p>x</p>")).values()
    (edited,) = listed(tmp_path / "3", page("10", "홈", "<p>다른 본문</p>")).values()
    assert first.version == moved.version != edited.version
    assert first.identity == moved.identity


@pytest.mark.parametrize(
    ("objects", "audience"),
    [
        ([restriction("70", "11", groups=["hr", "임원"])], [["confluence:hr", "confluence:임원"]]),
        ([restriction("70", "11", users=["key1"])], [["confluence-user:kim"]]),
        ([restriction("70", "11", users=["unknown"])], [["confluence-user:unknown"]]),
        ([restriction("70", "10", groups=["hr"])], [["confluence:hr"]]),
        (
            [restriction("70", "10", groups=["hr"]), restriction("71", "11", groups=["임원"])],
            [["confluence:hr"], ["confluence:임원"]],
        ),
        ([restriction("70", "11", groups=["hr"], kind="Edit")], []),
        ([restriction("70", "11", groups=["hr"], kind="Magic")], [[]]),
        ([restriction("70", "11")], [[]]),
        (
            [
                entity(
                    "ContentPermissionSet",
                    "70",
                    {"type": "View"},
                    {"owningContent": "11"},
                    {"contentPermissions": ["8"]},
                )
            ],
            [[]],
        ),
    ],
)
def test_view_restrictions_of_a_page_and_of_those_above_it_are_kept(
    tmp_path: Path, objects: list[str], audience: list[list[str]]
) -> None:
    user = entity("ConfluenceUserImpl", "key1", {"name": "kim"})
    files = listed(tmp_path, page("10", "홈"), page("11", "연봉", parent="10"), user, *objects)
    found = files["인사팀/홈/연봉"].audience
    assert found is not None
    assert found.as_lists() == audience


def test_a_restriction_that_is_named_but_missing_admits_nobody(tmp_path: Path) -> None:
    files = listed(tmp_path, page("10", "연봉", permission_sets=["70"]))
    assert files["인사팀/연봉"].audience == Audience.of([])


@pytest.mark.parametrize("parents", [{"10": "404"}, {"10": "11", "11": "10"}, {"10": "10"}])
def test_where_a_page_above_is_missing_nobody_may_read(tmp_path: Path, parents: dict[str, str]) -> None:
    files = listed(tmp_path, *(page(key, f"글 {key}", parent=parent) for key, parent in parents.items()))
    for file in files.values():
        assert file.audience == Audience.of([])
        with pytest.raises(UnreadablePage, match="who may read it"):
            file.read()


def test_attachments_of_known_formats_are_pages_with_their_pages_readers(tmp_path: Path) -> None:
    def attachment(key: str, name: str, **values: str) -> str:
        told = {"title": name, "contentStatus": "current", "version": "2"} | values
        return entity("Attachment", key, told, {"containerContent": "10"})

    files = listed(
        tmp_path,
        page("10", "홈"),
        restriction("70", "10", groups=["hr"]),
        attachment("20", "안내.txt"),
        attachment("21", "사진.png"),
        attachment("22", "없음.txt"),
        attachment("23", "옛것.txt", contentStatus="deleted"),
        entity("Attachment", "24", {"fileName": "이름.md", "attachmentVersion": "1"}, {"content": "10"}),
        more={"attachments/10/20/2": "붙임 글".encode(), "attachments/10/24/1": b"# a"},
        site=SITE,
    )
    assert set(files) == {"인사팀/홈", "인사팀/홈/안내.txt", "인사팀/홈/없음.txt", "인사팀/홈/이름.md"}
    file = files["인사팀/홈/안내.txt"]
    assert (file.read().decode(), file.suffix, file.audience) == ("붙임 글", ".txt", Audience.of(["confluence:hr"]))
    with pytest.raises(UnreadablePage, match="not in the export"):
        files["인사팀/홈/없음.txt"].read()


def test_an_export_without_attachments_is_not_blamed_for_it(tmp_path: Path) -> None:
    attachment = entity("Attachment", "20", {"title": "안내.txt"}, {"containerContent": "10"})
    assert set(listed(tmp_path, page("10", "홈"), attachment)) == {"인사팀/홈"}


def test_wiki_markup_of_long_ago_is_read_as_text(tmp_path: Path) -> None:
    body = entity("BodyContent", "90", {"body": "h1. 제목\n본문", "bodyType": "0"}, {"content": "10"})
    (file,) = listed(tmp_path, entity("Page", "10", {"title": "옛글"}, {"space": "1"}), body).values()
    assert (file.suffix, file.read().decode()) == (".txt", "h1. 제목\n본문")


def test_a_body_with_code_comes_out_as_html(tmp_path: Path) -> None:
    storage = (
        '<h2>설치</h2><ac:structured-macro ac:name="code"><ac:plain-text-body><![CDATA[if a[0] > 1: pass]]>'
        "</ac:plain-text-body></ac:structured-macro><p>끝 &amp; 시작</p>"
    )
    (file,) = listed(tmp_path, page("10", "홈", storage)).values()
    html = file.read().decode()
    assert "설치" in html
    assert "if a[0] &gt; 1: pass" in html
    assert "끝 &amp; 시작" in html


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        ('<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a/>', "document type"),
        ('<?xml version="1.0"?><!DOCTYPE a SYSTEM "http://evil.example/x.dtd"><a/>', "document type"),
        (HEAD + "<object>", "line 3: no element found"),
        (HEAD + "<object class='Page'>&b;</object></hibernate-generic>", "undefined entity"),
        (HEAD + "<a>" * 60, "nested too deeply"),
        ("", "no element found"),
        ('<?xml version="1.0" encoding="klingon"?><a/>', "unknown encoding"),
    ],
)
def test_what_is_no_dump_or_an_attack_is_refused_whole(tmp_path: Path, xml: str, reason: str) -> None:
    with pytest.raises(BrokenExport, match=reason):
        source(tmp_path, xml).files()


def test_an_endless_tag_is_not_held_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge.sources.confluence_entities._MOST_UNREAD", 100_000)
    with pytest.raises(BrokenExport, match="endless tag"):
        source(
            tmp_path, HEAD + "<object " + "".join(f'a{number}="{number * 7919}" ' for number in range(60_000))
        ).files()


def test_a_dump_that_inflates_too_much_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokenExport, match="200 times"):
        source(tmp_path, HEAD + " " * 30_000_000).files()


def test_characters_that_xml_forbids_are_skipped(tmp_path: Path) -> None:
    (file,) = listed(tmp_path, page("10", "홈\x0b페이지", "<p>본\x00문\x1f</p>")).values()
    assert file.title == "홈페이지"
    assert "본문" in file.read().decode()


def test_a_page_that_only_holds_others_is_found_by_its_name(tmp_path: Path) -> None:
    files = listed(tmp_path, page("10", "규정 모음", ""), entity("Page", "11", {"title": "본문 없음"}, {"space": "1"}))
    assert "규정 모음" in files["인사팀/규정 모음"].read().decode()
    assert "본문 없음" in files["인사팀/본문 없음"].read().decode()


def test_a_space_without_a_current_page_is_an_empty_export(tmp_path: Path) -> None:
    with pytest.raises(EmptyExport):
        source(tmp_path, entities(space(), page("10", "초안", contentStatus="draft"))).files()


def test_bodies_lie_in_a_file_without_a_name_while_they_are_read(tmp_path: Path) -> None:
    files = listed(
        tmp_path, page("10", "홈", "<p>" + " ".join(f"긴 본문 {number * 7919}" for number in range(60_000)) + "</p>")
    )
    assert [one.name for one in (tmp_path / "home").iterdir() if one.stat().st_size] == []
    assert files["인사팀/홈"].size > 1_000_000
    assert b"\xea\xb8\xb4" in files["인사팀/홈"].read()


_VALUES = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=12).filter(lambda text: "]]>" not in text)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Page", "BlogPost", "Attachment", "ContentPermissionSet", "ContentPermission", "Space"]),
            st.sampled_from(["1", "10", "11", "x"]),
            st.dictionaries(
                st.sampled_from(["title", "contentStatus", "type", "groupName", "name"]), _VALUES, max_size=3
            ),
            st.dictionaries(
                st.sampled_from(["parent", "space", "owningContent", "owningSet", "containerContent"]),
                st.sampled_from(["1", "10", "11", "x", ""]),
                max_size=3,
            ),
        ),
        max_size=8,
    )
)
def test_any_objects_in_any_relation_end_in_pages_or_an_error_of_ours(
    tmp_path_factory: pytest.TempPathFactory, objects: list[tuple[str, str, dict[str, str], dict[str, str]]]
) -> None:
    xml = entities(*(entity(*one) for one in objects))
    try:
        files = list(source(tmp_path_factory.mktemp("zip"), xml).files())
    except (BrokenExport, EmptyExport):
        return
    assert len({file.path for file in files}) == len(files)
    for file in files:
        try:
            file.read()
        except PageError:
            continue
