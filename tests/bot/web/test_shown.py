"""How pages write times: what is past and what is to come are never mistaken for each other."""

from __future__ import annotations

import pytest

from bot.web import shown
from bot.web.texts import Texts

NOW = 1_790_000_000.0


@pytest.mark.parametrize(
    ("away", "ko", "en"),
    [
        (-30, "방금", "just now"),
        (0, "방금", "just now"),
        (30, "곧", "in a moment"),
        (-150, "2분 전", "2 min ago"),
        (150, "2분 뒤", "in 2 min"),
        (-7200, "2시간 전", "2 h ago"),
        (3 * 86400, "3일 뒤", "in 3 d"),
    ],
)
def test_how_far_away_says_before_or_after(away: float, ko: str, en: str) -> None:
    texts = Texts(("common",))
    assert shown.ago(NOW + away, NOW, texts, "ko") == ko
    assert shown.ago(NOW + away, NOW, texts, "en") == en
