"""Discord's ids hold the time they were made at (https://docs.discord.com/developers/reference#snowflakes)."""

from __future__ import annotations

EPOCH_MS = 1_420_070_400_000
"""The first second of 2015."""


def snowflake_at(seconds: float) -> int:
    """The smallest id that can have been made at `seconds` since the epoch."""
    return max(int(seconds * 1000) - EPOCH_MS, 0) << 22
