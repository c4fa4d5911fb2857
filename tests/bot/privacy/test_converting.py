"""A store of before there were pseudonyms becomes one that names nobody, and everything still belongs to the same person."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, select

from bot.conversation import Person, Place, Vote
from bot.desk.people import People
from bot.messages import Outcome
from bot.privacy.converting import pseudonymise_once, pseudonymise_rows
from bot.privacy.directs import hide_directs
from bot.store import answers, escalations, examples, facts, jobs, questions, votes
from bot.store.database import Store
from bot.store.questions import ClaimKind
from bot.store.schema import metadata
from tests.bot.examples.rows import example
from tests.bot.privacy.conftest import PEOPLE
from tests.bot.store.rows import CHANNEL, KIM, LEE, answer, asked

KIM_NOW, LEE_NOW = PEOPLE.of(KIM.key), PEOPLE.of(LEE.key)


def lived(store: Store) -> None:
    _, held = store.run_now(questions.claim, asked(person=KIM), owner="p", now=1.0, lease=9.0)
    assert held is not None
    store.run_now(answers.save, "a1", held.question_id, answer(), language="ko", private=False, place=CHANNEL, now=2.0)
    store.run_now(questions.finish, held, Outcome.ANSWERED, now=3.0)
    for person in (KIM, LEE):
        store.run_now(votes.cast, Vote("a1", person, "down", "button"), now=4.0)
    called = store.run_now(escalations.call, "a1", ["U7"], caller=LEE.key, now=5.0)
    assert called is not None
    store.run_now(escalations.resolve, called, KIM.key, answer="15일", consent=True, now=6.0)
    store.run_now(facts.change_place, "slack", "C1", {"listen": "all"}, by=KIM.key, now=7.0)
    store.run_now(examples.add, example("e", asker=KIM.key, people=(KIM.key, LEE.key), decided_by="terminal:root"))
    store.run_now(jobs.ask, "tune", by="slack:U1", now=8.0)


def every_cell(connection: Connection) -> str:
    return repr([[tuple(row) for row in connection.execute(select(table))] for table in metadata.sorted_tables])


def test_no_platform_id_is_left_and_everything_belongs_to_the_same_people(store: Store) -> None:
    lived(store)
    assert store.run_now(pseudonymise_rows, PEOPLE.of) == 2
    left = store.run_now(every_cell)
    assert KIM.key not in left
    assert LEE.key not in left
    assert "terminal:root" in left  # an account of this installation, not a person of a platform
    assert [one.text for one in store.run_now(questions.recent, KIM_NOW, 5)] == ["연차는 며칠입니까?"]
    kept = store.run_now(answers.get, "a1")
    assert kept is not None
    assert kept.asker == KIM_NOW
    assert store.run_now(votes.explain, "a1", LEE_NOW, reason="wrong", correction="")
    [made] = store.run_now(examples.every)
    assert (made.asker, set(made.people)) == (KIM_NOW, {KIM_NOW, LEE_NOW})


def test_doing_it_again_changes_nothing(store: Store) -> None:
    lived(store)
    store.run_now(pseudonymise_rows, PEOPLE.of)
    before = store.run_now(every_cell)
    assert store.run_now(pseudonymise_rows, PEOPLE.of) == 0
    assert store.run_now(every_cell) == before


def test_what_broke_off_in_the_middle_is_completed_and_the_newer_vote_counts(store: Store) -> None:
    lived(store)
    store.run_now(votes.cast, Vote("a1", LEE, "up", "button"), now=9.0, person=LEE_NOW)
    store.run_now(pseudonymise_rows, PEOPLE.of)
    assert store.run_now(votes.counts, since=0.0) == {"down": 1, "up": 1}


def test_it_is_done_once_for_a_store(store: Store) -> None:
    lived(store)
    assert store.run_now(pseudonymise_once, PEOPLE.of) == 2
    lived_again = Vote("a1", LEE, "up", "button")
    store.run_now(votes.cast, lived_again, now=9.0)  # as an older program would
    assert store.run_now(pseudonymise_once, PEOPLE.of) == 0


def in_private(store: Store, key: str, place: Place, *, failed: bool = False) -> str:
    """Asked where only one person reads, as an older program wrote it down; the answer's id."""
    message = f"{place.platform}:message:{place.id}:{key}"
    there = replace(asked(key, person=Person(place.platform, "U5"), place=place), keys=(message,))
    _, held = store.run_now(questions.claim, there, owner="p", now=1.0, lease=9.0)
    assert held is not None
    if not failed:
        place_of = {"language": "ko", "private": True, "place": place, "now": 2.0}
        store.run_now(answers.save, f"a{key}", held.question_id, answer(), **place_of)
        store.run_now(answers.posted, f"a{key}", f"{place.id}:9.0")
    store.run_now(questions.finish, held, Outcome.FAILED if failed else Outcome.ANSWERED, now=3.0)
    return f"a{key}"


def test_no_direct_message_and_no_account_is_named_and_what_stands_there_is_found(store: Store) -> None:
    direct, chat = Place("slack", "D4711", "direct", thread="7.0"), Place("web", "kim: seoyeon", "direct")
    made = in_private(store, "1", direct)
    in_private(store, "2", chat)
    in_private(store, "3", Place("slack", "D4712", "direct"), failed=True)
    store.run_now(facts.change_place, "slack", "D4711", {"language": "en"}, by="", now=7.0)
    assert store.run_now(hide_directs, PEOPLE.of) == 3
    assert store.run_now(hide_directs, PEOPLE.of) == 0
    left = store.run_now(every_cell)
    assert "D471" not in left
    assert "kim: seoyeon" not in left
    people = People(store, PEOPLE)
    assert store.run_now(answers.at, "slack", "D4711:9.0", people.direct_message("slack", "D4711:9.0")) == made
    again = replace(asked("1", place=direct), keys=("slack:message:D4711:1",))
    named = {"person": "p", "place": people.place(direct), "keys": people.keys(again)}
    assert store.run_now(questions.claim, again, owner="q", now=9.0, lease=9.0, **named)[0] is ClaimKind.DUPLICATE
    kept = store.run_now(answers.get, made)
    assert kept is not None
    assert kept.place == people.place(direct)
    assert store.run_now(facts.place_changes) == {("slack", kept.place.id): {"language": "en"}}


def test_channels_and_their_threads_stay_as_they_are(store: Store) -> None:
    thread = replace(CHANNEL, thread="7.0")
    for key, place in (("1", CHANNEL), ("2", thread)):
        _, held = store.run_now(questions.claim, asked(key, place=place), owner="p", now=1.0, lease=9.0)
        assert held is not None
        there = {"language": "ko", "private": False, "place": place, "now": 2.0}
        store.run_now(answers.save, f"a{key}", held.question_id, answer(), **there)
    before = store.run_now(every_cell)
    assert store.run_now(hide_directs, PEOPLE.of) == 0
    assert store.run_now(every_cell) == before


def test_a_correction_stays_the_same_example(store: Store) -> None:
    from bot.examples.build import key_of_correction

    lived(store)
    store.run_now(votes.explain, "a1", LEE.key, reason="", correction="16일이\n맞습니다.")
    before = key_of_correction("a1", LEE.key, "16일이 맞습니다.")
    store.run_now(examples.add, example("c", key=before, kind="corrected"))
    store.run_now(pseudonymise_rows, PEOPLE.of)
    keys = {one.key for one in store.run_now(examples.every)}
    assert key_of_correction("a1", LEE_NOW, "16일이 맞습니다.") in keys
    assert before not in keys
