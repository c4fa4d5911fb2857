"""A running service takes over what was released: real llama.cpp, real store, questions all the while."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from bot.answering.flow import AnswerFlow, FlowOptions
from bot.errors import LoraRefused
from bot.live import Canary, Live, name_of
from bot.lora_app import LoraParts
from bot.messages import Answer, Question
from bot.releases.choosing import Choice, Released, released
from bot.releases.following import follow, prepare
from bot.settings import Settings
from bot.store import releases
from bot.worker import ModelWorker
from bot.writers.engine import LoraFile, WritingReport
from bot.writers.llamacpp import LlamaCppEngine
from bot.writers.llamacpp_writer import LlamaCppWriter
from knowledge.search import SearchIndex
from tests.bot.releases.conftest import Company

EVERY = 0.02


@pytest.fixture
def url(tmp_path: Path) -> str:
    """SQLite is enough here."""
    return f"sqlite:///{tmp_path / 'saseo.sqlite'}"


@dataclass
class Service:
    """What `saseo serve` puts together, over a tiny model. The tiny model's words mean nothing; stamps and the engine's LoRA do."""

    company: Company
    worker: ModelWorker
    flow: AnswerFlow

    @property
    def answers(self) -> str:
        return name_of(self.flow.live().lora)

    async def until(self, lora: str, canary: str = "") -> None:
        async with asyncio.timeout(20):
            while True:
                live = self.flow.live()
                if (name_of(live.lora), name_of(live.canary.lora) if live.canary else "") == (lora, canary):
                    return
                await asyncio.sleep(EVERY)

    async def a_few_looks(self) -> None:
        await asyncio.sleep(8 * EVERY)


@contextlib.asynccontextmanager
async def serving(
    company: Company, index: SearchIndex, setting: str = "auto", clock: Callable[[], float] = time.monotonic
) -> AsyncIterator[Service]:
    worker = ModelWorker(
        lambda: LlamaCppEngine(company.base, context_tokens=2048, threads=1), queue_size=16, per_person=16
    )
    await worker.start()
    live = Live(index, index.analyser, LlamaCppWriter(worker=worker), "m", None, "p", 2.0)
    flow = AnswerFlow(lambda: live, FlowOptions(max_answer_tokens=12))
    choosing = company.choosing(setting)
    read = partial(company.store.run, released, choosing.base())
    following = follow(read, choosing, worker, flow, known=Released(), every=EVERY, clock=clock)
    task = asyncio.create_task(following)
    try:
        yield Service(company, worker, flow)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        flow.close()
        await worker.close(drain=False)


async def test_a_release_answers_soon_and_going_back_too(company: Company, index: SearchIndex) -> None:
    first, second, _ = company.names
    async with serving(company, index) as service:
        company.promote(first)
        await service.until(first)
        company.evaluate(second, first)
        company.releases().promote(second, by="auto", share=0.5)
        await service.until(first, second)
        company.releases().promote(second, by="auto")
        await service.until(second)
        company.releases().rollback(by="kim")
        await service.until(first)
        company.releases().mark(first, "forgotten", by="privacy")
        await service.until("none")


async def test_a_new_edition_that_is_opened_meanwhile_loses_nothing(company: Company, index: SearchIndex) -> None:
    async with serving(company, index) as service:
        service.flow.swap(replace(service.flow.live(), threshold=3.5))
        company.promote(company.names[0])
        await service.until(company.names[0])
        assert service.flow.live().threshold == 3.5


@pytest.mark.parametrize("spoil", ["gone", "damaged", "card"])
async def test_what_cannot_be_used_is_logged_once_and_what_answered_goes_on(
    company: Company, index: SearchIndex, caplog: pytest.LogCaptureFixture, spoil: str
) -> None:
    first, second, third = company.names
    async with serving(company, index) as service:
        company.promote(first)
        company.promote(second, against=first)
        await service.until(second)
        gguf = company.shelf.card(third).folder / "lora.gguf"
        if spoil == "gone":
            gguf.unlink()
        elif spoil == "damaged":
            gguf.write_bytes(b"GGUF")
        else:
            gguf.with_name("lora.json").write_text("{}")
        with caplog.at_level(logging.ERROR):
            company.store.run_now(releases.add, company.releases().base, third, "promote", by="auto", now=3.0)
            await service.a_few_looks()
        assert service.answers == second
        assert caplog.text.count("release_refused") == 1
        assert str(gguf.parent) not in caplog.text
        company.promote(first, against=third)
        await service.until(first)


@pytest.mark.parametrize("share", [0.0, 0.5])
async def test_what_could_not_be_loaded_is_tried_again_and_each_failure_is_logged(
    company: Company, index: SearchIndex, caplog: pytest.LogCaptureFixture, share: float
) -> None:
    first, second, _ = company.names
    now = 0.0
    async with serving(company, index, clock=lambda: now) as service:
        company.promote(first)
        await service.until(first)
        gguf = company.shelf.card(second).folder / "lora.gguf"
        whole = gguf.read_bytes()
        gguf.write_bytes(b"GGUF")
        company.evaluate(second, first)
        lora, canary = (first, second) if share else (second, "")
        with caplog.at_level(logging.ERROR):
            add = partial(releases.add, by="auto", now=3.0, canary=canary, share=share)
            company.store.run_now(add, company.releases().base, lora, "promote")
            for now, failures in ((0.0, 1), (59.0, 1), (60.0, 2), (179.0, 2), (180.0, 3)):
                await service.a_few_looks()
                assert caplog.text.count("release_refused") == failures, now
        gguf.write_bytes(whole)
        await service.a_few_looks()
        assert (service.answers, service.flow.live().canary) == (first, None)
        now = 180.0 + 240.0
        await service.until(lora, canary)


async def test_what_takes_over_from_what_must_not_answer_is_tried_again_too(
    company: Company, index: SearchIndex
) -> None:
    first, second, _ = company.names
    now = 0.0
    async with serving(company, index, clock=lambda: now) as service:
        company.promote(first)
        company.promote(second, against=first)
        await service.until(second)
        gguf = company.shelf.card(first).folder / "lora.gguf"
        whole = gguf.read_bytes()
        gguf.write_bytes(b"GGUF")
        company.releases().mark(second, "forgotten", by="privacy")
        await service.until("none")
        gguf.write_bytes(whole)
        now = 60.0
        await service.until(first)


async def test_what_was_taken_back_stops_answering_though_what_was_before_is_not_here(
    company: Company, index: SearchIndex, tmp_path: Path
) -> None:
    first, second, _ = company.names
    now = 0.0
    async with serving(company, index, clock=lambda: now) as service:
        company.promote(first)
        company.promote(second, against=first)
        await service.until(second)
        folder = company.shelf.card(first).folder
        folder.rename(tmp_path / "away")
        company.releases().rollback(by="kim")
        await service.until("none")
        (tmp_path / "away").rename(folder)
        now = 60.0
        await service.until(first)


@pytest.mark.parametrize("late", ["file", "engine"])
async def test_what_could_not_be_had_at_the_start_answers_once_it_can(
    company: Company, index: SearchIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, late: str
) -> None:
    """`file`: it is not there. `engine`: llama.cpp does not take it, for want of memory, say."""
    first = company.names[0]
    company.promote(first)
    warned: list[str] = []
    folder = company.shelf.card(first).folder
    assert folder.parent == tmp_path / "loras"
    settings = Settings(data_dir=tmp_path)
    parts = LoraParts(settings, lambda: company.releases().base, warned.append)
    choosing = parts.choosing()
    async with serving(company, index, "none") as service:
        found = parts.released(choosing, company.store)
        with monkeypatch.context() as short:
            if late == "file":
                folder.rename(tmp_path / "away")
            else:
                short.setattr(LlamaCppEngine, "load_lora", _refuses)
            ready = await parts.prepared(service.worker, choosing, parts.choice(choosing, found))
            assert (ready.lora, len(warned)) == (None, 1)
        if late == "file":
            (tmp_path / "away").rename(folder)
        following = parts.following(choosing, found, ready, company.store, service.worker, service.flow, every=EVERY)
        async with following:
            await service.until(first)


def _refuses(engine: LlamaCppEngine, lora: LoraFile) -> None:
    raise LoraRefused(name=lora.name, reason="memory")


async def test_what_must_not_answer_any_more_does_not_even_when_what_should_take_over_is_broken(
    company: Company, index: SearchIndex
) -> None:
    first, second, _ = company.names
    async with serving(company, index) as service:
        company.promote(first)
        company.promote(second, against=first)
        await service.until(second)
        (company.shelf.card(first).folder / "lora.gguf").write_bytes(b"GGUF")
        company.releases().mark(second, "forgotten", by="privacy")
        await service.until("none")


async def test_a_store_that_is_away_is_logged_once_and_looked_for_again(
    company: Company, index: SearchIndex, caplog: pytest.LogCaptureFixture
) -> None:
    away = True

    async def read() -> Released:
        if away:
            raise OSError
        return await company.store.run(released, company.releases().base)

    async with serving(company, index, "none") as service:
        task = asyncio.create_task(
            follow(read, company.choosing(), service.worker, service.flow, known=Released(), every=EVERY)
        )
        with caplog.at_level(logging.ERROR):
            company.promote(company.names[0])
            await service.a_few_looks()
            assert service.answers == "none"
            assert caplog.text.count("releases_unreachable") == 1
            away = False
            await service.until(company.names[0])
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_pinned_lora_stays_whatever_is_released_but_not_once_it_is_marked(
    company: Company, index: SearchIndex
) -> None:
    first, second, _ = company.names
    async with serving(company, index, setting=second) as service:
        company.promote(first)
        await service.until(second)
        company.releases().mark(second, "forgotten", by="privacy")
        await service.until("none")


async def test_what_is_prepared_is_in_memory_and_a_canary_that_is_broken_is_left_out(
    company: Company, index: SearchIndex, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = company.shelf.card(company.names[0]).file
    broken = LoraFile("broken", tmp_path / "none.gguf", "")
    async with serving(company, index) as service:
        with caplog.at_level(logging.ERROR):
            ready = await prepare(service.worker, Choice(good, "released", Canary(broken, 0.5, 1)))
        assert (ready.lora, ready.canary, ready.lacking) == (good, None, True)
        assert "broken" in caplog.text


async def test_a_lora_that_cannot_be_attached_costs_nobody_an_answer(
    company: Company, index: SearchIndex, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its file went away after it was chosen, say."""
    async with serving(company, index) as service:
        service.flow.swap(replace(service.flow.live(), lora=LoraFile("gone", tmp_path / "gone.gguf", "")))
        with caplog.at_level(logging.ERROR):
            answer = await service.flow.answer(Question("연차는 며칠 전까지 신청합니까?", "q1"))
    assert (answer.outcome.value, answer.model, answer.lora) == ("answered", "extractive", "none")
    assert "WriterFailed" in answer.notes
    assert "lora_refused" in caplog.text


async def test_fifty_releases_under_continuous_questions_drop_none_and_every_stamp_is_what_the_engine_used(
    company: Company, index: SearchIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The benchmark (benchmarks/hot_swap.py) proves the same by the text."""
    wrote: list[tuple[str, str]] = []
    write = LlamaCppEngine.write

    def writing(engine: LlamaCppEngine, request, stop):  # type: ignore[no-untyped-def]
        for event in write(engine, request, stop):
            if isinstance(event, WritingReport):
                wrote.append((name_of(request.lora), name_of(engine.lora)))
            yield event

    monkeypatch.setattr(LlamaCppEngine, "write", writing)
    first, second, third = company.names
    got: list[Answer] = []
    over = asyncio.Event()

    async def ask(service: Service, person: int) -> None:
        n = 0
        while not over.is_set():
            n += 1
            question = Question("연차는 며칠 전까지 신청합니까?", f"q{person}-{n}", f"U{person}")
            got.append(await service.flow.answer(question))

    async with serving(company, index) as service:
        people = [asyncio.create_task(ask(service, person)) for person in range(3)]
        base = company.releases().base
        for n in range(50):
            lora = (first, second, third, "none")[n % 4]
            canary = (second, third, "none", first)[n % 4] if n % 3 == 0 else ""
            add = partial(releases.add, canary=canary, share=0.5 if canary else 0.0)
            await company.store.run(add, base, lora, "promote", by="auto", now=float(n))
            await service.until(lora, canary)
        over.set()
        await asyncio.gather(*people)
    assert len(got) >= 20
    assert {answer.outcome.value for answer in got} <= {"answered", "abstained"}
    assert all(asked == attached for asked, attached in wrote)
    assert len({asked for asked, _ in wrote}) == 4
