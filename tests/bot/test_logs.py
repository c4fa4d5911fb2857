"""What stands in a line of the log, and what never does."""

from __future__ import annotations

import json
import logging
import sys
import time

import pytest

from bot.logs import JsonLines, moment


def line(message: str, *, failed: bool = False) -> dict[str, object]:
    record = logging.LogRecord("x", logging.ERROR, "f.py", 1, message, (), sys.exc_info() if failed else None)
    found: dict[str, object] = json.loads(JsonLines().format(record))
    return found


def test_our_events_stay_objects_and_others_become_one() -> None:
    assert line('{"event": "asked", "question": "1"}')["event"] == "asked"
    assert line("plain")["message"] == "plain"


@pytest.mark.parametrize(
    ("zone", "written"), [("UTC", "2027-01-15 08:00:00.123+00:00"), ("Asia/Seoul", "2027-01-15 17:00:00.123+09:00")]
)
def test_a_line_tells_its_moment_wherever_it_is_read(zone: str, written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    record = logging.LogRecord("x", logging.INFO, "f.py", 1, "plain", (), None)
    record.created = 1_800_000_000.123
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert json.loads(JsonLines().format(record))["time"] == written
        assert moment(f"{written[:19]},123") == pytest.approx(record.created)  # as lines were written before
    finally:
        monkeypatch.undo()
        time.tzset()
    assert moment(written) == pytest.approx(record.created)
    assert moment("yesterday") is None


def test_an_exception_tells_its_kind_and_its_way_but_not_its_words() -> None:
    def answer() -> None:
        try:
            raise ValueError("비밀 질문: 연봉표")
        except ValueError as error:
            raise RuntimeError("https://hooks.slack.com/commands/T1/secret") from error

    try:
        answer()
    except RuntimeError:
        found = line('{"event": "failed"}', failed=True)
    told = json.dumps(found, ensure_ascii=False)
    assert "비밀" not in told
    assert "secret" not in told
    way = found["exception"]
    assert isinstance(way, list)
    assert way[0] == "RuntimeError"
    assert "ValueError" in way
    assert any(step.endswith(" answer") for step in way)
