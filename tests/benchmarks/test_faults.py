"""The benchmark of poisoned files would show a file that is not dealt with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import faults
from knowledge.errors import PageWithoutText, UnreadablePage
from knowledge.page import Document
from knowledge.parsing import ParsingProcess
from tests.fakes.poison import SECRET, Poison

pytestmark = pytest.mark.slow


def test_a_page_that_ends_otherwise_than_it_may_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def few() -> Iterator[Poison]:
        yield Poison("noise", "잡음.pdf", lambda: b"%PDF-1.7 noise", (UnreadablePage,))
        yield Poison("noise, wrongly allowed to be empty only", "빈.pdf", lambda: b"%PDF-1.7 noise", (PageWithoutText,))
        yield Poison("a secret", "비밀.md", f"# 비밀\n\n{SECRET}\n".encode, (None,))

    monkeypatch.setattr(faults, "poisons", few)
    rows = {row.page: row for row in faults.indexed(tmp_path, 60, 512)}
    assert rows["잡음.pdf"].well
    assert not rows["빈.pdf"].well
    assert not rows["비밀.md"].well  # it was read, and gives away what it must not
    assert rows["-"].well
    assert "3 of 3 sound pages found first" in rows["-"].happened
    assert all(rows[name].happened == "not followed" for name in faults.LINKS)
    assert "| noise | 잡음.pdf | UnreadablePage: not a PDF, or a broken one |" in faults.table(list(rows.values()))


def test_whether_a_child_survived_is_noted() -> None:
    with ParsingProcess(parser="tests.fakes.parsers:obey") as parsing:
        watched = faults.Watched(parsing)

        def ask(says: str) -> Document:
            return watched.parse(says.encode(), says)

        ask("문서")
        with pytest.raises(UnreadablePage):
            ask("exit 1")
        ask("다음")
        with pytest.raises(UnreadablePage):
            ask("no-document")
    survived = {name: not new for name, (_, new) in watched.notes.items()}
    assert survived == {"문서": True, "exit 1": False, "다음": True, "no-document": True}
