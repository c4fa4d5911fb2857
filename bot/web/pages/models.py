"""모델: the base, the LoRAs, what the gate says of them, what answers; promote, roll back, delete; a running training's losses."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.errors import BadShare, ModelError, NotFoundInConsole, UnknownLora
from bot.live import NO_LORA, Live, name_of
from bot.releases import overview
from bot.releases.choosing import AUTO, Choice
from bot.releases.overview import Described, Listed
from bot.releases.releases import BARRIERS, Barrier, Releases
from bot.store import jobs as runs
from bot.store import releases as records
from bot.store.database import Store
from bot.store.releases import Release
from bot.web import course as courses
from bot.web import shown
from bot.web.course import Following
from bot.web.page import Page, allow, done, form, origin, render, say, viewer
from bot.web.pages.models_shown import Answering, Card, Judged, Row, Running, compared, judged, running, short
from bot.web.verdict import WIDTH, Reading, ShownVerdict

_HISTORY = 12


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
        language = viewer(request).language

        def look() -> tuple[Sequence[Listed], tuple[Sequence[ShownVerdict], Sequence[Row]]]:
            listed = overview.every(self._releases, self._choice())
            return listed, compared(listed, self._parts.verdict, language)

        listed, beside = await asyncio.to_thread(look)
        answering = await asyncio.to_thread(self._answering)
        return render(
            request,
            "models/page.html",
            base=base,
            problem="",
            listed=listed,
            answering=answering,
            before=await self._parts.store.run(self._before),
            history=await self._parts.store.run(self._history),
            compared=beside,
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

        def look() -> tuple[Described, Sequence[Judged]]:
            described = overview.describe(self._releases, name, self._choice())
            return described, [judged(one, self._parts.verdict, language) for one in described.evaluations]

        try:
            described, verdicts = await asyncio.to_thread(look)
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
            card=Card.of(record.card),
            answering=await asyncio.to_thread(self._answering),
            prompt=self._releases.choosing.prompt,
            barrier=type(barrier).__name__ if barrier is not None else "",
            losses=courses.chart(learnt, renderer.texts, language, renderer.zone) if learnt else None,
            judged=verdicts,
            whole=json.dumps(short(record.card), ensure_ascii=False, indent=1),
            NO_LORA=NO_LORA,
            WIDTH=WIDTH,
        )

    async def promote(self, request: Request) -> Response:
        """Let a LoRA answer, everything or a part."""
        me = allow(request, "admin")
        fields = await form(request)
        name, reason = fields.get("name", "")[:64], fields.get("reason", "").strip()[:500]
        share = _share(fields["share"]) if fields.get("share", "").strip() else None
        overrule = bool(fields.get("overrule"))
        try:
            released = await asyncio.to_thread(
                self._releases.promote,
                name,
                by=me.by,
                share=share,
                overrule=overrule,
                reason=reason,
                origin=origin(request),
            )
        except BARRIERS as barrier:  # what they say themselves is for a terminal
            said = say(request, f"models.barrier.{type(barrier).__name__}")
            refused: Response = request.app.state.renderer.failed(request, said, 409)
            return refused
        key = "models.promoted" if share is None else "models.trying"
        said = say(request, key, name=_named(request, name), share=shown.share(released.share))
        return done(request, "/models", said)

    async def rollback(self, request: Request) -> Response:
        """Back to what answered before, or the end of a trial: what the page showed. Raises ReleasedMeanwhile."""
        me = allow(request, "admin")
        fields = await form(request)
        reason, seen = fields.get("reason", "").strip()[:500], fields.get("seen", "")[:18]
        released = await asyncio.to_thread(
            self._releases.rollback,
            by=me.by,
            reason=reason,
            origin=origin(request),
            seen=int(seen) if seen.isdecimal() else 0,
        )
        return done(request, "/models", say(request, "models.rolled_back", name=_named(request, released.lora)))

    async def delete(self, request: Request) -> Response:
        """Remove a LoRA's files."""
        me = allow(request, "admin")
        name = (await form(request)).get("name", "")[:64]
        await asyncio.to_thread(self._releases.delete, name, by=me.by, origin=origin(request))
        return done(request, "/models", say(request, "models.deleted", name=name))

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
        return running(run, found, renderer.texts, viewer(request).language, renderer.zone)


def _named(request: Request, lora: str) -> str:
    return say(request, "models.plain") if lora == NO_LORA else lora


def _share(text: str) -> float:
    try:
        share = float(text.strip().rstrip("%").replace(",", ".")) / 100
    except ValueError as error:
        raise BadShare(value=text[:20]) from error
    if not 0 < share < 1:
        raise BadShare(value=text[:20])
    return share


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
