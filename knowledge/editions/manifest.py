"""What an edition says of itself: `manifest.json`, written last."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path

from knowledge.errors import BrokenEdition

FORMAT = 1
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Recall:
    """How well the regression questions found their pages. `questions`: changes with those that were asked."""

    questions: str
    at5: float
    asked: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """`files`: relative path → SHA-256; `sources`: name → its pages; `held_back`: names of sources that were not taken as they were."""

    edition: str
    made: str
    fingerprint: str
    pages: int
    passages: int
    analyser: str
    embedder: str
    dimension: int
    calibration: dict[str, float]
    files: dict[str, str] = field(default_factory=dict)
    format: int = FORMAT
    recipe: str = ""
    """How pages were cut into passages: pages of another edition of the same recipe have the same passages."""
    sources: dict[str, int] = field(default_factory=dict)
    held_back: list[str] = field(default_factory=list)
    recall: Recall | None = None
    calibrated_with: str = ""
    """Changes with whatever else the calibration depends on; `drift`: passages that came or went since it was measured."""
    drift: int = 0

    def as_json(self) -> str:
        """The file's text."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False, indent=1)


def read_manifest(folder: Path) -> Manifest:
    """Raises BrokenEdition."""
    name = folder.name
    try:
        raw = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if raw["format"] != FORMAT:
            raise BrokenEdition(edition=name, reason=f"format {raw['format']}")
        recall = raw.pop("recall", None)
        return Manifest(**raw, recall=Recall(**recall) if recall else None)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BrokenEdition(edition=name, reason=f"{MANIFEST}: {error}") from error
