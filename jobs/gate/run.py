"""The whole gate: both sides answer, then the verdict. A plain function; killed and called again, it goes on where it was."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence

from jobs.gate.asking import GiveWay, Side, ask_side
from jobs.gate.cases import GateCase
from jobs.gate.decide import decide
from jobs.gate.kept import KeptAnswers
from jobs.gate.parity import Parity
from jobs.gate.settings import GateSettings
from jobs.gate.verdict import Verdict, Who

Progress = Callable[[str, int, int], None]
"""(name of the side, asked, to be asked)."""


async def run_gate(
    candidate: Side,
    present: Side,
    cases: Sequence[GateCase],
    kept: KeptAnswers,
    settings: GateSettings,
    *,
    parity: Parity | None = None,
    progress: Progress | None = None,
    give_way: GiveWay | None = None,
) -> Verdict:
    """First what serves now, mostly kept from before, then the candidate. One side is open at a time.

    `kept` is entered by the caller. `give_way`: see `ask_side`. Raises what opening a side raises, and `AnswersNotKept`; a cancellation
    leaves what is answered.
    """
    run = secrets.token_hex(8)
    sides = []
    for side in (present, candidate):
        answers = await ask_side(
            side,
            cases,
            kept,
            run=run,
            timed=settings.timed_questions,
            progress=None if progress is None else _named(progress, side.name),
            give_way=give_way,
        )
        sides.append((Who(side.name, side.stamp), answers))
    return decide(cases, sides[1], sides[0], settings, parity=parity)


def _named(progress: Progress, name: str) -> Callable[[int, int], None]:
    return lambda done, total: progress(name, done, total)
