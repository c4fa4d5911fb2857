"""What the desk offers beside answering, and whom it lets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from bot.conversation import Person, Place, Reply, SourceInfo, Vote, VoteReceipt
from bot.desk.desk import ReferenceDesk
from bot.errors import NotAllowed
from bot.messages import Outcome
from bot.privacy.pseudonyms import Pseudonyms
from bot.settings import PlaceTable
from bot.store import schema
from knowledge.page import Audience
from knowledge.search import SearchIndex
from tests.bot.desk.conftest import ADMIN, CHANNEL, DIRECT, KEY, KIM, LEE, Bench, asked

HELP = PlaceTable(platform="slack", id="*", contacts=("UHELP", "SDESK"))
SALARY = "책임 직급의 연봉 상한은 얼마입니까?"


async def answered(bench: Bench, desk: ReferenceDesk, text: str = "", **fields: object) -> Reply:
    one = asked(text, **fields) if text else asked(**fields)  # type: ignore[arg-type]
    await desk.ask(one)
    return await bench.adapter.reply(one.reply_to)


def hr_file(bench: Bench) -> Path:
    path = bench.folder / "groups.toml"
    path.write_text('[hr]\nslack_users = ["U1"]\n', encoding="utf-8")
    return path


async def test_restricted_pages_answer_an_entitled_person_in_private_only(bench: Bench) -> None:
    bench.writer.script = ["책임 직급의 연봉 상한은 9,100만 원입니다 [1]."]
    desk = await bench.start_desk(groups=hr_file(bench))
    private = await answered(bench, desk, SALARY, place=DIRECT)
    assert "9,100만" in private.answer.text
    hidden = await answered(bench, desk, SALARY, private=True)
    assert "9,100만" in hidden.answer.text
    assert hidden.private
    assert not hidden.can_share
    assert await desk.share(hidden.answer_id, KIM) is None
    for reply in (
        await answered(bench, desk, SALARY),
        await answered(bench, desk, SALARY, place=DIRECT, person=LEE),
        await answered(bench, desk, SALARY, private=True, person=LEE),
        await answered(bench, desk, SALARY, private=True, place=replace(CHANNEL, external=True)),
        await answered(bench, desk, SALARY, place=DIRECT, person=replace(KIM, guest=True)),
    ):
        assert "9,100" not in reply.answer.text
        assert all(citation.page != "연봉.md" for citation in (*reply.answer.citations, *reply.answer.nearest))


async def test_what_a_channel_may_read_is_not_shared_once_outsiders_read_there(bench: Bench) -> None:
    bench.writer.script = ["책임 직급의 연봉 상한은 9,100만 원입니다 [1]."]
    path = hr_file(bench)
    path.write_text('[hr]\nslack_channels = ["C1"]\nslack_users = ["U1"]\n', encoding="utf-8")
    desk = await bench.start_desk(groups=path)
    reply = await answered(bench, desk, SALARY, private=True)
    assert reply.can_share
    assert await desk.share(reply.answer_id, KIM) is not None
    assert await desk.share(reply.answer_id, KIM, external=True) is None


async def test_a_page_of_the_same_name_in_another_source_does_not_speak_for_one_that_is_gone(bench: Bench) -> None:
    desk = await bench.start_desk()
    reply = await answered(bench, desk, private=True)
    assert await desk.share(reply.answer_id, KIM) is not None
    live = bench.flow.live()
    edition = live.index.edition
    moved = [replace(one, source="other") for one in edition.passages]
    index = SearchIndex(replace(edition, passages=moved), live.index.analyser, live.index.embedder)
    bench.flow.swap(replace(live, index=index))
    assert await desk.share(reply.answer_id, KIM) is None


async def test_an_open_private_answer_may_be_shared_by_its_asker(bench: Bench) -> None:
    desk = await bench.start_desk()
    reply = await answered(bench, desk, private=True)
    assert reply.can_share
    shared = await desk.share(reply.answer_id, KIM)
    assert shared is not None
    assert (shared.answer, shared.private, shared.can_share, shared.can_vote) == (reply.answer, False, False, True)
    assert shared.question == "연차는 며칠 전까지 신청합니까?"
    assert await desk.vote(Vote(reply.answer_id, LEE, "up", "reaction")) is VoteReceipt.UNKNOWN
    await desk.shown_at(reply.answer_id, "C1:77")
    await desk.shown_at("f" * 16, "C1:78")
    assert await desk.answer_at("slack", "C1:77") == reply.answer_id
    assert await desk.answer_at("slack", "C1:78") is None
    assert await desk.vote(Vote(reply.answer_id, LEE, "up", "reaction")) is VoteReceipt.STORED
    assert await desk.share(reply.answer_id, LEE) is None
    assert await desk.share(reply.answer_id, KIM, external=True) is not None  # everyone's pages are everyone's
    assert await desk.share("f" * 16, KIM) is None
    direct = await answered(bench, desk, place=DIRECT)
    assert not direct.can_share
    assert await desk.share(direct.answer_id, KIM) is None


async def test_search_suggestions_and_sources_show_only_what_may_be_read_there(bench: Bench) -> None:
    desk = await bench.start_desk(groups=hr_file(bench))
    for private, pages in ((True, 6), (False, 5)):
        assert await desk.sources(CHANNEL, KIM, private=private) == (SourceInfo("wiki", pages),)
        found = await desk.search(replace(asked(SALARY), private=private), 5)
        assert ("연봉.md" in {one.page for one in found}) is private
        suggested = await desk.complete(CHANNEL, KIM, "연봉", private=private)
        assert suggested == (("연봉 밴드",) if private else ())
    assert await desk.complete(CHANNEL, KIM, "연 차", private=False) == ("연차 규정",)
    assert len(await desk.complete(CHANNEL, KIM, "", private=False, most=3)) == 3
    assert await desk.complete(CHANNEL, KIM, "30,000", private=False) == ()


async def test_a_reindex_meanwhile_shows_no_restricted_title(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = await bench.start_desk()
    old = bench.flow.live()
    opened = replace(old.index.edition, passages=[replace(p, audience=Audience()) for p in old.index.edition.passages])
    new = replace(old, index=SearchIndex(opened, old.index.analyser, old.index.embedder))
    lives = iter([old])  # the new edition goes live right after the first look
    monkeypatch.setattr(bench.flow, "_live", lambda: next(lives, new))
    assert await desk.complete(CHANNEL, LEE, "연봉", private=False) == ()
    lives = iter([old])
    assert await desk.sources(CHANNEL, LEE, private=False) == (SourceInfo("wiki", 5),)


async def test_a_place_limited_to_other_sources_finds_nothing_here(bench: Bench) -> None:
    desk = await bench.start_desk()
    desk._places._source_names = ("wiki", "sales")
    await desk.change_place(CHANNEL, ADMIN, {"sources": "sales"})
    assert (await answered(bench, desk)).answer.outcome is Outcome.ABSTAINED
    assert (await answered(bench, desk, place=DIRECT)).answer.outcome is Outcome.ANSWERED
    assert await desk.sources(CHANNEL, KIM, private=False) == ()


async def test_only_the_asker_votes_on_a_private_answer(bench: Bench) -> None:
    desk = await bench.start_desk()
    hidden, open_ = await answered(bench, desk, private=True), await answered(bench, desk)
    assert await desk.vote(Vote(hidden.answer_id, LEE, "down", "button")) is VoteReceipt.UNKNOWN
    assert await desk.vote(Vote(hidden.answer_id, KIM, "down", "button")) is VoteReceipt.STORED
    assert await desk.explain_vote(hidden.answer_id, KIM, reason="옛 규정", correction="2일 전")
    assert await desk.vote(Vote(open_.answer_id, LEE, "up", "reaction")) is VoteReceipt.STORED


async def test_a_person_is_called_once_and_closes_the_call(bench: Bench) -> None:
    desk = await bench.start_desk(HELP)
    reply = await answered(bench, desk, "피아노 조율은 어떻게 합니까?")
    assert reply.can_escalate
    assert await desk.may_escalate(reply.answer_id)
    call = await desk.escalate(reply.answer_id, KIM)
    assert call is not None
    assert (call.contacts, call.question) == (("UHELP", "SDESK"), "피아노 조율은 어떻게 합니까?")
    assert not await desk.may_escalate(reply.answer_id)
    assert await desk.escalate(reply.answer_id, LEE) is None
    await desk.uncall(call.id)  # its message could not be posted
    assert (await desk.status(ADMIN)).outcomes == {"abstained": 1}
    call = await desk.escalate(reply.answer_id, KIM)
    assert call is not None
    for stranger in (Person("slack", "U7", roles=frozenset({"SOTHER"})), Person("slack", "U7")):
        assert not await desk.resolve(call.id, stranger, answer="x", consent=True)
    outsider = Person("slack", "U8", roles_known=False, guest=True)
    assert not await desk.resolve(call.id, outsider, answer="x", consent=True)
    assert not await desk.resolve(call.id, Person("discord", "UHELP"), answer="x", consent=True)
    assert await desk.resolve(call.id, Person("slack", "UHELP"), answer="총무팀에 연락합니다.", consent=True)
    assert await desk.escalation(call.id) is None

    def kept(connection: Connection) -> tuple[str, str]:
        row = connection.execute(select(schema.escalations)).one()
        return row.resolution, row.edition

    assert bench.stores[0].run_now(kept) == ("총무팀에 연락합니다.", reply.answer.edition)
    assert (await desk.status(ADMIN)).outcomes == {"escalated": 1}


async def test_where_group_members_are_unknown_any_colleague_closes_a_call_to_a_group(bench: Bench) -> None:
    desk = await bench.start_desk(HELP)
    reply = await answered(bench, desk, "피아노 조율은 어떻게 합니까?")
    call = await desk.escalate(reply.answer_id, KIM)
    assert call is not None
    assert await desk.resolve(call.id, Person("slack", "U7", roles_known=False), answer="x", consent=False)


async def test_without_contacts_nobody_is_called(bench: Bench) -> None:
    desk = await bench.start_desk()
    reply = await answered(bench, desk, "피아노 조율은 어떻게 합니까?")
    assert not reply.can_escalate
    assert not await desk.may_escalate(reply.answer_id)
    assert await desk.escalate(reply.answer_id, KIM) is None


async def test_a_private_question_is_shown_to_helpers_by_its_asker_only(bench: Bench) -> None:
    desk = await bench.start_desk(HELP)
    reply = await answered(bench, desk, "피아노 조율은 어떻게 합니까?", private=True)
    assert await desk.escalate(reply.answer_id, LEE) is None
    assert await desk.escalate(reply.answer_id, KIM) is not None


async def test_people_see_their_own_questions_and_admins_the_state(bench: Bench) -> None:
    desk = await bench.start_desk()
    await answered(bench, desk)
    await bench.adapter.wait_for(lambda: desk._intake.open == 0)
    assert [past.text for past in await desk.recent(KIM)] == ["연차는 며칠 전까지 신청합니까?"]
    assert await desk.recent(LEE) == ()
    status = await desk.status(ADMIN)
    assert (status.pages, status.model, status.running, status.waiting) == (6, "scripted", 0, 0)
    assert status.outcomes == {"answered": 1}
    with pytest.raises(NotAllowed):
        await desk.status(KIM)


async def test_only_admins_have_the_index_made_anew_by_their_pseudonym_and_in_the_places_language(bench: Bench) -> None:
    desk = await bench.start_desk(PlaceTable(platform="slack", id="C-EN", language="en"))
    heard: list[str] = []

    async def told(sentence: str) -> None:
        heard.append(sentence)

    english = Place(platform="slack", id="C-EN", kind="channel")
    assert await desk.reindex(english, ADMIN, told) == "요청했습니다."
    assert heard == ["다시 색인했습니다."]
    assert bench.reindexed == [(Pseudonyms(KEY).of(ADMIN.key), "slack", "en")]
    with pytest.raises(NotAllowed) as refused:
        await desk.reindex(english, KIM, told)
    assert "(indexing again)" in refused.value.explain("en")
    assert not any("가" <= letter <= "힣" for letter in refused.value.explain("en"))
    assert len(bench.reindexed) == 1


async def test_adapters_may_keep_small_facts(bench: Bench) -> None:
    desk = await bench.start_desk()
    assert await desk.remembered("discord:commands") is None
    await desk.remember("discord:commands", "abc")
    assert await (await bench.start_desk()).remembered("discord:commands") == "abc"
