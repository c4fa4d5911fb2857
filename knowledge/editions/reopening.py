"""What an older edition would open again: it knows nothing of pages that were narrowed or deleted after it was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from knowledge.editions import opened
from knowledge.editions.manifest import read_manifest
from knowledge.errors import BrokenEdition
from knowledge.page import Audience

Readers = Mapping[tuple[str, str], Audience]
"""(source, page) → whom all of its passages admit."""


@dataclass(frozen=True, slots=True)
class Reopening:
    """Numbers of pages. Nothing: false."""

    wider: int = 0
    """Would be read by somebody who may not read them now."""
    returned: int = 0
    """Are in the wiki no longer, and would answer again."""

    def __bool__(self) -> bool:
        return bool(self.wider or self.returned)

    def __str__(self) -> str:
        """As a form hands it on."""
        return f"{self.wider}/{self.returned}"


def reopening(older: Path, newest: Path) -> Reopening:
    """`older`, `newest`: folders of editions. Of a newest one that is damaged nothing is known, so that every page counts as returned.

    Raises BrokenEdition for the older one.
    """
    before = _readers(older)
    try:
        now = _readers(newest)
    except BrokenEdition:
        now = {}
    shared = before.keys() & now.keys()
    return Reopening(sum(not before[page].within(now[page]) for page in shared), len(before) - len(shared))


def _readers(folder: Path) -> Readers:
    found: dict[tuple[str, str], Audience] = {}
    for source, page, audience in opened.audiences_of(folder, read_manifest(folder)):
        known = found.get((source, page))
        found[source, page] = audience if known is None or known == audience else known.narrowed(audience)
    return found
