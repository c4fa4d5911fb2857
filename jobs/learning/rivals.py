"""Of one run's two LoRAs that both passed, the one that also learnt from thumbs is taken only where the gate shows that this helped.

By then both have answered the same questions. The gate compares these answers as it compares a candidate with what serves (paired
bootstrap, guards); nobody is asked again. Where it cannot tell, the plain one is taken: what does not help only adds risk.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from sqlalchemy import Connection

from bot.releases.releases import Releases
from bot.store import loras
from jobs.gate.cases import GateCase
from jobs.gate.decide import decide
from jobs.gate.kept import KeptAnswers
from jobs.gate.settings import GateSettings
from jobs.gate.verdict import Verdict


def rivals(releases: Releases, names: Collection[str]) -> list[tuple[str, str]]:
    """(plain, with preferences) of each run that made both. Raises StoreError."""

    def read(connection: Connection) -> list[tuple[str, str]]:
        plain: dict[str, str] = {}
        preferring: dict[str, str] = {}
        for name in names:
            record = loras.get(connection, name)
            if record is not None and record.run:
                (preferring if record.card.get("preferences") else plain)[record.run] = name
        return [(plain[run], preferring[run]) for run in plain if run in preferring]

    return releases.store.run_now(read)


def contest(
    plain: Verdict, preferring: Verdict, cases: Iterable[GateCase], answers: Path, settings: GateSettings
) -> Verdict | None:
    """The one with preferences as a candidate against the plain one, over the questions that both have answered; None: there is none.

    Nor where they answered over different editions, as in a run that was gone on with: other pages are no difference between LoRAs.
    `plain`, `preferring`: what was found of each; `answers`: the folder of kept answers. Raises `GateBusy`, `AnswersNotKept`.
    """
    if plain.candidate.stamp.edition != preferring.candidate.stamp.edition:
        return None
    with KeptAnswers(answers) as kept:
        theirs, ours = kept.of(preferring.candidate.stamp), kept.of(plain.candidate.stamp)
    both: Sequence[GateCase] = [one for one in cases if one.fingerprint in theirs and one.fingerprint in ours]
    if not both:
        return None
    return decide(
        both, (preferring.candidate, theirs), (plain.candidate, ours), settings, parity=preferring.parity, rival=True
    )
