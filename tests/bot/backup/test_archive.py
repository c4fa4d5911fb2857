"""An archive that was flipped, cut off, or made by somebody who means harm is told as such and nothing of it is used."""

from __future__ import annotations

import hashlib
import json
import random
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.backup.archive import FORMAT, MANIFEST, Manifest, Writing, glance, opened, verify
from bot.errors import BackupDamaged, BackupError, BackupTooNew, BackupUnsafe, NoBackup

CONTENT = {"store/facts.jsonl": b'["a","b"]\n' * 50, "loras/a/lora.gguf": bytes(range(256)) * 10}


def made(path: Path, content: dict[str, bytes] = CONTENT) -> Path:
    """A sound archive."""
    with path.open("w+b") as file:
        writing = Writing(file, 1e9)
        for name, text in content.items():
            writing.add(name, [text[:7], text[7:]])
        writing.finish(Manifest(1e9, "0.1.0", "0001", "sqlite", {}, dict(writing.members)), lambda done, total: None)
    return path


def forged(path: Path, change: Callable[[dict[str, Any], list[tuple[zipfile.ZipInfo, bytes]]], None]) -> Path:
    """As somebody would make one who knows the form: `change` gets the manifest and the members, and the seal fits."""
    members = [(zipfile.ZipInfo(name), text) for name, text in CONTENT.items()]
    manifest: dict[str, Any] = {
        "format": FORMAT, "made_at": 1e9, "program": "0.1.0", "revision": "0001", "database": "sqlite", "tables": {},
        "members": {
            name: {"bytes": len(text), "sha256": hashlib.sha256(text).hexdigest()} for name, text in CONTENT.items()
        },
    }  # fmt: skip
    change(manifest, members)
    with zipfile.ZipFile(path, "w") as archive:
        for info, text in members:
            archive.writestr(info, text)
        archive.writestr(MANIFEST, json.dumps(manifest))
        archive.comment = b"Saseo backup, SHA-256 " + b"0" * 64
    body = path.read_bytes()[:-64]
    path.write_bytes(body + hashlib.sha256(body).hexdigest().encode())
    return path


def read(path: Path) -> dict[str, bytes]:
    with opened(path) as archive:
        verify(archive)
        return {name: b"".join(archive.pieces(name)) for name in archive.manifest.members}


def test_what_went_in_comes_out(tmp_path: Path) -> None:
    assert read(made(tmp_path / "b.zip")) == CONTENT
    with zipfile.ZipFile(tmp_path / "b.zip") as plain:  # any program opens it
        assert plain.testzip() is None
        assert json.loads(plain.read(MANIFEST))["revision"] == "0001"


def test_lines_are_read_whole_wherever_a_piece_ends(tmp_path: Path) -> None:
    lines = [b"x" * length for length in (0, 1, 1 << 20, (1 << 20) + 1, 5)]
    path = made(tmp_path / "b.zip", {"store/facts.jsonl": b"\n".join(lines)})
    with opened(path) as archive:
        assert list(archive.lines("store/facts.jsonl")) == lines


def test_a_flipped_bit_anywhere_is_found(tmp_path: Path) -> None:
    path = made(tmp_path / "b.zip")
    whole = path.read_bytes()
    chance = random.Random(1)
    for at in {
        *range(60),
        *range(len(whole) - 120, len(whole)),
        *(chance.randrange(len(whole)) for _ in range(300)),
    }:
        broken = bytearray(whole)
        broken[at] ^= 1 << chance.randrange(8)
        path.write_bytes(broken)
        with pytest.raises(BackupError):
            read(path)


def test_an_archive_that_was_cut_off_anywhere_is_found(tmp_path: Path) -> None:
    path = made(tmp_path / "b.zip")
    whole = path.read_bytes()
    for length in (0, 3, 4, 100, len(whole) // 2, len(whole) - 64, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(BackupError):
            read(path)
        with pytest.raises(BackupError):
            glance(path)
    path.write_bytes(whole + b"\n")
    with pytest.raises(BackupDamaged):
        read(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no zip", b"PK\x03\x04" + b"x" * 500])
def test_what_is_no_backup_is_told_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "b.zip"
    path.write_bytes(content)
    with pytest.raises((NoBackup, BackupDamaged)):
        read(path)


@pytest.mark.parametrize(
    "name",
    ["../evil", "/etc/passwd", "store/../../evil", "loras//evil", "loras/./evil", "c:/evil", "loras\\..\\evil", "evil",
     "store/a\x01", "config/", "loras/a:b", ".ssh/keys"],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    def change(manifest: dict[str, Any], members: list[tuple[zipfile.ZipInfo, bytes]]) -> None:
        info = zipfile.ZipInfo("x")
        info.filename = name
        members.append((info, b"evil"))
        manifest["members"][name] = {"bytes": 4, "sha256": hashlib.sha256(b"evil").hexdigest()}

    with pytest.raises((BackupUnsafe, BackupDamaged)):
        read(forged(tmp_path / "b.zip", change))


@pytest.mark.parametrize("edition", ["../../privacy.key", "..", ".", "a/b", "/etc", "a\\b", "c:", "a\n"])
def test_an_edition_whose_name_leads_elsewhere_is_refused(tmp_path: Path, edition: str) -> None:
    with pytest.raises(BackupUnsafe):
        read(forged(tmp_path / "b.zip", lambda manifest, members: manifest.update(edition=edition)))


def test_an_edition_of_a_plain_name_is_read(tmp_path: Path) -> None:
    path = forged(tmp_path / "b.zip", lambda manifest, members: manifest.update(edition="20261126-1-a"))
    assert glance(path).edition == "20261126-1-a"


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFDIR, stat.S_IFIFO, stat.S_IFCHR])
def test_a_member_that_is_no_plain_file_is_refused(tmp_path: Path, kind: int) -> None:
    def change(manifest: dict[str, Any], members: list[tuple[zipfile.ZipInfo, bytes]]) -> None:
        members[0][0].create_system = 3
        members[0][0].external_attr = (kind | 0o777) << 16

    with pytest.raises(BackupUnsafe):
        read(forged(tmp_path / "b.zip", change))


def test_a_member_nobody_named_is_refused(tmp_path: Path) -> None:
    path = forged(tmp_path / "b.zip", lambda manifest, members: members.append((zipfile.ZipInfo("loras/a/more"), b"x")))
    with pytest.raises(BackupUnsafe, match="more"):
        read(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_one_name_twice_is_refused(tmp_path: Path) -> None:
    path = forged(tmp_path / "b.zip", lambda manifest, members: members.append(members[0]))
    with pytest.raises(BackupUnsafe):
        read(path)


@pytest.mark.parametrize(
    ("key", "value"), [("sha256", "0" * 64), ("bytes", 3), ("bytes", 10**15), ("bytes", "many"), ("bytes", -1)]
)
def test_a_member_that_is_not_as_it_is_named_is_refused(tmp_path: Path, key: str, value: object) -> None:
    def change(manifest: dict[str, Any], members: list[tuple[zipfile.ZipInfo, bytes]]) -> None:
        manifest["members"]["loras/a/lora.gguf"][key] = value

    with pytest.raises(BackupDamaged):
        read(forged(tmp_path / "b.zip", change))


def test_a_member_that_is_missing_is_found(tmp_path: Path) -> None:
    with pytest.raises(BackupDamaged, match=r"lora\.gguf"):
        read(forged(tmp_path / "b.zip", lambda manifest, members: members.__delitem__(1)))


@pytest.mark.parametrize("broken", [{"tables": 3}, {"members": []}, {"made_at": "x"}, {"tables": {"a": {"rows": 1}}}])
def test_a_manifest_that_makes_no_sense_is_damage(tmp_path: Path, broken: dict[str, object]) -> None:
    with pytest.raises(BackupDamaged):
        read(forged(tmp_path / "b.zip", lambda manifest, members: manifest.update(broken)))


def test_a_form_from_the_future_names_its_program(tmp_path: Path) -> None:
    path = forged(tmp_path / "b.zip", lambda manifest, members: manifest.update(format=2, program="9.0"))
    with pytest.raises(BackupTooNew, match=r"9\.0"):
        read(path)


def test_an_error_of_who_reads_is_not_taken_for_damage(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space"), opened(made(tmp_path / "b.zip")):
        raise OSError(28, "No space left on device")
