"""Claims on both databases: one holder at a time, one end, and nothing lost when a holder dies."""

from __future__ import annotations

import asyncio
import traceback
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select

from bot.errors import StoreError
from bot.messages import Outcome
from bot.store import questions, schema
from bot.store.database import Store, open_store
from bot.store.questions import Claim, ClaimKind
from tests.bot.store.rows import CHANNEL, KIM, asked


def claim(store: Store, *keys: str, owner: str = "a", now: float = 0.0) -> tuple[ClaimKind, Claim | None]:
    return store.run_now(questions.claim, asked(*keys), owner=owner, now=now, lease=30.0)


def held(found: tuple[ClaimKind, Claim | None]) -> Claim:
    assert found[1] is not None
    return found[1]


def test_a_question_is_claimed_once_by_any_of_its_keys(store: Store) -> None:
    kind, first = claim(store, "e1", "m1")
    assert kind is ClaimKind.NEW
    assert first is not None
    for keys in (("e1", "m1"), ("e2", "m1"), ("e1",), ("e2",)):  # e2 became known through m1
        assert claim(store, *keys, owner="b", now=1.0) == (ClaimKind.DUPLICATE, None)
    assert claim(store, "e3", "m3")[0] is ClaimKind.NEW


def test_an_expired_claim_is_taken_over_with_everything_it_needs(store: Store) -> None:
    first = held(claim(store, "e1"))
    store.run_now(questions.remember_draft, first, "C1:9.9")
    assert claim(store, "e1", owner="b", now=29.9)[0] is ClaimKind.DUPLICATE
    kind, second = claim(store, "e1", owner="b", now=30.0)
    assert kind is ClaimKind.TAKEN_OVER
    assert second is not None
    assert (second.question_id, second.attempt, second.draft) == (first.question_id, 2, "C1:9.9")
    assert second.asked.place == CHANNEL
    assert second.asked.person == KIM
    assert second.asked.turns == ("앞선 질문",)
    assert second.asked.reply_to == '{"token": "short-lived"}'


def test_who_lost_a_claim_can_neither_renew_nor_finish_it(store: Store) -> None:
    first = held(claim(store, "e1"))
    second = held(claim(store, "e1", owner="b", now=40.0))
    assert store.run_now(questions.renew, [first], now=41.0, lease=30.0) == frozenset()
    assert not store.run_now(questions.finish, first, Outcome.ANSWERED, now=41.0)
    assert not store.run_now(questions.remember_draft, first, "x")
    assert store.run_now(questions.finish, second, Outcome.ABSTAINED, now=42.0)
    assert not store.run_now(questions.finish, second, Outcome.ANSWERED, now=43.0)
    assert store.run_now(questions.outcomes, since=0.0) == {"abstained": 1}


def test_the_same_process_taking_over_its_own_stale_claim_fences_the_first_try(store: Store) -> None:
    first = held(claim(store, "e1"))
    second = store.run_now(questions.take_over, first.question_id, owner="a", now=31.0, lease=30.0)
    assert second is not None
    assert not store.run_now(questions.finish, first, Outcome.FAILED, now=32.0)


def test_a_done_claim_is_never_taken_over(store: Store) -> None:
    first = held(claim(store, "e1"))
    store.run_now(questions.finish, first, Outcome.FAILED, now=1.0)
    assert claim(store, "e1", owner="b", now=1e9) == (ClaimKind.DUPLICATE, None)
    assert store.run_now(questions.expired, ["slack"], now=1e9) == []


def test_renewing_keeps_a_claim_and_releasing_gives_it_up(store: Store) -> None:
    first = held(claim(store, "e1"))
    assert store.run_now(questions.renew, [first], now=20.0, lease=30.0) == {first.question_id}
    assert claim(store, "e1", owner="b", now=45.0)[0] is ClaimKind.DUPLICATE
    store.run_now(questions.release, [first], now=46.0)
    assert store.run_now(questions.expired, ["slack"], now=46.0) == [first.question_id]
    assert store.run_now(questions.expired, ["discord"], now=46.0) == []


def test_people_wait_only_for_processes_that_live(store: Store) -> None:
    first = held(claim(store, "e1"))
    claim(store, "e2")
    assert store.run_now(questions.waiting, now=1.0) == 2
    store.run_now(questions.finish, first, Outcome.ANSWERED, now=2.0)
    assert store.run_now(questions.waiting, now=3.0) == 1
    assert store.run_now(questions.waiting, now=31.0) == 0  # its process died, and nobody has taken it up


def test_token_email_and_thread_are_erased_when_the_question_ends(store: Store) -> None:
    first = held(claim(store, "e1"))
    store.run_now(questions.remember_draft, first, "secret draft")
    store.run_now(questions.finish, first, Outcome.ANSWERED, now=1.0)

    def row(connection: Connection) -> tuple[object, ...]:
        return tuple(connection.execute(select(schema.questions)).one())

    kept = str(store.run_now(row))
    for erased in ("short-lived", "secret draft", "kim@example.com", "앞선 질문"):
        assert erased not in kept


async def test_of_many_claimers_in_two_processes_exactly_one_wins(url: str, tmp_path: Path) -> None:
    stores = [open_store(url, tmp_path) for _ in range(2)]  # two engines: as separate as two processes
    try:
        for round_ in range(10):
            keys = (f"e{round_}", f"m{round_}")
            found = await asyncio.gather(
                *(
                    store.run(questions.claim, asked(*keys[:: 1 if n % 2 else -1]), owner=str(n), now=0.0, lease=9.0)
                    for n, store in enumerate(stores * 4)
                )
            )
            assert sorted(kind for kind, _ in found) == [ClaimKind.DUPLICATE] * 7 + [ClaimKind.NEW]
    finally:
        for store in stores:
            store.close()


def test_a_persons_last_questions_come_newest_first(store: Store) -> None:
    for n in range(4):
        store.run_now(questions.claim, asked(f"e{n}", text=f"질문 {n}"), owner="a", now=float(n), lease=9.0)
    stopped = held(store.run_now(questions.claim, asked("e9", text="그만"), owner="a", now=9.0, lease=9.0))
    store.run_now(questions.finish, stopped, Outcome.FAILED, now=9.0)
    past = store.run_now(questions.recent, KIM.key, 2)
    assert [(one.text, one.at) for one in past] == [("질문 3", 3.0), ("질문 2", 2.0)]
    assert store.run_now(questions.recent, "slack:U9", 2) == ()


def test_characters_that_a_database_cannot_hold_cost_no_question(store: Store) -> None:
    strange = asked(text="연차\ud83d는\x00 며칠?")
    _, claim = store.run_now(questions.claim, strange, owner="a", now=1.0, lease=9.0)
    assert claim is not None
    taken = store.run_now(questions.take_over, claim.question_id, owner="b", now=99.0, lease=9.0)
    assert taken is not None
    assert taken.asked.text.startswith("연차")
    assert store.run_now(questions.recent, KIM.key, 1)[0].text == "연차?는 며칠?"


def test_what_people_wrote_is_not_in_a_database_errors_traceback(store: Store) -> None:
    store.run_now(questions.claim, asked("e1"), owner="a", now=1.0, lease=9.0)
    double = insert(schema.claims).values(key="e1", question="비밀 질문")
    with pytest.raises(StoreError) as caught:
        store.run_now(lambda connection: connection.execute(double))
    assert "비밀 질문" not in "".join(traceback.format_exception(caught.value))


def test_a_database_that_cannot_be_opened_is_a_sentence_without_the_password(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        open_store("postgresql://saseo:geheim@127.0.0.1:1/wiki", tmp_path)
    assert "geheim" not in str(caught.value) + caught.value.explain("ko")
    for url in (
        "postgresql://127.0.0.1:1/wiki?user=saseo&password=geheim",
        "postgresql://saseo:very@geheim@127.0.0.1:1/wiki",
        "postgresql://saseo:geheim@127.0.0.1:port/wiki",
        "postgresql+nodriver://saseo:geheim@127.0.0.1:1/wiki",
    ):
        with pytest.raises(StoreError) as caught:
            open_store(url, tmp_path)
        assert "geheim" not in str(caught.value) + caught.value.explain("ko")
    (tmp_path / "file").write_text("not a database " * 100)
    for url in ("", f"sqlite:///{tmp_path / 'file'}", "mysql://h/d", "nonsense"):
        with pytest.raises(StoreError):
            open_store(url, tmp_path / "file")


def test_a_failing_transaction_changes_nothing_and_tells_no_text(store: Store) -> None:
    def fail(connection: Connection) -> None:
        questions.claim(connection, asked("e1", text="비밀 질문"), owner="a", now=0.0, lease=9.0)
        connection.exec_driver_sql("SELECT * FROM nowhere")

    with pytest.raises(StoreError) as caught:
        store.run_now(fail)
    assert "비밀" not in str(caught.value)
    assert claim(store, "e1")[0] is ClaimKind.NEW
