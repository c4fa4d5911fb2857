"""Plots as people meet them: drawn from the data beside them, with the same numbers as a table."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from bot.web.charts import Chart, Series
from bot.web.page import Page
from tests.bot.web.browser.conftest import Serving, Visiting, barriers

pytestmark = pytest.mark.slow
SEOUL = ZoneInfo("Asia/Seoul")
FIRST = 1_763_996_400.0  # 2025-11-25 00:00 in Seoul
CHART = Chart(
    "질문 <b>",
    "사흘 동안 질문이 늘었습니다.",
    [FIRST + 86400 * day for day in range(3)],
    [Series("답변", [1, 2, 30], "good"), Series("실패", [None, 1, 0], "bad")],
    SEOUL,
    kind="stack",
)
TEMPLATE = (
    '{% extends "base.html" %}{% import "macros.html" as ui with context %}'
    "{% block content %}<h1>P</h1>{{ ui.plot(chart) }}{% endblock %}"
)


@pytest.fixture
async def address(serve: Serving, monkeypatch: pytest.MonkeyPatch) -> str:
    from bot.web import texts

    real = texts.import_module
    monkeypatch.setattr(texts, "import_module", lambda name: real("bot.web.texts.common"))

    async def show(request: Request) -> Response:
        renderer = request.app.state.renderer
        values = {"viewer": request.state.viewer, "pages": (), "here": "", "said": "", "chart": CHART}
        return HTMLResponse(renderer._environment.from_string(TEMPLATE).render(**values))

    return await serve([Page("today", "/", (Route("/", show),))])


async def test_a_plot_is_drawn_and_its_legend_tells_the_newest_values_until_one_points(
    address: str, visit: Visiting
) -> None:
    tab = await visit(address)
    legend = tab.locator(".u-legend")
    assert "답변30" in (await legend.inner_text()).replace("\n", "").replace("\t", "")
    await tab.locator(".u-over").hover(position={"x": 5, "y": 50})
    assert "답변1" in (await legend.inner_text()).replace("\n", "").replace("\t", "")
    await tab.locator("h1").hover()
    assert "답변30" in (await legend.inner_text()).replace("\n", "").replace("\t", "")


async def test_days_are_those_of_the_wiki_wherever_the_browser_is(address: str, visit: Visiting) -> None:
    tab = await visit(address)  # a browser in New York
    await tab.get_by_text("표로 보기").click()
    assert await tab.locator("details tbody th").all_inner_texts() == ["2025-11-25", "2025-11-26", "2025-11-27"]
    assert "11. 27." in await tab.locator(".u-legend").inner_text()


async def test_the_numbers_stand_in_a_table_too(address: str, visit: Visiting) -> None:
    tab = await visit(address)
    await tab.get_by_text("표로 보기").click()
    rows = [await row.locator("td").all_inner_texts() for row in await tab.locator("details tbody tr").all()]
    assert rows == [["1", "–"], ["2", "1"], ["30", "0"]]
    assert await tab.get_by_role("img", name=CHART.summary).is_visible()
    assert await barriers(tab) == []
