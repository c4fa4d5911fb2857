"""Puts the rooms inside `saseo/` when a wheel is built. An editable install gets only the path of the checkout.

A table `force-include` in pyproject.toml would be applied to editable installs too: they would carry a copy of the rooms that
hides every later change of the checkout.
"""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

CARRIED = {
    "saseo.py": "saseo/__init__.py",
    "bot": "saseo/_rooms/bot",
    "knowledge": "saseo/_rooms/knowledge",
    "adapters": "saseo/_rooms/adapters",
    "jobs": "saseo/_rooms/jobs",
    "config.toml": "saseo/_rooms/config.toml",
    "examples": "saseo/_rooms/examples",
}


class RoomsHook(BuildHookInterface):  # type: ignore[type-arg]
    """`version` is "standard" for a wheel and "editable" for an editable install."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the rooms to a real wheel."""
        if version != "editable":
            build_data["force_include"].update(CARRIED)
