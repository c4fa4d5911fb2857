"""모델 as an admin meets it: promote, try, roll back, and the losses of a training that runs."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from bot.store.database import Store
from bot.store.schema import job_runs
from tests.bot.web.browser.conftest import PHONE, Serving, Visiting, barriers
from tests.bot.web.lora_shelf import Company, make_company

pytestmark = pytest.mark.slow


@pytest.fixture
def company(store: Store, tmp_path: Path) -> Company:
    return make_company(store, tmp_path)


def steps(first: int, last: int) -> list[dict[str, Any]]:
    return [
        {"event": "step", "step": n, "steps": 40, "loss": 2.0 / n, "seconds_left": 60.0} for n in range(first, last + 1)
    ]


async def test_an_admin_promotes_a_lora_and_rolls_it_back(serve: Serving, visit: Visiting, company: Company) -> None:
    first, second, _ = company.names
    company.evaluate(first)
    company.evaluate(second, first)
    address = await serve([company.page()])
    tab = await visit(address, f"/models/lora/{first}", expected=("dialog: ",))
    tab.on("dialog", lambda dialog: dialog.accept())
    await tab.get_by_role("button", name="배포", exact=True).click()
    await tab.locator("#said > *", has_text="(으)로 답합니다").wait_for()
    assert company.answers() == first
    await tab.locator("#now").get_by_role("link", name=second).click()
    await tab.get_by_label("대화의 비율(%)").fill("10")
    await tab.get_by_role("button", name="배포", exact=True).click()
    await tab.locator(".trial", has_text="대화의 10%에 시험 중").wait_for()
    await tab.locator(".answering summary").click()
    await tab.locator("#rollback").click()
    await tab.locator(".trial").wait_for(state="detached")
    await tab.locator(".answering summary").click()
    await tab.get_by_label("이유(기록에 남습니다)").first.fill("시험을 마침")
    await tab.locator("#rollback").click()
    await tab.get_by_role("cell", name="시험을 마침").wait_for()
    assert company.answers() == "none"


async def test_a_question_that_is_answered_no_changes_nothing(
    serve: Serving, visit: Visiting, company: Company
) -> None:
    company.evaluate(company.names[0])
    tab = await visit(await serve([company.page()]), f"/models/lora/{company.names[0]}", expected=("dialog: ",))
    tab.on("dialog", lambda dialog: dialog.dismiss())
    await tab.get_by_role("button", name="배포", exact=True).click()
    assert tab.url.endswith(company.names[0])
    assert company.answers() == "none"


async def test_the_page_notices_by_itself_when_the_service_has_taken_over(
    serve: Serving, visit: Visiting, company: Company
) -> None:
    company.live = company.parts().live()
    company.evaluate(company.names[0])
    company.releases.promote(company.names[0], by="auto")
    tab = await visit(await serve([company.page()]), "/models")
    await tab.locator(".settling").wait_for()
    company.live = None
    await tab.locator(".who", has_text=company.names[0]).wait_for()
    await tab.locator(".settling").wait_for(state="detached")


async def test_the_losses_of_a_running_training_grow_while_one_looks(
    serve: Serving, visit: Visiting, company: Company
) -> None:
    run = company.tune([{"event": "held_out", "step": 0, "loss": 2.5}, *steps(1, 5)], now=time.time())
    tab = await visit(await serve([company.page()]), "/models")
    await tab.locator("#running .uplot canvas").wait_for()
    assert "단계 5 / 40" in await tab.locator("#running").inner_text()
    with (company.runs / run.id / "plain" / "progress.jsonl").open("a", encoding="utf-8") as file:
        file.write("".join(json.dumps(line) + "\n" for line in steps(6, 9)))
    await tab.locator("#running", has_text="단계 9 / 40").wait_for()
    await tab.locator("#running .uplot canvas").wait_for()


async def test_a_training_that_begins_later_appears_by_itself_and_so_does_its_end(
    serve: Serving, visit: Visiting, company: Company
) -> None:
    tab = await visit(await serve([company.page()]), "/models")
    await tab.clock.install()
    await tab.reload()
    assert await tab.locator("#running").inner_text() == ""
    company.tune(steps(1, 5), now=time.time())
    await tab.clock.fast_forward(21_000)
    await tab.locator("#running", has_text="단계 5 / 40").wait_for()
    await tab.locator("#running .uplot canvas").wait_for()
    company.store.run_now(lambda connection: connection.execute(job_runs.update().values(state="done")))
    await tab.clock.fast_forward(5_000)
    await tab.locator("#running h2").wait_for(state="detached")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("phone", [False, True])
async def test_nothing_serious_stands_in_the_way_of_anyone(
    serve: Serving, visit: Visiting, company: Company, dark: bool, phone: bool
) -> None:
    first, second, third = company.names
    company.evaluate(first)
    company.releases.promote(first, by="auto")
    company.evaluate(second, first, passed=False)
    company.releases.promote(second, by="kim", share=0.2, overrule=True, reason="시연")
    company.releases.mark(third, "잊어 달라고 함", by="privacy")
    company.tune(steps(1, 5), now=time.time())
    address = await serve([company.page()])
    viewport = PHONE if phone else None
    for path in ("/models", f"/models/lora/{second}", f"/models/lora/{third}"):
        tab = await visit(address, path, dark=dark, viewport=viewport)
        assert await barriers(tab) == []
        assert await tab.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
