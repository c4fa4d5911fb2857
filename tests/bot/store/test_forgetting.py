"""A person asks to be forgotten: nothing of theirs is left, and nothing of others' is lost."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, select

from bot.conversation import Person, Vote
from bot.gaps import decisions
from bot.messages import Outcome
from bot.store import answers, escalations, examples, gaps, jobs, loras, personal, questions, votes
from bot.store.database import Store
from bot.store.forgetting import Forgotten, counted, forget
from bot.store.loras import LoraRecord
from bot.store.schema import metadata
from tests.bot.examples.rows import example
from tests.bot.gaps.rows import call, miss, put
from tests.bot.store.rows import CHANNEL, KIM, LEE, answer, asked


def answered(store: Store, key: str, person: Person) -> str:
    _, held = store.run_now(questions.claim, asked(key, person=person), owner="p", now=1.0, lease=9.0)
    assert held is not None
    name = f"a{key}"
    store.run_now(answers.save, name, held.question_id, answer(), language="ko", private=False, place=CHANNEL, now=2.0)
    store.run_now(questions.finish, held, Outcome.ANSWERED, now=3.0)
    return name


@pytest.fixture
def lived(store: Store) -> Store:
    """Kim asked, Lee asked; both voted on both answers; Kim answered a call; three examples, two LoRAs."""
    for name in (answered(store, "1", KIM), answered(store, "2", LEE)):
        for person in (KIM, LEE):
            store.run_now(votes.cast, Vote(name, person, "up", "button"), now=4.0)
    called = store.run_now(escalations.call, "a2", ["U1"], caller=LEE.key, now=5.0)
    assert called is not None
    store.run_now(escalations.resolve, called, KIM.key, answer="15일입니다.", consent=True, now=6.0)
    for name, changes in (
        ("own", {"asker": KIM.key, "people": (LEE.key,)}),
        ("stood", {"asker": LEE.key, "people": (KIM.key, LEE.key)}),
        ("other", {"asker": LEE.key, "people": (LEE.key,), "decided_by": KIM.key, "state": "approved"}),
    ):
        store.run_now(examples.add, example(name, **changes))
    for lora, learnt in (("touched", "own"), ("clean", "other")):
        record = LoraRecord(lora, "b", "base", "p", "s", {}, made_at=1.0)
        store.run_now(loras.add, record, [example(learnt).id])
    return store


def test_nothing_names_the_person_afterwards(lived: Store) -> None:
    lived.run_now(forget, KIM.key, asked_by="terminal:r", now=9.0)

    def every_cell(connection: Connection) -> str:
        kept = [table for table in metadata.sorted_tables if table.name != "tombstones"]  # names them on purpose
        rows = [[tuple(row) for row in connection.execute(select(table))] for table in kept]
        return repr(rows)

    left = lived.run_now(every_cell)
    assert KIM.key not in left
    assert "15일입니다.'" not in left.split("escalations")[0] or "resolution" not in left
    assert LEE.key in left


def test_what_it_takes_is_told_before_and_after(lived: Store) -> None:
    ids = tuple(sorted((example("own").id, example("stood").id)))
    expected = Forgotten(ids, questions=1, votes=2, resolutions=1, loras=("touched",), others=1)
    theirs = lived.run_now(personal.of_person, KIM.key)
    assert lived.run_now(counted, theirs, now=9.0) == expected
    assert lived.run_now(counted, theirs, now=9.0) == expected  # looking takes nothing
    assert lived.run_now(forget, KIM.key, asked_by="terminal:r", now=9.0) == expected
    assert lived.run_now(forget, KIM.key, asked_by="terminal:r", now=9.0) == Forgotten((), 0, 0, 0)


def test_what_others_said_stays(lived: Store) -> None:
    lived.run_now(forget, KIM.key, asked_by="terminal:r", now=9.0)
    [left] = lived.run_now(examples.every)
    assert (left.id, left.state, left.decided_by) == (example("other").id, "approved", "erased")
    assert lived.run_now(answers.get, "a2") is not None
    assert lived.run_now(answers.get, "a1") is None
    assert lived.run_now(votes.counts, since=0.0) == {"up": 1}


def test_loras_that_learnt_from_it_are_marked_and_a_new_one_is_due(lived: Store) -> None:
    lived.run_now(forget, KIM.key, asked_by="terminal:r", now=9.0)
    assert lived.run_now(loras.unusable) == {"touched": "forgotten"}
    assert lived.run_now(jobs.last_done, "tune") == 9.0


def test_nothing_is_due_when_no_lora_learnt_from_it(lived: Store) -> None:
    lived.run_now(forget, "slack:U9", asked_by="terminal:r", now=9.0)
    assert lived.run_now(loras.unusable) == {}
    assert lived.run_now(jobs.last_done, "tune") is None


@pytest.mark.parametrize("helper", [KIM, LEE])
def test_a_draft_that_names_a_called_colleague_or_quotes_them_goes_and_others_stay(
    store: Store, helper: Person
) -> None:
    """Kim is called for the first question and Lee answers it; somebody else is called for the second."""
    texts = ["주차 등록은?", "식대는?", "출장비는?"]
    asker = Person("slack", "U7")
    call(store, miss(store, texts[0], asker), "user:U1", resolution="총무팀 대장에 적습니다.", consent=True)
    call(store, miss(store, texts[1], asker), "U8")
    miss(store, texts[2], asker)
    made = put(store, *([one] for one in texts))
    for one in made:
        store.run_now(decisions.write, one, "# 초안\nslack:U1, 총무팀 대장에 적습니다.", by="web:r", now=8.0)
    store.run_now(forget, helper.key, asked_by="terminal:r", now=9.0)
    drafts = {one.id: one.draft for one in store.run_now(gaps.every)}
    assert [bool(drafts[one]) for one in made] == [False, True, True]
