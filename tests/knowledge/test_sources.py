"""Folders as people have them, and what becomes of a file's front matter."""

from __future__ import annotations

import datetime as dt
import errno
import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pytest

from knowledge.errors import SourceFailed, SourceNotFound, UnknownSourceKind, UnreadablePage
from knowledge.page import Audience, Block, Document, Page, Section, reader_of
from knowledge.sources import FolderAudience, SourceConfig, open_source
from knowledge.sources.base import SourceFile, to_page
from knowledge.sources.folder import FolderOptions, FolderSource
from knowledge.sources.patterns import Patterns


def write(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(f"{path} 본문", encoding="utf-8")


def source(root: Path, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> FolderSource:
    return FolderSource("위키", root, Audience(), include, exclude)


def paths(root: Path, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> list[str]:
    return [file.path for file in source(root, include, exclude).files()]


def page(meta: dict[str, object], path: str = "규정/휴가.md", title: str | None = None, url: str | None = None) -> Page:
    file = SourceFile(path, url, dt.date(2025, 1, 1), 10, lambda: b"")
    return to_page("위키", Audience.of(["직원"]), file, Document(title, (Section(("개요",), (Block("본문"),)),), meta))


def test_files_are_listed_recursively_sorted_without_hidden_and_unknown_ones(tmp_path: Path) -> None:
    write(tmp_path, "나.md", "가.TXT", "규정/휴가.md", "규정/.숨김.md", ".git/a.md", "사진.png", "~$출장.docx")
    assert paths(tmp_path) == ["가.TXT", "나.md", "규정/휴가.md"]
    file = next(iter(source(tmp_path).files()))
    assert (file.read().decode(), file.size, file.url) == ("가.TXT 본문", 14, None)
    assert file.modified == dt.date.fromtimestamp((tmp_path / "가.TXT").stat().st_mtime)


def test_names_from_macos_are_composed(tmp_path: Path) -> None:
    write(tmp_path, unicodedata.normalize("NFD", "규정/휴가 안내.md"))
    (file,) = source(tmp_path).files()
    assert file.path == "규정/휴가 안내.md"
    assert "본문" in file.read().decode()


def test_names_from_old_korean_archives_are_readable(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode("휴가.txt".encode("cp949"))).write_text("본문", encoding="utf-8")
    (file,) = source(tmp_path).files()
    assert (file.path, file.read().decode()) == ("휴가.txt", "본문")


def test_of_two_names_that_become_one_the_second_is_reported(tmp_path: Path) -> None:
    write(tmp_path, unicodedata.normalize("NFC", "휴가.md"), unicodedata.normalize("NFD", "휴가.md"))
    first, second = source(tmp_path).files()
    assert first.path == second.path == "휴가.md"
    assert first.read()
    with pytest.raises(UnreadablePage, match="same name"):
        second.read()


def test_no_symlink_leads_out_of_the_folder_or_in_circles(tmp_path: Path) -> None:
    root = tmp_path / "wiki"
    write(root, "안/글.md")
    write(tmp_path, "비밀.md")
    (root / "바깥.md").symlink_to(tmp_path / "비밀.md")
    (root / "바깥폴더").symlink_to(tmp_path)
    (root / "안/돌기").symlink_to(root)
    (root / "자신.md").symlink_to(root / "자신.md")
    (root / "끊김.md").symlink_to(root / "없음.md")
    (root / "지름길.md").symlink_to(root / "안/글.md")
    assert paths(root) == ["안/글.md"]


def test_no_symlink_leads_around_folders_that_are_narrowed_excluded_or_hidden(tmp_path: Path) -> None:
    write(tmp_path, "인사/급여.md", "초안/계획.md", ".숨김/열쇠.md", "공개/안내.md")
    for number, target in enumerate(["인사/급여.md", "초안/계획.md", ".숨김/열쇠.md", "공개/안내.md"]):
        (tmp_path / f"공개/{number}.md").symlink_to(tmp_path / target)
    rules = (FolderAudience(("인사",), Audience.of(["hr"])),)
    config = SourceConfig("위키", Audience(), tmp_path / "home", exclude=("초안",), folders=rules)
    listed = {file.path: file.audience for file in open_source("folder", config, FolderOptions(tmp_path)).files()}
    assert listed == {"공개/안내.md": None, "인사/급여.md": Audience.of(["hr"])}


def test_a_file_that_becomes_a_link_out_is_not_read(tmp_path: Path) -> None:
    root = tmp_path / "wiki"
    write(root, "글.md")
    write(tmp_path, "비밀.md")
    (file,) = source(root).files()
    (root / "글.md").unlink()
    (root / "글.md").symlink_to(tmp_path / "비밀.md")
    with pytest.raises(UnreadablePage):
        file.read()


@pytest.mark.parametrize("becomes", ["인사/글.md", "인사"])
def test_a_file_that_becomes_a_link_within_the_folder_is_not_read(tmp_path: Path, becomes: str) -> None:
    write(tmp_path, "인사/글.md", "공개/글.md")
    file = next(file for file in source(tmp_path).files() if file.path == "공개/글.md")
    (tmp_path / "공개/글.md").unlink()
    if becomes == "인사":
        (tmp_path / "공개").rmdir()
        (tmp_path / "공개").symlink_to(tmp_path / "인사")
    else:
        (tmp_path / "공개/글.md").symlink_to(tmp_path / becomes)
    with pytest.raises(UnreadablePage, match="became a link"):
        file.read()


def test_the_root_itself_may_be_a_symlink(tmp_path: Path) -> None:
    write(tmp_path, "wiki/글.md")
    (tmp_path / "link").symlink_to(tmp_path / "wiki")
    assert paths(tmp_path / "link") == ["글.md"]


def test_pipes_are_skipped(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "관.md")
    assert paths(tmp_path) == []


def test_a_vanished_file_gives_the_systems_reason(tmp_path: Path) -> None:
    write(tmp_path, "글.md")
    (file,) = source(tmp_path).files()
    (tmp_path / "글.md").unlink()
    with pytest.raises(UnreadablePage, match="No such file") as caught:
        file.read()
    assert str(tmp_path) not in str(caught.value)


def test_a_folder_that_cannot_be_listed_for_a_moment_makes_no_short_listing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "열림.md", "공유/글.md")
    listing = os.scandir

    def scandir(folder: Path) -> object:
        if Path(folder).name == "공유":
            raise OSError(errno.EIO, "Input/output error", str(folder))
        return listing(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(SourceFailed, match="Input/output error") as caught:
        list(source(tmp_path).files())
    assert str(tmp_path) not in str(caught.value)


def test_a_folder_that_cannot_be_listed_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "열림.md", "닫힘/글.md")
    listing = os.scandir

    def scandir(folder: Path) -> object:
        if Path(folder).name == "닫힘":
            raise PermissionError(13, "Permission denied")
        return listing(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    _, closed = source(tmp_path).files()
    assert closed.path == "닫힘"
    with pytest.raises(UnreadablePage, match="Permission denied"):
        closed.read()


@pytest.mark.parametrize("name", ["없는 폴더", "파일.md", "고리"])
def test_a_missing_root_is_a_source_error_at_once(tmp_path: Path, name: str) -> None:
    write(tmp_path, "파일.md")
    (tmp_path / "고리").symlink_to(tmp_path / "고리")
    with pytest.raises(SourceNotFound):
        source(tmp_path / name).files()


def test_include_and_exclude(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "규정/b.md", "규정/초안/c.md", "규정/d.cad", "메모/e.md")
    assert paths(tmp_path, include=["규정/**"]) == ["규정/b.md", "규정/초안/c.md"]
    assert paths(tmp_path, include=["규정/**/*.cad", "*.md"], exclude=["초안", "/메모/"]) == [
        "a.md",
        "규정/b.md",
        "규정/d.cad",
    ]
    assert paths(tmp_path, exclude=[unicodedata.normalize("NFD", "**/초안/**"), "메모/*.md"]) == ["a.md", "규정/b.md"]


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*.md", "깊은/곳/글.md", True),
        ("/*.md", "깊은/글.md", False),
        ("규정/*.md", "규정/휴가.md", True),
        ("규정/*.md", "규정/안/휴가.md", False),
        ("규정/**/*.md", "규정/휴가.md", True),
        ("**/초안/*.md", "초안/글.md", True),
        ("휴가-202?.md", "휴가-2026.md", True),
        ("[가-나]*.md", "가.md", True),
        ("[!가]*.md", "가.md", False),
        ("a[.md", "a[.md", True),
        ("**", "무엇이든/글.md", True),
        ("비공개/", "팀/비공개/글.md", True),
        ("비공개", "비공개 아님/글.md", False),
        ("/인사/급여", "인사//급여", True),
        ("/인사/**", "/인사/급여", True),
        ("인사/*.md", "인사//급여.md/", True),
    ],
)
def test_patterns(pattern: str, path: str, expected: bool) -> None:
    assert Patterns([pattern]).match(path) is expected


def test_sources_are_opened_by_kind(tmp_path: Path) -> None:
    write(tmp_path, "글.md", "초안.md")
    config = SourceConfig("위키", Audience(), tmp_path / "home", exclude=("초안.md",))
    opened = open_source("folder", config, FolderOptions(tmp_path))
    assert (opened.name, [file.path for file in opened.files()]) == ("위키", ["글.md"])
    with pytest.raises(UnknownSourceKind):
        open_source("sharepoint", config, FolderOptions(tmp_path))


def test_folders_narrow_who_may_read(tmp_path: Path) -> None:
    write(tmp_path, "hr/연봉.md", "hr/임원/보상.md", "공지.md")
    rules = (
        FolderAudience(("hr",), Audience.of(["hr"])),
        FolderAudience(("hr/임원/**",), Audience.of(["board"])),
    )
    config = SourceConfig("위키", Audience.of(["staff"]), tmp_path / "home", folders=rules)
    opened = open_source("folder", config, FolderOptions(tmp_path))
    document = Document(None, (Section((), (Block("글"),)),))
    readers = {file.path: to_page(opened.name, opened.audience, file, document).audience for file in opened.files()}
    assert readers == {
        "공지.md": Audience.of(["staff"]),
        "hr/연봉.md": Audience.of(["staff"]).narrowed(Audience.of(["hr"])),
        "hr/임원/보상.md": Audience(frozenset(frozenset([one]) for one in ("staff", "hr", "board"))),
    }


def test_titles_fall_back_from_front_matter_to_the_file_name() -> None:
    assert page({"title": " 연차\n규정 "}, title="문서").title == "연차 규정"
    assert page({"title": 2026}).title == "2026"
    assert page({"title": ""}, title="문서").title == "문서"
    assert page({}).title == "개요"
    bare = Document(None, (Section((), (Block("본문"),)),))
    assert (
        to_page("위키", Audience(), SourceFile("규정/휴가 안내.md", None, None, 1, lambda: b""), bare).title
        == "휴가 안내"
    )


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        ({"updated": dt.date(2026, 1, 5)}, dt.date(2026, 1, 5)),
        ({"updated": dt.datetime(2026, 1, 5, 9)}, dt.date(2026, 1, 5)),
        ({"updated": "2026-01-05T09:00:00+09:00"}, dt.date(2026, 1, 5)),
        ({"date": "2026. 1. 5."}, dt.date(2026, 1, 5)),
        ({"date": "2026년 1월 5일"}, dt.date(2026, 1, 5)),
        ({"date": 20260105}, dt.date(2026, 1, 5)),
        ({"updated": "어제", "date": "2026/01/05"}, dt.date(2026, 1, 5)),
        ({"updated": "2026-02-30"}, dt.date(2025, 1, 1)),
        ({}, dt.date(2025, 1, 1)),
    ],
)
def test_the_date_is_the_pages_own_or_the_files(meta: dict[str, object], expected: dt.date) -> None:
    assert page(meta).modified == expected


def test_a_page_narrows_its_sources_audience_and_never_widens_it() -> None:
    narrowed = page({"audience": ["인사팀", "임원"]}).audience
    assert not narrowed.admits(reader_of(["인사팀"]))
    assert narrowed.admits(reader_of(["직원", "임원"]))
    assert page({"audience": "인사팀, 임원"}).audience == narrowed
    assert page({"audience": "Everyone"}).audience == page({}).audience == Audience.of(["직원"])
    assert page({"audience": unicodedata.normalize("NFD", "인사팀")}).audience == page({"audience": "인사팀"}).audience


@pytest.mark.parametrize(
    "value", [None, "", " ", [], [""], ["everyone", None], 1, True, {"a": 1}, [["everyone"]], ",", "a,,b"]
)
def test_a_malformed_audience_makes_the_page_unreadable(value: object) -> None:
    with pytest.raises(UnreadablePage):
        page({"audience": value})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("https://wiki.example.com/휴가", "https://wiki.example.com/휴가"),
        ("javascript:alert(1)", None),
        ("file:///etc/passwd", None),
        ("https://a b", None),
        ("http://[", None),
        ("https://", None),
        (3, None),
    ],
)
def test_only_web_addresses_become_links(value: object, expected: str | None) -> None:
    assert page({"url": value}).url == expected
    assert page({"url": value}, url="https://file.example.com").url == (expected or "https://file.example.com")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("휴가-2026.md", "규정/휴가-2026.md"),
        ("../새/휴가.md#연차", "새/휴가.md"),
        ("./휴가-2026.md", "규정/휴가-2026.md"),
        ("/휴가.md", "휴가.md"),
        (unicodedata.normalize("NFD", "새휴가.md"), "규정/새휴가.md"),
        ("../../밖.md", None),
        ("https://example.com/a", None),
        ("휴가.md", None),  # itself
        ("", None),
        (["a"], None),
    ],
)
def test_a_replacement_is_found_from_the_pages_own_folder(value: object, expected: str | None) -> None:
    assert page({"replaced_by": value, "status": "outdated"}).replaced_by == expected
