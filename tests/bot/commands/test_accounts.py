"""`saseo accounts`: what an account may be called."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.app import cli
from bot.commands.accounts import PASSWORD
from bot.errors import BadAccount


def accounts(folder: Path, *words: str, language: str = "ko") -> Result:
    (folder / "saseo.toml").write_text(f'data_dir = "data"\nlanguage = "{language}"\n', encoding="utf-8")
    every = ["--config", str(folder / "saseo.toml"), "accounts", *words]
    return CliRunner().invoke(cli, every, env={PASSWORD: "a long enough password"})


def add(folder: Path, name: str) -> Result:
    return accounts(folder, "add", name, "--json")


def test_a_name_may_hold_blanks(tmp_path: Path) -> None:
    assert add(tmp_path, "김 서연").exit_code == 0


@pytest.mark.parametrize("name", ["", "local", " kim", "kim\n", "k" * 65, "web:kim", "kim:"])
def test_a_name_that_would_be_taken_for_another_is_refused(tmp_path: Path, name: str) -> None:
    assert isinstance(add(tmp_path, name).exception, BadAccount)


@pytest.mark.parametrize(
    ("language", "none", "made", "changed", "removed"),
    [
        ("ko", "계정이 없습니다", "만들었습니다. 권한: admin", "변경했습니다. 권한: viewer", "지웠습니다"),
        ("en", "There are no accounts", "is made. Role: admin", "is changed. Role: viewer", "is removed"),
    ],
)
def test_it_speaks_the_language_of_the_settings(
    tmp_path: Path, language: str, none: str, made: str, changed: str, removed: str
) -> None:
    assert none in accounts(tmp_path, "list", language=language).stdout
    assert made in accounts(tmp_path, "add", "kim", "--role", "admin", language=language).stdout
    assert changed in accounts(tmp_path, "add", "kim", language=language).stdout
    assert removed in accounts(tmp_path, "remove", "kim", language=language).stdout
