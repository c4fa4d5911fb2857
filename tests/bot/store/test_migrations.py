"""Stores of older programs: recognised, brought up to date without losing a row, and untouched where that fails."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from sqlalchemy import Engine, MetaData, create_engine, func, insert, inspect, select, table, text

from bot.errors import MigrationFailed, StoreError, StoreInUse, StoreTooNew
from bot.store import audit, facts, migrations, schema, starting
from bot.store.database import open_store, postgresql_url
from bot.store.in_use import Hold
from bot.store.migrations import upgrading
from bot.store.migrations.writing import context

OPEN = """
import sys
from pathlib import Path
from bot.store.database import open_store
from bot.store import facts
store = open_store(sys.argv[1], Path(sys.argv[2]))
print(store.run_now(facts.get, "kept"))
"""


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    made = create_engine(postgresql_url(url))
    yield made
    made.dispose()


def at(engine: Engine, revision: str) -> None:
    """Bring the database to a revision."""
    with engine.begin() as connection:
        upgrading.upgrade(connection, revision)


def old_store(engine: Engine) -> dict[str, int]:
    """A store as programs before there were revisions left it, with a row in every table; how many there are."""
    at(engine, migrations.FIRST)
    tables = MetaData()
    tables.reflect(engine)
    rows: dict[str, int] = {}
    with engine.begin() as connection:
        connection.execute(text(f"DROP TABLE {migrations.TABLE}"))
        for one in tables.sorted_tables:
            if one.name == migrations.TABLE:
                continue
            values = {}
            for column in one.columns:
                if column.foreign_keys:
                    other = next(iter(column.foreign_keys)).column
                    values[column.name] = connection.execute(select(other)).scalar()
                else:
                    plain = {bool: True, int: 1, float: 1.5, str: "글"}
                    values[column.name] = plain.get(column.type.python_type, {"글": 1})
            if one.name == "facts":
                values = {"key": "schema", "value": "1"}
            connection.execute(insert(one).values(**values))
            rows[one.name] = 1
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO facts (key, value) VALUES ('kept', 'kept')"))
    return rows | {"facts": 2}


def counts(engine: Engine, names: Iterator[str] | dict[str, int]) -> dict[str, int]:
    with engine.connect() as connection:
        return {name: connection.execute(select(func.count()).select_from(table(name))).scalar_one() for name in names}


def triggers(engine: Engine) -> set[str]:
    wanted = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
    }
    with engine.connect() as connection:
        return set(connection.execute(text(wanted[engine.dialect.name])).scalars())


def test_a_database_that_came_by_the_steps_has_the_tables_of_the_schema(engine: Engine) -> None:
    at(engine, "head")
    with engine.connect() as connection:
        found = compare_metadata(context(connection), schema.metadata)
    assert found == [], "schema.py changed: see bot/store/migrations/README.md"


def test_a_database_that_came_by_the_steps_has_the_triggers_of_a_new_one(
    engine: Engine, url: str, tmp_path: Path
) -> None:
    at(engine, "head")
    stepped = triggers(engine)
    schema.metadata.drop_all(engine)
    with engine.begin() as connection:
        connection.execute(text(f"DROP TABLE {migrations.TABLE}"))
    open_store(url, tmp_path).close()
    assert stepped == triggers(engine)
    assert stepped


def test_the_newest_step_is_found_without_alembic(tmp_path: Path) -> None:
    assert migrations.head() == upgrading.scripts().get_current_head()
    code = OPEN + "print('alembic' in sys.modules)"
    for _ in range(2):  # a new store, and one that is as it should be
        done = subprocess.run([sys.executable, "-c", code, "", str(tmp_path)], capture_output=True, text=True)
        assert done.stdout.split() == ["None", "False"], done.stderr


def test_a_store_of_before_there_were_revisions_loses_no_row(engine: Engine, url: str, tmp_path: Path) -> None:
    rows = old_store(engine)
    store = open_store(url, tmp_path)
    (noted,) = store.run_now(audit.entries, action="store.migrate")
    store.close()
    assert (noted.subject, noted.detail["from"]) == (migrations.head(), migrations.FIRST)
    assert counts(engine, rows) == rows
    with engine.connect() as connection:
        assert starting.revision(connection) == migrations.head()
        assert compare_metadata(context(connection), schema.metadata) == []
    before = list((tmp_path / "backups").glob("before-*"))
    assert len(before) == 1
    assert stat.S_IMODE(before[0].stat().st_mode) == 0o600


def test_the_copy_from_before_is_the_store_from_before(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'saseo.sqlite'}")
    rows = old_store(engine)
    engine.dispose()
    open_store("", tmp_path).close()
    (copy,) = (tmp_path / "backups").glob("before-*.sqlite")
    old = create_engine(f"sqlite:///{copy}")
    assert counts(old, rows) == rows
    assert set(inspect(old).get_table_names()) == set(rows)
    old.dispose()


def test_a_store_whose_last_program_knew_fewer_tables_gets_those_it_lacks(
    engine: Engine, url: str, tmp_path: Path
) -> None:
    old_store(engine)
    with engine.begin() as connection:
        for name in ("lora_examples", "evaluations", "loras", "job_runs"):
            connection.execute(text(f"DROP TABLE {name}"))
    open_store(url, tmp_path).close()
    with engine.connect() as connection:
        assert compare_metadata(context(connection), schema.metadata) == []


def test_columns_that_were_too_narrow_once_are_widened(
    postgres_url: str, engine: Engine, url: str, tmp_path: Path
) -> None:
    if engine.dialect.name != "postgresql":
        pytest.skip("SQLite enforces no lengths")
    old_store(engine)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE lora_examples ALTER COLUMN example TYPE varchar(16)"))
        connection.execute(text("ALTER TABLE answers ALTER COLUMN model TYPE varchar(128)"))
    open_store(url, tmp_path).close()
    with engine.connect() as connection:
        assert compare_metadata(context(connection), schema.metadata) == []


def test_a_store_of_a_newer_program_is_refused_and_left_alone(engine: Engine, url: str, tmp_path: Path) -> None:
    open_store(url, tmp_path).close()
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreTooNew, match="9999"):
        open_store(url, tmp_path)
    assert not (tmp_path / "backups").exists()


def test_a_step_that_fails_leaves_the_store_as_it_was(
    engine: Engine, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = old_store(engine)
    before = set(inspect(engine).get_table_names())
    real = upgrading.upgrade

    def fails(connection: object, to: str = "head") -> None:
        real(connection, to)  # type: ignore[arg-type]
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(upgrading, "upgrade", fails)
    with pytest.raises(MigrationFailed, match="No space left"):
        open_store(url, tmp_path)
    assert set(inspect(engine).get_table_names()) == before
    assert counts(engine, rows) == rows
    monkeypatch.undo()
    store = open_store(url, tmp_path)
    assert store.run_now(facts.get, "kept") == "kept"
    store.close()


def test_a_copy_that_cannot_be_made_stops_everything(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'saseo.sqlite'}")
    rows = old_store(engine)
    (tmp_path / "backups").write_text("a file where the folder should be")
    with pytest.raises(StoreError):
        open_store("", tmp_path)
    assert set(inspect(engine).get_table_names()) == set(rows)
    engine.dispose()


def test_of_processes_that_start_together_one_changes_the_store(engine: Engine, url: str, tmp_path: Path) -> None:
    old_store(engine)
    engine.dispose()
    started = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, url, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    told = [process.communicate(timeout=120) for process in started]
    assert [out.strip() for out, _ in told] == ["kept"] * 3, told
    assert sum("store_migrated" in err for _, err in told) <= 1
    assert len(list((tmp_path / "backups").glob("before-*"))) == 1


def test_a_store_that_an_older_program_still_uses_is_not_changed_under_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "_WAIT_SECONDS", 0.3)
    engine = create_engine(f"sqlite:///{tmp_path / 'saseo.sqlite'}")
    rows = old_store(engine)
    older = Hold(tmp_path / "saseo.sqlite")
    assert older.share()
    with pytest.raises(StoreInUse):
        open_store("", tmp_path)
    assert set(inspect(engine).get_table_names()) == set(rows)
    older.close()
    open_store("", tmp_path).close()
    engine.dispose()


def test_a_process_killed_in_the_middle_leaves_a_store_that_starts(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'saseo.sqlite'}")
    rows = old_store(engine)
    engine.dispose()
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from bot.store.migrations import upgrading; from bot.store.database import open_store\n"
        "real = upgrading.upgrade\n"
        "def killed(connection, to='head'):\n    real(connection, to)\n    os.kill(os.getpid(), signal.SIGKILL)\n"
        "upgrading.upgrade = killed\nopen_store('', Path(sys.argv[1]))\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True).returncode == -9
    with sqlite3.connect(tmp_path / "saseo.sqlite") as raw:
        assert {name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")} == set(rows)
    raw.close()
    store = open_store("", tmp_path)
    assert store.run_now(facts.get, "kept") == "kept"
    store.close()


def test_a_program_of_before_there_were_revisions_still_knows_what_it_sees(tmp_path: Path) -> None:
    store = open_store("", tmp_path)
    assert store.run_now(facts.get, "schema") == schema.VERSION != "1"
    store.close()
