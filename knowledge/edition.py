"""Editions on disk: written aside, checksummed, published by one rename, opened only after every checksum agrees.

editions/
  current                     the name of the edition that serves
  20261124-093000-1a2b3c4d/
    passages.jsonl  pages.json  morphemes/  bigrams/  vectors.faiss
    manifest.json             written last: its existence means complete
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from knowledge.embed import Vectors
from knowledge.errors import BrokenEdition, NoEdition, PublishFailed
from knowledge.lexicon import Lexicon
from knowledge.page import Audience, Passage
from knowledge.vectors import VectorIndex

FORMAT = 1
_MANIFEST = "manifest.json"
_CURRENT = "current"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an edition says of itself. `files`: relative path → SHA-256."""

    edition: str
    made: str
    fingerprint: str
    pages: int
    passages: int
    analyser: str
    embedder: str
    dimension: int
    calibration: dict[str, float]
    files: dict[str, str] = field(default_factory=dict)
    format: int = FORMAT


@dataclass(frozen=True)
class Edition:
    """An opened edition: read-only, shared by all questions that began while it was live."""

    manifest: Manifest
    passages: Sequence[Passage]
    pages: dict[str, str]
    """`source/path` → digest: what changed since."""
    morphemes: Lexicon
    bigrams: Lexicon
    vectors: VectorIndex


class EditionShelf:
    """The folder of editions: publish, open, list, keep the last ones."""

    def __init__(self, root: Path, keep: int = 3) -> None:
        self.root = root
        self._keep = keep

    def current(self) -> str:
        """The name of the serving edition. Raises NoEdition."""
        with contextlib.suppress(OSError):
            name = (self.root / _CURRENT).read_text(encoding="utf-8").strip()
            if name and "/" not in name and (self.root / name / _MANIFEST).is_file():
                return name
        complete = self.names()
        if not complete:
            raise NoEdition(folder=self.root)
        return complete[-1]

    def names(self) -> list[str]:
        """Complete editions, oldest first."""
        if not self.root.is_dir():
            return []
        return sorted(p.name for p in self.root.iterdir() if p.name[0] != "." and (p / _MANIFEST).is_file())

    def manifest(self, name: str) -> Manifest:
        """Raises BrokenEdition."""
        try:
            raw = json.loads((self.root / name / _MANIFEST).read_text(encoding="utf-8"))
            if raw["format"] != FORMAT:
                raise BrokenEdition(edition=name, reason=f"format {raw['format']}")
            return Manifest(**raw)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise BrokenEdition(edition=name, reason=f"manifest.json: {error}") from error

    def open(self, name: str | None = None) -> Edition:
        """Verify every checksum, then load. Raises NoEdition, BrokenEdition."""
        name = name or self.current()
        return _load(self.root / name, self.manifest(name))

    def pages(self, name: str) -> dict[str, str]:
        """`source/path` → digest, without opening the rest."""
        try:
            digests: dict[str, str] = json.loads((self.root / name / "pages.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise BrokenEdition(edition=name, reason=f"pages.json: {error}") from error
        return digests

    def publish(
        self,
        *,
        fingerprint: str,
        passages: Sequence[Passage],
        pages: dict[str, str],
        morphemes: Lexicon,
        bigrams: Lexicon,
        vectors: Vectors,
        analyser: str,
        embedder: str,
        calibrate: Callable[[Edition], dict[str, float]],
    ) -> str:
        """Write aside, verify by opening, rename, point `current` at it, drop the oldest. Returns its name.

        Raises PublishFailed (disk full, permissions); then the shelf is as it was before.
        """
        made = dt.datetime.now(dt.UTC)
        name = f"{made:%Y%m%d-%H%M%S}-{fingerprint[:8]}"
        aside = self.root / f".building-{os.getpid()}"
        try:
            self._clear_aside()
            aside.mkdir(parents=True)
            with (aside / "passages.jsonl").open("w", encoding="utf-8") as out:
                out.writelines(json.dumps(_passage_to(p), ensure_ascii=False) + "\n" for p in passages)
            (aside / "pages.json").write_text(json.dumps(pages, ensure_ascii=False, indent=0), encoding="utf-8")
            morphemes.save(aside / "morphemes")
            bigrams.save(aside / "bigrams")
            VectorIndex.build(vectors).save(aside / "vectors.faiss")
            draft = Manifest(
                edition=name,
                made=made.isoformat(timespec="seconds"),
                fingerprint=fingerprint,
                pages=len(pages),
                passages=len(passages),
                analyser=analyser,
                embedder=embedder,
                dimension=int(vectors.shape[1]),
                calibration={},
                files={str(p.relative_to(aside)): _sha256(p) for p in _files(aside)},
            )
            for path in _files(aside):
                _fsync(path)
            # Opened once from disk before anybody may trust it; calibrated on what was really written.
            edition = _load(aside, draft)
            manifest = dataclasses.replace(draft, calibration=calibrate(edition))
            text = json.dumps(dataclasses.asdict(manifest), ensure_ascii=False, indent=1)
            (aside / _MANIFEST).write_text(text, encoding="utf-8")
            _fsync(aside / _MANIFEST)
            target = self.root / name
            if target.exists():  # the same content published twice within a second
                shutil.rmtree(target)
            aside.rename(target)
            _fsync(self.root)
            self.point_at(name)
        except (OSError, RuntimeError, BrokenEdition) as error:
            # RuntimeError: FAISS' writer reports a full disk so.
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise PublishFailed(reason=reason) from error
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        self._drop_old(name)
        return name

    def point_at(self, name: str) -> None:
        """Make `name` the serving edition, atomically."""
        pointer = self.root / f".{_CURRENT}-{os.getpid()}"
        pointer.write_text(name + "\n", encoding="utf-8")
        _fsync(pointer)
        pointer.replace(self.root / _CURRENT)
        _fsync(self.root)

    def _drop_old(self, current: str) -> None:
        for old in [n for n in self.names() if n != current][: -(self._keep - 1) or None]:
            shutil.rmtree(self.root / old, ignore_errors=True)

    def _clear_aside(self) -> None:
        """What a killed run left behind; the caller holds the indexing lock, so nobody is building now."""
        if self.root.is_dir():
            for left in self.root.glob(".building-*"):
                shutil.rmtree(left, ignore_errors=True)


def _load(folder: Path, manifest: Manifest) -> Edition:
    """Verify, then load. Raises BrokenEdition."""
    name = manifest.edition
    for file, expected in manifest.files.items():
        try:
            found = _sha256(folder / file)
        except OSError as error:
            raise BrokenEdition(edition=name, reason=f"{file}: {error.strerror}") from error
        if found != expected:
            raise BrokenEdition(edition=name, reason=f"{file}: SHA-256")
    try:
        with (folder / "passages.jsonl").open(encoding="utf-8") as lines:
            passages = [_passage_from(json.loads(line)) for line in lines]
        edition = Edition(
            manifest=manifest,
            passages=passages,
            pages=json.loads((folder / "pages.json").read_text(encoding="utf-8")),
            morphemes=Lexicon.load(folder / "morphemes"),
            bigrams=Lexicon.load(folder / "bigrams"),
            vectors=VectorIndex.load(folder / "vectors.faiss"),
        )
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise BrokenEdition(edition=name, reason=str(error)) from error
    counts = {len(passages), edition.morphemes.size, edition.bigrams.size, edition.vectors.size}
    if counts != {manifest.passages}:
        raise BrokenEdition(edition=name, reason=f"counts differ: {sorted(counts)}")
    return edition


def _files(folder: Path) -> Iterator[Path]:
    yield from sorted(path for path in folder.rglob("*") if path.is_file())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _passage_to(passage: Passage) -> dict[str, Any]:
    return {
        "source": passage.source,
        "page": passage.page,
        "number": passage.number,
        "title": passage.title,
        "heading": list(passage.heading),
        "text": passage.text,
        "url": passage.url,
        "modified": passage.modified.isoformat() if passage.modified else None,
        "audience": passage.audience.as_lists(),
        "page_number": passage.page_number,
        "replaced_by": passage.replaced_by,
    }


def _passage_from(raw: dict[str, Any]) -> Passage:
    return Passage(
        source=raw["source"],
        page=raw["page"],
        number=raw["number"],
        title=raw["title"],
        heading=tuple(raw["heading"]),
        text=raw["text"],
        url=raw["url"],
        modified=dt.date.fromisoformat(raw["modified"]) if raw["modified"] else None,
        audience=Audience.from_lists(raw["audience"]),
        page_number=raw["page_number"],
        replaced_by=raw["replaced_by"],
    )


def differences(old: dict[str, str], new: dict[str, str]) -> tuple[list[str], list[str], list[str]]:
    """(added, changed, removed) page names."""
    changed: Iterable[str] = (page for page in new if page in old and old[page] != new[page])
    return sorted(new.keys() - old.keys()), sorted(changed), sorted(old.keys() - new.keys())
