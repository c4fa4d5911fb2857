"""Which sources are held back, as the last run that read each saw it: `held-back.json`.

A manifest cannot say so for long: a run that changes no page publishes none, and one of a single source knows nothing of the others.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from knowledge.editions.files import write_whole


@dataclass(frozen=True, slots=True)
class HeldSource:
    """Why a source was not taken as it is, in both languages. An old shelf tells its name alone; then all of this is unknown."""

    ko: str = ""
    en: str = ""
    before: int | None = None
    """Pages that it had, and that it has now."""
    now: int | None = None
    since: float = 0.0
    """In seconds since the epoch: when it was first held back. 0: unknown."""

    def reason(self, language: str) -> str:
        """For a person; empty: unknown."""
        return self.ko if language == "ko" else self.en


def read_held_back(path: Path) -> dict[str, HeldSource] | None:
    """By name. None where nothing was noted yet, or nothing that can be read."""
    try:
        return {str(name): HeldSource(**told) for name, told in json.loads(path.read_text(encoding="utf-8")).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def write_held_back(path: Path, held: Mapping[str, HeldSource]) -> None:
    """Raises OSError; what was noted before is there then."""
    written = {name: dataclasses.asdict(one) for name, one in sorted(held.items())}
    write_whole(path, json.dumps(written, ensure_ascii=False, indent=1))
