"""작업: the board of jobs, history, a run with its log; who may run, pause and stop."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from markupsafe import escape

from bot.app import Root
from bot.job_book import KnownJob
from bot.jobs_app import Book
from bot.store import audit, job_history, jobs
from bot.store.database import Store
from bot.store.job_rows import Run
from bot.web.job_words import schedule
from bot.web.page import Page
from bot.web.pages.work import WorkParts, work
from bot.web.run_log import tail
from bot.web.texts import Texts
from tests.bot.web.conftest import Opening, add_account

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def book(tmp_path: Path, store: Store) -> Book:
    """The real one, over a configuration with a watched source and a nightly run."""
    (tmp_path / "wiki").mkdir()
    (tmp_path / "saseo.toml").write_text(
        'data_dir = "data"\n[[sources]]\nname = "사내"\nkind = "folder"\npath = "wiki"\nwatch = true\n'
        "[jobs.reindex]\nenabled = true\n",
        encoding="utf-8",
    )
    return Book(Root(tmp_path / "saseo.toml").job_parts(store))


@pytest.fixture
def page(store: Store, book: Book) -> Page:
    return work(WorkParts(store, book, "Asia/Seoul", True))


def rules(book: Book) -> jobs.Rules:
    return jobs.Rules({name: one.group for name, one in book.jobs.items()}, set(book.jobs), 3600.0)


def begun(store: Store, book: Book, job: str, *, by: str = "clock", at: float | None = None, **progress: Any) -> Run:
    """A run that this process holds."""
    now = at or time.time()
    store.run_now(jobs.ask, job, by=by, now=now)
    run = store.run_now(jobs.claim, job, "here:1", rules(book), now=now, lease=600.0)
    assert run is not None
    store.run_now(jobs.renew, run, progress, now=now, lease=600.0)
    return run


def ended(store: Store, book: Book, job: str, state: Any = "done", **more: Any) -> Run:
    at = more.pop("at", 1_700_000_000.0)
    run = begun(store, book, job, at=at, by=more.pop("by", "clock"))
    assert store.run_now(lambda c: jobs.finish(c, run, state, now=at + 75, progress={}, **more))
    return run


def row(html: str, job: str) -> str:
    found = re.search(rf'<tr data-job="{re.escape(job)}">.*?</tr>', html, re.S)
    assert found
    return found[0]


async def test_every_job_is_on_the_board_with_its_schedule_in_words(browse: Opening, page: Page, book: Book) -> None:
    browser = browse([page])
    html = (await browser.get("/jobs")).text
    for job in book.jobs.values():
        assert escape(job.ko) in row(html, job.name)
    assert "매일 03:00" in row(html, "reindex")
    assert "폴더가 바뀌면" in row(html, "reindex:사내")
    assert "꺼짐" in row(html, "tune")
    assert "아직 실행한 적이 없습니다" in row(html, "tune")
    await browser.post("/preferences", {"language": "en", "theme": "dark"})
    html = (await browser.get("/jobs")).text
    assert "daily at 03:00" in row(html, "reindex")
    assert not re.search("[가-힣]", re.sub(r"한국어|사내", "", html))


async def test_run_now_makes_the_job_due_and_is_on_the_record(
    browse: Opening, page: Page, store: Store, book: Book
) -> None:
    browser = browse([page])
    await browser.get("/jobs")
    answer = await browser.post("/jobs/tune/run")
    assert answer.url.path == "/jobs"
    assert "곧 시작합니다" in answer.text
    waiting = store.run_now(jobs.newest, "tune")
    assert waiting is not None
    assert (waiting.state, waiting.asked_by) == ("due", "web:local")
    entry = store.run_now(audit.entries)[0]
    assert (entry.action, entry.by, entry.subject) == ("job.run", "web:local", "tune")
    assert entry.detail["run"] == waiting.id
    assert "대기 중" in row((await browser.get("/jobs/board")).text, "tune")


async def test_a_run_of_the_clock_that_waits_becomes_the_persons(browse: Opening, page: Page, store: Store) -> None:
    waiting = store.run_now(jobs.ask, "tune", by=jobs.CLOCK, now=1000.0)
    browser = browse([page])
    await browser.get("/jobs")
    await browser.post("/jobs/tune/run")
    found = store.run_now(jobs.every, "tune")
    assert [(one.id, one.asked_by) for one in found] == [(waiting.id, "web:local")]
    assert found[0].due_at > 1000.0


async def test_a_viewer_sees_and_changes_nothing(browse: Opening, page: Page, store: Store, book: Book) -> None:
    run = begun(store, book, "reindex")
    for name, role in (("lee", "viewer"), ("park", "reviewer")):
        add_account(store, name, role)  # type: ignore[arg-type]
        browser = browse([page])
        await browser.log_in(name)
        html = (await browser.get("/jobs")).text
        assert "/run" not in re.sub(r"/jobs/runs/\w+", "", html)
        assert "/stop" not in html
        for path in ("/jobs/tune/run", "/jobs/tune/pause", "/jobs/tune/resume", f"/jobs/runs/{run.id}/stop"):
            assert (await browser.post(path)).status_code == 403
        assert (await browser.get("/jobs/audit")).status_code == 403
    assert [one.action for one in store.run_now(audit.entries, action="job.")] == []
    assert store.run_now(jobs.newest, "tune") is None
    assert store.run_now(job_history.now_of, ["reindex"]).stopping == frozenset()


async def test_without_a_forms_token_nothing_happens(browse: Opening, page: Page, store: Store) -> None:
    browser = browse([page])
    assert (await browser.http.post("/jobs/tune/run")).status_code == 403
    assert store.run_now(jobs.newest, "tune") is None


async def test_pause_and_resume(browse: Opening, page: Page, store: Store) -> None:
    browser = browse([page])
    await browser.get("/jobs")
    html = (await browser.post("/jobs/reindex/pause")).text
    assert "일시 중지" in row(html, "reindex")
    assert 'action="/jobs/reindex/run"' not in html
    assert (await browser.post("/jobs/reindex/run")).status_code == 409  # from a page that is older than the pause
    await browser.get("/jobs")
    html = (await browser.post("/jobs/reindex/resume")).text
    assert 'action="/jobs/reindex/run"' in html
    assert [one.action for one in store.run_now(audit.entries, action="job.")] == ["job.resume", "job.pause"]
    assert (await browser.post("/jobs/nothing/pause")).status_code == 404


async def test_what_runs_is_shown_with_its_progress_and_can_be_stopped(
    browse: Opening, page: Page, store: Store, book: Book
) -> None:
    run = begun(store, book, "reindex", done=3, total=12, message="reading")
    browser = browse([page])
    shown = row((await browser.get("/jobs")).text, "reindex")
    assert '<progress max="12" value="3"' in shown
    assert "문서 읽기" in shown
    assert 'hx-trigger="every 2s"' in (await browser.get("/jobs/board")).text
    answer = await browser.post(f"/jobs/runs/{run.id}/stop")
    assert "멈추는 중" in row(answer.text, "reindex")
    assert store.run_now(jobs.renew, run, {}, now=time.time(), lease=60.0) == "stopped"
    assert store.run_now(audit.entries)[0].detail == {"run": run.id, "state": "running"}


async def test_what_waits_for_another_job_says_for_which(browse: Opening, page: Page, store: Store, book: Book) -> None:
    begun(store, book, "reindex:사내")
    browser = browse([page])
    await browser.get("/jobs")
    html = (await browser.post("/jobs/reindex/run")).text
    assert escape("먼저 끝나야 할 작업: 출처 '사내' 다시 색인") in row(html, "reindex")
    assert "먼저 끝나야" not in row(html, "reindex:사내")


@pytest.mark.parametrize(
    ("written", "korean", "english"),
    [
        ("every 6h", "6시간마다", "every 6 h"),
        ("0 9 * * 1", "매주 월요일 09:00", "every Monday at 09:00"),
        ("5 * * * *", "매시 05분", "every hour at :05"),
        ("*/5 * * * *", "*/5 * * * *", "*/5 * * * *"),
        ("30 2 1 * *", "30 2 1 * *", "30 2 1 * *"),
        ("", "다른 작업이 요청하면", "when another job asks for it"),
    ],
)
def test_schedules_in_words(written: str, korean: str, english: str) -> None:
    job = KnownJob("a", "가", "A", True, written, frozenset({"a"}))
    texts = Texts(("common", "work"))
    assert (schedule(job, texts, "ko"), schedule(job, texts, "en")) == (korean, english)


async def test_what_waits_can_be_given_up(browse: Opening, page: Page, store: Store) -> None:
    browser = browse([page])
    await browser.get("/jobs")
    await browser.post("/jobs/tune/run")
    waiting = store.run_now(jobs.newest, "tune")
    assert waiting is not None
    answer = await browser.post(f"/jobs/runs/{waiting.id}/stop", {"here": "run"})
    assert answer.url.path == f"/jobs/runs/{waiting.id}"
    assert "취소했습니다" in answer.text
    assert "이미 끝난" in (await browser.post(f"/jobs/runs/{waiting.id}/stop")).text


async def test_the_history_is_filtered_and_pages_by_key(browse: Opening, page: Page, store: Store, book: Book) -> None:
    browser = browse([page])
    assert "아직 실행한 작업이 없습니다" in (await browser.get("/jobs")).text
    made = [ended(store, book, "reindex", at=1_700_000_000.0 + n).id for n in range(60)]
    failed = ended(store, book, "retention", "failed", at=1_600_000_000.0, by="web:kim", error="StoreError: 디스크")
    seen: list[str] = []
    address = "/jobs?state=done"
    while address:
        html = (await browser.get(address)).text
        assert len(html.encode()) < 200_000
        history = html[html.index("history-title") :]
        seen += re.findall(r'<a href="/jobs/runs/(\w+)"', history)
        found = re.search(r'href="(/jobs\?[^"]*before=[^"]*)"', history)
        address = found[1].replace("&amp;", "&") if found else ""
    assert seen == made[::-1]
    only = (await browser.get("/jobs?by=web:&job=retention")).text
    assert re.findall(r'<th scope="row" class="at"><a href="/jobs/runs/(\w+)"', only) == [failed.id]
    assert "디스크" in only
    assert "조건에 맞는" in (await browser.get("/jobs?state=missed")).text
    for odd in ("?before=nonsense", "?before=nan,x", "?state=%3Cb%3E", "?job=%00", "?before=1e400,a"):
        assert (await browser.get(f"/jobs{odd}")).status_code == 200


async def test_a_run_is_shown_with_its_result_but_without_names_of_pages(
    browse: Opening, page: Page, store: Store, book: Book
) -> None:
    held = [{"source": "사내", "reason": "문서가 줄었습니다", "before": 12, "now": 3}]
    failures = [{"page": "사내/연봉.pdf", "reason": "연봉.pdf: 암호", "kept": False}]
    result = {"edition": "20261126-1-a", "pages": 1234, "passages": 5, "failed": 1, "reused": False}
    run = ended(store, book, "reindex", result={**result, "failures": failures, "held_back": held})
    html = (await browse([page]).get(f"/jobs/runs/{run.id}")).text
    assert "1,234" in html
    assert "문서가 줄었습니다" in html
    assert 'href="/wiki#unread"' in html
    assert "연봉.pdf" not in html
    assert "이 컴퓨터에는 이 실행의 기록 파일이 없습니다" in html
    assert "2023. 11. 15. 07:13" in html  # of Seoul


async def test_how_a_run_failed_is_said_in_words(browse: Opening, page: Page, store: Store, book: Book) -> None:
    browser = browse([page])
    for error, words in (
        ("NoEdition: 색인이 없습니다.", "색인이 없습니다."),
        ("ZeroDivisionError", "예상하지 못한 오류(ZeroDivisionError)"),
        (jobs.DIED, "프로세스가 여러 번 죽어"),
    ):
        run = ended(store, book, "reindex", "failed", error=error)
        assert words in (await browser.get(f"/jobs/runs/{run.id}")).text
    assert (await browser.get("/jobs/runs/nothing")).status_code == 404


async def test_a_log_is_bounded_in_the_zone_and_escaped(browse: Opening, page: Page, store: Store, book: Book) -> None:
    run = ended(store, book, "reindex", error="")
    path = book.log_of(run.id)
    path.parent.mkdir(parents=True)
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(1_700_000_000.0)) + ",000"
    lines = [{"time": at, "level": "INFO", "event": "step", "n": n} for n in range(5000)]
    lines.append({"time": at, "level": "ERROR", "event": HOSTILE, "exception": ["ValueError", HOSTILE]})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + HOSTILE + "\n[[1]]\n", encoding="utf-8")
    html = (await browse([page]).get(f"/jobs/runs/{run.id}")).text
    assert HOSTILE not in html
    assert html.count("&lt;script&gt;alert(1)") >= 3
    assert "마지막 200줄만" in html
    assert html.count("<code>step</code>") == 200 - 3
    assert len(html.encode()) < 200_000
    assert "2023. 11. 15. 07:13" in html


async def test_a_log_is_for_admins_alone(browse: Opening, page: Page, store: Store, book: Book) -> None:
    run = ended(store, book, "reindex", error="")
    path = book.log_of(run.id)
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"level": "INFO", "event": "page_read", "page": "연봉.md"}) + "\n", encoding="utf-8")
    for name, role, shown in (("lee", "viewer", False), ("park", "reviewer", False), ("kim", "admin", True)):
        add_account(store, name, role)  # type: ignore[arg-type]
        browser = browse([page])
        await browser.log_in(name)
        for headers in ({}, {"HX-Request": "true"}):  # the page, and the part that is asked for again and again
            html = (await browser.get(f"/jobs/runs/{run.id}", headers=headers)).text
            assert ("연봉.md" in html) is shown
            assert ("기록은 관리자만" in html) is not shown


def test_the_end_of_a_log_that_is_being_written(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    assert tail(path) is None
    path.write_bytes(b"")
    found = tail(path)
    assert found is not None
    assert (found.lines, found.whole) == ((), True)
    path.write_bytes(b'{"time": "yesterday", "message": "\xff half"}\n{"event": "cut')
    found = tail(path)
    assert found is not None
    assert [line.at for line in found.lines] == [None, None]
    assert found.lines[1].event == '{"event": "cut'


async def test_hostile_names_of_who_asked_and_of_results_are_text(
    browse: Opening, page: Page, store: Store, book: Book
) -> None:
    run = ended(store, book, "reindex", by=f"web:{HOSTILE}", result={HOSTILE: HOSTILE})
    browser = browse([page])
    for path in ("/jobs", f"/jobs/runs/{run.id}", "/jobs/board"):
        html = (await browser.get(path)).text
        assert HOSTILE not in html


async def test_the_audit_log_is_there_for_admins_and_pages(browse: Opening, page: Page, store: Store) -> None:
    browser = browse([page])
    assert "조건에 맞는 기록이 없습니다" in (await browser.get("/jobs/audit")).text
    for n in range(60):
        store.run_now(audit.record, by=f"web:{HOSTILE}", action="job.run", subject=f"s{n}", detail={"x": [n]}, now=1.0)
    html = (await browser.get("/jobs/audit?action=job.")).text
    assert HOSTILE not in html
    assert "s59" in html
    found = re.search(r'href="(/jobs/audit\?[^"]*before=[^"]*)"', html)
    assert found
    assert "s0" in (await browser.get(found[1].replace("&amp;", "&"))).text
    for odd in ("?before=" + "9" * 40, "?before=²", "?action=%"):
        assert (await browser.get(f"/jobs/audit{odd}")).status_code == 200


async def test_it_is_said_when_nothing_runs_by_itself(browse: Opening, store: Store, book: Book) -> None:
    browser = browse([work(WorkParts(store, book, "Asia/Seoul", False))])
    assert "저절로 실행되는 작업은 없습니다" in (await browser.get("/jobs")).text
