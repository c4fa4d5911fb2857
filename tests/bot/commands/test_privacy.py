"""`saseo privacy` and `saseo audit`, through the real command line over a real store."""

from __future__ import annotations

import json
import os
import pwd
import sqlite3
import stat
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.app import cli
from bot.errors import BadPerson, CopyNotWritable, WrongPrivacyKey
from bot.privacy.requests import due
from bot.serve_app import privacy_check
from bot.settings_file import load_settings
from bot.store import audit, privacy
from bot.store.database import open_store
from tests.bot.examples.rows import KIM, LEE, answer, answered, vote

WORDS = "경조사 휴가는 며칠입니까?"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of before there were pseudonyms, in which Kim asked and Lee corrected. No index: rights need none."""
    monkeypatch.delenv("SASEO_PRIVACY_KEY", raising=False)
    (tmp_path / "saseo.toml").write_text('data_dir = "data"\n', encoding="utf-8")
    store = open_store("", tmp_path / "data")
    name = answered(store, "1", answer("5일입니다. [1]"), text=WORDS)
    vote(store, name, LEE, "down", correction="6일입니다.")
    store.close()
    return tmp_path


def run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["--config", str(folder / "saseo.toml"), *words])


def loaded(result: Result) -> dict[str, object]:
    assert result.exit_code == 0, result.exception
    found: dict[str, object] = json.loads(result.stdout)
    return found


def test_impact_says_what_there_is_and_changes_nothing(folder: Path) -> None:
    told = run(folder, "privacy", "impact", KIM.key)
    assert "질문 1건" in told.stdout
    found = loaded(run(folder, "privacy", "impact", KIM.key, "--json"))
    assert (found["questions"], found["votes_of_others"], found["known"]) == (1, 1, True)
    assert "기록이 없습니다" in run(folder, "privacy", "impact", "slack:U404").stdout


def test_a_copy_is_a_zip_with_their_words(folder: Path) -> None:
    made = loaded(run(folder, "privacy", "export", KIM.key, "--json"))
    with zipfile.ZipFile(str(made["path"])) as packed:
        content = json.loads(packed.read("saseo.json"))
    assert [one["text"] for one in content["questions"]] == [WORDS]
    assert content["votes"] == []
    told = run(folder, "privacy", "export", LEE.key, "--out", str(folder / "lee.zip"))
    assert "lee.zip" in told.stdout
    refused = run(folder, "privacy", "export", LEE.key, "--out", str(folder / "saseo.toml" / "x.zip"))
    assert isinstance(refused.exception, CopyNotWritable)


def test_an_erasure_needs_a_yes_and_leaves_a_report_and_no_bytes(folder: Path) -> None:
    asked = run(folder, "privacy", "forget", KIM.key)
    assert (asked.exit_code, "--yes" in asked.stderr) == (1, True)
    done = loaded(run(folder, "privacy", "forget", KIM.key, "--yes", "--json", "--report", str(folder / "report.json")))
    assert (done["forgotten"], done["questions"], done["compacted"]) == (True, 1, True)
    assert stat.S_IMODE((folder / "report.json").stat().st_mode) == 0o600
    report = json.loads((folder / "report.json").read_text("utf-8"))
    assert report["signature"] == done["signature"]
    assert loaded(run(folder, "privacy", "verify-report", str(folder / "report.json"), "--json"))["whole"] is True
    (folder / "report.json").write_text(json.dumps({**report, "questions": 0}), encoding="utf-8")
    changed = run(folder, "privacy", "verify-report", str(folder / "report.json"))
    assert (changed.exit_code, "바뀌었습니다" in changed.stdout) == (1, True)
    assert run(folder, "privacy", "verify-report", str(folder / "saseo.toml")).exit_code == 1
    left = b"".join(path.read_bytes() for path in (folder / "data").rglob("*") if path.is_file())
    assert WORDS.encode() not in left
    assert b"slack:U1" not in left
    assert "기록이 없습니다" in run(folder, "privacy", "forget", KIM.key, "--yes").stdout


def test_backups_in_a_folder_elsewhere_are_named_before_and_in_the_signed_report(folder: Path) -> None:
    elsewhere = folder / "other disk"
    elsewhere.mkdir()
    (elsewhere / "saseo-20261101-020000.zip").write_bytes(b"sealed")
    (folder / "saseo.toml").write_text(
        f'data_dir = "data"\n[backup]\nfolder = {json.dumps(str(elsewhere))}\n', encoding="utf-8"
    )
    held = str(elsewhere / "saseo-20261101-020000.zip")
    assert loaded(run(folder, "privacy", "impact", KIM.key, "--json"))["backups"] == [held]
    assert loaded(run(folder, "privacy", "forget", KIM.key, "--yes", "--json"))["backups"] == [held]


def test_training_is_stopped_and_allowed_again(folder: Path) -> None:
    assert "지금부터 학습에 쓰지 않습니다" in run(folder, "privacy", "suspend", LEE.key).stdout
    assert loaded(run(folder, "privacy", "suspend", LEE.key, "--json"))["changed"] is False
    assert loaded(run(folder, "privacy", "suspend", LEE.key, "--resume", "--json"))["changed"] is True


def test_a_request_waits_is_due_and_is_answered(folder: Path) -> None:
    made = loaded(run(folder, "privacy", "request", KIM.key, "forget", "--json"))
    [waiting] = json.loads(run(folder, "privacy", "requests", "--json").stdout)
    assert (waiting["id"], waiting["done_at"]) == (made["id"], None)
    assert "일 남음" in run(folder, "privacy", "requests").stdout
    settings = load_settings(folder / "saseo.toml")
    assert privacy_check(settings).ok
    store = open_store("", folder / "data")
    rows = store.run_now(privacy.requests, open_only=True)
    store.close()
    received = rows[0].received_at
    assert due(rows, received + 6.9 * 86400, "ko")[1] == ""
    assert "3일 안" in due(rows, received + 7.1 * 86400, "ko")[1]
    assert "지난" in due(rows, received + 10.1 * 86400, "ko")[1]
    assert "late" in due(rows, received + 10.1 * 86400, "en")[1]
    run(folder, "privacy", "forget", KIM.key, "--yes")
    assert "완료" in run(folder, "privacy", "requests").stdout


def test_nobody_is_refused(folder: Path) -> None:
    assert isinstance(run(folder, "privacy", "impact", "U1").exception, BadPerson)


def test_a_lost_key_is_told_and_a_new_one_accepted(folder: Path) -> None:
    run(folder, "privacy", "impact", KIM.key)
    (folder / "data" / "privacy.key").unlink()
    assert isinstance(run(folder, "privacy", "impact", KIM.key).exception, WrongPrivacyKey)
    assert not privacy_check(load_settings(folder / "saseo.toml")).ok
    assert run(folder, "privacy", "new-key").exit_code == 1
    assert run(folder, "privacy", "new-key", "--yes").exit_code == 0
    assert loaded(run(folder, "privacy", "impact", KIM.key, "--json"))["known"] is False


def test_the_audit_says_which_account_of_the_machine_it_was_and_who_became_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "somebody-else")  # anybody can set that
    me = pwd.getpwuid(os.geteuid()).pw_name
    for before, expected in (("", f"cli:{me}"), (me, f"cli:{me}"), ("kim", f"cli:{me}(kim)")):
        monkeypatch.setenv("SUDO_USER", before)
        run(folder, "privacy", "suspend", LEE.key)
        (newest, *_) = json.loads(run(folder, "audit", "list", "--json").stdout)
        assert newest["by"] == expected


def test_the_audit_is_listed_verified_and_exported(folder: Path) -> None:
    run(folder, "privacy", "suspend", LEE.key)
    run(folder, "privacy", "export", KIM.key)
    listed = json.loads(run(folder, "audit", "list", "--json").stdout)
    assert [one["action"] for one in listed] == ["privacy.export", "privacy.suspend"]
    assert [
        one["action"]
        for one in json.loads(run(folder, "audit", "list", "--action", "privacy.suspend", "--json").stdout)
    ] == ["privacy.suspend"]
    assert "privacy.suspend" in run(folder, "audit", "list").stdout
    head = str(loaded(run(folder, "audit", "verify", "--json"))["head"])
    out = folder / "audit.jsonl"
    assert loaded(run(folder, "audit", "export", str(out), "--json"))["entries"] == 2
    assert len(out.read_text("utf-8").splitlines()) == 2
    assert run(folder, "audit", "verify", "--known", head).exit_code == 0
    with sqlite3.connect(folder / "data" / "saseo.sqlite") as raw:
        raw.execute("DROP TRIGGER audit_unchanged")
        raw.execute("UPDATE audit SET by = 'web:nobody' WHERE id = 2")
    raw.close()
    touched = run(folder, "audit", "verify")
    assert touched.exit_code == 1
    assert "2번" in touched.stdout


def test_an_empty_audit_is_whole(tmp_path: Path) -> None:
    (tmp_path / "saseo.toml").write_text('data_dir = "data"\n', encoding="utf-8")
    assert "기록이 없습니다" in run(tmp_path, "audit", "list").stdout
    assert loaded(run(tmp_path, "audit", "verify", "--json"))["head"] == audit.START
