"""The model's own worker: one thread owns the engine, a bounded fair queue stands in front of it, text streams out.

Why one thread: a llama.cpp context used by two threads kills the process. Why a queue with bounds: a person is told at once that
it is busy instead of waiting for minutes. The event loop never waits for a lock that is held while the model computes.

    worker = ModelWorker(load, queue_size=16, per_person=2)
    await worker.start()                                   # optional: loads now instead of at the first question
    ticket = worker.submit(request, asker="U1", timeout=60)
    async for piece in ticket.pieces(): ...                # leaving the loop early cancels
    ticket.report                                          # a WritingReport
    await worker.close()
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeVar

from bot.errors import BrokenModel, WriterBusy, WriterFailed, WriterTimeout, WritingCancelled, WritingError
from bot.telemetry.observer import Observer, Unwritten
from bot.writers.engine import Engine, StopFlag, WritingReport, WritingRequest
from bot.writers.fair_queue import FairQueue

Result = TypeVar("Result")
_log = logging.getLogger(__name__)
_GRACE_SECONDS = 5.0
"""How long a cancelled computation gets to notice, before `close` gives up on the thread."""


@dataclass(frozen=True, slots=True)
class WorkerStats:
    """A snapshot for doctor pages and metrics."""

    waiting: int
    running: int
    answered: int
    failed: int
    """Ended by an error, a timeout or a cancellation."""


class Ticket:
    """One request in the queue. Made by `ModelWorker.submit`."""

    def __init__(self, worker: ModelWorker, request: WritingRequest, asker: str) -> None:
        self.request = request
        self.asker = asker
        self.stop = StopFlag()
        self.report: WritingReport | None = None
        self.waited_seconds = 0.0
        """Time in the queue; final once the first piece has come."""
        self.context = contextvars.copy_context()
        """What the engine logs for it is about the same question."""
        self._worker = worker
        self._submitted = time.perf_counter()
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[str | WritingReport | Exception] = asyncio.Queue()
        self._timer: asyncio.TimerHandle | None = None
        self._ended = False  # guarded by the worker's lock: nothing is delivered after the end

    @property
    def position(self) -> int:
        """0 = being written or over; 1 = next in line; and so on."""
        return self._worker._position(self)

    def cancel(self) -> None:
        """Give up: leaves the queue at once, or stops the model within milliseconds. Any thread; harmless when over."""
        self._worker._end_early(self, WritingCancelled())

    async def pieces(self) -> AsyncGenerator[str, None]:
        """The text as it is written. Ends after `report` was set, or raises. Leaving early cancels the request."""
        try:
            while True:
                event = await self._events.get()
                if isinstance(event, Exception):
                    raise event
                if isinstance(event, WritingReport):
                    self.report = event
                    return
                yield event
        finally:
            self.cancel()
            if self._timer is not None:
                self._timer.cancel()

    def _start_timer(self, seconds: float) -> None:
        self._timer = self._loop.call_later(
            max(seconds, 0.0), self._worker._end_early, self, WriterTimeout(seconds=seconds)
        )

    def _deliver(self, event: str | WritingReport | Exception) -> None:
        try:
            self._loop.call_soon_threadsafe(self._events.put_nowait, event)
        except RuntimeError:  # the asker's event loop is gone: nobody reads, so stop writing
            self.stop.set()


class ModelWorker:
    """Owns one engine on one thread. `submit` needs a running event loop; different loops may share one worker."""

    def __init__(
        self,
        load_engine: Callable[[], Engine],
        *,
        queue_size: int,
        per_person: int,
        observer: Observer | None = None,
    ) -> None:
        """`observer` is told from any thread, never while the lock is held."""
        self._observer = observer or Observer()
        self._load_engine = load_engine
        self._queue_size = queue_size
        self._per_person = per_person
        self._changed = threading.Condition()  # guards everything below; never held while the engine computes
        self._queue: FairQueue[Ticket] = FairQueue()
        self._chores: deque[Callable[[], None]] = deque()
        self._running: Ticket | None = None
        self._thread: threading.Thread | None = None
        self._closing = False
        self._broken: BrokenModel | None = None
        self._answered = 0
        self._failed = 0
        self._engine: Engine | None = None
        self._engine_in_use = threading.Lock()  # count_tokens against close: the vocabulary must not be freed meanwhile

    # -- asking ---------------------------------------------------------------------------------------------------------

    def submit(self, request: WritingRequest, *, asker: str, timeout: float | None = None) -> Ticket:
        """Queue one request; at once `WriterBusy`, `WriterFailed` (closing) or `BrokenModel` when that is impossible.

        `timeout` counts from now, so it includes the time in the queue.
        """
        ticket = Ticket(self, request, asker)
        try:
            self._put(ticket, asker)
        except WriterBusy:
            self._observer.not_written("busy")
            raise
        if timeout is not None:
            ticket._start_timer(timeout)
        return ticket

    def _put(self, ticket: Ticket, asker: str) -> None:
        with self._changed:
            self._refuse_if_closing()
            if self._broken is not None:
                raise BrokenModel(**self._broken.details)
            waiting = len(self._queue)
            if waiting >= self._queue_size:
                raise WriterBusy(waiting=waiting, limit=self._queue_size)
            theirs = self._queue.waiting(asker) + (self._running is not None and self._running.asker == asker)
            if theirs >= self._per_person:
                raise WriterBusy(waiting=theirs, limit=self._per_person)
            self._queue.put(asker, ticket)
            self._wake()

    async def start(self) -> None:
        """Load the model now. Raises `BrokenModel`; calling again tries again. Does nothing when it is loaded."""
        with self._changed:
            self._broken = None
        await self.run(lambda engine: None)

    async def run(self, chore: Callable[[Engine], Result]) -> Result:
        """Run a short function on the engine's thread, between two answers and before those that wait."""
        return await asyncio.wrap_future(self._enqueue(chore))

    def count_tokens(self, text: str) -> int:
        """Tokens of `text`, computed on the calling thread.

        llama.cpp's tokeniser reads only the vocabulary, so it may run beside a computation (its own server does that); waiting
        for the engine's thread would block the event loop for a whole answer. Before the model is loaded this call waits for
        the load: call `await start()` first.
        """
        return self._with_engine(lambda engine: engine.count_tokens(text))

    @property
    def context_tokens(self) -> int:
        """Tokens that prompt and answer may have together. Waits for the load as `count_tokens` does."""
        return self._with_engine(lambda engine: engine.context_tokens)

    @property
    def loaded(self) -> bool:
        """Whether the model is in memory."""
        return self._engine is not None

    def stats(self) -> WorkerStats:
        """How it stands now."""
        with self._changed:
            return WorkerStats(len(self._queue), int(self._running is not None), self._answered, self._failed)

    # -- ending ---------------------------------------------------------------------------------------------------------

    async def close(self, *, drain: bool = True, deadline: float = 10.0) -> None:
        """Refuse new requests, then finish those that wait (`drain`) or cancel them, and free the model.

        After `deadline` seconds whatever is left is cancelled.
        """
        await asyncio.to_thread(self.close_and_wait, drain=drain, deadline=deadline)

    def close_and_wait(self, *, drain: bool = True, deadline: float = 10.0) -> None:
        """`close` for a caller without an event loop."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            if drain:
                self._changed.wait_for(lambda: not self._queue and self._running is None, timeout=deadline)
            left = [*self._queue.drain(), *([self._running] if self._running is not None else [])]
            thread = self._thread
        for ticket in left:
            self._end_early(ticket, WriterFailed(reason="shutting down"))
        if thread is not None:
            thread.join(_GRACE_SECONDS)
            if thread.is_alive():
                _log.error("the model's thread did not stop; it ends with the process")

    # -- inside ---------------------------------------------------------------------------------------------------------

    def _refuse_if_closing(self) -> None:
        if self._closing:
            raise WriterFailed(reason="shutting down")

    def _wake(self) -> None:
        if self._thread is None:
            # Daemon: a hung C call must not keep the process alive after main has ended.
            self._thread = threading.Thread(target=self._work, name="saseo-writer", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _enqueue(self, chore: Callable[[Engine], Result]) -> Future[Result]:
        future: Future[Result] = Future()

        def do() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(chore(self._loaded()))
            except BaseException as error:  # noqa: BLE001 - carried to the caller
                future.set_exception(error)

        with self._changed:
            self._refuse_if_closing()
            self._chores.append(do)
            self._wake()
        return future

    def _with_engine(self, read: Callable[[Engine], Result]) -> Result:
        if self._engine is None:
            self._enqueue(lambda engine: None).result()
        with self._engine_in_use:
            if self._engine is None:
                raise WriterFailed(reason="shutting down")
            return read(self._engine)

    def _position(self, ticket: Ticket) -> int:
        with self._changed:
            return self._queue.position(ticket.asker, ticket)

    def _end_early(self, ticket: Ticket, error: Exception) -> None:
        with self._changed:
            if ticket._ended:
                return
            ticket._ended = True
            self._failed += 1
            self._queue.remove(ticket.asker, ticket)
            ticket.stop.set()
            self._changed.notify_all()
        self._observer.not_written(_why(error))
        ticket._deliver(error)

    def _end(self, ticket: Ticket, event: WritingReport | Exception) -> None:
        with self._changed:
            # Before the asker hears of it: whoever has the answer may ask again at once, and counts must agree.
            self._running = None
            self._changed.notify_all()
            if ticket._ended:
                return
            ticket._ended = True
            if isinstance(event, WritingReport):
                self._answered += 1
            else:
                self._failed += 1
        if isinstance(event, WritingReport):
            self._observer.wrote(event, ticket.waited_seconds)
        else:
            self._observer.not_written(_why(event))
        ticket._deliver(event)

    def _loaded(self) -> Engine:
        if self._engine is not None:
            return self._engine
        if self._broken is None:
            try:
                self._engine = self._load_engine()
                return self._engine
            except BrokenModel as error:
                self._broken = error
            except Exception as error:  # noqa: BLE001 - becomes BrokenModel for every question
                _log.exception("the model could not be loaded")
                self._broken = BrokenModel(name="writer", reason=f"{type(error).__name__}: {error}")
        raise BrokenModel(**self._broken.details)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._chores or self._queue or self._closing)
                chore = self._chores.popleft() if self._chores else None
                if chore is None and not self._queue:
                    break
                ticket = self._running = self._queue.take() if chore is None else None
            if chore is not None:
                chore()
            elif ticket is not None:
                ticket.context.run(self._serve, ticket)
        with self._engine_in_use:
            engine, self._engine = self._engine, None
            if engine is not None:
                engine.close()

    def _serve(self, ticket: Ticket) -> None:
        try:
            engine = self._loaded()
            ticket.waited_seconds = time.perf_counter() - ticket._submitted
            report = self._stream(engine, ticket)
            self._end(ticket, report if report is not None else WritingCancelled())
        except (WritingError, BrokenModel) as error:
            self._end(ticket, error)
        except BaseException as error:  # noqa: BLE001 - the thread must survive whatever an engine does
            _log.exception("the writer failed")
            self._end(ticket, WriterFailed(reason=f"{type(error).__name__}: {error}"))

    @staticmethod
    def _stream(engine: Engine, ticket: Ticket) -> WritingReport | None:
        writing = engine.write(ticket.request, ticket.stop)
        try:
            for event in writing:
                if ticket.stop.is_set():
                    return None
                if isinstance(event, WritingReport):
                    return event
                ticket._deliver(event)
            raise WriterFailed(reason="the model gave no report")
        finally:
            close = getattr(writing, "close", None)  # a generator may hold the stop flag's address: end it now
            if close is not None:
                close()


def _why(error: Exception) -> Unwritten:
    if isinstance(error, WriterTimeout):
        return "timeout"
    return "cancelled" if isinstance(error, WritingCancelled) else "failed"
