"""The threshold is measured again when enough passages changed, or when questions are scored otherwise."""

from __future__ import annotations

import dataclasses

import pytest

from knowledge.search import SearchOptions
from tests.fakes.listed_source import Listed, numbered
from tests.knowledge.building.conftest import Office


def test_it_is_taken_over_until_one_passage_of_a_hundred_has_changed(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[str] = []

    def measure(index: object) -> dict[str, float]:
        measured.append("")
        return {"threshold": float(len(measured))}

    monkeypatch.setattr("knowledge.build.calibrate", measure)
    wiki = numbered(210)

    def change(number: int) -> float:
        wiki.pages[f"{number:03}.md"] = Listed(f"# 안내 {number}\n\n{number}번 창구는 옮겼습니다.", version="2")
        return office.shelf.manifest(office.build(wiki).edition).calibration["threshold"]

    office.build(wiki)
    # One passage goes and one comes: two of 210.
    assert [change(number) for number in range(3)] == [1.0, 2.0, 2.0]
    assert office.shelf.manifest(office.shelf.current()).drift == 2
    office.build(wiki, full=True)
    assert len(measured) == 3
    office.options = dataclasses.replace(office.options, search=SearchOptions(candidates=50))
    office.build(wiki)
    assert len(measured) == 4
