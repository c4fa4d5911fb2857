"""Repositories and sites through whole indexing runs: what did not change costs nothing, what is away empties nothing."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from knowledge.build import BuildReport, BuildRequest, build
from knowledge.errors import SourceUnreachable
from knowledge.page import Audience
from knowledge.sources import SourceConfig, open_source
from knowledge.sources.base import Source
from knowledge.sources.git import GitOptions
from knowledge.sources.web import WebOptions
from knowledge.sources.web.source import WebSource
from tests.conftest import Indexer
from tests.fakes.web_site import WebSite, running


def indexed(indexer: Indexer, source: Source) -> BuildReport:
    return build([source], indexer.options, lambda: indexer.analyser, lambda: indexer.embedder, BuildRequest())


def commit(folder: Path) -> None:
    command = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b.example"]
    subprocess.run([*command, "add", "--all"], check=True)
    subprocess.run([*command, "commit", "--quiet", "--allow-empty", "-m", "x"], check=True)


def test_only_what_a_commit_changed_is_read_again(
    indexer: Indexer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from knowledge.sources.git.repository import Contents

    read: list[str] = []
    whole = Contents.read
    monkeypatch.setattr(Contents, "read", lambda self, sha: read.append(sha) or whole(self, sha))
    subprocess.run(["git", "init", "--quiet", str(indexer.wiki)], check=True)
    commit(indexer.wiki)
    config = SourceConfig("wiki", Audience.of(["everyone"]), tmp_path / "home")
    source = open_source("git", config, GitOptions(url=f"file://{indexer.wiki}"))
    first = indexed(indexer, source)
    assert (len(first.added), first.failed) == (6, ())
    read.clear()
    commit(indexer.wiki)
    assert indexed(indexer, source).reused
    assert read == []
    (indexer.wiki / "보안.md").write_text("# VPN 안내\n\nVPN 내선은 9999번입니다.", encoding="utf-8")
    (indexer.wiki / "회의실.md").unlink()
    commit(indexer.wiki)
    report = indexed(indexer, source)
    assert (report.added, report.changed, report.removed) == ((), ("wiki/보안.md",), ("wiki/회의실.md",))
    assert len(read) == 1


def test_a_site_is_read_again_by_what_changed_and_its_failure_empties_nothing(indexer: Indexer, tmp_path: Path) -> None:
    def publish(site: WebSite, *names: str) -> None:
        site.page("/", "<p>목차" + "".join(f'<a href="{name}">{name}</a>' for name in names), tagged=True)
        for name in names:
            site.page(f"/{name}", f"<h1>{name}</h1><p>{name} 안내입니다.", tagged=True)

    with running(WebSite()) as site:
        config = SourceConfig("site", Audience.of(["everyone"]), tmp_path / "home")
        options = WebOptions(f"{site.url}/", allow_private=True, requests_per_second=1e9)
        source = WebSource(config, options, sleep=lambda seconds: None)
        publish(site, "a", "b", "c")
        assert set(indexed(indexer, source).added) == {"site/index", "site/a", "site/b", "site/c"}
        assert indexed(indexer, source).reused
        publish(site, "a", "b")
        site.page("/b", "<h1>b</h1><p>다른 안내입니다.", tagged=True)
        report = indexed(indexer, source)
        assert (set(report.changed), report.removed) == ({"site/b", "site/index"}, ("site/c",))
    with pytest.raises(SourceUnreachable):
        indexed(indexer, source)
    assert {passage.page for passage in indexer.shelf.open().passages} == {"index", "a", "b"}
