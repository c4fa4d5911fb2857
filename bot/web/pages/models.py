"""모델: the base, the LoRAs, what the gate says of them, what answers; promote, roll back, delete; a running training's losses."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.errors import BadShare, ModelError, NotFoundInConsole, UnknownLora
from bot.live import NO_LORA, Live, name_of
from bot.messages import Language
from bot.releases import overview
from bot.releases.choosing import AUTO, Choice
from bot.releases.overview import Described, Listed
from bot.releases.releases import BARRIERS, Barrier, Releases
from bot.store import jobs as runs
from bot.store import releases as records
from bot.store.database import Store
from bot.store.job_rows import Run
from bot.store.loras import Evaluation
from bot.store.releases import Release
from bot.web import course as courses
from bot.web.charts import Chart
from bot.web.course import Course, Following
from bot.web.page import Page, allow, done, form, render, viewer
from bot.web.verdict import WIDTH, Measured, Reading, Scale, ShownVerdict, scale

_SIDE_BY_SIDE = 4
"""LoRAs that stand in the comparison."""
_HISTORY = 12
_SOON = 60.0
"""Seconds in which a release that can be used has been taken over."""


@dataclass(frozen=True, slots=True)
class Base:
    """The served model. `template`: as the catalogue names it."""

    name: str
    sha256: str
    bytes: int
    template: str


@dataclass(frozen=True, slots=True)
class ModelsParts:
    """What the page needs."""

    store: Store
    releases: Releases
    live: Callable[[], Live]
    """What this process answers with now."""
    base: Callable[[], Base]
    """Raises ModelError; may take a second."""
    verdict: Reading
    following: Following
    learning: Sequence[str]
    """Names of the jobs that make and judge LoRAs."""


@dataclass(frozen=True, slots=True)
class Answering:
    """What answers in this process, and what is released."""

    lora: str
    canary: str
    share: float
    newest: Release | None
    pinned: str
    """The setting, where it says what answers; empty: releases do."""
    now: float

    @property
    def settled(self) -> bool:
        """The process has taken over what is released."""
        if self.newest is None or self.pinned:
            return True
        return (self.newest.lora, self.newest.canary) == (self.lora, self.canary)

    @property
    def refused(self) -> bool:
        """It has not, though it had the time: it cannot."""
        return not self.settled and self.newest is not None and self.now - self.newest.at > _SOON


@dataclass(frozen=True, slots=True)
class Row:
    """A measure side by side. `cells`: of each LoRA, None where it was not measured."""

    name: str
    scale: Scale
    cells: Sequence[Measured | None]


@dataclass(frozen=True, slots=True)
class Judged:
    """One evaluation. `verdict` None: it cannot be read."""

    evaluation: Evaluation
    verdict: ShownVerdict | None
    shares: Scale
    ratios: Scale


@dataclass(frozen=True, slots=True)
class Running:
    """A job that makes or judges a LoRA."""

    run: Run
    plots: Sequence[tuple[Course, Chart]]


def models(parts: ModelsParts) -> Page:
    """`GET /models`, `/models/lora/NAME`; forms: promote, rollback, delete."""
    handlers = _Models(parts)
    return Page(
        "models",
        "/models",
        (
            Route("/models", handlers.show, methods=["GET"]),
            Route("/models/running", handlers.running, methods=["GET"]),
            Route("/models/lora/{name}", handlers.lora, methods=["GET"]),
            Route("/models/promote", handlers.promote, methods=["POST"]),
            Route("/models/rollback", handlers.rollback, methods=["POST"]),
            Route("/models/delete", handlers.delete, methods=["POST"]),
        ),
        key="m",
    )


class _Models:
    def __init__(self, parts: ModelsParts) -> None:
        self._parts = parts
        self._releases = parts.releases

    async def show(self, request: Request) -> Response:
        """Everything at a glance."""
        base, problem = await self._base(request)
        if base is None:
            return render(request, "models/page.html", base=None, problem=problem, **_nothing())
        listed = await asyncio.to_thread(overview.every, self._releases, self._choice())
        answering = await asyncio.to_thread(self._answering)
        language = viewer(request).language
        return render(
            request,
            "models/page.html",
            base=base,
            problem="",
            listed=listed,
            answering=answering,
            before=await self._parts.store.run(self._before),
            history=await self._parts.store.run(self._history),
            compared=self._compared(listed, language),
            running=await self._running(request),
            NO_LORA=NO_LORA,
        )

    async def running(self, request: Request) -> Response:
        """The part with the training that runs: asked for again every few seconds."""
        return render(request, "models/running.html", running=await self._running(request))

    async def lora(self, request: Request) -> Response:
        """One LoRA."""
        name, language = request.path_params["name"], viewer(request).language
        base, problem = await self._base(request)
        if base is None:
            return render(request, "models/page.html", base=None, problem=problem, **_nothing())
        try:
            described: Described = await asyncio.to_thread(overview.describe, self._releases, name, self._choice())
        except UnknownLora as error:
            raise NotFoundInConsole from error
        barrier: Barrier | None = await asyncio.to_thread(self._releases.barrier, name)
        renderer = request.app.state.renderer
        record = described.listed.record
        learnt = courses.of_card(record.card)
        return render(
            request,
            "models/lora.html",
            one=described,
            record=record,
            card=_Card.of(record.card),
            answering=await asyncio.to_thread(self._answering),
            prompt=self._releases.choosing.prompt,
            barrier=type(barrier).__name__ if barrier is not None else "",
            losses=courses.chart(learnt, renderer.texts, language, renderer.zone) if learnt else None,
            judged=[self._judged(one, language) for one in described.evaluations],
            whole=json.dumps(_short(record.card), ensure_ascii=False, indent=1),
            NO_LORA=NO_LORA,
            WIDTH=WIDTH,
        )

    async def promote(self, request: Request) -> Response:
        """Let a LoRA answer, everything or a part."""
        me = allow(request, "admin")
        fields = await form(request)
        name, reason = fields.get("name", "")[:64], fields.get("reason", "").strip()[:500]
        share = _share(fields["share"]) if fields.get("share", "").strip() else None
        renderer, texts = request.app.state.renderer, request.app.state.renderer.texts
        overrule = bool(fields.get("overrule"))
        try:
            released = await asyncio.to_thread(
                self._releases.promote, name, by=me.by, share=share, overrule=overrule, reason=reason
            )
        except BARRIERS as barrier:  # what they say themselves is for a terminal
            said = texts(f"models.barrier.{type(barrier).__name__}", me.language)
            refused: Response = renderer.failed(request, said, 409)
            return refused
        key = "models.promoted" if share is None else "models.trying"
        shown = texts("models.plain", me.language) if name == NO_LORA else name
        return done(request, "/models", texts(key, me.language, name=shown, share=f"{released.share:.0%}"))

    async def rollback(self, request: Request) -> Response:
        """Back to what answered before, or the end of a trial."""
        me = allow(request, "admin")
        reason = (await form(request)).get("reason", "").strip()[:500]
        released = await asyncio.to_thread(self._releases.rollback, by=me.by, reason=reason)
        texts = request.app.state.renderer.texts
        shown = texts("models.plain", me.language) if released.lora == NO_LORA else released.lora
        return done(request, "/models", texts("models.rolled_back", me.language, name=shown))

    async def delete(self, request: Request) -> Response:
        """Remove a LoRA's files."""
        me = allow(request, "admin")
        name = (await form(request)).get("name", "")[:64]
        await asyncio.to_thread(self._releases.delete, name, by=me.by)
        return done(request, "/models", request.app.state.renderer.texts("models.deleted", me.language, name=name))

    # -- what the pages show ----------------------------------------------------------------------------------------------

    async def _base(self, request: Request) -> tuple[Base | None, str]:
        """The served model, or why there is none."""
        try:
            return await asyncio.to_thread(self._parts.base), ""
        except ModelError as error:
            return None, error.explain(viewer(request).language)

    def _choice(self) -> Choice:
        live = self._parts.live()
        return Choice(live.lora, "released", live.canary)

    def _answering(self) -> Answering:
        live, setting = self._parts.live(), self._releases.choosing.setting
        return Answering(
            name_of(live.lora),
            name_of(live.canary.lora) if live.canary is not None else "",
            live.canary.share if live.canary is not None else 0.0,
            self._parts.store.run_now(records.newest, self._releases.base),
            "" if setting == AUTO else setting,
            self._releases.clock(),
        )

    def _before(self, connection: Connection) -> str | None:
        history = records.history(connection, self._releases.base)
        if history and history[-1].canary:
            return history[-1].lora
        return self._releases.before(connection, history)

    def _history(self, connection: Connection) -> Sequence[Release]:
        return records.history(connection, self._releases.base)[: -_HISTORY - 1 : -1]

    async def _running(self, request: Request) -> Running | None:
        parts, renderer = self._parts, request.app.state.renderer
        run = await parts.store.run(runs.running, parts.learning, now=time.time())
        if run is None:
            return None
        found = await asyncio.to_thread(parts.following, run.id)
        language = viewer(request).language
        plots = [
            (
                one,
                courses.chart(
                    one, renderer.texts, language, renderer.zone, title=_title(one, renderer.texts, language)
                ),
            )
            for one in found
        ]
        return Running(run, plots)

    def _compared(self, listed: Sequence[Listed], language: Language) -> tuple[Sequence[ShownVerdict], Sequence[Row]]:
        """The latest verdicts of the newest LoRAs beside each other."""
        latest = [one.evaluation for one in listed if one.evaluation is not None and one.fits]
        found = [verdict for one in latest if (verdict := self._read(one, language)) is not None][:_SIDE_BY_SIDE]
        every = [measured for one in found for measured in one.measures]
        scales = {share: scale(every, share=share) for share in (True, False)}
        names = dict.fromkeys(measured.key for measured in every if measured.gain is not None)
        rows = []
        for key in names:
            cells = [next((one for one in verdict.measures if one.key == key), None) for verdict in found]
            first = next(cell for cell in cells if cell is not None)
            rows.append(Row(first.name, scales[first.share], cells))
        return found, rows

    def _judged(self, evaluation: Evaluation, language: Language) -> Judged:
        verdict = self._read(evaluation, language)
        rows = verdict.measures if verdict is not None else ()
        return Judged(evaluation, verdict, scale(rows, share=True), scale(rows, share=False))

    def _read(self, evaluation: Evaluation, language: Language) -> ShownVerdict | None:
        try:
            return self._parts.verdict(evaluation.verdict, language)
        except (KeyError, TypeError, ValueError):
            return None


@dataclass(frozen=True, slots=True)
class _Card:
    """What a card tells, where it tells it."""

    learnt: int | None
    held_out: int | None
    replay: int | None
    seconds: float | None
    steps: str
    device: str
    rank: str

    @classmethod
    def of(cls, card: Mapping[str, Any]) -> _Card:
        examples = card.get("examples")
        counts = {
            name: _number(one.get("count")) for name, one in _mapping(examples).items() if isinstance(one, Mapping)
        }
        steps = _mapping(card.get("steps"))
        told = f"{steps.get('done')} / {steps.get('planned')} ({steps.get('best')})" if steps else ""
        seconds = card.get("seconds")
        device = " · ".join(str(card[name]) for name in ("device", "precision") if card.get(name))
        rank = " / ".join(str(card[name]) for name in ("rank", "alpha") if card.get(name) is not None)
        return cls(
            counts.get("learnt"),
            counts.get("held_out"),
            counts.get("replay"),
            float(seconds) if isinstance(seconds, int | float) else None,
            told,
            device,
            rank,
        )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _short(card: Mapping[str, Any]) -> dict[str, Any]:
    """Without its long lists, which are drawn or name examples."""
    return {name: value for name, value in card.items() if not isinstance(value, list) or len(value) < 12}


def _share(text: str) -> float:
    try:
        share = float(text.strip().rstrip("%").replace(",", ".")) / 100
    except ValueError as error:
        raise BadShare(value=text[:20]) from error
    if not 0 < share < 1:
        raise BadShare(value=text[:20])
    return share


def _title(course: Course, texts: Callable[..., str], language: Language) -> str:
    key = f"models.training.{course.name}"
    named = texts(key, language) if course.name in ("plain", "preferences") else course.name
    return f"{texts('models.losses', language)}: {named}"


def _nothing() -> dict[str, object]:
    """For a page without a base."""
    return {
        "listed": [],
        "answering": None,
        "before": None,
        "history": [],
        "compared": ([], []),
        "running": None,
        "NO_LORA": NO_LORA,
    }
