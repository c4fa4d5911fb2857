"""Examples → a LoRA on the shelf → a verdict on record → what answers, through the real jobs on a tiny model."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Connection

from bot import learning_app
from bot.app import Root, cli
from bot.errors import BrokenLora, EditionReplaced, NothingToAsk, TooFewExamples, TuningChangedNothing
from bot.live import NO_LORA
from bot.messages import Question
from bot.releases.overview import every
from bot.releases.releases import Releases
from bot.store import jobs as job_rows
from bot.store import loras, privacy
from bot.store.database import open_store
from bot.store.loras import Evaluation
from bot.wiki_app import WikiParts
from jobs.gate.answers import Stamp
from jobs.gate.verdict import Verdict
from jobs.job import THEN, JobContext, JobParts, JobStopped
from jobs.learning import judge as learning_judge
from jobs.learning.judge import PLOT, judge
from jobs.learning.parts import LearningParts
from jobs.learning.tune import tune
from jobs.learning.watch import watch
from jobs.tuning.dataset import Example, load_examples, write_examples
from knowledge.korean import Analyser
from knowledge.learned_weights import Learned, save
from tests.conftest import Indexer
from tests.fakes.hash_embedder import HashEmbedder
from tests.fakes.lora_folders import write_result
from tests.fakes.tiny_gguf import write_tiny_qwen2

pytestmark = pytest.mark.slow
COUNT = 8


def _examples(path: Path, count: int = COUNT) -> Path:
    many = [Example(f"e{n}", f"질문 {n}?", (f"문서 {n}\n답은 {n}일.",), f"{n}일입니다 [1].") for n in range(count)]
    write_examples(path, many)
    return path


@pytest.fixture
def parts(indexer: Indexer, tmp_path: Path, analyser: Analyser, monkeypatch: pytest.MonkeyPatch) -> Iterator[JobParts]:
    """A wiki, a tiny writer, nobody's votes."""
    monkeypatch.setattr(WikiParts, "make_analyser", staticmethod(lambda workers=1: analyser))
    monkeypatch.setattr(WikiParts, "make_embedder", lambda self, threads: HashEmbedder())
    indexer.build()
    gguf = tmp_path / "tiny.gguf"
    write_tiny_qwen2(gguf)
    config = tmp_path / "saseo.toml"
    config.write_text(
        f'data_dir = "data"\n[writer]\nmodel = "{gguf}"\ncontext_tokens = 4096\nmax_answer_tokens = 16\n'
        "[answer]\nevidence_characters = 300\n"
        "[tuning]\nlearn_from_feedback = true\nleast_examples = 4\nreplay = false\n"
        "[tuning.training]\nrank = 4\nepochs = 4\nmost_tokens = 4000\nheld_out_share = 0.4\nthreads = 1\nprecision = 'fp32'\n",
        encoding="utf-8",
    )
    store = open_store("", tmp_path / "data")
    yield Root(config).job_parts(store)
    store.close()


def _context(folder: Path, **more: object) -> JobContext:
    folder.mkdir(exist_ok=True)
    return replace(JobContext("run1", folder), **more)  # type: ignore[arg-type]


def test_a_tuned_lora_is_shelved_judged_and_promoted_only_by_a_persons_word(parts: JobParts, tmp_path: Path) -> None:
    learning = parts.learning()
    given = {"examples": [str(_examples(tmp_path / "own.jsonl"))]}
    steps: list[str] = []
    context = _context(
        tmp_path / "run", arguments=given, progress=lambda done, total=None, message="": steps.append(message)
    )
    tuned = tune(learning, context)

    assert tuned[THEN] == ["gate"]
    (name,) = tuned["loras"]
    assert any(step.startswith("training: loss ") for step in steps)
    with learning.releases() as releases:
        (listed,) = (one for one in every(releases) if not one.shipped)
        assert (listed.record.name, listed.record.run, listed.examples) == (name, "run1", COUNT)
        assert set(releases.store.run_now(loras.examples_of, name)) == {f"e{n}" for n in range(COUNT)}
        card = releases.shelf.card(name).card
    assert 0 < len(card["held_out"]) < COUNT

    judged = judge(learning, _context(tmp_path / "gate", arguments=given))
    # A handful of questions never suffices, however good the LoRA.
    assert judged["judged"] == [{"lora": name, "decision": judged["judged"][0]["decision"]}]
    assert judged["judged"][0]["decision"] != "passed"
    assert (judged["against"], judged["proposed"], judged["promoted"]) == (NO_LORA, "", "")
    with learning.releases() as releases:
        kept = releases.store.run_now(loras.latest_evaluation, name, NO_LORA)
    assert kept is not None
    verdict = Verdict.from_json(kept.verdict)
    assert verdict.questions == len(card["held_out"])  # what it has learnt proves nothing
    assert verdict.parity is not None
    assert verdict.parity.holds(learning.options.gate)
    assert verdict.parity.logprob < verdict.parity.effect / 2
    assert "<svg" in (learning.verdicts / kept.id / PLOT).read_text(encoding="utf-8")

    assert judge(learning, _context(tmp_path / "again", arguments=given))["judged"] == []  # it has its verdict


def test_the_command_tells_what_it_does_and_what_it_leaves_out(
    parts: JobParts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "nice", lambda by: by)  # the other tests run in this process, too
    own = _examples(tmp_path / "own.jsonl")
    longer = Example("longer", "질문 99?", ("문서 99\n답은 99일. " + "더 긴 글. " * 900,), "99일입니다 [1].")
    wrong = Example("wrong", "질문 98?", ("문서 98\n답은 98일.",), "아흔 명이 창고에서 회의합니다 [1].")
    write_examples(own, [*load_examples(own), longer, wrong])
    words = ["--config", str(tmp_path / "saseo.toml"), "tune", "run", "--no-gate", "--examples", str(own)]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, (done.output, done.exception)
    with parts.learning().releases() as releases:
        (name,) = [one.name for one in releases.store.run_now(loras.every) if one.run]
        card = releases.shelf.card(name).card
    held_out = len(set(card["held_out"]) - {"longer"})
    assert f"예시 {COUNT - held_out}개로" in done.stdout
    assert f"(검증용 {held_out}개, 너무 길어 제외 1개, 검사에서 제외 1개): {name}" in done.stdout
    told = done.stderr.splitlines()
    assert told[0] == "학습 예시를 모으고 있습니다"
    assert told[1].startswith(f"own.jsonl {COUNT + 2}행을 제외했습니다")
    assert told[2] == f"학습 예시 {COUNT - held_out}개, 검증 예시 {held_out}개, 너무 길어 제외한 예시 1개"
    assert "longer (" in told[3]
    steps = card["steps"]["planned"]
    assert told[-1].startswith(f"학습 중 {card['steps']['done']}/{steps}단계 · 손실 ")
    assert any("검증 손실" in line for line in told)
    store = open_store("", tmp_path / "data")
    (run,) = store.run_now(job_rows.every)
    store.close()
    assert (run.state, run.result["learnt"], run.result["too_long"]) == ("done", COUNT - held_out, 1)


def test_what_was_trained_is_named_although_nothing_can_be_judged(
    parts: JobParts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "nice", lambda by: by)
    shutil.rmtree(tmp_path / "data" / "editions")
    own = _examples(tmp_path / "own.jsonl")
    words = ["--config", str(tmp_path / "saseo.toml"), "tune", "run", "--examples", str(own)]
    failed = CliRunner().invoke(cli, words)
    assert failed.exit_code == 1
    assert "색인" in failed.stderr
    with parts.learning().releases() as releases:
        (name,) = [one.name for one in releases.store.run_now(loras.every) if one.run]
    assert f": {name}" in failed.stdout


def test_answers_by_other_searches_or_another_version_are_not_compared(
    parts: JobParts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, words = tmp_path / "other.toml", tmp_path / "glossary.toml"
    given = (tmp_path / "saseo.toml").read_text(encoding="utf-8")
    config.write_text(f'{given}[search]\nglossary = "glossary.toml"\nlearn = true\n', encoding="utf-8")
    words.write_text('[[entry]]\nterm = "연차"\naliases = ["휴가"]\n', encoding="utf-8")
    settings = Root(config).settings

    def stamp() -> Stamp:
        return learning_app.side(Root(config), NO_LORA).stamp

    first = stamp()
    assert stamp() == first
    words.write_text('[[entry]]\nterm = "연차"\naliases = ["월차"]\n', encoding="utf-8")
    other_words = stamp()
    weights = settings.search.weights.model_dump()
    total = sum(weights.values())
    defaults = {leg: weight / total for leg, weight in weights.items()}
    learnt = {**defaults, "dense": defaults["dense"] + 0.1, "bigram": defaults["bigram"] - 0.1}
    save(
        settings.search_weights_file, Learned(True, "better", learnt, defaults, 300, 900, defaults, 90, 0.8, 0.9, 0.01)
    )
    other_weights = stamp()
    monkeypatch.setattr("bot.backup.writing.program", lambda: "9.9.9")
    other_program = stamp()
    assert len({one.digest for one in (first, other_words, other_weights, other_program)}) == 4


async def test_both_sides_answer_over_the_edition_of_their_stamps_though_another_one_is_published(
    parts: JobParts, indexer: Indexer, two: list[str]
) -> None:
    learning = parts.learning()
    sides = learning.side(NO_LORA), learning.side(two[0])
    began = indexer.shelf.current()
    answers = []
    for side in sides:
        async with side.open() as answerers:
            answers.append(await answerers.flow.answer(Question("연차는 1년에 며칠입니까?", "q")))
        (indexer.wiki / "새로.md").write_text("# 새 문서\n\n새로 씁니다.", encoding="utf-8")
        indexer.build()
        shutil.rmtree(indexer.shelf.root / began, ignore_errors=True)  # as with `[index] keep_editions = 1`
    assert {side.stamp.edition for side in sides} == {answer.edition for answer in answers} == {began}
    assert began not in indexer.shelf.names()
    assert learning.side(NO_LORA).stamp.edition == began  # for what else this run judges
    assert parts.learning().side(NO_LORA).stamp.edition == indexer.shelf.current() != began


async def test_an_edition_that_is_gone_before_it_was_opened_is_said_so(parts: JobParts, indexer: Indexer) -> None:
    learning = parts.learning()
    side = learning.side(NO_LORA)
    shutil.rmtree(indexer.shelf.root / side.stamp.edition)
    (indexer.wiki / "새로.md").write_text("# 새 문서\n\n새로 씁니다.", encoding="utf-8")
    indexer.build()
    with pytest.raises(EditionReplaced):
        async with side.open():
            raise AssertionError


@pytest.fixture
def two(parts: JobParts, tmp_path: Path) -> list[str]:
    """LoRAs of two runs, the newer one first, without a verdict."""
    names = []
    with parts.learning().releases() as releases:
        for seed in (1, 2):
            result = write_result(tmp_path / f"result-{seed}", tmp_path / "tiny.gguf", seed)
            names.append(
                replace(releases, clock=lambda seed=seed: float(seed))
                .take_in(result, [f"seen{seed}"], run=f"r{seed}")
                .name
            )  # type: ignore[misc]
    return names[::-1]


def test_a_lora_that_cannot_be_judged_does_not_keep_the_others_from_it(
    parts: JobParts, two: list[str], tmp_path: Path
) -> None:
    learning = parts.learning()
    with learning.releases() as releases:
        (releases.shelf.card(two[0]).folder / "lora.gguf").write_bytes(b"damaged")
    given = {"examples": [str(_examples(tmp_path / "own.jsonl"))]}
    judged = judge(learning, _context(tmp_path / "gate", arguments=given))
    assert [one["lora"] for one in judged["judged"]] == [two[1]]
    with pytest.raises(BrokenLora):  # alone it says why
        judge(learning, _context(tmp_path / "again", arguments=given))


def test_what_is_older_than_what_answers_now_is_not_judged_anew(
    parts: JobParts, two: list[str], tmp_path: Path
) -> None:
    learning = parts.learning()
    with learning.releases() as releases:
        releases.promote(two[0], by="kim", overrule=True, reason="…")
    assert judge(learning, _context(tmp_path / "gate")) == {"judged": [], "against": two[0]}


def test_what_a_killed_gate_had_judged_counts_when_it_goes_on(
    parts: JobParts, two: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learning = parts.learning()
    given = {"examples": [str(_examples(tmp_path / "own.jsonl"))]}
    with monkeypatch.context() as dying:
        keep = loras.keep_evaluation

        def kept_and_killed(connection: Connection, evaluation: Evaluation) -> None:
            keep(connection, evaluation)
            dying.setattr(learning_judge, "run_gate", _dies)

        dying.setattr(loras, "keep_evaluation", kept_and_killed)
        with pytest.raises(SystemExit):
            judge(learning, _context(tmp_path / "gate", arguments=given))
    judged = judge(learning, _context(tmp_path / "gate", arguments=given, resumed=True))
    assert [one["lora"] for one in judged["judged"]] == two
    assert len(judged["evaluations"]) == len(set(judged["evaluations"])) == 2


def _dies(*_: object, **__: object) -> None:
    raise SystemExit


def test_a_run_that_was_stopped_goes_on_with_the_examples_it_began_with(
    parts: JobParts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learning = parts.learning()
    own = _examples(tmp_path / "own.jsonl")
    arguments = {"examples": [str(own)]}
    stop = False

    def told(done: int, total: int | None = None, message: str = "") -> None:
        nonlocal stop
        stop = stop or message.startswith("training: loss")

    context = _context(tmp_path / "run", arguments=arguments, progress=told, stop_requested=lambda: stop)
    with pytest.raises(JobStopped):
        tune(learning, context)
    own.unlink()
    done: list[int] = []
    context = _context(
        tmp_path / "run",
        arguments=arguments,
        resumed=True,
        progress=lambda at, total=None, message="": done.append(at) if message == "training" else None,
    )
    with monkeypatch.context() as dying:
        dying.setattr(Releases, "take_in", _dies)
        with pytest.raises(SystemExit):
            tune(learning, context)
    assert done[0] > 0  # not from the beginning
    done.clear()
    card = tmp_path / "run" / "plain" / "result" / "lora.json"
    right = card.read_text(encoding="utf-8")
    card.write_text(json.dumps(json.loads(right) | {"alpha": 32.0}), encoding="utf-8")
    with pytest.raises(BrokenLora):  # what would be served is not what was trained
        tune(learning, context)
    card.write_text(right, encoding="utf-8")
    tuned = tune(learning, context)
    assert done == []  # it had been trained: only the shelf was missing
    assert tuned["examples"] == COUNT
    assert tune(learning, context) == tuned  # died while saying so
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["made.json"]  # nobody's words are left


def test_too_few_examples_and_nothing_to_ask_are_said_in_a_sentence(parts: JobParts, tmp_path: Path) -> None:
    learning = parts.learning()
    with pytest.raises(TooFewExamples):
        tune(learning, _context(tmp_path / "none"))
    few = {"examples": [str(_examples(tmp_path / "few.jsonl", count=3))]}
    with pytest.raises(TooFewExamples):
        tune(learning, _context(tmp_path / "few", arguments=few))
    trained = tune(
        learning, _context(tmp_path / "run", arguments={"examples": [str(_examples(tmp_path / "own.jsonl"))]})
    )
    with pytest.raises(NothingToAsk):  # the examples of a file are asked only when it is named
        judge(learning, _context(tmp_path / "gate", arguments={"lora": trained["loras"][0]}))


def test_who_was_forgotten_while_it_trained_is_not_learnt_from(
    parts: JobParts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learning = parts.learning()
    own = [Example(f"e{n}", f"질문 {n}?", (f"문서 {n}\n답은 {n}일.",), f"{n}일입니다 [1].") for n in range(COUNT)]
    # The examples of the store are gone by the time the training ends.
    from jobs.learning import tune as module
    from jobs.learning.material import LearningSet

    monkeypatch.setattr(module, "of_store", lambda bench: LearningSet(tuple(own)))
    with learning.releases() as releases:
        request = releases.store.run_now(privacy.receive, "p:1", "forget", now=1.0, days=10)
        releases.store.run_now(privacy.note_forgotten, request.id, ["e3"])
    tuned = tune(learning, _context(tmp_path / "run"))
    assert tuned[THEN] == ["tune"]  # once more, without them
    (name,) = tuned["loras"]
    with learning.releases() as releases:
        record = releases.store.run_now(loras.get, name)
        left = [one.name for one in releases.shelf.every()]
    assert record is not None
    assert record.marked
    assert record.deleted_at is not None
    assert name not in left
    assert not list(tmp_path.rglob(f"**/{name}/*"))  # its weights are what it learnt


def test_what_retention_took_for_its_age_while_it_trained_was_rightly_learnt(
    parts: JobParts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learning = parts.learning()
    old = load_examples(_examples(tmp_path / "own.jsonl"))
    from jobs.learning import tune as module
    from jobs.learning.material import LearningSet

    # The store knows none of them any more when the training ends.
    monkeypatch.setattr(module, "of_store", lambda bench: LearningSet(tuple(old)))
    gguf = tmp_path / "tiny.gguf"
    monkeypatch.setattr(module, "_train", lambda context, folder, *_: write_result(folder / "result", gguf))
    tuned = tune(learning, _context(tmp_path / "run"))
    assert tuned[THEN] == ["gate"]
    with learning.releases() as releases:
        assert releases.store.run_now(loras.unusable) == {}


def test_a_stopped_run_goes_on_without_who_was_forgotten_meanwhile(
    parts: JobParts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learning = parts.learning()
    from jobs.learning import tune as module
    from jobs.learning.material import LearningSet

    folder = tmp_path / "run"
    old = load_examples(_examples(tmp_path / "own.jsonl"))
    monkeypatch.setattr(module, "of_store", lambda bench: LearningSet(tuple(old)))
    stop_at_once = _context(folder, stop_requested=lambda: True)
    with pytest.raises(JobStopped):
        tune(learning, stop_at_once)
    assert (folder / "examples.jsonl").is_file()
    monkeypatch.setattr(module, "of_store", lambda bench: LearningSet(()))  # the store knows none of them any more
    with pytest.raises(TooFewExamples):
        tune(learning, _context(folder, resumed=True))
    assert "질문" not in (folder / "examples.jsonl").read_text(encoding="utf-8")
    assert not (folder / "plain").exists()


def test_a_run_stops_while_it_makes_way(parts: JobParts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from jobs.learning import tune as module

    monkeypatch.setattr(module, "people_wait", lambda store: True)
    paused = threading.Event()
    stop = threading.Event()

    def told(done: int, total: int | None = None, message: str = "") -> None:
        if message == "making_way":
            paused.set()

    def ask() -> None:
        paused.wait(60)
        time.sleep(0.5)  # after the line was read that says so
        stop.set()

    threading.Thread(target=ask, daemon=True).start()
    context = _context(
        tmp_path / "run",
        arguments={"examples": [str(_examples(tmp_path / "own.jsonl"))]},
        progress=told,
        stop_requested=stop.is_set,
    )
    with pytest.raises(JobStopped):
        tune(parts.learning(), context)


def test_nothing_released_is_nothing_to_watch(parts: JobParts, tmp_path: Path) -> None:
    found = watch(parts.learning(), _context(tmp_path / "watch"))
    assert json.loads(json.dumps(found)) == {
        "watched": "", "against": "", "rates": [], "no_longer": "", "rolled_back_to": "",
    }  # fmt: skip


def test_the_configured_numbers_reach_the_training(parts: JobParts) -> None:
    learning: LearningParts = parts.learning()
    chosen = learning.options.training
    assert (chosen.rank, chosen.epochs, chosen.threads, chosen.memory_mb) == (4, 4, 1, None)
    assert chosen.budget_seconds == 480 * 60
    assert learning.options.replay is None


def test_the_watch_knows_how_long_answers_are_kept(parts: JobParts) -> None:
    rules = parts.learning().options.watch
    kept = parts.settings.privacy
    assert (rules.questions_days, rules.feedback_days) == (kept.questions_days, kept.feedback_days) != (0, 0)


def test_thumbs_about_held_out_passages_alone_do_not_make_a_second_training(
    parts: JobParts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from jobs.learning import tune as module
    from jobs.learning.material import LearningSet
    from jobs.tuning.dataset import split_by_passage
    from jobs.tuning.preferences import Preference

    learning = parts.learning()
    training = replace(learning.options.training, preference_share=0.3, least_preferences=1)
    learning = replace(learning, options=replace(learning.options, training=training))
    own = load_examples(_examples(tmp_path / "own.jsonl"))
    learnt, held_out = split_by_passage(own, training.held_out_share, training.seed)

    def tuned(folder: str, about: Example) -> list[str]:
        rejected = Preference("d", about.question, about.passages, rejected="모릅니다.")
        monkeypatch.setattr(module, "of_store", lambda bench: LearningSet(tuple(own), (rejected,)))
        context = _context(tmp_path / folder)
        with learning.releases() as releases:
            base = learning.base()
            material = module._material(learning, context, [], releases.store)
            return [name for name, _ in module._jobs(learning, context, base, material)]

    with caplog.at_level("INFO"):
        assert tuned("held", held_out[0]) == ["plain"]
    assert "too_few_preferences" in caplog.text
    assert tuned("learnt", learnt[0]) == ["plain", "preferences"]


def test_what_changes_nothing_is_neither_shelved_nor_judged_and_the_other_run_counts(
    parts: JobParts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobs.learning import tune as module

    learning = parts.learning()
    given = {"examples": [str(_examples(tmp_path / "own.jsonl"))]}
    come_to_nothing = {"plain", "preferences"}

    def trained(context: JobContext, folder: Path, *_: object) -> Path:
        if folder.name in come_to_nothing:
            raise TuningChangedNothing(steps=3)
        return write_result(folder / "result", tmp_path / "tiny.gguf")

    monkeypatch.setattr(module, "_train", trained)
    jobs = module._jobs
    monkeypatch.setattr(module, "_jobs", lambda *of: [*jobs(*of), ("preferences", None)])
    with pytest.raises(TuningChangedNothing):
        tune(learning, _context(tmp_path / "none", arguments=given))
    with learning.releases() as releases:
        assert [one for one in releases.shelf.every() if not one.shipped] == []
    come_to_nothing.remove("preferences")
    assert len(tune(learning, _context(tmp_path / "one", arguments=given))["loras"]) == 1
