"""The job that puts new LoRAs before the gate: asked beside what answers now, the verdict kept, the best of those that passed proposed.

Of a run's two that both passed, the one with preferences must also pass the gate against the other (`jobs.learning.rivals`).

Arguments: `lora`, a name (else every LoRA of a tuning run that has no verdict against what answers now, and is not older than that; and
what passed beside such a one in a gate that then failed: by kept answers it is judged once more, compared and proposed);
`examples`, paths of files whose examples are asked too, as far as the LoRA has not seen them.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from bot.errors import (
    AnswersNotKept,
    BadParity,
    EditionReplaced,
    GateBusy,
    LearntUnknown,
    LoraElsewhere,
    LoraError,
    ModelError,
    NothingToAsk,
    ReleaseError,
    StoreError,
    UnknownLora,
    WritingError,
)
from bot.loras.shelf import ShelvedLora
from bot.releases.releases import AUTOMATIC, Releases
from bot.store import loras
from bot.store import releases as records
from bot.store.database import Store
from bot.store.loras import Evaluation
from jobs.gate.answers import Stamp
from jobs.gate.asking import Side
from jobs.gate.cases import GateCase
from jobs.gate.kept import KeptAnswers
from jobs.gate.parity import Parity, measure_parity, read_parity
from jobs.gate.plot import write_plot
from jobs.gate.run import run_gate
from jobs.gate.verdict import Decision, Verdict
from jobs.job import JobContext, JobParts, JobSpec
from jobs.learning.asked import Asked
from jobs.learning.making_way import people_wait
from jobs.learning.parts import LearningParts
from jobs.learning.rivals import contest, rivals
from jobs.learning.tune import GATE, GROUP
from knowledge.editions.files import write_whole

_log = logging.getLogger(__name__)
PARITY, VERDICT, PLOT = "parity.json", "verdict.json", "verdict.svg"
_LOOK_AGAIN = 1.0
"""Seconds between two looks whether people wait."""
JUDGED = "judged.json"
"""In the run's folder: ids of its verdicts, so that a run that is gone on with counts them, too."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One candidate and what was found."""

    lora: str
    evaluation: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Contest:
    """A run's LoRA with preferences, `lora`, against its plain one. Both passed against what answers."""

    lora: str
    against: str
    evaluation: str
    """Empty: there was no question that both have answered over one edition."""
    verdict: Verdict | None

    @property
    def decision(self) -> str:
        """Of the verdict, in a word."""
        return Decision.NOT_ENOUGH.value if self.verdict is None else self.verdict.decision.value

    @property
    def outdone(self) -> str:
        """The one that is not taken: with preferences unless they help."""
        return self.against if self.verdict is not None and self.verdict.passed else self.lora


def judge(parts: LearningParts, context: JobContext) -> Mapping[str, Any]:
    """Verdicts; the best passed one is promoted if `[tuning] promote` says so, else proposed.

    A LoRA that cannot be judged is passed over. Where no other one is judged either its error is raised: NothingToAsk when there is no
    question to judge by (LearntUnknown: as nobody knows which examples it has not seen), LoraElsewhere when another machine has its
    files (or those of what answers), and what opening a side raises.
    """
    with parts.releases() as releases:
        present = now_answering(releases)
        judged = _judged_before(context, releases, present)
        known = {one.lora for one in judged}
        candidates = [one for one in _candidates(releases, present, context.arguments.get("lora")) if one not in known]
        examples = Asked(parts, [Path(one) for one in context.arguments.get("examples") or ()])
        trouble: LoraError | NothingToAsk | LearntUnknown | BadParity | None = None
        elsewhere = []
        for name in candidates:
            try:
                for needed in (name, present):
                    _demand_here(releases, needed)
                candidate = releases.shelf.get(name, releases.base)
                judged.append(_judged(parts, context, releases, candidate, present, examples, judged))
            except (LoraError, NothingToAsk, LearntUnknown, BadParity) as error:
                # Of several it is raised that waits for the machine that can do it.
                trouble = trouble if isinstance(trouble, LoraElsewhere) else error
                elsewhere += [name] if isinstance(error, LoraElsewhere) else []
                _log.error(json.dumps({"event": "not_judged", "lora": name, "error": type(error).__name__}))
        if trouble is not None and not judged:
            raise trouble
        if not judged:
            return {"judged": [], "against": present}
        contests = _contests(parts, context, releases, judged, examples)
        outdone = {one.outdone for one in contests}
        passed = [one for one in judged if one.verdict.passed and one.lora not in outdone]
        best = max(passed, key=lambda one: one.verdict.main.gain or 0.0, default=None)
        promoted = best is not None and parts.options.promote == "automatic" and _promoted(parts, releases, best)
    return {
        "judged": [{"lora": one.lora, "decision": one.verdict.decision.value} for one in judged],
        "against": present,
        "short": {one.lora: lack.as_json() for one in judged if (lack := one.verdict.shortage) is not None},
        "evaluations": [*(one.evaluation for one in judged), *(one.evaluation for one in contests if one.evaluation)],
        "preferences": [
            {"lora": one.lora, "against": one.against, "decision": one.decision, "outdone": one.outdone}
            for one in contests
        ],
        "proposed": best.lora if best is not None and not promoted else "",
        "promoted": best.lora if best is not None and promoted else "",
        "share": parts.options.canary_share if promoted else 0.0,
        "elsewhere": ", ".join(elsewhere),
    }


def now_answering(releases: Releases) -> str:
    """Name of what answers now, or `none`; a canary beside it is not looked at. Raises StoreError."""

    def read(connection: Connection) -> str:
        newest = records.newest(connection, releases.base)
        return newest.lora if newest is not None else releases.choosing.default(loras.unusable(connection))

    setting = releases.choosing
    return setting.setting if setting.pinned or setting.off else releases.store.run_now(read)


def _judged_before(context: JobContext, releases: Releases, present: str) -> list[Judged]:
    """By an earlier part of this run, against what still answers."""
    return [
        Judged(one.lora, one.id, Verdict.from_json(one.verdict))
        for one in _evaluations(context, releases)
        if one.against == present
    ]


def _evaluations(context: JobContext, releases: Releases) -> list[Evaluation]:
    """All that this run has kept."""
    kept = (releases.store.run_now(loras.evaluation, one) for one in _ids_of(context))
    return [one for one in kept if one is not None]


def _ids_of(context: JobContext) -> list[str]:
    file = context.folder / JUDGED
    return list(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else []


def _candidates(releases: Releases, present: str, wanted: str | None) -> list[str]:
    """Newest first."""
    if wanted:
        known = releases.store.run_now(loras.get, wanted)
        return [wanted if known is not None and known.usable else releases.recorded(wanted).name]

    def waiting(connection: Connection) -> list[str]:
        now = loras.get(connection, present)
        # What is older has had its turn. When a LoRA was made is known of those of tuning runs.
        since = now.made_at if now is not None and now.run else 0.0
        young = [
            one
            for one in loras.every(connection, releases.base)
            if one.usable and one.run and one.made_at >= since and one.name != present
        ]
        found = {one.name: loras.latest_evaluation(connection, one.name, present) for one in young}
        # Where one of a run was not judged the gate ended early: of another one that had passed nothing came. What was released since
        # had its turn, whatever became of it.
        cut_short = {one.run for one in young if found[one.name] is None and _is_here(releases, one.name)}
        released = {name for row in records.history(connection, releases.base) for name in (row.lora, row.canary)}
        return [
            one.name
            for one in young
            if (verdict := found[one.name]) is None
            or (verdict.passed and one.run in cut_short and one.name not in released)
        ]

    return releases.store.run_now(waiting)


def _is_here(releases: Releases, name: str) -> bool:
    """Whether its files lie on this machine's shelf, whatever state they are in."""
    try:
        releases.shelf.card(name)
    except UnknownLora:
        return False
    except LoraError:
        return True
    return True


def _demand_here(releases: Releases, name: str) -> None:
    """Raises LoraElsewhere where the store knows it as one that may answer, and this machine does not have it."""
    record = releases.store.run_now(loras.get, name)
    if record is not None and record.usable and not _is_here(releases, name):
        raise LoraElsewhere(name=name)


def _judged(
    parts: LearningParts,
    context: JobContext,
    releases: Releases,
    candidate: ShelvedLora,
    present: str,
    examples: Asked,
    before: Sequence[Judged],
) -> Judged:
    cases = examples.cases(releases, candidate)
    sides = parts.side(candidate.name), parts.side(present)
    parity = _parity(parts, candidate)
    wanted = [*(one.verdict.candidate.stamp for one in before), *(side.stamp for side in sides)]
    verdict = asyncio.run(_asked(parts, context, releases.store, *sides, cases, parity, wanted))
    return Judged(candidate.name, _keep(parts, context, releases, verdict), verdict)


def _keep(parts: LearningParts, context: JobContext, releases: Releases, verdict: Verdict) -> str:
    """On record and as files; its id."""
    names = verdict.candidate.name, verdict.present.name
    evaluation = Evaluation(secrets.token_hex(8), *names, verdict.passed, verdict.as_json(), releases.clock())
    folder = parts.verdicts / evaluation.id
    folder.mkdir(parents=True, exist_ok=True)
    (folder / VERDICT).write_text(json.dumps(verdict.as_json(), ensure_ascii=False, indent=1), encoding="utf-8")
    write_plot(verdict, folder / PLOT)
    write_whole(context.folder / JUDGED, json.dumps([*_ids_of(context), evaluation.id]))
    releases.store.run_now(loras.keep_evaluation, evaluation)  # last: the picture is there once the verdict is known
    told = {"lora": names[0], "against": names[1], "decision": verdict.decision.value}
    _log.info(json.dumps({"event": "judged", "evaluation": evaluation.id, **told}))
    return evaluation.id


def _contests(
    parts: LearningParts, context: JobContext, releases: Releases, judged: Sequence[Judged], examples: Asked
) -> list[Contest]:
    """Where both LoRAs of a run passed: whether preferences helped."""
    passed = {one.lora: one for one in judged if one.verdict.passed}
    before = {(one.lora, one.against): one for one in _evaluations(context, releases)}
    found = []
    for plain, preferring in rivals(releases, passed):
        if (known := before.get((preferring, plain))) is not None:
            found.append(Contest(preferring, plain, known.id, Verdict.from_json(known.verdict)))
            continue
        cases = examples.cases(releases, releases.shelf.card(plain))
        verdict = contest(passed[plain].verdict, passed[preferring].verdict, cases, parts.answers, parts.options.gate)
        kept = "" if verdict is None else _keep(parts, context, releases, verdict)
        found.append(Contest(preferring, plain, kept, verdict))
        _log.info(
            json.dumps({"event": "preferences_judged", "decision": found[-1].decision, "outdone": found[-1].outdone})
        )
    return found


async def _asked(
    parts: LearningParts,
    context: JobContext,
    store: Store,
    candidate: Side,
    present: Side,
    cases: Sequence[GateCase],
    parity: Parity | None,
    wanted: Sequence[Stamp],
) -> Verdict:
    """`wanted`: whose answers are not forgotten. No question is put while people wait for answers."""
    now: tuple[str, int, int] = ("", 0, 0)

    def told(side: str, done: int, total: int) -> None:
        nonlocal now
        now = (side, done, total)
        context.progress(done, total, f"asking: {side}")
        context.check()

    async def give_way() -> None:
        waited = False
        while people_wait(store):
            waited = True
            context.progress(*now[1:], "making_way")
            context.check()
            await asyncio.sleep(_LOOK_AGAIN)
        if waited:
            told(*now)

    with KeptAnswers(parts.answers) as kept:
        verdict = await run_gate(
            candidate, present, cases, kept, parts.options.gate, parity=parity, progress=told, give_way=give_way
        )
        kept.forget_all_but(wanted)
    return verdict


def _parity(parts: LearningParts, candidate: ShelvedLora) -> Parity | None:
    """None where training left nothing to compare with (a LoRA made elsewhere)."""
    path = candidate.folder / PARITY
    if not path.is_file():
        return None
    engine = parts.engine()
    try:
        return measure_parity(engine, candidate.file, read_parity(path))
    finally:
        engine.close()


def _promoted(parts: LearningParts, releases: Releases, best: Judged) -> bool:
    share = parts.options.canary_share or None
    try:
        releases.promote(best.lora, by=AUTOMATIC, share=share, reason=best.verdict.decision.value)
    except ReleaseError as error:  # pinned by the setting, say: then a person decides
        _log.warning(json.dumps({"event": "not_promoted", "lora": best.lora, "error": type(error).__name__}))
        return False
    return True


def job(parts: JobParts) -> JobSpec:
    """As the registry wants it. What was answered is kept: a run that is gone on with asks only the rest."""
    return JobSpec(
        GATE,
        "새 LoRA 평가",
        "Judge new LoRAs",
        lambda context: judge(parts.learning(), context),
        waits_after=(LoraElsewhere, EditionReplaced),
        kept_after=(ModelError, WritingError, StoreError, GateBusy, AnswersNotKept, EditionReplaced),
        group=GROUP,
    )
