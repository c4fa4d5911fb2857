"""A source that breaks or shrinks keeps its pages; a page that cannot be read keeps its passages; neither opens to anybody new."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge.building import reading
from knowledge.edition import HeldSource
from knowledge.errors import EmptyWiki, ParsingUnavailable, SourceFailed, SourceNotFound, SourceShrank
from knowledge.page import Audience
from knowledge.sources.base import SourceFile
from knowledge.sources.narrowed import FolderAudience, NarrowedSource
from tests.fakes.listed_source import Listed, ListedSource, numbered
from tests.fakes.pdf_maker import make_pdf
from tests.knowledge.building.conftest import Office

HOUR = 3600.0


@pytest.mark.parametrize("error", [SourceNotFound(name="board", path="x"), ConnectionError("far"), ZeroDivisionError()])
@pytest.mark.parametrize("breaks_after", [0, 1, 2])
def test_a_source_that_breaks_keeps_its_pages_and_the_others_go_on(
    office: Office, breaks_after: int, error: Exception
) -> None:
    wiki, board = numbered(2), numbered(2, "board")
    office.build(wiki, board)
    board.breaks_after, board.error = breaks_after, error
    wiki.pages["001.md"] = Listed("# 안내\n\n바뀐 글.", version="2")
    report = office.build(wiki, board)
    assert (report.changed, report.removed) == (("wiki/001.md",), ())
    (held,) = report.held_back
    assert (held.source, held.before, held.now) == ("board", 2, None)
    assert isinstance(held.error, SourceNotFound if isinstance(error, SourceNotFound) else SourceFailed)
    assert "board/001.md" in office.pages()
    assert office.shelf.manifest(report.edition).held_back == ["board"]
    board.breaks_after = None
    assert office.build(wiki, board).held_back == ()


def test_a_source_that_breaks_while_nothing_else_changed_is_noted_as_held_back(office: Office) -> None:
    wiki, board = numbered(2), numbered(2, "board")
    office.build(wiki, board)
    assert office.shelf.held_back() == {}
    board.breaks_after, board.error = 0, SourceNotFound(name="board", path="x")
    report = office.build(wiki, board)
    assert (report.reused, office.shelf.manifest(report.edition).held_back) == (True, [])
    (held,) = office.shelf.held_back().items()
    assert held[0] == "board"
    assert (held[1].before, held[1].now) == (2, None)
    assert [held[1].reason(language) for language in ("ko", "en")] == [board.error.explain("ko"), str(board.error)]
    since = held[1].since
    assert since > 0
    office.build(wiki, board)
    assert office.shelf.held_back()["board"].since == since


def test_a_run_of_another_source_leaves_the_note_and_one_of_itself_that_succeeds_takes_it_away(office: Office) -> None:
    wiki, board = numbered(2), numbered(2, "board")
    office.build(wiki, board)
    board.breaks_after = 0
    wiki.pages["001.md"] = Listed("# 안내\n\n바뀐 글.", version="2")
    office.build(wiki, board)
    wiki.pages["001.md"] = Listed("# 안내\n\n또 바뀐 글.", version="3")
    report = office.build(wiki, board, only=("wiki",))
    assert (report.reused, office.shelf.manifest(report.edition).held_back) == (False, [])
    assert set(office.shelf.held_back()) == {"board"}
    board.breaks_after = None
    assert office.build(wiki, board, only=("board",)).reused
    assert office.shelf.held_back() == {}


def test_a_source_that_recovers_unchanged_is_held_back_no_longer(office: Office) -> None:
    wiki, board = numbered(2), numbered(2, "board")
    office.build(wiki, board)
    board.breaks_after = 0
    wiki.pages["001.md"] = Listed("# 안내\n\n바뀐 글.", version="2")
    edition = office.build(wiki, board).edition
    board.breaks_after = None
    report = office.build(wiki, board)
    assert (report.edition, report.reused) == (edition, True)
    assert office.shelf.manifest(edition).held_back == ["board"]  # as it was made
    assert office.shelf.held_back() == {}


def test_a_run_that_fails_notes_what_it_held_back_and_takes_nothing_away(office: Office) -> None:
    wiki, board = numbered(2), numbered(2, "board")
    office.build(wiki, board)
    board.breaks_after = 0
    with pytest.raises(SourceFailed):
        office.build(wiki, board, only=("board",))
    assert set(office.shelf.held_back()) == {"board"}
    board.breaks_after = None
    with pytest.raises(EmptyWiki):
        office.build(numbered(0), numbered(0, "board"), accept=frozenset({"wiki", "board"}))
    assert set(office.shelf.held_back()) == {"board"}


def test_comparing_notes_nothing_and_who_left_the_settings_is_held_back_no_longer(office: Office) -> None:
    wiki, board = numbered(2), numbered(2, "board")
    office.build(wiki, board)
    board.breaks_after = 0
    office.build(wiki, board, dry_run=True)
    assert office.shelf.held_back() == {}
    office.build(wiki, board)
    assert set(office.shelf.held_back()) == {"board"}
    office.build(wiki)
    assert office.shelf.held_back() == {}


@pytest.mark.parametrize("noted", [None, "[", "[]", '{"board": {"who": 1}}'])
def test_where_nothing_was_noted_yet_the_serving_edition_tells_who_is_held_back(
    office: Office, noted: str | None
) -> None:
    wiki, board = numbered(2), numbered(2, "board")
    office.build(wiki, board)
    board.breaks_after = 0
    wiki.pages["001.md"] = Listed("# 안내\n\n바뀐 글.", version="2")
    office.build(wiki, board)
    note = office.shelf.root / "held-back.json"
    note.unlink()
    if noted is not None:
        note.write_text(noted)
    assert office.shelf.held_back() == {"board": HeldSource()}
    office.build(wiki, board, only=("wiki",))
    assert office.shelf.held_back() == {"board": HeldSource()}
    assert note.is_file()


def test_in_the_first_run_a_broken_source_is_told_and_the_others_are_published(office: Office) -> None:
    report = office.build(numbered(2), ListedSource("board", breaks_after=0))
    assert [one.source for one in report.held_back] == ["board"]
    assert office.pages() == {"wiki/000.md", "wiki/001.md"}


def test_when_every_source_breaks_the_run_has_failed_with_the_first_reason(office: Office) -> None:
    broken = ListedSource("board", breaks_after=0, error=SourceNotFound(name="board", path="x"))
    with pytest.raises(SourceNotFound):
        office.build(broken)
    edition = office.build(numbered(2, "board")).edition
    with pytest.raises(SourceNotFound):
        office.build(broken)
    assert office.shelf.current() == edition


def test_a_source_that_breaks_while_its_files_are_read_is_held_back(office: Office) -> None:
    wiki, board = numbered(2), numbered(2, "board")
    office.build(wiki, board)
    error = SourceNotFound(name="board", path="x")

    class Broken(ListedSource):
        def _read(self, path: str, page: Listed) -> bytes:
            raise error

    report = office.build(
        wiki,
        Broken("board", pages={path: dataclasses.replace(page, version="2") for path, page in board.pages.items()}),
    )
    assert [one.error for one in report.held_back] == [error]
    assert "board/000.md" in office.pages()


def test_a_parser_that_cannot_be_had_is_no_fault_of_the_pages(office: Office) -> None:
    def parse(data: bytes, name: str) -> object:
        raise ParsingUnavailable(reason="fork")

    office.options = dataclasses.replace(office.options, parse=parse)
    with pytest.raises(ParsingUnavailable):
        office.build(numbered(2))


@pytest.mark.parametrize(
    ("before", "now", "held"), [(20, 9, True), (20, 10, False), (9, 1, False), (9, 0, True), (1, 0, True)]
)
def test_a_source_that_suddenly_lists_far_fewer_pages_is_held_back_until_somebody_accepts_it(
    office: Office, before: int, now: int, held: bool
) -> None:
    board = numbered(2, "board")
    office.build(numbered(before), board)
    shrunk = numbered(now)
    report = office.build(shrunk, board)
    assert [(one.source, one.before, one.now) for one in report.held_back] == ([("wiki", before, now)] if held else [])
    assert len(report.removed) == (0 if held else before - now)
    if held:
        assert shrunk.read == []
        assert isinstance(report.held_back[0].error, SourceShrank)
        assert len(office.build(shrunk, board, accept=frozenset({"wiki"})).removed) == before - now


def test_pages_that_all_lost_their_text_are_a_shrunken_source(office: Office) -> None:
    board = numbered(1, "board")
    office.build(numbered(12), board)
    emptied = ListedSource(pages={path: Listed("", version="2") for path in numbered(12).pages})
    report = office.build(emptied, board)
    assert [(one.source, one.now) for one in report.held_back] == [("wiki", 0)]
    assert len(report.failed) == 12
    assert len(office.pages()) == 13


def test_the_only_source_that_shrank_fails_the_run(office: Office) -> None:
    office.build(numbered(20))
    with pytest.raises(SourceShrank, match="--accept wiki"):
        office.build(numbered(3))
    with pytest.raises(EmptyWiki):
        office.build(numbered(0), accept=frozenset({"wiki"}))
    report = office.build(numbered(3), dry_run=True)
    assert [one.source for one in report.held_back] == ["wiki"]


def test_the_share_below_which_it_shrank_can_be_set(office: Office) -> None:
    office.options = dataclasses.replace(office.options, shrink_share=0.1)
    office.build(numbered(20))
    assert len(office.build(numbered(3)).removed) == 17


def test_pages_of_a_source_that_is_held_back_close_to_whom_the_present_settings_do_not_admit(office: Office) -> None:
    wiki, board = numbered(2), numbered(2, "board")
    office.build(wiki, board)
    board.breaks_after = 0
    board.audience = Audience.of(["hr"])
    assert set(office.build(wiki, board).changed) == {"board/000.md", "board/001.md"}
    assert office.pages() == {"wiki/000.md", "wiki/001.md"}
    assert len(office.pages(["hr"])) == 4
    assert office.build(wiki, board).reused
    # Even when nothing else could be read: closing does not wait for the source.
    wiki.breaks_after = 0
    wiki.audience = Audience.of(["it"])
    office.build(wiki, board)
    assert office.pages() == set()
    board.audience = Audience.of(["everyone"])  # what closed opens again only when the source can be read
    with pytest.raises(SourceFailed):
        office.build(wiki, board)


def test_what_a_source_that_shrank_still_tells_of_readers_closes_its_pages(office: Office) -> None:
    wiki, board = numbered(20), numbered(1, "board")
    office.build(wiki, board)
    shrunk = numbered(3)
    shrunk.pages["001.md"] = dataclasses.replace(shrunk.pages["001.md"], audience=Audience.of(["hr"]))
    report = office.build(shrunk, board)
    assert [one.source for one in report.held_back] == ["wiki"]
    assert (report.changed, report.removed) == (("wiki/001.md",), ())
    assert (len(office.pages()), len(office.pages(["hr"]))) == (20, 21)
    assert office.build(shrunk, board).reused


def test_pages_that_say_themselves_who_reads_them_or_are_locked_close_in_a_source_that_is_held_back(
    office: Office,
) -> None:
    wiki, board = numbered(12), numbered(1, "board")
    wiki.pages["잠금.pdf"] = Listed(make_pdf([["급여일은 25일입니다."]]).decode(), version="1")
    office.build(wiki, board)
    emptied = ListedSource(pages={path: Listed("", version="2") for path in wiki.pages})
    emptied.pages["000.md"] = Listed("---\naudience: hr\n---\n# 안내\n\n글.", version="2")
    emptied.pages["001.md"] = Listed("---\naudience: [hr\n---\n# 안내\n\n글.", version="2")
    emptied.pages["002.md"] = Listed("# 안내\n\n글.", version="2")
    emptied.pages["잠금.pdf"] = Listed(make_pdf([["가"]], encrypted=True).decode(), version="2")
    report = office.build(emptied, board)
    assert [(one.source, one.now) for one in report.held_back] == [("wiki", 2)]
    closed = {"wiki/000.md", "wiki/001.md", "wiki/잠금.pdf"}
    assert office.pages() == {f"wiki/{path}" for path in wiki.pages} - closed | {"board/000.md"}
    assert office.pages(["hr"]) == office.pages() | {"wiki/000.md"}


def test_a_rule_about_a_folder_closes_pages_that_are_held_back(office: Office) -> None:
    wiki, board = (
        numbered(1),
        ListedSource("board", pages={"인사/급여.md": Listed("# 급여\n\n급여."), "a.md": Listed("# 가\n\n가.")}),
    )
    office.build(wiki, board)
    board.breaks_after = 0
    office.build(wiki, NarrowedSource(board, [FolderAudience(("인사/**",), Audience.of(["hr"]))]))
    assert office.pages() == {"wiki/000.md", "board/a.md"}


def test_a_page_that_cannot_be_read_any_more_keeps_its_passages_as_long_as_it_is_listed(office: Office) -> None:
    wiki = numbered(3)
    office.build(wiki)
    wiki.pages["001.md"] = Listed(None, version="2")
    report = office.build(wiki)
    assert [(one.page, one.kept) for one in report.failed] == [("001.md", True)]
    assert (report.removed, report.reused) == ((), True)
    del wiki.pages["001.md"]
    assert office.build(wiki).removed == ("wiki/001.md",)


def test_a_page_that_cannot_be_read_does_not_keep_the_passages_of_another_one_that_stood_there(office: Office) -> None:
    wiki = numbered(2)
    wiki.pages["001.md"] = dataclasses.replace(wiki.pages["001.md"], identity="11")
    office.build(wiki)
    wiki.pages["001.md"] = Listed(None, version="1", identity="12")
    for _ in range(2):
        report = office.build(wiki)
        assert [(one.page, one.kept) for one in report.failed] == [("001.md", False)]
        assert office.pages() == {"wiki/000.md"}


def test_a_failure_of_another_page_that_stood_there_does_not_keep_a_page_waiting(office: Office) -> None:
    wiki = numbered(2)
    wiki.pages["001.md"] = dataclasses.replace(wiki.pages["001.md"], identity="11")
    office.build(wiki)
    wiki.pages["001.md"] = Listed(None, version="2", identity="11")
    for _ in range(3):
        office.build(wiki)
    wiki.pages["001.md"] = Listed("# 안내\n\n새 문서입니다.", version="2", identity="12")
    assert office.build(wiki).failed == ()


def test_of_two_pages_with_one_path_the_second_is_reported_and_the_first_is_there_once(office: Office) -> None:
    wiki = numbered(2)

    class Twice(ListedSource):
        def files(self) -> Iterator[SourceFile]:
            yield from super().files()
            yield from super().files()

    twice = Twice(pages=wiki.pages)
    for _ in range(3):
        report = office.build(twice)
        assert [(one.page, one.kept) for one in report.failed] == [("000.md", False), ("001.md", False)]
        assert {one.error.details["reason"] for one in report.failed} == {"another page has the same path"}
        assert (report.pages, report.passages) == (2, 2)
        assert sorted(one.page for one in office.shelf.open().passages) == ["000.md", "001.md"]
    wiki.pages["001.md"] = Listed(None, version="2")  # nor are the passages kept twice
    assert office.build(twice).passages == 2


def test_a_page_that_was_never_read_has_nothing_to_keep(office: Office) -> None:
    wiki = numbered(2)
    wiki.pages["x.md"] = Listed(None, version="1")
    report = office.build(wiki)
    assert [(one.page, one.kept) for one in report.failed] == [("x.md", False)]
    assert len(office.pages()) == 2


@pytest.mark.parametrize("text", ["", "---\naudience: [hr\n---\n# 안내\n\n글.", "---\naudience: 7\n---\n# 안내\n\n글."])
def test_a_page_that_lost_its_text_or_whose_readers_are_unclear_is_not_kept(office: Office, text: str) -> None:
    wiki = numbered(2)
    office.build(wiki)
    wiki.pages["001.md"] = Listed(text, version="2")
    report = office.build(wiki)
    assert [(one.page, one.kept) for one in report.failed] == [("001.md", False)]
    assert report.removed == ("wiki/001.md",)


def test_a_file_that_got_a_password_does_not_go_on_answering_as_it_was(office: Office) -> None:
    wiki = numbered(1)
    wiki.pages["급여.pdf"] = Listed(make_pdf([["급여일은 25일입니다."]]).decode(), version="1")
    office.build(wiki)
    assert "wiki/급여.pdf" in office.pages()
    wiki.pages["급여.pdf"] = Listed(make_pdf([["급여일은 25일입니다."]], encrypted=True).decode(), version="2")
    report = office.build(wiki)
    assert [(one.page, one.kept) for one in report.failed] == [("급여.pdf", False)]
    assert office.pages() == {"wiki/000.md"}


def test_a_kept_page_is_open_to_whom_both_the_old_and_the_new_settings_admit(office: Office) -> None:
    wiki = numbered(2)
    wiki.pages["001.md"] = dataclasses.replace(wiki.pages["001.md"], audience=Audience.of(["hr", "it"]))
    office.build(wiki)
    wiki.pages["001.md"] = Listed(None, version="2", audience=Audience.of(["it", "sales"]))
    office.build(wiki)
    assert [("wiki/001.md" in office.pages([group])) for group in ("hr", "it", "sales")] == [False, True, False]
    wiki.pages["001.md"] = Listed("# 안내 1\n\n다시 읽힙니다.", version="3", audience=Audience.of(["sales"]))
    office.build(wiki)
    assert [("wiki/001.md" in office.pages([group])) for group in ("hr", "it", "sales")] == [False, False, True]


def test_a_broken_page_is_tried_in_the_next_run_and_then_with_growing_pauses(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1_000_000.0]
    monkeypatch.setattr(reading.time, "time", lambda: now[0])
    wiki = numbered(1)
    wiki.pages["x.md"] = Listed(None, version="1")

    def tries(after: float) -> tuple[bool, int]:
        now[0] += after
        wiki.read.clear()
        report = office.build(wiki)
        (failed,) = report.failed
        return "x.md" in wiki.read, failed.tries

    assert [tries(0), tries(60), tries(60), tries(HOUR), tries(HOUR), tries(5 * HOUR)] == [
        (True, 1), (True, 2), (False, 2), (True, 3), (False, 3), (True, 4),
    ]  # fmt: skip
    assert [tries(23 * HOUR), tries(2 * HOUR), tries(25 * HOUR)] == [(False, 4), (True, 5), (True, 6)]
    wiki.pages["x.md"] = Listed("# 나음\n\n이제 읽힙니다.", version="2")
    report = office.build(wiki)
    assert (report.failed, report.added) == ((), ("wiki/x.md",))


def test_a_broken_page_is_tried_at_once_when_it_or_the_limits_changed_or_its_version_is_unknown(office: Office) -> None:
    wiki = numbered(1)
    wiki.pages["x.md"] = Listed(None, version="1")
    for _ in range(2):
        office.build(wiki)
    for change in (
        lambda: wiki.pages.update({"x.md": Listed(None, version="2")}),
        lambda: setattr(office, "options", dataclasses.replace(office.options, limits="120 s")),
        lambda: wiki.pages.update({"x.md": Listed(None, version=None)}),
    ):
        wiki.read.clear()
        office.build(wiki)
        assert wiki.read == []
        change()
        office.build(wiki)
        assert wiki.read == ["x.md"]


def test_a_file_over_the_limit_is_told_every_time_and_taken_when_the_limit_rises(
    office: Office, tmp_path: Path
) -> None:
    wiki = numbered(1)
    wiki.pages["x.md"] = Listed("# 긴 글\n\n" + "가나다라 " * 100_000, version="1")
    office.options = dataclasses.replace(office.options, max_file_mb=1)
    for _ in range(3):
        assert [type(one.error).__name__ for one in office.build(wiki).failed] == ["PageTooLarge"]
    office.options = dataclasses.replace(office.options, max_file_mb=2)
    assert office.build(wiki).failed == ()
