"""What sources share when they list files: which are wanted, readable names, and files that can only be reported."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import PurePosixPath

from knowledge.errors import PageError, UnreadablePage
from knowledge.formats import KNOWN_SUFFIXES
from knowledge.sources.base import SourceFile
from knowledge.sources.patterns import Patterns


class Selection:
    """`include` and `exclude` of a source. Hidden files (`.git`, `~$규정.docx`) are never wanted."""

    def __init__(self, include: Sequence[str], exclude: Sequence[str]) -> None:
        self._include = Patterns(include)
        self._exclude = Patterns(exclude)

    def wants(self, path: str, suffix: str | None = None) -> bool:
        """`suffix`: of the format, where `path` does not end in it. An unknown format is wanted only if a pattern of
        `include` asks for its suffix: then it is reported instead of skipped."""
        return not self.excludes(path) and self.includes(path, suffix)

    def includes(self, path: str, suffix: str | None = None) -> bool:
        """`wants` of a path that is known not to be excluded."""
        if self._include and not self._include.match(path):
            return False
        return self.wants_suffix(PurePosixPath(path).suffix.lower() if suffix is None else suffix)

    def excludes(self, path: str) -> bool:
        """Whether neither `path` nor, if it is a folder, anything in it is wanted."""
        return any(name.startswith((".", "~$")) for name in path.split("/")) or self._exclude.match(path)

    def wants_suffix(self, suffix: str) -> bool:
        """Whether files of this format are read, or asked for."""
        return suffix in KNOWN_SUFFIXES or self._include.asks_for(suffix)


def readable_name(raw: bytes) -> str:
    """A file's name in NFC. Old Korean archives hold names in CP949."""
    for encoding in ("utf-8", "cp949"):
        try:
            return unicodedata.normalize("NFC", raw.decode(encoding))
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8", "backslashreplace")


def unreadable(path: str, error: PageError | str, url: str | None = None) -> SourceFile:
    """A file whose reading raises `error` (a text: UnreadablePage with that reason), so that the run reports it by name."""
    raised = UnreadablePage(reason=error) if isinstance(error, str) else error

    def read() -> bytes:
        raise raised

    return SourceFile(path, url, modified=None, size=0, read=read)
