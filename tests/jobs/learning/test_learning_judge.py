"""Which of several LoRAs is taken once they are judged, and how it comes to answer: the real gate over scripted answers, no model."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot import prompts
from bot.errors import BrokenModel, LearntUnknown, LoraElsewhere, NotEvaluated, NothingToAsk, StoreError
from bot.examples import example as kept
from bot.live import EXTRACTIVE, NO_LORA
from bot.loras.seen import Seen, fingerprint
from bot.loras.shelf import LoraShelf
from bot.messages import Answer, Citation, Outcome, Question, Seconds, Tokens
from bot.releases.choosing import Choosing
from bot.releases.releases import Releases
from bot.store import jobs as runs
from bot.store import loras, questions
from bot.store import releases as records
from bot.store.database import Store, open_store
from bot.store.job_rows import Run
from bot.store.questions import Claim
from jobs.gate.answers import Stamp
from jobs.gate.asking import Answerers, Side
from jobs.gate.run import run_gate
from jobs.gate.settings import GateSettings
from jobs.gate.verdict import Verdict
from jobs.job import JobContext, JobParts, JobStopped
from jobs.learning import judge as learning_judge
from jobs.learning.judge import job, judge
from jobs.learning.parts import LearningOptions, LearningParts
from jobs.registry import Registry
from jobs.runner import Runner, RunnerOptions
from knowledge.korean import Analyser
from tests.bot.store.rows import asked
from tests.fakes.lora_folders import sha256, write_result
from tests.fakes.scripted_writer import ScriptedWriter
from tests.fakes.tiny_gguf import write_tiny_qwen2

COUNT = 240
WANTED = "연차는 15일입니다."
Knows = Callable[[int], bool]
"""Whether the question of this number is answered well."""


def _unanswerable(number: int) -> bool:
    return number % 4 == 0


class Scripted:
    """Answers every question at once, well or not."""

    def __init__(self, knows: Knows) -> None:
        self._knows = knows
        self.asked = 0
        self.edition = ""

    async def answer(self, question: Question) -> Answer:
        self.asked += 1
        number = int(question.text.split()[1].rstrip("?"))
        good = self._knows(number)
        page = Citation(1, f"p{number // 2}.md" if good else "other.md", "문서", None, WANTED)
        if _unanswerable(number):
            answered, text = not good, "없는 말을 씁니다."
        else:
            answered, text = True, WANTED if good else "노트북을 켜십시오."
        return Answer(
            Outcome.ANSWERED if answered else Outcome.ABSTAINED,
            text if answered else "",
            (page,) if answered else (),
            EXTRACTIVE,
            NO_LORA,
            self.edition,
            prompts.version(),
            Tokens(1, 1),
            Seconds(0.1, 0.1, 0.2),
        )


@dataclass
class Bench:
    """A workbench with approved examples."""

    examples: Sequence[kept.Example] = ()

    def build(self) -> None: ...

    def training_set(self) -> Sequence[kept.Example]:
        return self.examples

    def every(self) -> Sequence[kept.Example]:
        return self.examples


def _approved(number: int) -> kept.Example:
    passage = kept.Evidence("wiki", f"e{number}.md", 1, f"문서 {number}", f"연차는 {number}일입니다.")
    return kept.Example(
        f"e{number}", f"k{number}", "imported", f"예시 {number}?", "", (), (passage,), f"{number}일입니다 [1].", ""
    )


@dataclass
class Company:
    """A shelf, a store, and what each LoRA knows."""

    folder: Path
    store: Store
    base: Path
    options: LearningOptions
    analyser: Analyser
    knows: dict[str, Knows] = field(default_factory=lambda: {NO_LORA: lambda number: number % 2 == 0})
    flows: dict[str, Scripted] = field(default_factory=dict)
    bench: Bench = field(default_factory=Bench)
    now: float = 1000.0
    edition: str = "edition"

    def releases(self) -> Releases:
        shelf = LoraShelf(self.folder / "loras", self.folder / "shipped")
        return Releases(
            self.store, shelf, Choosing("auto", shelf, lambda: sha256(self.base), prompts.version()), lambda: self.now
        )

    def tuned(
        self,
        seed: int,
        knows: Knows,
        *,
        run: str = "r1",
        preferences: bool = False,
        learnt: Sequence[str] = ("e1",),
        seen: Seen | None = None,
    ) -> str:
        """A LoRA of a run; its name. `seen`: what its card tells."""
        result = write_result(self.folder / f"result-{seed}", self.base, seed)
        card = json.loads((result / "lora.json").read_text(encoding="utf-8"))
        card["preferences"] = {"count": {"down": 30}} if preferences else None
        card |= {} if seen is None else {"seen": seen.as_json()}
        (result / "lora.json").write_text(json.dumps(card), encoding="utf-8")
        name = self.releases().take_in(result, learnt, run=run).name
        self.knows[name] = knows
        return name

    def parts(self) -> LearningParts:
        @contextmanager
        def opened() -> Iterator[Releases]:
            yield self.releases()

        return LearningParts(
            options=self.options,
            base=cast(Any, None),
            workbench=lambda: nullcontext(cast(Any, self.bench)),
            file_bench=cast(Any, None),
            releases=opened,
            side=self.side,
            engine=cast(Any, None),
            folder=self.folder / "tuning",
        )

    def side(self, name: str) -> Side:
        flow = self.flows.setdefault(name, Scripted(self.knows[name]))
        flow.edition = self.edition

        @asynccontextmanager
        async def opened() -> AsyncIterator[Answerers]:
            yield Answerers(flow, ScriptedWriter(script=["모릅니다 [1]."]), None, self.analyser)

        return Side(name, Stamp(sha256(self.base), name, self.edition, prompts.version()), opened)

    def judged(self, folder: str = "gate", **arguments: Any) -> dict[str, Any]:
        where = self.folder / folder
        where.mkdir(exist_ok=True)
        return dict(judge(self.parts(), JobContext("g1", where, arguments=arguments)))

    def answers(self) -> tuple[str, str, float]:
        row = self.store.run_now(records.newest, sha256(self.base))
        return (NO_LORA, "", 0.0) if row is None else (row.lora, row.canary, row.share)


def _questions(path: Path, numbers: Sequence[int] = range(COUNT)) -> Path:
    lines = [
        {"id": str(n), "question": f"질문 {n}?", "answerable": False}
        if _unanswerable(n)
        else {"id": str(n), "question": f"질문 {n}?", "page": f"p{n // 2}.md", "answers": [WANTED]}
        for n in numbers
    ]
    path.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8")
    return path


@pytest.fixture
def company(tmp_path: Path, analyser: Analyser) -> Iterator[Company]:
    store = open_store("", tmp_path / "data")
    options = LearningOptions(
        gate=GateSettings(resamples=1000, timed_questions=0),
        evaluation_sets=(_questions(tmp_path / "questions.jsonl"),),
    )
    yield Company(tmp_path, store, write_tiny_qwen2(tmp_path / "tiny.gguf"), options, analyser)
    store.close()


def _mostly(number: int) -> bool:
    return number % 5 != 1 or _unanswerable(number)


def test_preferences_that_do_not_clearly_help_are_left_though_their_points_are_more(company: Company) -> None:
    plain = company.tuned(1, _mostly)
    preferring = company.tuned(2, lambda number: _mostly(number) or number == 1, preferences=True)
    result = company.judged()
    assert {one["lora"]: one["decision"] for one in result["judged"]} == {plain: "passed", preferring: "passed"}
    assert result["proposed"] == plain
    [contest] = result["preferences"]
    assert (contest["lora"], contest["against"], contest["outdone"]) == (preferring, plain, preferring)
    found = company.store.run_now(loras.latest_evaluation, preferring, plain)
    assert found is not None
    assert not found.passed
    assert found.id in result["evaluations"]
    verdict = Verdict.from_json(found.verdict)
    assert verdict.rival
    assert verdict.questions == COUNT
    assert verdict.main.gain is not None
    assert verdict.main.gain > 0  # larger, but it may be chance
    assert (verdict.decision.value, contest["decision"]) == ("not_enough", "not_enough")


def test_preferences_that_help_beyond_chance_are_kept(company: Company) -> None:
    plain = company.tuned(1, _mostly)
    preferring = company.tuned(2, lambda number: True, preferences=True)
    result = company.judged()
    assert result["proposed"] == preferring
    [contest] = result["preferences"]
    assert (contest["decision"], contest["outdone"]) == ("passed", plain)
    assert {flow.asked for flow in company.flows.values()} == {COUNT}  # nobody was asked twice


def test_where_only_one_of_two_passes_it_is_taken_without_a_contest(company: Company) -> None:
    company.tuned(1, lambda number: number % 2 == 0)
    preferring = company.tuned(2, lambda number: True, preferences=True)
    result = company.judged()
    assert (result["proposed"], result["preferences"]) == (preferring, [])


def test_loras_of_different_runs_are_no_rivals_and_the_larger_gain_is_taken(company: Company) -> None:
    company.tuned(1, _mostly, run="r1")
    better = company.tuned(2, lambda number: True, run="r2", preferences=True)
    result = company.judged()
    assert (result["proposed"], result["preferences"]) == (better, [])


def test_a_gate_that_goes_on_does_not_compare_the_two_again(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    company.options = replace(company.options, promote="automatic")
    plain = company.tuned(1, _mostly)
    preferring = company.tuned(2, lambda number: True, preferences=True)
    with monkeypatch.context() as dying:
        dying.setattr(Releases, "promote", _dies)
        with pytest.raises(SystemExit):
            company.judged()
    result = company.judged()
    assert result["promoted"] == preferring
    assert len(company.store.run_now(loras.evaluations_of, preferring)) == 2  # against what answered, and the other
    assert len(company.store.run_now(loras.evaluations_of, plain)) == 1


def _dies(*_: object, **__: object) -> None:
    raise SystemExit


def test_answers_over_different_editions_are_no_contest(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gate that is gone on with the next day: what was a gain may be other pages."""
    plain = company.tuned(1, _mostly)
    preferring = company.tuned(2, lambda number: True, preferences=True)
    with monkeypatch.context() as dying:

        async def once(*of: Any, **more: Any) -> Verdict:
            dying.setattr(learning_judge, "run_gate", _dies)
            return await run_gate(*of, **more)

        dying.setattr(learning_judge, "run_gate", once)
        with pytest.raises(SystemExit):
            company.judged()
    company.edition = "tomorrow's"
    result = company.judged()
    assert {one["decision"] for one in result["judged"]} == {"passed"}
    [contest] = result["preferences"]
    assert (contest["lora"], contest["decision"], contest["outdone"]) == (preferring, "not_enough", preferring)
    assert result["proposed"] == plain
    assert company.store.run_now(loras.latest_evaluation, preferring, plain) is None


def _fails_at_the_second(company: Company) -> Callable[[str], Side]:
    """The base cannot be opened for the candidate that comes second."""
    seen: list[str] = []
    opened = company.side

    def side(name: str) -> Side:
        seen.append(name)
        if len(set(seen) - {NO_LORA}) == 2:
            raise BrokenModel(name="tiny", reason="memory")
        return opened(name)

    return side


@pytest.mark.parametrize("preferring_first", [True, False])
def test_what_passed_in_a_gate_that_then_failed_is_compared_and_proposed_by_the_next_one(
    company: Company, monkeypatch: pytest.MonkeyPatch, preferring_first: bool
) -> None:
    seeds = [(1, _mostly, False), (2, lambda number: True, True)]
    names = {}
    for at, (seed, knows, preferences) in enumerate(seeds if preferring_first else seeds[::-1]):
        company.now = 1000.0 + at  # the newest is judged first
        names[preferences] = company.tuned(seed, knows, preferences=preferences)
    with monkeypatch.context() as broken:
        broken.setattr(company, "side", _fails_at_the_second(company))
        with pytest.raises(BrokenModel):
            company.judged()
    first = names[preferring_first]
    assert len(company.store.run_now(loras.evaluations_of, first)) == 1
    result = company.judged("next")
    assert result["proposed"] == names[True]
    assert [(one["lora"], one["outdone"]) for one in result["preferences"]] == [(names[True], names[False])]
    assert {flow.asked for flow in company.flows.values()} == {COUNT}  # nobody was asked twice
    assert company.judged("later")["judged"] == []


def test_what_was_released_since_is_not_proposed_again_because_another_one_of_its_run_waits(company: Company) -> None:
    plain = company.tuned(1, _mostly)
    assert company.judged()["proposed"] == plain
    company.releases().promote(plain, by="kim")
    company.releases().rollback(by="kim")
    preferring = company.tuned(2, lambda number: number % 2 == 0, preferences=True)
    assert [one["lora"] for one in company.judged("next")["judged"]] == [preferring]


def _run(company: Company, asked_by: str = "") -> Run:
    """Of the gate as a process runs it."""
    registry = Registry([job(cast(JobParts, SimpleNamespace(learning=company.parts)))])
    runner = Runner(company.store, registry, registry.rules(60.0), RunnerOptions("me", company.folder / "jobs", 60.0))
    found = runner.run("gate", asked_by=asked_by)
    assert found is not None
    return found


def test_after_an_error_that_may_pass_the_same_run_goes_on(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    company.options = replace(company.options, promote="automatic")
    name = company.tuned(1, lambda number: True)

    def away(*_: object, **__: object) -> None:
        raise StoreError(where="db", reason="away")

    with monkeypatch.context() as broken:
        broken.setattr(Releases, "promote", away)  # the verdict is on record by then
        failed = _run(company, "kim")
    assert failed.state == "stopped"
    done = _run(company, "kim")
    assert (done.id, done.state, done.result["promoted"]) == (failed.id, "done", name)


def _somebody_waits(company: Company) -> Claim:
    """For an answer, from a process that lives."""
    _, claim = company.store.run_now(questions.claim, asked("waits"), owner="p", now=time.time(), lease=600.0)
    assert claim is not None
    return claim


def test_no_question_is_put_while_people_wait(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning_judge, "_LOOK_AGAIN", 0.0)
    name = company.tuned(1, lambda number: True)
    claim, told = _somebody_waits(company), list[str]()

    def progress(done: int, total: int | None = None, message: str = "") -> None:
        told.append(message)
        if told.count("making_way") == 3:
            company.store.run_now(questions.finish, claim, Outcome.ANSWERED, now=time.time())
        if message == "making_way":
            assert sum(flow.asked for flow in company.flows.values()) == 0

    (company.folder / "gate").mkdir()
    context = JobContext("g1", company.folder / "gate", progress=progress)
    assert judge(company.parts(), context)["proposed"] == name
    assert told[:5] == [f"asking: {NO_LORA}", *["making_way"] * 3, f"asking: {NO_LORA}"]
    assert told.count("making_way") == 3


def test_a_gate_that_waits_for_people_can_be_stopped(company: Company) -> None:
    company.tuned(1, lambda number: True)
    _somebody_waits(company)
    (company.folder / "gate").mkdir()
    told: list[str] = []
    context = JobContext(
        "g1",
        company.folder / "gate",
        progress=lambda done, total=None, message="": told.append(message),
        stop_requested=lambda: "making_way" in told,
    )
    with pytest.raises(JobStopped):
        judge(company.parts(), context)
    assert sum(flow.asked for flow in company.flows.values()) == 0


@pytest.mark.parametrize("missing", ["candidate", "present"])
def test_what_lies_on_another_machine_waits_for_that_one(company: Company, missing: str) -> None:
    present = company.tuned(1, lambda number: number % 2 == 0)
    company.releases().promote(present, by="kim", overrule=True, reason="…")
    name = company.tuned(2, lambda number: True, run="r2")
    folder = company.releases().shelf.card(name if missing == "candidate" else present).folder
    folder.rename(company.folder / "on-another-machine")
    for arguments in ({}, {"lora": name}):
        with pytest.raises(LoraElsewhere):
            company.judged(**arguments)
    company.store.run_now(partial(runs.ask, by="job:tune", now=time.time()), "gate")
    waiting = _run(company)
    assert (waiting.state, waiting.error.partition(":")[0]) == ("due", "LoraElsewhere")
    (company.folder / "on-another-machine").rename(folder)
    assert company.judged("there")["proposed"] == name


def test_what_lies_elsewhere_is_named_where_another_one_was_judged(company: Company) -> None:
    other = company.tuned(1, lambda number: True, run="r1")
    company.releases().shelf.card(other).folder.rename(company.folder / "on-another-machine")
    name = company.tuned(2, lambda number: True, run="r2")
    result = company.judged()
    assert (result["proposed"], result["elsewhere"]) == (name, other)


@pytest.mark.parametrize(("share", "after"), [(0.0, ("NEW", "", 0.0)), (0.25, (NO_LORA, "NEW", 0.25))])
def test_what_passed_answers_at_once_or_a_part_when_the_settings_say_so(
    company: Company, share: float, after: tuple[str, str, float]
) -> None:
    company.options = replace(company.options, promote="automatic", canary_share=share)
    name = company.tuned(1, lambda number: True)
    result = company.judged()
    assert (result["promoted"], result["proposed"], result["share"]) == (name, "", share)
    assert company.answers() == tuple(name if one == "NEW" else one for one in after)


def test_what_did_not_pass_never_answers_by_itself(company: Company) -> None:
    company.options = replace(company.options, promote="automatic")
    company.tuned(1, lambda number: number % 2 == 0)
    result = company.judged()
    assert (result["promoted"], result["proposed"]) == ("", "")
    assert company.answers() == (NO_LORA, "", 0.0)


def test_as_it_comes_what_passed_is_proposed_and_waits_for_a_person(company: Company) -> None:
    name = company.tuned(1, lambda number: True)
    assert company.judged()["proposed"] == name
    assert company.answers() == (NO_LORA, "", 0.0)


def test_where_the_setting_says_what_answers_what_passed_is_only_proposed(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.options = replace(company.options, promote="automatic")
    name = company.tuned(1, lambda number: True)
    monkeypatch.setattr(company, "releases", _pinned(company.releases()))
    assert company.judged()["proposed"] == name


def _pinned(releases: Releases) -> Callable[[], Releases]:
    return lambda: replace(releases, choosing=replace(releases.choosing, setting=NO_LORA))


def test_too_few_questions_are_counted_in_what_the_job_leaves(company: Company) -> None:
    few = _questions(company.folder / "few.jsonl", range(24))
    company.options = replace(company.options, evaluation_sets=(few,))
    name = company.tuned(1, lambda number: True)
    result = company.judged()
    assert result["judged"] == [{"lora": name, "decision": "not_enough"}]
    short = result["short"][name]
    assert (short["questions"], short["groups_needed"], short["unanswerable"]) == (24, 30, 6)
    assert short["questions_needed"] > 24
    assert short["unanswerable_needed"] > 6


def test_answers_of_what_is_not_judged_any_more_are_forgotten(company: Company) -> None:
    company.tuned(1, _mostly, run="r1")
    company.judged()
    company.tuned(2, lambda number: True, run="r2")
    company.judged("again")
    folder = company.folder / "tuning" / "answers"
    assert len(list(folder.glob("answers-*.jsonl"))) == 2  # what answers, and the newest


def _questions_asked(company: Company, name: str) -> int:
    found = company.store.run_now(loras.latest_evaluation, name, NO_LORA)
    assert found is not None
    return Verdict.from_json(found.verdict).questions


def test_only_examples_that_it_cannot_have_learnt_are_asked(company: Company) -> None:
    company.bench = Bench([_approved(number) for number in range(6)])
    company.options = replace(company.options, evaluation_sets=())
    recorded = company.tuned(1, _mostly, learnt=["e0", "e1"])
    passage = company.bench.examples[2].passages[0].shown
    told = company.tuned(2, _mostly, run="", learnt=(), seen=Seen(frozenset({"e0"}), frozenset({fingerprint(passage)})))
    for name, count in ((recorded, 4), (told, 4)):
        company.judged(name, lora=name)
        assert _questions_asked(company, name) == count


def test_of_a_lora_that_does_not_tell_what_it_has_learnt_only_the_sets_are_asked(company: Company) -> None:
    company.bench = Bench([_approved(number) for number in range(6)])
    name = company.tuned(1, lambda number: True, run="", learnt=())
    assert company.judged(lora=name)["judged"] == [{"lora": name, "decision": "passed"}]
    assert _questions_asked(company, name) == COUNT


def test_without_sets_it_is_not_judged_and_only_a_person_may_let_it_answer(company: Company) -> None:
    company.bench = Bench([_approved(number) for number in range(6)])
    company.options = replace(company.options, evaluation_sets=())
    name = company.tuned(1, lambda number: True, run="", learnt=())
    with pytest.raises(LearntUnknown) as refused:
        company.judged(lora=name)
    assert f"saseo loras promote {name}" in refused.value.explain("ko")
    with pytest.raises(NotEvaluated):
        company.releases().promote(name, by="kim")
    assert company.releases().promote(name, by="kim", overrule=True, reason="직접 확인함").overruled


def test_without_any_question_it_is_said(company: Company) -> None:
    company.options = replace(company.options, evaluation_sets=())
    company.tuned(1, _mostly)
    with pytest.raises(NothingToAsk):
        company.judged()
    assert learning_judge.now_answering(company.releases()) == NO_LORA
