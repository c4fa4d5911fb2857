"""A backup is the store of one moment, and comes back whole: here, on another machine, in the other database."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import Connection, create_engine, select, text

from bot.backup import targets, writing
from bot.backup.archive import glance, opened
from bot.backup.settings_files import placeable
from bot.backup.shelf import BackupShelf
from bot.errors import BackupBusy, BackupTooNew, NoSpace, RestoreFailed, RestoreRefused, StoreError
from bot.store import audit, facts, migrations, privacy, schema, starting
from bot.store.database import Store, postgresql_url
from bot.store.migrations import upgrading
from tests.bot.backup.conftest import Installation, ask

WRITER = """
import sys, time
from pathlib import Path
from bot.store.database import open_store
from tests.bot.backup.conftest import ask
store = open_store(sys.argv[1], Path(sys.argv[2]))
number = 0
while True:
    ask(store, f"w{number}", "글" * 200)
    if not number:
        print("wrote", flush=True)
    number += 1
    time.sleep(0.01)
"""


def test_another_machine_has_what_this_one_had(here: Installation, there: Installation, tmp_path: Path) -> None:
    before = here.rows()
    written = here.backup(tmp_path / "b.zip")
    here.close()
    done = there.restore(written.path)
    assert there.rows() == before
    for name in ("loras/small-20261101-abcd/lora.gguf", "loras/small-20261101-abcd/lora.json", "search-weights.json"):
        assert (there.data / name).read_bytes() == (here.data / name).read_bytes()
    assert done.manifest.rows == written.manifest.rows > 15
    assert done.aside == ()
    store = there.store()
    assert store.run_now(audit.verify, written.manifest.audit).whole
    assert [one.action for one in store.run_now(audit.entries, most=1)] == ["backup.restore"]
    ask(store, "next")  # and goes on


def test_settings_come_along_without_passwords_and_never_over_others(
    here: Installation, there: Installation, tmp_path: Path
) -> None:
    written = here.backup(tmp_path / "b.zip")
    done = there.restore(written.path)
    assert (done.config, done.config_used) == (there.folder, True)
    told = (there.folder / "config.toml").read_text(encoding="utf-8")
    assert "geheim" not in told
    assert 'url = "postgresql://saseo@db/wiki"' in told
    assert (there.folder / "people/groups.toml").read_text(encoding="utf-8").startswith("[groups]")
    assert (there.folder / "glossary.toml").is_file()
    ((member, place),) = written.manifest.outside.items()
    assert place == str(tmp_path / "elsewhere.toml")
    assert (there.folder / member.removeprefix("config/")).read_text(encoding="utf-8") == "글"
    # Once more: these are settings in use now.
    (there.folder / "config.toml").write_text("mine", encoding="utf-8")
    again = there.restore(written.path)
    assert not again.config_used
    assert (there.folder / "config.toml").read_text(encoding="utf-8") == "mine"
    assert again.config is not None
    assert (again.config / "config.toml").read_text(encoding="utf-8") == told


def test_only_the_settings_and_what_they_name_lie_where_there_were_none(
    here: Installation, there: Installation, tmp_path: Path
) -> None:
    """A backup may come from somebody else, and the folder may be a home."""
    assert here.config is not None
    names = (".ssh/authorized_keys", ".profile.toml", "people/.hidden.toml", "unnamed.toml", "sitecustomize.py")
    config = 'groups_file = "./people/groups.toml"\ncatalogue = ".profile.toml"\n'
    sets = '[tuning]\nevaluation_sets = [".ssh/authorized_keys", "people/.hidden.toml", "sitecustomize.py"]\n'
    here.config.write_text(config + sets, encoding="utf-8")
    files = [here.folder / name for name in names]
    for file in files:
        file.parent.mkdir(exist_ok=True)
        file.write_text("x", encoding="utf-8")
    written = here.backup(tmp_path / "b.zip", named=(*files, here.folder / "people" / "groups.toml"))
    assert {f"config/{name}" for name in names} <= set(written.manifest.members)
    done = there.restore(written.path)
    assert (done.config, done.config_used) == (there.folder, True)
    placed = [path.relative_to(there.folder).as_posix() for path in there.folder.rglob("*") if path.is_file()]
    assert sorted(one for one in placed if not one.startswith("var/")) == ["config.toml", "people/groups.toml"]
    assert done.config_left is not None
    assert all((done.config_left / name).is_file() for name in names)


@pytest.mark.parametrize("config", [None, "no [ toml", "tuning = 3\ngroups_file = 4\n"])
def test_settings_that_make_no_sense_name_nothing(tmp_path: Path, config: str | None) -> None:
    (tmp_path / "a.toml").write_text("x", encoding="utf-8")
    if config is not None:
        (tmp_path / "config.toml").write_text(config, encoding="utf-8")
    assert [str(one) for one in placeable(tmp_path, ())] == ([] if config is None else ["config.toml"])


def test_no_secret_is_in_it(here: Installation, tmp_path: Path) -> None:
    (here.data / "privacy.key").write_text("k" * 64)
    written = here.backup(tmp_path / "b.zip")
    with opened(written.path) as archive:
        everything = b"".join(piece for name in archive.manifest.members for piece in archive.pieces(name))
    assert b"k" * 64 not in everything
    assert b"geheim" not in everything
    assert stat.S_IMODE(written.path.stat().st_mode) == 0o600


def counted(connection: Connection) -> None:
    """A row whose number the database gives: behind those that came with theirs."""
    made = {
        "answer": connection.execute(select(schema.answers.c.id)).scalars().first(),
        "person": "p",
        "via": "x",
        "at": 1.0,
    }
    connection.execute(schema.vote_changes.insert().values(**made))


def test_rows_move_from_one_database_to_the_other_and_back(
    here: Installation, there: Installation, tmp_path: Path, postgres_url: str
) -> None:
    import psycopg

    name = f"other_{os.getpid()}_{time.time_ns()}"
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
    other = Installation(tmp_path / "other", postgres_url.replace("/postgres?", f"/{name}?"))
    before = here.rows()
    other.restore(here.backup(tmp_path / "1.zip").path)
    here.close()
    assert other.rows() == before
    store = other.store()
    ask(store, "next")
    store.run_now(counted)
    other.close()
    then = other.rows()
    there.restore(other.backup(tmp_path / "2.zip").path)
    other.close()
    assert there.rows() == then


def test_a_postgresql_database_keeps_what_was_there_in_a_schema_of_its_own(here: Installation, tmp_path: Path) -> None:
    if not here.url:
        pytest.skip("SQLite: see the next test")
    path = here.backup(tmp_path / "b.zip").path
    store = here.store()
    ask(store, "later")
    with pytest.raises(RestoreRefused):
        here.restore(path)
    here.close()
    done = here.restore(path)
    (kept, files) = done.aside
    assert (here.data / "loras").is_dir()
    assert Path(files).is_dir()
    engine = create_engine(postgresql_url(here.url))
    with engine.connect() as connection:
        assert connection.execute(text(f"SELECT count(*) FROM {kept.removeprefix('schema ')}.questions")).scalar() == 6  # noqa: S608
        assert connection.execute(text("SELECT count(*) FROM questions")).scalar() == 5
        left = connection.execute(text("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'saseo_restoring%'")).all()
        assert left == []
    engine.dispose()
    ask(here.store(), "later")  # its counters and triggers came along
    with pytest.raises(Exception, match="append-only"):
        here.opened[0].run_now(lambda connection: connection.execute(schema.audit.delete()))


def test_what_was_there_is_kept_aside(there: Installation, tmp_path: Path) -> None:
    there.configure()
    store = there.store()
    ask(store, "first")
    path = there.backup(tmp_path / "b.zip").path
    ask(store, "second")
    (there.data / "search-weights.json").write_text("later")
    there.close()
    done = there.restore(path)
    (kept, folder) = done.aside
    with sqlite3.connect(kept) as raw:
        assert raw.execute("SELECT count(*) FROM questions").fetchone() == (2,)
    raw.close()
    assert (Path(folder) / "search-weights.json").read_text() == "later"
    assert (Path(folder) / "loras").is_dir()
    assert there.store().run_now(facts.get, "schema") == schema.VERSION
    assert len([one for one in there.data.iterdir() if one.name.startswith((".restoring", ".saseo"))]) == 0


def test_rows_alone_leave_loras_and_learnt_weights_where_they_are(here: Installation, tmp_path: Path) -> None:
    """What an update keeps of PostgreSQL, and the way back to the version before it."""
    engine = create_engine(postgresql_url(here.url) if here.url else f"sqlite:///{here.data / 'saseo.sqlite'}")
    path = writing.write_rows(engine, tmp_path / "before.zip", 5.0).path
    engine.dispose()
    before = here.rows()
    ask(here.store(), "later")
    here.close()
    done = here.restore(path)
    assert here.rows() == before
    assert [one.name for one in (here.data / "loras").iterdir()] == ["small-20261101-abcd"]
    assert (here.data / "search-weights.json").read_text() == '{"weights": 1}'
    assert not list(here.data.glob("before-restore-*/loras"))
    assert len(done.aside) == (1 if here.url else 2)  # the rows; beside a file the folder that it lies in


def test_a_service_that_runs_is_in_the_way(there: Installation, tmp_path: Path) -> None:
    there.store()
    path = there.backup(tmp_path / "b.zip").path
    with pytest.raises(RestoreRefused):
        there.restore(path)
    there.close()
    there.restore(path)


def test_what_the_address_says_beside_the_file_is_no_part_of_its_name(there: Installation, tmp_path: Path) -> None:
    written = there.backup(tmp_path / "b.zip")
    there.close()
    there.url = f"sqlite:///{tmp_path / 'a.db'}?timeout=5"
    assert there.restore(written.path).manifest.rows == written.manifest.rows
    assert sorted(one.name for one in tmp_path.glob("a.db*") if one.suffix != ".lock") == ["a.db"]
    assert there.store().file == tmp_path / "a.db"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://saseo:geheim@db/wiki", "only sqlite and postgresql"),
        ("sqlite://", "only in memory"),
        ("nonsense", "parse"),
    ],
)
def test_an_address_that_nothing_can_be_restored_to_is_a_sentence(
    there: Installation, tmp_path: Path, url: str, reason: str
) -> None:
    path = there.backup(tmp_path / "b.zip").path
    there.close()
    there.url = url
    with pytest.raises(StoreError, match=reason) as caught:
        there.restore(path)
    assert "geheim" not in str(caught.value)


def test_a_driver_that_is_not_here_is_a_sentence(there: Installation, tmp_path: Path) -> None:
    path = there.backup(tmp_path / "b.zip").path
    there.close()
    there.url = "postgresql+pg8000://saseo@db/wiki"
    with pytest.raises(RestoreFailed, match="pg8000"):
        there.restore(path)


def test_a_folder_that_cannot_be_synced_does_not_deny_that_the_store_is_in_place(
    there: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(there.store(), "first")
    path = there.backup(tmp_path / "b.zip").path
    ask(there.opened[0], "second")
    there.close()
    real, refused = targets.fsync, list[Path]()

    def fsync(path: Path) -> None:
        if path.is_dir():
            refused.append(path)
            raise OSError(22, "Invalid argument")
        real(path)

    monkeypatch.setattr(targets, "fsync", fsync)
    kept, *_ = there.restore(path).aside
    assert refused == [there.data]
    assert Path(kept).is_file()
    assert len(there.rows()["questions"]) == 1


def test_a_store_that_cannot_be_read_any_more_is_replaced(there: Installation, tmp_path: Path) -> None:
    ask(there.store(), "first")
    path = there.backup(tmp_path / "b.zip").path
    there.close()
    file = there.data / "saseo.sqlite"
    file.write_bytes(b"no database at all" * 1000)
    done = there.restore(path)
    assert Path(done.aside[0]).read_bytes().startswith(b"no database")
    assert there.store().run_now(facts.get, "x") is None


def test_a_backup_while_others_write_is_one_moment(here: Installation, there: Installation, tmp_path: Path) -> None:
    here.store()
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, here.url, str(here.data)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "wrote"
        for number in range(2):
            path = here.backup(tmp_path / f"{number}.zip").path
    finally:
        process.kill()
        process.communicate()
    tables = glance(path).tables
    # Each of its transactions adds one thing to several tables; the ones in the middle may lack the answer.
    assert tables["questions"].rows > 5
    assert tables["claims"].rows == tables["questions"].rows
    assert 0 <= tables["questions"].rows - tables["answers"].rows <= 1
    there.restore(path)  # which checks what refers to what
    here.close()


def test_who_was_erased_does_not_come_back(there: Installation, tmp_path: Path) -> None:
    path = there.backup(tmp_path / "b.zip").path
    store = there.opened[0]
    store.run_now(privacy.bury, "p:00000000000000000000000000000000", now=7.0)
    there.close()
    seen: list[dict[str, float]] = []

    def erase(store: Store) -> int:
        seen.append(store.run_now(privacy.buried))
        return 1

    assert there.restore(path, erase).erased == 1
    assert seen == [{"p:00000000000000000000000000000000": 7.0}]


def test_when_who_was_erased_cannot_be_erased_again_nothing_is_restored(there: Installation, tmp_path: Path) -> None:
    ask(there.store(), "first")
    path = there.backup(tmp_path / "b.zip").path
    ask(there.opened[0], "second")
    there.close()

    def fails(store: Store) -> int:
        raise OSError(28, "No space left on device")

    with pytest.raises(RestoreFailed, match="No space"):
        there.restore(path, fails)
    engine = create_engine(f"sqlite:///{there.data / 'saseo.sqlite'}")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM questions")).scalar() == 2
    engine.dispose()


def test_a_backup_of_an_older_program_is_brought_up_to_date(there: Installation, tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'old.sqlite'}")
    with engine.begin() as connection:
        upgrading.upgrade(connection, migrations.FIRST)
        connection.execute(text("INSERT INTO facts (key, value) VALUES ('kept', '글'), ('schema', '1')"))
    path = writing.write_rows(engine, tmp_path / "b.zip", 5.0).path
    engine.dispose()
    assert glance(path).revision == migrations.FIRST
    there.restore(path)
    store = there.store()
    assert store.run_now(facts.get, "kept") == "글"
    assert store.run_now(facts.get, "schema") == schema.VERSION
    assert store.run_now(starting.revision) == migrations.head()


def test_a_backup_of_a_newer_program_is_refused(
    there: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = there.store()
    with monkeypatch.context() as patch:
        patch.setattr(starting, "revision", lambda connection: "9999")
        there.store = lambda: newer  # type: ignore[method-assign]
        path = there.backup(tmp_path / "b.zip").path
    there.close()
    with pytest.raises(BackupTooNew):
        there.restore(path)


def test_a_full_disk_is_a_sentence_and_leaves_the_backup_from_before(here: Installation, tmp_path: Path) -> None:
    path = here.backup(tmp_path / "b.zip").path
    whole = path.read_bytes()
    here.close()
    code = (
        "import resource, sys, time\nfrom pathlib import Path\n"
        "from bot.backup.writing import BackupParts, write\nfrom bot.errors import BackupNotWritten, StoreError\n"
        "from bot.store.database import open_store\nimport signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "data = Path(sys.argv[2])\nstore = open_store(sys.argv[1], data)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (900_000, 900_000))\n"
        "try:\n    write(BackupParts(store, data, None, (), None, time.time), Path(sys.argv[3]), by='cli')\n"
        "except BackupNotWritten as error:\n    print(error.explain('en'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, here.url, str(here.data), str(path)], capture_output=True, text=True
    )
    assert "could not be written" in done.stdout, done.stderr
    assert path.read_bytes() == whole
    assert [one.name for one in tmp_path.iterdir() if one.name.endswith(".part")] == []
    assert sorted(one.name for one in (here.data / "backups").iterdir() if one.name.startswith(".")) == [".lock"]


def test_too_little_space_is_told_before_anything_is_written(
    there: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there.configure()
    path = there.backup(tmp_path / "b.zip").path
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=1000))
    with pytest.raises(NoSpace, match="free"):
        there.backup(tmp_path / "c.zip")
    there.close()
    with pytest.raises(NoSpace):
        there.restore(path)
    assert not (tmp_path / "c.zip").exists()


def test_two_backups_at_once_are_one(there: Installation, tmp_path: Path) -> None:
    there.store()
    with BackupShelf(there.data / "backups").alone(), pytest.raises(BackupBusy):
        there.backup(tmp_path / "b.zip")


def test_what_a_killed_backup_left_goes_with_the_next_one(there: Installation, tmp_path: Path) -> None:
    there.store()
    (there.data / "backups" / ".snapshot-x").mkdir(parents=True)
    (there.data / "backups" / ".saseo-20260101T000000Z.zip.part").touch()
    there.backup(tmp_path / "b.zip")
    assert sorted(one.name for one in (there.data / "backups").iterdir()) == [".lock"]


KILLED = """
import os, signal, sys, time
from pathlib import Path
from bot.backup import restoring
from bot.backup.targets import SqliteTarget
def die(*given):
    os.kill(os.getpid(), signal.SIGKILL)
when = sys.argv[3]
if when == "put":
    SqliteTarget.put = die
told = (lambda step, done, total: die() if step == when else None)
parts = restoring.RestoreParts("", Path(sys.argv[2]), None, Path(sys.argv[2]), lambda store: 0, time.time)
restoring.restore(Path(sys.argv[1]), parts, by="cli", sure=lambda manifest, taken: None, told=told)
"""


@pytest.mark.parametrize("when", ["check", "files", "store", "put"])
def test_a_restore_that_is_killed_loses_nothing_and_is_done_by_the_next_one(
    there: Installation, tmp_path: Path, when: str
) -> None:
    there.configure()
    ask(there.store(), "first")
    path = there.backup(tmp_path / "b.zip").path
    ask(there.opened[0], "second")
    there.close()
    before = there.rows()
    done = subprocess.run([sys.executable, "-c", KILLED, str(path), str(there.data), when], capture_output=True)
    assert done.returncode == -9, done.stderr
    assert there.rows() == before
    assert len(list(there.data.rglob("lora.gguf"))) >= 1
    there.restore(path)
    assert len(there.rows()["questions"]) == 1
    assert (there.data / "loras" / "small-20261101-abcd" / "lora.gguf").is_file()
    assert [one.name for one in there.data.iterdir() if ".restoring" in one.name] == []


def test_a_backup_that_is_killed_leaves_no_half_of_one(there: Installation, tmp_path: Path) -> None:
    ask(there.store(), "first")
    folder = there.data / "backups"
    code = (
        "import os, signal, sys, time\nfrom pathlib import Path\nfrom bot.backup.writing import BackupParts, write\n"
        "from bot.store.database import open_store\ndata = Path(sys.argv[1])\nstore = open_store('', data)\n"
        "def told(step, done, total):\n    os.kill(os.getpid(), signal.SIGKILL) if step == 'seal' else None\n"
        "write(BackupParts(store, data, None, (), None, time.time), data / 'backups' / 'saseo-20260101T000000Z.zip', "
        "by='cli', told=told)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(there.data)], capture_output=True).returncode == -9
    assert BackupShelf(folder).every() == []
    there.backup(folder / "saseo-20260102T000000Z.zip")
    assert sorted(one.name for one in folder.iterdir()) == [".lock", "saseo-20260102T000000Z.zip"]


def test_a_disk_that_gets_full_while_restoring_changes_nothing(there: Installation, tmp_path: Path) -> None:
    there.configure()
    store = there.store()
    for number in range(30):
        ask(store, f"e{number}", "글" * 2000)
    path = there.backup(tmp_path / "b.zip").path
    there.close()
    before = there.rows()
    code = (
        "import resource, signal, sys, time\nfrom pathlib import Path\nfrom bot.backup import restoring\n"
        "from bot.errors import RestoreFailed\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "data = Path(sys.argv[2])\nresource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))\n"
        "parts = restoring.RestoreParts('', data, None, data, lambda store: 0, time.time)\ntry:\n"
        "    restoring.restore(Path(sys.argv[1]), parts, by='cli', sure=lambda m, t: None, told=lambda *_: None)\n"
        "except RestoreFailed as error:\n    print(error.explain('en'))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path), str(there.data)], capture_output=True, text=True)
    assert "is as it was" in done.stdout, done.stderr
    assert there.rows() == before
    assert [one.name for one in there.data.iterdir() if "restor" in one.name] == []


def test_a_file_of_the_settings_whose_name_is_odd_comes_along_under_a_plain_one(
    there: Installation, tmp_path: Path
) -> None:
    there.configure()
    odd = there.folder / "용어:집 1.toml"
    odd.write_text("글", encoding="utf-8")
    written = there.backup(tmp_path / "b.zip", named=(odd,))
    there.close()
    assert written.manifest.outside == {"config/outside/1-용어_집_1.toml": str(odd)}
    assert there.restore(written.path).manifest.outside == written.manifest.outside
