"""물어보기: questions of the console go the way of every other one."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest
from sqlalchemy import select

from adapters.web.adapter import WebAdapter
from bot.desk.desk import ReferenceDesk
from bot.store import questions
from bot.store.database import Store
from bot.store.schema import answers, votes
from bot.store.schema import questions as question_rows
from bot.web.page import Page
from bot.web.pages.ask import ask
from tests.bot.desk.conftest import GOOD, Bench
from tests.bot.web.conftest import Browser, Opening, add_account

SHOWN = GOOD.replace(" [1].", ". [1]")
WANTED = "연차는 며칠 전까지 신청합니까?"


def page_of(desk: ReferenceDesk) -> Page:
    chat = WebAdapter(desk)
    desk.attach(chat)
    desk.ready(chat.name)
    return ask(chat)


@pytest.fixture
async def browser(bench: Bench, browse: Opening) -> Browser:
    one = browse([page_of(await bench.start_desk())])
    await one.get("/ask")
    return one


async def stream(browser: Browser, text: str, **fields: Any) -> list[tuple[str, dict[str, Any]]]:
    """Ask as the page's script does; the events until the end."""
    asked = await browser.post("/ask", {"text": text, **fields}, headers={"accept": "application/json"})
    answer = await browser.get(f"/ask/stream/{asked.json()['stream']}")
    assert answer.headers["content-type"].startswith("text/event-stream")
    return events(answer.text)


def events(text: str) -> list[tuple[str, dict[str, Any]]]:
    found = re.findall(r"id: (\d+)\nevent: (\w+)\ndata: (.*)\n\n", text)
    assert [int(number) for number, _, _ in found] == list(range(int(found[0][0]), int(found[0][0]) + len(found)))
    return [(kind, json.loads(data)) for _, kind, data in found]


async def test_sentences_arrive_one_by_one_and_the_end_has_the_sources(browser: Browser) -> None:
    got = await stream(browser, WANTED)
    assert got[0][0] == "said"
    assert "".join(data["text"] for kind, data in got if kind == "written").strip() == SHOWN
    assert got[-1][0] == "ended"
    assert "연차 규정" in got[-1][1]["html"]
    assert [kind for kind, _ in got].count("ended") == 1


async def test_a_browser_that_lost_its_connection_reads_on_where_it_was(browser: Browser) -> None:
    asked = await browser.post("/ask", {"text": WANTED}, headers={"accept": "application/json"})
    whole = events((await browser.get(f"/ask/stream/{asked.json()['stream']}")).text)
    rest = await browser.get(f"/ask/stream/{asked.json()['stream']}", headers={"last-event-id": "2"})
    assert events(rest.text) == whole[2:]


async def test_without_javascript_the_form_waits_for_the_answer(browser: Browser) -> None:
    page = await browser.post("/ask", {"text": WANTED})
    assert SHOWN in page.text
    assert f'<input type="hidden" name="turn" value="{WANTED}">' in page.text


async def test_a_form_sent_twice_is_one_question(browser: Browser, bench: Bench) -> None:
    key = "a" * 32
    first, second = await asyncio.gather(
        browser.post("/ask", {"text": WANTED, "key": key}), browser.post("/ask", {"text": WANTED, "key": key})
    )
    assert SHOWN in first.text
    assert SHOWN in second.text
    assert len(bench.flow.questions) == 1


async def test_earlier_questions_of_the_page_come_along_and_no_more_than_ten(browser: Browser, bench: Bench) -> None:
    turns = [f"질문 {number}" for number in range(12)]
    await browser.post("/ask", {"text": WANTED, "turn": turns})
    assert bench.flow.questions[-1].turns == tuple(turns[-10:])


async def test_what_an_account_may_read_decides_what_it_is_answered_from(
    bench: Bench, browse: Opening, store: Store
) -> None:
    add_account(store, "kim", "viewer", ["hr"])
    add_account(store, "lee", "viewer")
    page = page_of(await bench.start_desk())
    for name, groups in (("kim", {"hr"}), ("lee", set())):
        browser = browse([page])
        await browser.log_in(name)
        await browser.get("/ask")
        answered = await browser.post("/ask", {"text": "책임 직급의 연봉 상한은 얼마입니까?"})
        assert groups <= bench.flow.questions[-1].groups
        assert ("hr" in bench.flow.questions[-1].groups) == bool(groups)
        assert ("연봉 밴드" in answered.text) == bool(groups)


async def test_nobody_reads_another_accounts_answer(bench: Bench, browse: Opening, store: Store) -> None:
    add_account(store, "kim")
    add_account(store, "lee")
    page = page_of(await bench.start_desk())
    kim, lee = browse([page]), browse([page])
    for browser, name in ((kim, "kim"), (lee, "lee")):
        await browser.log_in(name)
        await browser.get("/ask")
    asked = await kim.post("/ask", {"text": WANTED, "key": "b" * 32}, headers={"accept": "application/json"})
    assert (await lee.get(f"/ask/stream/{asked.json()['stream']}")).status_code == 404
    assert (await kim.get(f"/ask/stream/{asked.json()['stream']}")).status_code == 200


async def test_questions_and_votes_are_kept_like_those_of_a_platform(browser: Browser, bench: Bench) -> None:
    page = await browser.post("/ask", {"text": WANTED})
    answer_id = re.findall(r'name="answer" value="([0-9a-f]{16})"', page.text)[0]
    voted = await browser.post("/ask/vote", {"answer": answer_id, "direction": "down", "correction": "나흘 전입니다."})
    assert "고맙습니다" in voted.text
    kept = bench.stores[-1].run_now(
        lambda connection: connection.execute(
            select(
                question_rows.c.platform,
                question_rows.c.private,
                answers.c.outcome,
                votes.c.direction,
                votes.c.correction,
            )
            .join(answers, answers.c.question == question_rows.c.id)
            .join(votes, votes.c.answer == answers.c.id)
        ).one()
    )
    assert tuple(kept) == ("web", True, "answered", "down", "나흘 전입니다.")
    assert bench.stores[-1].run_now(questions.outcomes, since=0.0) == {"answered": 1}


async def test_a_vote_on_an_answer_that_is_not_theirs_is_refused_in_words(browser: Browser) -> None:
    voted = await browser.post("/ask/vote", {"answer": "0" * 16, "direction": "up"})
    assert "더 이상 의견을 남길 수 없습니다" in voted.text


async def test_what_the_model_writes_is_text_on_the_page(bench: Bench, browse: Opening) -> None:
    bench.writer.script = [GOOD.replace("그룹웨어", "그룹웨어<script>alert(1)</script>")]
    browser = browse([page_of(await bench.start_desk())])
    await browser.get("/ask")
    page = await browser.post("/ask", {"text": WANTED})
    assert "<script>alert" not in page.text


@pytest.mark.parametrize("text", ["", "   ", "\n"])
async def test_nothing_asked_is_said_and_not_asked(browser: Browser, bench: Bench, text: str) -> None:
    assert "질문을 적어 주십시오" in (await browser.post("/ask", {"text": text})).text
    assert bench.flow.questions == []


async def test_stopping_when_nothing_runs_is_answered_and_hangs_nobody(browser: Browser) -> None:
    page = await asyncio.wait_for(browser.post("/ask", {"text": "그만"}), 10)
    assert page.status_code == 200


async def test_both_languages_have_every_sentence(bench: Bench, browse: Opening) -> None:
    browser = browse([page_of(await bench.start_desk())], language="en")
    await browser.get("/ask")
    page = await browser.post("/ask", {"text": WANTED})
    assert "Sources" in page.text
    assert "This answer was generated by AI" in page.text
