"""Small files that are replaced as a whole."""

from __future__ import annotations

import stat
from pathlib import Path

from bot.models.stamp import write_atomically


def test_a_file_has_the_mode_it_was_asked_for_from_its_first_byte(tmp_path: Path) -> None:
    left = tmp_path / "a.json.new"  # by a process that died, readable by others
    left.write_text("half")
    left.chmod(0o644)
    (tmp_path / "a.json").write_text("before")
    write_atomically(tmp_path / "a.json", "{}", 0o600)
    assert (tmp_path / "a.json").read_text() == "{}"
    assert stat.S_IMODE((tmp_path / "a.json").stat().st_mode) == 0o600
    assert not left.exists()
