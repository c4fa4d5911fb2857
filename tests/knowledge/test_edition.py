"""Editions on disk: complete or absent, and never trusted without their checksums."""

from __future__ import annotations

import pytest

from knowledge.errors import BrokenEdition, EditionMismatch
from knowledge.search import SearchIndex
from tests.conftest import Indexer


def test_an_opened_edition_holds_what_was_published(indexer: Indexer) -> None:
    report = indexer.build()
    edition = indexer.shelf.open()
    assert len(edition.passages) == report.passages
    assert edition.manifest.calibration["threshold"] > 0
    assert set(edition.pages) == set(report.added)


def test_one_flipped_byte_in_any_file_is_noticed(indexer: Indexer) -> None:
    name = indexer.build().edition
    files = indexer.shelf.manifest(name).files
    assert {file.split("/")[0] for file in files} == {
        "passages.jsonl",
        "pages.json",
        "morphemes",
        "bigrams",
        "vectors.faiss",
    }
    for file in files:
        path = indexer.shelf.root / name / file
        data = path.read_bytes()
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        with pytest.raises(BrokenEdition, match="SHA-256"):
            indexer.shelf.open()
        path.write_bytes(data)
    assert indexer.shelf.open().manifest.edition == name


def test_a_missing_file_is_noticed(indexer: Indexer) -> None:
    name = indexer.build().edition
    (indexer.shelf.root / name / "vectors.faiss").unlink()
    with pytest.raises(BrokenEdition, match=r"vectors\.faiss"):
        indexer.shelf.open()


def test_only_the_last_editions_are_kept(indexer: Indexer) -> None:
    names = []
    for number in range(5):
        (indexer.wiki / "수.md").write_text(f"# 번호\n\n이번 번호는 {number}번입니다.", encoding="utf-8")
        names.append(indexer.build().edition)
    kept = indexer.shelf.names()
    assert len(kept) == 3
    assert indexer.shelf.current() == names[-1]
    assert names[-1] in kept


def test_a_damaged_pointer_falls_back_to_the_newest_complete_edition(indexer: Indexer) -> None:
    name = indexer.build().edition
    (indexer.shelf.root / "current").write_text("../../etc", encoding="utf-8")
    assert indexer.shelf.current() == name


def test_an_edition_of_another_embedder_is_refused(indexer: Indexer) -> None:
    indexer.build()
    indexer.embedder.id = "another@2"
    with pytest.raises(EditionMismatch):
        SearchIndex(indexer.shelf.open(), indexer.analyser, indexer.embedder)
