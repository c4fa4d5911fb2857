"""Which files of a backup's settings may lie beside `config.toml`: an archive may come from anybody, and the folder may be a home."""

from __future__ import annotations

import posixpath
import tomllib
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath

CONFIG = PurePosixPath("config.toml")
_OUTSIDE = "outside"
"""Where a backup keeps files that lay elsewhere (bot/backup/writing.py)."""
_KINDS = frozenset({".toml", ".json", ".jsonl", ".csv", ".tsv", ".txt", ".md"})
"""Files that settings name are of these; none of them is run by a shell or by Python."""


def placeable(folder: Path, outside: Collection[str]) -> list[PurePosixPath]:
    """`config.toml` in `folder`, what it names, and the files from elsewhere; sorted, relative to it. Empty without `config.toml`.

    `outside`: their members, as in `Manifest.outside`. Nothing begins with a dot: such files steer programs, say `.ssh/authorized_keys`.
    """
    if not (folder / CONFIG).is_file():
        return []
    written = set(_written(folder / CONFIG))
    found = {PurePosixPath(path.relative_to(folder).as_posix()) for path in folder.rglob("*") if path.is_file()}
    return sorted(name for name in found if name == CONFIG or (_plain(name) and _named(name, written, outside)))


def _plain(name: PurePosixPath) -> bool:
    return name.suffix.lower() in _KINDS and not any(part.startswith(".") for part in name.parts)


def _named(name: PurePosixPath, written: Collection[str], outside: Collection[str]) -> bool:
    if name.parts[0] == _OUTSIDE:
        return len(name.parts) == 2 and f"config/{name}" in outside
    return any(one == str(name) or (one.startswith("/") and one.endswith(f"/{name}")) for one in written)


def _written(config: Path) -> Iterator[str]:
    """The files that settings name (`Backups._named`), as they are written there."""
    try:
        value = tomllib.loads(config.read_text(encoding="utf-8-sig"))
    except ValueError:
        return
    search, index, tuning = (_table(value, name) for name in ("search", "index", "tuning"))
    sets = tuning.get("evaluation_sets")
    singles = (value.get("groups_file"), value.get("catalogue"), search.get("glossary"), index.get("regression_set"))
    for one in (*singles, *(sets if isinstance(sets, list) else ())):
        if isinstance(one, str) and one:
            yield posixpath.normpath(one)


def _table(value: dict[str, object], name: str) -> dict[str, object]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}
