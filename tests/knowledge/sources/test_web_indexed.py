"""A web site through indexing: a page that was closed to us is answered from by nobody, one that fails for now stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge.build import BuildReport, build
from knowledge.errors import ClosedPage, UnreadablePage
from knowledge.page import Audience, reader_of
from knowledge.sources import SourceConfig
from knowledge.sources.web import WebOptions
from knowledge.sources.web.source import WebSource
from tests.conftest import Indexer
from tests.fakes.web_site import Reply, WebSite, running

START = '<html><title>안내</title><body><p>사내 안내입니다.</p><a href="/pay">급여</a> <a href="/leave">휴가</a></body></html>'
PAY = "<html><title>급여</title><body><p>급여일은 매월 25일입니다.</p></body></html>"
LEAVE = "<html><title>휴가</title><body><p>연차는 15일입니다.</p></body></html>"


@pytest.fixture
def site() -> Iterator[WebSite]:
    with running(WebSite()) as site:
        for path, page in (("/", START), ("/pay", PAY), ("/leave", LEAVE)):
            site.reply(path, Reply(page.encode()))
        yield site


def run(indexer: Indexer, site: WebSite, home: Path) -> BuildReport:
    config = SourceConfig("사이트", Audience.of(["everyone"]), home)
    options = WebOptions(site.url + "/", allow_private=True, requests_per_second=1000)
    source = WebSource(config, options, sleep=lambda seconds: None)
    return build([source], indexer.options, lambda: indexer.analyser, lambda: indexer.embedder)


def pages(indexer: Indexer) -> list[str]:
    return [hit.passage.page for hit in indexer.open().search("급여일은 언제입니까?", reader_of([])).hits]


@pytest.mark.parametrize("status", [401, 403])
def test_a_page_that_was_closed_is_found_by_nobody_until_it_is_open_again(
    site: WebSite, indexer: Indexer, tmp_path: Path, status: int
) -> None:
    run(indexer, site, tmp_path / "home")
    assert pages(indexer)[0] == "pay"
    site.reply("/pay", Reply(status=status))
    for _ in range(2):  # in the run that sees it, and in those after it, which need not look again
        report = run(indexer, site, tmp_path / "home")
        assert [(one.page, type(one.error), one.kept) for one in report.failed] == [("pay", ClosedPage, False)]
        assert "pay" not in pages(indexer)
    site.reply("/pay", Reply(PAY.encode()))
    assert run(indexer, site, tmp_path / "home").failed == ()
    assert pages(indexer)[0] == "pay"


def test_a_page_that_cannot_be_read_for_now_stays(site: WebSite, indexer: Indexer, tmp_path: Path) -> None:
    run(indexer, site, tmp_path / "home")
    site.reply("/pay", Reply(b"%PDF-1.7 broken", "application/pdf"))
    report = run(indexer, site, tmp_path / "home")
    assert [(one.page, one.kept) for one in report.failed] == [("pay", True)]
    assert isinstance(report.failed[0].error, UnreadablePage)
    assert pages(indexer)[0] == "pay"


def test_a_page_that_does_not_answer_stays_and_is_reported_until_it_does(
    site: WebSite, indexer: Indexer, tmp_path: Path
) -> None:
    run(indexer, site, tmp_path / "home")
    site.reply("/pay", Reply(status=500))
    for tries in (1, 2):
        report = run(indexer, site, tmp_path / "home")
        assert [(one.page, one.kept, one.tries) for one in report.failed] == [("pay", True, tries)]
        assert "500 Internal Server Error" in report.failed[0].error.explain("en")
        assert (report.removed, report.changed) == ((), ())
        assert pages(indexer)[0] == "pay"
    site.reply("/pay", Reply(PAY.replace("25일", "10일").encode()))
    report = run(indexer, site, tmp_path / "home")
    assert (report.failed, report.changed) == ((), ("사이트/pay",))
