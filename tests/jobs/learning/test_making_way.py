"""Who waits for an answer makes a training run of this machine wait, and nobody else does."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import update

from bot.store import jobs as runs
from bot.store.database import Store
from bot.store.schema import questions
from jobs.learning.making_way import give_way
from jobs.tuning.pause import is_paused
from tests.bot.examples.rows import answer, answered

NOW = 1000.0


@pytest.mark.parametrize("state", ["open", "done"])
def test_a_training_run_pauses_while_a_question_is_open(store: Store, tmp_path: Path, state: str) -> None:
    answered(store, "1", answer("연차는 15일입니다 [1]."), text="연차는 며칠입니까?")
    store.run_now(lambda connection: connection.execute(update(questions).values(state=state)))
    rules = runs.Rules(groups={"tune": frozenset({"tune"})}, resumable=frozenset({"tune"}), grace=60.0)
    assert not store.run_now(give_way, tmp_path, now=NOW)  # nothing trains
    run = store.run_now(runs.claim, "tune", "me", rules, now=NOW, lease=60.0, asked_by="kim")
    assert run is not None
    folder = tmp_path / run.id / "plain"
    folder.mkdir(parents=True)
    assert store.run_now(give_way, tmp_path, now=NOW) is (state == "open")
    assert is_paused(folder) is (state == "open")
    store.run_now(lambda connection: connection.execute(update(questions).values(state="done")))
    assert not store.run_now(give_way, tmp_path, now=NOW)
    assert not is_paused(folder)
