"""The running service takes over what was released elsewhere: by a command, a job, the console, another process."""

from __future__ import annotations

import json
import logging
import time
from asyncio import sleep, to_thread
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.errors import LoraError, MarkedLora, ModelError
from bot.live import Live, name_of
from bot.pauses import Pauses
from bot.releases.choosing import Choice, Choosing, Released
from bot.releases.past import BACK

if TYPE_CHECKING:
    from bot.answering.flow import AnswerFlow
    from bot.worker import ModelWorker

_log = logging.getLogger(__name__)
EVERY_SECONDS = 5.0


async def prepare(worker: ModelWorker, choice: Choice) -> Choice:
    """Have what answers in memory, checked, between two answers. A canary that cannot be had is left out, with its problem.

    Raises a `LoraError` or `BrokenModel` when what should answer cannot.
    """
    if choice.lora is not None:
        wanted = choice.lora
        await worker.run(lambda engine: engine.load_lora(wanted))
    if choice.canary is not None and choice.canary.lora is not None:
        candidate = choice.canary.lora
        try:
            await worker.run(lambda engine: engine.load_lora(candidate))
        except (LoraError, ModelError) as error:
            _refused(name_of(candidate), error)
            return replace(choice, canary=None, canary_problem=error)
    return choice


async def follow(
    read: Callable[[], Awaitable[Released]],
    choosing: Choosing,
    worker: ModelWorker,
    flow: AnswerFlow,
    *,
    known: Released | None,
    every: float = EVERY_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Until cancelled: look every few seconds, and let what was released answer the questions asked from then on.

    Questions on their way keep their LoRA. What answered goes on while a release cannot be used; that is logged and tried again after
    1, 2, 4 … 30 minutes, since memory or a disk may have been short for a moment. That a LoRA must not answer any more always takes
    effect. `known`: what `flow` answers with at the start; None: not all of what was released could be had then.
    """
    pauses, unreachable = Pauses(clock), False
    while True:
        await sleep(every)
        try:
            found = await read()
        except Exception as error:  # noqa: BLE001 - the store is away: what answers goes on
            if not unreachable:
                _log.error(json.dumps({"event": "releases_unreachable", "error": type(error).__name__}))
            unreachable = True
            continue
        unreachable = False
        if found == known or not pauses.over(found):
            continue
        try:
            whole = await _take(found, choosing, worker, flow)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, what answered goes on
            _refused(found.release.lora if found.release else choosing.setting, error)
            whole = False
        if whole:
            known = found
            pauses.none()
        else:
            pauses.longer(found)


async def _take(found: Released, choosing: Choosing, worker: ModelWorker, flow: AnswerFlow) -> bool:
    """Whether all of it answers now. Raises where nothing could be changed."""
    choice = await to_thread(choosing.choose, found)
    try:
        if choice.problem is not None and not isinstance(choice.problem, MarkedLora):
            raise choice.problem
        if choice.canary_problem is not None and found.release is not None:
            _refused(found.release.canary, choice.canary_problem)
        choice = await prepare(worker, choice)
    except (LoraError, ModelError) as error:
        left = _without_barred(flow.live(), found)
        if left is None:
            raise
        _refused(found.release.lora if found.release else choosing.setting, error)
        choice = replace(left, problem=error)
    before = flow.live()
    if (before.lora, before.canary) == (choice.lora, choice.canary):
        return not choice.lacking
    flow.swap(replace(before, lora=choice.lora, canary=choice.canary))  # nothing is awaited since `before` was read
    canary = name_of(choice.canary.lora) if choice.canary is not None else ""
    _log.info(json.dumps({"event": "lora_answers", "lora": name_of(choice.lora), "canary": canary, "why": choice.why}))
    return not choice.lacking


def _without_barred(live: Live, found: Released) -> Choice | None:
    """What answers, without what must not any more, or was taken back; None: all of it may go on."""
    barred = {name for name, _ in found.unusable}
    if (release := found.release) is not None and release.action in BACK:
        answering = [live.lora, live.canary.lora if live.canary is not None else None]
        barred |= {name_of(lora) for lora in answering if lora is not None} - {release.lora}
    lora_barred = name_of(live.lora) in barred
    canary_barred = live.canary is not None and name_of(live.canary.lora) in barred
    if not lora_barred and not canary_barred:
        return None
    return Choice(None if lora_barred else live.lora, "unusable", None if canary_barred else live.canary)


def _refused(name: str, error: Exception) -> None:
    _log.error(json.dumps({"event": "release_refused", "lora": name, "error": type(error).__name__}))
