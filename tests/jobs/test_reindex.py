"""The indexing job: what it asks for, what its run records, and one job for each source with times of its own."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from filelock import FileLock

from bot.app import Root, cli
from bot.errors import BadEvaluationSet, InvalidSetting
from bot.jobs_app import by_themselves, rules, schedules
from bot.store import jobs
from bot.store.database import open_store
from jobs import reindex
from jobs.job import JobContext, JobParts
from jobs.registry import registry
from jobs.regression import RegressionQuestions
from jobs.runner import Runner, RunnerOptions
from knowledge.build import BuildReport, BuildRequest, FailedPage, HeldBack, MovedPage
from knowledge.errors import SourceShrank, UnreadablePage
from knowledge.search import SearchIndex
from tests.conftest import Indexer

SOURCES = """
[[sources]]
name = "wiki"
path = "wiki"
[[sources]]
name = "보드"
path = "board"
schedule = "every 10m"
"""


def root(tmp_path: Path, text: str = SOURCES) -> Root:
    config = tmp_path / "saseo.toml"
    config.write_text(f'data_dir = "data"\n{text}', encoding="utf-8")
    return Root(config)


def report(**changed: Any) -> BuildReport:
    plain = BuildReport("e1", 3, 9, ("wiki/a.md",), (), (), (), 1.0, False)
    return dataclasses.replace(plain, **changed)


class Parts:
    """JobParts whose indexing only notes what was asked for."""

    def __init__(self, tmp_path: Path, answer: BuildReport) -> None:
        self.asked: list[BuildRequest] = []
        self.store = open_store("", tmp_path / "data")

        def index(request: BuildRequest, progress: Any) -> BuildReport:
            self.asked.append(request)
            return answer

        self.parts: JobParts = dataclasses.replace(root(tmp_path).job_parts(self.store), reindex=index)


@pytest.fixture
def parts(tmp_path: Path):  # type: ignore[no-untyped-def]
    made = Parts(tmp_path, report())
    yield made
    made.store.close()


def test_a_source_with_a_schedule_has_a_job_of_its_own_that_reads_it_alone(parts: Parts, tmp_path: Path) -> None:
    known = registry(parts.parts)
    spec = known["reindex:보드"]
    assert "reindex:wiki" not in known
    spec.run(JobContext("run", tmp_path))
    known["reindex"].run(JobContext("run", tmp_path, {"full": True, "sources": ["wiki"], "accept": ["wiki"]}))
    known["reindex"].run(JobContext("run", tmp_path))
    assert parts.asked == [
        BuildRequest(only=("보드",)),
        BuildRequest(full=True, only=("wiki",), accept=frozenset({"wiki"})),
        BuildRequest(),
    ]


def test_such_a_job_runs_by_itself_and_never_beside_another_indexing_run(parts: Parts) -> None:
    known, settings = registry(parts.parts), parts.parts.settings
    assert "reindex:보드" in by_themselves(settings, known)
    assert "reindex" not in by_themselves(settings, known)
    assert schedules(settings, known)["reindex:보드"].text == "every 10m"
    groups = rules(settings, known).groups
    assert set(groups["reindex:보드"]) == set(groups["reindex"]) == {"reindex", "reindex:보드"}
    claimed = parts.store.run_now(
        jobs.claim, "reindex", "host:1:a", rules(settings, known), now=10.0, lease=60.0, asked_by="lee"
    )
    assert claimed is not None
    beside = parts.store.run_now(
        jobs.claim, "reindex:보드", "host:2:b", rules(settings, known), now=11.0, lease=60.0, asked_by="lee"
    )
    assert beside is None


def test_the_name_of_such_a_job_fits_the_store_and_stays_unique() -> None:
    names = {reindex.name_of("가" * 40 + end) for end in "ab"} | {reindex.name_of("wiki")}
    assert len(names) == 3
    assert "reindex:wiki" in names
    assert all(len(name) <= 32 for name in names)


@pytest.mark.parametrize("job", ["reindex", "reindex:보드"])
def test_beside_an_indexing_run_of_somebody_else_the_job_waits_and_indexes_afterwards(
    parts: Parts, indexer: Indexer, tmp_path: Path, job: str
) -> None:
    """`saseo index` holds the lock, and a watched page changes meanwhile: nobody asks again."""
    now = 1000.0

    def index(request: BuildRequest, progress: Any) -> BuildReport:
        return indexer.build()

    known = registry(dataclasses.replace(parts.parts, reindex=index))
    runner = Runner(
        parts.store, known, rules(parts.parts.settings, known),
        RunnerOptions("host:1:a", tmp_path / "jobs", 60.0), clock=lambda: now,
    )  # fmt: skip
    asked = parts.store.run_now(jobs.ask, job, by=jobs.CHANGE, now=now)
    indexer.shelf.root.mkdir(parents=True)
    with FileLock(indexer.shelf.root / ".lock"):
        met = runner.run(job)
    assert met is not None
    assert (met.state, met.error.partition(":")[0]) == ("due", "IndexBusy")
    assert met.due_at == now + 60.0
    assert runner.run(job) is None
    now = met.due_at
    after = runner.run(job)
    assert after is not None
    assert (after.id, after.state) == (asked.id, "done")
    assert after.result["edition"] == indexer.shelf.current()


def test_a_schedule_of_a_source_that_is_none_is_named(tmp_path: Path) -> None:
    one = root(tmp_path, SOURCES.replace("every 10m", "sometimes"))
    store = open_store("", tmp_path / "data")
    with pytest.raises(InvalidSetting, match="보드"):
        schedules(one.settings, registry(one.job_parts(store)))
    store.close()


def test_a_run_records_numbers_reasons_and_at_most_fifty_names() -> None:
    failed = tuple(FailedPage("wiki", f"{n}.pdf", UnreadablePage(reason="torn"), kept=n == 0) for n in range(60))
    held = HeldBack("보드", SourceShrank(name="보드", before=20, now=1), 20, 1)
    result = reindex.as_result(report(failed=failed, held_back=(held,), moved=(MovedPage("wiki", "a", "b"),)), "ko")
    assert (result["failed"], result["moved"], result["added"]) == (60, 1, 1)
    assert len(result["failures"]) == 50
    assert result["failures"][0] == {
        "page": "wiki/0.pdf",
        "reason": UnreadablePage(reason="torn").explain("ko"),
        "kept": True,
    }
    assert result["held_back"][0]["source"] == "보드"
    assert len(json.dumps(result, ensure_ascii=False)) < 40_000


def test_list_and_log_show_pages_failures_what_was_held_back_and_the_next_run(tmp_path: Path) -> None:
    one = root(tmp_path)
    store = open_store("", tmp_path / "data")
    known = registry(one.job_parts(store))
    failed = tuple(FailedPage("보드", f"{n}\x1b[31m.pdf", UnreadablePage(reason="torn"), kept=True) for n in range(51))
    held = HeldBack("wiki", SourceShrank(name="wiki", before=20, now=1), 20, None)
    run = store.run_now(
        jobs.claim, "reindex:보드", "host:1:a", rules(one.settings, known), now=1000.0, lease=60.0, asked_by="lee"
    )
    assert run is not None
    result = reindex.as_result(report(failed=failed, held_back=(held,)), "ko")
    store.run_now(jobs.finish, run, "done", now=1090.0, progress={}, result=result)
    log = tmp_path / "data" / "jobs" / run.id / "log.jsonl"
    log.parent.mkdir(parents=True)
    log.write_text("".join(f'{{"event": "line", "number": {n}}}\n' for n in range(900)), encoding="utf-8")
    store.close()

    def shown(*words: str) -> str:
        done = CliRunner().invoke(cli, ["--config", str(one.config), "jobs", *words])
        assert done.exit_code == 0, done.exception
        return done.stdout

    listed = shown("list")
    assert "reindex:보드" in listed
    assert "every 10m · 다음" in listed
    assert "1분 30초, 문서 3개, 실패 51개, 보류한 출처: wiki" in listed
    told = shown("log", "reindex:보드")
    assert "!! 출처 'wiki' 보류 (20 → ?)" in told
    assert "보드/49" in told
    assert "보드/50" not in told
    assert "… 외 1개" in told
    assert "\x1b" not in told
    assert "앞의 700줄은 생략했습니다" in told
    assert "number=899" in told
    assert "number=699" not in told
    as_json = json.loads(shown("list", "--json"))
    (line,) = (one for one in as_json if one["name"] == "reindex:보드")
    assert line["next"] is not None
    assert line["last"]["result"]["held_back"][0]["source"] == "wiki"
    english = root(tmp_path, 'language = "en"\n' + SOURCES)
    done = CliRunner().invoke(cli, ["--config", str(english.config), "jobs", "log"])
    assert "held back" in done.stdout
    assert "and 1 more" in done.stdout


def test_regression_questions_are_asked_as_their_readers_and_only_of_pages_that_are_there(
    tmp_path: Path, index: SearchIndex
) -> None:
    path = tmp_path / "questions.jsonl"
    lines = [
        {"question": "연차는 며칠인가요?", "page": "휴가.md"},
        {"question": "책임 직급의 연봉 상한은 얼마인가요?", "page": "연봉.md", "as": "hr"},
        {"question": "책임 직급의 연봉 상한은 얼마인가요?", "page": "연봉.md"},
        {"question": "구내식당 메뉴는?", "page": "식당.md"},
        {"question": "내일 날씨는?", "answerable": False},
    ]
    path.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8")
    questions = RegressionQuestions(path)
    recall = questions.recall(index, {"휴가.md", "연봉.md"})
    assert (recall.asked, recall.at5) == (3, pytest.approx(2 / 3, abs=1e-6))
    fewer = questions.recall(index, {"휴가.md"})
    assert (fewer.asked, fewer.at5) == (1, 1.0)
    assert fewer.questions != recall.questions
    assert questions.recall(index, {"휴가.md"}).questions == fewer.questions


def test_a_set_of_regression_questions_that_cannot_be_read_is_said_before_anything_is_indexed(tmp_path: Path) -> None:
    one = root(tmp_path, '[index]\nregression_set = "missing.jsonl"\n' + SOURCES)
    assert Path(one.settings.index.regression_set) == tmp_path / "missing.jsonl"
    with pytest.raises(BadEvaluationSet):
        RegressionQuestions(Path(one.settings.index.regression_set))
