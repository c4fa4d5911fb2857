"""The made-up questions are ones that the console's pages can show, and every page that is measured is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import console_pages
from bot.store import days, told
from bot.store.database import open_store


@pytest.mark.slow
def test_a_small_run_measures_every_page(tmp_path: Path) -> None:
    report = console_pages.measure(tmp_path, "", questions=300, requests=1)
    assert report["questions"] == 300
    assert report["days_counted"] > 60
    assert all(0 < one["page_kb"] <= one["whole_kb"] <= 200 for one in report["pages"].values())
    table = console_pages.table(report)
    assert all(f"| `{path}` |" in table for path in report["pages"])
    store = open_store("", tmp_path)
    try:
        newest = next(path for path in report["pages"] if path.startswith("/conversations/")).rpartition("/")[2]
        found = store.run_now(told.get, newest)
        assert found is not None
        assert found.answer is not None
        assert found.trace is not None
        assert not store.run_now(days.roll_up, console_pages.SEOUL, now=found.listed.asked_at)
    finally:
        store.close()
