"""Paths of pages that have titles instead of file names: the titles of their parents and their own, made unique."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_UNWANTED = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_LONGEST = 120


class PagePaths:
    """The paths given out so far. Parents are added before their children, old pages before new ones: these keep plain names."""

    def __init__(self) -> None:
        self._of: dict[str, str] = {}
        self._taken: set[str] = set()

    def add(self, identity: str, parents: Sequence[tuple[str, str]], title: str) -> str:
        """The path of the page `identity`; `parents`: id and title, the outermost first.

        Where another page has the path already, the end of the id is added.
        """
        prefix = ""
        for parent, name in parents:
            prefix = (self._of[parent] if parent in self._of else prefix + as_name(name)) + "/"
        path = prefix + as_name(title)
        wanted, plain = path, identity.replace("-", "")
        for end in (plain[-8:], plain):
            if path in self._taken:
                path = f"{wanted} ({end})"
        self._taken.add(path)
        self._of[identity] = path
        return path


def as_name(title: str) -> str:
    """`title` as one part of a path: no slash, no controls, neither empty nor only dots, not overly long."""
    name = _UNWANTED.sub(" ", unicodedata.normalize("NFC", title)).replace("/", "-")
    name = " ".join(name.split())
    if len(name) > _LONGEST:
        name = name[:_LONGEST].rstrip() + "…"
    return name if name.strip(". ") else "제목 없음"
