"""Watched folders: real files, the system's own notices."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from jobs.file_changes import FileChanges, WatchOptions

QUICK = WatchOptions(quiet=0.1, longest=2.0, again=0.1)


class Told:
    """What was said to be due."""

    def __init__(self) -> None:
        self.sources: list[str] = []
        self.failures = 0

    async def __call__(self, source: str) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError
        self.sources.append(source)


@asynccontextmanager
async def watching(told: Told, options: WatchOptions = QUICK, **folders: Path) -> AsyncIterator[None]:
    task = asyncio.create_task(FileChanges(folders, told, options).run())
    await asyncio.sleep(0.5)  # the system begins to watch
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.05)


@pytest.fixture
def wiki(tmp_path: Path) -> Path:
    (tmp_path / "wiki" / "hr").mkdir(parents=True)
    return tmp_path / "wiki"


@pytest.mark.parametrize(
    "options", [QUICK, WatchOptions(quiet=0.1, longest=2.0, again=0.1, poll=0.1)], ids=["told", "polled"]
)
async def test_a_changed_added_moved_or_removed_page_makes_its_source_due(
    wiki: Path, tmp_path: Path, options: WatchOptions
) -> None:
    (tmp_path / "other").mkdir()
    told = Told()
    page = wiki / "hr" / "휴가.md"
    async with watching(told, options, wiki=wiki, other=tmp_path / "other"):
        for change in (
            lambda: page.write_text("연차는 15일입니다."),
            lambda: page.write_text("연차는 16일입니다. 바뀌었습니다."),
            lambda: page.rename(wiki / "휴가.md"),
            (wiki / "휴가.md").unlink,
        ):
            before = len(told.sources)
            change()
            await until(lambda before=before: len(told.sources) > before)  # type: ignore[misc]
            await asyncio.sleep(1.2)  # polling compares whole seconds
    assert set(told.sources) == {"wiki"}


async def test_many_changes_at_once_are_one_reading(wiki: Path) -> None:
    told = Told()
    async with watching(told, WatchOptions(quiet=1.0, longest=10.0), wiki=wiki):
        for number in range(50):
            (wiki / f"{number}.md").write_text("글")
        await until(lambda: bool(told.sources))
        await asyncio.sleep(1.5)
    assert told.sources == ["wiki"]


@pytest.mark.parametrize("name", [".git/HEAD", "~$규정.docx", "글.md~", "받는중.pdf.crdownload", ".휴가.md.swp"])
async def test_files_that_are_no_pages_are_overlooked(wiki: Path, name: str) -> None:
    told = Told()
    async with watching(told, wiki=wiki):
        (wiki / name).parent.mkdir(exist_ok=True)
        (wiki / name).write_text("x")
        await asyncio.sleep(1.0)
        assert told.sources == []
        (wiki / "글.md").write_text("글")
        await until(lambda: told.sources == ["wiki"])


async def test_a_folder_that_is_not_there_is_read_as_soon_as_it_is(wiki: Path, tmp_path: Path) -> None:
    told = Told()
    async with watching(told, wiki=wiki, late=tmp_path / "late"):
        (wiki / "글.md").write_text("글")
        await until(lambda: told.sources == ["wiki"])
        (tmp_path / "late").mkdir()
        await until(lambda: "late" in told.sources)


async def test_a_folder_that_went_away_and_came_back_is_watched_again(wiki: Path) -> None:
    told, away = Told(), wiki.with_name("away")
    async with watching(told, wiki=wiki):
        os.rename(wiki, away)
        await asyncio.sleep(2.5)
        told.sources.clear()
        os.rename(away, wiki)
        await until(lambda: bool(told.sources))
        await asyncio.sleep(1.0)
        told.sources.clear()
        (wiki / "글.md").write_text("글")
        await until(lambda: bool(told.sources))


async def test_a_change_that_could_not_be_told_is_told_later(wiki: Path) -> None:
    told = Told()
    told.failures = 2
    async with watching(told, wiki=wiki):
        (wiki / "글.md").write_text("글")
        await until(lambda: told.sources == ["wiki"])
    assert told.failures == 0
