"""The day on which each file was last changed, kept between runs: a fetched repository has no history to ask."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Iterable
from pathlib import Path

from knowledge.sources.git.program import Git
from knowledge.sources.git.repository import Blob, is_shallow, last_changes

_WALK_SECONDS = 120.0


class LastChanges:
    """A file of (path → blob, day). Losing it costs one walk through the history, or the days of a shallow clone."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def of(self, git: Git, commit: str, files: Iterable[Blob]) -> dict[str, dt.date]:
        """The day of each path of `files` that is known.

        Whole history: the day of the last commit that touched it. Shallow: the day of the commit in which this version of
        it was first seen, so that a day moves only when the file does.
        """
        files = list(files)
        known = self._read()
        days = {file.path: known[file.path][1] for file in files if known.get(file.path, ("",))[0] == file.sha}
        new = {file.name: file.path for file in files if file.path not in days}
        if new:
            if is_shallow(git):
                day = dt.date.fromisoformat(git.run("log", "-1", "--format=%cs", commit, "--").decode().strip())
                days |= dict.fromkeys(new.values(), day)
            else:
                walked = last_changes(git, commit, set(new), seconds=_WALK_SECONDS)
                days |= {new[name]: day for name, day in walked.items()}
        if new or len(known) != len(files):
            self._write({file.path: (file.sha, days[file.path]) for file in files if file.path in days})
        return days

    def _read(self) -> dict[str, tuple[str, dt.date]]:
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            return {str(path): (str(sha), dt.date.fromisoformat(day)) for path, (sha, day) in kept.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def _write(self, known: dict[str, tuple[str, dt.date]]) -> None:
        text = json.dumps({path: [sha, day.isoformat()] for path, (sha, day) in known.items()}, ensure_ascii=False)
        with contextlib.suppress(OSError):  # a full disk: the edition's own writes will say so
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            aside = self._path.with_suffix(".new")
            aside.write_text(text, encoding="utf-8")
            aside.replace(self._path)
