"""A file or folder that is already on this machine or on a mounted share."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from bot.models.catalogue import PathPlace
from bot.models.hashing import files_of, size_of
from bot.models.places.job import Job, PlaceFailed

_CHUNK = 4 * 1024 * 1024


class PathFetcher:
    """Hard-links a file where the file system allows it, copies otherwise."""

    def __init__(self, place: PathPlace) -> None:
        self._place = place

    def fetch(self, job: Job) -> Path:
        """See `Fetcher`."""
        source = Path(os.path.expandvars(self._place.path)).expanduser()
        if not source.exists():
            raise PlaceFailed(f"{source}: not there")
        if source.is_dir() != (job.model.format == "sentence-transformers"):
            raise PlaceFailed(f"{source}: a {'folder' if source.is_dir() else 'file'} where the other was expected")
        target = job.work / "copy"
        if target.is_dir():
            shutil.rmtree(target)
        target.unlink(missing_ok=True)
        if source.is_file() and _linked(source, target):
            return target
        total = size_of(source)
        job.need(total)
        done = 0
        for file in files_of(source):
            into = target if source.is_file() else target / file.relative_to(source)
            into.parent.mkdir(parents=True, exist_ok=True)
            with file.open("rb") as reader, into.open("wb") as writer:
                while chunk := reader.read(_CHUNK):
                    writer.write(chunk)
                    done += len(chunk)
                    job.progress("copy", done, total)
        return target


def _linked(source: Path, target: Path) -> bool:
    try:
        # A link to a link would break when the other one is cleaned away.
        os.link(source.resolve(), target)
    except OSError:
        return False
    return True
