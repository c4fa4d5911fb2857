"""What a kind of source is: its own keys of `[[sources]]`, and how it is opened. Each kind's file makes one `Kind`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from knowledge.page import Audience
from knowledge.sources.base import Source
from knowledge.sources.narrowed import FolderAudience

Options = TypeVar("Options")


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """What every source is given, whatever its kind."""

    name: str
    audience: Audience
    """Who may read its pages, unless a page narrows it."""
    home: Path
    """A folder of the source's own for what must outlive a run (ETags, a clone). It may not exist yet; what it holds can
    be fetched again, so losing it costs time only (and an export's guard against one that tells no readers: archive.py)."""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    """Patterns over the pages' paths (patterns.py)."""
    folders: tuple[FolderAudience, ...] = ()
    """Who may read some of its folders."""


def home_of(homes: Path, name: str) -> Path:
    """The folder below `homes` for the source `name`, which may hold any characters: a hash keeps names apart."""
    readable = re.sub(r"[^\w-]+", "-", name)[:40].strip("-")
    return homes / f"{readable}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


@dataclass(frozen=True, slots=True)
class Kind(Generic[Options]):
    """One kind of source. `options`: a frozen dataclass; its fields are the keys that only this kind knows.

    Fields are `str`, `int`, `float`, `bool`, `Path` or tuples of these: they come out of TOML. A `Path` counts from the
    folder of the settings file. Secrets never: name the environment variable that holds one (`token_env: str = "…"`).
    """

    options: type[Options]
    open: Callable[[SourceConfig, Options], Source]
    """Cheap and offline: whether the source can be read shows when its files are listed. Heavy libraries are imported
    there, not at the top of the file, since the command line reads this registry to know the settings."""
    watched: Callable[[Options], Path | None] = lambda options: None
    """The folder whose changes are this source's changes (`watch = true`), where there is one on this machine."""
    glance: Callable[[Options], Options] | None = None
    """The options of a quick look, whether the source can be read at all, where listing all of it may take an hour."""
