"""One LoRA → what other programs read, there as a whole or not at all, its card beside it."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bot.errors import BrokenModel, NotEnoughDisk, NotExported
from bot.loras.base_weights import BaseWeights
from bot.loras.gguf_reader import read_lora
from bot.loras.gguf_tensors import GgufTensors
from bot.models.hashing import Progress, silent, size_of
from bot.writers.gguf_file import BadGguf
from jobs.export.merged_gguf import Numbers, merged_size, write_merged
from jobs.export.peft_folder import write_peft

_MERGED: dict[str, Numbers] = {"gguf-f16": "f16", "gguf-q8_0": "q8_0"}
_PEFT = "peft"
FORMATS = (*_MERGED, _PEFT)
"""What `export` writes: a merged GGUF file in two precisions, or a PEFT folder."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written."""

    lora: str
    format: str
    path: Path
    bytes: int
    card: Path | None

    def as_json(self) -> dict[str, object]:
        """For scripts."""
        card = None if self.card is None else str(self.card)
        return {"lora": self.lora, "format": self.format, "path": str(self.path), "bytes": self.bytes, "card": card}


@dataclass(frozen=True, slots=True)
class LoraSource:
    """Where the LoRA is, and what it belongs to."""

    name: str
    """As people call it."""
    lora: Path
    """`lora.gguf`."""
    base: Path
    """The base's GGUF."""
    base_name: str
    """How others know the base: goes into the PEFT folder, so no path of this machine."""
    card: Path | None = None
    """`lora.json`."""


def export(source: LoraSource, kind: str, out: Path, progress: Progress = silent) -> Exported:
    """Write `out`: a file for `gguf-…`, a folder for `peft`. What stands there already is never touched.

    The card goes into the folder, or beside `faq.gguf` as `faq.lora.json`. `progress` hears `merge` with bytes.
    Raises `NotExported`, `NotEnoughDisk`, `BrokenModel` (the base) or another `LoraError`.
    """
    if kind not in FORMATS:
        raise NotExported(name=source.name, path=out, reason=f"'{kind}'; {', '.join(FORMATS)}")
    card = None if source.card is None else _card_place(out, kind)
    for place in filter(None, (out, card)):
        if place.exists():
            raise NotExported(name=source.name, path=place, reason="it exists already")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=".exporting-") as folder:
            fresh = Path(folder, out.name)
            _write(source, kind, fresh, progress)
            if source.card is not None:
                copy = Path(shutil.copyfile(source.card, _card_place(fresh, kind)))
                if card is not None and card.parent == out.parent:
                    copy.replace(card)
            fresh.rename(out)
    except OSError as error:
        raise NotExported(name=source.name, path=out, reason=error.strerror or str(error)) from error
    return Exported(source.name, kind, out, size_of(out), card)


def _card_place(out: Path, kind: str) -> Path:
    return out / "lora.json" if kind == _PEFT else out.with_name(out.stem + ".lora.json")


def _write(source: LoraSource, kind: str, fresh: Path, progress: Progress) -> None:
    base = BaseWeights.read(source.base)
    lora = read_lora(source.lora, base)
    if kind == _PEFT:
        write_peft(fresh, lora, base, source.base_name)
        return
    try:
        with GgufTensors(source.base) as tensors:
            needed, free = merged_size(tensors, _MERGED[kind]), shutil.disk_usage(fresh.parent).free
            if free < needed:
                raise NotEnoughDisk(
                    name=source.name, needed_mb=needed >> 20, free_mb=free >> 20, path=fresh.parent.parent
                )
            write_merged(fresh, source.base, tensors, lora, _MERGED[kind], progress)
    except BadGguf as error:
        raise BrokenModel(name=source.base.stem, reason=str(error)) from error
