"""Files that harm whoever reads them carelessly: through the folder source, the cache and the parsing process, as indexing does."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge.cache import ContentCache
from knowledge.documents import load_document
from knowledge.errors import PageError, PageTooLarge, PageTooSlow, UnreadablePage
from knowledge.page import Audience, Document
from knowledge.parsing import ParsingProcess
from knowledge.sources.folder import FolderSource
from tests.fakes.poison import ORDER, SECRET, Poison, poisons

SOUND = "# 연차\n\n연차는 15일입니다.\n".encode()


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[ContentCache]:
    with ContentCache(tmp_path / "cache.sqlite") as cache:
        yield cache


@pytest.fixture(scope="module")
def parsing() -> Iterator[ParsingProcess]:
    """For a page that must be refused for what it is, however long that takes here."""
    with ParsingProcess(seconds=60, memory_mb=512) as parsing:
        yield parsing


@pytest.fixture(scope="module")
def impatient() -> Iterator[ParsingProcess]:
    """For a page that may be given up."""
    with ParsingProcess(seconds=5, memory_mb=512) as parsing:
        yield parsing


def text_of(document: Document) -> str:
    return "\n".join(block.text for section in document.sections for block in section.blocks)


def each() -> Iterator[object]:
    for one in poisons():
        yield pytest.param(one, id=one.name, marks=[pytest.mark.slow] if one.slow else [])


@pytest.mark.parametrize("poison", list(each()))
def test_a_poisoned_file_costs_itself_alone_and_gives_nothing_away(
    poison: Poison, tmp_path: Path, cache: ContentCache, parsing: ParsingProcess, impatient: ParsingProcess
) -> None:
    parse = (impatient if PageTooSlow in poison.ends else parsing).parse
    folder = tmp_path / "wiki"
    folder.mkdir()
    (folder / poison.name).write_bytes(poison.make())
    (folder / "가.md").write_bytes(SOUND)
    ended: dict[str, PageError | Document] = {}
    for file in FolderSource("위키", folder, Audience()).files():
        try:
            ended[file.path] = load_document(file, cache, 50, parse)[0]
        except PageError as error:
            ended[file.path] = error
    assert text_of(parse(SOUND, "나.md")) == "연차는 15일입니다."  # with what the poison left of the child
    outcome = ended.pop(poison.name)
    assert poison.ended_well(outcome if isinstance(outcome, PageError) else None), outcome
    told = f"{outcome} {outcome.explain()}" if isinstance(outcome, PageError) else text_of(outcome)
    assert SECRET not in told
    assert [text_of(page) for page in ended.values() if isinstance(page, Document)] == ["연차는 15일입니다."]


def test_the_poisons_are_of_every_kind_that_matters() -> None:
    kinds = " ".join(one.kind for one in poisons())
    for word in ("bomb", "laughs", "nested", "damaged", "noise", "orders", "45 MB", "outside", "local file", "aliases"):
        assert word in kinds
    suffixes = {Path(one.name).suffix for one in poisons()}
    assert suffixes >= {".docx", ".pptx", ".xlsx", ".hwpx", ".hwp", ".pdf", ".html", ".md", ".eml", ".ipynb", ".csv"}


def test_orders_in_a_page_are_its_text_and_those_in_a_comment_are_gone(parsing: ParsingProcess) -> None:
    (poison,) = (one for one in poisons() if one.name == "명령.md")
    assert text_of(parsing.parse(poison.make(), poison.name)) == ORDER


def test_a_file_of_a_gigabyte_is_refused_unread(tmp_path: Path, cache: ContentCache) -> None:
    with (tmp_path / "거대.txt").open("wb") as file:
        file.truncate(1 << 30)

    def read() -> bytes:
        raise AssertionError("it was read")

    (listed,) = FolderSource("위키", tmp_path, Audience()).files()
    with pytest.raises(PageTooLarge, match=r"1073\.7 MB"):
        load_document(dataclasses.replace(listed, read=read), cache, 50)


def test_a_file_whose_size_nobody_told_is_refused_when_it_is_read(cache: ContentCache, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"x" * 1_000_001)
    (listed,) = FolderSource("위키", tmp_path, Audience()).files()
    with pytest.raises(PageTooLarge):
        load_document(dataclasses.replace(listed, size=0), cache, 1)


def test_a_document_that_was_damaged_in_the_cache_is_parsed_again(cache: ContentCache, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(SOUND)
    (listed,) = FolderSource("위키", tmp_path, Audience()).files()
    document, key = load_document(listed, cache, 50)
    for damaged in (b"{", b"[]", b'{"title": 5, "meta": {}, "sections": []}', b"\xff"):
        cache.put("document", {key: damaged})
        assert load_document(listed, cache, 50) == (document, key)


def test_links_in_circles_and_out_of_the_folder_lead_nowhere(tmp_path: Path) -> None:
    outside = tmp_path / "밖"
    outside.mkdir()
    (outside / "비밀.md").write_bytes(SOUND)
    folder = tmp_path / "위키"
    (folder / "안").mkdir(parents=True)
    (folder / "가.md").write_bytes(SOUND)
    os.symlink("원.md", folder / "원.md")
    os.symlink("둘.md", folder / "하나.md")
    os.symlink("하나.md", folder / "둘.md")
    os.symlink("..", folder / "안" / "위로")
    os.symlink(folder, folder / "안" / "처음으로")
    os.symlink(outside, folder / "바깥")
    os.symlink(outside / "비밀.md", folder / "비밀.md")
    os.symlink("/etc/passwd", folder / "passwd.txt")
    os.symlink("/dev/zero", folder / "zero.txt")
    os.mkfifo(folder / "관.txt")
    assert [file.path for file in FolderSource("위키", folder, Audience()).files()] == ["가.md"]


def test_a_file_that_becomes_a_link_between_listing_and_reading_is_not_followed(
    tmp_path: Path, cache: ContentCache
) -> None:
    (tmp_path / "위키").mkdir()
    page = tmp_path / "위키" / "가.txt"
    page.write_bytes(SOUND)
    (listed,) = FolderSource("위키", tmp_path / "위키", Audience()).files()
    page.unlink()
    os.symlink("/etc/passwd", page)
    with pytest.raises(UnreadablePage):
        load_document(listed, cache, 50)
