"""What the parent hands to the training process, and where things lie in a run's folder. No torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jobs.tuning.settings import TuningSettings
from knowledge.editions.files import write_whole


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One run on disk. Starting a run again in its folder resumes it."""

    path: Path

    @property
    def job(self) -> Path:
        """The `TuningJob`."""
        return self.path / "job.json"

    @property
    def progress(self) -> Path:
        """JSON Lines, all parts of the run."""
        return self.path / "progress.jsonl"

    @property
    def stop(self) -> Path:
        """While this file exists, the run saves and leaves."""
        return self.path / "stop"

    @property
    def pause(self) -> Path:
        """While people wait for answers; see `jobs.tuning.pause`."""
        return self.path / "pause"

    @property
    def checkpoints(self) -> Path:
        """See `jobs.tuning.checkpoint`."""
        return self.path / "checkpoints"

    @property
    def result(self) -> Path:
        """See `jobs.tuning.result`; exists once the run is over."""
        return self.path / "result"

    @property
    def errors(self) -> Path:
        """What the process wrote to stderr."""
        return self.path / "stderr.log"

    @property
    def lock(self) -> Path:
        """Held by the process."""
        return self.path / "lock"


@dataclass(frozen=True, slots=True)
class TuningJob:
    """One run."""

    gguf: Path
    """The base as it is served."""
    examples: Path
    """JSON Lines, see `jobs.tuning.dataset`."""
    cache: Path
    """Of prepared bases."""
    template: str = "gguf"
    """As in the model catalogue."""
    replay: Path | None = None
    """Examples mixed in against forgetting: a file, or a folder of them (`jobs.tuning.replay`)."""
    preferences: Path | None = None
    """JSON Lines, see `jobs.tuning.preferences`; read when `settings.preference_share` is above 0."""
    settings: TuningSettings = field(default_factory=TuningSettings)

    def write(self, path: Path) -> None:
        """Store it."""
        names = ("gguf", "examples", "cache", "replay", "preferences")
        named: dict[str, Path | None] = {name: getattr(self, name) for name in names}
        raw: dict[str, Any] = {key: str(value.absolute()) if value else None for key, value in named.items()}
        raw |= {"template": self.template, "settings": self.settings.as_json()}
        write_whole(path, json.dumps(raw, ensure_ascii=False, indent=1))

    @classmethod
    def read(cls, path: Path) -> TuningJob:
        """What `write` stored."""
        raw: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            gguf=Path(raw["gguf"]),
            examples=Path(raw["examples"]),
            cache=Path(raw["cache"]),
            template=raw["template"],
            replay=Path(raw["replay"]) if raw["replay"] else None,
            preferences=Path(raw["preferences"]) if raw.get("preferences") else None,
            settings=TuningSettings.from_json(raw["settings"]),
        )
