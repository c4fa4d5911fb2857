"""People's words in files of the data directory: where they may lie, finding them there, and taking them away.

Looked through: folders of job runs, what the gate keeps, samples beside LoRAs, exports, logs. Not looked through: editions and caches
(pages), models and weights, and backups, which expire by their own rule.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from knowledge.editions.files import sha256 as sha256

PLACES = ("jobs", "tuning/answers", "tuning/verdicts", "loras", "exports", "logs")
"""Under the data directory."""
EXPORTS = "exports"
ASIDE = "before-restore-*"
"""Folders of what a restore put aside (bot/backup/restoring.py)."""
_WEIGHTS = frozenset({".gguf", ".safetensors", ".bin", ".npy", ".pt"})
_LEAST = 8
"""Bytes of a text that is searched for; anything shorter stands everywhere by chance."""
_PIECE = 1 << 20


@dataclass(slots=True)
class Cleared:
    """What became of files. Paths are relative to the data directory."""

    deleted: dict[str, str] = field(default_factory=dict)
    """Path → SHA-256 of what it held."""
    left: list[str] = field(default_factory=list)
    """Held by a running job: they go with its end, or the next night."""


def needles(texts: Collection[str]) -> tuple[bytes, ...]:
    """As they stand in files: in UTF-8, and escaped as JSON does by default. Short ones are left out."""
    found: set[bytes] = set()
    for text in texts:
        if len(text.strip().encode("utf-8", "replace")) < _LEAST:
            continue
        for written in (text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]):
            found.add(written.encode("utf-8", "replace"))
    return tuple(sorted(found))


def holding(data_dir: Path, wanted: Collection[bytes]) -> Iterator[Path]:
    """Files that hold any of these."""
    if wanted:
        yield from (path for path in _files(data_dir) if _holds(path, wanted))


def clear(data_dir: Path, wanted: Collection[bytes], *, running: Collection[str]) -> Cleared:
    """Delete every such file but those of job runs that are at work. `running`: their ids."""
    done = Cleared()
    for path in list(holding(data_dir, wanted)):
        name = path.relative_to(data_dir).as_posix()
        if any(name.startswith(f"jobs/{run}/") for run in running):
            done.left.append(name)
        else:
            delete(data_dir, path, done)
    return done


def asides(data_dir: Path, store_file: Path | None) -> list[Path]:
    """Folders of what restores put aside: in the data directory, and beside a SQLite file that lies elsewhere. Sorted."""
    parents = {data_dir.resolve()} | ({store_file.resolve().parent} if store_file is not None else set())
    return sorted(path for parent in parents for path in parent.glob(ASIDE) if path.is_dir())


def asides_holding(data_dir: Path, store_file: Path | None, names: Collection[bytes]) -> set[str]:
    """Names of those folders in which somebody of these `names` is."""
    return {
        folder.name
        for folder in asides(data_dir, store_file)
        if any(_holds(path, names) for path in sorted(folder.rglob("*")) if path.is_file())
    }


def clear_asides(data_dir: Path, store_file: Path | None, wanted: Collection[str], done: Cleared) -> None:
    """What these restores put aside goes whole, by the name of its folders: it serves nobody any more."""
    for folder in asides(data_dir, store_file):
        if folder.name in wanted:
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    done.deleted[shown(data_dir, path)] = sha256(path)
            remove_folder(folder)


def shown(data_dir: Path, path: Path) -> str:
    """As reports name it: below the data directory from there, elsewhere whole."""
    full, root = path.resolve(), data_dir.resolve()
    return full.relative_to(root).as_posix() if full.is_relative_to(root) else str(full)


def delete(data_dir: Path, path: Path, done: Cleared) -> None:
    """One file; its hash goes into the report."""
    name = shown(data_dir, path)
    try:
        done.deleted[name] = sha256(path)
        path.unlink()
    except OSError:
        done.deleted.pop(name, None)
        done.left.append(name)


def remove_folder(folder: Path) -> None:
    """With all that is in it, if it is there."""
    shutil.rmtree(folder, ignore_errors=True)


def _holds(path: Path, wanted: Collection[bytes]) -> bool:
    """Whether any of these bytes stands in the file; not, if it went meanwhile."""
    longest = max(len(one) for one in wanted)
    try:
        with path.open("rb") as file:
            before = b""
            while piece := file.read(_PIECE):
                window = before + piece
                if any(one in window for one in wanted):
                    return True
                before = window[-longest:]
    except OSError:
        pass
    return False


def _files(data_dir: Path) -> Iterator[Path]:
    for place in PLACES:
        for path in sorted((data_dir / place).rglob("*")):
            if path.is_file() and not path.is_symlink() and path.suffix not in _WEIGHTS:
                yield path
