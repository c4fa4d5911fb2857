"""`saseo gaps` over a real store: lists, drafts, files, decisions; no private word anywhere."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import stat
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.app import cli
from bot.commands.output import at_terminal
from bot.errors import GapsNotWritable, UnknownGap
from bot.gaps import decisions
from bot.messages import Shown
from bot.store import audit, gaps
from bot.store.database import open_store
from tests.bot.gaps.rows import DAY, KIM, LEE, call, miss, near, put
from tests.conftest import Indexer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store with a gap of an open and a private question, and one whose nearest page is restricted."""
    (tmp_path / "saseo.toml").write_text('data_dir = "data"\n', encoding="utf-8")
    store = open_store("", tmp_path / "data")
    now = time.time()
    miss(store, "주차 등록은 어떻게 하나요? 010-1234-5678", KIM, now=now - DAY)
    miss(store, "비밀 주차 자리", LEE, private=True, now=now - DAY)
    miss(store, "연봉 밴드 하한은?", KIM, now=now - 40 * DAY)
    put(
        store,
        ["주차 등록은 어떻게 하나요? 010-1234-5678", "비밀 주차 자리"],
        name="주차 등록",
        nearest=(near("총무 안내", 0.8),),
        now=now,
    )
    put(store, ["연봉 밴드 하한은?"], name="연봉 밴드", nearest=(near("연봉 규정", 0.5, (("hr",),)),), now=now)
    store.close()
    return tmp_path


def run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["--config", str(folder / "saseo.toml"), "gaps", *words], catch_exceptions=True)


def listed(folder: Path, *words: str) -> list[dict[str, object]]:
    result = run(folder, "list", "--json", *words)
    assert result.exit_code == 0, result.exception
    found: list[dict[str, object]] = json.loads(result.output)
    return found


def ids(folder: Path) -> list[str]:
    return [str(one["id"]) for one in listed(folder)]


def test_a_list_has_the_heaviest_first_with_numbers_and_what_may_be_told(folder: Path) -> None:
    parking, salary = listed(folder)
    assert (parking["questions"], parking["people"], parking["recent_people"], parking["private"]) == (2, 2, 2, 1)
    assert salary["name"] == "연봉 밴드"
    assert salary["nearest"] == []
    assert [one["title"] for one in listed(folder, "--as", "hr")[1]["nearest"]] == ["연봉 규정"]  # type: ignore[attr-defined]
    shown = run(folder, "list").output
    assert "▁" in shown
    assert "2명, 2건" in shown
    assert "총무 안내 (wiki/총무 안내.md, 답변 기준의 80%)" in shown
    assert "비밀" not in shown


def test_a_draft_beside_a_restricted_page_is_shown_to_its_readers(folder: Path) -> None:
    store = open_store("", folder / "data")
    gap = ids(folder)[1]
    store.run_now(decisions.write, gap, "연봉 규정 옆", by="web:kim", now=time.time())
    store.close()
    for words in (("show", gap), ("show", gap, "--json"), ("export", str(folder / "gaps.md"))):
        told = run(folder, *words).output
        assert "연봉 규정" not in told
        assert words[0] == "export" or "읽을 수 없는 문서를 바탕으로 쓴 초안" in told
    assert "연봉 규정" not in (folder / "gaps.md").read_text("utf-8")
    assert "연봉 규정 옆" in run(folder, "show", gap, "--as", "hr").output


def test_what_was_said_of_an_answer_from_a_restricted_page_is_shown_to_its_readers(
    folder: Path, indexer: Indexer
) -> None:
    store = open_store("", folder / "data")
    answer = miss(
        store, "책임 상한은?", shown=(Shown("wiki", "연봉.md", 0, "책임 직급의 연봉 상한은"),), now=time.time()
    )
    call(store, answer, "U9", resolution="상한은 9,100만 원입니다.", consent=True)
    (gap,) = put(store, ["책임 상한은?"], now=time.time())
    store.close()
    assert "9,100만" not in run(folder, "show", gap, "--as", "hr").output  # nobody knows who may read the page
    indexer.build()
    assert "9,100만" in run(folder, "show", gap, "--as", "hr").output
    assert "9,100만" not in run(folder, "show", gap, "--json").output
    file = folder / "gaps.json"
    for groups, told in (((), False), (("--as", "hr"), True)):
        assert run(folder, "export", str(file), "--format", "json", *groups).exit_code == 0
        assert ("9,100만" in file.read_text("utf-8")) is told


def test_an_empty_list_says_how_gaps_are_found(tmp_path: Path) -> None:
    (tmp_path / "saseo.toml").write_text('data_dir = "data"\n', encoding="utf-8")
    assert "saseo jobs run gaps" in run(tmp_path, "list").output


def test_one_gap_is_shown_with_its_draft_and_without_private_words(folder: Path) -> None:
    first = ids(folder)[0]
    shown = run(folder, "show", first).output
    assert "초안입니다" in shown
    assert "주차 등록은 어떻게 하나요? [전화번호]" in shown
    assert "비공개로 물은 질문 1건" in shown
    detail = json.loads(run(folder, "show", first, "--json").output)
    assert detail["hidden"] == 1
    assert [one["action"] for one in detail["history"]] == ["made"]
    for text in (shown, json.dumps(detail, ensure_ascii=False)):
        assert "비밀" not in text
        assert "1234" not in text


@pytest.mark.parametrize("form", ["md", "csv", "json"])
def test_a_file_holds_every_open_gap_and_goes_on_record(folder: Path, form: str) -> None:
    file = folder / f"gaps.{form}"
    result = run(folder, "export", str(file), "--format", form, "--json")
    assert json.loads(result.output) == {"path": str(file), "format": form, "gaps": 2}
    text = file.read_text("utf-8-sig")
    assert "비밀" not in text
    if form == "csv":
        assert len(list(csv.DictReader(io.StringIO(text)))) == 2
    elif form == "json":
        assert len(json.loads(text)) == 2
    else:
        assert text.count("초안입니다") == 2
    store = open_store("", folder / "data")
    (entry,) = store.run_now(audit.entries)
    store.close()
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    told = {"format": form, "gaps": 2, "sha256": digest}
    assert (entry.by, entry.action, dict(entry.detail)) == (at_terminal(), "gap.export", told)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_is_its_owners_alone_also_where_another_one_stood(folder: Path) -> None:
    file = folder / "gaps.md"
    file.write_text("an older one", encoding="utf-8")
    file.chmod(0o644)
    run(folder, "export", str(file))
    assert "초안입니다" in file.read_text("utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_is_deleted_with_whoever_asked_or_named_where_it_lies_elsewhere(folder: Path) -> None:
    inside, outside = folder / "data" / "exports" / "gaps.md", folder / "elsewhere.csv"
    inside.parent.mkdir()
    for file in (inside, outside):
        assert run(folder, "export", str(file), "--format", file.suffix[1:]).exit_code == 0
    erased = CliRunner().invoke(
        cli, ["--config", str(folder / "saseo.toml"), "privacy", "forget", KIM.key, "--yes", "--json"]
    )
    report = json.loads(erased.stdout)
    assert not inside.exists()
    assert report["files"].keys() == {"exports/gaps.md"}
    assert report["files_left"] == [str(outside.resolve())]
    # Lee asked in private in one of these gaps: what is left elsewhere is still to be named then.
    erased = CliRunner().invoke(
        cli, ["--config", str(folder / "saseo.toml"), "privacy", "forget", LEE.key, "--yes", "--json"]
    )
    assert json.loads(erased.stdout)["files_left"] == [str(outside.resolve())]


def test_a_file_that_cannot_be_written_is_told(folder: Path) -> None:
    result = run(folder, "export", str(folder / "nowhere" / "gaps.md"))
    assert isinstance(result.exception, GapsNotWritable)


def test_a_gap_is_closed_reopened_snoozed_and_renamed(folder: Path) -> None:
    first = ids(folder)[0]
    assert run(folder, "close", first).output == f"{first}: 닫음\n"
    assert first not in ids(folder)
    assert [one["id"] for one in listed(folder, "--state", "closed")] == [first]
    assert json.loads(run(folder, "reopen", first, "--json").output)["state"] == "open"
    snoozed = json.loads(run(folder, "snooze", first, "--days", "7", "--json").output)
    assert (snoozed["state"], bool(snoozed["snoozed_until"])) == ("snoozed", True)
    assert json.loads(run(folder, "rename", first, "주차 안내", "--json").output)["name"] == "주차 안내"
    store = open_store("", folder / "data")
    assert [one.by for one in store.run_now(gaps.history, first)] == ["auto", *[at_terminal()] * 4]
    store.close()


@pytest.mark.parametrize("verb", ["show", "close", "reopen", "snooze"])
def test_an_unknown_gap_is_told(folder: Path, verb: str) -> None:
    assert isinstance(run(folder, verb, "nothing").exception, UnknownGap)
