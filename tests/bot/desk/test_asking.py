"""Questions at the desk: one outcome each, whatever happens on the way."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from sqlalchemy import Connection, select

from bot.conversation import Receipt
from bot.errors import StoreError
from bot.messages import Outcome
from bot.settings import PlaceTable
from bot.store import answers, days, questions, schema
from tests.bot.desk.conftest import CHANNEL, DIRECT, GOOD, KIM, LEE, THREAD, Bench, asked


def outcomes(bench: Bench) -> dict[str, int]:
    return bench.stores[0].run_now(questions.outcomes, since=0.0)


def drafts_and_tokens(bench: Bench) -> list[tuple[str, str]]:
    def read(connection: Connection) -> list[tuple[str, str]]:
        rows = connection.execute(select(schema.questions.c.reply_to, schema.questions.c.draft))
        return [(row.reply_to, row.draft) for row in rows]

    return bench.stores[0].run_now(read)


async def test_an_answer_is_streamed_posted_and_kept(bench: Bench) -> None:
    desk = await bench.start_desk()
    assert await desk.ask(asked(key="a")) is Receipt.ACCEPTED
    reply = await bench.adapter.reply("a")
    sent = bench.adapter.sent["a"]
    assert sent.statuses[0] == "위키에서 찾고 있습니다…"
    assert "".join(sent.written) == reply.answer.text == GOOD[:-5] + ". [1]"
    assert reply.answer.outcome is Outcome.ANSWERED
    assert (reply.can_vote, reply.can_escalate, reply.can_share, reply.private) == (True, False, False, False)
    await bench.adapter.wait_for(lambda: outcomes(bench) == {"answered": 1})
    assert await desk.answer_at("slack", "M0") == reply.answer_id
    kept = bench.stores[0].run_now(answers.get, reply.answer_id)
    assert kept is not None
    assert kept.answer == reply.answer
    assert kept.answer.shown[0].page == "휴가.md"
    assert drafts_and_tokens(bench) == [("", "")]


async def test_the_flow_is_told_the_conversation_so_that_one_lora_answers_all_of_it(bench: Bench) -> None:
    desk = await bench.start_desk()
    for key, place in (("a", THREAD), ("b", DIRECT), ("c", CHANNEL)):
        await desk.ask(asked(key=key, place=place))
        await bench.adapter.reply(key)
    assert [question.conversation for question in bench.flow.questions] == ["slack:C1:1.0", "slack:D1:", ""]


async def test_a_redelivery_is_not_answered_again(bench: Bench) -> None:
    desk = await bench.start_desk()
    bench.flow.gate.clear()
    assert await desk.ask(asked(key="a")) is Receipt.ACCEPTED
    assert await desk.ask(asked(key="a")) is Receipt.DUPLICATE
    bench.flow.gate.set()
    await bench.adapter.wait_for(lambda: outcomes(bench) == {"answered": 1})
    bench.now += 1e6
    assert await desk.ask(asked(key="a")) is Receipt.DUPLICATE
    assert len(bench.flow.questions) == 1


async def test_two_processes_on_one_store_answer_once(bench: Bench) -> None:
    first, second = await bench.start_desk(), await bench.start_desk()
    receipts = await asyncio.gather(*(desk.ask(asked(key=f"q{n}")) for n in range(10) for desk in (first, second)))
    assert receipts.count(Receipt.ACCEPTED) + receipts.count(Receipt.REFUSED) == 10
    assert receipts.count(Receipt.DUPLICATE) == 10
    await bench.adapter.wait_for(lambda: len(bench.adapter.posted) == 10)


async def test_abstaining_offers_the_contacts_where_there_are_some(bench: Bench) -> None:
    desk = await bench.start_desk(PlaceTable(platform="slack", id="C1", contacts=("U9",)))
    await desk.ask(asked("피아노 조율은 어떻게 합니까?", key="a"))
    await desk.ask(asked("피아노 조율은 어떻게 합니까?", key="b", place=DIRECT))
    there, elsewhere = await bench.adapter.reply("a"), await bench.adapter.reply("b")
    assert there.answer.outcome is Outcome.ABSTAINED
    assert there.can_escalate
    assert there.can_vote
    assert not elsewhere.can_escalate


async def test_a_place_may_speak_english(bench: Bench) -> None:
    desk = await bench.start_desk(PlaceTable(platform="slack", id="*", language="en"))
    await desk.ask(asked("피아노 조율은 어떻게 합니까?", key="a"))
    reply = await bench.adapter.reply("a")
    assert reply.answer.text.startswith("The wiki does not seem")
    assert bench.adapter.sent["a"].statuses[0] == "Searching the wiki…"


async def test_a_full_queue_is_told_at_once_and_ends_the_question(bench: Bench) -> None:
    desk = await bench.start_desk(queue_size=2, at_once=1)
    bench.flow.gate.clear()
    receipts = [await desk.ask(asked(key=f"q{n}", person=person(n))) for n in range(5)]
    assert receipts == [Receipt.ACCEPTED] * 3 + [Receipt.REFUSED] * 2
    reply = await bench.adapter.reply("q3")
    assert "지금 질문 2건이 기다리고 있어" in reply.answer.text
    assert reply.answer.outcome is Outcome.FAILED
    assert not reply.can_vote
    bench.flow.gate.set()
    await bench.adapter.wait_for(lambda: outcomes(bench) == {"answered": 3, "failed": 2})


async def test_a_person_over_their_limit_is_told_so_and_others_are_served(bench: Bench) -> None:
    desk = await bench.start_desk(per_person=2)
    bench.flow.gate.clear()
    assert [await desk.ask(asked(key=f"q{n}")) for n in range(3)] == [Receipt.ACCEPTED] * 2 + [Receipt.REFUSED]
    assert "아직 답하고 있는 질문이 2건" in (await bench.adapter.reply("q2")).answer.text
    assert await desk.ask(asked(key="lee", person=LEE)) is Receipt.ACCEPTED


async def test_waiting_people_see_their_place_in_line(bench: Bench) -> None:
    desk = await bench.start_desk(at_once=1)
    bench.flow.gate.clear()
    for n in range(3):
        await desk.ask(asked(key=f"q{n}", person=person(n)))
    sent = bench.adapter.sent
    await bench.adapter.wait_for(lambda: len(sent["q2"].statuses) > 1)
    assert sent["q1"].statuses[1] == "앞에 질문 1건이 있습니다. 차례가 되면 바로 답변합니다."
    assert sent["q2"].statuses[1].startswith("앞에 질문 2건")
    bench.flow.gate.set()
    await bench.adapter.wait_for(lambda: outcomes(bench) == {"answered": 3})
    assert bench.flow.most_inside == 1


async def test_questions_of_one_thread_are_answered_in_order(bench: Bench) -> None:
    desk = await bench.start_desk(at_once=4, per_person=9)
    bench.flow.gate.clear()
    for n in range(4):
        await desk.ask(asked(f"연차 질문 {n}", key=f"q{n}", place=THREAD))
    bench.flow.gate.set()
    await bench.adapter.wait_for(lambda: len(bench.adapter.posted) == 4)
    assert [question.text for question in bench.flow.questions] == [f"연차 질문 {n}" for n in range(4)]
    assert bench.flow.most_inside == 1


@pytest.mark.parametrize("word", [
        "그만", "그만!", " 멈춰 ", "STOP", "그만해 줘", "멈춰 줘", "취소해 줘", "그만해 주세요", "중지해주십시오.", "취소해 주세요!",
    ],
)  # fmt: skip
async def test_stop_ends_the_persons_own_questions_there(bench: Bench, word: str) -> None:
    desk = await bench.start_desk()
    bench.flow.gate.clear()
    await desk.ask(asked(key="mine"))
    await desk.ask(asked(key="other", person=LEE))
    await bench.adapter.wait_for(lambda: bool(bench.flow.questions))
    assert await desk.ask(asked(word, key="stop")) is Receipt.STOPPED
    stopped = await bench.adapter.reply("mine")
    assert stopped.answer.text == "답변을 멈췄습니다."
    assert stopped.answer.outcome is Outcome.FAILED
    assert "stopped" in stopped.answer.notes
    bench.flow.gate.set()
    assert (await bench.adapter.reply("other")).answer.outcome is Outcome.ANSWERED


async def test_a_question_about_stopping_is_a_question(bench: Bench) -> None:
    desk = await bench.start_desk()
    for n, text in enumerate(("연차 취소는 어떻게 해?", "그만두면 퇴직금은?", "취소해 준 결재는?")):
        assert await desk.ask(asked(text, key=f"q{n}")) is Receipt.ACCEPTED


async def test_stop_with_nothing_to_stop_says_so(bench: Bench) -> None:
    desk = await bench.start_desk()
    assert await desk.ask(asked("그만", key="stop")) is Receipt.STOPPED
    assert (await bench.adapter.reply("stop")).answer.text == "지금 답하고 있는 질문이 없습니다."


@pytest.mark.parametrize("word", ["감사합니다!", "네, 알겠습니다.", "고마워요 ㅎㅎ", "넵", "Thank you"])
async def test_thanks_are_returned_and_not_searched(bench: Bench, word: str) -> None:
    desk = await bench.start_desk()
    await desk.ask(asked(word, key="thanks"))
    reply = await bench.adapter.reply("thanks")
    assert reply.answer.text.startswith("궁금한 점이 더 있으면")
    assert not reply.can_escalate
    assert bench.flow.questions == []
    await bench.adapter.wait_for(lambda: outcomes(bench) == {"failed": 1})
    found = bench.stores[0].run_now(days.count, 0.0, float(2**40)).get(days.EVERYWHERE)
    assert found is None or found.questions == 0


async def test_numbers_do_not_count_what_was_none_and_who_was_told_to_wait(bench: Bench) -> None:
    desk = await bench.start_desk(per_person=1)
    bench.flow.gate.clear()
    for key, text in (
        ("answered", "연차는?"),
        ("over the limit", "휴가는?"),
        ("wish", "내 평가를 학습에 쓰지 마세요."),
    ):
        await desk.ask(asked(text, key=key))
    await desk.ask(asked("그만", person=LEE, key="stop"))
    for key in ("over the limit", "wish", "stop"):
        await bench.adapter.reply(key)
    bench.flow.gate.set()
    await bench.adapter.wait_for(lambda: outcomes(bench) == {"answered": 1, "failed": 3})
    found = bench.stores[0].run_now(days.count, 0.0, float(2**40))[days.EVERYWHERE]
    assert (found.questions, found.answered, found.failed) == (1, 1, 0)


async def test_a_failed_answer_says_so_with_the_id_that_is_in_the_log(
    bench: Bench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await bench.start_desk()

    def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("비밀 문서의 글")

    monkeypatch.setattr(bench.flow.live().index, "search", broken)
    with caplog.at_level(logging.INFO):
        await desk.ask(asked("비밀 질문", key="a"))
        reply = await bench.adapter.reply("a")
        await bench.adapter.wait_for(lambda: outcomes(bench) == {"failed": 1})
    assert reply.question_id in reply.answer.text
    assert reply.question_id in caplog.text
    assert "비밀 질문" not in caplog.text


async def test_posting_is_tried_again_and_given_up_in_the_end(bench: Bench) -> None:
    desk = await bench.start_desk()
    bench.adapter.failures = 2
    await desk.ask(asked(key="a"))
    assert (await bench.adapter.reply("a")).answer.outcome is Outcome.ANSWERED
    bench.adapter.failures = 3
    await desk.ask(asked(key="b"))
    await bench.adapter.wait_for(lambda: outcomes(bench) == {"answered": 1, "failed": 1})
    assert "b" not in [key for key, sent in bench.adapter.sent.items() if sent.replies]


async def test_a_crash_before_the_answer_asks_again(bench: Bench) -> None:
    first = await bench.start_desk()
    bench.flow.gate.clear()
    await first.ask(asked(key="a"))
    await bench.adapter.wait_for(lambda: bool(bench.flow.questions))
    await die(bench, first)
    bench.now += 31
    bench.flow.gate.set()
    await bench.start_desk()
    assert (await bench.adapter.reply("a")).answer.outcome is Outcome.ANSWERED
    assert len(bench.flow.questions) == 2
    await bench.adapter.wait_for(lambda: outcomes(bench) == {"answered": 1})


async def test_a_crash_between_answer_and_posting_posts_the_kept_answer(bench: Bench) -> None:
    bench.retry_after = (60.0,)
    first = await bench.start_desk()
    bench.adapter.failures = 1000
    await first.ask(asked(key="a"))
    await bench.adapter.wait_for(lambda: bench.adapter.failures < 1000)
    await die(bench, first)
    bench.adapter.failures = 0
    bench.now += 31
    await bench.start_desk()
    reply = await bench.adapter.reply("a")
    assert reply.answer.outcome is Outcome.ANSWERED
    assert len(bench.flow.questions) == 1
    assert bench.adapter.drafts[-1] == "draft-1"


async def test_a_crash_between_posting_and_writing_it_down_posts_nothing_more(bench: Bench) -> None:
    first = await bench.start_desk()
    posted = asyncio.Event()
    task: list[asyncio.Task[Any]] = []

    def crash() -> None:
        current = asyncio.current_task()
        assert current is not None
        task.append(current)
        current.cancel()
        posted.set()

    bench.adapter.crash_after_posting = crash
    await first.ask(asked(key="a"))
    await asyncio.wait_for(posted.wait(), 40)
    await asyncio.wait(task)
    await die(bench, first)
    bench.adapter.crash_after_posting = None
    bench.now += 31
    second = await bench.start_desk()
    await bench.adapter.wait_for(lambda: outcomes(bench) == {"answered": 1})
    assert len(bench.adapter.sent["a"].replies) == 1
    assert await second.answer_at("slack", "M0") == bench.adapter.sent["a"].replies[0].answer_id


async def test_a_redelivery_takes_an_expired_claim_over_at_once(bench: Bench) -> None:
    first = await bench.start_desk()
    bench.flow.gate.clear()
    await first.ask(asked(key="a"))
    await die(bench, first)
    bench.flow.gate.set()
    second = bench.open_desk()
    assert await second.ask(asked(key="a")) is Receipt.DUPLICATE
    bench.now += 31
    assert await second.ask(asked(key="a")) is Receipt.ACCEPTED
    assert (await bench.adapter.reply("a")).answer.outcome is Outcome.ANSWERED


async def test_a_question_that_kills_every_process_is_given_up_with_a_word(bench: Bench) -> None:
    bench.flow.gate.clear()
    for _ in range(4):
        desk = await bench.start_desk()
        if len(bench.desks) == 1:
            await desk.ask(asked(key="a"))
        want = len(bench.desks)
        await bench.adapter.wait_for(lambda want=want: len(bench.flow.questions) >= want)  # type: ignore[misc]
        await die(bench, desk)
        bench.now += 31
    await bench.start_desk()
    reply = await bench.adapter.reply("a")
    assert "too_many_attempts" in reply.answer.notes
    await bench.adapter.wait_for(lambda: outcomes(bench) == {"failed": 1})


async def test_who_lost_the_claim_posts_nothing(bench: Bench) -> None:
    first = await bench.start_desk()
    bench.flow.gate.clear()
    await first.ask(asked(key="a"))
    await bench.adapter.wait_for(lambda: bool(bench.flow.questions))
    assert first._intake._keeper is not None
    first._intake._keeper.cancel()  # paused past its lease
    await asyncio.gather(first._intake._keeper, return_exceptions=True)
    bench.now += 31
    second = await bench.start_desk()
    await bench.adapter.wait_for(lambda: len(bench.flow.questions) == 2)
    bench.flow.gate.set()
    await bench.adapter.wait_for(lambda: outcomes(bench) == {"answered": 1})
    await bench.adapter.wait_for(lambda: bench.adapter.sent["a"].left == 2)  # neither goes on showing anything
    await first.close(drain=5.0)
    await second.close(drain=5.0)
    assert len(bench.adapter.sent["a"].replies) == 1


async def test_closing_finishes_what_it_can_and_hands_the_rest_on(bench: Bench) -> None:
    first = await bench.start_desk(at_once=1)
    bench.flow.gate.clear()
    for n in range(2):
        await first.ask(asked(key=f"q{n}", person=person(n)))
    await bench.adapter.wait_for(lambda: bool(bench.flow.questions))
    await first.close(drain=0.05)
    assert bench.adapter.sent["q1"].statuses[-1] == "사서를 다시 시작하고 있습니다. 시작되면 이어서 답변합니다."
    assert await first.ask(asked(key="late")) is Receipt.ACCEPTED  # by the next process
    bench.flow.gate.set()
    await bench.start_desk()
    await bench.adapter.wait_for(lambda: outcomes(bench) == {"answered": 3})


async def test_without_a_store_the_person_gets_a_word(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = await bench.start_desk()

    async def down(*_: Any, **__: Any) -> Any:
        raise StoreError(where="x", reason="disk full")

    with monkeypatch.context() as patch:
        patch.setattr(bench.stores[0], "run", down)
        assert await desk.ask(asked(key="a")) is Receipt.REFUSED
        reply = await bench.adapter.reply("a")
    assert reply.answer.outcome is Outcome.FAILED
    assert reply.question_id in reply.answer.text


def person(n: int) -> Any:
    return type(KIM)("slack", f"U{n}")


async def die(bench: Bench, desk: Any) -> None:
    """As kill -9: tasks vanish, nothing is written any more."""
    intake = desk._intake
    intake._keeper.cancel()
    tasks = [pending.task for pending in intake._open.values()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(intake._keeper, *tasks, return_exceptions=True)
    intake._open.clear()


async def test_a_stop_word_heard_late_does_not_stop_what_was_asked_since(bench: Bench) -> None:
    first = await bench.start_desk()
    first._intake._closing = True
    await first.ask(asked("그만", key="stop"))
    await die(bench, first)
    bench.now += 5
    bench.flow.gate.clear()
    second = bench.open_desk()
    await second.start()
    await second.ask(asked(key="since"))
    second.ready("slack")  # only now is what the first one left taken up
    await bench.adapter.reply("stop")
    bench.flow.gate.set()
    await bench.adapter.wait_for(lambda: outcomes(bench) == {"answered": 1, "failed": 1})


@pytest.mark.parametrize("posted", [False, True])
async def test_a_stop_word_left_by_a_closing_process_is_no_question_for_the_next(bench: Bench, posted: bool) -> None:
    first = await bench.start_desk()
    first._intake._closing = True
    await first.ask(asked("그만", key="stop"))
    await die(bench, first)
    if posted:  # and only its end was not written down
        [question] = bench.stores[0].run_now(questions.expired, ["slack"], now=bench.now)
        bench.adapter.posted[question] = "M0"
    await bench.start_desk()
    await bench.adapter.wait_for(lambda: outcomes(bench) == {"failed": 1})
    assert [one.answer.text for one in bench.adapter.sent["stop"].replies] == (
        [] if posted else ["지금 답하고 있는 질문이 없습니다."]
    )
    assert bench.flow.questions == []
    found = bench.stores[0].run_now(days.count, 0.0, float(2**40)).get(days.EVERYWHERE)
    assert found is None or found.questions == 0


@pytest.mark.parametrize("pause", [0.0, 0.001, 0.01])
async def test_closing_never_hangs_however_soon_it_comes(bench: Bench, pause: float) -> None:
    for _ in range(20):
        desk = await bench.start_desk()
        await asyncio.sleep(pause)
        desk._intake.ready("slack")  # wakes the keeper just when it is cancelled
        async with asyncio.timeout(40):
            await desk.close(drain=1.0)
