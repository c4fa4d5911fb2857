"""The job that trains a LoRA on what is approved, always from the base, and puts it on the shelf. Whether it may answer the gate says.

    <run's folder>/plain/           the training run (jobs/tuning/job.py); killed or stopped, it goes on from its last checkpoint
    <run's folder>/preferences/     the same with what people preferred, when there is enough of that and it is switched on

Arguments: `examples`, paths of files or folders in place of the store's examples: masked and checked as by an import, seen by no reviewer.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from bot.errors import (
    BrokenLora,
    NotEnoughDisk,
    ShelfNotWritable,
    StoreError,
    TooFewExamples,
    TuningChangedNothing,
    TuningFailed,
    TuningNotKept,
    TuningOutOfMemory,
)
from bot.examples.refresh import rests_on_people
from bot.examples.workbench import Workbench
from bot.loras.base_weights import BaseWeights
from bot.loras.check import as_stored, check_lora
from bot.loras.shelf import CARD, GGUF, ShelvedLora
from bot.releases.releases import AUTOMATIC
from bot.store.database import Store
from bot.store.forgetting import REASON
from jobs.job import THEN, JobContext, JobParts, JobSpec, JobStopped
from jobs.learning.leftovers import EXAMPLES, GIVEN, PREFERENCES, RUNS, any_withheld, clear
from jobs.learning.making_way import people_wait
from jobs.learning.material import LearningSet, digest, of_files, of_store
from jobs.learning.parts import LearningParts, ServedBase
from jobs.tuning import dataset
from jobs.tuning.job import RunFolder, TuningJob
from jobs.tuning.material import is_of, learns_preferences
from jobs.tuning.preferences import load_preferences, write_preferences
from jobs.tuning.refused import not_kept
from jobs.tuning.run import TuningProcess
from jobs.tuning.sparkline import sparkline
from knowledge.editions.files import write_whole

_log = logging.getLogger(__name__)
TUNE, GATE, GROUP = "tune", "gate", "model"
MADE = "made.json"
_WIDTH = 24


def tune(parts: LearningParts, context: JobContext) -> Mapping[str, Any]:
    """Train, take in; the result names the LoRAs and asks for the gate.

    Raises TooFewExamples with fewer examples than `least_examples`, TuningChangedNothing when no run came to anything, TuningNotKept when
    the disk refuses, a LoraError, StoreError, and what else `TuningProcess.outcome` raises.
    """
    try:
        return _tune(parts, context)
    except OSError as error:  # hours may have gone into it: they are not lost to a full disk
        raise not_kept(error, context.folder) from error


def _tune(parts: LearningParts, context: JobContext) -> Mapping[str, Any]:
    made_before = context.folder / MADE
    if context.resumed and made_before.is_file():  # its process died while saying so
        clear(context.folder)
        return dict(json.loads(made_before.read_text(encoding="utf-8")))
    options = parts.options
    context.progress(0, None, "examples")
    given = context.arguments.get("examples") or ()
    made: list[ShelvedLora] = []
    seconds = 0.0
    then = GATE
    nothing: TuningChangedNothing | None = None
    with parts.releases() as releases:
        learning = _material(parts, context, [Path(one) for one in given], releases.store)
        if len(learning.examples) < options.least_examples:
            raise TooFewExamples(found=len(learning.examples), needed=options.least_examples)
        base = parts.base()
        for name, job in _jobs(parts, context, base, learning):
            try:
                trained = _train(context, context.folder / name, job, base, releases.store)
            except TuningChangedNothing as error:  # the other run may have come to something
                nothing = error
                _log.warning(json.dumps({"event": "changed_nothing", "run": name, **error.details}))
                continue
            _demand_its_scale(trained, base.gguf)
            lora = releases.take_in(trained, learning.ids, run=context.run)
            seconds += float(lora.card.get("seconds") or 0.0)
            made.append(lora)
            # Who was forgotten while it trained could not be told that it would learn from them. An example that is gone because of its
            # age alone (`[privacy] examples_days`) may have been learnt.
            if releases.store.run_now(any_withheld, learning.ids):
                releases.withdraw(lora.name, REASON, by=AUTOMATIC)
                then = GATE if given else TUNE  # what a person trained on a file, only they train again
                break
    if nothing is not None and not made:
        raise nothing
    result = {
        "loras": [one.name for one in made],
        "examples": len(learning.examples),
        **_counts([one.id for one in learning.examples], made[0].card),
        "left_out": [asdict(one) for one in learning.left_out],
        "seconds": round(seconds, 1),
        THEN: [then],
    }
    write_whole(context.folder / MADE, json.dumps(result))
    clear(context.folder)  # what is needed is on the shelf; people's words must not lie about in old runs
    return result


def _counts(ids: Sequence[str], card: Mapping[str, Any]) -> dict[str, int]:
    """What became of the examples: of those that are too long nothing is learnt, and nothing is held out."""
    too_long = set(card.get("too_long") or ()).intersection(ids)
    held_out = set(card.get("held_out") or ()) - too_long
    return {"learnt": len(set(ids) - held_out - too_long), "held_out": len(held_out), "too_long": len(too_long)}


def _material(parts: LearningParts, context: JobContext, given: Sequence[Path], store: Store) -> LearningSet:
    """What an earlier part of this run began with, so that its checkpoints fit; else, when some of it may not be learnt any more, or
    when the given files were changed, what there is now."""
    examples, preferences = context.folder / EXAMPLES, context.folder / PREFERENCES
    began, now = None, digest(given) if given else None
    if context.resumed and examples.is_file() and preferences.is_file():  # an erasure may have taken one of them
        preferred = load_preferences(preferences) if preferences.stat().st_size else ()
        began = LearningSet(tuple(dataset.load_examples(examples)), tuple(preferred))
        # What has been trained may be on the shelf already: that is marked in the end.
        trained = any(RunFolder(context.folder / name).result.exists() for name in RUNS)
        if changed := _have_changed(context.folder / GIVEN, now):
            told = {"event": "examples_changed", "too_late": trained}
            _log.info(json.dumps(told))
            context.tell(told)
        if trained or (given and not changed and not store.run_now(any_withheld, began.ids)):
            return began
    with (parts.file_bench if given else parts.workbench)() as bench:
        if began is not None and not given and _may_all_be_learnt(bench, began):
            return began
        clear(context.folder)
        learning = of_files(given, bench) if given else of_store(bench)
    for one in learning.left_out:
        left_out = {"event": "left_out", **asdict(one)}
        _log.info(json.dumps(left_out, ensure_ascii=False))
        context.tell(left_out)
    if now is not None:
        write_whole(context.folder / GIVEN, now)
    dataset.write_examples(examples, learning.examples)
    write_preferences(preferences, learning.preferences)  # last: both are whole once it is there
    return learning


def _have_changed(kept: Path, now: str | None) -> bool:
    """Whether the given files are others than those that the run began with. Of those that are gone meanwhile nobody can tell."""
    return now is not None and kept.is_file() and kept.read_text(encoding="utf-8") != now


def _may_all_be_learnt(bench: Workbench, began: LearningSet) -> bool:
    """Whether each is still approved with the answer that it was read with, as votes and pages are now, and nobody behind one objects."""
    bench.build()
    approved = bench.every("approved")
    answers = {one.id: one.answer.strip() for one in approved if bench.learning or not rests_on_people(one)}
    learnt = {one.id: one.answer.strip() for one in began.examples}
    learnt |= {one.id: one.answer.strip() for one in began.preferences}
    return learnt.items() <= answers.items() and not bench.not_to_learn(learnt)


def _jobs(
    parts: LearningParts, context: JobContext, base: ServedBase, learning: LearningSet
) -> Iterator[tuple[str, TuningJob]]:
    """The runs: without preferences, and with them if there are enough, so that the gate can tell whether they help."""
    options = parts.options
    plain = TuningJob(
        gguf=base.gguf,
        examples=context.folder / EXAMPLES,
        cache=parts.bases,
        template=base.template,
        replay=options.replay,
        settings=replace(options.training, preference_share=0.0),
    )
    yield "plain", plain
    if options.training.preference_share <= 0 or not learning.preferences:
        return
    preferring = replace(plain, preferences=context.folder / PREFERENCES, settings=options.training)
    # Not the number of thumbs: with those about held-out passages left out, the second run could be the first one again, hours long.
    if learns_preferences(preferring):
        yield "preferences", preferring
    else:
        needed = options.training.least_preferences
        _log.info(json.dumps({"event": "too_few_preferences", "given": len(learning.preferences), "needed": needed}))


def _train(context: JobContext, folder: Path, job: TuningJob, base: ServedBase, store: Store) -> Path:
    """The result's folder. It pauses while a question is open anywhere. Raises JobStopped when the run was asked to stop: a
    checkpoint is there."""
    done = RunFolder(folder).result
    if context.resumed and _is_still_wanted(done, job, base):  # it ended before the process died
        return done
    told = _Told(context)

    def others_first() -> bool:
        # While it makes way, or is busy with a long step, there is no line to hear of it by.
        if context.stop_requested():
            RunFolder(folder).stop.touch()
        return people_wait(store)

    with TuningProcess(folder, job, people_wait=others_first) as process:
        for line in process:
            told.show(line)
            if context.stop_requested():
                process.stop()
        outcome = process.outcome()
    if outcome.result is None:
        raise JobStopped
    return outcome.result


def _is_still_wanted(result: Path, job: TuningJob, base: ServedBase) -> bool:
    """Whether a result is there, of today's settings, base and prompt: its rival would be trained on others."""
    card = result / CARD
    return card.is_file() and is_of(json.loads(card.read_text(encoding="utf-8")), job, base.sha256)


def _demand_its_scale(trained: Path, base: Path) -> None:
    """The file's alpha and rank are those that were trained with. Comparing log-probabilities alone does not tell: where every token is
    near certain another scale changes nothing. Raises a LoraError."""
    card = json.loads((trained / CARD).read_text(encoding="utf-8"))
    checked = check_lora(trained / GGUF, BaseWeights.read(base))
    if (checked.rank, checked.alpha) != (card["rank"], as_stored(card["alpha"])):
        raise BrokenLora(name=trained.name, reason=f"alpha {checked.alpha}, rank {checked.rank} ≠ {CARD}")


@dataclass
class _Told:
    """Lines of the training process as a job's progress."""

    context: JobContext
    losses: list[float] = field(default_factory=list)
    held_out: str = ""

    def show(self, line: Mapping[str, Any]) -> None:
        """Take in one line; unknown events change nothing."""
        self.context.tell(line)
        event = line.get("event")
        if event == "examples" and line.get("too_long"):
            _log.info(json.dumps({"event": "too_long", "examples": line["too_long"]}, ensure_ascii=False))
        if event == "base":
            self.context.progress(int(line["done"]), line.get("total"), f"base_{line['stage']}")
        elif event == "training":
            self.context.progress(int(line["done"]), int(line["steps"]), "training")
        elif event == "held_out":
            self.held_out = f" · held out {line['loss']:.3f}"
        elif event == "step":
            self.losses.append(float(line["loss"]))
            words = f"training: loss {self.losses[-1]:.3f}{self.held_out} {sparkline(self.losses, _WIDTH)}"
            self.context.progress(int(line["step"]), int(line["steps"]), words)
        elif event == "paused":
            self.context.progress(len(self.losses), None, "making_way")


def job(parts: JobParts) -> JobSpec:
    """As the registry wants it. Not beside the gate: each holds gigabytes.

    What a disk, a database or the memory did to it is no reason to train anew.
    """
    return JobSpec(
        TUNE,
        "모델 학습",
        "Tune the model",
        lambda context: tune(parts.learning(), context),
        kept_after=(TuningFailed, TuningOutOfMemory, TuningNotKept, NotEnoughDisk, ShelfNotWritable, StoreError),
        group=GROUP,
    )
