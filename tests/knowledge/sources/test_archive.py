"""Which zip counts, what it is taken for, and what a person is told when it cannot be used."""

from __future__ import annotations

import os
import types
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.source_settings import SourceSettings
from knowledge.errors import (
    BrokenExport,
    EmptyExport,
    EncryptedExport,
    ExportNotFound,
    PageError,
    ReadersNotTold,
    SourceError,
    UnreadablePage,
    WrongExport,
)
from knowledge.page import Audience
from knowledge.sources import SourceConfig, open_source
from knowledge.sources.archive import ExportOptions, ExportSource
from knowledge.sources.base import SourceFile
from tests.fakes.confluence_export import entities, html_page, index_page, page, space
from tests.fakes.zip_maker import encrypted, make_zip, zip_bytes

ID = "1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d"


def source(path: Path, flavour: str = "auto", **common: tuple[str, ...]) -> ExportSource:
    config = SourceConfig("내보내기", Audience(), path.parent / "home", **common)
    options = SourceSettings.of("내보내기", "export", path=str(path), flavour=flavour).options
    return ExportSource(config, options)


def listed(path: Path, flavour: str = "auto", **common: tuple[str, ...]) -> list[SourceFile]:
    return list(source(path, flavour, **common).files())


def test_the_kind_is_registered_and_its_settings_are_checked(tmp_path: Path) -> None:
    made = open_source(
        "export", SourceConfig("위키", Audience(), tmp_path), SourceSettings.of("위키", "export", path="a.zip").options
    )
    assert isinstance(made, ExportSource)
    with pytest.raises(ValueError, match="flavour"):
        SourceSettings.of("위키", "export", path="a.zip", flavour="word")
    with pytest.raises(ValueError, match="site"):
        SourceSettings.of("위키", "export", path="a.zip", site="javascript:alert(1)")


def test_of_a_plain_zip_the_documents_of_known_formats_are_the_pages(tmp_path: Path) -> None:
    path = make_zip(
        tmp_path / "a.zip",
        {"규정/휴가.md": "# 휴가", "사진.png": "x", ".숨김.md": "x", "__MACOSX/규정/._휴가.md": "x", "나.txt": "본문"},
    )
    first, second = listed(path)
    assert (first.path, second.path) == ("규정/휴가.md", "나.txt")
    assert second.read() == "본문".encode()
    assert (str(first.modified), first.identity, first.version is not None) == ("2026-01-05", None, True)


def test_patterns_choose_among_the_pages_and_may_ask_for_an_unknown_format(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"a/가.md": "x", "b/나.md": "x", "b/다.xyz": "x"})
    assert [file.path for file in listed(path, include=("b/**",))] == ["b/나.md"]
    assert [file.path for file in listed(path, exclude=("b",))] == ["a/가.md"]
    assert [file.path for file in listed(path, include=("*.xyz",))] == ["b/다.xyz"]


def test_of_a_folder_the_newest_zip_counts(tmp_path: Path) -> None:
    folder = tmp_path / "받은 파일"
    for name, age in (("old.zip", 300), ("new.zip", 100), ("newest.txt", 0), (".hidden.zip", 0)):
        path = make_zip(folder / name, {f"{name}.md": "본문"})
        os.utime(path, (2_000_000_000 - age, 2_000_000_000 - age))
    assert [file.path for file in listed(folder)] == ["new.zip.md"]


@pytest.mark.parametrize("name", ["없음.zip", "빈 폴더"])
def test_a_missing_zip_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "빈 폴더").mkdir()
    with pytest.raises(ExportNotFound) as caught:
        source(tmp_path / name).files()
    assert name in caught.value.explain("ko")


def test_a_broken_an_encrypted_and_an_empty_export_are_told_apart(tmp_path: Path) -> None:
    whole = zip_bytes({"a.md": "본문" * 1000})
    (tmp_path / "half.zip").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "secret.zip").write_bytes(encrypted(whole))
    make_zip(tmp_path / "empty.zip", {"사진.png": "x"})
    for name, kind in (("half", BrokenExport), ("secret", EncryptedExport), ("empty", EmptyExport)):
        with pytest.raises(kind, match=f"{name}.zip"):
            source(tmp_path / f"{name}.zip").files()


def test_a_zip_that_is_no_confluence_export_is_not_taken_for_one(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"a.md": "본문"})
    with pytest.raises(WrongExport, match="Confluence"):
        source(path, "confluence").files()


HTML = {"HR/index.html": index_page("<ul></ul>"), "HR/10001.html": html_page("홈", "<p>본문</p>")}


@pytest.mark.parametrize(
    ("members", "named"),
    [
        (HTML, "confluence-html"),
        ({f"회의록 {ID}.md": "x", f"일정 {ID[::-1]}.md": "x"}, "notion"),
        ({"가.md": "x"}, "plain"),
    ],
)
def test_where_an_export_told_who_may_read_one_that_does_not_is_taken_only_by_its_name(
    tmp_path: Path, members: dict[str, str], named: str
) -> None:
    xml = make_zip(tmp_path / "1.zip", {"entities.xml": entities(space(), page("10", "홈"))})
    other = make_zip(tmp_path / "2.zip", members)
    before = [file.path for file in listed(other)]
    assert [file.path for file in listed(xml)] == ["인사팀/홈"]
    with pytest.raises(ReadersNotTold) as caught:
        source(other).files()
    assert caught.value.details == {"name": "내보내기", "file": "2.zip", "flavour": named}
    with pytest.raises(ReadersNotTold if named == "confluence-html" else WrongExport):
        source(other, "confluence").files()
    assert [file.path for file in listed(other, named)] == before
    with pytest.raises(ReadersNotTold):  # that was said of one export, not of all to come
        source(other).files()
    assert [file.path for file in listed(xml)] == ["인사팀/홈"]


def test_the_html_flavour_takes_confluences_html_alone(tmp_path: Path) -> None:
    assert len(listed(make_zip(tmp_path / "1.zip", HTML), "confluence-html")) == 1
    for members in ({"entities.xml": entities(space(), page("10", "홈"))}, {"가.md": "x"}):
        with pytest.raises(WrongExport):
            source(make_zip(tmp_path / "2.zip", members), "confluence-html").files()


def test_a_hostile_member_is_reported_and_the_others_are_read(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"../비밀.md": "x", "정상.md": "본문", "폭탄.md": b"\0" * 30_000_000})
    reasons = {}
    for file in listed(path):
        try:
            file.read()
        except UnreadablePage as error:
            reasons[file.path] = str(error)
    assert set(reasons) == {"비밀.md", "폭탄.md"}


def test_of_two_members_with_one_name_the_second_is_reported(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", [("a.md", "하나"), ("a.md", "둘")])
    first, second = listed(path)
    assert first.read() == "하나".encode()
    with pytest.raises(UnreadablePage, match="its name"):
        second.read()


def test_the_parts_of_a_large_notion_export_are_read_and_no_zip_within_them(tmp_path: Path) -> None:
    inner = zip_bytes({f"회의록 {ID}.md": "# 회의록\n\n본문", "더 깊이/Export-x.zip": zip_bytes({"깊은 곳.md": "x"})})
    other = zip_bytes({f"일정 {ID[::-1]}.md": "# 일정\n\n본문"})
    path = make_zip(tmp_path / "Export-1.zip", {"Export-1-Part-1.zip": inner, "ExportBlock-1-Part-2.zip": other})
    files = listed(path)
    assert [file.path for file in files] == ["일정.md", "회의록.md"]
    assert all("본문" in file.read().decode() for file in files)
    assert list((tmp_path / "home").iterdir()) == []


def test_parts_that_would_fill_the_disk_are_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = zip_bytes({f"회의록 {ID}.md": "# 회의록\n\n본문"})
    path = make_zip(tmp_path / "a.zip", {"Export-1-Part-1.zip": part})
    monkeypatch.setattr("shutil.disk_usage", lambda _: types.SimpleNamespace(free=10))
    with pytest.raises(BrokenExport, match="half of the free disk"):
        source(path).files()


def test_parts_are_opened_only_where_the_zip_holds_nothing_else(tmp_path: Path) -> None:
    part = zip_bytes({f"회의록 {ID}.md": "x"})
    path = make_zip(tmp_path / "a.zip", {"Export-1-Part-1.zip": part, "표지.md": "본문"})
    assert [file.path for file in listed(path)] == ["표지.md"]
    with pytest.raises(EmptyExport):
        source(make_zip(tmp_path / "b.zip", {"Export-1-Part-1.zip": part}), "plain").files()


def test_a_new_export_changes_versions_and_keeps_identities(tmp_path: Path) -> None:
    old = listed(make_zip(tmp_path / "1.zip", {f"회의록 {ID}.md": "# 회의록\n\n하나"}))
    same = listed(tmp_path / "1.zip")
    new = listed(make_zip(tmp_path / "2.zip", {f"모임/회의 기록 {ID}.md": "# 회의 기록\n\n하나"}))
    assert old[0].version == same[0].version != new[0].version
    assert old[0].identity == new[0].identity == ID


@settings(deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["auto", "notion", "confluence", "confluence-html", "plain"]))
def test_any_bytes_end_in_a_source_error_or_in_pages(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, flavour: str
) -> None:
    folder = tmp_path_factory.mktemp("zip")
    dump = b"<hibernate-generic>" + data
    for name, content in (
        ("raw.zip", data),
        ("html.zip", zip_bytes({"S/index.html": data, "S/가_12345.html": data})),
        ("notion.zip", zip_bytes({f"가 {ID}.md": data, f"나 {ID[::-1]}.csv": data, f"나/다 {'0' * 32}.html": data})),
        ("entities.zip", zip_bytes({"entities.xml": dump})),  # last: after it, "auto" takes no other
    ):
        (folder / name).write_bytes(content)
        try:
            files = listed(folder / name, flavour)
        except SourceError:
            continue
        for file in files:
            try:
                file.read()
            except PageError:
                continue


def test_options_hold_what_a_file_says(tmp_path: Path) -> None:
    options = SourceSettings.of("위키", "export", path="exports", site="https://wiki.example.com").options
    assert options == ExportOptions(Path("exports"), "auto", "https://wiki.example.com")
