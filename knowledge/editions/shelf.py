"""The folder of editions: publish, open, list, go back, keep the last ones."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from knowledge.editions import opened
from knowledge.editions.files import fsync, write_whole
from knowledge.editions.held_back import HeldSource, read_held_back, write_held_back
from knowledge.editions.manifest import MANIFEST, Manifest, read_manifest
from knowledge.editions.opened import Edition
from knowledge.editions.publishing import NAMED_BY, Approve, Contents, write_aside
from knowledge.editions.reopening import Reopening, reopening
from knowledge.errors import (
    BrokenEdition,
    EditionMismatch,
    EditionRefused,
    IndexBusy,
    NoEdition,
    PagesReopened,
    PublishFailed,
    UnknownEdition,
)

_CURRENT = "current"
_ROLLED_BACK = "rolled-back.json"
_HELD_BACK = "held-back.json"
_TIME_LENGTH = len("20261126-042956")
_POINTER_SECONDS = 30.0
"""Pointing takes milliseconds; who holds its lock so long has a disk that does not answer."""


@dataclass(frozen=True, slots=True)
class Shelved:
    """One edition for a list. `bytes`: on disk."""

    manifest: Manifest
    bytes: int
    serving: bool


class EditionShelf:
    """All editions of a data directory. `keep`: how many stay, the serving one among them."""

    def __init__(self, root: Path, keep: int = 3) -> None:
        self.root = root
        self._keep = keep

    def current(self) -> str:
        """The name of the serving edition. Raises NoEdition."""
        with contextlib.suppress(OSError):
            name = (self.root / _CURRENT).read_text(encoding="utf-8").strip()
            if name and "/" not in name and (self.root / name / MANIFEST).is_file():
                return name
        complete = self.names()
        if not complete:
            raise NoEdition(folder=self.root)
        return complete[-1]

    def names(self) -> list[str]:
        """Complete editions, oldest first."""
        if not self.root.is_dir():
            return []
        return sorted(p.name for p in self.root.iterdir() if p.name[0] != "." and (p / MANIFEST).is_file())

    def shelved(self) -> list[Shelved]:
        """Every complete edition whose manifest can be read, oldest first."""
        found, serving = [], self.current() if self.names() else ""
        for name in self.names():
            with contextlib.suppress(BrokenEdition):
                found.append(Shelved(self.manifest(name), _size(self.root / name), name == serving))
        return found

    def manifest(self, name: str) -> Manifest:
        """Raises BrokenEdition."""
        return read_manifest(self.root / name)

    def verified(self, name: str) -> Manifest:
        """Its manifest, after every checksum was compared. Raises BrokenEdition."""
        manifest = self.manifest(name)
        opened.verify(self.root / name, manifest)
        return manifest

    def load(self, manifest: Manifest) -> Edition:
        """One that was verified. Raises BrokenEdition."""
        return opened.load(self.root / manifest.edition, manifest)

    def open(self, name: str | None = None) -> Edition:
        """Verify every checksum, then load. Raises NoEdition, BrokenEdition."""
        return self.load(self.verified(name or self.current()))

    def pages(self, name: str) -> dict[str, str]:
        """`source/path` → digest, without opening the rest. Raises BrokenEdition."""
        return opened.read_pages(self.root / name)

    def publish(self, contents: Contents, approve: Approve, instead_of: str | None = None) -> str:
        """Write aside, verify, approve, rename, point `current` at it, drop the oldest. Returns its name.

        `instead_of`: what served when this was begun; where another one serves by now, a person has gone back meanwhile, and this edition
        must not undo that. The caller holds the indexing lock. Raises PublishFailed (disk full, permissions), EditionRefused; then the
        shelf is as it was before.
        """
        aside = self.root / f".building-{os.getpid()}"
        try:
            self._clear_aside()
            manifest = write_aside(aside, contents, approve, self._next_time())
            with self._pointing():
                if instead_of is not None and self.current() != instead_of:
                    raise EditionRefused(check="rollback", reason=f"{instead_of} → {self.current()}")
                aside.rename(self.root / manifest.edition)
                fsync(self.root)
                self._point_at(manifest.edition)
        except (OSError, RuntimeError, BrokenEdition) as error:
            # RuntimeError: FAISS' writer reports a full disk so.
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise PublishFailed(reason=reason) from error
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        self._drop_old(manifest.edition)
        return manifest.edition

    def adopt(self, fingerprint: str, instead_of: str) -> str | None:
        """Let an edition serve that was complete when its run was killed before it could point at it. None: there is none."""
        for name in reversed(self.names()):
            if name <= instead_of or self.gone_back_from() is not None:
                return None
            with contextlib.suppress(BrokenEdition):
                if self.manifest(name).fingerprint == fingerprint:
                    self.verified(name)
                    with self._pointing():
                        self._point_at(name)
                    self._drop_old(name)
                    return name
        return None

    def reopening(self, name: str) -> Reopening:
        """What would be open again if this edition served: the newest one knows best who may read what. Raises BrokenEdition."""
        newest = self.names()[-1]
        return reopening(self.root / name, self.root / newest) if name != newest else Reopening()

    def roll_back(
        self,
        name: str | None = None,
        made_with: tuple[str, str] | None = None,
        agreed: Callable[[Reopening], bool] = lambda found: False,
    ) -> str:
        """Let an older edition serve again, `name` or the one before the serving one; until the next one is published.

        `made_with`: ids of the analyser and embedder that it must have been made with. `agreed`: whether a person wants it although pages
        would be open again; asked only then. Raises NoEdition, UnknownEdition, BrokenEdition, EditionMismatch, PagesReopened,
        PublishFailed, IndexBusy.
        """
        names, serving = self.names(), self.current()
        wanted = name or max((one for one in names if one < serving), default="")
        if wanted not in names:
            raise UnknownEdition(name=wanted or "-", known=", ".join(names))
        manifest = self.open(wanted).manifest
        for what, stored, live in zip(
            ("analyser", "embedder"), (manifest.analyser, manifest.embedder), made_with or (), strict=False
        ):
            if stored != live:
                raise EditionMismatch(edition=wanted, what=what, stored=stored, live=live)
        newest = names[-1]
        found = self.reopening(wanted)
        if found and not agreed(found):
            raise PagesReopened(edition=wanted, wider=found.wider, returned=found.returned)
        try:
            with self._pointing():
                serving = self.current()
                if self.names()[-1] != newest:  # published meanwhile: it may have narrowed what nobody was asked about
                    raise IndexBusy(lock=self.root / ".pointer.lock")
                if wanted != serving:
                    # First the note, then the deed: one without the other means nothing (see `gone_back_from`).
                    note = {"from": serving, "to": wanted}
                    write_whole(self.root / _ROLLED_BACK, json.dumps(note))
                    self._point_at(wanted)
        except OSError as error:
            raise PublishFailed(reason=error.strerror or str(error)) from error
        return wanted

    def gone_back_from(self) -> str | None:
        """The edition that a person went back from, while what they went back to serves."""
        try:
            note = json.loads((self.root / _ROLLED_BACK).read_text(encoding="utf-8"))
            return str(note["from"]) if note["to"] == self.current() else None
        except (OSError, ValueError, KeyError, TypeError, NoEdition):
            return None

    def held_back(self) -> dict[str, HeldSource]:
        """By name: sources that were not taken as they are when they were last read. Where no run has noted any yet: what the serving
        edition says."""
        noted = read_held_back(self.root / _HELD_BACK)
        if noted is not None:
            return noted
        try:
            return {name: HeldSource() for name in self.manifest(self.current()).held_back}
        except (NoEdition, BrokenEdition):
            return {}

    def note_held_back(self, held: Mapping[str, HeldSource]) -> None:
        """All that are held back now. The caller holds the indexing lock. Raises OSError."""
        write_held_back(self.root / _HELD_BACK, held)

    @contextmanager
    def _pointing(self) -> Iterator[None]:
        """Going back does not wait for an indexing run: it has a lock of its own, held for a moment."""
        try:
            with FileLock(self.root / ".pointer.lock", timeout=_POINTER_SECONDS):
                yield
        except Timeout as error:
            raise IndexBusy(lock=self.root / ".pointer.lock") from error

    def _point_at(self, name: str) -> None:
        """Make `name` the serving edition, atomically."""
        write_whole(self.root / _CURRENT, name + "\n")

    def _drop_old(self, current: str) -> None:
        for old in [n for n in self.names() if n != current][: -(self._keep - 1) or None]:
            shutil.rmtree(self.root / old, ignore_errors=True)

    def _next_time(self) -> dt.datetime:
        """Now, but later than every edition's: two may be made within a second, and clocks are set back."""
        now = dt.datetime.now(dt.UTC)
        with contextlib.suppress(IndexError, ValueError):
            newest = dt.datetime.strptime(self.names()[-1][:_TIME_LENGTH], NAMED_BY).replace(tzinfo=dt.UTC)
            return max(now, newest + dt.timedelta(seconds=1))
        return now

    def _clear_aside(self) -> None:
        """What a killed run left behind; the caller holds the indexing lock, so nobody is building now."""
        if self.root.is_dir():
            for left in self.root.glob(".building-*"):
                shutil.rmtree(left, ignore_errors=True)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
