"""One edition written aside, checksummed, opened and approved. It becomes one of the shelf's by a rename, which is the shelf's to do."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from knowledge.editions import opened
from knowledge.editions.files import files_below, fsync, sha256
from knowledge.editions.manifest import MANIFEST, Manifest, Recall
from knowledge.editions.opened import Edition
from knowledge.editions.passages import write_passages
from knowledge.embed import Vectors
from knowledge.lexicon import Lexicon
from knowledge.page import Passage
from knowledge.vectors import VectorIndex

NAMED_BY = "%Y%m%d-%H%M%S"
"""An edition's name begins with its time, so that names sort by age."""


@dataclass(frozen=True)
class Contents:
    """What an edition is made of; see `Manifest` and `Edition` for the fields. `vectors`: (passages, dimension)."""

    fingerprint: str
    recipe: str
    passages: Sequence[Passage]
    pages: dict[str, str]
    morphemes: Lexicon
    bigrams: Lexicon
    vectors: Vectors
    analyser: str
    embedder: str
    sources: dict[str, int] = field(default_factory=dict)
    held_back: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Approval:
    """What was measured on an edition that may serve."""

    calibration: dict[str, float]
    calibrated_with: str
    drift: int
    recall: Recall | None = None


Approve = Callable[[Edition], Approval]
"""Looks at an edition as it will be opened. Raises EditionRefused."""


def write_aside(aside: Path, contents: Contents, approve: Approve, made: dt.datetime) -> Manifest:
    """Fill the folder `aside`, the manifest last. Raises OSError, RuntimeError (FAISS on a full disk), BrokenEdition, EditionRefused."""
    aside.mkdir(parents=True)
    write_passages(aside / opened.PASSAGES, contents.passages)
    pages = json.dumps(contents.pages, ensure_ascii=False, indent=0)
    (aside / opened.PAGES).write_text(pages, encoding="utf-8")
    contents.morphemes.save(aside / opened.MORPHEMES)
    contents.bigrams.save(aside / opened.BIGRAMS)
    VectorIndex.build(contents.vectors).save(aside / opened.VECTORS)
    draft = Manifest(
        edition=f"{made:{NAMED_BY}}-{contents.fingerprint[:8]}",
        made=made.isoformat(timespec="seconds"),
        fingerprint=contents.fingerprint,
        pages=len(contents.pages),
        passages=len(contents.passages),
        analyser=contents.analyser,
        embedder=contents.embedder,
        dimension=int(contents.vectors.shape[1]),
        calibration={},
        files={str(path.relative_to(aside)): sha256(path) for path in files_below(aside)},
        recipe=contents.recipe,
        sources=contents.sources,
        held_back=list(contents.held_back),
    )
    for path in files_below(aside):
        fsync(path)
    # The checksums are of what was read back; opened once from disk before anybody may trust it, and approved as it was really written.
    approval = approve(opened.load(aside, draft))
    manifest = dataclasses.replace(
        draft,
        calibration=approval.calibration,
        calibrated_with=approval.calibrated_with,
        drift=approval.drift,
        recall=approval.recall,
    )
    (aside / MANIFEST).write_text(manifest.as_json(), encoding="utf-8")
    fsync(aside / MANIFEST)
    fsync(aside)
    return manifest
