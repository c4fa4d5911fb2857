"""Records of LoRAs and releases, on both databases."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError

from bot.conversation import Person, Vote
from bot.errors import StoreError
from bot.examples.example import Example
from bot.messages import Outcome
from bot.store import answers, examples, forgetting, loras, questions, releases, schema, votes
from bot.store.database import Store
from bot.store.loras import Evaluation, LoraRecord
from bot.store.releases import Tally
from tests.bot.store.rows import CHANNEL, KIM, LEE, answer, asked

FIRST = LoraRecord("m-20261126-aaaa", "b1", "m", "ko-1", "s1", {"rank": 8}, run="r1", made_at=1.0)
SECOND = replace(FIRST, name="m-20261127-bbbb", sha256="s2", made_at=2.0)


def example(name: str, *people: str, asker: str = "") -> Example:
    return Example(
        id=name, key=name, kind="liked", question="질문", condensed="", turns=(), passages=(), answer="답", rejected="",
        asker=asker, people=people,
    )  # fmt: skip


def test_a_lora_is_kept_once_with_what_it_has_seen(store: Store) -> None:
    assert store.run_now(loras.add, FIRST, ["e2", "e1", "e2"])
    assert not store.run_now(loras.add, replace(FIRST, sha256="other"), ["e3"])
    assert store.run_now(loras.get, FIRST.name) == FIRST
    assert store.run_now(loras.get, FIRST.name).card == {"rank": 8}  # type: ignore[union-attr]
    assert store.run_now(loras.examples_of, FIRST.name) == ["e1", "e2"]
    assert store.run_now(loras.get, "none") is None


def test_ids_of_a_companys_own_files_may_be_long(store: Store) -> None:
    long = "연차-규정/" + "0123456789" * 10
    assert store.run_now(loras.add, FIRST, [long])
    assert store.run_now(loras.examples_of, FIRST.name) == [long]
    assert store.run_now(loras.loras_that_saw, [long]) == [FIRST.name]


def test_loras_are_listed_by_base_newest_first(store: Store) -> None:
    for one in (FIRST, SECOND, replace(FIRST, name="other", base="b2")):
        store.run_now(loras.add, one)
    assert [one.name for one in store.run_now(loras.every, "b1")] == [SECOND.name, FIRST.name]
    assert len(store.run_now(loras.every)) == 3


def test_the_way_from_a_lora_to_people(store: Store) -> None:
    for one in (example("e1", KIM.key), example("e2", LEE.key, asker=KIM.key), example("e3", LEE.key)):
        store.run_now(examples.add, one)
    store.run_now(loras.add, FIRST, ["e1", "e3"])
    store.run_now(loras.add, SECOND, ["e2"])
    assert store.run_now(loras.people_behind, FIRST.name) == sorted([KIM.key, LEE.key])
    assert store.run_now(loras.people_behind, SECOND.name) == sorted([KIM.key, LEE.key])


def test_which_lora_saw_an_example_is_known_after_it_is_forgotten(store: Store) -> None:
    store.run_now(examples.add, example("e1", KIM.key))
    store.run_now(loras.add, FIRST, ["e1"])
    gone = store.run_now(forgetting.forget, KIM.key, asked_by="cli", now=2.0).examples
    assert (gone, store.run_now(loras.loras_that_saw, gone)) == (("e1",), [FIRST.name])
    assert store.run_now(loras.loras_that_saw, [f"x{n}" for n in range(1200)] + ["e1"]) == [FIRST.name]
    assert store.run_now(loras.loras_that_saw, []) == []
    assert store.run_now(loras.people_behind, FIRST.name) == []


def test_a_mark_and_a_deletion_are_kept_and_the_first_reason_stays(store: Store) -> None:
    store.run_now(loras.add, FIRST)
    store.run_now(loras.add, SECOND)
    assert store.run_now(loras.mark, FIRST.name, "forgotten", now=5.0)
    assert not store.run_now(loras.mark, FIRST.name, "again", now=6.0)
    assert store.run_now(loras.delete, SECOND.name, now=7.0)
    assert not store.run_now(loras.delete, SECOND.name, now=8.0)
    marked, deleted = store.run_now(loras.get, FIRST.name), store.run_now(loras.get, SECOND.name)
    assert marked is not None
    assert deleted is not None
    assert (marked.marked, marked.marked_at, marked.usable) == ("forgotten", 5.0, False)
    assert (deleted.deleted_at, deleted.usable) == (7.0, False)
    assert store.run_now(loras.unusable) == {FIRST.name: "forgotten", SECOND.name: ""}


def test_the_latest_evaluation_against_one_or_any(store: Store) -> None:
    store.run_now(loras.add, FIRST)
    for n, (against, passed) in enumerate([("none", True), ("x", False), ("none", False)]):
        store.run_now(loras.keep_evaluation, Evaluation(f"v{n}", FIRST.name, against, passed, {"f1": n}, float(n)))
    latest = store.run_now(loras.latest_evaluation, FIRST.name, "x")
    assert latest is not None
    assert (latest.id, latest.passed, latest.verdict) == ("v1", False, {"f1": 1})
    assert [one.id for one in store.run_now(loras.evaluations_of, FIRST.name)] == ["v2", "v1", "v0"]
    assert store.run_now(loras.latest_evaluation, FIRST.name).id == "v2"  # type: ignore[union-attr]
    assert store.run_now(loras.latest_evaluation, FIRST.name, "y") is None


def test_an_evaluation_of_an_unknown_lora_is_refused(store: Store) -> None:
    with pytest.raises((StoreError, IntegrityError)):
        store.run_now(loras.keep_evaluation, Evaluation("v", "nobody", "none", True, {}, 1.0))


def test_each_base_has_its_own_releases_and_the_newest_says_what_answers(store: Store) -> None:
    assert store.run_now(releases.newest, "b1") is None
    store.run_now(releases.add, "b1", "x", "promote", by="terminal:kim", now=1.0, evaluation="v", reason="why")
    store.run_now(releases.add, "b2", "y", "promote", by="auto", now=2.0)
    last = store.run_now(releases.add, "b1", "x", "canary", by="auto", now=3.0, canary="z", share=0.1)
    assert store.run_now(releases.newest, "b1") == last
    first, second = store.run_now(releases.history, "b1")
    assert (first.lora, first.action, first.by, first.evaluation, first.reason) == (
        "x", "promote", "terminal:kim", "v", "why",
    )  # fmt: skip
    assert (second.canary, second.share, second.overruled) == ("z", 0.1, False)
    assert store.run_now(releases.bases) == ["b1", "b2"]


def given(
    store: Store,
    n: int,
    lora: str,
    outcome: Outcome,
    *,
    at: float,
    model: str = "m",
    voted: str = "",
    **more: Any,
) -> None:
    """One answer, and a vote on it: `u` by Kim, `d` by Kim, `D` by Lee."""
    _, held = store.run_now(questions.claim, asked(f"e{n}"), owner="p", now=at, lease=9.0)
    assert held is not None
    made = replace(answer(outcome), lora=lora, model=model, **more)
    store.run_now(answers.save, f"a{n}", held.question_id, made, language="ko", private=False, place=CHANNEL, now=at)
    for letter in voted:
        person: Person = LEE if letter.isupper() else KIM
        vote = Vote(f"a{n}", person, "up" if letter in "uU" else "down", via="button")
        store.run_now(votes.cast, vote, now=at)


def test_a_tally_counts_what_one_lora_wrote_in_a_time_and_each_person_once_by_their_live_votes_on_it(
    store: Store,
) -> None:
    given(store, 1, "x", Outcome.ANSWERED, at=1.0, voted="u")  # too early
    given(store, 2, "x", Outcome.ANSWERED, at=2.0, voted="uD")
    given(store, 3, "x", Outcome.ABSTAINED, at=3.0, voted="d")
    given(store, 4, "y", Outcome.ANSWERED, at=3.0, voted="d")  # another LoRA
    given(store, 5, "x", Outcome.ANSWERED, at=3.0, model="other", voted="d")  # another base
    given(store, 6, "x", Outcome.FAILED, at=3.0)  # nothing to judge
    given(store, 7, "none", Outcome.ABSTAINED, at=3.0, model="extractive")  # no LoRA was asked
    given(store, 8, "x", Outcome.ANSWERED, at=9.0, voted="u")  # too late
    assert store.run_now(releases.tally, "m", "x", since=2.0, until=9.0) == Tally(2, 1, up=0, down=1)  # Kim: both
    assert store.run_now(releases.tally, "m", "x", since=2.0) == Tally(3, 1, up=1, down=1)
    assert store.run_now(releases.tally, "m", "x", since=2.0, seen=2.0) == Tally(1, 0, up=1, down=1)
    assert store.run_now(releases.tally, "m", "none", since=0.0) == Tally()


def test_quotes_in_place_of_a_loras_words_are_its_own(store: Store) -> None:
    quotes = partial(given, store, lora="none", outcome=Outcome.ANSWERED, model="extractive", at=2.0)
    nothing_held = ("rewritten", "ungrounded")
    given(store, 1, "x", Outcome.ABSTAINED, at=2.0, notes=nothing_held)
    quotes(2, tried_model="m", tried_lora="x", notes=nothing_held, voted="D")
    quotes(3, tried_model="m", tried_lora="x", notes=("writer_failed",), at=3.0)
    quotes(4, tried_model="other", tried_lora="x", notes=nothing_held, voted="d")
    quotes(5, tried_model="m", tried_lora="none", notes=nothing_held, voted="d")
    quotes(6, notes=("no_writer",), voted="d")
    assert store.run_now(releases.tally, "m", "x", since=0.0) == Tally(3, 1, up=0, down=1, ungrounded=2)
    assert store.run_now(releases.tally, "m", "x", since=0.0, quoted=False) == Tally(1, 1, up=0, down=0, ungrounded=1)
    assert store.run_now(releases.tally, "m", "none", since=0.0) == Tally(1, 0, up=0, down=1, ungrounded=1)
    assert store.run_now(releases.answered_at, "m", "x", since=0.0, nth=3) == 3.0
    assert store.run_now(releases.answered_at, "m", "x", since=0.0, nth=2, quoted=False) is None
    assert store.run_now(releases.voiced_at, "m", "x", since=0.0, nth=1) == 2.0
    assert store.run_now(releases.voiced_at, "m", "x", since=0.0, nth=1, quoted=False) is None


def test_quotes_of_an_older_program_do_not_tell_whose_words_they_replaced(store: Store) -> None:
    given(store, 1, "none", Outcome.ANSWERED, at=2.0, model="extractive", tried_model="m", tried_lora="x")

    def older(connection: Connection) -> None:
        told = connection.execute(select(schema.answers.c.answer)).scalar_one()
        kept = {key: value for key, value in told.items() if not key.startswith("tried_")}
        connection.execute(update(schema.answers).values(answer=kept))

    assert store.run_now(releases.quotes_tell, since=0.0)
    store.run_now(older)
    assert not store.run_now(releases.quotes_tell, since=2.0)
    assert store.run_now(releases.quotes_tell, since=3.0)
    kept = store.run_now(answers.get, "a1")
    assert kept is not None
    assert (kept.answer.tried_model, kept.answer.tried_lora) == ("", "")


def test_when_so_many_answers_and_voices_were_reached_is_known(store: Store) -> None:
    given(store, 1, "x", Outcome.ANSWERED, at=1.0, voted="u")  # too early
    given(store, 2, "x", Outcome.ANSWERED, at=2.0, voted="u")
    given(store, 3, "x", Outcome.FAILED, at=3.0)
    given(store, 4, "x", Outcome.ABSTAINED, at=4.0, voted="d")  # now Kim has no voice
    given(store, 5, "y", Outcome.ANSWERED, at=5.0, voted="D")
    given(store, 6, "x", Outcome.ANSWERED, at=6.0, voted="dD")
    answers_at = [store.run_now(partial(releases.answered_at, since=2.0, nth=n), "m", "x") for n in (1, 2, 3, 4)]
    assert answers_at == [2.0, 4.0, 6.0, None]
    voices_at = [store.run_now(partial(releases.voiced_at, since=2.0, nth=n), "m", "x") for n in (1, 2, 3)]
    assert voices_at == [2.0, 6.0, None]
