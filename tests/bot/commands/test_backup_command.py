"""`saseo backup` and `saseo restore` as somebody types them, and the job that does it at night."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.app import cli
from bot.errors import BackupDamaged, BackupMissing, NoBackup, RestoreRefused
from bot.privacy.opening import pseudonyms_of
from bot.store import audit, facts, privacy, questions
from bot.store.database import open_store
from tests.bot.store.rows import KIM, asked


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "nice", lambda by: by)  # the other tests run in this process, too
    monkeypatch.chdir(tmp_path)


def run(*words: str, more: str = "", answer: str | None = None) -> Result:
    Path("config.toml").write_text(f'data_dir = "data"\n{more}', encoding="utf-8")
    return CliRunner().invoke(cli, words, input=answer)


def parsed(result: Result) -> Any:
    assert result.exit_code == 0, result.exception
    return json.loads(result.stdout)


def keep(value: str) -> None:
    store = open_store("", Path("data"))
    store.run_now(facts.put, "kept", value)
    store.close()


def kept() -> str | None:
    store = open_store("", Path("data"))
    try:
        return store.run_now(facts.get, "kept")
    finally:
        store.close()


def test_a_backup_is_made_listed_checked_and_restored() -> None:
    keep("first")
    made = parsed(run("backup", "--json"))
    assert Path(made["path"]).parent == Path("data/backups").absolute()
    (listed,) = parsed(run("backup", "list", "--json"))
    assert listed["path"] == made["path"]
    assert "모든 체크섬 일치" in run("backup", "verify", made["path"]).stdout
    keep("second")
    asked = run("restore", made["path"], answer="n\n")
    assert asked.exit_code != 0
    assert kept() == "second"
    done = run("restore", made["path"], answer="y\n")
    assert "복원했습니다" in done.stdout
    assert "before-restore-" in done.stdout
    assert kept() == "first"


def test_a_place_of_ones_own_may_be_a_file_or_a_folder(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    assert parsed(run("backup", "--json", "--to", "disk/mine.zip"))["path"] == "disk/mine.zip"
    assert Path(parsed(run("backup", "--json", "--to", "disk"))["path"]).name.startswith("saseo-")
    more = '[backup]\nfolder = "disk"\n'
    assert len(parsed(run("backup", "list", "--json", more=more))) == 1  # only what has a name of ours


def test_restoring_elsewhere_touches_nothing_here(tmp_path: Path) -> None:
    keep("first")
    made = parsed(run("backup", "--json"))
    keep("second")
    done = parsed(run("restore", made["path"], "--to", "other", "--json"))
    assert done["aside"] == []
    assert done["privacy_key_missing"] is True
    assert kept() == "second"
    store = open_store("", tmp_path / "other")
    assert store.run_now(facts.get, "kept") == "first"
    store.close()


def test_who_was_erased_here_after_the_backup_is_erased_in_what_comes_back() -> None:
    keep("first")
    made = parsed(run("backup", "--json"))
    store = open_store("", Path("data"))
    store.run_now(privacy.bury, "p:" + "0" * 32, now=5.0)
    store.close()
    parsed(run("restore", made["path"], "--yes", "--json"))
    store = open_store("", Path("data"))
    assert store.run_now(privacy.buried) == {"p:" + "0" * 32: 5.0}
    assert [one.action for one in store.run_now(audit.entries, most=1)] == ["backup.restore"]
    store.close()


def test_what_cannot_be_restored_is_an_error_of_ours() -> None:
    made = parsed(run("backup", "--json"))
    store = open_store("", Path("data"))
    assert isinstance(run("restore", made["path"], "--yes").exception, RestoreRefused)
    store.close()
    path = Path(made["path"])
    path.write_bytes(path.read_bytes()[:-100])
    assert isinstance(run("restore", made["path"], "--yes").exception, BackupDamaged)
    assert "✗" in run("backup", "list").stdout


@pytest.mark.parametrize("words", [("restore",), ("backup", "verify")])
def test_a_file_that_is_not_there_is_told_with_where_to_look(words: tuple[str, ...]) -> None:
    error = run(*words, "nofile.zip").exception
    assert isinstance(error, BackupMissing)
    assert "nofile.zip" in error.explain("ko")
    assert "saseo backup list" in error.explain("en")
    assert isinstance(run(*words, ".").exception, NoBackup)


def test_the_job_keeps_the_last_ones() -> None:
    more = "[backup]\nkeep = 2\n"
    for _ in range(3):
        done = parsed(run("jobs", "run", "backup", "--json", more=more))
        assert done["state"] == "done"
    listed = parsed(run("backup", "list", "--json", more=more))
    assert len(listed) == 2
    assert Path(listed[-1]["path"]).name == done["result"]["file"]
    assert done["result"]["deleted"] == 1


def test_an_erased_persons_question_is_gone_from_what_is_restored_though_the_backup_has_it(tmp_path: Path) -> None:
    store = open_store("", Path("data"))
    names = pseudonyms_of(store, Path("data"))
    asker = names.of(KIM.key)
    store.run_now(questions.claim, asked("e1", text="카나리아 7b1f"), owner="a", now=5.0, lease=9.0, person=asker)
    store.close()
    made = parsed(run("backup", "--json"))
    parsed(run("privacy", "forget", KIM.key, "--yes", "--json"))
    assert b"7b1f" not in Path("data/saseo.sqlite").read_bytes()
    done = parsed(run("restore", made["path"], "--yes", "--json"))
    assert done["erased"] == 1
    assert b"7b1f" not in Path("data/saseo.sqlite").read_bytes()
    assert parsed(run("privacy", "impact", KIM.key, "--json"))["known"] is False
