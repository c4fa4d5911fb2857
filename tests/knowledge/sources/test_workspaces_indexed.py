"""Notion and Confluence through indexing: what an unchanged page costs, what is forgotten, and who finds what."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge.build import BuildReport, build
from knowledge.errors import SourceUnreachable
from knowledge.page import Audience, reader_of
from knowledge.sources import SourceConfig, open_source
from knowledge.sources.base import Source
from knowledge.sources.confluence import ConfluenceOptions
from knowledge.sources.notion import NotionOptions
from tests.conftest import Indexer
from tests.fakes import confluence as fake_confluence
from tests.fakes import notion as fake_notion
from tests.fakes.confluence import FakeConfluence
from tests.fakes.http_api import HttpApi
from tests.fakes.notion import FakeNotion, block


@pytest.fixture
def notion(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeNotion]:
    monkeypatch.setenv("NOTION_TOKEN", fake_notion.TOKEN)
    with FakeNotion() as fake:
        yield fake


@pytest.fixture
def confluence(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeConfluence]:
    monkeypatch.setenv("CONFLUENCE_TOKEN", fake_confluence.TOKEN)
    with FakeConfluence("server") as fake:
        fake.space("HR", viewers=[("group", "staff")])
        yield fake


def run(indexer: Indexer, *sources: Source) -> BuildReport:
    return build(list(sources), indexer.options, lambda: indexer.analyser, lambda: indexer.embedder)


def opened(fake: HttpApi, home: Path) -> Source:
    config = SourceConfig("위키", Audience.of(["everyone"]), home / "home")
    if isinstance(fake, FakeNotion):
        return open_source("notion", config, NotionOptions(api_base_url=fake.base, requests_per_second=100))
    assert isinstance(fake, FakeConfluence)
    options = ConfluenceOptions(url=fake.url, flavour=fake.flavour, requests_per_second=100)
    return open_source("confluence", config, options)


def found(indexer: Indexer, question: str, *groups: str) -> list[str]:
    hits = indexer.open().search(question, reader_of(groups)).hits
    return list(dict.fromkeys(hit.passage.page for hit in hits))


def test_an_unchanged_page_is_not_fetched_again(notion: FakeNotion, indexer: Indexer, tmp_path: Path) -> None:
    edited = notion.page("연차", blocks=[block("paragraph", "연차는 15일입니다.")])
    notion.page("출장", blocks=[block("paragraph", "일비는 4만 원입니다.")])
    run(indexer, opened(notion, tmp_path))
    assert len(notion.asked("children")) == 2
    assert run(indexer, opened(notion, tmp_path)).reused
    assert len(notion.asked("children")) == 2
    notion.rewrite(edited, [block("paragraph", "연차는 17일입니다.")], "2026-02-01T00:00:00.000Z")
    report = run(indexer, opened(notion, tmp_path))
    assert report.changed == ("위키/연차",)
    assert len(notion.asked("children")) == 3


def test_a_page_in_the_trash_is_forgotten(notion: FakeNotion, indexer: Indexer, tmp_path: Path) -> None:
    gone = notion.page("옛 규정", blocks=[block("paragraph", "주차장은 지하 9층입니다.")])
    notion.page("새 규정", blocks=[block("paragraph", "주차장은 지하 2층입니다.")])
    run(indexer, opened(notion, tmp_path))
    assert "옛 규정" in found(indexer, "주차장은 어디입니까?")
    notion.objects[gone]["in_trash"] = True
    assert run(indexer, opened(notion, tmp_path)).removed == ("위키/옛 규정",)
    assert found(indexer, "주차장은 어디입니까?") == ["새 규정"]


def test_a_notion_that_breaks_off_leaves_everything_as_it_was(
    notion: FakeNotion, indexer: Indexer, tmp_path: Path
) -> None:
    for number in range(4):
        notion.page(f"규정 {number}", blocks=[block("paragraph", f"제{number}조는 휴가에 관한 것입니다.")])
    run(indexer, opened(notion, tmp_path))
    notion.page_size = 2
    notion.trouble("search.*start_cursor", 400, times=9)
    with pytest.raises(SourceUnreachable):  # no other source gave anything
        run(indexer, opened(notion, tmp_path))
    assert len(found(indexer, "휴가에 관한 조항은?")) == 4


def test_a_restriction_set_later_closes_a_page_without_reading_it_again(
    confluence: FakeConfluence, indexer: Indexer, tmp_path: Path
) -> None:
    page = confluence.page("HR", "연봉", body="<p>책임의 연봉 상한은 9,100만 원입니다.</p>")
    confluence.page("HR", "휴가", body="<p>연차는 15일입니다.</p>")
    run(indexer, opened(confluence, tmp_path))
    question = "책임의 연봉 상한은 얼마입니까?"
    assert "HR/연봉" in found(indexer, question, "confluence:staff")
    assert found(indexer, question) == []
    read = len(confluence.asked("body.storage"))
    confluence.pages[page].groups = ["board"]
    run(indexer, opened(confluence, tmp_path))
    assert len(confluence.asked("body.storage")) == read
    assert "HR/연봉" not in found(indexer, question, "confluence:staff")
    assert "HR/연봉" in found(indexer, question, "confluence:staff", "confluence:board")


def test_a_page_whose_readers_are_no_longer_told_is_closed_and_reported(
    confluence: FakeConfluence, indexer: Indexer, tmp_path: Path
) -> None:
    page = confluence.page("HR", "연봉", body="<p>책임의 연봉 상한은 9,100만 원입니다.</p>")
    confluence.page("HR", "휴가", body="<p>연차는 15일입니다.</p>")
    run(indexer, opened(confluence, tmp_path))
    confluence.untold.add(page)
    report = run(indexer, opened(confluence, tmp_path))
    assert [failed.page for failed in report.failed] == ["HR/연봉"]
    assert "HR/연봉" not in found(indexer, "연봉 상한은 얼마입니까?", "confluence:staff")
    confluence.untold.clear()
    assert run(indexer, opened(confluence, tmp_path)).failed == ()
    assert "HR/연봉" in found(indexer, "연봉 상한은 얼마입니까?", "confluence:staff")


def test_a_page_that_was_moved_is_the_same_page(confluence: FakeConfluence, indexer: Indexer, tmp_path: Path) -> None:
    home = confluence.page("HR", "규정집")
    page = confluence.page("HR", "휴가", body="<p>연차는 15일입니다.</p>")
    run(indexer, opened(confluence, tmp_path))
    confluence.pages[page].parent = home
    report = run(indexer, opened(confluence, tmp_path))
    assert [(moved.before, moved.now) for moved in report.moved] == [("HR/휴가", "HR/규정집/휴가")]
