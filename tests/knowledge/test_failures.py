"""Pages that could not be read: whoever may not read such a page is not told of it."""

from __future__ import annotations

from pathlib import Path

from knowledge.errors import PageError, UnclearFrontMatter, UnreadablePage
from knowledge.failures import NOBODY, UnreadPage, unread_pages
from knowledge.page import Audience, reader_of
from tests.conftest import Indexer

EVERYONE = Audience()
HR = Audience.of(["hr"])


def failures(indexer: Indexer, kind: str = "folder", settings: Audience = EVERYONE) -> dict[str, UnreadPage]:
    edition = indexer.shelf.open()
    served = {(passage.source, passage.page): passage.audience for passage in edition.passages}
    found = unread_pages(
        indexer.options.ledger, {"wiki": kind}, lambda source, path: settings, lambda *name: served.get(name)
    )
    return {one.page: one for one in found}


def damage(path: Path) -> None:
    path.write_bytes(b"%PDF-1.7 nothing behind it")


def test_a_page_that_was_never_read_has_the_audience_of_its_folder(indexer: Indexer) -> None:
    damage(indexer.wiki / "깨진.pdf")
    report = indexer.build()
    assert [one.page for one in report.failed] == ["깨진.pdf"]
    one = failures(indexer)["깨진.pdf"]
    assert isinstance(one.error, PageError)
    assert one.count == 1
    assert one.since > 0
    assert one.audience == EVERYONE
    assert failures(indexer, settings=HR)["깨진.pdf"].audience == HR


def test_where_pages_tell_their_own_readers_nobody_knows_those_of_one_that_was_never_read(indexer: Indexer) -> None:
    damage(indexer.wiki / "깨진.pdf")
    indexer.build()
    assert not failures(indexer, "confluence")["깨진.pdf"].audience.admits(reader_of(["hr", "깨진.pdf"]))


def test_a_restricted_page_that_breaks_later_stays_restricted(indexer: Indexer) -> None:
    indexer.build()
    (indexer.wiki / "연봉.md").write_bytes(b"\xff\xfe\x00")  # neither text nor anything else
    report = indexer.build()
    assert [one.page for one in report.failed] == ["연봉.md"]
    one = failures(indexer)["연봉.md"]
    assert not one.audience.admits(reader_of())
    assert one.audience.admits(reader_of(["hr"]))


def test_a_page_whose_readers_cannot_be_understood_is_named_to_nobody(indexer: Indexer) -> None:
    (indexer.wiki / "닫히지-않음.md").write_text("---\naudience: [hr\n", encoding="utf-8")
    (indexer.wiki / "숫자.md").write_text("---\naudience: [1, hr]\n---\n# 숫자\n\n본문입니다.\n", encoding="utf-8")
    indexer.build()
    found = failures(indexer)
    assert isinstance(found["닫히지-않음.md"].error, UnclearFrontMatter)
    assert isinstance(found["숫자.md"].error, UnreadablePage)
    assert found["닫히지-않음.md"].audience == found["숫자.md"].audience == NOBODY
    assert not NOBODY.admits(reader_of(["hr", "admin"]))


def test_pages_of_a_source_that_is_not_configured_are_left_out(indexer: Indexer) -> None:
    damage(indexer.wiki / "깨진.pdf")
    indexer.build()
    assert unread_pages(indexer.options.ledger, {"other": "folder"}, lambda *_: EVERYONE, lambda *_: None) == []


def test_a_ledger_that_is_away_or_damaged_says_nothing_and_is_left_alone(tmp_path: Path) -> None:
    away, broken = tmp_path / "away.sqlite", tmp_path / "broken.sqlite"
    broken.write_bytes(b"no database " * 100)
    for path in (away, broken):
        assert unread_pages(path, {"wiki": "folder"}, lambda *_: EVERYONE, lambda *_: None) == []
    assert not away.exists()
    assert broken.read_bytes() == b"no database " * 100
