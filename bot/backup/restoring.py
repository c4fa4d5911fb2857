"""Restores a backup: every checksum first, then everything new aside, then in its place; what was there is kept aside.

The rows may come from the other database, and from an older program: they are put into tables of their own revision, which are then
brought up to date. Who was erased since the backup was made is erased from it before anybody can see it.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from bot.backup.archive import Manifest, Reading, member_of, opened, verify
from bot.backup.settings_files import placeable
from bot.backup.shelf import need_space
from bot.backup.targets import PostgresqlTarget, SqliteTarget, Target
from bot.backup.writing import WEIGHTS, Told
from bot.errors import BackupDamaged, BackupTooNew, RestoreFailed, StoreError
from bot.store import audit, dump, privacy, starting
from bot.store.database import Store, address_of, file_of, open_store
from bot.store.snapshot import NO_LIMITS
from knowledge.editions.files import fsync

_CURRENT = "current"
"""Names the serving edition (knowledge/editions/shelf.py)."""
_ROWS = "store/"
"""Below it an archive has the store's rows (bot/backup/archive.py)."""


@dataclass(frozen=True, slots=True)
class RestoreParts:
    """Where a backup is restored to."""

    url: str
    """Of `[store]`; empty: a file in the data directory."""
    data_dir: Path
    config: Path | None
    """The file of settings in use, which stays as it is; None: there is none."""
    config_folder: Path
    """Where the backup's settings go when none are in use."""
    erase_again: Callable[[Store], int]
    """Erase who was erased after the backup was made; how many."""
    clock: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done."""

    manifest: Manifest
    where: str
    """The store."""
    aside: tuple[str, ...]
    """Where what was there is kept."""
    config: Path | None
    """Where the backup's settings are; None: it has none."""
    config_used: bool
    """They are the settings in use now."""
    config_left: Path | None
    """Where those of its files are that are not put beside settings in use (bot/backup/settings_files.py); None: there are none."""
    erased: int

    def as_json(self) -> dict[str, object]:
        """For scripts."""
        return {
            "made_at": self.manifest.made_at,
            "program": self.manifest.program,
            "revision": self.manifest.revision,
            "rows": self.manifest.rows,
            "store": self.where,
            "aside": list(self.aside),
            "config": str(self.config) if self.config else None,
            "config_used": self.config_used,
            "config_left": str(self.config_left) if self.config_left else None,
            "edition": self.manifest.edition,
            "erased": self.erased,
        }


def restore(
    path: Path, parts: RestoreParts, *, by: str, sure: Callable[[Manifest, bool], None], told: Told
) -> Restored:
    """Restore the backup at `path`. `sure` is told what it is and whether it replaces something, and raises if that is not wanted.

    Raises NoBackup, BackupDamaged, BackupUnsafe, BackupTooNew, NoSpace, StoreError, RestoreRefused, RestoreFailed: everything is then as
    it was.
    """
    from bot.store.migrations import upgrading  # it loads alembic

    with opened(path, lambda done, total: told("seal", done, total)) as archive:
        manifest = archive.manifest
        if not upgrading.known(manifest.revision):
            raise BackupTooNew(path=path, version=manifest.program)
        verify(archive, lambda done, total: told("check", done, total))
        with _explained(path):
            parts.data_dir.mkdir(parents=True, exist_ok=True)
            stamp = _unused_stamp(parts.data_dir, parts.clock())
            with tempfile.TemporaryDirectory(prefix=".restoring-", dir=parts.data_dir) as folder:
                staging = Path(folder)
                with _target(parts, stamp) as target:
                    for left in set(parts.data_dir.glob(".restoring-*")) - {staging}:  # of a restore that was killed
                        shutil.rmtree(left, ignore_errors=True)
                    sure(manifest, target.taken)
                    _check_space(parts.data_dir, target.folder, manifest)
                    return _restore(archive, parts, target, staging, stamp, by, told)


def _unused_stamp(data_dir: Path, now: float) -> str:
    """The moment, or the next second after it whose name no killed restore has left things under."""
    while (data_dir / _aside(stamp := time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now)))).exists():
        now += 1
    return stamp


def _aside(stamp: str) -> str:
    return f"before-restore-{stamp}"


def _target(parts: RestoreParts, stamp: str) -> Target:
    """Raises StoreError for what cannot be a store, and for one in memory."""
    address = address_of(parts.url, parts.data_dir)
    if address.get_backend_name() == "postgresql":
        return PostgresqlTarget(parts.url, f"saseo_restoring_{stamp.lower()}_{os.getpid()}")
    file = file_of(address)
    if file is None:
        raise StoreError(where=address.render_as_string(hide_password=True), reason="only in memory")
    return SqliteTarget(file)


def _restore(
    archive: Reading, parts: RestoreParts, target: Target, staging: Path, stamp: str, by: str, told: Told
) -> Restored:
    manifest = archive.manifest
    _unpack(archive, staging, told)
    engine = target.engine()
    try:
        _fill(engine, archive, target.buried(), told)
    finally:
        engine.dispose()
    store = open_store(target.url, staging)
    try:
        erased = parts.erase_again(store)
        detail = {"made_at": manifest.made_at, "revision": manifest.revision, "rows": manifest.rows, "erased": erased}
        store.run_now(
            audit.record, by=by, action="backup.restore", subject=archive.path.name, detail=detail, now=parts.clock()
        )
    finally:
        store.close()
    aside = _aside(stamp)
    with _moving() as moves:
        _move_files(parts.data_dir, staging, manifest, aside, moves)
        config, used, left = _place_config(parts, staging, manifest, stamp, moves)
        kept = target.put(aside)  # the last step, and the only one that cannot be taken back
    folder = parts.data_dir / aside
    return Restored(
        manifest,
        target.where,
        tuple(one for one in (kept, str(folder) if folder.is_dir() else "") if one),
        config,
        used,
        left,
        erased,
    )


def _fill(engine: Engine, archive: Reading, buried: Mapping[str, float], told: Told) -> None:
    """All rows into tables of their own revision, then those up to date, in one transaction."""
    from bot.store.migrations import upgrading

    with engine.connect() as connection:
        raw = connection.connection.driver_connection
        if isinstance(raw, sqlite3.Connection):
            raw.isolation_level = None
            for pragma in ("foreign_keys=OFF", "journal_mode=OFF", "synchronous=OFF"):
                raw.execute(f"PRAGMA {pragma}")
        with connection.begin():
            for statement in ("BEGIN",) if isinstance(raw, sqlite3.Connection) else NO_LIMITS:
                connection.exec_driver_sql(statement)
            upgrading.upgrade(connection, archive.manifest.revision)
            _load(connection, archive, told)
            starting.upgrade(connection)
            dump.count_on(connection)
            for person, at in buried.items():
                privacy.bury(connection, person, now=at)
            if isinstance(raw, sqlite3.Connection):
                broken = raw.execute("PRAGMA foreign_key_check").fetchone()
                if broken is not None:
                    raise BackupDamaged(path=archive.path, part=member_of(broken[0]))


def _load(connection: Connection, archive: Reading, told: Told) -> None:
    total, done = archive.manifest.rows, 0
    here = {shape.table: dict(shape.columns) for shape in dump.shapes(connection)}
    for name, table in archive.manifest.tables.items():
        member = member_of(name)
        columns = cast(tuple[tuple[str, dump.Kind], ...], table.columns)
        if member not in archive.manifest.members or not set(columns) <= set(here.get(name, {}).items()):
            raise BackupDamaged(path=archive.path, part=member)
        before = done
        try:
            for rows in dump.load(connection, dump.Shape(name, columns), archive.lines(member)):
                done += rows
                told("store", done, total)
        except ValueError as error:
            raise BackupDamaged(path=archive.path, part=member) from error
        if done - before != table.rows:
            raise BackupDamaged(path=archive.path, part=member)


def _unpack(archive: Reading, staging: Path, told: Told) -> None:
    """Everything but the rows, as it lies in the archive, whose names were checked."""
    done, wanted = 0, [name for name in archive.manifest.members if not name.startswith(_ROWS)]
    total = sum(archive.manifest.members[name].bytes for name in wanted)
    for name in wanted:
        path = staging / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            for piece in archive.pieces(name):
                file.write(piece)
                done += len(piece)
                told("files", done, total)
            file.flush()
            os.fsync(file.fileno())


class _Moves:
    """Renames that can be taken back."""

    def __init__(self) -> None:
        self._done: list[tuple[Path, Path]] = []
        self._made: list[Path] = []

    def copy(self, source: Path, target: Path) -> None:
        """A file that is not there yet."""
        target.parent.mkdir(parents=True, exist_ok=True)
        self._made.append(target)
        shutil.copyfile(source, target)
        target.chmod(0o600)

    def move(self, source: Path, target: Path) -> None:
        """Does nothing where there is no `source`."""
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            source.rename(target)
            self._done.append((source, target))

    def back(self) -> None:
        """In reverse."""
        for path in self._made:
            path.unlink(missing_ok=True)
        while self._done:
            source, target = self._done.pop()
            target.rename(source)


@contextmanager
def _moving() -> Iterator[_Moves]:
    moves = _Moves()
    try:
        yield moves
    except BaseException:
        moves.back()
        raise


def _move_files(data_dir: Path, staging: Path, manifest: Manifest, aside: str, moves: _Moves) -> None:
    # Rows alone, as an update keeps them (bot/backup/writing.py), say nothing of the files that lie here: those stay.
    if not all(name.startswith(_ROWS) for name in manifest.members):
        for name in ("loras", WEIGHTS):
            moves.move(data_dir / name, data_dir / aside / name)
            moves.move(staging / name, data_dir / name)
    if manifest.edition:
        editions = data_dir / "editions"
        if not (editions / manifest.edition).exists():
            moves.move(staging / "editions" / manifest.edition, editions / manifest.edition)
        pointer = staging / _CURRENT
        pointer.write_text(manifest.edition + "\n", encoding="utf-8")
        moves.move(editions / _CURRENT, data_dir / aside / "editions" / _CURRENT)
        moves.move(pointer, editions / _CURRENT)
    with suppress(OSError):  # some network file systems cannot
        fsync(data_dir)


def _place_config(
    parts: RestoreParts, staging: Path, manifest: Manifest, stamp: str, moves: _Moves
) -> tuple[Path | None, bool, Path | None]:
    """Where the backup's settings are now, whether they are those in use, and where the rest of their files is.

    In use only where there are none, and then only what may lie beside them; nothing is overwritten.
    """
    source = staging / "config"
    if not source.is_dir():
        return None, False, None
    every = {path.relative_to(source) for path in source.rglob("*") if path.is_file()}
    beside = {Path(name) for name in placeable(source, manifest.outside)}
    used = bool(beside) and parts.config is None and not any((parts.config_folder / name).exists() for name in beside)
    aside = parts.data_dir / f"restored-config-{stamp}"
    for name in sorted(every):
        moves.copy(source / name, (parts.config_folder if used and name in beside else aside) / name)
    return (parts.config_folder if used else aside), used, (aside if used and every - beside else None)


def _check_space(data_dir: Path, store: Path | None, manifest: Manifest) -> None:
    """Rows need about as much in a database as in their lines, and half as much again for its indexes. Raises NoSpace."""
    rows = sum(one.bytes for name, one in manifest.members.items() if name.startswith(_ROWS))
    wanted = [(data_dir, manifest.unpacked - rows)]
    if store is not None:
        wanted.append((store, rows + rows // 2))
    need_space(*wanted)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """What a disk or a database says as one sentence."""
    try:
        yield
    except (OSError, SQLAlchemyError, sqlite3.Error, ImportError) as error:
        cause = getattr(error, "orig", None) or error
        reason = getattr(cause, "strerror", None) or f"{type(cause).__name__}: {str(cause).partition(chr(10))[0]}"
        raise RestoreFailed(path=path, reason=str(reason)[:300]) from error
