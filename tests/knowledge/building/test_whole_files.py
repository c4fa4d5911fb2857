"""A file that others may read is whole, or it is not there."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from knowledge.editions import files
from knowledge.editions.files import whole, write_whole


def test_it_takes_its_place_when_it_is_written_and_is_its_owners_alone(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("before")
    with whole(target) as unfinished:
        unfinished.write_text("after")
        assert stat.S_IMODE(unfinished.stat().st_mode) == 0o600
        assert target.read_text() == "before"
    assert target.read_text() == "after"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["a.txt"]


def full(unfinished: Path) -> None:
    unfinished.write_text("half")
    raise OSError(28, "No space left on device")


def test_what_was_there_stays_when_writing_fails(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("before")
    with pytest.raises(OSError, match="No space"), whole(target) as unfinished:
        full(unfinished)
    assert target.read_text() == "before"
    assert [one.name for one in tmp_path.iterdir()] == ["a.txt"]


def test_what_a_killed_writer_left_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / ".a.txt.part").write_text("half of a longer one")
    with whole(tmp_path / "a.txt") as unfinished:
        unfinished.write_text("all")
    assert (tmp_path / "a.txt").read_text() == "all"


def test_a_folder_that_cannot_be_synced_is_no_failure_once_the_file_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = files.fsync

    def fsync(path: Path) -> None:
        if path.is_dir():
            raise OSError(22, "Invalid argument")
        real(path)

    monkeypatch.setattr(files, "fsync", fsync)
    with whole(tmp_path / "a.txt") as unfinished:
        unfinished.write_text("all")
    assert (tmp_path / "a.txt").read_text() == "all"


def test_a_text_has_the_mode_it_was_asked_for_from_its_first_byte(tmp_path: Path) -> None:
    left = tmp_path / ".a.json.part"  # by a process that died, readable by others
    left.write_text("half")
    left.chmod(0o644)
    (tmp_path / "a.json").write_text("before")
    write_whole(tmp_path / "a.json", "{}", 0o600)
    assert (tmp_path / "a.json").read_text() == "{}"
    assert stat.S_IMODE((tmp_path / "a.json").stat().st_mode) == 0o600
    assert not left.exists()
    write_whole(tmp_path / "b.json", "{}")
    assert stat.S_IMODE((tmp_path / "b.json").stat().st_mode) & 0o400
