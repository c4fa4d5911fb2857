"""Random people ask, vote, correct, are called, make examples and LoRAs, leave files, are erased, and a backup is restored.

Whatever happens in whichever order: after an erasure no byte of the person's words or of their platform's id stands in any file of the
data directory. Every text holds a word that nothing else holds, so that a search for bytes cannot miss it.
"""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import Connection, select, update

from bot.backup.restoring import RestoreParts, restore
from bot.backup.writing import BackupParts, write
from bot.conversation import Asked, Person, Place, Vote
from bot.desk.people import People
from bot.examples.guards import Rules
from bot.examples.workbench import Workbench
from bot.messages import Outcome
from bot.privacy.retention import sweep
from bot.privacy.rights import Rights
from bot.privacy.tombstones import reapply
from bot.privacy_settings import PrivacySettings
from bot.releases.releases import Releases
from bot.store import answers, audit, escalations, examples, jobs, loras, questions, votes
from bot.store.database import Store, open_store
from bot.store.loras import LoraRecord
from bot.store.schema import escalations as escalations_table
from bot.store.schema import gap_questions, gaps, traces
from tests.bot.examples.rows import FakeGrounding, FakePages, answer, mask
from tests.bot.privacy.conftest import PEOPLE, Clock, releases_of

NAMES = ("K", "L", "M", "W")
"""W asks in the console, too, and is known by an account's name there."""
PLACES = (
    Place("slack", "C1", "channel", thread="1.0"),
    Place("slack", "C2", "channel"),
    Place("slack", "", "direct"),
)
"""The id of a direct place is each one's own."""


@dataclass
class Spoken:
    """A person, and every word of theirs that was ever written down."""

    person: Person
    direct: Place
    """Where only they and the bot read."""
    words: set[str] = field(default_factory=set)
    erased: set[str] = field(default_factory=set)

    @property
    def ids(self) -> set[str]:
        """That name them."""
        return {self.person.id, self.direct.id}


class Installation:
    """A data directory with a store, a log and everything else that may hold words."""

    def __init__(self, url: str = "") -> None:
        self.home = Path(tempfile.mkdtemp(prefix="canaries-"))
        self.data = self.home / "data"
        self.data.mkdir()
        self.clock = Clock()
        self.url = url
        self.store = open_store(url, self.data)
        self.count = 0
        self.people = {
            name: Spoken(Person("slack", f"UKANARIE{name}7"), Place("slack", f"DKANARIE{name}7", "direct"))
            for name in NAMES[:3]
        }
        account = Person("web", "WKANARIEW7")
        self.people["W"] = Spoken(account, Place("web", account.id, "direct"))
        self.answered: list[tuple[str, str]] = []
        """(answer, who asked)."""
        self.log = logging.FileHandler(self.data / "service.log", encoding="utf-8")
        logging.getLogger("bot").addHandler(self.log)
        self.level = logging.getLogger("bot").level
        logging.getLogger("bot").setLevel(logging.INFO)

    @property
    def rights(self) -> Rights:
        """Over the store as it is now."""

        @contextmanager
        def releases() -> Iterator[Releases]:
            yield releases_of(self.store, self.data, self.clock)

        return Rights(self.store, PEOPLE, self.data, releases, clock=self.clock)

    def word(self, name: str) -> str:
        """One that stands nowhere else."""
        self.count += 1
        made = f"카나리아{self.count:06d}번"
        self.people[name].words.add(made)
        return made

    def bytes_of(self) -> dict[str, bytes]:
        """Every file; a PostgreSQL store as its rows."""
        found = {str(path): path.read_bytes() for path in self.data.rglob("*") if path.is_file()}
        if self.url:
            found["rows"] = self.store.run_now(_dump)
        return found

    def close(self) -> None:
        """Take everything away."""
        logging.getLogger("bot").removeHandler(self.log)
        logging.getLogger("bot").setLevel(self.level)
        self.log.close()
        self.store.close()
        shutil.rmtree(self.home)

    # -- what may happen ------------------------------------------------------------------------------------------------

    def ask(self, name: str, place: Place, *, open_: bool = False) -> None:
        spoken = self.people[name]
        now = self.clock.now
        text = f"{self.word(name)} 휴가는 며칠입니까?"
        place = place if place.kind == "channel" else spoken.direct
        message = f"{place.id}:{self.count}"
        keys = (f"{place.platform}:event:{self.count}", f"{place.platform}:message:{message}")
        asked = Asked(keys, place, spoken.person, text, reply_to=f"in {place.id}", turns=(text,))
        people = People(self.store, PEOPLE)
        _, held = self.store.run_now(
            questions.claim,
            asked,
            owner="p",
            now=now,
            lease=60.0,
            person=people.named(spoken.person),
            place=people.place(place),
            keys=people.keys(asked),
        )
        assert held is not None
        if open_:
            spoken.erased -= spoken.ids  # they are back, and are to be answered
            return
        answer_id = f"a{self.count:08d}"
        made = answer(text=f"연차는 1년에 15일을 줍니다. [1] {text}", condensed=self.condensed(place, text))
        private, kept = place.kind == "direct", people.place(place)
        self.store.run_now(
            answers.save, answer_id, held.question_id, made, language="ko", private=private, place=kept, now=now
        )
        self.store.run_now(questions.finish, held, Outcome.ANSWERED, now=now)
        self.store.run_now(answers.posted, answer_id, people.message(place, message))

        def more(connection: Connection) -> None:
            connection.execute(
                traces.insert().values(question=held.question_id, trace={"condensed": made.condensed}, kept_at=now)
            )
            values = {"state": "open", "name": text, "nearest": [], "made_at": now, "changed_at": now}
            if connection.execute(select(gaps.c.id)).first() is None:
                connection.execute(gaps.insert().values(id="g", **values))
            connection.execute(update(gaps).values(name=text))
            connection.execute(
                gap_questions.insert().values(question=held.question_id, gap="g", reason="down", asked_at=now)
            )

        self.store.run_now(more)
        self.answered.append((answer_id, name))

    def condensed(self, place: Place, text: str) -> str:
        """A follow-up in a thread leans on what was asked there before, whoever asked it."""

        def before(connection: Connection) -> str | None:
            from bot.store.schema import questions as table

            name = People(self.store, PEOPLE).place(place).conversation
            of = select(table.c.text).where(table.c.conversation == name, table.c.conversation != "")
            return connection.execute(of.order_by(table.c.asked_at.desc(), table.c.id)).scalars().first()

        earlier = self.store.run_now(before)
        return f"{earlier} {text}" if earlier and earlier != text else text

    def vote(self, name: str, number: int, *, correct: bool) -> None:
        answer_id, _ = self.answered[number % len(self.answered)]
        me = self.people[name].person
        kept = self.store.run_now(answers.get, answer_id)
        if kept is None:
            return
        direction = "down" if correct else "up"
        self.store.run_now(
            votes.cast,
            Vote(answer_id, me, direction, "button"),
            now=self.clock.now,
            person=PEOPLE.of(me.key),  # type: ignore[arg-type]
        )
        if correct:
            said = f"{self.word(name)} 16일이 맞습니다."
            self.store.run_now(votes.explain, answer_id, PEOPLE.of(me.key), reason="wrong", correction=said)

    def call(self, name: str, helper: str, number: int) -> None:
        answer_id, asker = self.answered[number % len(self.answered)]
        me, other = self.people[name].person, self.people[helper].person
        if self.people[asker].person.platform != other.platform:
            return  # contacts of a place are people of its platform; the console has none
        called = self.store.run_now(
            escalations.call, answer_id, [other.id], caller=PEOPLE.of(me.key), now=self.clock.now, tell=me.key
        )
        if called is None:
            return
        for one in (name, helper):
            self.people[one].erased -= self.people[one].ids  # a contact by configuration, and who is to be told
        said = f"{self.word(helper)} 총무팀에 문의해 주십시오."
        self.store.run_now(
            escalations.resolve, called, PEOPLE.of(other.key), answer=said, consent=True, now=self.clock.now
        )
        self.store.run_now(escalations.take_tell, answer_id)

    def build(self) -> None:
        bench = Workbench(self.store, FakePages(), FakeGrounding(), mask, Rules(), self.clock)  # type: ignore[arg-type]
        bench.build()

    def tune(self) -> None:
        """A run's folder with what it learns from, a LoRA with samples, and what the gate keeps."""
        made = self.store.run_now(examples.every)
        if not made:
            return
        self.count += 1
        name = f"lora-{self.count}"
        texts = [f"{one.question} {one.answer} {one.rejected}" for one in made]
        record = LoraRecord(name, "b", "base", "p", "s" * 64, {}, made_at=self.clock.now)
        self.store.run_now(loras.add, record, [one.id for one in made])
        for place, file in (
            (f"loras/{name}", "parity.json"),
            (f"jobs/{name}", "examples.jsonl"),
            ("tuning/answers", f"{name}.jsonl"),
        ):
            (self.data / place).mkdir(parents=True, exist_ok=True)
            (self.data / place / file).write_text(
                json.dumps(texts, ensure_ascii=file == "parity.json"), encoding="utf-8"
            )

    def export(self, name: str) -> None:
        self.rights.export(self.people[name].person.key, None, by="cli")

    def erase(self, name: str) -> None:
        spoken = self.people[name]
        report = self.rights.forget(spoken.person.key, by="cli")
        if report["open"]:
            self.clock.now += 120.0  # its process has died; the next night
            self.rights.reapply()
        spoken.erased |= spoken.words
        spoken.erased |= spoken.ids
        spoken.words = set()
        self.clock.now += 1.0

    def back_up(self) -> None:
        """As `saseo backup` does, beside the data directory."""
        parts = BackupParts(self.store, self.data, None, (), None, self.clock)
        write(parts, self.home / "backup.zip", by="cli")

    def restore(self) -> None:
        """As `saseo restore --yes` does; then the night comes, which looks after what a backup brings in files."""
        self.store.close()

        def again(store: Store) -> int:
            return len(reapply(store, self.data, PEOPLE, by="restore", now=self.clock()))

        parts = RestoreParts("", self.data, None, self.home, again, self.clock)
        restore(self.home / "backup.zip", parts, by="cli", sure=lambda manifest, taken: None, told=lambda *_: None)
        self.store = open_store("", self.data)
        self.rights.reapply()
        self.clock.now += 1.0  # names of folders hold the second
        self.answered = [one for one in self.answered if self.store.run_now(answers.get, one[0]) is not None]

    def check(self) -> None:
        """No byte of whoever was erased, and no platform id but of open questions and calls."""
        content = self.bytes_of()
        for spoken in self.people.values():
            for word in spoken.erased:
                written = (word.encode(), json.dumps(word)[1:-1].encode())
                found = [name for name, data in content.items() if any(one in data for one in written)]
                assert not found, (word, found)
        log = (self.data / "service.log").read_text("utf-8")
        assert "카나리아" not in log
        assert "KANARIE" not in log
        assert self.store.run_now(audit.verify).whole


def _dump(connection: Connection) -> bytes:
    from bot.store.schema import metadata

    return repr(
        [[tuple(row) for row in connection.execute(select(table))] for table in metadata.sorted_tables]
    ).encode()


names = st.sampled_from(NAMES)


class Life(RuleBasedStateMachine):
    """The installation, and what may happen to it in any order."""

    @initialize()
    def begin(self) -> None:
        self.it = Installation()
        self.backed_up = False

    @rule(name=names, place=st.sampled_from(PLACES))
    def somebody_asks(self, name: str, place: Place) -> None:
        self.it.clock.now += 1.0
        self.it.ask(name, place)

    @rule(name=names)
    def somebody_asks_and_the_process_dies(self, name: str) -> None:
        self.it.clock.now += 1.0
        self.it.ask(name, PLACES[0], open_=True)

    @precondition(lambda self: self.it.answered)
    @rule(name=names, number=st.integers(0, 20), correct=st.booleans())
    def somebody_votes(self, name: str, number: int, correct: bool) -> None:
        self.it.vote(name, number, correct=correct)

    @precondition(lambda self: self.it.answered)
    @rule(name=names, helper=names, number=st.integers(0, 20))
    def somebody_is_called(self, name: str, helper: str, number: int) -> None:
        self.it.call(name, helper, number)

    @rule()
    def examples_are_built(self) -> None:
        self.it.build()

    @rule()
    def a_lora_is_made(self) -> None:
        self.it.tune()

    @rule(name=names)
    def somebody_gets_a_copy(self, name: str) -> None:
        self.it.export(name)

    @rule(name=names)
    def somebody_is_erased(self, name: str) -> None:
        self.it.erase(name)
        self.it.check()

    @precondition(lambda self: not self.backed_up)
    @rule()
    def a_backup_is_made(self) -> None:
        self.it.back_up()
        self.backed_up = True

    @precondition(lambda self: self.backed_up)
    @rule()
    def the_backup_is_restored(self) -> None:
        self.it.restore()
        self.it.check()

    @rule(days=st.sampled_from([1, 40, 100]))
    def time_passes_and_the_night_comes(self, days: int) -> None:
        self.it.clock.now += days * 86400.0
        sweep(self.it.store, self.it.data, PrivacySettings(), now=self.it.clock.now)
        self.it.rights.reapply()
        self.it.answered = [one for one in self.it.answered if self.it.store.run_now(answers.get, one[0]) is not None]

    @invariant()
    def answers_belong_to_questions(self) -> None:
        """Nothing is left hanging."""

        def orphans(connection: Connection) -> int:
            return len(connection.exec_driver_sql("PRAGMA foreign_key_check").all())

        if hasattr(self, "it"):
            assert self.it.store.run_now(orphans) == 0

    def teardown(self) -> None:
        if hasattr(self, "it"):
            self.it.check()
            self.it.close()


TestLife = pytest.mark.slow(Life.TestCase)
TestLife.settings = settings(
    max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)


def whole_life(it: Installation) -> None:
    """Everything once, in an order that makes everything hang together."""
    it.ask("K", PLACES[0])
    it.ask("L", PLACES[0])
    it.ask("K", PLACES[2])
    it.ask("M", PLACES[1])
    it.ask("W", PLACES[2])
    for name in NAMES:
        it.vote(name, 0, correct=False)
        it.vote(name, 1, correct=True)
    it.call("M", "K", 1)
    it.build()
    it.tune()
    it.export("K")


@pytest.mark.parametrize("name", NAMES)
def test_after_a_whole_life_each_may_go_and_the_others_words_stay(name: str) -> None:
    it = Installation()
    try:
        whole_life(it)
        before = b"".join(it.bytes_of().values())
        assert all(
            word.encode() in before for spoken in it.people.values() for word in spoken.words
        )  # else it proves nothing
        it.erase(name)
        it.check()
        left = b"".join(it.bytes_of().values())
        others = [spoken for other, spoken in it.people.items() if other != name]
        assert any(word.encode() in left for spoken in others for word in spoken.words)
        assert it.store.run_now(jobs.newest, "tune") is not None
    finally:
        it.close()


def test_a_restored_backup_brings_nobody_back_and_what_it_put_aside_goes_with_the_next_erasure() -> None:
    it = Installation()
    try:
        whole_life(it)
        it.back_up()
        it.erase("K")
        it.restore()
        it.check()
        assert list(it.data.glob("before-restore-*"))
        assert any(word.encode() in b"".join(it.bytes_of().values()) for word in it.people["L"].words)
        it.erase("L")
        it.check()
        assert not list(it.data.glob("before-restore-*"))
    finally:
        it.close()


def test_on_postgresql_no_row_is_left(postgres_url: str) -> None:
    import psycopg

    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(b"CREATE DATABASE canaries")
    it = Installation(postgres_url.replace("/postgres?", "/canaries?"))
    try:
        whole_life(it)
        for name in NAMES:
            it.erase(name)
            it.check()
    finally:
        it.close()


def test_ids_of_platforms_are_only_in_what_is_open() -> None:
    it = Installation()
    try:
        whole_life(it)
        rows = it.store.run_now(_dump)
        found = [one for spoken in it.people.values() for one in sorted(spoken.ids) if one.encode() in rows]
        assert found == ["UKANARIEK7"]

        def contacts(connection: Connection) -> list[object]:
            return list(connection.execute(select(escalations_table.c.contacts)).scalars())

        assert it.store.run_now(contacts) == [["UKANARIEK7"]]  # a configured contact, as long as the call is on record
        it.ask("L", PLACES[0], open_=True)
        it.ask("M", PLACES[2], open_=True)
        it.ask("W", PLACES[2], open_=True)
        rows = it.store.run_now(_dump)  # or their answers could not be delivered after a crash
        assert all(one in rows for one in (b"UKANARIEL7", b"UKANARIEM7", b"DKANARIEM7", b"WKANARIEW7"))

        def give_up(connection: Connection) -> None:
            late = it.clock.now + 1000.0
            for one in questions.expired(connection, ["slack", "web"], now=late):
                held = questions.take_over(connection, one, owner="q", now=late, lease=60.0)
                assert held is not None
                assert held.asked.place.kind == "channel" or held.asked.place.id in held.asked.reply_to
                questions.finish(connection, held, Outcome.FAILED, now=late)

        it.store.run_now(give_up)
        rows = it.store.run_now(_dump)
        assert [one for spoken in it.people.values() for one in spoken.ids if one.encode() in rows] == ["UKANARIEK7"]
    finally:
        it.close()
