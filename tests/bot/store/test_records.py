"""Answers, votes, escalations, facts, places and leases on both databases."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, select

from bot.conversation import Direction, Person, Vote, VoteReceipt
from bot.messages import Outcome
from bot.store import answers, escalations, facts, questions, schema, votes
from bot.store.database import Store
from tests.bot.store.rows import CHANNEL, KIM, LEE, answer, asked


def answered(store: Store, answer_id: str = "a" * 16, key: str = "e1") -> str:
    _, held = store.run_now(questions.claim, asked(key), owner="p", now=0.0, lease=9.0)
    assert held is not None
    store.run_now(
        answers.save, answer_id, held.question_id, answer(), language="ko", private=False, place=CHANNEL, now=1.0
    )
    store.run_now(questions.finish, held, Outcome.ANSWERED, now=2.0)
    return answer_id


def vote(
    store: Store, person: Person, direction: Direction | None, *, withdrawn: Direction | None = None, now: float = 5.0
) -> VoteReceipt:
    one = Vote("a" * 16, person, direction, "button" if withdrawn is None else "reaction", withdrawn)
    return store.run_now(votes.cast, one, now=now)


def rows(store: Store) -> list[tuple[str, str | None, str, str]]:
    def read(connection: Connection) -> list[tuple[str, str | None, str, str]]:
        return [
            (row.person, row.direction, row.reason, row.correction)
            for row in connection.execute(select(schema.votes).order_by(schema.votes.c.person))
        ]

    return store.run_now(read)


def test_an_answer_comes_back_as_it_was(store: Store) -> None:
    answered(store)
    kept = store.run_now(answers.get, "a" * 16)
    assert kept is not None
    assert kept.answer == answer()
    assert (kept.asker, kept.place, kept.private, kept.language) == (KIM.key, CHANNEL, False, "ko")
    assert store.run_now(answers.get, "b" * 16) is None
    assert store.run_now(answers.of_question, kept.question_id) == kept


def test_the_stamp_may_be_the_path_of_a_model(store: Store) -> None:
    path = f"/srv/models/{'모델/' * 60}mine.gguf"
    _, held = store.run_now(questions.claim, asked(), owner="p", now=0.0, lease=9.0)
    assert held is not None
    made = replace(answer(), model=path)
    store.run_now(answers.save, "a" * 16, held.question_id, made, language="ko", private=False, place=CHANNEL, now=1.0)
    assert vote(store, KIM, "up") is VoteReceipt.STORED
    kept = store.run_now(answers.get, "a" * 16)
    assert kept is not None
    assert kept.answer.model == path


def test_an_answer_is_found_by_its_message_on_its_platform_only(store: Store) -> None:
    answered(store)
    assert store.run_now(answers.at, "slack", "") is None
    store.run_now(answers.posted, "a" * 16, "C1:2.0")
    assert store.run_now(answers.at, "slack", "C1:2.0") == "a" * 16
    assert store.run_now(answers.at, "discord", "C1:2.0") is None


def test_a_person_has_one_current_vote_and_every_change_is_kept(store: Store) -> None:
    answered(store)
    assert vote(store, KIM, "down") is VoteReceipt.STORED
    assert vote(store, KIM, "down") is VoteReceipt.UNCHANGED
    assert store.run_now(votes.explain, "a" * 16, KIM.key, reason="틀림", correction="16일")
    assert rows(store) == [(KIM.key, "down", "틀림", "16일")]
    assert vote(store, KIM, "up") is VoteReceipt.CHANGED
    assert rows(store) == [(KIM.key, "up", "", "")]
    assert not store.run_now(votes.explain, "a" * 16, KIM.key, reason="x", correction="")
    assert vote(store, LEE, "up") is VoteReceipt.STORED
    assert vote(store, KIM, None) is VoteReceipt.WITHDRAWN
    assert vote(store, KIM, None) is VoteReceipt.UNKNOWN
    assert store.run_now(votes.counts, since=0.0) == {"up": 1}
    assert vote(store, KIM, "down") is VoteReceipt.CHANGED

    def changes(connection: Connection) -> list[str | None]:
        return list(
            connection.execute(select(schema.vote_changes.c.direction).order_by(schema.vote_changes.c.id)).scalars()
        )

    assert store.run_now(changes) == ["down", "up", "up", None, "down"]


def test_taking_an_old_reaction_away_leaves_a_newer_vote(store: Store) -> None:
    answered(store)
    vote(store, KIM, "up")
    vote(store, KIM, "down")
    assert vote(store, KIM, None, withdrawn="up") is VoteReceipt.UNCHANGED
    assert vote(store, KIM, None, withdrawn="down") is VoteReceipt.WITHDRAWN


def test_a_vote_on_an_unknown_answer_is_nothing(store: Store) -> None:
    assert vote(store, KIM, "up") is VoteReceipt.UNKNOWN


def test_a_vote_carries_what_made_the_answer(store: Store) -> None:
    answered(store)
    vote(store, KIM, "up")

    def stamp(connection: Connection) -> tuple[object, ...]:
        row = connection.execute(select(schema.votes)).one()
        return row.model, row.lora, row.edition, row.prompt, row.passages

    assert store.run_now(stamp) == ("m", "l", "e", "p", [["wiki", "hr/leave.md", 3]])


def test_a_person_is_called_once_and_their_answer_kept_with_consent_only(store: Store) -> None:
    for answer_id, key, consent in (("a" * 16, "e1", True), ("b" * 16, "e2", False)):
        answered(store, answer_id, key)
        called = store.run_now(escalations.call, answer_id, ["U9"], caller=KIM.key, now=3.0)
        assert called is not None
        assert store.run_now(escalations.call, answer_id, ["U9"], caller=LEE.key, now=4.0) is None
        open_one = store.run_now(escalations.get, called)
        assert open_one is not None
        assert open_one.escalation.contacts == ("U9",)
        assert open_one.escalation.question == "연차는 며칠입니까?"
        assert store.run_now(escalations.resolve, called, "slack:U9", answer="16일", consent=consent, now=5.0)
        assert not store.run_now(escalations.resolve, called, "slack:U9", answer="x", consent=True, now=6.0)
        assert store.run_now(escalations.get, called) is None
    assert store.run_now(questions.outcomes, since=0.0) == {"escalated": 2}

    def resolutions(connection: Connection) -> list[str]:
        table = schema.escalations
        return list(connection.execute(select(table.c.resolution).order_by(table.c.answer)).scalars())

    assert store.run_now(resolutions) == ["16일", ""]


def test_facts_and_places_are_kept_and_replaced(store: Store) -> None:
    assert store.run_now(facts.get, "k") is None
    for value in ("1", "2"):
        store.run_now(facts.put, "k", value)
        assert store.run_now(facts.get, "k") == value
    for changes in ({"listen": "all"}, {"private": "true"}):
        store.run_now(facts.change_place, "slack", "C1", changes, by=KIM.key, now=1.0)
        assert store.run_now(facts.place_changes) == {("slack", "C1"): changes}
    store.run_now(facts.change_place, "slack", "C1", {}, by=KIM.key, now=2.0)
    assert store.run_now(facts.place_changes) == {}


def test_a_lease_has_one_holder_until_it_runs_out(store: Store) -> None:
    def hold(owner: str, now: float) -> bool:
        return store.run_now(facts.hold_lease, "discord", owner, now=now, seconds=10.0)

    assert hold("a", 0.0)
    assert not hold("b", 5.0)
    assert hold("a", 6.0)
    assert not hold("b", 15.9)
    assert hold("b", 16.0)
    store.run_now(facts.drop_lease, "discord", "a")  # not the holder: nothing happens
    assert not hold("a", 17.0)
    store.run_now(facts.drop_lease, "discord", "b")
    assert hold("a", 17.0)
