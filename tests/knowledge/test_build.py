"""One indexing run: what changed is read, what is broken is reported, what was published stays until it is replaced."""

from __future__ import annotations

import dataclasses
import unicodedata

import pytest
from filelock import FileLock

from knowledge.build import build
from knowledge.errors import EmptyWiki, IndexBusy, NoEdition, PublishFailed, SourceShrank
from knowledge.page import Audience, reader_of
from knowledge.search import SearchOptions
from knowledge.sources.folder import FolderSource
from tests.conftest import Indexer


def _pages_found(indexer: Indexer, question: str) -> list[str]:
    return [hit.passage.page for hit in indexer.open().search(question, reader_of(), 10).hits]


def test_added_changed_and_removed_pages_are_counted(indexer: Indexer) -> None:
    assert len(indexer.build().added) == 6
    (indexer.wiki / "새.md").write_text("# 새 문서\n\n택배는 1층에서 찾습니다.", encoding="utf-8")
    (indexer.wiki / "보안.md").write_text("# VPN 안내\n\nVPN 내선은 9999번입니다.", encoding="utf-8")
    (indexer.wiki / "회의실.md").unlink()
    report = indexer.build()
    assert (report.added, report.changed, report.removed) == (("wiki/새.md",), ("wiki/보안.md",), ("wiki/회의실.md",))
    assert "회의실.md" not in _pages_found(indexer, "회의실 예약")


def test_a_run_without_changes_loads_no_model_and_keeps_the_edition(indexer: Indexer) -> None:
    first = indexer.build()
    embedded = indexer.embedder.embedded
    indexer.embedder = None  # type: ignore[assignment]
    indexer.analyser = None  # type: ignore[assignment]
    second = indexer.build()
    assert (second.edition, second.reused) == (first.edition, True)
    assert embedded > 0


def test_one_changed_page_embeds_only_its_own_passages(indexer: Indexer) -> None:
    indexer.build()
    before = indexer.embedder.embedded
    (indexer.wiki / "보안.md").write_text("# VPN 안내\n\nVPN 내선은 9999번입니다.", encoding="utf-8")
    indexer.build()
    # Two more texts are the embedder's self-test.
    assert indexer.embedder.embedded - before == 1 + 2


def test_a_changed_audience_alone_is_a_change(indexer: Indexer) -> None:
    indexer.build()
    text = (indexer.wiki / "보안.md").read_text(encoding="utf-8")
    (indexer.wiki / "보안.md").write_text("---\naudience: [it]\n---\n" + text, encoding="utf-8")
    assert indexer.build().changed == ("wiki/보안.md",)
    assert "보안.md" not in _pages_found(indexer, "VPN 내선")


def test_broken_pages_are_reported_and_the_rest_is_indexed(indexer: Indexer) -> None:
    (indexer.wiki / "깨진.pdf").write_bytes(b"%PDF-1.7 broken")
    (indexer.wiki / "빈.md").write_text("", encoding="utf-8")
    report = indexer.build()
    assert sorted(unicodedata.normalize("NFC", failed.page) for failed in report.failed) == [
        "깨진.pdf",
        "빈.md",
    ]
    assert report.pages == 6
    assert all("\uac00" <= failed.error.explain("ko")[0] <= "\ud7a3" for failed in report.failed)


def test_cp949_text_and_nfd_names_are_indexed_under_nfc(indexer: Indexer) -> None:
    name = unicodedata.normalize("NFD", "주차.txt")
    (indexer.wiki / name).write_bytes("본사 주차장은 지하 2층입니다.".encode("cp949"))
    indexer.build()
    assert _pages_found(indexer, "본사 주차장")[0] == "주차.txt"


def test_a_file_over_the_limit_is_reported_not_read(indexer: Indexer) -> None:
    (indexer.wiki / "큰.txt").write_bytes(b"a" * 51_000_000)
    assert [type(failed.error).__name__ for failed in indexer.build().failed] == ["PageTooLarge"]


def test_an_emptied_wiki_keeps_the_old_edition_even_if_somebody_accepts_it(indexer: Indexer) -> None:
    edition = indexer.build().edition
    for page in indexer.wiki.iterdir():
        page.unlink()
    with pytest.raises(SourceShrank):
        indexer.build()
    with pytest.raises(EmptyWiki):
        indexer.build(accept=frozenset({"wiki"}))
    assert indexer.shelf.current() == edition


def test_a_second_run_at_the_same_time_is_refused(indexer: Indexer) -> None:
    indexer.shelf.root.mkdir(parents=True)
    with FileLock(indexer.shelf.root / ".lock"), pytest.raises(IndexBusy):
        indexer.build()


@pytest.mark.parametrize("step", ["tokenise", "embed", "calibrate"])
def test_an_interrupted_run_leaves_the_old_edition_and_the_next_one_works(
    indexer: Indexer, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    edition = indexer.build().edition
    (indexer.wiki / "보안.md").write_text("# VPN 안내\n\nVPN 내선은 9999번입니다.", encoding="utf-8")

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    target = {
        "tokenise": "knowledge.building.computing.Computing._morphemes",
        "embed": "knowledge.building.computing.Computing._all_vectors",
        "calibrate": "knowledge.build.calibrate",
    }
    with monkeypatch.context() as patched:
        patched.setattr(target[step], interrupt)
        with pytest.raises(KeyboardInterrupt):
            indexer.build()
    assert indexer.shelf.current() == edition
    assert indexer.shelf.names() == [edition]
    assert not list(indexer.shelf.root.glob(".building-*"))
    assert indexer.build().changed == ("wiki/보안.md",)


@pytest.mark.parametrize(
    "target",
    [
        "knowledge.lexicon.Lexicon.save",
        "knowledge.vectors.VectorIndex.save",
        "knowledge.editions.publishing.fsync",
        "pathlib.Path.rename",
        "knowledge.edition.EditionShelf._point_at",
    ],
)
def test_a_full_disk_while_publishing_keeps_the_old_edition(
    indexer: Indexer, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    edition = indexer.build().edition
    (indexer.wiki / "보안.md").write_text("# VPN 안내\n\nVPN 내선은 9999번입니다.", encoding="utf-8")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(target, full)
        with pytest.raises(PublishFailed, match="No space left"):
            indexer.build()
    assert indexer.shelf.current() == edition
    assert indexer.open().name == edition
    assert not list(indexer.shelf.root.glob(".building-*"))


def test_before_the_first_run_there_is_no_edition(indexer: Indexer) -> None:
    with pytest.raises(NoEdition):
        indexer.open()


def test_a_title_with_escapes_is_cleaned_and_hidden_characters_in_an_audience_close_the_page(indexer: Indexer) -> None:
    pages = {
        "반쪽.md": '---\ntitle: "주차 \\ud83d"\n---\n주차장은 지하 2층입니다.\n',
        "색.md": '---\ntitle: "\\e[31m식당\\a"\n---\n식당은 지하 1층입니다.\n',
        "숨김.md": '---\naudience: "every\\u200bone"\n---\n비밀 통로는 옥상입니다.\n',
    }
    for name, text in pages.items():
        (indexer.wiki / name).write_text(text, encoding="utf-8")
    report = indexer.build()
    assert [failed.page for failed in report.failed] == ["숨김.md"]
    titles = {p.page: p.title for p in indexer.open().edition.passages}
    assert titles["반쪽.md"] == "주차"
    assert titles["색.md"] == "[31m식당"
    assert "숨김.md" not in titles


@pytest.mark.parametrize("at", [0, 20, 5000])
def test_a_damaged_cache_is_thrown_away_and_filled_again(indexer: Indexer, at: int) -> None:
    first = indexer.build()
    data = bytearray(indexer.options.cache.read_bytes())
    data[at : at + 3000] = b"\xff" * len(data[at : at + 3000])
    indexer.options.cache.write_bytes(bytes(data))
    (indexer.wiki / "새.md").write_text("# 새 문서\n\n택배는 1층에서 찾습니다.", encoding="utf-8")
    report = indexer.build()
    assert report.edition != first.edition
    assert "새.md" in _pages_found(indexer, "택배")


def test_a_cache_that_cannot_be_made_is_told_in_one_sentence(indexer: Indexer) -> None:
    indexer.options.cache.mkdir(parents=True)  # a folder where the file should be: as unopenable as a full disk
    with pytest.raises(PublishFailed):
        indexer.build()


def test_other_search_settings_make_another_edition(indexer: Indexer) -> None:
    """The threshold was calibrated with them."""
    indexer.build()
    search = SearchOptions(weights={"morpheme": 1.0, "bigram": 0.0, "dense": 0.0})
    indexer.options = dataclasses.replace(indexer.options, search=search)
    assert not indexer.build().reused


def test_a_wiki_without_open_pages_is_calibrated_too(indexer: Indexer) -> None:
    source = FolderSource("wiki", indexer.wiki, Audience.of(["staff"]))
    build([source], indexer.options, lambda: indexer.analyser, lambda: indexer.embedder)
    assert indexer.shelf.manifest(indexer.shelf.current()).calibration["threshold"] > 0
