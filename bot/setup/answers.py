"""What `saseo init` was told, each answer checked as it is given."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bot.errors import InvalidSetting, WikiNotFound, WikiWithoutPages
from bot.messages import Language

_SLACK_MEMBER = re.compile(r"[UW][A-Z0-9]{6,}")
_SNOWFLAKE = re.compile(r"[0-9]{15,20}")


@dataclass(frozen=True, slots=True)
class Answers:
    """All of them; paths absolute. `writer` empty: the default model."""

    wiki: Path
    source: str
    data_dir: Path
    language: Language = "ko"
    writer: str = ""
    slack: bool = False
    slack_admins: tuple[str, ...] = ()
    discord: bool = False
    guild_ids: tuple[int, ...] = ()
    admin_roles: tuple[str, ...] = ()
    web: bool = True
    web_host: str = "127.0.0.1"
    web_port: int = 8787


@dataclass(frozen=True, slots=True)
class Look:
    """What lies in a folder: readable pages by suffix, and how many could not be opened."""

    by_suffix: Mapping[str, int]
    unreadable: int = 0

    @property
    def pages(self) -> int:
        """That Saseo would read."""
        return sum(self.by_suffix.values())


def look_at(folder: Path) -> Look:
    """The pages in it, found as indexing finds them. Raises WikiNotFound, WikiWithoutPages."""
    from knowledge.errors import SourceError
    from knowledge.formats import KNOWN_SUFFIXES
    from knowledge.page import Audience
    from knowledge.sources.folder import FolderSource

    if not folder.is_dir():
        raise WikiNotFound(path=folder)
    found: Counter[str] = Counter()
    unreadable = 0
    try:
        for file in FolderSource("wiki", folder, Audience.of(["everyone"])).files():
            # A folder that is closed to us is listed by its own name, which is no page's.
            if os.access(folder / file.path, os.R_OK) and not (folder / file.path).is_dir():
                found[PurePosixPath(file.path).suffix.lower()] += 1
            else:
                unreadable += 1
    except SourceError as error:
        raise WikiNotFound(path=folder) from error
    if not found:
        raise WikiWithoutPages(path=folder, known=" ".join(sorted(KNOWN_SUFFIXES)))
    return Look(dict(found.most_common()), unreadable)


def folder_to_write(path: Path, key: str = "data_dir") -> Path:
    """`path` made absolute, if it is or can become a folder that this user writes to. Raises InvalidSetting."""
    path = Path(os.path.abspath(path.expanduser()))
    there = path
    while not there.exists():
        there = there.parent
    if not there.is_dir():
        raise InvalidSetting(key=key, reason=f"{there}: not a folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise InvalidSetting(key=key, reason=f"{there}: not writable")
    return path


def slack_members(written: str) -> tuple[str, ...]:
    """`U0123ABCD, W…` → ids. Raises InvalidSetting."""
    return _each(written, _SLACK_MEMBER, "[slack] admins", "U0123456789")


def discord_ids(written: str, key: str) -> tuple[str, ...]:
    """Ids of servers or roles: 15 to 20 digits each. Raises InvalidSetting."""
    return _each(written, _SNOWFLAKE, key, "123456789012345678")


def port(written: str) -> int:
    """Raises InvalidSetting."""
    if not written.isascii() or not written.isdigit() or not 0 < int(written) < 65536:
        raise InvalidSetting(key="[web] port", reason=f"{written} (1–65535)")
    return int(written)


def _each(written: str, shape: re.Pattern[str], key: str, example: str) -> tuple[str, ...]:
    ids = tuple(dict.fromkeys(written.replace(",", " ").split()))
    for one in ids:
        if not shape.fullmatch(one):
            raise InvalidSetting(key=key, reason=f"{one} (→ {example})")
    return ids
