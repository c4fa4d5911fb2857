"""`saseo accounts`: what an account may be called."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.app import cli
from bot.commands.accounts import PASSWORD
from bot.errors import BadAccount


def add(folder: Path, name: str) -> Result:
    (folder / "saseo.toml").write_text('data_dir = "data"\n', encoding="utf-8")
    words = ["--config", str(folder / "saseo.toml"), "accounts", "add", name, "--json"]
    return CliRunner().invoke(cli, words, env={PASSWORD: "a long enough password"})


def test_a_name_may_hold_blanks(tmp_path: Path) -> None:
    assert add(tmp_path, "김 서연").exit_code == 0


@pytest.mark.parametrize("name", ["", "local", " kim", "kim\n", "k" * 65, "web:kim", "kim:"])
def test_a_name_that_would_be_taken_for_another_is_refused(tmp_path: Path, name: str) -> None:
    assert isinstance(add(tmp_path, name).exception, BadAccount)
