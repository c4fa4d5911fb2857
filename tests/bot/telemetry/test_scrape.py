"""What a scraper reads, over a real connection, of a desk that really answers."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from sqlalchemy import text
from starlette.responses import PlainTextResponse

from bot.conversation import Person, Vote
from bot.errors import StoreError
from bot.store import jobs as runs
from bot.store.standing import standing
from bot.telemetry.http import Around, alone
from bot.telemetry.metrics import OTHER
from bot.telemetry.observer import Observer, Safely
from bot.telemetry.standing import PlatformState
from bot.writers.engine import WritingReport
from tests.bot.desk.conftest import CHANNEL, DIRECT, KIM, LEE, asked
from tests.bot.telemetry.conftest import Scrape, Watched, get

LABELS = {
    "platform", "outcome", "step", "direction", "part", "reason", "name", "result", "state", "role", "lora", "model",
    "prompt", "edition", "source", "version", "le", "generation", "implementation", "major", "minor", "patchlevel",
}  # fmt: skip


async def scrape(watched: Watched) -> Scrape:
    address = (
        watched.server.address if watched.server else await watched.listen(alone(watched.telemetry._endpoints, ""))
    )
    response = await get(address, "/metrics")
    assert response.status_code == 200
    return Scrape(response.text)


async def test_counts_rise_when_a_question_is_answered(watched: Watched) -> None:
    desk = await watched.desk()
    before = await scrape(watched)
    assert before.value("saseo_questions_total", platform="slack", outcome="answered") == 0
    assert "answered" in before.labels("saseo_questions", "outcome")  # a rise from 0 can be seen
    watched.bench.now = 1000.0
    await desk.ask(asked(key="a"))
    await watched.adapter.wait_for(lambda: bool(watched.adapter.sent["a"].replies))
    await watched.adapter.wait_for(lambda: desk.line() == (0, 0))
    after = await scrape(watched)
    for name in ("saseo_questions_asked_total", "saseo_questions_total"):
        assert after.value(name, platform="slack") == 1
    assert after.value("saseo_questions_total", platform="slack", outcome="answered") == 1
    assert after.value("saseo_answer_seconds_count", outcome="answered") == 1
    assert after.value("saseo_question_seconds_count", outcome="answered") == 1
    assert after.value("saseo_first_token_seconds_count") == 1
    assert after.value("saseo_search_seconds_count") == 1
    assert after.value("saseo_turn_wait_seconds_count") == 1
    assert {"condense", "embed", "search", "check"} <= after.labels("saseo_step_seconds", "step")
    assert after.value("saseo_store_seconds_count") > before.value("saseo_store_seconds_count")


async def test_an_abstention_and_a_refusal_are_told_apart_from_failures(watched: Watched) -> None:
    desk = await watched.desk(per_person=1)
    await desk.ask(asked("주차장 요금은 얼마인가요 화성 우주선", key="a"))
    await watched.adapter.wait_for(lambda: bool(watched.adapter.sent["a"].replies))
    watched.bench.flow.gate.clear()
    await desk.ask(asked(key="b", person=LEE))
    await desk.ask(asked(key="c", person=LEE))  # one too many of this person
    await watched.adapter.wait_for(lambda: bool(watched.adapter.sent["c"].replies))
    await desk.ask(asked("그만", key="d", person=LEE))
    await watched.adapter.wait_for(lambda: bool(watched.adapter.sent["b"].replies))
    await watched.adapter.wait_for(lambda: desk.line() == (0, 0))
    seen = await scrape(watched)
    ends = {
        end: seen.value("saseo_questions_total", platform="slack", outcome=end)
        for end in seen.labels("saseo_questions", "outcome")
    }
    assert ends == {"answered": 0, "abstained": 1, "failed": 0, "refused": 1, "stopped": 2}


async def test_votes_and_calls_are_counted_once(watched: Watched) -> None:
    desk = await watched.desk()
    await desk.ask(asked(key="a"))
    await watched.adapter.wait_for(lambda: bool(watched.adapter.sent["a"].replies))
    answer = watched.adapter.sent["a"].replies[0].answer_id
    for direction in ("up", "up", "down", None):
        await desk.vote(Vote(answer, KIM, direction, via="button"))  # type: ignore[arg-type]
    await desk.vote(Vote("0" * 16, KIM, "up", via="button"))  # no such answer
    seen = await scrape(watched)
    votes = {
        one: seen.value("saseo_votes_total", platform="slack", direction=one) for one in ("up", "down", "withdrawn")
    }
    assert votes == {"up": 1, "down": 1, "withdrawn": 1}


async def test_what_waits_is_read_when_asked(watched: Watched) -> None:
    desk = await watched.desk(at_once=1, per_person=3)
    watched.bench.flow.gate.clear()
    for key in ("a", "b", "c"):
        await desk.ask(asked(key=key, person=Person("slack", f"U{key}")))
    await watched.adapter.wait_for(lambda: desk.line() == (2, 1))
    seen = await scrape(watched)
    assert seen.value("saseo_questions_open", state="waiting") == 2
    assert seen.value("saseo_questions_open", state="running") == 1
    assert seen.value("saseo_question_places") == 64


async def test_the_edition_and_what_answers_are_told(watched: Watched) -> None:
    await watched.desk()
    seen = await scrape(watched)
    manifest = watched.bench.flow.live().index.edition.manifest
    assert seen.value("saseo_edition_pages") == manifest.pages
    assert seen.value("saseo_source_pages", source="wiki") == manifest.pages
    assert seen.labels("saseo_lora_info", "lora") == {"none"}
    assert seen.value("saseo_edition_made_timestamp_seconds") > 1.7e9
    assert seen.value("saseo_model_loaded") == 0
    assert seen.value("saseo_disk_free_bytes") > 0


async def test_what_is_held_back_is_what_the_last_run_said_and_left_out_where_nobody_can_see_it(
    watched: Watched,
) -> None:
    await watched.desk()
    standing = watched.telemetry.standing
    watched.bench.flow.live().index.edition.manifest.held_back.append("wiki")
    standing.sources = frozenset({"wiki", "board"})
    standing._held_back = lambda: ["board", "of another settings file"]
    seen = await scrape(watched)
    told = {one: seen.value("saseo_source_held_back", source=one) for one in ("wiki", "board")}
    assert told == {"wiki": 0, "board": 1}
    assert seen.labels("saseo_source_held_back", "source") == {"wiki", "board"}

    def away() -> list[str]:
        raise OSError

    standing._held_back = away
    assert "saseo_source_held_back" not in (await scrape(watched)).families


async def test_jobs_are_told_by_name_and_state_and_others_are_not(watched: Watched) -> None:
    await watched.desk()
    rules = runs.Rules({name: [name] for name in ("reindex", "gone")}, (), 3600.0)
    for job, state, at in (("reindex", "done", 100.0), ("reindex", "failed", 200.0), ("gone", "done", 100.0)):
        claimed = watched.store.run_now(runs.claim, job, "p", rules, now=at, lease=60.0, asked_by="kim")
        assert claimed is not None
        watched.store.run_now(runs.finish, claimed, state=state, now=at + 5, progress={})  # type: ignore[arg-type]
    seen = await scrape(watched)
    assert seen.value("saseo_job_runs", name="reindex", state="done") == 1
    assert seen.value("saseo_job_runs", name="reindex", state="failed") == 1
    assert seen.value("saseo_job_last_success_timestamp_seconds", name="reindex") == 105
    assert seen.value("saseo_job_last_duration_seconds", name="reindex") == 5
    assert seen.value("saseo_job_last_failed", name="reindex") == 1
    assert seen.labels("saseo_job_runs", "name") == {"examples", "reindex"}


async def test_no_label_tells_a_person_a_place_or_a_text(watched: Watched) -> None:
    desk = await watched.desk()
    await desk.ask(asked("연차 비밀질문은 며칠 전까지 신청합니까?", key="a", place=DIRECT))
    await desk.ask(asked(key="b", place=CHANNEL))
    for key in ("a", "b"):
        await watched.adapter.wait_for(lambda key=key: bool(watched.adapter.sent[key].replies))
    seen = await scrape(watched)
    labels = {label for family in seen.families.values() for sample in family.samples for label in sample.labels}
    assert labels <= LABELS
    assert "_created" not in seen.text
    for secret in ("비밀질문", "U1", "C1", "D1", "kim@", "연차", "그룹웨어"):
        assert secret not in seen.text


def test_a_platform_or_job_nobody_configured_adds_no_series_of_its_own(watched: Watched) -> None:
    observer = watched.telemetry.observer
    for i in range(20):
        observer.asked(f"platform-{i}")
        observer.worker_ended(f"job-{i}", "ok")
    registry = watched.telemetry.metrics.registry  # type: ignore[union-attr]
    assert registry.get_sample_value("saseo_questions_asked_total", {"platform": OTHER}) == 20
    assert registry.get_sample_value("saseo_job_processes_total", {"name": OTHER, "result": "ok"}) == 20


def test_the_writers_figures_are_counted(watched: Watched) -> None:
    observer, registry = watched.telemetry.observer, watched.telemetry.metrics.registry  # type: ignore[union-attr]
    observer.wrote(WritingReport(500, 40, 300, 2.0, 3.0, "end"), 0.5)
    observer.not_written("busy")
    told: dict[str, Any] = {"direction": "read"}
    assert registry.get_sample_value("saseo_writer_tokens_total", told) == 200
    assert registry.get_sample_value("saseo_writer_tokens_total", {"direction": "written"}) == 40
    assert registry.get_sample_value("saseo_writer_tokens_reused_total") == 300
    assert registry.get_sample_value("saseo_writing_seconds_sum", {"part": "writing"}) == 3.0
    assert registry.get_sample_value("saseo_writer_unfinished_total", {"reason": "busy"}) == 1


async def test_a_store_that_is_away_is_told_and_the_rest_still_is(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    await watched.desk()

    async def away(*_: Any, **__: Any) -> Any:
        raise StoreError(where="x", reason="away")

    monkeypatch.setattr(watched.store, "run", away)
    seen = await scrape(watched)
    assert seen.value("saseo_store_up") == 0
    assert "saseo_job_runs" not in seen.families
    assert seen.value("saseo_edition_pages") > 0


async def test_store_errors_are_counted_where_they_happen(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    await watched.desk()
    before = await scrape(watched)
    monkeypatch.setattr("bot.store.database._BUSY_SECONDS", 0.0)
    with pytest.raises(StoreError):
        watched.store.run_now(lambda connection: connection.execute(text("SELECT * FROM nowhere")))
    after = await scrape(watched)
    assert after.value("saseo_store_errors_total") == before.value("saseo_store_errors_total") + 1


async def test_two_scrapes_at_once_ask_the_store_once(watched: Watched) -> None:
    await watched.desk()
    asked_store = 0
    real = watched.store.run

    async def counting(*args: Any, **options: Any) -> Any:
        nonlocal asked_store
        asked_store += args[0] is standing
        return await real(*args, **options)

    watched.store.run = counting  # type: ignore[method-assign]
    watched.telemetry.standing._answered = None
    await asyncio.gather(*(watched.telemetry.standing.snapshot() for _ in range(5)))
    assert asked_store == 1


async def test_openmetrics_and_gzip_are_given_to_who_asks(watched: Watched) -> None:
    await watched.desk()
    address = await watched.listen(alone(watched.telemetry._endpoints, ""))
    response = await get(
        address, "/metrics", {"accept": "application/openmetrics-text; version=1.0.0", "accept-encoding": "gzip"}
    )
    assert response.headers["content-type"].startswith("application/openmetrics-text")
    assert response.headers["content-encoding"] == "gzip"
    assert response.text.endswith("# EOF\n")


async def test_a_token_guards_the_metrics_and_not_health(watched: Watched) -> None:
    await watched.desk()
    address = await watched.listen(alone(watched.telemetry._endpoints, "s3cret"))
    assert (await get(address, "/metrics")).status_code == 401
    assert (await get(address, "/metrics", {"authorization": "Bearer wrong"})).status_code == 401
    assert (await get(address, "/metrics", {"authorization": "Bearer s3cret"})).status_code == 200
    assert (await get(address, "/healthz")).json() == {"status": "ok"}


async def test_a_broken_observer_is_in_nobodys_way(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Observer):
        def asked(self, platform: str) -> None:
            raise RuntimeError(platform)

    heard: list[str] = []

    class Hears(Observer):
        def asked(self, platform: str) -> None:
            heard.append(platform)

    both = Safely(Broken(), Hears())
    both.asked("slack")
    both.asked("slack")
    assert heard == ["slack", "slack"]
    assert len(re.findall("not_observed", caplog.text)) == 1


async def test_platforms_are_told_by_their_connection(watched: Watched) -> None:
    class Doors:
        stopping = False

        def platform_states(self) -> list[PlatformState]:
            return [PlatformState("slack", True, False, 3.0), PlatformState("discord", False, True)]

    await watched.desk()
    watched.telemetry.standing.doors = Doors()
    seen = await scrape(watched)
    assert seen.value("saseo_platform_connected", platform="slack") == 1
    assert seen.value("saseo_platform_connected", platform="discord") == 0
    assert seen.value("saseo_platform_standing_by", platform="discord") == 1


async def test_the_console_shows_metrics_to_who_has_the_token_only(watched: Watched) -> None:
    await watched.desk()

    async def console(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse("login", 401)(scope, receive, send)

    address = await watched.listen(Around(console, watched.telemetry._endpoints, "s3cret", metrics=True))
    assert (await get(address, "/metrics")).text == "login"
    assert (await get(address, "/metrics", {"authorization": "Bearer s3cret"})).text.startswith("# HELP")
    assert (await get(address, "/healthz")).status_code == 200
    assert (await get(address, "/")).text == "login"


async def test_a_post_that_is_not_taken_is_counted_and_the_question_once(watched: Watched) -> None:
    desk = await watched.desk()
    watched.adapter.failures = 2
    await desk.ask(asked(key="a"))
    await watched.adapter.reply("a")
    await watched.adapter.wait_for(lambda: desk.line() == (0, 0))
    seen = await scrape(watched)
    assert seen.value("saseo_posts_refused_total", platform="slack") == 2
    assert seen.value("saseo_questions_total", platform="slack") == 1


async def test_one_that_cannot_be_posted_at_all_counts_as_failed(watched: Watched) -> None:
    desk = await watched.desk()
    watched.adapter.failures = 100
    await desk.ask(asked(key="a"))
    await watched.adapter.wait_for(lambda: desk.line() == (0, 0))
    seen = await scrape(watched)
    assert seen.value("saseo_answer_seconds_count", outcome="answered") == 1
    assert seen.value("saseo_questions_total", platform="slack", outcome="failed") == 1
    assert seen.value("saseo_questions_total", platform="slack", outcome="answered") == 0


async def test_a_question_that_no_store_took_counts_as_failed(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await watched.desk()
    real = watched.store.run

    async def away(work: Any, *args: Any, **options: Any) -> Any:
        if work.__name__ == "claim":
            raise StoreError(where="x", reason="away")
        return await real(work, *args, **options)

    monkeypatch.setattr(watched.store, "run", away)
    await desk.ask(asked(key="a"))
    await watched.adapter.reply("a")
    await watched.adapter.wait_for(lambda: desk.line() == (0, 0))
    seen = await scrape(watched)
    assert seen.value("saseo_questions_total", platform="slack", outcome="failed") == 1
    assert seen.value("saseo_questions_asked_total", platform="slack") == 1
