"""From the first status to exactly one final message, also when Slack refuses on the way."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from adapters.slack.adapter import SlackAdapter
from adapters.slack.delivery import SlackDelivery
from bot.conversation import PlaceSettings
from bot.messages import Citation, Outcome
from tests.adapters.slack.conftest import TIMING, running
from tests.adapters.slack.desk import CITATIONS, SENTENCES, ScriptedDesk, answer
from tests.fakes.slack import Message, Sent, SlackServer

FULL = "".join(SENTENCES)


def only_final(slack: SlackServer, sent: Sent) -> Message:
    """The one message of the bot in a thread: finished, with thumbs; nothing else of ours stands there."""
    [found] = [m for m in slack.thread("C1", sent.ts) if m.by_bot]
    assert found.finished
    assert found.metadata is not None
    assert found.metadata["event_type"] == "saseo_answer"
    assert any(element["action_id"] == "answer_feedback" for _, element in found.elements())
    return found


def readable(message: Message) -> str:
    """The answer as people read it: the blocks where there are any of its text, else what was streamed."""
    return next((block["text"] for block in message.blocks if block["type"] == "markdown"), message.text)


@asynccontextmanager
async def asked(slack: SlackServer, desk: ScriptedDesk) -> AsyncIterator[Sent]:
    """A mention, delivered; afterwards nothing was sent that no correct bot sends."""
    sent = await slack.user("U1").mention("C1", "연차는 며칠인가요?")
    await slack.wait_for(lambda: desk.tasks)
    await desk.settled()
    assert desk.failed == []
    yield sent
    assert slack.violations == []
    assert slack.status("C1", sent.ts) == ""
    assert sent.message is not None
    assert sent.message.reactions == {}


# Waiting


async def test_the_status_comes_at_once_and_is_refreshed_while_the_wait_lasts(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    slack.assistant.status_seconds = 0.8
    desk.hold_status.clear()
    sent = await slack.user("U1").mention("C1", "연차는?")
    await slack.wait_for(lambda: len(slack.calls_of("assistant.threads.setStatus")) >= 4)
    assert slack.status("C1", sent.ts) == "위키에서 찾고 있습니다…"
    first = slack.calls_of("assistant.threads.setStatus")[0]
    assert first.args["loading_messages"] == ["위키에서 찾고 있습니다…"]
    desk.hold_status.set()
    await desk.settled()
    count = len(slack.calls_of("assistant.threads.setStatus"))
    await slack.user("U1").mention("C1", "반차는?")
    await desk.settled()
    again = [c for c in slack.calls_of("assistant.threads.setStatus")[count:] if c.args["thread_ts"] == sent.ts]
    assert again == []
    only_final(slack, sent)


async def test_the_newest_of_many_statuses_is_shown(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    desk.statuses = tuple(f"앞에 {n}건이 있습니다." for n in range(20, 0, -1))
    desk.hold_status.clear()
    sent = await slack.user("U1").mention("C1", "연차는?")
    await slack.wait_for(lambda: slack.status("C1", sent.ts) == "앞에 1건이 있습니다.")
    assert len(slack.calls_of("assistant.threads.setStatus")) <= 6
    desk.hold_status.set()
    await desk.settled()


@pytest.mark.parametrize("way", ["unsupported", "missing_scope", "slow", "ratelimited"])
async def test_where_no_status_is_possible_eyes_show_within_a_second(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter, way: str
) -> None:
    if way == "unsupported":
        slack.assistant.unsupported = {"public"}
    elif way == "missing_scope":
        slack.fault("assistant.threads.setStatus", error="missing_scope", times=None)
    elif way == "slow":
        slack.fault("assistant.threads.setStatus", delay=20, times=1)
    else:
        slack.fault("assistant.threads.setStatus", status=429, retry_after=30, times=1)
    desk.hold_status.clear()
    async with asyncio.timeout(45):
        sent = await slack.user("U1").mention("C1", "연차는?")
        assert sent.message is not None
        await slack.wait_for("reactions.add")
    eyes = slack.calls_of("reactions.add")[0]
    status = slack.calls_of("assistant.threads.setStatus")[0]
    assert eyes.time - status.time < 8.0  # 0.7 s where nothing else runs; the faults above last 20 s and more
    assert list(sent.message.reactions) == ["eyes"]
    desk.hold_status.set()
    await desk.settled()
    only_final(slack, sent)
    assert sent.message.reactions == {}
    assert slack.violations == []


async def test_where_not_even_eyes_are_possible_a_note_becomes_the_answer(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    slack.assistant.unsupported = {"public"}
    slack.withhold("reactions:write")
    desk.statuses = ("위키에서 찾고 있습니다…", "구절 4개를 읽고 있습니다…")
    desk.hold_status.clear()
    sent = await slack.user("U1").mention("C1", "연차는?")
    await slack.wait_for("chat.postMessage")
    [note] = [m for m in slack.thread("C1", sent.ts) if m.by_bot]
    await slack.wait_for(lambda: desk.drafts)
    assert desk.drafts["000000000001"] == [f"C1:{note.ts}"]
    desk.hold_status.set()
    await desk.settled()
    assert only_final(slack, sent).ts == note.ts
    assert "연차는 15일입니다." in note.body
    assert "찾고 있습니다" not in note.body + note.text
    assert slack.calls_of("chat.startStream") == []


async def test_a_private_wait_is_seen_by_the_asker_alone(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    desk.hold_status.clear()
    kim = slack.user("U1")
    await kim.slash("/wiki", "연차는?", "C1")
    await slack.wait_for(lambda: kim.sees("C1"))
    assert kim.sees("C1")[0].text == "위키에서 찾고 있습니다…"
    desk.hold_status.set()
    await desk.settled()
    assert [m for m in slack.messages("C1") if m.ephemeral_to != "U1"] == []
    uses = slack.calls_of("response_url")
    assert len(uses) == 2


async def test_a_long_private_wait_says_once_more_how_it_stands(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    desk.hold_status.clear()
    kim = slack.user("U1")
    await kim.slash("/wiki", "연차는?", "C1")
    await slack.wait_for(lambda: slack.calls_of("response_url"))
    for waiting in (5, 4):
        await desk.deliveries["000000000001"].status(f"앞에 질문 {waiting}건이 있습니다.")
    await slack.wait_for(lambda: len(slack.calls_of("response_url")) == 2)
    await desk.deliveries["000000000001"].status("답변을 쓰고 있습니다…")
    await asyncio.sleep(1.5)
    desk.hold_status.set()
    await desk.settled()
    uses = slack.calls_of("response_url")
    assert [use.args["text"] for use in uses[:-1]] == ["위키에서 찾고 있습니다…", "앞에 질문 4건이 있습니다."]
    assert [use.args["replace_original"] for use in uses] == [False, True, True]
    assert "연차는 15일입니다." in kim.sees("C1")[-1].body


# Streaming


async def test_a_stream_shows_sentences_as_they_come_and_ends_complete(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    desk.hold_finish.clear()
    sent = await slack.user("U1").mention("C1", "연차는?")
    await slack.wait_for(lambda: any(m.streaming and m.text for m in slack.thread("C1", sent.ts)))
    [growing] = [m for m in slack.thread("C1", sent.ts) if m.streaming]
    assert growing.text.startswith("연차는 15일입니다.")
    desk.hold_finish.set()
    await desk.settled()
    assert only_final(slack, sent).text == FULL
    start = slack.calls_of("chat.startStream")[0]
    assert (start.args["recipient_user_id"], start.args["recipient_team_id"]) == ("U1", "T0TEAM")


async def test_many_small_pieces_become_few_appends_and_no_character_is_lost(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    desk.sentences = tuple(f"{n}번째 문장입니다. " for n in range(100))
    desk.answer = lambda _: answer("".join(desk.sentences).strip(), citations=())
    async with asked(slack, desk) as sent:
        assert only_final(slack, sent).text.split() == "".join(desk.sentences).split()
    assert len(slack.calls_of("chat.startStream")) == 1
    assert len(slack.calls_of("chat.appendStream")) <= 10


async def test_appends_keep_their_pace(slack: SlackServer, desk: ScriptedDesk) -> None:
    async with running(slack, desk, replace(TIMING, pace=0.4)) as adapter:
        desk.hold_status.clear()
        sent = await slack.user("U1").mention("C1", "연차는?")
        await slack.wait_for(lambda: desk.asked)
        delivery = desk.delivery("000000000001")
        for n in range(12):
            await delivery.write(f"{n}번째 문장입니다. ")
            await asyncio.sleep(0.1)
        text = "".join(f"{n}번째 문장입니다. " for n in range(12))
        await desk.finish("000000000001", delivery, answer(text))
        times = [c.time for c in slack.calls if c.method in ("chat.startStream", "chat.appendStream")]
        assert len(times) >= 3
        assert all(later - earlier >= 0.2 for earlier, later in itertools.pairwise(times))
        assert [m.text.split() for m in slack.thread("C1", sent.ts) if m.by_bot] == [text.split()]
        assert adapter.health().connected


async def test_what_differs_from_the_streamed_text_is_replaced(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    desk.answer = lambda _: answer("관련 문서의 내용을 그대로 옮깁니다. 연차는 15일이다. [1]")
    async with asked(slack, desk) as sent:
        found = only_final(slack, sent)
        assert "그대로 옮깁니다" in found.text
        assert "인사 시스템에서 합니다" not in found.text
        [markdown] = [block["text"] for block in found.blocks if block["type"] == "markdown"]
        assert "그대로 옮깁니다" in markdown
        assert "https://wiki.example.com/hr/leave" in markdown
    assert [c.method for c in slack.calls if c.method in ("chat.stopStream", "chat.update")] == [
        "chat.stopStream",
        "chat.update",
    ]


async def test_a_very_long_answer_is_cut_and_says_so(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    desk.sentences = tuple(f"{n}번째 문장은 이만큼 깁니다. " for n in range(400))
    desk.answer = lambda _: answer("".join(desk.sentences))
    async with asked(slack, desk) as sent:
        found = only_final(slack, sent)
        assert "일부만 보여 드립니다" in found.body
        assert len(readable(found)) < 4000


async def test_a_failure_after_a_few_sentences_shows_the_failure_alone(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    failure = "답변하는 중에 문제가 생겼습니다. 잠시 후 다시 질문해 주십시오. (문의 번호 000000000001)"
    desk.answer = lambda _: answer(failure, outcome=Outcome.FAILED, citations=())
    async with asked(slack, desk) as sent:
        found = only_final(slack, sent)
        assert failure in found.body
        assert "연차" not in found.body


async def test_without_streaming_one_message_is_posted(slack: SlackServer, desk: ScriptedDesk) -> None:
    async with running(slack, desk, streaming=False), asked(slack, desk) as sent:
        found = only_final(slack, sent)
        assert FULL in found.text
        assert (found.args["unfurl_links"], found.args["unfurl_media"]) == (False, False)
        assert slack.calls_of("chat.startStream") == []


async def test_past_the_budget_one_message_is_posted(slack: SlackServer, desk: ScriptedDesk) -> None:
    async with running(slack, desk, streams_per_minute=1):
        async with asked(slack, desk) as first:
            only_final(slack, first)
        async with asked(slack, desk) as second:
            only_final(slack, second)
        assert len(slack.calls_of("chat.startStream")) == 1
        assert len(slack.calls_of("chat.postMessage")) == 1


async def test_where_streaming_is_not_supported_one_message_is_posted(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    slack.chat.unsupported = {"public"}
    async with asked(slack, desk) as sent:
        only_final(slack, sent)


# Faults: whatever goes wrong, exactly one complete message


@pytest.mark.parametrize("fault", ["429", "500", "reset", "applied_reset", "refused"])
@pytest.mark.parametrize(
    "method", ["assistant.threads.setStatus", "chat.startStream", "chat.appendStream", "chat.stopStream"]
)
async def test_a_fault_in_the_middle_of_a_stream(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter, method: str, fault: str
) -> None:
    faults: dict[str, dict[str, Any]] = {
        "429": {"status": 429, "retry_after": 1},
        "500": {"status": 500},
        "reset": {"drop_connection": True},
        "applied_reset": {"drop_connection": True, "applied": True},
        "refused": {"error": "internal_error"},
    }
    slack.fault(method, **faults[fault])
    desk.sentences = tuple(f"{n}번째 문장입니다. " for n in range(6))
    desk.sentence_seconds = 0.08
    desk.answer = lambda _: answer("".join(desk.sentences), citations=CITATIONS)
    sent = await slack.user("U1").mention("C1", "연차는?")
    await slack.wait_for(lambda: desk.tasks)
    await desk.settled()
    assert desk.failed == []
    assert any(call.error for call in slack.calls_of(method))
    found = only_final(slack, sent)
    read = readable(found)
    assert all(read.count(sentence.strip()) == 1 for sentence in desk.sentences)
    assert desk.delivered == {"000000000001": f"C1:{found.ts}"}


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "retry_after": 1},
        {"status": 503},
        {"drop_connection": True},
        {"drop_connection": True, "applied": True},
        {"status": 500, "applied": True, "times": 2},
        {"error": "invalid_blocks"},
        {"error": "thread_not_found"},
    ],
    ids=["429", "503", "reset", "applied and reset", "applied and 500", "blocks refused", "thread gone"],
)
async def test_a_fault_of_the_final_post(slack: SlackServer, desk: ScriptedDesk, fault: dict[str, Any]) -> None:
    async with running(slack, desk, streaming=False):
        slack.fault("chat.postMessage", **fault)
        await slack.user("U1").mention("C1", "연차는?")
        await slack.wait_for(lambda: desk.tasks)
        await desk.settled()
        assert desk.failed == []
        [found] = slack.final_answers("C1")
        assert "연차는 15일입니다." in found.body + found.text


async def test_a_burst_under_slacks_limits_is_answered_completely(slack: SlackServer, desk: ScriptedDesk) -> None:
    slack.web_api.limits.enabled = True
    slack.web_api.limits.window = 3.0
    slack.web_api.limits.per_window = {"1": 1, "2": 8, "3": 30, "4": 60}
    async with running(slack, desk, streams_per_minute=6):
        kim = slack.user("U1")
        sent = [await kim.mention("C1", f"{n}번 질문?") for n in range(12)]
        await slack.wait_for(lambda: len(desk.delivered) + len(desk.failed) == 12, timeout=30)
        assert desk.failed == []
        for one in sent:
            only_final(slack, one)
        assert len(slack.calls_of("chat.startStream")) == 6
        assert slack.violations == []


async def test_slack_ends_the_stream_itself(slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter) -> None:
    desk.hold_finish.clear()
    sent = await slack.user("U1").mention("C1", "연차는?")
    await slack.wait_for(lambda: any(m.streaming for m in slack.thread("C1", sent.ts)))
    [growing] = [m for m in slack.thread("C1", sent.ts) if m.streaming]
    slack.end_stream(growing)
    desk.hold_finish.set()
    await desk.settled()
    assert FULL in only_final(slack, sent).body


async def test_a_draft_that_cannot_be_rewritten_is_deleted_and_posted_anew(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    slack.fault("chat.appendStream", error="message_not_in_streaming_state", times=None)
    slack.fault("chat.update", error="cant_update_message", times=None)
    desk.answer = lambda _: answer("다른 답입니다.", citations=())
    async with asked(slack, desk) as sent:
        assert "다른 답입니다." in only_final(slack, sent).body


async def test_where_the_bot_was_removed_the_asker_is_answered_directly(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    desk.hold_status.clear()
    await slack.user("U1").mention("C1", "연차는?")
    await slack.wait_for(lambda: desk.asked)
    slack.workspace.channels["C1"].members.discard(slack.bot_user)
    desk.hold_status.set()
    await desk.settled()
    [found] = slack.final_answers(slack.user("U1").im)
    assert "연차는 15일입니다." in found.body


async def test_nothing_gets_through(slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter) -> None:
    for method in ("chat.startStream", "chat.postMessage"):
        slack.fault(method, error="account_inactive", times=None)
    await slack.user("U1").mention("C1", "연차는?")
    await slack.wait_for(lambda: desk.failed)
    assert "account_inactive" in desk.failed[0].explain("ko")


async def test_what_may_have_got_through_is_not_posted_again_unseen(slack: SlackServer, desk: ScriptedDesk) -> None:
    async with running(slack, desk, streaming=False):
        slack.fault("chat.postMessage", status=503, applied=True)
        slack.fault("conversations.replies", status=503, times=5)
        sent = await slack.user("U1").mention("C1", "연차는?")
        await slack.wait_for(lambda: desk.failed, timeout=20)
        [standing] = [m for m in slack.thread("C1", sent.ts) if m.by_bot]
        await desk.finish_again("000000000001")
        assert desk.delivered["000000000001"] == f"C1:{standing.ts}"
        assert [m for m in slack.thread("C1", sent.ts) if m.by_bot] == [standing]
    assert slack.violations == []


async def test_a_post_that_a_deadline_cut_short_is_looked_for(slack: SlackServer, desk: ScriptedDesk) -> None:
    async with running(slack, desk, streaming=False):
        slack.fault("chat.postMessage", delay=1.5)
        desk.finish_seconds = 0.7
        sent = await slack.user("U1").mention("C1", "연차는?")
        await slack.wait_for(lambda: [m for m in slack.thread("C1", sent.ts) if m.by_bot])
        desk.finish_seconds = 30.0
        await desk.settled()
        await desk.finish_again("000000000001")
        assert len([m for m in slack.thread("C1", sent.ts) if m.by_bot]) == 1
        assert desk.delivered


async def test_a_private_answer_survives_a_dead_response_url(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    slack.response_urls.life_seconds = 0.0
    kim = slack.user("U1")
    await kim.slash("/wiki", "연차는?", "C1")
    await slack.wait_for(lambda: desk.delivered)
    assert "연차는 15일입니다." in kim.sees("C1")[-1].body
    assert desk.delivered["000000000001"] == f"C1:{kim.sees('C1')[-1].ts}"


# After a crash


async def test_a_private_answer_whose_blocks_are_refused_comes_as_text(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    slack.response_urls.life_seconds = 0.0
    slack.fault("chat.postEphemeral", error="invalid_blocks")
    kim = slack.user("U1")
    await kim.slash("/wiki", "연차는?", "C1")
    await slack.wait_for(lambda: desk.delivered)
    assert desk.failed == []
    assert "연차는 15일입니다." in kim.sees("C1")[-1].text
    assert kim.sees("C1")[-1].blocks == []
    assert slack.messages(kim.im) == []


async def test_find_sees_a_finished_answer(slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter) -> None:
    sent = await slack.user("U1").mention("C1", "연차는?")
    await slack.wait_for(lambda: desk.delivered)
    again = desk.delivery("000000000001")
    assert await again.find() == desk.delivered["000000000001"]
    only_final(slack, sent)


async def test_find_asks_again_when_slack_stumbles(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    await slack.user("U1").mention("C1", "연차는?")
    await slack.wait_for(lambda: desk.delivered)
    slack.fault("conversations.replies", status=500, times=2)
    assert await desk.delivery("000000000001").find() == desk.delivered["000000000001"]


async def test_find_clears_a_stream_that_nobody_finished(slack: SlackServer, desk: ScriptedDesk) -> None:
    async with running(slack, desk):
        desk.hold_finish.clear()
        sent = await slack.user("U1").mention("C1", "연차는?")
        await slack.wait_for(lambda: any(m.streaming for m in slack.thread("C1", sent.ts)))
    assert any(m.streaming for m in slack.thread("C1", sent.ts))
    for draft in (desk.drafts["000000000001"][-1], ""):
        async with running(slack, desk):
            delivery = desk.delivery("000000000001", draft)
            assert await delivery.find() is None
            assert [m for m in slack.thread("C1", sent.ts) if m.by_bot] == []
            if draft:  # and once more with a draft that the dead process could not remember
                for sentence in SENTENCES:
                    await delivery.write(sentence)
                await slack.wait_for(lambda: any(m.streaming for m in slack.thread("C1", sent.ts)))
            else:
                desk.hold_finish.set()
                await desk.deliver("000000000001")
    only_final(slack, sent)


async def test_find_leaves_other_answers_of_the_thread_alone(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    first = await slack.user("U1").mention("C1", "연차는?")
    await slack.wait_for(lambda: desk.delivered)
    await slack.user("U1").mention("C1", "반차는?", first.ts)
    await slack.wait_for(lambda: len(desk.delivered) == 2)
    desk.questions["0000000000ff"] = desk.questions["000000000001"]
    assert await desk.delivery("0000000000ff").find() is None
    assert len(slack.final_answers("C1", first.ts)) == 2


async def two_in_a_thread(slack: SlackServer, desk: ScriptedDesk) -> tuple[Sent, SlackDelivery]:
    """Two questions wait in one thread: the first one's message, and the delivery of whoever takes that one over."""
    desk.hold_status.clear()
    desk.hold_finish.clear()
    first = await slack.user("U1").mention("C1", "연차는?")
    await slack.wait_for(lambda: desk.deliveries)
    await slack.user("U1").mention("C1", "반차는?", first.ts)
    await slack.wait_for(lambda: len(desk.deliveries) == 2)
    again = desk.delivery("000000000001")
    assert isinstance(again, SlackDelivery)
    return first, again


@pytest.mark.parametrize("late", [0.0, 1.0], ids=["known", "its start is not answered yet"])
async def test_find_leaves_what_another_question_streams_in_the_thread_alone(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter, late: float
) -> None:
    first, again = await two_in_a_thread(slack, desk)
    slack.fault("chat.startStream", late=late)
    await desk.deliveries["000000000002"].write("반차는 반나절입니다. ")
    await slack.wait_for(lambda: any(m.streaming for m in slack.thread("C1", first.ts)))
    assert await again.find() is None
    assert [m.streaming for m in slack.thread("C1", first.ts) if m.by_bot] == [True]


async def test_find_leaves_an_answer_alone_that_was_finished_while_it_looked(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    first, again = await two_in_a_thread(slack, desk)
    other = desk.deliveries["000000000002"]
    await other.write(FULL)
    await slack.wait_for(lambda: any(m.streaming for m in slack.thread("C1", first.ts)))
    slack.fault("conversations.replies", late=2.0)
    looks = len(slack.calls_of("conversations.replies"))
    finding = asyncio.create_task(again.find())
    await slack.wait_for(lambda: len(slack.calls_of("conversations.replies")) > looks)
    await desk.finish("000000000002", other, answer(FULL))
    assert await finding is None
    assert len(slack.final_answers("C1", first.ts)) == 1


async def test_find_never_sees_a_private_answer(slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter) -> None:
    await slack.user("U1").slash("/wiki", "연차는?", "C1")
    await slack.wait_for(lambda: desk.delivered)
    assert await desk.delivery("000000000001").find() is None


async def test_a_delivery_with_a_draft_goes_into_it(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    desk.hold_finish.clear()
    sent = await slack.user("U1").mention("C1", "연차는?")
    await slack.wait_for(lambda: desk.drafts)
    delivery = desk.delivery("000000000001", desk.drafts["000000000001"][0])
    await desk.finish("000000000001", delivery, answer())
    for task in desk.tasks:
        task.cancel()
    assert FULL in only_final(slack, sent).body


# When another process goes on, or nobody


async def left(slack: SlackServer, desk: ScriptedDesk) -> int:
    """The desk has left the first question, and the delivery has nothing to do any more: how many calls there were so far."""
    delivery = desk.deliveries["000000000001"]
    assert isinstance(delivery, SlackDelivery)
    await delivery.leave()
    await slack.wait_for(lambda: not [t for t in asyncio.all_tasks() if "000000000001" in t.get_name()], timeout=10)
    return len(slack.calls)


async def test_the_status_of_a_question_that_was_left_is_not_refreshed(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    desk.hold_status.clear()
    await slack.user("U1").mention("C1", "연차는?")
    await slack.wait_for("assistant.threads.setStatus", count=2)
    calls = await left(slack, desk)
    await desk.deliveries["000000000001"].status("답변을 쓰고 있습니다…")
    await asyncio.sleep(3 * TIMING.refresh)
    assert len(slack.calls) == calls


async def test_no_other_sign_is_tried_for_a_question_that_was_left(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    slack.fault("assistant.threads.setStatus", error="missing_scope", delay=0.5)
    desk.hold_status.clear()
    await slack.user("U1").mention("C1", "연차는?")
    await slack.wait_for(lambda: slack.calls_of("assistant.threads.setStatus"))
    await left(slack, desk)
    assert slack.calls_of("reactions.add") == []
    assert slack.calls_of("chat.postMessage") == []


async def test_a_stream_that_was_left_grows_no_more_and_is_cleared_by_whoever_goes_on(
    slack: SlackServer, desk: ScriptedDesk
) -> None:
    async with running(slack, desk, replace(TIMING, pace=1.0)):
        desk.hold_finish.clear()
        sent = await slack.user("U1").mention("C1", "연차는?")
        await slack.wait_for(lambda: any(m.streaming for m in slack.thread("C1", sent.ts)))
        calls = await left(slack, desk)
        await desk.deliveries["000000000001"].write(" 또 다른 문장입니다. ")
        await asyncio.sleep(1.5)
        assert len(slack.calls) == calls
        assert [m.streaming for m in slack.thread("C1", sent.ts) if m.by_bot] == [True]
        again = desk.delivery("000000000001", desk.drafts["000000000001"][-1])
        assert await again.find() is None
        await desk.finish("000000000001", again, answer())
        only_final(slack, sent)


async def test_no_stream_starts_for_a_question_that_was_left(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    desk.hold_status.clear()
    await slack.user("U1").mention("C1", "연차는?")
    await slack.wait_for("assistant.threads.setStatus")
    await left(slack, desk)
    await desk.deliveries["000000000001"].write(FULL)
    await asyncio.sleep(0.5)
    assert slack.calls_of("chat.startStream") == []


async def test_leaving_an_answer_that_stands_does_nothing(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    async with asked(slack, desk) as sent:
        calls = len(slack.calls)
        assert await left(slack, desk) == calls
        only_final(slack, sent)


# What is shown


async def test_an_abstention_lists_the_nearest_pages(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    near = (Citation(1, "a.md", "복지 <!channel> & 혜택", "https://wiki.example.com/a|b", "", ""),)
    desk.sentences = ()
    desk.answer = lambda _: answer(
        "위키에서 답을 찾지 못했습니다.", outcome=Outcome.ABSTAINED, citations=(), nearest=near
    )
    async with asked(slack, desk) as sent:
        body = only_final(slack, sent).body
        assert "*가까운 문서*" in body
        assert "<https://wiki.example.com/a%7Cb|" in body
    assert slack.pings == []


async def test_english_where_english_is_spoken(slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter) -> None:
    desk.settings = PlaceSettings(language="en")
    await slack.user("U1").mention("C1", "How many days?")
    await slack.wait_for(lambda: desk.delivered)
    assert '"language": "en"' in desk.asked[0].reply_to


# What the asker is told once


NOTICE = "질문을 90일 동안 저장합니다. <!channel>"


async def test_in_a_channel_the_asker_alone_is_told_what_is_kept(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    desk.options["notice"] = NOTICE
    async with asked(slack, desk) as sent:
        [final] = [m for m in slack.thread("C1", sent.ts) if m.by_bot and not m.ephemeral_to]
        assert "90일" not in final.body + final.text
        await slack.wait_for(lambda: [m for m in slack.messages("C1") if m.ephemeral_to])
        [told] = [m for m in slack.messages("C1") if m.ephemeral_to]
    assert told.ephemeral_to == "U1"
    assert "질문을 90일 동안 저장합니다." in told.text
    assert "<!channel>" not in told.text


async def test_where_only_the_asker_reads_it_stands_under_the_answer(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    desk.options["notice"] = NOTICE
    kim = slack.user("U1")
    await kim.slash("/wiki", "연차는?", "C1")
    await slack.wait_for(lambda: desk.tasks)
    await desk.settled()
    seen = kim.sees("C1")[-1]
    assert "질문을 90일 동안 저장합니다." in seen.body
    assert "<!channel>" not in seen.body
    assert slack.violations == []


async def test_that_ai_wrote_it_is_said_unless_it_is_switched_off(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    async with asked(slack, desk) as sent:
        assert "AI가 생성한 답변입니다." in only_final(slack, sent).body
    desk.options["ai_notice"] = False
    other = await slack.user("U1").mention("C1", "반차는?")
    await slack.wait_for(lambda: len(desk.tasks) == 2)
    await desk.settled()
    final = only_final(slack, other)
    assert "AI가" not in final.body
    assert "문의 번호" in final.body
