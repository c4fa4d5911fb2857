"""LoRAs on disk: those of this data directory, and those that come with Saseo. Immutable, and there as a whole or not at all.

    <root>/<name>/lora.gguf, lora.safetensors, lora.json      as a finished tuning run leaves them (jobs/tuning/result.py)
    bot/loras/shipped/<name>/lora.gguf, lora.json

What begins with a dot is being put there or taken away; a crash may leave it, and the next change removes it.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import shutil
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

from filelock import FileLock

from bot.errors import BrokenLora, LoraKept, ShelfNotWritable, UnknownLora, WrongBase
from bot.models.hashing import sha256_of
from bot.writers.engine import LoraFile

SHIPPED = Path(__file__).parent / "shipped"
GGUF, CARD = "lora.gguf", "lora.json"
SAMPLES = "parity.json"
"""Of training (jobs/tuning/parity.py): examples as tokens, and so people's words."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LONGEST_BASE = 44
"""Characters of the base's name in a LoRA's, so that the whole fits into 64."""


@dataclass(frozen=True, slots=True)
class ShelvedLora:
    """One LoRA as its card says; the file itself is verified by `LoraShelf.get` alone."""

    name: str
    folder: Path
    card: Mapping[str, Any] = field(compare=False, repr=False)
    base_name: str
    base_sha256: str
    """Of the GGUF that it was tuned on."""
    prompt: str
    """Version of the prompt that it was tuned on."""
    sha256: str
    """Of `lora.gguf`."""
    shipped: bool

    @property
    def file(self) -> LoraFile:
        """What a writer is told to write with."""
        return LoraFile(self.name, self.folder / GGUF, self.sha256)

    @property
    def made_at(self) -> float:
        """When it was tuned, as its card says, or else when the card was written (seconds since the epoch)."""
        try:
            return datetime.fromisoformat(str(self.card["made"])).timestamp()
        except (KeyError, ValueError):
            return (self.folder / CARD).stat().st_mtime


class LoraShelf:
    """The LoRAs of one data directory. Safe for several processes."""

    def __init__(self, root: Path, shipped: Path = SHIPPED, zone: tzinfo | None = None) -> None:
        """`root` need not exist. `zone`: of the day in new names; None: this machine's."""
        self._root = root
        self._shipped = shipped
        self._zone = zone

    def every(self) -> list[ShelvedLora]:
        """Sorted by name; of two with one name ours hides the shipped one. What has no readable card is left out."""
        found: dict[str, ShelvedLora] = {}
        for place in (self._shipped, self._root):
            for folder in _folders(place):
                with suppress(BrokenLora):
                    found[folder.name] = self._read(folder)
        return [found[name] for name in sorted(found)]

    def card(self, name: str) -> ShelvedLora:
        """One of them; only its card is read. Raises `UnknownLora`, or `BrokenLora` when the card cannot be read."""
        for place in (self._root, self._shipped):
            if _NAME.fullmatch(name) and (place / name).is_dir():
                return self._read(place / name)
        close = difflib.get_close_matches(name, [one.name for one in self.every()], n=1, cutoff=0.5)
        raise UnknownLora(name=name, hint=f" (→ {close[0]}?)" if close else "")

    def get(self, name: str, base: str) -> ShelvedLora:
        """One that can be served: its bytes are those of the card, and it was made for this base (SHA-256 of the GGUF).

        Raises `UnknownLora`, `BrokenLora` or `WrongBase`. Reads the whole file.
        """
        found = self.card(name)
        if found.base_sha256 != base:
            reason = f"SHA-256 {found.base_sha256[:12]}… ≠ {base[:12]}…"
            raise WrongBase(name=name, base=found.base_name, reason=reason)
        self._verify(found)
        return found

    def shipped_for(self, base: str, prompt: str) -> str | None:
        """Name of the LoRA that comes with Saseo for exactly this base and prompt version."""
        for one in self.every():
            if one.shipped and (one.base_sha256, one.prompt) == (base, prompt):
                return one.name
        return None

    def take_in(self, result: Path, *, now: float | None = None, taken: Collection[str] = ()) -> ShelvedLora:
        """Copy a finished tuning run's result under a new name. The same bytes again are the same LoRA, whenever they come.

        `taken`: names of what was here once; they are neither given nor found again.
        Raises `BrokenLora` when the result is not whole, `ShelfNotWritable`.
        """
        whole = self._read(result)
        self._verify(whole)
        with self._alone():
            for known in self.every():
                same = (known.sha256, known.base_sha256, known.shipped) == (whole.sha256, whole.base_sha256, False)
                if same and known.name not in taken:
                    return known
            target = self._root / self._new_name(whole, time.time() if now is None else now, taken)
            fresh = self._root / f".new-{target.name}"
            fresh.mkdir(0o700)  # its samples are people's words
            for file in sorted(result.iterdir()):
                if file.is_file():
                    _copy(file, fresh / file.name)
            _sync(fresh)
            fresh.rename(target)
            _sync(self._root)
            return self._read(target)

    def forget_samples(self, name: str) -> None:
        """Remove what holds the words of its examples; nothing happens where there is none. Raises `ShelfNotWritable`."""
        if not _NAME.fullmatch(name) or not (self._root / name).is_dir():
            return
        with self._alone():
            (self._root / name / SAMPLES).unlink(missing_ok=True)

    def delete(self, name: str) -> None:
        """Remove its files; does nothing when they have gone. Raises `LoraKept` for one that comes with Saseo, `ShelfNotWritable`."""
        if not _NAME.fullmatch(name) or not (self._root / name).is_dir():
            if _NAME.fullmatch(name) and (self._shipped / name).is_dir():
                raise LoraKept(name=name)
            return
        with self._alone():
            gone = self._root / f".gone-{name}"
            (self._root / name).rename(gone)
            shutil.rmtree(gone, ignore_errors=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One change at a time; what a crash left of an earlier one is removed."""
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            with FileLock(self._root / ".lock"):
                for left in [*self._root.glob(".new-*"), *self._root.glob(".gone-*")]:
                    shutil.rmtree(left, ignore_errors=True)
                yield
        except OSError as error:
            raise ShelfNotWritable(path=self._root, reason=error.strerror or type(error).__name__) from error

    @staticmethod
    def _verify(lora: ShelvedLora) -> None:
        """Its bytes are those of its card."""
        try:
            seen = sha256_of(lora.folder / GGUF)
        except OSError as error:
            raise BrokenLora(name=lora.name, reason=f"{GGUF}: {error.strerror or type(error).__name__}") from error
        if seen != lora.sha256:
            raise BrokenLora(name=lora.name, reason=f"SHA-256 {seen[:12]}… ≠ {lora.sha256[:12]}…")

    def _new_name(self, lora: ShelvedLora, now: float, taken: Collection[str]) -> str:
        """Base, day and the beginning of its hash: as much of it as makes the name new."""
        base = re.sub(r"[^a-z0-9.-]+", "-", lora.base_name.lower()).strip("-.")[:_LONGEST_BASE] or "lora"
        day = datetime.fromtimestamp(now, self._zone).strftime("%Y%m%d")
        names = (f"{base}-{day}-{lora.sha256[:length]}" for length in range(4, 11))
        places = (self._root, self._shipped)
        return next(name for name in names if name not in taken and not any((at / name).exists() for at in places))

    def _read(self, folder: Path) -> ShelvedLora:
        try:
            card = json.loads((folder / CARD).read_text(encoding="utf-8"))
            base, files = card["base"], card["files"]
            texts = (base["name"], base["sha256"], card["prompt"], files[GGUF])
        except OSError as error:
            raise BrokenLora(name=folder.name, reason=f"{CARD}: {error.strerror or type(error).__name__}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise BrokenLora(name=folder.name, reason=f"{CARD}: {type(error).__name__} {error}") from error
        if not all(isinstance(text, str) for text in texts):
            raise BrokenLora(name=folder.name, reason=f"{CARD}: base, prompt, files")
        return ShelvedLora(folder.name, folder, card, *texts, shipped=folder.parent == self._shipped)


def _folders(place: Path) -> list[Path]:
    if not place.is_dir():
        return []
    return sorted(one for one in place.iterdir() if one.is_dir() and _NAME.fullmatch(one.name))


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    _sync(target)


def _sync(path: Path) -> None:
    """On the disk itself, so that the name never appears before what it names. A system that cannot do it for folders is left be."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return
    try:
        with suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)
