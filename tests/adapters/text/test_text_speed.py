"""Time grows with the length of a text and nothing else. Generous bounds: the machine may be busy."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from adapters.text import Markdown, SafeStream, inline, mrkdwn, plain, shorten

HARD = [
    "[",
    "*",
    "<",
    "`",
    "_",
    "~",
    "&",
    "![",
    "[a](",
    "**a",
    "*a ",
    "> ",
    "- ",
    "-\n",
    "|",
    "@",
    "\\",
    "a.",
    "[1]",
    "` ``",
    "🙂",
    "\u200d",
    "(",
    "```\n",
]
SECONDS = 8.0
"""For 100 kB. Anything quadratic takes minutes; what is measured is below one second on a slow core."""


def seconds(work: Callable[[], object]) -> float:
    """Of processor time, which waiting for a core does not count into."""
    before = time.process_time()
    work()
    return time.process_time() - before


def stream(text: str, size: int) -> None:
    """Feed `text` in pieces."""
    growing = SafeStream("slack", {1: "http://wiki/1"})
    for start in range(0, len(text), size):
        growing.feed(text[start : start + size])
    growing.close()


@pytest.mark.parametrize("piece", HARD)
def test_hostile_text_takes_linear_time(piece: str) -> None:
    text = (piece * 100_000)[:100_000]
    assert seconds(lambda: Markdown("slack").render(text, {1: "http://wiki/1"})) < SECONDS
    assert seconds(lambda: stream(text, len(text))) < SECONDS
    assert seconds(lambda: stream(text[:20_000], 7)) < SECONDS
    assert seconds(lambda: shorten(text, 60_000)) < SECONDS
    assert seconds(lambda: (mrkdwn(text), inline(text, "discord"), plain(text[:20_000]))) < SECONDS


def test_an_answer_takes_milliseconds() -> None:
    answer = (
        "연차는 1년에 **15일**을 줍니다. [1] 미사용 연차는 이월할 수 없습니다. [2] 그룹웨어에서 신청하십시오.\n\n- 팀장 승인\n\n"
        * 40
    )[:3_000]
    rendering = Markdown("slack")
    best = min(seconds(lambda: rendering.render(answer, {1: "http://wiki/1"})) for _ in range(10))
    assert best < 0.05
