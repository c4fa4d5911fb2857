"""An edition that fails a check is not published, and says which check."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection
from typing import Any

import pytest

from knowledge.build import RegressionLimits
from knowledge.building import checking
from knowledge.edition import Recall
from knowledge.errors import EditionRefused
from knowledge.page import EVERYONE, Audience, reader_of
from knowledge.search import SearchIndex
from tests.fakes.listed_source import Listed, ListedSource, numbered
from tests.knowledge.building.conftest import Office

PAGES = {
    "휴가.md": Listed("# 연차\n\n연차는 1년에 15일입니다.", "1"),
    "보안.md": Listed("# VPN\n\nVPN은 회사 노트북에서 씁니다.", "1"),
    "급여.md": Listed("---\naudience: [hr]\n---\n# 급여\n\n급여일은 25일입니다.", "1"),
}


def wiki(**changed: str) -> ListedSource:
    return ListedSource(pages=PAGES | {f"{name}.md": Listed(text, "2") for name, text in changed.items()})


class Asked:
    """Two questions, asked of the real search; recall at the first place, so that a word decides."""

    def __init__(self) -> None:
        self.questions = {"연차는 며칠인가요?": "휴가.md", "VPN은 어디에서 쓰나요?": "보안.md"}
        self.calls = 0

    def recall(self, index: SearchIndex, pages: Collection[str]) -> Recall:
        self.calls += 1
        asked = [(question, page) for question, page in self.questions.items() if page in pages]
        found = [index.search(question, reader_of(), 1).hits[0].passage.page == page for question, page in asked]
        return Recall(questions=str(asked), at5=sum(found) / len(found) if found else 0.0, asked=len(found))


def tampered(office: Office, monkeypatch: pytest.MonkeyPatch, change: Callable[[Any], Any]) -> None:
    """As if a fault in the build had written something else than it meant: what is checked is what was written."""
    write = checking.check_passages

    def check(edition: Any, wanted: Any) -> None:
        write(dataclasses.replace(edition, passages=[change(passage) for passage in edition.passages]), wanted)

    monkeypatch.setattr(checking, "check_passages", check)


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (lambda one: dataclasses.replace(one, page="지운 문서.md"), "removed pages"),
        (lambda one: dataclasses.replace(one, audience=Audience()) if one.page == "급여.md" else one, "audience"),
        (lambda one: dataclasses.replace(one, source="다른 출처"), "removed pages"),
    ],
)
def test_a_passage_that_must_not_be_there_or_is_too_open_keeps_the_old_edition(
    office: Office, monkeypatch: pytest.MonkeyPatch, change: Callable[[Any], Any], check: str
) -> None:
    edition = office.build(wiki()).edition
    with monkeypatch.context() as patched:
        tampered(office, patched, change)
        with pytest.raises(EditionRefused, match=check):
            office.build(wiki(휴가="# 연차\n\n연차는 1년에 16일입니다."))
    assert office.shelf.names() == [edition]
    assert not list(office.shelf.root.glob(".building-*"))
    assert office.build(wiki(휴가="# 연차\n\n연차는 1년에 16일입니다.")).changed == ("wiki/휴가.md",)


def test_a_removed_page_that_is_still_found_by_its_title_keeps_the_old_edition(office: Office) -> None:
    """The check itself, over an edition that has what it must not have."""
    office.build(wiki())
    wanted = checking.Wanted(pages={}, sources={}, removed=["wiki/휴가.md"], titles={"wiki/휴가.md": "연차"})
    with pytest.raises(EditionRefused, match="휴가"):
        checking.check_canaries(office.open(), wanted)
    checking.check_canaries(office.open(), dataclasses.replace(wanted, removed=["wiki/없던 문서.md"]))


def test_canaries_look_with_the_eyes_of_somebody_who_may_read_everything(office: Office) -> None:
    office.build(wiki())
    pages = {"wiki/급여.md": Audience.of(["hr"])}
    wanted = checking.Wanted(pages=pages, sources={}, removed=["wiki/급여.md"], titles={"wiki/급여.md": "급여"})
    with pytest.raises(EditionRefused):
        checking.check_canaries(office.open(), wanted)


def test_regression_questions_that_find_less_than_before_keep_the_old_edition(office: Office) -> None:
    office.options = dataclasses.replace(office.options, regression=Asked())
    report = office.build(wiki())
    assert report.recall is not None
    assert (report.recall.at5, report.recall.asked) == (1.0, 2)
    assert office.shelf.manifest(report.edition).recall == report.recall
    spoilt = {"휴가": "# 안내\n\n비어 있습니다.", "급여": "# 연차\n\n연차는 며칠인가요? 연차는 며칠인가요?"}
    with pytest.raises(EditionRefused, match=r"1\.000 → 0\.500"):
        office.build(wiki(**spoilt))
    assert office.shelf.names() == [report.edition]
    office.options = dataclasses.replace(office.options, regression_limits=RegressionLimits(fall=0.5))
    assert office.build(wiki(**spoilt)).edition != report.edition


def test_recall_below_the_floor_is_refused_in_the_first_run_too(office: Office) -> None:
    asked = Asked()
    asked.questions["급여일은 언제인가요?"] = "급여.md"  # nobody in this test may read it
    office.options = dataclasses.replace(
        office.options, regression=asked, regression_limits=RegressionLimits(floor=0.9)
    )
    with pytest.raises(EditionRefused, match=r"0\.667 < 0\.900"):
        office.build(wiki())
    assert office.shelf.names() == []


def test_questions_about_removed_pages_are_asked_of_neither_edition(office: Office) -> None:
    asked = Asked()
    office.options = dataclasses.replace(office.options, regression=asked)
    office.build(wiki())
    left = wiki()
    del left.pages["휴가.md"]
    report = office.build(left)
    assert report.recall is not None
    assert report.recall.asked == 1
    assert asked.calls == 3  # the serving edition was asked again, without the question
    left.pages["새.md"] = Listed("# 새\n\n새 글.", "1")
    office.build(left)
    assert asked.calls == 4  # and what it found then was kept


def test_a_canary_is_searched_for_in_a_real_run(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.build(wiki())
    left = wiki()
    del left.pages["급여.md"]
    searched: list[str] = []
    search = SearchIndex.search

    def listening(self: SearchIndex, question: str, *rest: Any, **more: Any) -> Any:
        searched.append(question)
        return search(self, question, *rest, **more)

    monkeypatch.setattr(SearchIndex, "search", listening)
    assert office.build(left).removed == ("wiki/급여.md",)
    assert searched == ["급여"]


def test_every_page_has_to_be_there(office: Office) -> None:
    office.build(numbered(3))
    edition = office.shelf.open()
    wanted = checking.Wanted(pages={"wiki/000.md": Audience.of([EVERYONE])}, sources={}, removed=[], titles={})
    with pytest.raises(EditionRefused, match="2 pages"):
        checking.check_passages(edition, wanted)
