"""`/wiki 색인`: asked for by admins, answered in private."""

from __future__ import annotations

import pytest

from adapters.slack.adapter import SlackAdapter
from bot.conversation import PlaceSettings
from bot.errors import JobPaused, NoJobsHere
from tests.adapters.slack.desk import ScriptedDesk
from tests.fakes.slack import SlackServer


@pytest.mark.parametrize("words", ["색인", "reindex", " Reindex "])
async def test_an_admin_has_the_index_made_anew_and_is_told_in_private(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter, words: str
) -> None:
    kim, lee = slack.user("U1"), slack.user("U2")
    await kim.slash("/wiki", words, "C1")
    await slack.wait_for(lambda: kim.sees("C1"))
    assert "다시 색인하도록 요청했습니다." in kim.sees("C1")[0].text
    ((place, told),) = desk.reindexed
    assert place == "C1"
    await told("문서 12개, 구절 34개로 다시 색인했습니다. & 끝")
    assert [m.text for m in kim.sees("C1")][1:] == ["문서 12개, 구절 34개로 다시 색인했습니다. &amp; 끝"]
    assert lee.sees("C1") == []
    assert desk.asked == []
    assert slack.pings == []
    assert slack.violations == []


async def test_who_is_no_admin_is_refused(slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter) -> None:
    lee = slack.user("U2")
    await lee.slash("/wiki", "색인", "C1")
    await slack.wait_for(lambda: lee.sees("C1"))
    assert "관리자만 할 수 있습니다" in lee.sees("C1")[0].text
    assert desk.reindexed == []
    assert slack.violations == []


async def test_why_it_cannot_be_is_said_in_the_language_of_the_channel(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    kim = slack.user("U1")
    desk.reindex_refusal = NoJobsHere()
    await kim.slash("/wiki", "색인", "C1")
    await slack.wait_for(lambda: len(kim.sees("C1")) == 1)
    assert "[jobs] enabled = false" in kim.sees("C1")[0].text
    assert "saseo index" in kim.sees("C1")[0].text
    desk.settings = PlaceSettings(language="en")
    desk.reindex_refusal = JobPaused(job="reindex")
    await kim.slash("/wiki", "reindex", "C1")
    await slack.wait_for(lambda: len(kim.sees("C1")) == 2)
    assert "is paused" in kim.sees("C1")[1].text
    assert slack.violations == []


async def test_a_question_about_the_index_is_a_question(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    kim = slack.user("U1")
    await kim.slash("/wiki", "색인 방법을 알려 주세요", "C1")
    await slack.wait_for(lambda: desk.asked)
    assert [asked.text for asked in desk.asked] == ["색인 방법을 알려 주세요"]
    assert desk.reindexed == []
    await desk.settled()


async def test_admins_find_the_command_beside_the_settings(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    kim, lee = slack.user("U1"), slack.user("U2")
    for one in (kim, lee):
        await one.slash("/wiki", "설정", "C1")
    await slack.wait_for(lambda: kim.sees("C1") and lee.sees("C1"))
    assert "`/wiki 색인`" in kim.sees("C1")[0].body
    assert "`/wiki 색인`" not in lee.sees("C1")[0].body
