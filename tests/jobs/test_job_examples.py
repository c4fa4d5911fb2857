"""Examples → tuning, and what is forgotten: the real jobs over a real index and store."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.app import Root
from bot.errors import NothingToLearn
from bot.examples.example import id_of
from bot.examples.pages import EditionPages
from bot.examples.workbench import Workbench
from bot.job_settings import TuneJob
from bot.jobs_app import Workshop
from bot.messages import Citation, Shown
from bot.store import examples, jobs
from bot.store.database import Store, open_store
from bot.wiki_app import WikiParts
from jobs import build_examples, retention
from jobs.job import JobContext, JobParts, JobSpec, JobStopped
from jobs.learning.leftovers import EXAMPLES, PREFERENCES
from jobs.learning.material import LearningSet, of_store
from jobs.learning.tune import _material
from jobs.registry import Registry
from jobs.runner import Runner, RunnerOptions
from jobs.tuning.dataset import Example, write_examples
from jobs.tuning.preferences import Preference, write_preferences
from knowledge.korean import Analyser
from tests.bot.examples.rows import KIM, LEE, PARK, answer, answered, vote
from tests.conftest import Indexer

SAID = "연차는 사용 3일 전까지 그룹웨어에서 신청하고 팀장 승인을 받습니다."


@pytest.fixture
def parts(indexer: Indexer, tmp_path: Path, analyser: Analyser, monkeypatch: pytest.MonkeyPatch) -> Iterator[JobParts]:
    """A wiki, and an answer that two people voted up."""
    monkeypatch.setattr(WikiParts, "make_analyser", staticmethod(lambda workers=1: analyser))  # Kiwi loads for seconds
    indexer.build()
    config = tmp_path / "saseo.toml"
    config.write_text(
        'data_dir = "data"\n[tuning]\nlearn_from_feedback = true\nautomatic = true\nvoter_days = 0\nperson_share = 1.0\n'
        "[jobs]\nkeep_runs = 2\n"
        "[jobs.examples]\ntune_after = 1\n",
        encoding="utf-8",
    )
    store = open_store("", tmp_path / "data")
    passage = next(one for one in indexer.open().edition.passages if SAID in one.text)
    made = answer(
        f"{SAID[:-1]} [1].",
        condensed="연차는 어떻게 신청합니까?",
        shown=(Shown("wiki", passage.page, passage.number, passage.text),),
        citations=(Citation(1, passage.page, passage.title, None, SAID),),
    )
    name = answered(store, "1", made, text="연차는 어떻게 신청합니까?")
    vote(store, name, KIM)
    vote(store, name, LEE)
    yield Root(config).job_parts(store)
    store.close()


def runner(parts: JobParts, *more: JobSpec) -> Runner:
    known = Registry([build_examples.job(parts), retention.job(parts), *more])
    options = RunnerOptions("me", parts.settings.data_dir / "jobs", 60.0, follow=("tune",))
    return Runner(parts.store, known, known.rules(60.0), options)


def states(store: Store, job: str) -> list[str]:
    return [run.state for run in store.run_now(jobs.every, job)]


@pytest.mark.parametrize("since", ["voted down", "page closed"])
def test_a_training_run_learns_nothing_that_may_not_be_learnt_any_more(parts: JobParts, since: str) -> None:
    with parts.workbench() as bench:
        bench.build()
        assert [one.answer for one in of_store(bench).examples] == [f"{SAID[:-1]} [1]."]
        pages = bench.pages
        if since == "voted down":
            vote(parts.store, id_of("1"), PARK, "down")
        else:
            pages = EditionPages(())
        assert of_store(replace(bench, pages=pages)) == LearningSet(())


KILLED = """
import os, signal, sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])
from bot.app import Root
from bot.store import examples

left = int(sys.argv[3])


def counted(work):
    def and_die(*args, **named):
        global left
        done = work(*args, **named)
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        return done
    return and_die


for name in ("add", "decide"):
    setattr(examples, name, counted(getattr(examples, name)))
with Root(Path(sys.argv[2])).workbench() as bench:
    bench.build()
"""


def test_killed_after_any_of_its_writes_nothing_is_half_built_and_the_next_run_builds_all(
    parts: JobParts, tmp_path: Path
) -> None:
    root, code, step = Path(__file__).parents[2], -signal.SIGKILL, 0
    while code == -signal.SIGKILL:
        assert parts.store.run_now(examples.every) == []
        step += 1
        command = [sys.executable, "-c", KILLED, root, tmp_path / "saseo.toml", str(step)]
        code = subprocess.run(command, check=False).returncode
    assert code == 0
    assert step == 3  # killed once after the example, once after its approval
    (built,) = parts.store.run_now(examples.every)
    assert (built.state, built.answer) == ("approved", f"{SAID[:-1]} [1].")
    with parts.workbench() as bench:
        assert bench.build().new == 0


def test_tuning_becomes_due_when_enough_new_examples_are_approved_and_not_again_for_the_same_ones(
    parts: JobParts,
) -> None:
    tuned: list[str] = []

    def tune(context: JobContext) -> dict[str, object]:
        tuned.append(context.run)
        return {}

    clock = runner(parts, JobSpec("tune", "튜닝", "Tune", tune))
    first = clock.run("examples", asked_by="clock")
    assert first is not None
    assert (first.state, first.error) == ("done", "")
    assert (first.result["usable"], first.result["fresh"]) == (1, 1)
    assert states(parts.store, "tune") == ["due"]
    waiting = clock.run("examples", asked_by="clock")
    assert waiting is not None
    assert waiting.result["fresh"] == 0
    assert states(parts.store, "tune") == ["due"]
    assert clock.run("tune") is not None
    again = clock.run("examples", asked_by="clock")
    assert again is not None
    assert again.result["fresh"] == 0
    assert states(parts.store, "tune") == ["done"]
    assert len(tuned) == 1


def test_what_a_failed_run_should_have_learnt_is_made_up_for_and_what_a_file_taught_is_not_counted(
    parts: JobParts,
) -> None:
    fails = True

    def tune(context: JobContext) -> dict[str, object]:
        if fails:
            raise NothingToLearn(reason="")
        return {}

    clock = runner(parts, JobSpec("tune", "튜닝", "Tune", tune))
    clock.run("examples", asked_by="clock")
    tried = clock.run("tune")
    assert tried is not None
    assert tried.state == "failed"
    again = clock.run("examples", asked_by="clock")
    assert again is not None
    assert again.result["fresh"] == 1
    assert sorted(states(parts.store, "tune")) == ["due", "failed"]

    fails = False
    parts.store.run_now(jobs.forget, [tried.id])
    clock.run("tune", asked_by="kim", arguments={"examples": ["own.jsonl"]})
    waiting = next(run for run in parts.store.run_now(jobs.every, "tune") if run.state == "due")
    assert parts.store.run_now(jobs.last_done, "tune") == waiting.due_at  # not that of the file
    assert clock.run("tune") is not None
    over = clock.run("examples", asked_by="clock")
    assert over is not None
    assert over.result["fresh"] == 0


def test_who_goes_on_by_hand_leaves_nothing_due(parts: JobParts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "nice", lambda by: by)  # the other tests run in this process, too
    chosen = parts.settings.jobs.model_copy(update={"tune": TuneJob(enabled=True)})
    workshop = Workshop(replace(parts, settings=parts.settings.model_copy(update={"jobs": chosen})))
    for without, due in ((["tune"], []), ([], ["due"])):
        workshop.run("examples", by="kim", told=lambda done, total, message: None, without=without)
        assert states(parts.store, "tune") == due


@pytest.mark.parametrize("taken", ["", EXAMPLES, PREFERENCES, "both"])
@pytest.mark.parametrize("state", ["failed", "stopped"])
def test_of_a_tuning_run_that_is_over_or_whose_people_were_forgotten_no_words_are_left(
    parts: JobParts, state: str, taken: str
) -> None:
    """`taken`: the file that the erasure found their words in."""

    def tune(context: JobContext) -> dict[str, object]:
        write_examples(context.folder / EXAMPLES, [Example("gone", "질문", (), "답")])
        write_preferences(context.folder / PREFERENCES, [Preference("gone", "질문", ("문서",), "답")])
        for name in (EXAMPLES, PREFERENCES):
            if taken in (name, "both"):
                (context.folder / name).unlink()
        (context.folder / "plain" / "result").mkdir(parents=True)
        (context.folder / "plain" / "result" / "parity.json").write_text("[]", encoding="utf-8")
        (context.folder / "plain" / "stderr.log").write_text("why", encoding="utf-8")
        raise NothingToLearn(reason="") if state == "failed" else JobStopped

    clock = runner(parts, JobSpec("tune", "튜닝", "Tune", tune))
    run = clock.run("tune", asked_by="kim")
    assert run is not None
    assert run.state == state
    clock.run("retention", asked_by="clock")
    folder = parts.settings.data_dir / "jobs" / run.id
    left = {path.name for path in folder.rglob("*") if path.is_file()}
    assert left == {"log.jsonl", "stderr.log"}


@pytest.mark.parametrize("taken", [EXAMPLES, PREFERENCES])
def test_a_training_from_whose_folder_an_erasure_took_a_file_begins_anew(
    parts: JobParts, tmp_path: Path, taken: str
) -> None:
    folder = tmp_path / "run"
    checkpoints = folder / "plain" / "checkpoints"
    checkpoints.mkdir(parents=True)
    write_examples(folder / EXAMPLES, [Example("gone", "질문", (), "답")])
    write_preferences(folder / PREFERENCES, [Preference("gone", "질문", ("문서",), "답")])
    (folder / taken).unlink()
    learning = _material(parts.learning(), JobContext("run", folder, resumed=True), [], parts.store)
    assert [one.answer for one in learning.examples] == [f"{SAID[:-1]} [1]."]
    assert not checkpoints.exists()
    assert "gone" not in (folder / EXAMPLES).read_text("utf-8") + (folder / PREFERENCES).read_text("utf-8")


@pytest.mark.parametrize("finished", [False, True])
@pytest.mark.parametrize(
    "since", ["nothing", "rejected", "answer changed", "voted down", "page closed", "learning off"]
)
def test_a_stopped_training_goes_on_only_as_long_as_all_it_began_with_may_be_learnt(
    parts: JobParts, tmp_path: Path, since: str, finished: bool
) -> None:
    """`finished`: it had been trained; only taking it in was left."""
    learning = parts.learning()
    folder = tmp_path / "run"
    folder.mkdir()
    began = _material(learning, JobContext("run", folder), [], parts.store)
    (name,) = {one.id for one in began.examples}
    checkpoints = folder / "plain" / "checkpoints"
    checkpoints.mkdir(parents=True)
    if finished:
        (folder / "plain" / "result").mkdir()
    with parts.workbench() as bench:
        review = bench.review("terminal:r")
        if since == "rejected":
            review.reject(name)
        if since == "answer changed":
            review.edit_and_approve(name, "연차는 그룹웨어에서 신청하고 팀장 승인을 받습니다 [1].")
    if since == "voted down":
        vote(parts.store, id_of("1"), PARK, "down")
    if since == "learning off":
        learning = replace(learning, workbench=Root(write_quiet(parts.settings.data_dir.parent)).workbench)
    if since == "page closed":

        @contextmanager
        def closed() -> Iterator[Workbench]:
            with parts.workbench() as bench:
                yield replace(bench, pages=EditionPages(()))

        learning = replace(learning, workbench=closed)
    found = _material(learning, JobContext("run", folder, resumed=True), [], parts.store)
    goes_on = finished or since == "nothing"
    assert (found == began, checkpoints.exists()) == (goes_on, goes_on)


def test_old_runs_are_forgotten_with_their_folders_and_nothing_that_is_not_over(parts: JobParts) -> None:
    clock = runner(parts, JobSpec("tune", "튜닝", "Tune", lambda context: {}))
    ids = []
    for _ in range(4):
        run = clock.run("tune", asked_by="kim")
        assert run is not None
        ids.append(run.id)
    root = parts.settings.data_dir / "jobs"
    (root / "0123456789abcdef").mkdir()  # of a run that the store does not know
    waiting = parts.store.run_now(jobs.ask, "tune", by="kim", now=0.0)
    done = clock.run("retention", asked_by="clock")
    assert done is not None
    assert (done.result["runs"], done.result["folders"]) == (2, 3)
    left = {run.id for run in parts.store.run_now(jobs.every)}
    assert left == {waiting.id, done.id, *ids[2:]}
    assert {folder.name for folder in root.iterdir()} == {done.id, *ids[2:]}


def test_what_is_kept_of_people_goes_with_its_age_and_who_was_erased_goes_again(parts: JobParts) -> None:
    from bot.privacy.opening import pseudonyms_of
    from bot.store import privacy

    people = pseudonyms_of(parts.store, parts.settings.data_dir)
    with parts.workbench() as bench:
        assert bench.build().new == 1
    parts.store.run_now(privacy.bury, people.of(LEE.key), now=time.time())  # as after a restore
    done = runner(parts).run("retention", asked_by="clock")
    assert done is not None
    assert done.state == "done"
    assert done.result["questions"] == 1  # it is from 1970
    assert done.result["erased_again"] == 1
    assert parts.store.run_now(examples.every) == []


def test_nothing_is_learnt_from_feedback_until_an_admin_says_so(parts: JobParts) -> None:
    quiet = replace(parts, workbench=Root(write_quiet(parts.settings.data_dir.parent)).workbench)
    done = runner(quiet).run("examples", asked_by="clock")
    assert done is not None
    assert (done.result["new"], done.result["usable"]) == (0, 0)
    assert parts.store.run_now(examples.every) == []
    assert runner(parts).run("examples", asked_by="clock").result["new"] == 1  # type: ignore[union-attr]
    again = runner(quiet).run("examples", asked_by="clock")
    assert again is not None
    assert again.result["usable"] == 0  # switched off again: what there is of people is not learnt


def test_who_objects_is_not_learnt_from(parts: JobParts) -> None:
    from bot.privacy.opening import pseudonyms_of
    from bot.store import privacy

    people = pseudonyms_of(parts.store, parts.settings.data_dir)
    with parts.workbench() as bench:
        bench.build()
        assert len(bench.training_set()) == 1
        parts.store.run_now(privacy.suspend, people.of(LEE.key), now=1.0)
        assert bench.training_set() == []  # at once, before the next build
        bench.build()
        [left] = bench.every()
        assert (left.people, left.state) == ((people.of(KIM.key),), "pending")


def write_quiet(folder: Path) -> Path:
    """The same settings, but with learning off."""
    text = (
        (folder / "saseo.toml").read_text("utf-8").replace("learn_from_feedback = true", "learn_from_feedback = false")
    )
    (folder / "quiet.toml").write_text(text, encoding="utf-8")
    return folder / "quiet.toml"
