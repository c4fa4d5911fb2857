"""What a command tells of its progress where nobody looks at a terminal."""

from __future__ import annotations

import pytest

from bot.commands.output import progress_bars


def told(capsys: pytest.CaptureFixture[str], *, quiet: bool = False) -> list[str]:
    """400 questions, one every ten seconds, beside one quick load."""
    now = [1000.0]
    with progress_bars(quiet=quiet, clock=lambda: now[0]) as bar:
        bar("읽기: a.md", 0, None)
        for done in range(8):
            bar(f"질문: {done}", done, 400)
            now[0] += 10
        bar("읽기: b.md", 9, None)
    out, err = capsys.readouterr()
    assert out == ""
    return err.splitlines()


def test_a_log_learns_twice_a_minute_how_far_long_work_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys) == ["읽기…", "질문…", "질문 3/400", "질문 6/400", "읽기 9"]


def test_quick_work_is_announced_once(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bars(clock=lambda: 5.0) as bar:
        for done in range(100):
            bar("질문", done, 100)
    assert capsys.readouterr().err == "질문…\n"


def test_with_json_nothing_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, quiet=True) == []
