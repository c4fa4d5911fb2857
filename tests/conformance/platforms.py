"""Which platforms the suite runs: name → driver, as `module:class`. Imports nothing, so that the table can be printed."""

from __future__ import annotations

PLATFORMS = {
    "slack": "tests.conformance.slack_driver:SlackDriver",
    "discord": "tests.conformance.discord_driver:DiscordDriver",
    "terminal": "tests.conformance.terminal_driver:TerminalDriver",
}
