"""The secrets of one Slack app. They come from the environment and are never shown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, repr=False)
class SlackTokens:
    """`bot` starts with `xoxb-`; `app` (`xapp-`) is for Socket Mode, `signing_secret` for HTTP."""

    bot: str
    app: str = ""
    signing_secret: str = ""

    def __repr__(self) -> str:
        """Names what is there, not its value."""
        there = [name for name in ("bot", "app", "signing_secret") if getattr(self, name)]
        return f"SlackTokens({', '.join(there)})"
