"""What somebody may ask for, over a real store, real files and real LoRA records."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, update

from bot.conversation import Person, Place, Vote
from bot.errors import BadPerson, CopyNotWritable, ModelMissing, StoreError
from bot.loras.shelf import LoraShelf
from bot.messages import Outcome
from bot.privacy.directs import place_in_rows
from bot.privacy.rights import Rights
from bot.privacy.tombstones import TOMBSTONES, read_tombstones
from bot.releases.choosing import Choosing
from bot.releases.releases import Releases
from bot.store import (
    answers,
    asides,
    audit,
    escalations,
    examples,
    facts,
    jobs,
    loras,
    privacy,
    questions,
    votes,
    web_accounts,
)
from bot.store import gaps as gap_rows
from bot.store import releases as release_rows
from bot.store.database import Store
from bot.store.loras import LoraRecord
from bot.store.schema import answers as answers_table
from bot.store.schema import gap_questions, gaps, traces
from bot.store.schema import privacy_requests as requests_table
from tests.bot.examples.rows import example
from tests.bot.privacy.conftest import PEOPLE, Clock
from tests.bot.store.rows import CHANNEL, KIM, LEE, answer, asked

WORDS = "김서연 대리의 경조사 휴가는 며칠입니까?"
KIM_NAME, LEE_NAME = PEOPLE.of(KIM.key), PEOPLE.of(LEE.key)
DIRECT = Place("discord", "D4711", "direct")


def ask(
    store: Store,
    key: str,
    person: Person,
    *,
    text: str = WORDS,
    place: Place = CHANNEL,
    now: float = 1.0,
    done: bool = True,
) -> str:
    """The answer's id; the question's when it stays open."""
    _, held = store.run_now(
        questions.claim,
        asked(key, text=text, person=person, place=place),
        owner="p",
        now=now,
        lease=60.0,
        person=PEOPLE.of(person.key),
        place=place_in_rows(place, PEOPLE.of),
    )
    assert held is not None
    if not done:
        return held.question_id
    made = answer(text=f"{text} 15일입니다. [1]")
    private = place.kind == "direct"
    store.run_now(
        answers.save,
        f"a{key}",
        held.question_id,
        made,
        language="ko",
        private=private,
        place=place_in_rows(place, PEOPLE.of),
        now=now,
    )
    store.run_now(questions.finish, held, Outcome.ANSWERED, now=now)
    return f"a{key}"


def vote(store: Store, answer_id: str, person: Person, correction: str = "") -> None:
    name = PEOPLE.of(person.key)
    store.run_now(votes.cast, Vote(answer_id, person, "down", "button"), now=2.0, person=name)
    if correction:
        store.run_now(votes.explain, answer_id, name, reason="wrong", correction=correction)


def cells(store: Store) -> str:
    from bot.store.schema import metadata

    def read(connection: Connection) -> str:
        return repr([[tuple(row) for row in connection.execute(select(table))] for table in metadata.sorted_tables])

    return store.run_now(read)


def test_a_person_is_written_as_a_platform_and_its_id_or_as_a_pseudonym(rights: Rights) -> None:
    assert rights.subject("slack:U1").name == rights.subject(KIM_NAME).name == KIM_NAME
    assert rights.subject("web:김 서연").name == PEOPLE.of("web:김 서연")
    for nobody in ("", "U1", "p:123", "slack:", "누구", "slack:U1 U2", "web:", "web:a\nb", "web:" + "a " * 60 + "b"):
        with pytest.raises(BadPerson):
            rights.subject(nobody)


def test_a_copy_holds_all_of_theirs_and_nothing_of_others(store: Store, rights: Rights, tmp_path: Path) -> None:
    mine = ask(store, "1", KIM)
    other = ask(store, "2", LEE, text="다른 사람의 질문입니다.")
    vote(store, other, KIM, correction="제가 고친 말입니다.")
    vote(store, mine, LEE, correction="남이 고친 말입니다.")
    made = rights.export(KIM.key, None, by="cli")
    with zipfile.ZipFile(made["path"]) as packed:
        text = packed.read("saseo.json").decode()
    assert WORDS in text
    assert "제가 고친 말입니다." in text
    assert "다른 사람의 질문입니다." not in text
    assert "남이 고친 말입니다." not in text
    assert Path(made["path"]).stat().st_mode & 0o077 == 0
    [entry] = store.run_now(audit.entries, action="privacy.export")
    assert (entry.subject, entry.detail["sha256"]) == (KIM_NAME, made["sha256"])
    (tmp_path / "file").write_text("")
    with pytest.raises(CopyNotWritable):
        rights.export(KIM.key, tmp_path / "file" / "copy.zip", by="cli")


def test_an_account_with_a_blank_in_its_name_is_exported_and_forgotten(store: Store, rights: Rights) -> None:
    ask(store, "1", Person("web", "김 서연"), place=Place("web", "x", "direct"))
    made = rights.export("web:김 서연", None, by="cli")
    with zipfile.ZipFile(made["path"]) as packed:
        assert WORDS in packed.read("saseo.json").decode()
    assert rights.forget("web:김 서연", by="cli")["questions"] == 1
    assert rights.impact("web:김 서연")["questions"] == 0


def lived_in_the_console(store: Store) -> None:
    """The account of 김 서연 logged in, decided about gaps, and one is theirs to fill."""

    def live(connection: Connection) -> None:
        web_accounts.put(connection, "김 서연", password="$argon2id$", role="reviewer", groups=["hr"], now=1.0)
        web_accounts.begin_session(connection, "김 서연", now=2.0)
        audit.record(connection, by="cli", action="account.put", subject="김 서연", now=1.0)
        audit.record(connection, by="web:김 서연", action="login", origin="192.0.2.7", now=2.0)
        audit.record(connection, by="web:park", action="login", now=2.0)
        for name, assigned in (("g", "김 서연"), ("h", "박 준호")):
            values = {"state": "open", "name": "x", "nearest": [], "made_at": 1.0, "changed_at": 1.0}
            connection.execute(gaps.insert().values(id=name, assigned=assigned, **values))
        gap_rows.change(connection, "g", "closed", by="web:김 서연", now=3.0, state="closed")

    store.run_now(live)


def test_a_copy_holds_the_account_of_the_console_and_its_logins(store: Store, rights: Rights) -> None:
    lived_in_the_console(store)
    for person in ("web:김 서연", PEOPLE.of("web:김 서연")):
        copy = rights.copy(person)
        assert copy["account"] == {"name": "김 서연", "role": "reviewer", "groups": ["hr"], "made_at": 1.0}
        assert [one["action"] for one in copy["on_record"]] == ["account.put", "login"]
        assert "argon2id" not in json.dumps(copy)


@pytest.mark.parametrize("person", ["web:김 서연", PEOPLE.of("web:김 서연")])
def test_an_erasure_takes_the_account_and_its_name_from_decisions(store: Store, rights: Rights, person: str) -> None:
    lived_in_the_console(store)
    assert (rights.impact(person)["known"], rights.impact(person)["account"]) == (True, True)
    report = rights.forget(person, by="cli")
    assert (report["known"], report["account"], rights.verify_report(report)) == (True, True, True)

    def left(connection: Connection) -> str:
        from bot.store.schema import metadata

        kept = [table for table in metadata.sorted_tables if table.name != "audit"]  # it stays whole
        return repr([[tuple(row) for row in connection.execute(select(table))] for table in kept])

    assert "김 서연" not in store.run_now(left)
    assert "박 준호" in store.run_now(left)
    assert rights.forget(person, by="cli")["known"] is False


def test_an_account_that_a_restored_backup_brings_back_goes_again_and_a_newer_one_stays(
    store: Store, rights: Rights, clock: Clock
) -> None:
    lived_in_the_console(store)
    rights.forget("web:김 서연", by="cli")
    for made_at, stays in ((clock.now - 10.0, 0), (clock.now + 10.0, 1)):
        back = {"password": "$argon2id$", "role": "viewer", "groups": (), "now": made_at}
        store.run_now(web_accounts.put, "김 서연", **back)
        assert bool(rights.reapply()) is not bool(stays)
        assert store.run_now(web_accounts.count) == stays


def test_an_account_that_is_called_as_a_word_takes_no_files_with_it(rights: Rights, tmp_path: Path) -> None:
    """A bare name of Slack is nobody's word, and is looked for; one of the console is looked for with its platform."""
    others, theirs = tmp_path / "jobs" / "r" / "others.jsonl", tmp_path / "jobs" / "r" / "theirs.jsonl"
    lora, slack = tmp_path / "loras" / "hr-1" / "lora.json", tmp_path / "logs" / "slack.log"
    for path in (others, theirs, lora, slack):
        path.parent.mkdir(parents=True, exist_ok=True)
    others.write_text('{"state": "approved"}', encoding="utf-8")
    lora.write_text('{"examples": "approved"}', encoding="utf-8")
    theirs.write_text('{"by": "web:approved"}', encoding="utf-8")
    slack.write_text("<@U0123ABCD>", encoding="utf-8")
    assert rights.impact("web:approved")["files"] == ["jobs/r/theirs.jsonl"]
    assert list(rights.forget("web:approved", by="cli")["files"]) == ["jobs/r/theirs.jsonl"]
    assert (others.exists(), lora.exists(), theirs.exists()) == (True, True, False)
    assert list(rights.forget("slack:U0123ABCD", by="cli")["files"]) == ["logs/slack.log"]


def test_looking_at_the_impact_changes_nothing(store: Store, rights: Rights) -> None:
    mine = ask(store, "1", KIM)
    ask(store, "2", LEE)  # in the same thread, and so perhaps leaning on it
    vote(store, mine, LEE)
    store.run_now(examples.add, example("e", asker=KIM_NAME, people=(LEE_NAME,)))
    before = cells(store)
    found = rights.impact(KIM.key)
    assert cells(store) == before
    assert (found["known"], found["questions"], found["votes_of_others"], found["others"]) == (True, 1, 1, 1)
    assert found["examples"] == [example("e").id]
    assert rights.impact("slack:U999")["known"] is False


def test_an_erasure_reaches_rows_files_exports_gaps_and_facts(store: Store, rights: Rights, tmp_path: Path) -> None:
    mine = ask(store, "1", KIM)
    direct = ask(store, "2", Person("discord", "U1"), place=DIRECT)
    other = ask(store, "3", LEE, text="다른 사람의 질문입니다.", place=Place("slack", "C9", "channel"))
    called = store.run_now(escalations.call, other, ["U1", "UHELP"], caller=LEE_NAME, now=3.0, tell=LEE.key)
    assert called is not None
    store.run_now(escalations.resolve, called, KIM_NAME, answer="제가 답한 말입니다.", consent=True, now=4.0)
    store.run_now(facts.put, "discord:directs", "D4711 D4712")
    store.run_now(facts.put, f"slack:shared:{mine}", "shared")
    store.run_now(facts.change_place, "slack", "C1", {"contacts": "U1, UHELP"}, by=KIM_NAME, now=5.0)

    def missed(connection: Connection) -> None:
        for number, (answer_id, gap) in enumerate(((mine, "alone"), (direct, "both"), (other, "both"))):
            values = {"state": "open", "name": WORDS, "nearest": [], "made_at": 1.0, "changed_at": 1.0}
            if number < 2:
                connection.execute(gaps.insert().values(id=gap, **values))
            question = connection.execute(
                select(answers_table.c.question).where(answers_table.c.id == answer_id)
            ).scalar()
            connection.execute(gap_questions.insert().values(question=question, gap=gap, reason="down", asked_at=1.0))

    store.run_now(missed)
    run = tmp_path / "jobs" / "r1"
    run.mkdir(parents=True)
    (run / "examples.jsonl").write_text(json.dumps({"question": WORDS}), encoding="utf-8")
    (run / "log.jsonl").write_text('{"event": "started"}', encoding="utf-8")
    kept = tmp_path / "tuning" / "answers" / "answers-1.jsonl"
    kept.parent.mkdir(parents=True)
    kept.write_text(json.dumps({"answer": WORDS}, ensure_ascii=False), encoding="utf-8")
    copy = Path(rights.export(KIM.key, None, by="cli")["path"])

    report = rights.forget(KIM.key, by="web:park")

    left = cells(store)
    assert "제가 답한 말입니다." not in left
    assert "U1'" not in left
    assert store.run_now(facts.get, f"slack:shared:{mine}") is None
    assert store.run_now(facts.place_changes) == {("slack", "C1"): {"contacts": "UHELP"}}
    assert [path.name for path in (tmp_path / "jobs" / "r1").iterdir()] == ["log.jsonl"]
    assert not kept.exists()
    assert not copy.exists()
    assert set(report["files"]) == {"jobs/r1/examples.jsonl", "tuning/answers/answers-1.jsonl", f"exports/{copy.name}"}
    assert report["before"]["questions"]
    assert report["after"] == {}
    rights.forget("discord:U1", by="cli")
    left = cells(store)
    assert WORDS not in left
    assert store.run_now(facts.get, "discord:directs") == "D4712"
    assert rights.verify_report(report)
    assert not rights.verify_report({**report, "questions": 0})
    [_, entry] = store.run_now(audit.entries, action="privacy.forget")
    assert (entry.by, entry.subject, entry.detail["report"]) == (
        "web:park",
        KIM_NAME,
        report["signature"],
    )
    assert store.run_now(audit.verify).whole


@pytest.mark.parametrize("told_by", ["rows", "files"])
def test_all_that_one_restore_put_aside_goes_together_and_the_rest_is_named(
    store: Store, rights: Rights, tmp_path: Path, told_by: str
) -> None:
    if "postgresql" not in store.where:
        pytest.skip("SQLite keeps folders: tests/bot/privacy/test_files.py")
    stamps = ("20261101T120000Z", "20261102T120000Z")

    def put_aside(connection: Connection) -> None:
        for number, stamp in enumerate(stamps):
            schema = f"saseo_before_restore_{stamp.lower()}"
            connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
            connection.exec_driver_sql(f"CREATE TABLE {schema}.votes (person text)")
            who = PEOPLE.of(KIM.key) if told_by == "rows" and number == 0 else "p:other"
            connection.exec_driver_sql(f"INSERT INTO {schema}.votes SELECT '{who}'")

    store.run_now(put_aside)
    for number, stamp in enumerate(stamps):
        folder = tmp_path / f"before-restore-{stamp}"
        folder.mkdir()
        (folder / "kept.json").write_text(KIM.key if told_by == "files" and number == 0 else "{}", encoding="utf-8")
    report = rights.forget(KIM.key, by="terminal:r")
    assert set(report["files"]) >= {
        "before-restore-20261101T120000Z/kept.json",
        "saseo_before_restore_20261101t120000z",
    }
    assert report["backups"] == ["before-restore-20261102T120000Z", "schema saseo_before_restore_20261102t120000z"]
    assert list(store.run_now(asides.asides)) == ["saseo_before_restore_20261102t120000z"]
    assert [path.name for path in tmp_path.glob("before-restore-*")] == ["before-restore-20261102T120000Z"]


def test_a_file_in_somebody_elses_folder_is_named_and_not_deleted(
    store: Store, rights: Rights, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ask(store, "1", KIM)
    elsewhere = tmp_path_factory.mktemp("home") / "copy.zip"
    rights.export(KIM.key, elsewhere, by="cli")
    assert rights.forget(KIM.key, by="cli")["files_left"] == [str(elsewhere.resolve())]
    assert elsewhere.exists()


def test_others_keep_their_questions_but_not_this_persons_words_in_them(store: Store, rights: Rights) -> None:
    ask(store, "1", KIM, now=1.0)
    later = ask(store, "2", LEE, text="그럼 배우자는요?", now=2.0)

    def lean(connection: Connection) -> None:
        row = connection.execute(select(answers_table).where(answers_table.c.id == later)).one()
        leaning = {**row.answer, "condensed": f"{WORDS} 그럼 배우자는요?"}
        connection.execute(update(answers_table).where(answers_table.c.id == later).values(answer=leaning))
        connection.execute(traces.insert().values(question=row.question, trace={"condensed": WORDS}, kept_at=2.0))

    store.run_now(lean)
    leant = example("leant", asker=LEE_NAME, people=(LEE_NAME,), origins=(later,), question=f"{WORDS} 그럼 배우자는요?")
    own = example("own", asker=LEE_NAME, people=(LEE_NAME,), origins=(later,), question="그럼 배우자는요?")
    for one in (leant, own):
        store.run_now(examples.add, one)
    assert rights.forget(KIM.key, by="cli")["others"] == 1
    kept = store.run_now(answers.get, later)
    assert kept is not None
    assert (kept.question, kept.answer.condensed) == ("그럼 배우자는요?", "그럼 배우자는요?")
    assert [one.id for one in store.run_now(examples.every)] == [own.id]
    assert WORDS not in cells(store)


def test_loras_that_learnt_from_them_stop_answering_lose_their_samples_and_are_made_anew(
    store: Store, rights: Rights, tmp_path: Path
) -> None:
    ask(store, "1", KIM)
    store.run_now(examples.add, example("e", asker=KIM_NAME, people=(KIM_NAME,)))
    store.run_now(loras.add, LoraRecord("hr-1", "b", "base", "p", "s" * 64, {}, made_at=1.0), [example("e").id])
    samples = tmp_path / "loras" / "hr-1" / "parity.json"
    samples.parent.mkdir(parents=True)
    samples.write_text(json.dumps({"text": WORDS}), encoding="utf-8")
    report = rights.forget(KIM.key, by="cli")
    assert [one["name"] for one in report["loras"]] == ["hr-1"]
    assert report["loras"][0]["sha256"] == "s" * 64
    assert store.run_now(loras.unusable) == {"hr-1": "forgotten"}
    assert store.run_now(jobs.newest, "tune") is not None
    assert not samples.exists()


def test_what_is_just_being_answered_goes_the_night_after(store: Store, rights: Rights, clock: Clock) -> None:
    question = ask(store, "1", KIM, now=clock.now, done=False)
    assert rights.forget(KIM.key, by="cli")["open"] == 1
    assert rights.impact(KIM.key)["open"] == 1
    clock.now += 3600.0  # its process died, or it was answered meanwhile
    assert rights.reapply() == [KIM_NAME]
    assert rights.impact(KIM.key)["known"] is False
    assert question not in cells(store)


def test_what_they_say_after_the_erasure_is_theirs_again(store: Store, rights: Rights, clock: Clock) -> None:
    ask(store, "1", KIM, now=clock.now)
    rights.forget(KIM.key, by="cli")
    ask(store, "2", KIM, text="다시 왔습니다.", now=clock.now + 10)
    assert rights.reapply() == []
    assert rights.impact(KIM.key)["questions"] == 1


def test_an_erasure_survives_a_store_that_never_heard_of_it(
    store: Store, rights: Rights, tmp_path: Path, clock: Clock
) -> None:
    """As a backup that was made before: the file beside the store remembers."""
    ask(store, "1", KIM)
    rights.forget(KIM.key, by="cli")
    assert read_tombstones(tmp_path) == {KIM_NAME: clock.now}

    def as_before(connection: Connection) -> None:
        from bot.store.schema import tombstones

        connection.execute(tombstones.delete())

    store.run_now(as_before)
    ask(store, "again", KIM)
    assert rights.reapply() == [KIM_NAME]
    assert WORDS not in cells(store)
    assert (tmp_path / TOMBSTONES).exists()
    assert [one.action for one in store.run_now(audit.entries, action="privacy.reapply")] == ["privacy.reapply"]


def test_training_stops_for_a_person_at_once_and_may_go_on(store: Store, rights: Rights) -> None:
    assert rights.suspend(KIM.key, by="cli")
    assert not rights.suspend(KIM.key, by="cli")
    assert store.run_now(privacy.suspended) == {KIM_NAME}
    rights.forget(KIM.key, by="cli")
    assert store.run_now(privacy.suspended) == {KIM_NAME}  # an erasure does not take the objection back
    assert rights.resume(KIM.key, by="cli")
    assert store.run_now(privacy.suspended) == frozenset()


def test_a_request_is_due_in_ten_days_and_done_with_its_answer(store: Store, rights: Rights, clock: Clock) -> None:
    ask(store, "1", KIM)
    request = rights.receive(KIM.key, "forget", by="cli")
    assert request.due_at == clock.now + 10 * 86400
    assert rights.receive(KIM.key, "forget", by="cli").id == request.id
    assert [one.id for one in store.run_now(privacy.requests, open_only=True)] == [request.id]
    assert rights.forget(KIM.key, by="cli")["request"] == request.id
    assert store.run_now(privacy.requests, open_only=True) == []

    def report(connection: Connection) -> object:
        return connection.execute(select(requests_table.c.report).where(requests_table.c.id == request.id)).scalar()

    assert WORDS not in json.dumps(store.run_now(report), ensure_ascii=False)


def test_erasing_twice_is_erasing_once(store: Store, rights: Rights) -> None:
    ask(store, "1", KIM)
    assert rights.forget(KIM.key, by="cli")["known"] is True
    again = rights.forget(KIM.key, by="cli")
    assert (again["known"], again["questions"], again["files"]) == (False, 0, {})


def test_a_store_that_was_too_busy_is_compacted_the_night_after(
    store: Store, rights: Rights, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(self: Store) -> None:
        raise StoreError(where="x", reason="busy")

    ask(store, "1", KIM)
    with monkeypatch.context() as patch:
        patch.setattr(Store, "compact", busy)
        assert rights.forget(KIM.key, by="cli")["compacted"] is False
    rights.reapply()
    [request] = store.run_now(privacy.requests)
    assert request.report["compacted_at"] == clock.now
    assert rights.verify_report(request.report)


def test_which_examples_went_is_known_though_the_erasure_was_killed_before_its_report(
    store: Store, rights: Rights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files may hold them still, and nothing may be learnt from those."""

    def killed(self: Store) -> None:
        raise SystemExit

    ask(store, "1", KIM)
    store.run_now(examples.add, example("e", asker=KIM_NAME, people=(KIM_NAME,)))
    with monkeypatch.context() as patch:
        patch.setattr(Store, "compact", killed)
        with pytest.raises(SystemExit):
            rights.forget(KIM.key, by="cli")
    assert store.run_now(examples.every) == []
    assert store.run_now(privacy.forgotten_examples) == {example("e").id}
    report = rights.forget(KIM.key, by="cli")
    assert (report["examples"], rights.verify_report(report)) == ([example("e").id], True)
    assert store.run_now(privacy.forgotten_examples) == {example("e").id}


def test_which_examples_came_back_with_a_backup_and_went_again_is_known(store: Store, rights: Rights) -> None:
    rights.forget(KIM.key, by="cli")
    ask(store, "1", KIM)  # as in the backup
    store.run_now(examples.add, example("e", asker=KIM_NAME, people=(KIM_NAME,)))
    assert rights.reapply() == [KIM_NAME]
    assert store.run_now(privacy.forgotten_examples) == {example("e").id}
    assert store.run_now(privacy.requests, open_only=True) == []


def test_the_tombstones_file_is_for_its_owner_alone(store: Store, rights: Rights, tmp_path: Path) -> None:
    ask(store, "1", KIM)
    rights.forget(KIM.key, by="cli")
    assert (tmp_path / TOMBSTONES).stat().st_mode & 0o077 == 0


def test_a_machine_without_the_model_erases_all_the_same(store: Store, tmp_path: Path, clock: Clock) -> None:
    @contextmanager
    def releases() -> Iterator[Releases]:
        def missing() -> str:
            raise ModelMissing(name="base", path="base.gguf")

        shelf = LoraShelf(tmp_path / "loras")
        yield Releases(store, shelf, Choosing("auto", shelf, missing, "p"), clock)

    ask(store, "1", KIM)
    store.run_now(examples.add, example("e", asker=KIM_NAME, people=(KIM_NAME,)))
    store.run_now(loras.add, LoraRecord("hr-1", "b", "base", "p", "s", {}, made_at=1.0), [example("e").id])
    store.run_now(release_rows.add, "b", "hr-1", "promote", by="x", now=1.0)
    report = Rights(store, PEOPLE, tmp_path, releases, clock=clock).forget(KIM.key, by="cli")
    assert report["questions"] == 1
    assert store.run_now(loras.unusable) == {"hr-1": "forgotten"}
