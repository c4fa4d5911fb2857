"""What changed between the serving edition and the next one, by the names of pages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from knowledge.building.reading import SourceReading
from knowledge.building.report import MovedPage
from knowledge.building.serving import Serving
from knowledge.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Changes:
    """`source/path` each, sorted. A page that moved is neither added nor removed; it is among `changed` if its bytes changed, too."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    moved: tuple[MovedPage, ...]


def compare(
    serving: Serving, digests: Mapping[str, str], readings: Mapping[str, SourceReading], ledger: Ledger
) -> Changes:
    """`digests`: of the next edition; `readings`: by source, of those that were read; `ledger` still knows what left."""
    old = serving.digests
    added, removed = set(digests.keys() - old.keys()), set(old.keys() - digests.keys())
    changed = {name for name, digest in digests.items() if name in old and old[name] != digest}
    moved: list[MovedPage] = []
    for source, reading in readings.items():
        here = {path for path in reading.documents if f"{source}/{path}" in added}
        gone = {path for path in serving.paths(source) if f"{source}/{path}" in removed}
        if here and gone:
            for one, with_changes in _moves(source, reading, here, gone, ledger):
                moved.append(one)
                added.discard(f"{source}/{one.now}")
                removed.discard(f"{source}/{one.before}")
                if with_changes:
                    changed.add(f"{source}/{one.now}")
    moved.sort(key=lambda one: (one.source, one.now))
    return Changes(tuple(sorted(added)), tuple(sorted(changed)), tuple(sorted(removed)), tuple(moved))


def _moves(
    source: str, reading: SourceReading, here: set[str], gone: set[str], ledger: Ledger
) -> Iterable[tuple[MovedPage, bool]]:
    """Each move, and whether the bytes are others: first by the identity that the source tells, then by equal bytes."""
    known = {path: entry.known for path, entry in ledger.of(source).items() if path in gone and entry.known}
    by_identity = {one.identity: path for path, one in known.items() if one.identity is not None}
    without: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted(known):
        if known[path].identity is None:
            without[known[path].document].append(path)
    for path in sorted(here):
        identity, document = reading.identities[path], reading.documents[path]
        before: str | None
        if identity is not None:
            before = by_identity.pop(identity, None)
        else:
            twins = without[document]
            same_name = [one for one in twins if PurePosixPath(one).name == PurePosixPath(path).name]
            before = next(iter(same_name or twins), None)
            if before is not None:
                twins.remove(before)
        if before is not None:
            yield MovedPage(source, before, path), known[before].document != document
