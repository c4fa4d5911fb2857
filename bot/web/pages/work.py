"""작업: what runs by itself and what was asked for, its history and logs; run now, pause, resume, stop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.errors import NotFoundInConsole
from bot.job_book import JobBook, KnownJob, ask, state_of
from bot.store import audit, job_history, job_stops
from bot.store import jobs as runs
from bot.store.cursor import Cursor
from bot.store.database import Store
from bot.store.job_rows import Run, State
from bot.web import job_words, run_log
from bot.web.page import Page, allow, done, form, is_htmx, origin, render, say, viewer
from bot.web.texts import Texts

_PAGE = 50
_STATES: tuple[State, ...] = get_args(State)


@dataclass(frozen=True, slots=True)
class WorkParts:
    """What the page reads. `enabled`: `[jobs] enabled`."""

    store: Store
    book: JobBook
    timezone: str
    enabled: bool
    clock: Callable[[], float] = time.time


@dataclass(frozen=True, slots=True)
class BoardLine:
    """One job on the board."""

    job: KnownJob
    state: str
    schedule: str
    next_at: float | None
    paused: bool
    last: Run | None
    active: Run | None
    """What runs, or else what waits."""
    waits_for: str
    """Title of the job that has to end first; empty: none."""


def work(parts: WorkParts) -> Page:
    """The page."""
    here = _Work(parts)
    routes = (
        Route("/jobs", here.show, methods=["GET"]),
        Route("/jobs/board", here.board, methods=["GET"]),
        Route("/jobs/runs/{run}", here.run, methods=["GET"]),
        Route("/jobs/runs/{run}/stop", here.stop, methods=["POST"]),
        Route("/jobs/audit", here.audit, methods=["GET"]),
        Route("/jobs/{job}/run", here.start, methods=["POST"]),
        Route("/jobs/{job}/pause", here.pause, methods=["POST"]),
        Route("/jobs/{job}/resume", here.resume, methods=["POST"]),
    )
    return Page("work", "/jobs", routes, key="j")


class _Work:
    def __init__(self, parts: WorkParts) -> None:
        self._parts = parts
        self._store = parts.store
        self._book = parts.book

    async def show(self, request: Request) -> Response:
        """The board and the history, or the next page of it."""
        query = request.query_params
        chosen = {name: query.get(name, "").replace("\0", "")[:128] for name in ("job", "state", "by")}
        state = next((one for one in _STATES if one == chosen["state"]), None)
        before = Cursor.read(query.get("before", ""))
        now = self._parts.clock()

        def read(connection: Connection) -> tuple[list[BoardLine], list[Run]]:
            lines = [] if before else self._lines(connection, request, now)
            found = job_history.page(
                connection, job=chosen["job"], state=state, by=chosen["by"], before=before, most=_PAGE + 1
            )
            return lines, found

        lines, found = await self._store.run(read)
        return render(
            request,
            "work/page.html",
            lines=lines,
            active=any(line.active for line in lines),
            runs=found[:_PAGE],
            more=Cursor(found[_PAGE - 1].due_at, found[_PAGE - 1].id) if len(found) > _PAGE else None,
            later=bool(before),
            chosen=chosen,
            filtered=any(chosen.values()),
            jobs=self._book.jobs,
            states=_STATES,
            parts=self._parts,
            **_words(request, now),
        )

    async def board(self, request: Request) -> Response:
        """The board alone: it is asked for again and again."""
        now = self._parts.clock()
        lines = await self._store.run(lambda connection: self._lines(connection, request, now))
        active = any(line.active for line in lines)
        return render(request, "work/board.html", lines=lines, active=active, **_words(request, now))

    async def run(self, request: Request) -> Response:
        """One run; for admins with the end of its log, which may name pages and people."""
        wanted, now = request.path_params["run"], self._parts.clock()

        def read(connection: Connection) -> tuple[Run, bool]:
            found = runs.get(connection, wanted)
            if found is None:
                raise NotFoundInConsole
            return found, job_stops.is_asked(connection, wanted)

        found, stopping = await self._store.run(read)
        path = self._book.log_of(found.id)
        may_log = viewer(request).may("admin")
        return render(
            request,
            "work/run_now.html" if is_htmx(request) else "work/run.html",
            run=found,
            job=self._book.jobs.get(found.job),
            state="stopping" if stopping and found.state == "running" else state_of(found, now),
            stopping=stopping,
            may_log=may_log,
            log=await asyncio.to_thread(run_log.tail, path) if may_log else None,
            log_path=path,
            **_words(request, now),
        )

    async def audit(self, request: Request) -> Response:
        """What was done, by whom."""
        allow(request, "admin")
        query = request.query_params
        before = query.get("before", "")
        chosen = {name: query.get(name, "").replace("\0", "").strip()[:128] for name in ("action", "by")}
        found = await self._store.run(
            audit.entries,
            most=_PAGE + 1,
            before=int(before) if before.isdecimal() and len(before) < 12 else None,
            by=chosen["by"],
            action=chosen["action"],
        )
        more = str(found[_PAGE - 1].id) if len(found) > _PAGE else ""
        return render(request, "work/audit.html", entries=found[:_PAGE], more=more, later=bool(before), chosen=chosen)

    async def start(self, request: Request) -> Response:
        """Ask for a job."""
        who = allow(request, "admin")
        job = request.path_params["job"]
        await self._store.run(ask, self._book, job, by=who.by, origin=origin(request), now=self._parts.clock())
        return self._back(request, "work.asked", job)

    async def pause(self, request: Request) -> Response:
        """A job does nothing until it is resumed."""
        return await self._switch(request, True)

    async def resume(self, request: Request) -> Response:
        """It does what it did."""
        return await self._switch(request, False)

    async def _switch(self, request: Request, pause: bool) -> Response:
        who = allow(request, "admin")
        job, now = request.path_params["job"], self._parts.clock()
        if job not in self._book.jobs:
            raise NotFoundInConsole

        def write(connection: Connection) -> None:
            runs.switch(connection, job, pause, by=who.by, now=now)
            action = "job.pause" if pause else "job.resume"
            audit.record(connection, by=who.by, action=action, subject=job, origin=origin(request), now=now)

        await self._store.run(write)
        return self._back(request, "work.paused_now" if pause else "work.resumed_now", job)

    async def stop(self, request: Request) -> Response:
        """End one run; what waits is given up."""
        who = allow(request, "admin")
        wanted, now = request.path_params["run"], self._parts.clock()

        def write(connection: Connection) -> Run | None:
            found = job_stops.stop(connection, wanted, by=who.by, now=now)
            if found is not None:
                detail = {"run": found.id, "state": found.state}
                audit.record(
                    connection, by=who.by, action="job.stop", subject=found.job, detail=detail,
                    origin=origin(request), now=now,
                )  # fmt: skip
            return found

        found = await self._store.run(write)
        fields = await form(request)
        there = f"/jobs/runs/{wanted}" if fields.get("here") == "run" else "/jobs"
        if found is None:
            return done(request, there, say(request, "work.over"))
        key = "work.stopping_now" if found.state == "running" else "work.withdrawn"
        return done(request, there, say(request, key, job=self._title(request, found.job)))

    def _lines(self, connection: Connection, request: Request, now: float) -> list[BoardLine]:
        stands = job_history.now_of(connection, self._book.jobs)
        times = self._book.next_times(connection, now=now)
        texts, language = _texts(request), viewer(request).language
        lines = []
        for job in self._book.jobs.values():
            mine = [run for run in stands.active if run.job == job.name]
            active = next((run for run in mine if run.state == "running"), mine[0] if mine else None)
            paused = job.name in stands.paused
            state = "paused" if paused else "idle" if job.enabled else "off"
            if active is not None:
                state = "stopping" if active.id in stands.stopping else state_of(active, now)
            next_at = None if paused else times.get(job.name)
            words = job_words.schedule(job, texts, language)
            before = [run.job for run in stands.active if run.state == "running" and run.job in job.group - {job.name}]
            waits_for = self._title(request, before[0]) if before and active and active.state == "due" else ""
            last = stands.last.get(job.name)
            lines.append(BoardLine(job, state, words, next_at, paused, last, active, waits_for))
        return lines

    def _title(self, request: Request, job: str) -> str:
        known = self._book.jobs.get(job)
        return known.title(viewer(request).language) if known else job

    def _back(self, request: Request, key: str, job: str) -> Response:
        return done(request, "/jobs", say(request, key, job=self._title(request, job)))


def _words(request: Request, now: float) -> dict[str, Any]:
    """What templates of runs say them with."""
    texts, language = _texts(request), viewer(request).language
    return {
        "by_of": lambda run: job_words.by(run.asked_by, texts, language),
        "error_of": lambda run: job_words.error(run, texts, language),
        "result_of": lambda run: job_words.result(run, texts, language),
        "short_of": lambda run: job_words.short_result(run, texts, language),
        "step_of": lambda run: job_words.step(str(run.progress.get("message") or ""), language),
        "state_of": lambda run: state_of(run, now),
        "took": lambda run: _took(run, now),
    }


def _took(run: Run, now: float) -> float | None:
    if run.started_at is None:
        return None
    if run.ended_at is not None:
        return max(run.ended_at - run.started_at, 0.0)
    return max(now - run.started_at, 0.0) if run.state == "running" else None


def _texts(request: Request) -> Texts:
    found: Texts = request.app.state.renderer.texts
    return found
