"""Makes a backup: the store as it is at one moment, LoRAs, settings and what they name, while the service goes on.

Not in it: models and pages (they come again from where they came from), editions unless asked for (they are made of the pages), and no
secret: neither tokens, which are nowhere on disk, nor a password in an address, nor the key of the pseudonyms (`privacy.key`), which
must not lie beside the rows.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TypeAlias

from sqlalchemy import Connection, Engine

from bot.backup.archive import Manifest, Member, Table, Writing, member_of, safe
from bot.backup.shelf import FOLDER, BackupShelf, need_space
from bot.errors import BackupNotWritten
from bot.store import audit, dump, starting
from bot.store.database import Store
from bot.store.snapshot import snapshot
from knowledge.editions.files import whole

WEIGHTS = "search-weights.json"
CONFIG = "config/config.toml"
_PASSWORDS = (
    re.compile(r"(postgres[a-z0-9+]*://[^:/@\s\"']*):[^\s\"']*(?=@)"),  # it may hold an unescaped @ or /
    re.compile(r"([a-z0-9+]+://[^:/@\s\"']*):[^/\s\"']*(?=@)"),
    re.compile(r"([?&]password=)[^&\s\"']*"),
)
Told: TypeAlias = Callable[[str, int, int | None], None]
"""Step (`copy`, `store`, `files`, `seal`), done, of how many."""


@dataclass(frozen=True, slots=True)
class BackupParts:
    """What goes into a backup."""

    store: Store
    data_dir: Path
    config: Path | None
    """The file of settings; None: there is none, all are as they come."""
    named: tuple[Path, ...]
    """Files that the settings name."""
    edition: Path | None
    """Folder of the serving edition, where it shall go in."""
    clock: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Written:
    """A backup that is whole and on the disk."""

    path: Path
    bytes: int
    seal: str
    """SHA-256 over the file (bot/backup/archive.py)."""
    manifest: Manifest

    def as_json(self) -> dict[str, object]:
        """For scripts."""
        return {
            "path": str(self.path),
            "bytes": self.bytes,
            "sha256": self.seal,
            "made_at": self.manifest.made_at,
            "revision": self.manifest.revision,
            "rows": self.manifest.rows,
            "members": len(self.manifest.members),
            "edition": self.manifest.edition,
        }


def write(parts: BackupParts, to: Path, *, by: str, told: Told = lambda step, done, total: None) -> Written:
    """Make one at `to`, which is new or replaced as a whole. `by`: who asked, for the audit.

    Raises BackupBusy, NoSpace, BackupNotWritten, StoreError; then nothing is left of it, and what was at `to` is there as before.
    """
    scratch = BackupShelf(parts.data_dir / FOLDER)
    made_at = parts.clock()

    def contents(writing: Writing) -> Manifest:
        with parts.store.snapshot(scratch.folder, lambda done, total: told("copy", done, total)) as connection:
            manifest = _add_store(writing, connection, made_at, told)
        outside = _add_files(writing, parts, told)
        edition = parts.edition.name if parts.edition else ""
        return replace(manifest, members=dict(writing.members), edition=edition, outside=outside)

    with scratch.alone():
        try:
            to.parent.mkdir(parents=True, exist_ok=True)
            _check_space(parts, scratch.folder, to.parent)
            written = _write(to, made_at, contents, told)
        except OSError as error:
            raise BackupNotWritten(path=to, reason=error.strerror or type(error).__name__) from error
    manifest = written.manifest
    detail = {
        "bytes": written.bytes,
        "sha256": written.seal,
        "rows": manifest.rows,
        "revision": manifest.revision,
    }
    parts.store.run_now(audit.record, by=by, action="backup.make", subject=to.name, detail=detail, now=parts.clock())
    return written


def write_rows(engine: Engine, to: Path, now: float) -> Written:
    """The rows alone, of whatever revision the store is. Raises OSError and what SQLAlchemy raises."""

    def contents(writing: Writing) -> Manifest:
        with snapshot(engine, to.parent) as connection:
            return _add_store(writing, connection, now, lambda step, done, total: None)

    to.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return _write(to, now, contents, lambda step, done, total: None)


def program() -> str:
    """Version of Saseo."""
    try:
        return version("saseo")
    except PackageNotFoundError:  # a checkout that was not installed
        return "0"


def _write(to: Path, made_at: float, contents: Callable[[Writing], Manifest], told: Told) -> Written:
    """Whole under its name, or not there. Raises OSError."""
    with whole(to) as unfinished, unfinished.open("r+b") as file:
        writing = Writing(file, made_at)
        try:
            manifest = contents(writing)
            seal = writing.finish(manifest, lambda done, total: told("seal", done, total))
        except BaseException:
            writing.give_up()
            raise
        size = file.seek(0, os.SEEK_END)
    return Written(to, size, seal, manifest)


def _add_store(writing: Writing, connection: Connection, made_at: float, told: Told) -> Manifest:
    """Every row; a manifest of nothing else."""
    shapes = dump.shapes(connection)
    total = sum(dump.count(connection, shape) for shape in shapes)
    done, tables = 0, {}

    def pieces(shape: dump.Shape) -> Iterator[bytes]:
        nonlocal done
        for rows, lines in dump.lines(connection, shape):
            yield lines
            done += rows
            told("store", done, total)

    for shape in shapes:
        before = done
        writing.add(member_of(shape.table), pieces(shape))
        tables[shape.table] = Table(done - before, shape.columns)
    head = audit.START
    if "audit" in tables:
        head = connection.exec_driver_sql("SELECT hash FROM audit ORDER BY id DESC LIMIT 1").scalar() or head
    return Manifest(
        made_at=made_at,
        program=program(),
        revision=starting.revision(connection),
        database=connection.dialect.name,
        tables=tables,
        members=dict(writing.members),
        audit=head,
    )


def _add_files(writing: Writing, parts: BackupParts, told: Told) -> dict[str, str]:
    """Everything beside the store; which files of the configuration lay outside its folder."""
    done = 0

    def add(name: str, add_one: Callable[[], Member]) -> None:
        nonlocal done
        done += add_one().bytes
        told("files", done, None)

    weights = parts.data_dir / WEIGHTS
    if weights.is_file():
        add(WEIGHTS, lambda: writing.add_file(WEIGHTS, weights))
    for folder in _folders(parts.data_dir / "loras"):
        _add_lora(writing, folder, add)
    outside: dict[str, str] = {}
    if parts.config is not None:
        text = without_passwords(parts.config.read_text(encoding="utf-8-sig")).encode()
        add(CONFIG, lambda: writing.add(CONFIG, [text]))
        for number, path in enumerate(sorted(set(parts.named)), 1):
            if not path.is_file() or path.resolve() == parts.config.resolve():
                continue
            name = _config_name(path, parts.config.parent, number)
            if name.startswith("config/outside/"):
                outside[name] = str(path)
            add(name, lambda name=name, path=path: writing.add_file(name, path))  # type: ignore[misc]
    if parts.edition is not None:
        for path in sorted(path for path in parts.edition.rglob("*") if path.is_file() and not path.is_symlink()):
            name = f"editions/{parts.edition.name}/{path.relative_to(parts.edition).as_posix()}"
            add(name, lambda name=name, path=path: writing.add_file(name, path))  # type: ignore[misc]
    return outside


def _add_lora(writing: Writing, folder: Path, add: Callable[[str, Callable[[], Member]], None]) -> None:
    """All files of one, or none where it is being deleted: what is open stays readable."""
    with ExitStack() as stack:
        try:
            files = [
                (f"loras/{folder.name}/{path.name}", stack.enter_context(path.open("rb")))
                for path in sorted(folder.iterdir())
                if path.is_file() and not path.is_symlink() and safe(f"loras/{folder.name}/{path.name}")
            ]
        except FileNotFoundError:
            if folder.exists():
                raise
            return
        for name, file in files:
            pieces = iter(lambda file=file: file.read(1 << 20), b"")  # type: ignore[misc]
            add(name, lambda name=name, pieces=pieces: writing.add(name, pieces))  # type: ignore[misc]


def _folders(place: Path) -> list[Path]:
    """LoRAs; what begins with a dot comes or goes."""
    if not place.is_dir():
        return []
    return sorted(one for one in place.iterdir() if one.is_dir() and not one.name.startswith("."))


def _config_name(path: Path, folder: Path, number: int) -> str:
    """Beside `config.toml` as it lies beside it now; what lies elsewhere under `outside/`."""
    inside = Path(os.path.abspath(path))
    if inside.is_relative_to(os.path.abspath(folder)):
        name = f"config/{inside.relative_to(os.path.abspath(folder)).as_posix()}"
        if safe(name):
            return name
    plain = re.sub(r"[^\w.-]", "_", path.name)
    return f"config/outside/{number}-{plain}"


def without_passwords(text: str) -> str:
    """Addresses in it without their passwords: who restores gives them by the environment again."""
    for password in _PASSWORDS:
        text = password.sub(r"\1", text)
    return text


def _check_space(parts: BackupParts, scratch: Path, target: Path) -> None:
    """Raises NoSpace before anything is written. Generous: rows get smaller in an archive, numbers hardly do."""
    store = parts.store.file.stat().st_size if parts.store.file is not None else 0
    files = sum(
        path.stat().st_size
        for folder in (*_folders(parts.data_dir / "loras"), *([parts.edition] if parts.edition else []))
        for path in folder.rglob("*")
        if path.is_file()
    )
    need_space((scratch, store), (target, store // 2 + files))
