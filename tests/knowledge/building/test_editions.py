"""Going back to an older edition, and keeping to it; what a process has open stays readable."""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys

import numpy as np
import pytest

from knowledge.edition import EditionShelf, Reopening
from knowledge.errors import BrokenEdition, EditionMismatch, EditionRefused, IndexBusy, PagesReopened, UnknownEdition
from knowledge.page import Audience, reader_of
from tests.fakes.listed_source import Listed, ListedSource, numbered
from tests.knowledge.building.conftest import Office


def changed(wiki: ListedSource, number: int) -> ListedSource:
    """The first page says something else."""
    wiki.pages["000.md"] = Listed(f"# 안내 0\n\n이번 소식은 {number}번입니다.", version=str(number + 10))
    return wiki


def three(office: Office) -> tuple[ListedSource, list[str]]:
    """A source and three editions of it, oldest first."""
    wiki = numbered(2)
    return wiki, [office.build(changed(wiki, number)).edition for number in range(3)]


def test_without_a_name_the_edition_before_serves_again(office: Office) -> None:
    _, names = three(office)
    assert office.shelf.roll_back() == names[1]
    assert office.shelf.current() == names[1]
    assert office.shelf.roll_back() == names[0]
    assert office.shelf.roll_back(names[2]) == names[2]
    assert office.shelf.current() == names[2]


def test_what_is_not_there_or_damaged_is_refused_and_nothing_changes(office: Office) -> None:
    wiki, names = three(office)
    with pytest.raises(UnknownEdition, match=names[0]):
        office.shelf.roll_back("20200101-000000-00000000")
    with pytest.raises(UnknownEdition):
        office.shelf.roll_back("../../etc")
    vectors = office.shelf.root / names[1] / "vectors.faiss"
    vectors.write_bytes(vectors.read_bytes()[:-1] + b"?")
    with pytest.raises(BrokenEdition):
        office.shelf.roll_back()
    assert office.shelf.current() == names[2]
    assert office.build(wiki).reused
    assert not office.build(wiki).rolled_back


def test_an_edition_that_the_present_models_cannot_search_is_refused(office: Office) -> None:
    _, names = three(office)
    analyser, embedder = office.analyser.name, office.embedder.id
    for made_with in ((analyser, "other@1"), ("other", embedder)):
        with pytest.raises(EditionMismatch):
            office.shelf.roll_back(None, made_with)
    assert office.shelf.current() == names[2]
    assert office.shelf.roll_back(None, (analyser, embedder)) == names[1]


def test_the_first_edition_has_none_before_it(office: Office) -> None:
    office.build(numbered(1))
    with pytest.raises(UnknownEdition):
        office.shelf.roll_back()


def test_the_next_run_does_not_undo_it_while_nothing_has_changed(office: Office) -> None:
    wiki, names = three(office)
    office.shelf.roll_back()
    for _ in range(2):
        report = office.build(wiki)
        assert (report.edition, report.reused, report.rolled_back) == (names[1], True, True)
    assert office.shelf.current() == names[1]
    report = office.build(changed(wiki, 9))
    assert not report.reused
    assert office.shelf.current() == report.edition
    # Back to what the edition of before the rollback held: that is news now.
    report = office.build(changed(wiki, 2))
    assert (report.reused, report.rolled_back) == (False, False)


def test_a_run_of_one_source_or_with_a_broken_one_does_not_undo_it_either(office: Office) -> None:
    wiki, board = numbered(2), numbered(2, "board")
    old = office.build(wiki, board).edition
    changed(wiki, 1)
    changed(board, 1)
    office.build(wiki, board)
    office.shelf.roll_back()
    for request in ({"only": ("board",)}, {"only": ("wiki",)}, {}):
        report = office.build(wiki, board, **request)
        assert (report.edition, report.rolled_back) == (old, True)
    board.breaks_after = 0
    assert office.build(wiki, board).rolled_back
    board.breaks_after = None
    changed(board, 2)
    report = office.build(wiki, board, only=("board",))
    assert (report.rolled_back, report.changed) == (False, ("board/000.md",))


def test_new_settings_are_not_held_up_by_it(office: Office) -> None:
    wiki, board = numbered(2), numbered(2, "board")
    office.build(wiki, board)
    changed(wiki, 1)
    office.build(wiki, board)
    office.shelf.roll_back()
    board.audience = Audience.of(["hr"])
    report = office.build(wiki, board)
    assert not report.rolled_back
    assert office.pages() == {"wiki/000.md", "wiki/001.md"}
    changed(wiki, 2)
    office.build(wiki, board)
    office.shelf.roll_back()
    office.options = dataclasses.replace(office.options, passage_size=200)
    assert not office.build(wiki, board).rolled_back


def test_who_wants_it_anew_gets_it_anew(office: Office) -> None:
    wiki, names = three(office)
    office.shelf.roll_back()
    assert office.build(wiki, full=True).edition not in names


def test_going_back_while_a_run_is_on_its_way_is_not_undone_by_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    wiki, names = three(office)

    def meanwhile(index: object) -> dict[str, float]:
        EditionShelf(office.shelf.root).roll_back(names[0])
        return {"threshold": 1.0}

    with monkeypatch.context() as patched:
        patched.setattr("knowledge.build.calibrate", meanwhile)
        with pytest.raises(EditionRefused, match="rollback"):
            office.build(changed(wiki, 5))
    assert office.shelf.current() == names[0]
    assert office.shelf.names() == names


def closing(office: Office) -> tuple[ListedSource, list[str]]:
    """Three editions: four pages for everyone, then the first for hr alone, then the second deleted."""
    wiki = numbered(4)
    names = [office.build(wiki).edition]
    wiki.pages["000.md"] = dataclasses.replace(wiki.pages["000.md"], audience=Audience.of(["hr"]))
    names.append(office.build(wiki).edition)
    del wiki.pages["001.md"]
    return wiki, [*names, office.build(wiki).edition]


def test_pages_that_were_narrowed_or_deleted_since_are_not_opened_again_unless_a_person_agrees(office: Office) -> None:
    wiki, names = closing(office)
    open_now = office.pages()
    asked: list[Reopening] = []
    with pytest.raises(PagesReopened, match="--reopen") as caught:
        office.shelf.roll_back(names[0], None, lambda found: bool(asked.append(found)))
    assert (caught.value.details["wider"], caught.value.details["returned"]) == (1, 1)
    assert asked == [Reopening(1, 1)]
    with pytest.raises(PagesReopened):
        office.shelf.roll_back(names[0])
    assert (office.shelf.current(), office.pages()) == (names[2], open_now)
    assert not office.build(wiki).rolled_back
    assert office.shelf.roll_back(names[0], None, lambda found: True) == names[0]
    assert office.pages() == open_now | {"wiki/000.md", "wiki/001.md"}


def test_after_one_step_back_the_next_is_compared_with_the_newest_edition_too(office: Office) -> None:
    _, names = closing(office)
    assert [office.shelf.reopening(name) for name in names] == [Reopening(1, 1), Reopening(0, 1), Reopening()]
    office.shelf.roll_back(names[1], None, lambda found: found == Reopening(0, 1))
    with pytest.raises(PagesReopened):
        office.shelf.roll_back(names[0], None, lambda found: found == Reopening(1, 0))
    assert office.shelf.roll_back(names[2]) == names[2]  # forward again opens nothing


def test_pages_that_were_opened_added_or_rewritten_since_are_nothing_to_ask_about(office: Office) -> None:
    wiki = numbered(3)
    wiki.pages["000.md"] = dataclasses.replace(wiki.pages["000.md"], audience=Audience.of(["hr"]))
    wiki.pages["001.md"] = dataclasses.replace(wiki.pages["001.md"], audience=Audience.of(["hr"]))
    old = office.build(wiki).edition
    wiki.pages["000.md"] = Listed("# 안내 0\n\n모두 읽습니다.", version="2")
    wiki.pages["001.md"] = dataclasses.replace(wiki.pages["001.md"], audience=Audience.of(["hr", "it"]))
    wiki.pages["003.md"] = Listed("# 안내 3\n\n새 글입니다.", version="1")
    office.build(wiki)
    assert office.shelf.roll_back() == old


@pytest.mark.parametrize(
    ("narrow", "wide", "within"),
    [
        ([["hr"]], [], True),
        ([], [["hr"]], False),
        ([["hr"]], [["hr", "it"]], True),
        ([["hr", "it"]], [["hr"]], False),
        ([["hr"], ["it"]], [["it"]], True),
        ([["hr"]], [["hr"], ["it"]], False),
        ([[]], [["hr"]], True),
        ([["hr"]], [[]], False),
    ],
)
def test_an_audience_is_within_another_that_admits_all_of_its_readers(
    narrow: list[list[str]], wide: list[list[str]], within: bool
) -> None:
    assert Audience.from_lists(narrow).within(Audience.from_lists(wide)) is within


def test_of_a_newest_edition_that_is_damaged_nobody_knows_what_it_had_closed(office: Office) -> None:
    _, names = three(office)
    passages = office.shelf.root / names[2] / "passages.jsonl"
    passages.write_bytes(passages.read_bytes()[:-1] + b" ")
    with pytest.raises(PagesReopened) as caught:
        office.shelf.roll_back()
    assert caught.value.details["returned"] == 2
    assert office.shelf.roll_back(agreed=lambda found: True) == names[1]


def test_what_is_published_while_a_person_is_asked_is_not_gone_back_from(office: Office) -> None:
    wiki, names = closing(office)

    def meanwhile(found: Reopening) -> bool:
        del wiki.pages["002.md"]
        names.append(office.build(wiki).edition)
        return True

    with pytest.raises(IndexBusy):
        office.shelf.roll_back(names[1], None, meanwhile)
    assert office.shelf.current() == names[3]


def test_the_edition_one_went_back_to_is_kept_however_old(office: Office) -> None:
    wiki, names = three(office)
    office.shelf.roll_back(names[0])
    office.build(wiki)
    assert office.shelf.names() == names
    later = office.build(changed(wiki, 7)).edition
    assert len(office.shelf.names()) == 3
    assert office.shelf.names()[-1] == later


def test_an_edition_that_was_complete_but_not_yet_pointed_at_is_taken_without_making_it_again(office: Office) -> None:
    wiki, names = three(office)
    (office.shelf.root / "current").write_text(names[1] + "\n")  # as a kill between rename and pointer leaves it
    embedded = office.embedder.embedded
    report = office.build(wiki)
    assert (report.edition, report.reused) == (names[2], False)
    assert office.shelf.current() == names[2]
    assert office.embedder.embedded == embedded


def test_a_note_of_a_rollback_that_never_happened_means_nothing(office: Office) -> None:
    wiki, names = three(office)
    (office.shelf.root / "rolled-back.json").write_text(json.dumps({"from": names[1], "to": names[0]}))
    assert not office.build(changed(wiki, 1)).reused
    (office.shelf.root / "rolled-back.json").write_text("[")
    assert office.build(wiki).reused


def test_the_list_tells_of_every_edition_and_which_one_serves(office: Office) -> None:
    wiki, names = three(office)
    wiki.breaks_after = 0
    board = numbered(1, "board")
    last = office.build(wiki, board).edition
    office.shelf.roll_back(names[1])
    listed = office.shelf.shelved()
    assert [(one.manifest.edition, one.serving) for one in listed] == [
        (names[1], True),
        (names[2], False),
        (last, False),
    ]
    assert [one.manifest.held_back for one in listed] == [[], [], ["wiki"]]
    assert listed[-1].manifest.sources == {"wiki": 2, "board": 1}
    assert all(one.bytes > 1000 for one in listed)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere open files cannot be deleted")
def test_an_open_edition_goes_on_answering_when_its_files_are_deleted(office: Office) -> None:
    office.build(numbered(30))
    index = office.open()
    before = [hit.passage.page for hit in index.search("7번 창구", reader_of(), 10).hits]
    shutil.rmtree(office.shelf.root)
    assert [hit.passage.page for hit in index.search("7번 창구", reader_of(), 10).hits] == before
    assert index.search("29번 창구는 몇 층인가요", reader_of(), 1).hits[0].passage.page == "029.md"
    counts = index.edition.bigrams.counts
    assert counts is not None
    assert np.asarray(counts.counts).sum() > 0
