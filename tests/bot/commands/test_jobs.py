"""`saseo jobs` over a real store: what it lists, runs, shows, and how it refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result

from bot.app import cli
from bot.commands import job_texts, learning_texts, result_words
from bot.commands.jobs import read_log
from bot.commands.output import at_terminal
from bot.errors import InvalidSetting, JobBusy, JobPaused, UnknownJob, UnknownRun
from bot.messages import Language
from bot.releases.shortage import Shortage
from bot.store import audit, jobs
from bot.store.database import open_store
from bot.store.job_rows import Run
from bot.store.jobs import Rules

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _normal_priority(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "nice", lambda by: by)  # the other tests run in this process, too


def run(tmp_path: Path, *words: str, more: str = "") -> Result:
    config = tmp_path / "saseo.toml"
    config.write_text(f'data_dir = "data"\n{more}', encoding="utf-8")
    return CliRunner().invoke(cli, ["--config", str(config), "jobs", *words], catch_exceptions=True)


def parsed(result: Result) -> Any:
    assert result.exit_code == 0, result.exception
    return json.loads(result.stdout)


def test_the_list_says_when_each_job_runs_next_in_the_configured_time_zone(tmp_path: Path) -> None:
    more = '[jobs]\ntimezone = "Europe/Berlin"\n[jobs.retention]\nschedule = "15 4 * * 0"\n'
    listed = {one["name"]: one for one in parsed(run(tmp_path, "list", "--json", more=more))}
    assert {"examples", "reindex", "retention"} <= set(listed)
    due = datetime.fromisoformat(listed["retention"]["next"])
    assert (due.weekday(), due.hour, due.minute) == (6, 4, 15)
    assert due.utcoffset() in (timedelta(hours=1), timedelta(hours=2))
    assert listed["reindex"]["enabled"] is False
    assert listed["reindex"]["next"] is None
    assert listed["examples"]["last"] is None
    shown = run(tmp_path, "list", more=more)
    assert "15 4 * * 0" in shown.stdout
    assert "아직 실행한 적이 없습니다" in shown.stdout
    assert "Europe/Berlin" in shown.stdout


def test_a_job_runs_here_and_now_and_its_run_can_be_looked_at(tmp_path: Path) -> None:
    done = parsed(run(tmp_path, "run", "retention", "--json"))
    assert (done["state"], done["attempt"]) == ("done", 1)
    assert {"runs", "folders", "questions", "traces"} <= done["result"].keys()
    assert set(done["result"].values()) == {0}
    assert done["asked_by"].startswith("terminal:")
    assert done["seconds"] >= 0
    assert done["due"].endswith("+09:00")
    (line,) = (one for one in parsed(run(tmp_path, "list", "--json")) if one["name"] == "retention")
    assert line["last"]["id"] == done["id"]
    for which in ([], ["retention"], [done["id"]]):
        assert parsed(run(tmp_path, "log", *which, "--json"))["id"] == done["id"]
    shown = run(tmp_path, "log").stdout
    assert "run_began" in shown
    assert "완료" in shown
    assert "마쳤습니다" in run(tmp_path, "run", "retention").stdout


def test_a_log_is_shown_in_the_time_zone_of_the_jobs(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    lines = [{"time": at, "level": "INFO", "event": "step"} for at in ("2026-11-26 20:00:01.123+00:00", "yesterday")]
    path.write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")
    assert read_log(path, ZoneInfo("Asia/Seoul")) == ["2026-11-27 05:00:01 INFO step", "yesterday INFO step"]


def test_what_is_done_to_jobs_at_a_terminal_is_on_the_audit_log(tmp_path: Path) -> None:
    done = parsed(run(tmp_path, "run", "retention", "--json"))
    assert run(tmp_path, "pause", "retention").exit_code == 0
    assert isinstance(run(tmp_path, "run", "retention").exception, JobPaused)
    assert run(tmp_path, "resume", "retention").exit_code == 0
    store = open_store("", tmp_path / "data")
    found = [one for one in store.run_now(audit.entries) if one.action.startswith("job.")]
    store.close()
    assert [(one.by, one.action, one.subject) for one in reversed(found)] == [
        (at_terminal(), "job.run", "retention"),
        (at_terminal(), "job.pause", "retention"),
        (at_terminal(), "job.resume", "retention"),
    ]
    assert found[-1].detail == {"run": done["id"]}


def test_a_job_that_fails_says_why_and_exits_1(tmp_path: Path) -> None:
    failed = run(tmp_path, "run", "examples")  # there is no index
    assert failed.exit_code == 1
    assert "실패했습니다" in failed.stderr
    assert "saseo index" in failed.stderr
    assert "Traceback" not in failed.output
    as_json = run(tmp_path, "run", "examples", "--json")
    assert as_json.exit_code == 1
    assert json.loads(as_json.stdout)["state"] == "failed"
    english = run(tmp_path, "list", more='language = "en"\n').stdout
    assert "failed" in english


def test_what_runs_elsewhere_is_said_and_not_run_twice(tmp_path: Path) -> None:
    store = open_store("", tmp_path / "data")
    rules = Rules({"retention": {"retention"}}, {"retention"}, 60.0)
    held = store.run_now(jobs.claim, "retention", "host:1:ab", rules, now=time.time(), lease=600.0, asked_by="lee")
    assert held is not None
    refused = run(tmp_path, "run", "retention")
    assert isinstance(refused.exception, JobBusy)
    assert "host:1:ab" in refused.exception.explain("ko")
    assert held.id in refused.exception.explain("en")
    assert [one.id for one in store.run_now(jobs.every)] == [held.id]
    store.close()


def test_a_paused_job_is_refused_until_it_is_resumed(tmp_path: Path) -> None:
    assert run(tmp_path, "pause", "retention").exit_code == 0
    assert isinstance(run(tmp_path, "run", "retention").exception, JobPaused)
    (line,) = (one for one in parsed(run(tmp_path, "list", "--json")) if one["name"] == "retention")
    assert (line["paused"], line["next"], line["last"]) == (True, None, None)
    assert run(tmp_path, "resume", "retention").exit_code == 0
    assert parsed(run(tmp_path, "run", "retention", "--json"))["state"] == "done"


@pytest.mark.parametrize("verb", ["run", "pause", "resume"])
def test_an_unknown_job_is_answered_with_the_known_ones(tmp_path: Path, verb: str) -> None:
    refused = run(tmp_path, verb, "reindx").exception
    assert isinstance(refused, UnknownJob)
    assert "reindex" in refused.explain("ko")


def test_an_unknown_run_is_refused(tmp_path: Path) -> None:
    for words in (["log"], ["log", "0123456789abcdef"]):
        assert isinstance(run(tmp_path, *words).exception, UnknownRun)


def test_a_schedule_that_is_none_is_named(tmp_path: Path) -> None:
    refused = run(tmp_path, "list", more='[jobs.reindex]\nschedule = "sometimes"\n').exception
    assert isinstance(refused, InvalidSetting)
    assert "[jobs.reindex] schedule" in refused.explain("ko")


def test_a_run_whose_process_died_is_not_shown_as_running(tmp_path: Path) -> None:
    store = open_store("", tmp_path / "data")
    rules = Rules({"reindex": {"reindex"}}, {"reindex"}, 60.0)
    store.run_now(jobs.claim, "reindex", "host:1:ab", rules, now=time.time() - 99, lease=9.0, asked_by="lee")
    store.close()
    assert "끊김" in run(tmp_path, "list").stdout
    assert "interrupted" in run(tmp_path, "list", more='language = "en"\n').stdout


def test_tuning_by_its_own_command_and_as_a_job_is_the_same_run(tmp_path: Path) -> None:
    config = tmp_path / "saseo.toml"
    config.write_text('data_dir = "data"\n', encoding="utf-8")
    failed = CliRunner().invoke(cli, ["--config", str(config), "tune", "run"])  # there is no index
    assert failed.exit_code == 1
    (last,) = (one["last"] for one in parsed(run(tmp_path, "list", "--json")) if one["name"] == "tune")
    assert last["arguments"] == {}  # else what was stopped would not be gone on with


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_run_with_arguments_of_its_own_is_gone_on_with_by_the_same_command(language: Language) -> None:
    stopped = Run("r", "tune", "stopped", "kim", 0.0, 0.0, 1.0, "", None, 1, {}, {}, {}, "")
    assert "saseo jobs run tune" in job_texts.ended(stopped, language)
    assert "saseo jobs run tune" not in job_texts.ended(replace(stopped, arguments={"examples": ["a"]}), language)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_advice_after_a_stop_names_the_command_that_was_typed(language: Language) -> None:
    stopped = Run("r", "tune", "stopped", "kim", 0.0, 0.0, 1.0, "", None, 1, {}, {}, {}, "")
    typed = "saseo tune run --examples own.jsonl"
    for one in (stopped, replace(stopped, arguments={"examples": ["/x/own.jsonl"]})):
        said = job_texts.ended(one, language, typed)
        assert f"`{typed}`" in said
        assert "saseo jobs run" not in said


def test_what_was_learnt_is_not_counted_together_with_what_was_not() -> None:
    result = {
        "loras": ["a-1"],
        "examples": 10,
        "learnt": 7,
        "held_out": 2,
        "too_long": 1,
        "left_out": [{}],
        "seconds": 90,
    }
    assert learning_texts.trained(result, "ko") == (
        "예시 7개로 1.5분 동안 학습했습니다 (검증용 2개, 너무 길어 제외 1개, 검사에서 제외 1개): a-1"
    )
    assert learning_texts.trained(result, "en") == (
        "Tuned on 7 examples for 1.5 minutes (2 held out, 1 too long, 1 failed the check): a-1"
    )
    plain = {"loras": ["a-1"], "examples": 7, "learnt": 7, "held_out": 0, "too_long": 0, "left_out": [], "seconds": 90}
    assert learning_texts.trained(plain, "en") == "Tuned on 7 examples for 1.5 minutes: a-1"


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("ko", "작업 'retention'을(를) 마쳤습니다 (작업 실행 3, 거절한 예시 0, 보냄 예)."),
        ("en", "Job 'retention' is done (runs 3, rejected examples 0, posted yes)."),
    ],
)
def test_results_are_told_in_words(language: Language, said: str) -> None:
    result = {"runs": 3, "examples_rejected": 0, "posted": True}
    done = Run("r", "retention", "done", "kim", 0.0, 0.0, 1.0, "", None, 1, {}, {}, result, "")
    assert job_texts.ended(done, language) == said


def test_what_a_job_leaves_and_each_of_its_steps_has_words_of_its_own(tmp_path: Path) -> None:
    done = parsed(run(tmp_path, "run", "retention", "--json"))
    assert done["result"].keys() <= result_words.RESULTS.keys()
    assert parsed(run(tmp_path, "run", "backup", "--json"))["result"].keys() <= result_words.RESULTS.keys()
    for name in ("people", "gaps", "copy", "store", "files", "seal", "check"):
        assert job_texts.step(name, "ko") != name


def test_what_is_empty_in_a_result_is_not_shown() -> None:
    done = Run("r", "gate", "done", "kim", 0.0, 0.0, 1.0, "", None, 1, {}, {}, {"against": "none", "proposed": ""}, "")
    assert job_texts.ended(done, "en") == "Job 'gate' is done (against none)."


@pytest.mark.parametrize(("share", "said"), [(0.0, "이제 답합니다"), (0.1, "대화의 10%")])
def test_a_promotion_to_a_part_of_the_conversations_is_not_told_as_one_to_all(share: float, said: str) -> None:
    result = {"judged": [{}], "promoted": "faq-1", "share": share, "against": "none"}
    assert said in learning_texts.judged(result, "ko")


@pytest.mark.parametrize(("language", "said"), [("ko", "질문이 부족해서"), ("en", "too few questions")])
def test_who_failed_for_want_of_questions_reads_last_how_many_are_needed_and_what_to_do(
    language: Language, said: str
) -> None:
    short = Shortage(20, 117, 12, 30, 6, 35).as_json()
    result = {"judged": [{}], "proposed": "", "promoted": "", "against": "none", "short": {"faq-1": short}}
    told = learning_texts.judged(result, language)
    for word in (
        said,
        "20",
        "117",
        "12",
        "30",
        "6",
        "35",
        "evaluation_sets",
        "saseo loras evaluate faq-1",
        "--overrule",
    ):
        assert word in told
    assert said not in learning_texts.judged(result | {"short": {}}, language)


@pytest.mark.parametrize(
    ("language", "said"), [("ko", "확실히 낫지는 않아 plain"), ("en", "not better beyond chance than plain")]
)
def test_which_of_two_was_taken_is_told_before_what_to_do(language: Language, said: str) -> None:
    contest = {"lora": "liked", "against": "plain", "decision": "not_better", "outdone": "liked"}
    result = {"judged": [{}, {}], "proposed": "plain", "promoted": "", "against": "none", "preferences": [contest]}
    first, last = learning_texts.judged(result, language).splitlines()
    assert said in first
    assert "saseo loras promote plain" in last
    helped = learning_texts.judged(result | {"preferences": [contest | {"outdone": "plain"}]}, language)
    assert said not in helped
    assert "liked" in helped.splitlines()[0]


def test_the_help_of_the_commands_loads_nothing_heavy() -> None:
    code = "import sys, bot.app; print(sorted({'sqlalchemy', 'apscheduler', 'torch', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]", done.stderr
