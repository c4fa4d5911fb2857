"""An opened edition. FAISS and bm25s notice no flipped bit: nothing is read before every checksum agrees."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from knowledge.editions.files import sha256
from knowledge.editions.manifest import Manifest
from knowledge.editions.passages import read_audiences, read_passages
from knowledge.errors import BrokenEdition
from knowledge.lexicon import Lexicon
from knowledge.page import Audience, Passage
from knowledge.vectors import VectorIndex

PASSAGES, PAGES = "passages.jsonl", "pages.json"
MORPHEMES, BIGRAMS, VECTORS = "morphemes", "bigrams", "vectors.faiss"


@dataclass(frozen=True)
class Edition:
    """Read-only, shared by all questions that began while it was live."""

    manifest: Manifest
    passages: Sequence[Passage]
    pages: dict[str, str]
    """`source/path` → digest: what changed since."""
    morphemes: Lexicon
    bigrams: Lexicon
    vectors: VectorIndex


def verify(folder: Path, manifest: Manifest) -> None:
    """Compare every checksum. Raises BrokenEdition."""
    for file in manifest.files:
        _verify(folder, manifest, file)


def _verify(folder: Path, manifest: Manifest, file: str) -> None:
    try:
        found = sha256(folder / file)
    except OSError as error:
        raise BrokenEdition(edition=manifest.edition, reason=f"{file}: {error.strerror}") from error
    if found != manifest.files.get(file):
        raise BrokenEdition(edition=manifest.edition, reason=f"{file}: SHA-256")


def load(folder: Path, manifest: Manifest) -> Edition:
    """Read what was verified. Raises BrokenEdition."""
    name = manifest.edition
    try:
        edition = Edition(
            manifest=manifest,
            passages=read_passages(folder / PASSAGES),
            pages=read_pages(folder),
            morphemes=Lexicon.load(folder / MORPHEMES),
            bigrams=Lexicon.load(folder / BIGRAMS),
            vectors=VectorIndex.load(folder / VECTORS),
        )
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise BrokenEdition(edition=name, reason=str(error)) from error
    counts = {len(edition.passages), edition.morphemes.size, edition.bigrams.size, edition.vectors.size}
    if counts != {manifest.passages} or len(edition.pages) != manifest.pages:
        raise BrokenEdition(edition=name, reason=f"counts differ: {sorted(counts)}, {len(edition.pages)} pages")
    return edition


def audiences_of(folder: Path, manifest: Manifest) -> list[tuple[str, str, Audience]]:
    """Source, page and readers of each passage; nothing but the passages is verified and read. Raises BrokenEdition."""
    _verify(folder, manifest, PASSAGES)
    try:
        return list(read_audiences(folder / PASSAGES))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BrokenEdition(edition=manifest.edition, reason=f"{PASSAGES}: {error}") from error


def read_pages(folder: Path) -> dict[str, str]:
    """`source/path` → digest, without the rest. Raises BrokenEdition."""
    try:
        digests: dict[str, str] = json.loads((folder / PAGES).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BrokenEdition(edition=folder.name, reason=f"{PAGES}: {error}") from error
    return digests
