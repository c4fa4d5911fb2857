"""What many tests share: one Kiwi (it loads for seconds), a small wiki, and an index over it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from knowledge.build import BuildOptions, BuildReport, BuildRequest, build
from knowledge.edition import EditionShelf
from knowledge.korean import Analyser
from knowledge.page import Audience
from knowledge.search import SearchIndex
from knowledge.sources.folder import FolderSource
from tests.fakes.hash_embedder import HashEmbedder

# The same examples at every run on a server that judges a change; other ones each time at the desk.
settings.register_profile(
    "ci", derandomize=True, print_blob=True, suppress_health_check=[HealthCheck.too_slow], deadline=None
)
if os.environ.get("CI"):
    settings.load_profile("ci")

# A runner that starts the tests in the background of a shell hands on an ignored Ctrl-C, to child processes too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _no_heart_beats_on() -> Iterator[None]:
    """discord.py's heartbeat thread outlives a client that a test took away as kill -9 would, and then raises into another test."""
    yield
    for thread in threading.enumerate():
        if thread.name.startswith("keep-alive-handler"):
            thread.stop()  # type: ignore[attr-defined]
            thread.join(5)


WIKI = {
    "휴가.md": "---\ntitle: 연차 규정\n---\n# 연차 규정\n\n## 부여\n\n연차는 1년에 15일을 줍니다. 미사용 연차는 이월할 수 없습니다.\n\n"
    "## 신청\n\n연차는 사용 3일 전까지 그룹웨어에서 신청하고 팀장 승인을 받습니다.\n",
    "출장.md": "# 국내 출장 규정\n\n| 항목 | 금액 |\n| --- | --- |\n| 일비 | 40,000원 |\n| 숙박비 | 100,000원 |\n",
    "출장-2025.md": "---\nstatus: outdated\nreplaced_by: 출장.md\n---\n# 국내 출장 규정 (2025)\n\n국내 출장 일비는 30,000원입니다.\n",
    "보안.md": "# VPN 안내\n\nVPN 접속이 안 되면 헬프데스크 내선 2310으로 전화합니다. VPN은 회사 노트북에서만 쓸 수 있습니다.\n",
    "연봉.md": "---\naudience: [hr]\n---\n# 연봉 밴드\n\n책임 직급의 연봉 상한은 9,100만 원입니다.\n",
    "회의실.md": "# 회의실 예약\n\n회의실은 캘린더에서 예약하며 10분 안에 들어가지 않으면 자동으로 취소됩니다.\n",
}


def write_wiki(folder: Path, pages: dict[str, str]) -> Path:
    """Put `pages` (relative path → text) under `folder`."""
    for name, text in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def analyser() -> Analyser:
    """The real Kiwi."""
    return Analyser()


@pytest.fixture
def wiki(tmp_path: Path) -> Path:
    """The small wiki on disk."""
    return write_wiki(tmp_path / "wiki", WIKI)


class Indexer:
    """Builds editions of one folder, as `saseo index` does, with the hash embedder."""

    def __init__(self, wiki: Path, data: Path, analyser: Analyser) -> None:
        self.wiki = wiki
        self.shelf = EditionShelf(data / "editions")
        self.options = BuildOptions(self.shelf, data / "cache.sqlite", HashEmbedder.id)
        self.embedder = HashEmbedder()
        self.analyser = analyser

    def build(self, **request: Any) -> BuildReport:
        """One run; keywords as `BuildRequest`."""
        source = FolderSource("wiki", self.wiki, Audience.of(["everyone"]))
        return build([source], self.options, lambda: self.analyser, lambda: self.embedder, BuildRequest(**request))

    def open(self) -> SearchIndex:
        """The serving edition."""
        return SearchIndex(self.shelf.open(), self.analyser, self.embedder)


@pytest.fixture
def indexer(wiki: Path, tmp_path: Path, analyser: Analyser) -> Indexer:
    """Over the small wiki; nothing is built yet."""
    return Indexer(wiki, tmp_path / "data", analyser)


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory, analyser: Analyser) -> SearchIndex:
    """An index of the small wiki that nobody changes."""
    folder = tmp_path_factory.mktemp("index")
    small = Indexer(write_wiki(folder / "wiki", WIKI), folder / "data", analyser)
    small.build()
    return small.open()
