"""What is too old goes, each class by its own age, and nothing that is still open."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select

from bot.conversation import Vote
from bot.messages import Outcome
from bot.privacy.retention import DAY, sweep
from bot.privacy_settings import PrivacySettings
from bot.store import answers, audit, escalations, examples, facts, loras, privacy, questions, votes
from bot.store.database import Store
from bot.store.loras import LoraRecord
from bot.store.schema import gap_questions, gaps, traces
from bot.store.schema import questions as questions_table
from tests.bot.examples.rows import example
from tests.bot.store.rows import CHANNEL, KIM, answer, asked

NOW = 1000 * DAY


def ask(store: Store, key: str, *, days: float, done: bool = True) -> str:
    """A question that ended `days` ago, with its answer and its way; its id, or the answer's."""
    at = NOW - days * DAY
    _, held = store.run_now(questions.claim, asked(key), owner="p", now=at, lease=60.0)
    assert held is not None
    if not done:
        return held.question_id
    store.run_now(
        answers.save, f"a{key}", held.question_id, answer(), language="ko", private=False, place=CHANNEL, now=at
    )
    store.run_now(questions.finish, held, Outcome.ANSWERED, now=at)

    def way(connection: Connection) -> None:
        connection.execute(traces.insert().values(question=held.question_id, trace={}, kept_at=at))

    store.run_now(way)
    return f"a{key}"


def vote(store: Store, answer_id: str, *, days: float) -> None:
    store.run_now(votes.cast, Vote(answer_id, KIM, "up", "button"), now=NOW - days * DAY)


def there(store: Store, answer_id: str) -> bool:
    return store.run_now(answers.get, answer_id) is not None


def count(store: Store, table: str) -> int:
    from bot.store.schema import metadata

    return store.run_now(
        lambda connection: connection.execute(select(func.count()).select_from(metadata.tables[table])).scalar_one()
    )


def run(store: Store, folder: Path, **ages: int) -> dict[str, int]:
    return sweep(store, folder, PrivacySettings(**{f"{name}_days": days for name, days in ages.items()}), now=NOW)


def test_questions_and_their_ways_go_at_their_ages(store: Store, tmp_path: Path) -> None:
    for number, days in enumerate((91, 89, 31, 29)):
        ask(store, str(number), days=days)
    store.run_now(facts.put, "slack:shared:a0", "shared")
    done = run(store, tmp_path)
    assert (done["questions"], done["traces"]) == (1, 3)
    assert [there(store, f"a{number}") for number in range(4)] == [False, True, True, True]
    assert count(store, "traces") == 1
    assert store.run_now(facts.get, "slack:shared:a0") is None
    assert run(store, tmp_path)["questions"] == 0


def test_what_was_rated_stays_until_the_rating_is_old(store: Store, tmp_path: Path) -> None:
    for key, asked_days, voted_days in (("1", 200, 179), ("2", 200, 181), ("3", 200, None)):
        name = ask(store, key, days=asked_days)
        if voted_days is not None:
            vote(store, name, days=voted_days)
    assert run(store, tmp_path)["questions"] == 2
    assert [there(store, f"a{key}") for key in "123"] == [True, False, False]
    assert count(store, "votes") == 1


def test_what_a_lora_learnt_from_stays_as_long_after_that(store: Store, tmp_path: Path) -> None:
    for key, made_days in (("1", 170), ("2", 185)):
        name = ask(store, key, days=400)
        vote(store, name, days=390)
        learnt = example(key, origins=(name,))
        store.run_now(examples.add, learnt)
        record = LoraRecord(f"l{key}", "b", "base", "p", "s", {}, made_at=NOW - made_days * DAY)
        store.run_now(loras.add, record, [learnt.id])
    run(store, tmp_path)
    assert [there(store, f"a{key}") for key in "12"] == [True, False]


def test_a_called_colleague_counts_as_a_rating(store: Store, tmp_path: Path) -> None:
    for key, days in (("1", 100), ("2", 200)):
        name = ask(store, key, days=300)
        called = store.run_now(escalations.call, name, ["U7"], caller="p:1", now=NOW - days * DAY)
        assert called is not None
    run(store, tmp_path)
    assert [there(store, f"a{key}") for key in "12"] == [True, False]


def test_what_is_open_stays_unless_nobody_can_ever_answer_it(store: Store, tmp_path: Path) -> None:
    waiting = ask(store, "1", days=1, done=False)
    abandoned = ask(store, "2", days=91, done=False)
    run(store, tmp_path)

    def left(connection: Connection) -> list[str]:
        return list(connection.execute(select(questions_table.c.id)).scalars())

    assert store.run_now(left) == [waiting]
    assert abandoned != waiting


def test_zero_keeps_for_ever(store: Store, tmp_path: Path) -> None:
    ask(store, "1", days=999)
    name = ask(store, "2", days=999)
    vote(store, name, days=999)
    done = run(store, tmp_path, questions=0, traces=0, feedback=0, exports=0, audit=0)
    assert done.get("questions", 0) == done.get("traces", 0) == 0
    assert there(store, "a1")
    run(store, tmp_path, questions=90, feedback=0)
    assert [there(store, one) for one in ("a1", "a2")] == [False, True]


def test_rejected_examples_go_once_nothing_would_make_them_again(store: Store, tmp_path: Path) -> None:
    living = ask(store, "1", days=10)
    for key, days, origins in (("old", 181, ()), ("new", 179, ()), ("would come back", 181, (living,))):
        store.run_now(
            examples.add, example(key, state="rejected", decided_at=NOW - days * DAY, decided_by="x", origins=origins)
        )
    store.run_now(examples.add, example("approved", state="approved", decided_at=NOW - 900 * DAY, decided_by="x"))
    store.run_now(examples.add, example("own", kind="imported", made_at=NOW - 900 * DAY))
    # Nobody decided these. With learning switched off again no build rejects them when their answers have gone.
    for key, days, origins in (("waited", 181, ()), ("waits", 179, ()), ("may be made", 181, (living,))):
        store.run_now(examples.add, example(key, made_at=NOW - days * DAY, origins=origins))
    assert run(store, tmp_path)["examples_rejected"] == 2
    left = {one.id for one in store.run_now(examples.every)}
    kept = ("new", "would come back", "approved", "own", "waits", "may be made")
    assert left == {example(key).id for key in kept}
    assert run(store, tmp_path, examples=365)["examples"] == 1


def test_an_example_stays_as_long_as_a_lora_that_learnt_from_it(store: Store, tmp_path: Path) -> None:
    for state in ("approved", "rejected"):
        old = example(state, state=state, decided_at=NOW - 900 * DAY, decided_by="x", people=(KIM.key,))
        store.run_now(examples.add, old)
        for lora in ("first", "second"):
            record = LoraRecord(f"{lora}-{state}", "b", "base", "p", "s", {}, made_at=NOW - 800 * DAY)
            store.run_now(loras.add, record, [old.id])

    def went() -> tuple[int, int]:
        done = run(store, tmp_path, examples=365)
        return done["examples"], done["examples_rejected"]

    assert went() == (0, 0)  # else an erasure of KIM would leave these LoRAs
    for state in ("approved", "rejected"):
        store.run_now(loras.delete, f"first-{state}", now=NOW)
    assert went() == (0, 0)
    for state in ("approved", "rejected"):
        store.run_now(loras.delete, f"second-{state}", now=NOW)
    assert went() == (1, 1)


def test_a_gap_without_questions_goes_and_another_keeps_its_name(store: Store, tmp_path: Path) -> None:
    ask(store, "1", days=91)
    ask(store, "2", days=10)

    def gap(connection: Connection) -> None:
        rows = connection.execute(select(questions_table.c.id).order_by(questions_table.c.asked_at)).scalars().all()
        for name, members in (("alone", rows[:1]), ("both", rows[1:])):
            values = {"state": "open", "name": "경조사", "nearest": [], "made_at": 1.0, "changed_at": 1.0}
            connection.execute(gaps.insert().values(id=name, **values))
            for one in members:
                connection.execute(gap_questions.insert().values(question=one, gap=name, reason="down", asked_at=1.0))

    store.run_now(gap)
    run(store, tmp_path)

    def left(connection: Connection) -> list[tuple[str, str]]:
        return [(row.id, row.name) for row in connection.execute(select(gaps))]

    assert store.run_now(left) == [("both", "경조사")]


def test_exports_go_from_the_data_directory_and_stay_elsewhere(
    store: Store, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    elsewhere = tmp_path_factory.mktemp("home") / "x.jsonl"
    for path, days in ((folder / "old.zip", 31), (folder / "new.zip", 29), (elsewhere, 31)):
        path.write_text("x")
        store.run_now(privacy.exported, "privacy", str(path.resolve()), "s", now=NOW - days * DAY)
    stray = folder / "stray.csv"
    stray.write_text("x")
    os.utime(stray, (NOW - 40 * DAY, NOW - 40 * DAY))
    os.utime(folder / "new.zip", (NOW, NOW))
    assert run(store, tmp_path)["exports"] == 2
    assert sorted(path.name for path in folder.iterdir()) == ["new.zip"]
    assert elsewhere.exists()
    assert count(store, "exports") == 2


def test_a_download_is_known_as_long_as_somebody_in_it_is(store: Store, tmp_path: Path) -> None:
    ask(store, "1", days=40)
    (held,) = store.run_now(lambda connection: connection.execute(select(questions_table.c.id)).scalars().all())
    for ids in ([held], ["gone"]):
        path = privacy.downloaded("gaps-open.csv")
        store.run_now(privacy.exported, "gaps", path, "s", holds=ids, now=NOW - 35 * DAY)
    run(store, tmp_path)
    assert count(store, "exports") == 1
    run(store, tmp_path, questions=30)
    run(store, tmp_path, questions=30)
    assert count(store, "exports") == 0


def test_what_a_restore_put_aside_goes_after_a_month(store: Store, tmp_path: Path) -> None:
    for name, days in (("before-restore-1", 31), ("before-restore-2", 29)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "saseo.sqlite").write_text("x")
        os.utime(folder, (NOW - days * DAY, NOW - days * DAY))
    run(store, tmp_path)
    assert sorted(path.name for path in tmp_path.glob("before-restore-*")) == ["before-restore-2"]


def test_the_audit_is_trimmed_after_its_year_and_stays_whole(store: Store, tmp_path: Path) -> None:
    for days in (400, 366, 10):
        store.run_now(audit.record, by="cli", action="x", now=NOW - days * DAY)
    assert run(store, tmp_path)["audit"] == 2
    assert [one.action for one in store.run_now(audit.entries)] == ["audit.trimmed", "x"]
    assert store.run_now(audit.verify).whole


def test_answered_requests_go_with_the_audit_and_open_ones_stay(store: Store, tmp_path: Path) -> None:
    for number, done in (("1", True), ("2", False)):
        request = store.run_now(privacy.receive, f"p:{number}", "forget", now=NOW - 500 * DAY, days=10)
        if done:
            store.run_now(privacy.done, request.id, {}, now=NOW - 490 * DAY)
    assert run(store, tmp_path)["requests"] == 1
    assert [one.person for one in store.run_now(privacy.requests)] == ["p:2"]


def test_it_can_be_left_between_transactions(store: Store, tmp_path: Path) -> None:
    ask(store, "1", days=91)

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(store, tmp_path, PrivacySettings(), now=NOW, check=stop)
    assert run(store, tmp_path)["questions"] == 1
