"""Runs over hand-written sources. Calibration is the same in all of them and tested elsewhere, so it is left out here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from knowledge.build import BuildOptions, BuildReport, BuildRequest, build
from knowledge.edition import EditionShelf
from knowledge.korean import Analyser
from knowledge.page import reader_of
from knowledge.search import SearchIndex
from knowledge.sources.base import Source
from tests.fakes.hash_embedder import HashEmbedder


class Office:
    """One data directory; `options` may be replaced between runs."""

    def __init__(self, data: Path, analyser: Analyser) -> None:
        self.shelf = EditionShelf(data / "editions")
        self.options = BuildOptions(self.shelf, data / "cache.sqlite", HashEmbedder.id)
        self.embedder = HashEmbedder()
        self.analyser = analyser

    def build(self, *sources: Source, **request: Any) -> BuildReport:
        """One run; keywords as `BuildRequest`."""
        wanted = BuildRequest(**request)
        return build(sources, self.options, lambda: self.analyser, lambda: self.embedder, wanted)

    def open(self) -> SearchIndex:
        """What serves."""
        return SearchIndex(self.shelf.open(), self.analyser, self.embedder)

    def pages(self, groups: Sequence[str] = ()) -> set[str]:
        """`source/path` of every page that somebody in `groups` may read."""
        reader = reader_of(groups)
        return {f"{one.source}/{one.page}" for one in self.shelf.open().passages if one.audience.admits(reader)}


@pytest.fixture
def office(tmp_path: Path, analyser: Analyser, monkeypatch: pytest.MonkeyPatch) -> Office:
    """Nothing is built yet."""
    monkeypatch.setattr("knowledge.build.calibrate", lambda index: {"threshold": 1.0})
    return Office(tmp_path / "data", analyser)
