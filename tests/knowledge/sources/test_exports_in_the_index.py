"""From one export to the next: what the index finds, what it forgets, and who finds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge.build import BuildReport, build
from knowledge.errors import BrokenExport, ReadersNotTold
from knowledge.page import Audience, reader_of
from knowledge.sources import SourceConfig
from knowledge.sources.archive import ExportOptions, ExportSource
from tests.conftest import Indexer
from tests.fakes.confluence_export import entities, html_page, index_page, page, restriction, space
from tests.fakes.zip_maker import make_zip

A, B, C = (letter * 32 for letter in "abc")


def built(indexer: Indexer, folder: Path) -> BuildReport:
    source = ExportSource(SourceConfig("내보내기", Audience(), folder / "home"), ExportOptions(folder))
    return build([source], indexer.options, lambda: indexer.analyser, lambda: indexer.embedder)


def found(indexer: Indexer, question: str, *groups: str) -> list[str]:
    return [hit.passage.title for hit in indexer.open().search(question, reader_of(groups), 10).hits]


def test_a_new_notion_export_forgets_what_is_gone_and_knows_what_was_moved(indexer: Indexer, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    make_zip(
        folder / "1.zip",
        {
            f"휴가 {A}.md": "# 휴가 규정\n\n연차는 15일입니다.",
            f"주차 {B}.md": "# 주차 안내\n\n주차는 지하 2층입니다.",
            f"식당 {C}.md": "# 식당 안내\n\n식당은 11시에 엽니다.",
        },
    )
    assert len(built(indexer, folder).added) == 3
    assert built(indexer, folder).reused
    make_zip(
        folder / "2.zip",
        {
            f"인사/연차와 휴가 {A}.md": "# 연차와 휴가 규정\n\n연차는 15일입니다.",
            f"식당 {C}.md": "# 식당 안내\n\n식당은 11시에 엽니다.",
        },
    )
    report = built(indexer, folder)
    assert [(move.before, move.now) for move in report.moved] == [("휴가.md", "인사/연차와 휴가.md")]
    assert report.removed == ("내보내기/주차.md",)
    assert "주차 안내" not in found(indexer, "주차는 지하 몇 층입니까?")
    assert "연차와 휴가 규정" in found(indexer, "연차는 며칠입니까?")


def test_a_broken_new_export_leaves_the_index_as_it_was(indexer: Indexer, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    make_zip(folder / "1.zip", {f"휴가 {A}.md": "# 휴가 규정\n\n연차는 15일입니다."})
    built(indexer, folder)
    whole = make_zip(folder / "2.zip", {f"식당 {C}.md": "# 식당 안내\n\n식당은 11시에 엽니다."})
    whole.write_bytes(whole.read_bytes()[:-40])
    with pytest.raises(BrokenExport, match=r"2\.zip"):
        built(indexer, folder)
    assert "휴가 규정" in found(indexer, "연차는 며칠입니까?")


def test_what_confluence_restricts_is_found_by_its_group_only(indexer: Indexer, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    open_page = page("10", "휴가 규정", "<p>연차는 15일입니다.</p>")
    secret = page("11", "임원 연봉", "<p>임원의 연봉은 2억 원입니다.</p>")
    below = page("12", "임원 성과급", "<p>임원의 성과급은 5천만 원입니다.</p>", parent="11")
    make_zip(
        folder / "1.zip",
        {"entities.xml": entities(space(), open_page, secret, below, restriction("70", "11", groups=["hr"]))},
    )
    built(indexer, folder)
    question = "임원의 연봉과 성과급은 얼마입니까?"
    assert set(found(indexer, question)) <= {"휴가 규정"}
    assert {"임원 연봉", "임원 성과급"} <= set(found(indexer, question, "confluence:hr"))


def test_what_another_export_restricts_later_is_closed_without_a_new_body(indexer: Indexer, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    text = page("10", "임원 연봉", "<p>임원의 연봉은 2억 원입니다.</p>")
    make_zip(folder / "1.zip", {"entities.xml": entities(space(), text)})
    built(indexer, folder)
    assert "임원 연봉" in found(indexer, "임원의 연봉은 얼마입니까?")
    make_zip(folder / "2.zip", {"entities.xml": entities(space(), text, restriction("70", "10", groups=["hr"]))})
    report = built(indexer, folder)
    assert report.changed == ("내보내기/인사팀/임원 연봉",)
    assert found(indexer, "임원의 연봉은 얼마입니까?") == []


def test_an_html_export_beside_the_xml_ones_opens_no_restricted_page(indexer: Indexer, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    secret = page("11", "임원 연봉", "<p>임원의 연봉은 2억 원입니다.</p>")
    make_zip(folder / "1.zip", {"entities.xml": entities(space(), secret, restriction("70", "11", groups=["hr"]))})
    edition = built(indexer, folder).edition
    pages = {
        "HR/index.html": index_page(""),
        "HR/10011.html": html_page("임원 연봉", "<p>임원의 연봉은 2억 원입니다.</p>"),
    }
    make_zip(folder / "2.zip", pages)
    with pytest.raises(ReadersNotTold, match="confluence-html"):
        built(indexer, folder)
    assert indexer.shelf.current() == edition
    assert set(indexer.shelf.held_back()) == {"내보내기"}
    assert found(indexer, "임원의 연봉은 얼마입니까?") == []
    assert "임원 연봉" in found(indexer, "임원의 연봉은 얼마입니까?", "confluence:hr")
