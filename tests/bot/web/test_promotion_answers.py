"""A promotion in the console answers in the running service: real llama.cpp over a tiny model, the real following of releases."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.live import name_of
from bot.messages import Question
from bot.store.database import Store
from bot.web.pages.models import models
from bot.writers.engine import WritingReport
from bot.writers.llamacpp import LlamaCppEngine
from knowledge.search import SearchIndex
from tests.bot.releases.conftest import Company as Shelved
from tests.bot.releases.test_following import serving
from tests.bot.web.conftest import Opening
from tests.bot.web.lora_shelf import make_company, seen


async def test_what_is_promoted_in_the_console_answers_soon_and_what_answered_does_again_after_going_back(
    browse: Opening, store: Store, index: SearchIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrote: list[str] = []  # the tiny model's words mean nothing; what the engine had attached while it wrote them does
    write = LlamaCppEngine.write

    def writing(engine: LlamaCppEngine, request, stop):  # type: ignore[no-untyped-def]
        for event in write(engine, request, stop):
            if isinstance(event, WritingReport):
                wrote.append(name_of(engine.lora))
            yield event

    monkeypatch.setattr(LlamaCppEngine, "write", writing)
    company = make_company(store, tmp_path)
    first, second, _ = company.names
    company.evaluate(first)
    company.evaluate(second, first)
    async with serving(Shelved(store, company.shelf, tmp_path / "tiny.gguf", company.names), index) as service:
        browser = browse([models(replace(company.parts(), live=service.flow.live))])
        assert "기반 모델(LoRA 없음)" in (await browser.get("/models")).text
        assert f"{first}(으)로 답합니다" in (await browser.post("/models/promote", {"name": first})).text
        await service.until(first)
        page = (await browser.get("/models")).text
        assert f'<p class="who"><a href="/models/lora/{first}">' in page
        assert "몇 초 걸립니다" not in page
        await service.flow.answer(Question("연차는 며칠 전까지 신청합니까?", "q1"))
        assert set(wrote) == {first}
        await browser.post("/models/promote", {"name": second, "share": "40"})
        await service.until(first, second)
        page = (await browser.get("/models")).text
        await browser.post("/models/rollback", {"seen": seen(page)})
        await service.until(first)
        page = (await browser.get("/models")).text
        await browser.post("/models/rollback", {"seen": seen(page)})
        await service.until("none")
        wrote.clear()
        await service.flow.answer(Question("연차는 며칠 전까지 신청합니까?", "q2"))
        assert set(wrote) == {"none"}
