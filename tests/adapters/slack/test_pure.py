"""The parts that talk to nobody: reading payloads, rendering, budgets."""

from __future__ import annotations

import asyncio
import json
import logging
import time
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.slack import events, render
from adapters.slack.budget import MinuteBudget, Pace
from adapters.slack.home import home_view
from adapters.slack.log import redact
from adapters.slack.target import Target
from bot.conversation import Escalation, Past, Reply, SourceInfo
from bot.messages import Citation, Outcome
from tests.adapters.slack.desk import answer
from tests.fakes.slack.blocks import check_blocks

BOT = "U0BOT"


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("<@U0BOT> 연차는 며칠인가요?", "연차는 며칠인가요?"),
        ("<@U0BOT|saseo> 연차는?", "연차는?"),
        ("<@U0BOT>에게 묻습니다", "묻습니다"),
        ("<@U0BOT>아, 연차는?", ", 연차는?"),
        ("<@U0BOT>아이폰 신청은?", "아이폰 신청은?"),
        ("<@U0BOT> <@U2> 님이 말한 규정은?", "님이 말한 규정은?"),
        ("<@U0BOT> <@U2>한테 들은 규정은?", "들은 규정은?"),
        ("<#C1|인사팀> 공지는?", "#인사팀 공지는?"),
        ("<!channel> <!here> <!subteam^S1|@hr> 연차는?", "연차는?"),
        ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
        ("<https://wiki.example.com/a|연차 문서> 보면?", "연차 문서 보면?"),
        ("<https://wiki.example.com/a>", "https://wiki.example.com/a"),
        ("<mailto:hr@example.com|hr@example.com>", "hr@example.com"),
        ("<!date^1700000000^{date}|2023-11-14> 공지", "2023-11-14 공지"),
        ("  여러   칸\n\n 두 줄 ", "여러 칸\n두 줄"),
        ("연차", "연차"),
        ("<@U0BOT>", ""),
        ("<", "<"),
    ],
)
def test_what_a_person_typed(sent: str, read: str) -> None:
    assert events.spoken(sent) == read


def test_turns_are_the_newest_ten_of_people() -> None:
    def said(number: int, **more: Any) -> dict[str, Any]:
        return {"type": "message", "user": "U1", "ts": f"1700000000.{number:06d}", "text": f"{number}번"} | more

    thread = [said(n) for n in range(15)]
    thread += [said(15, user=BOT), said(16, bot_id="B1"), said(17, subtype="channel_join"), said(18, text="<@U0BOT>")]
    thread += [said(20), said(21)]
    turns = events.turns(thread, "1700000000.000020", BOT)
    assert turns == tuple(f"{n}번" for n in range(5, 15))
    assert events.turns([], "1700000000.000020", BOT) == ()


def test_an_event_of_a_foreign_workspace_is_keyed_by_our_installation() -> None:
    body = {"team_id": "T9", "event_id": "Ev1", "authorizations": [{"team_id": "T1"}], "event": {}}
    found = events.message({"channel": "C1", "ts": "1.2", "user": "U1", "text": "x"})
    assert found is not None
    assert events.message_keys(body, found) == ("slack:event:Ev1", "slack:message:T1:C1:1.2")


@pytest.mark.parametrize("event", [{}, {"channel": "C1"}, {"channel": "C1", "ts": "1.2", "user": "U1", "bot_id": "B1"}])
def test_what_is_no_message(event: dict[str, Any]) -> None:
    assert events.message(event) is None


def test_settings_as_typed() -> None:
    assert events.assignments(["listen=all", "출처=인사,", "총무", "contacts="]) == (
        {"listen": "all", "출처": "인사, 총무", "contacts": ""},
        [],
    )
    assert events.assignments(["그냥", "listen=all"]) == ({"listen": "all"}, ["그냥"])
    assert events.contact_ids("<@U1|kim>,<!subteam^S1|@hr> U2") == "U1, S1, U2"


def test_a_target_survives_json_and_shows_no_secret() -> None:
    target = Target("C1", "U1", "T1", "ko", thread="1.2", private=True, response_url="https://x/secret")
    assert Target.parse(target.dump()) == target
    assert Target.parse(json.dumps(json.loads(target.dump()) | {"newer": 1})) == target
    assert "secret" not in repr(target)


HOSTILE = (
    "<!channel> <!here|x> <@U1> <!subteam^S1> @everyone ![x](http://evil.example/?q=1) [클릭](http://evil.example) "
    "<http://evil.example> https://evil.example & < > | `code` **굵게** [1] [2] |표|\n|---|\n"
)


def reply(text: str, **more: Any) -> Reply:
    citation = Citation(1, f"p{HOSTILE}", HOSTILE, "https://wiki.example.com/a?b=<c>|d&e", HOSTILE[:50], HOSTILE)
    other = Citation(2, "hr/a.md", "문서", "javascript:alert(1)", "x" * 1000)
    options = {"can_vote": True, "can_escalate": True, "can_share": True} | more
    return Reply("0" * 12, "a" * 16, answer(text, citations=(citation, other)), "ko", True, **options)


@pytest.mark.parametrize(
    "text", [HOSTILE, HOSTILE * 60, "가" * 10_000, "&" * 10_000, "[1]" * 3000, "", "```\n코드", "*" * 5000]
)
def test_whatever_was_written_becomes_blocks_that_slack_takes(text: str) -> None:
    rendered = render.reply(reply(text))
    assert check_blocks(rendered.blocks, "message") == []
    assert 0 < len(rendered.text) <= 4000
    shown = json.dumps(rendered.blocks, ensure_ascii=False) + rendered.text
    for ping in (
        "<!channel>",
        "<!here",
        "<@U1>",
        "<!subteam",
        "@everyone",
        "](http://evil",
        "<http://evil",
        "javascript:",
    ):
        assert ping not in shown, ping


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.sampled_from("가나 <>!@|&*_`~[]()#1\n:/.h") | st.characters(), max_size=300))
def test_random_text_becomes_valid_blocks(text: str) -> None:
    rendered = render.reply(reply(text))
    assert check_blocks(rendered.blocks, "message") == []
    assert "<!" not in rendered.text
    assert "<@" not in rendered.text


def test_a_long_answer_is_cut_and_says_so() -> None:
    rendered = render.reply(reply("연차는 15일입니다. " * 1000))
    [markdown] = [block for block in rendered.blocks if block["type"] == "markdown"]
    assert len(markdown["text"]) <= render.ANSWER_CHARACTERS + 100
    assert "일부만 보여 드립니다" in json.dumps(rendered.blocks, ensure_ascii=False)


def test_every_source_is_listed_however_long_its_address() -> None:
    address = "https://wiki.example.com/" + "%EA%B0%80" * 150
    cited = tuple(Citation(n, f"p{n}", f"문서 {n}", f"{address}{n}", "인용 문장") for n in range(1, 9))
    cited += (Citation(9, "p9", "&" * 150, "https://wiki.example.com/?" + "&a" * 900, "끝"),)
    given = Reply("0" * 12, "a" * 16, answer("답입니다. [1][9]", citations=cited), "ko", False, can_vote=True)
    rendered = render.reply(given)
    assert check_blocks(rendered.blocks, "message") == []
    listed = "\n".join(
        element["text"] for block in rendered.foot if block["type"] == "context" for element in block["elements"]
    )
    for n in range(1, 9):
        assert f"[{n}] <{address}{n}|문서 {n}> — “인용 문장”" in listed
    assert f"[9] {'&amp;' * 149}" in listed, "without its address, which alone would fill more than a block"


def test_only_what_was_cut_says_so() -> None:
    shown = json.dumps(
        render.reply(reply(unicodedata.normalize("NFD", "연차는 15일입니다."))).blocks, ensure_ascii=False
    )
    assert "연차는 15일입니다." in shown
    assert "일부만 보여 드립니다" not in shown


def test_a_refusal_has_no_buttons_and_no_notice() -> None:
    given = Reply("0" * 12, "", answer("질문이 많습니다.", outcome=Outcome.FAILED, citations=()), "ko", False)
    assert [block["type"] for block in render.reply(given).blocks] == ["markdown"]


def test_values_hold_ids_only() -> None:
    values = [
        element.get("value") or (element["positive_button"]["value"], element["negative_button"]["value"])
        for block in render.reply(reply("답")).blocks
        if block["type"] in ("actions", "context_actions")
        for element in block["elements"]
    ]
    assert values == [(f"{'a' * 16}:up", f"{'a' * 16}:down"), "a" * 16, "a" * 16]


def test_the_other_blocks_are_taken_too() -> None:
    call = Escalation("e" * 16, "a" * 16, HOSTILE * 50, ("U1",), "ko")
    assert check_blocks(render.escalation(call, "<@U1>", private=False), "message") == []
    home = home_view((Past(HOSTILE * 20, "answered", 0.0),) * 5, (SourceInfo(HOSTILE, 3),) * 30, language="en")
    assert check_blocks(home["blocks"], "home") == []
    assert "<!channel>" not in str(home)


def test_a_budget_is_spent_and_comes_back() -> None:
    now = [0.0]
    budget = MinuteBudget(2, clock=lambda: now[0])
    assert [budget.try_take(), budget.try_take(), budget.try_take()] == [True, True, False]
    now[0] = 59.9
    assert not budget.try_take()
    now[0] = 60.0
    assert [budget.try_take(), budget.try_take(), budget.try_take()] == [True, True, False]
    assert not MinuteBudget(0).try_take()


async def test_posts_into_one_channel_keep_apart() -> None:
    pace = Pace(0.2)
    begun = time.monotonic()
    await asyncio.gather(*(pace.turn(channel) for channel in ("C1", "C1", "C1", "C2")))
    assert time.monotonic() - begun >= 0.4


@pytest.mark.parametrize(
    "secret",
    [
        "xoxb-1-abc",
        "xapp-1-A-b",
        "wss://wss-primary.slack.com/link/?ticket=abc&app_id=1",
        "ticket=abc",
        "https://hooks.slack.com/actions/T1/2/abc",
        "https://hooks.slack.com/commands/T1/2/abc",
    ],
)
def test_the_sdk_logs_no_secret(secret: str) -> None:
    record = logging.LogRecord("slack", logging.ERROR, "f", 1, "failed: %s", (f"url='{secret}'",), None)
    assert redact(record)
    written = record.getMessage()
    assert "abc" not in written
    assert "xapp-1" not in written
    assert json.loads(written)["event"] == "slack_sdk"
