"""What did not change costs nothing; what moved is still the same page; a dry run only looks."""

from __future__ import annotations

import dataclasses
import os
import time

import pytest

from knowledge.build import MovedPage
from knowledge.errors import UnknownSource
from knowledge.page import Audience
from knowledge.sources.folder import FolderSource
from tests.conftest import WIKI, write_wiki
from tests.fakes.listed_source import Listed, ListedSource, numbered
from tests.knowledge.building.conftest import Office


def test_a_file_of_the_same_version_is_not_read_again(office: Office) -> None:
    wiki = numbered(4)
    office.build(wiki)
    wiki.read.clear()
    assert office.build(wiki).reused
    assert wiki.read == []
    wiki.pages["002.md"] = Listed("# 안내 2\n\n2번 창구는 옥상에 있습니다.", version="2")
    assert office.build(wiki).changed == ("wiki/002.md",)
    assert wiki.read == ["002.md"]


def test_a_file_without_a_version_is_read_and_compared_by_its_bytes(office: Office) -> None:
    wiki = ListedSource(pages={"a.md": Listed("# 가\n\n연차는 15일입니다.")})
    office.build(wiki)
    wiki.read.clear()
    assert office.build(wiki).reused
    assert wiki.read == ["a.md"]


@pytest.mark.parametrize("lost", ["cache", "ledger"])
def test_without_cache_or_ledger_everything_is_read_again_and_nothing_has_changed(office: Office, lost: str) -> None:
    wiki = numbered(3)
    office.build(wiki)
    wiki.read.clear()
    getattr(office.options, lost).unlink()
    assert office.build(wiki).reused
    assert len(wiki.read) == 3


@pytest.mark.parametrize("at", [0, 30, 4000])
def test_a_damaged_ledger_is_thrown_away(office: Office, at: int) -> None:
    wiki = numbered(40)
    office.build(wiki)
    data = bytearray(office.options.ledger.read_bytes())
    data[at : at + 3000] = b"\xff" * len(data[at : at + 3000])
    office.options.ledger.write_bytes(bytes(data))
    assert office.build(wiki).reused
    wiki.read.clear()
    office.build(wiki)
    assert wiki.read == []


def test_new_readers_are_a_change_without_reading_the_file(office: Office) -> None:
    wiki = numbered(3)
    office.build(wiki)
    wiki.read.clear()
    wiki.pages["001.md"] = dataclasses.replace(wiki.pages["001.md"], audience=Audience.of(["hr"]))
    assert office.build(wiki).changed == ("wiki/001.md",)
    assert wiki.read == []
    assert office.pages() == {"wiki/000.md", "wiki/002.md"}


def test_another_size_of_passages_cuts_unread_pages_anew(office: Office) -> None:
    long = "# 긴 안내\n\n" + " ".join(f"{n}번 창구는 {n}층에 있습니다." for n in range(80))
    wiki = ListedSource(pages={"a.md": Listed(long, version="1")})
    before = office.build(wiki).passages
    wiki.read.clear()
    office.options = dataclasses.replace(office.options, passage_size=200)
    assert office.build(wiki).passages > before
    assert wiki.read == []


def test_an_edition_with_pages_taken_over_answers_like_one_that_was_made_anew(office: Office) -> None:
    wiki = numbered(12)
    office.build(wiki)
    del wiki.pages["003.md"]
    wiki.pages["007.md"] = Listed("# 바뀐 안내\n\n7번 창구는 별관에 있습니다.", version="2")
    wiki.pages["050.md"] = Listed("# 새 안내\n\n주차장은 지하에 있습니다.", version="1")
    office.build(wiki)
    taken = office.open()
    office.build(wiki, full=True)
    made = office.open()
    assert taken.name != made.name
    for question in ("7번 창구", "주차장은 어디인가요", "3층에는 무엇이 있나요", "창구 안내"):
        scores = [
            [(hit.passage.page, hit.score) for hit in one.search(question, frozenset({"everyone"}), 5).hits]
            for one in (taken, made)
        ]
        assert scores[0] == scores[1]


def test_only_new_text_is_embedded(office: Office) -> None:
    wiki = numbered(5)
    office.build(wiki)
    before = office.embedder.embedded
    wiki.pages["001.md"] = Listed("# 안내 1\n\n1번 창구는 옮겼습니다.", version="2")
    office.build(wiki)
    assert office.embedder.embedded - before == 1 + 2  # two texts are the embedder's self-test


def test_a_page_that_moved_with_its_identity_is_neither_added_nor_removed(office: Office) -> None:
    wiki = ListedSource(
        pages={
            "총무/택배.md": Listed("# 택배\n\n택배는 1층에서 찾습니다.", "1", identity="p1"),
            "b.md": Listed("# 나\n\n나.", "1", identity="p2"),
        }
    )
    office.build(wiki)
    before = office.embedder.embedded
    wiki.pages["시설/택배 안내.md"] = wiki.pages.pop("총무/택배.md")
    report = office.build(wiki)
    assert report.moved == (MovedPage("wiki", "총무/택배.md", "시설/택배 안내.md"),)
    assert (report.added, report.removed, report.changed) == ((), (), ())
    assert office.embedder.embedded - before == 2  # the self-test
    assert office.pages() == {"wiki/시설/택배 안내.md", "wiki/b.md"}


def test_a_page_that_moved_and_changed_is_told_as_both(office: Office) -> None:
    wiki = ListedSource(pages={"a.md": Listed("# 가\n\n가.", "1", identity="p1")})
    office.build(wiki)
    wiki.pages = {"b.md": Listed("# 가\n\n나.", "2", identity="p1")}
    report = office.build(wiki)
    assert (report.moved, report.changed) == ((MovedPage("wiki", "a.md", "b.md"),), ("wiki/b.md",))


def test_a_page_that_takes_anothers_place_is_read_though_the_versions_are_alike(office: Office) -> None:
    hr = Audience.of(["hr"])
    wiki = numbered(1)
    wiki.pages["휴가.md"] = Listed("# 휴가\n\n임원의 휴가는 30일입니다.", "1", identity="11", audience=hr)
    office.build(wiki)
    wiki.pages["휴가.md"] = Listed("# 휴가\n\n연차는 15일입니다.", "1", identity="12")
    assert office.build(wiki).changed == ("wiki/휴가.md",)
    (text,) = [one.text for one in office.shelf.open().passages if one.page == "휴가.md"]
    assert "연차" in text
    assert "wiki/휴가.md" in office.pages()
    wiki.read.clear()
    assert office.build(wiki).reused
    assert wiki.read == []


def test_equal_bytes_under_another_path_are_a_move_where_the_source_tells_no_identity(office: Office) -> None:
    same = "# 서식\n\n이 서식을 씁니다."
    wiki = ListedSource(
        pages={name: Listed(same, "1") for name in ("x/가.md", "x/나.md")} | {"z.md": Listed("# 다\n\n다.", "1")}
    )
    office.build(wiki)
    wiki.pages = {
        "y/나.md": Listed(same, "1"),
        "y/새 이름.md": Listed(same, "1"),
        "z.md": wiki.pages["z.md"],
        "w.md": Listed("# 라\n\n라.", "1"),
    }
    report = office.build(wiki)
    assert report.moved == (MovedPage("wiki", "x/나.md", "y/나.md"), MovedPage("wiki", "x/가.md", "y/새 이름.md"))
    assert (report.added, report.removed) == (("wiki/w.md",), ())


def test_a_dry_run_tells_what_would_change_and_changes_nothing(office: Office) -> None:
    wiki = numbered(4)
    edition = office.build(wiki).edition
    wiki.pages["001.md"] = Listed("# 안내 1\n\n다른 글.", version="2")
    wiki.pages["002.md"] = Listed(None, version="2")
    del wiki.pages["003.md"]
    wiki.pages["004.md"] = Listed("# 안내 4\n\n새 글.", version="1")
    for _ in range(2):
        report = office.build(wiki, dry_run=True)
        assert (report.added, report.changed, report.removed) == (("wiki/004.md",), ("wiki/001.md",), ("wiki/003.md",))
        assert [(one.page, one.kept, one.tries) for one in report.failed] == [("002.md", True, 1)]
        assert (report.edition, report.dry_run, report.reused) == (edition, True, False)
    assert office.shelf.names() == [edition]
    assert len(office.build(wiki).added) == 1


def test_a_dry_run_before_the_first_run_publishes_nothing(office: Office) -> None:
    report = office.build(numbered(2), dry_run=True)
    assert (report.edition, len(report.added), report.passages) == ("", 2, 2)
    assert office.shelf.names() == []


def test_only_the_named_sources_are_read(office: Office) -> None:
    wiki, board = numbered(2), numbered(2, "board")
    office.build(wiki, board)
    wiki.read.clear()
    wiki.pages["000.md"] = Listed("# 안내\n\n바뀐 글.", version="2")
    board.pages["000.md"] = Listed("# 안내\n\n바뀐 글.", version="2")
    assert office.build(wiki, board, only=("board",)).changed == ("board/000.md",)
    assert wiki.read == []
    assert office.build(wiki, board).changed == ("wiki/000.md",)


def test_without_an_edition_to_take_the_others_from_all_sources_are_read(office: Office) -> None:
    assert office.build(numbered(2), numbered(2, "board"), only=("board",)).pages == 4


def test_an_unknown_source_is_named(office: Office) -> None:
    with pytest.raises(UnknownSource, match="wiki"):
        office.build(numbered(1), only=("wikki",))
    with pytest.raises(UnknownSource, match="wikki"):
        office.build(numbered(1), accept=frozenset({"wikki"}))


def test_a_source_that_left_the_settings_leaves_the_index(office: Office) -> None:
    wiki = numbered(2)
    office.build(wiki, numbered(20, "board"))
    report = office.build(wiki)
    assert len(report.removed) == 20
    assert report.held_back == ()
    assert office.pages() == {"wiki/000.md", "wiki/001.md"}


def test_what_left_the_wiki_leaves_the_cache_in_the_same_run(office: Office) -> None:
    wiki = numbered(3)
    wiki.pages["secret.md"] = Listed("# 비밀\n\n암호는 참깨입니다.", version="1")
    office.build(wiki)
    assert "참깨".encode() in office.options.cache.read_bytes()
    del wiki.pages["secret.md"]
    office.build(wiki)
    assert "참깨".encode() not in office.options.cache.read_bytes()
    assert "비밀".encode() not in office.options.ledger.read_bytes()


def test_a_folder_tells_no_version_of_a_file_that_changed_just_now(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_wiki(office.shelf.root.parent / "wiki", WIKI)
    wiki = FolderSource("wiki", folder, Audience.of(["everyone"]))
    assert {file.version for file in wiki.files()} == {None}
    now = time.time
    monkeypatch.setattr("knowledge.sources.folder.time.time", lambda: now() + 5)
    versions = {file.path: file.version for file in wiki.files()}
    assert None not in versions.values()
    page = folder / "보안.md"
    status = page.stat()
    text = page.read_bytes()
    page.write_bytes(
        text[:-3] + "끝".encode()
    )  # the same length, and the time it had before: the other time cannot be set
    os.utime(page, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert [
        path for path, version in versions.items() if {f.path: f.version for f in wiki.files()}[path] != version
    ] == ["보안.md"]
