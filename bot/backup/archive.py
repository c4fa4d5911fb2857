"""The archive: a zip of named members, their SHA-256 in `manifest.json`, and a seal over the whole file.

The seal is the zip's comment, its very last bytes: SHA-256 of all that stands before its 64 hexadecimal digits. So whatever is flipped
or cut off shows before anything is unpacked, also where a zip keeps no checksum of its own; and any program opens the file. What is
read is not trusted: a member must be named in the manifest, by a plain relative name, and be a file of exactly the size given there.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import time
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any, TypeAlias

from bot.errors import BackupDamaged, BackupMissing, BackupTooNew, BackupUnsafe, NoBackup

FORMAT = 1
MANIFEST = "manifest.json"
_SEAL = b"Saseo backup, SHA-256 "
_DIGITS = 64
_LARGEST_MANIFEST = 64 << 20
_PIECE = 1 << 20
_LEVEL = 1
"""Of deflate: the rows of a store get to a fifth of their size, and higher levels cost much more time than they save space."""
_STORED = frozenset({".gguf", ".safetensors", ".npy", ".faiss"})
"""Numbers, which deflate hardly makes smaller."""
Told: TypeAlias = Callable[[int, int], None]
"""Done, of how many."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file inside."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the store; its rows stand in `store/NAME.jsonl` (bot/store/dump.py)."""

    rows: int
    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the archive says of itself."""

    made_at: float
    """Of the moment whose rows it holds, in seconds since the epoch."""
    program: str
    """Version of Saseo."""
    revision: str
    """Of the store's tables."""
    database: str
    """`sqlite` or `postgresql`: where the rows came from."""
    tables: Mapping[str, Table]
    """What others refer to comes first."""
    members: Mapping[str, Member]
    edition: str = ""
    """The serving edition's name, where it is in here."""
    outside: Mapping[str, str] = field(default_factory=dict)
    """Member of `config/outside/` → where that file lay, since it lay outside the configuration's folder."""
    audit: str = ""
    """Hash of the newest row of the audit: proves later that nothing before it was changed."""
    format: int = FORMAT

    @property
    def unpacked(self) -> int:
        """Bytes of all members."""
        return sum(one.bytes for one in self.members.values())

    @property
    def rows(self) -> int:
        """Of all tables."""
        return sum(one.rows for one in self.tables.values())

    def encoded(self) -> bytes:
        """As it is written."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1).encode()


def member_of(table: str) -> str:
    """Where a table's rows stand."""
    return f"store/{table}.jsonl"


class Writing:
    """An archive on its way into `file`, which is new, open for reading and writing, and closed by the caller."""

    def __init__(self, file: IO[bytes], made_at: float) -> None:
        self._file = file
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, allowZip64=True)
        self._date = time.gmtime(max(made_at, 315_532_800.0))[:6]  # a zip knows no year before 1980
        self.members: dict[str, Member] = {}

    def add(self, name: str, pieces: Iterable[bytes]) -> Member:
        """A member of these pieces. `name` is a safe one."""
        if not safe(name):
            raise ValueError(f"no name for a member: {name!r}")
        info = zipfile.ZipInfo(name, self._date)
        info.external_attr = (stat.S_IFREG | 0o600) << 16
        info.compress_type = zipfile.ZIP_STORED if PurePosixPath(name).suffix in _STORED else zipfile.ZIP_DEFLATED
        info._compresslevel = _LEVEL  # type: ignore[attr-defined]  # as ZipFile.writestr does
        size, digest = 0, hashlib.sha256()
        with self._zip.open(info, "w", force_zip64=True) as member:
            for piece in pieces:
                member.write(piece)
                digest.update(piece)
                size += len(piece)
        self.members[name] = Member(size, digest.hexdigest())
        return self.members[name]

    def add_file(self, name: str, path: Path) -> Member:
        """A copy of a file. Raises OSError."""
        with path.open("rb") as reading:
            return self.add(name, iter(lambda: reading.read(_PIECE), b""))

    def finish(self, manifest: Manifest, told: Told) -> str:
        """Write the manifest and the seal; the seal. Everything is on the disk then."""
        self.add(MANIFEST, [manifest.encoded()])
        self._zip.comment = _SEAL + b"0" * _DIGITS
        self._zip.close()
        end = self._file.seek(0, os.SEEK_END) - _DIGITS
        seal = _digest(self._file, end, told)
        self._file.seek(end)
        self._file.write(seal.encode())
        self._file.flush()
        os.fsync(self._file.fileno())
        return seal

    def give_up(self) -> None:
        """Leave it unfinished; the file is of no use."""
        with suppress(OSError, ValueError):
            self._zip.close()


class Reading:
    """A sound archive, opened; see `opened`."""

    def __init__(self, path: Path, archive: zipfile.ZipFile, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest
        self._zip = archive

    def pieces(self, name: str) -> Iterator[bytes]:
        """A member's bytes. Raises BackupDamaged at their end when they are not those of the manifest."""
        wanted = self.manifest.members[name]
        size, digest = 0, hashlib.sha256()
        try:
            with self._zip.open(name) as member:
                while piece := member.read(min(_PIECE, wanted.bytes - size + 1)):
                    size += len(piece)
                    digest.update(piece)
                    if size > wanted.bytes:
                        break
                    yield piece
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
            raise BackupDamaged(path=self.path, part=name) from error
        if (size, digest.hexdigest()) != (wanted.bytes, wanted.sha256):
            raise BackupDamaged(path=self.path, part=name)

    def lines(self, name: str) -> Iterator[bytes]:
        """A member's lines, without their ends. Raises BackupDamaged as `pieces` does."""
        rest = b""
        for piece in self.pieces(name):
            *whole, rest = (rest + piece).split(b"\n")
            yield from whole
        if rest:
            yield rest

    def names(self, folder: str) -> list[str]:
        """Members below a folder, sorted."""
        return sorted(name for name in self.manifest.members if name.startswith(f"{folder}/"))


@contextmanager
def opened(path: Path, told: Told = lambda done, total: None) -> Iterator[Reading]:
    """An archive whose seal is whole and whose members are all as its manifest says; their own sums are checked by `verify`.

    `told`: bytes read for the seal. Raises NoBackup, BackupDamaged, BackupUnsafe, BackupTooNew.
    """
    with ExitStack() as stack:
        with _explained(path):
            file = stack.enter_context(path.open("rb"))
            end = _end(path, file)
            if file.read(_DIGITS).decode("ascii", "replace") != _digest(file, end, told):
                raise BackupDamaged(path=path, part="")
            reading = _reading(path, stack.enter_context(zipfile.ZipFile(file)))
        yield reading


def glance(path: Path) -> Manifest:
    """What an archive says of itself; nothing is checked but that it is complete. Raises as `opened` does."""
    with _explained(path), path.open("rb") as file:
        _end(path, file)
        with zipfile.ZipFile(file) as archive:
            return _reading(path, archive).manifest


def verify(archive: Reading, told: Told = lambda done, total: None) -> None:
    """Read every member and compare its size and sum. `told`: bytes. Raises BackupDamaged."""
    done = 0
    for name in archive.manifest.members:
        for piece in archive.pieces(name):
            done += len(piece)
            told(done, archive.manifest.unpacked)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, UnicodeError) as error:
        raise BackupDamaged(path=path, part="") from error
    except FileNotFoundError as error:
        raise BackupMissing(path=path) from error
    except OSError as error:
        raise NoBackup(path=path) from error


def _end(path: Path, file: IO[bytes]) -> int:
    """Where what is sealed ends; the file stands there then. Raises NoBackup, BackupDamaged."""
    if file.read(4) != b"PK\x03\x04":
        raise NoBackup(path=path)
    end = file.seek(0, os.SEEK_END) - _DIGITS
    file.seek(max(end - len(_SEAL), 0))
    if file.read(len(_SEAL)) != _SEAL:
        raise BackupDamaged(path=path, part="")
    return end


def _reading(path: Path, archive: zipfile.ZipFile) -> Reading:
    infos = {info.filename: info for info in archive.infolist()}
    found = infos.get(MANIFEST)
    if found is None or found.file_size > _LARGEST_MANIFEST:
        raise NoBackup(path=path)
    with archive.open(found) as member:
        manifest = _read(path, member.read(_LARGEST_MANIFEST))
    if len(infos) != len(archive.infolist()):  # one name twice: programs do not agree on which of them counts
        raise BackupUnsafe(path=path, part=_twice(archive.namelist()))
    for name, info in infos.items():
        kind = info.external_attr >> 16
        plain = info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) and not info.flag_bits & 1
        if not safe(name) or not plain or stat.S_IFMT(kind) not in (0, stat.S_IFREG):
            raise BackupUnsafe(path=path, part=name)
        if name != MANIFEST and name not in manifest.members:
            raise BackupUnsafe(path=path, part=name)
    for name, wanted in manifest.members.items():
        if name not in infos or infos[name].file_size != wanted.bytes:
            raise BackupDamaged(path=path, part=name)
    return Reading(path, archive, manifest)


def _read(path: Path, text: bytes) -> Manifest:
    try:
        value: dict[str, Any] = json.loads(text)
        if int(value["format"]) > FORMAT:
            raise BackupTooNew(path=path, version=str(value.get("program", "?"))[:32])
        tables = {
            str(name): Table(int(one["rows"]), tuple((str(column), str(kind)) for column, kind in one["columns"]))
            for name, one in value["tables"].items()
        }
        members = {str(name): Member(int(one["bytes"]), str(one["sha256"])) for name, one in value["members"].items()}
        edition = str(value.get("edition", ""))
        if edition and ("/" in edition or not safe(f"editions/{edition}/x")):  # it becomes a path: one plain folder
            raise BackupUnsafe(path=path, part=edition[:64])
        return Manifest(
            made_at=float(value["made_at"]),
            program=str(value["program"]),
            revision=str(value["revision"]),
            database=str(value["database"]),
            tables=tables,
            members=members,
            edition=edition,
            outside={str(name): str(place) for name, place in dict(value.get("outside", {})).items()},
            audit=str(value.get("audit", "")),
            format=int(value["format"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupDamaged(path=path, part=MANIFEST) from error


def safe(name: str) -> bool:
    """Whether a member may be called so: a plain name below one of our folders, on every system.

    Nothing absolute, no way up, no drive, no control character.
    """
    parts = name.split("/")
    top = name in (MANIFEST, "search-weights.json") or (
        len(parts) > 1 and parts[0] in ("store", "loras", "config", "editions")
    )
    return top and not re.search(r"[\x00-\x1f\x7f\\:]", name) and not {"", ".", ".."} & set(parts)


def _twice(names: list[str]) -> str:
    return next(name for at, name in enumerate(names) if name in names[:at])


def _digest(file: IO[bytes], end: int, told: Told) -> str:
    """SHA-256 of everything before `end`."""
    digest, done = hashlib.sha256(), 0
    file.seek(0)
    while done < end and (piece := file.read(min(_PIECE, end - done))):
        digest.update(piece)
        done += len(piece)
        told(done, end)
    return digest.hexdigest()
