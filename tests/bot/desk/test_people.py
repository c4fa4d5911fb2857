"""People at the desk: rows never name them, they are told once what is kept, and what they wish is done."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import Connection, select

from bot.conversation import Asked, Person, Receipt, Reply, Vote, VoteReceipt
from bot.desk.desk import ReferenceDesk
from bot.errors import StoreError
from bot.messages import Outcome
from bot.privacy.notices import agreed, first_use, wish
from bot.privacy.pseudonyms import Pseudonyms
from bot.settings import PlaceTable
from bot.store import audit, privacy, questions, schema
from tests.bot.desk.conftest import ADMIN, CHANNEL, DIRECT, KEY, KIM, LEE, Bench, asked

HELP = PlaceTable(platform="slack", id="C1", contacts=("UHELP",))
KIM_NAME = Pseudonyms(KEY).of(KIM.key)


def cells(bench: Bench) -> str:
    def read(connection: Connection) -> str:
        return repr([[tuple(row) for row in connection.execute(select(one))] for one in schema.metadata.sorted_tables])

    return bench.stores[-1].run_now(read)


async def test_after_a_whole_conversation_no_row_names_anybody(bench: Bench) -> None:
    desk = await bench.start_desk(HELP)
    first = await said(bench, desk, asked("피아노 조율은 어떻게 합니까?"))
    await said(bench, desk, asked("연차는 며칠입니까?", place=DIRECT))
    for person in (KIM, LEE):
        await desk.vote(Vote(first.answer_id, person, "down", "button"))
    assert await desk.explain_vote(first.answer_id, LEE, reason="wrong", correction="총무팀입니다.")
    call = await desk.escalate(first.answer_id, LEE)
    assert call is not None
    assert "slack:U2" in cells(bench)  # who called is to be told of the answer …
    assert await desk.resolve(call.id, Person("slack", "UHELP"), answer="총무팀입니다.", consent=True)
    assert await desk.asked_by(first.answer_id) == LEE.key
    assert await desk.asked_by(first.answer_id) is None  # … once
    await desk.change_place(CHANNEL, ADMIN, {"listen": "all"})
    await until_ended(desk)
    left = cells(bench)
    for person in (KIM, LEE, ADMIN):
        assert person.key not in left
        assert f"'{person.id}'" not in left
    assert [one.text for one in await desk.recent(KIM)] == ["연차는 며칠입니까?", "피아노 조율은 어떻게 합니까?"]
    assert [one.action for one in bench.stores[-1].run_now(audit.entries)] == ["place.change"]


async def test_a_direct_message_is_named_by_no_row_once_it_is_answered_and_still_found(bench: Bench) -> None:
    kims = replace(DIRECT, id="DKANARIE1")
    desk = await bench.start_desk(PlaceTable(platform="slack", id=kims.id, contacts=("UHELP",)))
    bench.flow.gate.clear()
    one = replace(asked("피아노 조율은 어떻게 합니까?", place=kims), keys=(f"slack:message:T1:{kims.id}:1.0",))
    await desk.ask(one)
    assert kims.id in cells(bench)  # its answer has to go somewhere, also after a crash
    assert await desk.ask(one) is Receipt.DUPLICATE
    bench.flow.gate.set()
    reply = await bench.adapter.reply(one.reply_to)
    await until_ended(desk)
    assert kims.id not in cells(bench)
    assert await desk.ask(one) is Receipt.DUPLICATE
    assert await desk.answer_at("slack", bench.adapter.posted[reply.question_id]) == reply.answer_id
    assert await desk.may_escalate(reply.answer_id)  # the place's settings are still its own
    await desk.change_place(kims, ADMIN, {"contacts": "", "language": "en"})
    assert desk.place_settings(kims).language == "en"
    again = await bench.start_desk()
    assert again.place_settings(kims).language == "en"
    assert again.place_settings(DIRECT).language == "ko"
    assert kims.id not in cells(bench)


async def said(bench: Bench, desk: ReferenceDesk, one: Asked) -> Reply:
    """What came of it, once its outcome is written down."""
    await desk.ask(one)
    reply = await bench.adapter.reply(one.reply_to)
    await until_ended(desk)
    return reply


async def until_ended(desk: ReferenceDesk) -> None:
    """Its outcome, and what else is written down behind the answer."""
    async with asyncio.timeout(20):
        while desk._intake.open:
            await asyncio.sleep(0.02)


async def test_each_person_is_told_once_with_their_first_answer(bench: Bench) -> None:
    bench.first_use = "질문과 답변을 저장합니다."
    desk = await bench.start_desk()
    told = [(await said(bench, desk, asked(person=person))).notice for person in (KIM, KIM, LEE)]
    assert told == [bench.first_use, "", bench.first_use]
    again = await bench.start_desk()  # another process
    assert (await said(bench, again, asked(person=LEE))).notice == ""


async def test_who_could_not_be_answered_is_told_the_next_time(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.first_use = "질문과 답변을 저장합니다."
    desk = await bench.start_desk()

    def away(*_: object, **__: object) -> None:
        raise StoreError(where="x", reason="y")

    monkeypatch.setattr(privacy, "told", away)
    assert (await said(bench, desk, asked())).notice == bench.first_use
    monkeypatch.undo()
    assert (await said(bench, desk, asked())).notice == bench.first_use


async def test_who_objects_to_training_is_obeyed_and_told_so(bench: Bench) -> None:
    desk = await bench.start_desk()
    wished = asked("내 평가를 학습에 쓰지 마세요.")
    assert await desk.ask(wished) is Receipt.STOPPED
    reply = await bench.adapter.reply(wished.reply_to)
    assert (reply.answer.outcome, reply.answer.text) == (Outcome.FAILED, agreed("suspend", True, "ko"))
    assert bench.stores[-1].run_now(privacy.suspended) == {KIM_NAME}
    [request] = bench.stores[-1].run_now(privacy.requests)
    assert (request.person, request.kind, request.done_at) == (KIM_NAME, "suspend", bench.now)
    assert [one.action for one in bench.stores[-1].run_now(audit.entries)] == ["privacy.suspend"]
    await said(bench, desk, asked("내 평가를 학습에 써도 됩니다"))
    assert bench.stores[-1].run_now(privacy.suspended) == frozenset()
    assert bench.flow.questions == []  # neither was searched for


async def test_an_objection_that_a_dead_process_had_claimed_is_obeyed_by_the_next(bench: Bench) -> None:
    bench.open_desk()
    wished = asked("내 평가를 학습에 쓰지 마세요.")
    bench.stores[-1].run_now(questions.claim, wished, owner="dead", now=bench.now, lease=30.0)
    bench.now += 31
    await bench.start_desk()
    reply = await bench.adapter.reply(wished.reply_to)
    assert reply.answer.text == agreed("suspend", True, "ko")
    assert bench.stores[-1].run_now(privacy.suspended) == {KIM_NAME}
    assert bench.flow.questions == []


async def test_another_persons_vote_is_still_theirs(bench: Bench) -> None:
    desk = await bench.start_desk()
    reply = await said(bench, desk, asked(private=True))
    assert await desk.vote(Vote(reply.answer_id, LEE, "up", "button")) is VoteReceipt.UNKNOWN
    assert await desk.vote(Vote(reply.answer_id, KIM, "up", "button")) is VoteReceipt.STORED


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("내 평가를 학습에 쓰지 마세요", "suspend"),
        ("  학습 거부! ", "suspend"),
        ("Do not train on my feedback.", "suspend"),
        ("학습 동의", "resume"),
        ("학습에 쓰지 마세요라고 하면 어떻게 됩니까?", None),
        ("학습 거부 절차를 알려 주십시오", None),
        ("", None),
    ],
)
def test_only_a_whole_sentence_is_a_wish(text: str, meant: str | None) -> None:
    assert wish(text) == meant


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("learning", [True, False])
def test_the_notice_says_what_for_how_long_and_how_to_object(language: str, learning: bool) -> None:
    text = first_use(
        language,  # type: ignore[arg-type]
        questions_days=90,
        feedback_days=180,
        learning=learning,
        contact="privacy@example.com",
    )
    assert "90" in text
    assert "180" in text
    assert "privacy@example.com" in text
    assert len(text) <= 400
    assert ("쓰지 마세요" in text or "Do not train" in text) is learning
