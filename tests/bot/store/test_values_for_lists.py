"""What an older program kept is listed and counted like what is kept now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from bot.messages import Outcome
from bot.store import conversations
from bot.store.conversations import Filter
from bot.store.database import open_store, postgresql_url
from bot.store.migrations import upgrading
from tests.bot.store.told import KIM, tell

_NEW = {
    "answers": ("first_token", "total_seconds", "tokens_read", "tokens_written", "cost_krw"),
    "questions": ("place", "lora"),
    "votes": ("question", "asked_at", "platform", "place"),
}


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    made = create_engine(postgresql_url(url))
    yield made
    made.dispose()


def test_old_rows_get_what_new_rows_have(engine: Engine, url: str, tmp_path: Path) -> None:
    store = open_store(url, tmp_path)
    tell(store, 10.0, lora="l7", up=[KIM], seconds=3.5, first_token=0.5)
    tell(store, 20.0, Outcome.ABSTAINED, first_token=None)
    tell(store, 30.0, Outcome.FAILED)
    store.close()

    def values() -> dict[str, list[object]]:
        with engine.connect() as connection:
            return {
                name: [
                    tuple(row)
                    for row in connection.execute(text(f"SELECT {', '.join(columns)} FROM {name} ORDER BY 1, 2"))  # noqa: S608
                ]
                for name, columns in _NEW.items()
            }

    before = values()
    with engine.begin() as connection:  # as a program before there were these columns left it
        for name, columns in _NEW.items():
            empty = "''" if name == "questions" else "NULL"
            connection.execute(text(f"UPDATE {name} SET " + ", ".join(f"{column} = {empty}" for column in columns)))  # noqa: S608
        newest = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        connection.execute(text("UPDATE alembic_version SET version_num = '0004'"))
        upgrading.upgrade(connection, "0005")
        connection.execute(text("UPDATE alembic_version SET version_num = :newest"), {"newest": newest})
    after = values()
    assert after["answers"] == before["answers"]
    assert after["votes"] == before["votes"]
    failed = ("C1", "")
    assert sorted(after["questions"]) == sorted(  # type: ignore[type-var]
        ("", "") if row == failed else row for row in before["questions"]
    )
    store = open_store(url, tmp_path)
    rows = store.run_now(conversations.page, Filter(vote="up")).rows
    store.close()
    assert [(row.lora, row.place, row.total_seconds) for row in rows] == [("l7", "C1", 3.5)]
