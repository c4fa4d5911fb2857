"""What is told when something happens, to whoever counts: metrics, traces, or nobody.

Called from the event loop, the writer's thread and the store's threads, in the middle of the work: whoever implements this must be
quick, safe for threads, and never raise. No argument holds a text, a person or the name of a channel; answers are looked at for
their numbers only.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bot.messages import Finished, Outcome

if TYPE_CHECKING:
    from bot.writers.engine import WritingReport

_log = logging.getLogger(__name__)

End = Literal["answered", "abstained", "failed", "refused", "stopped"]
"""How a question ended. `refused`: too many were waiting, or too many of this person. `stopped`: by its asker, or it was none: "그만",
thanks, whether their votes may be learnt from (bot/privacy/notices.py)."""
Thumb = Literal["up", "down", "withdrawn"]
Unwritten = Literal["busy", "timeout", "cancelled", "failed"]
"""Why the writer wrote nothing, or not to the end. `cancelled`: what was wanted had been read, or the asker left."""
WorkerEnd = Literal["ok", "failed", "killed"]

_REFUSED = frozenset({"over_limit", "queue_full"})
_STOPPED = frozenset({"stop", "stopped", "small_talk", "suspend", "resume"})


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a question's way. `began`: seconds since the epoch."""

    name: str
    """`condense`, `retrieve`, `rewrite`, `write`, `verify`, `abstain` of the flow; `wait` and `post` around it."""
    began: float
    seconds: float


class Spans:
    """Takes down when each part began and how long it took."""

    def __init__(self) -> None:
        self.taken: list[Span] = []

    @contextmanager
    def span(self, name: str) -> Iterator[None]:
        """One part, also one that ends with an error."""
        began, clock = time.time(), time.perf_counter()
        try:
            yield
        finally:
            self.taken.append(Span(name, began, time.perf_counter() - clock))


def end_of(outcome: Outcome, notes: Sequence[str] = ()) -> End:
    """What an outcome counts as: who was told to wait, or wanted no answer, met no failure."""
    if outcome is Outcome.FAILED and not _REFUSED.isdisjoint(notes):
        return "refused"
    if outcome is Outcome.FAILED and not _STOPPED.isdisjoint(notes):
        return "stopped"
    ends: dict[Outcome, End] = {Outcome.ANSWERED: "answered", Outcome.FAILED: "failed"}
    return ends.get(outcome, "abstained")  # escalated: it was abstained from first


class Observer:
    """Whoever wants to know: inherits and listens to some of it. By itself it listens to nothing."""

    def asked(self, platform: str) -> None:
        """A question was claimed: a new one, or one that another process left."""

    def waited(self, question: str, span: Span) -> None:
        """A question's turn came."""

    def answered(self, question: str, finished: Finished, spans: Sequence[Span]) -> None:
        """The flow reached the end of one question, well or badly."""

    def ended(self, question: str, platform: str, end: End, *, asked_at: float, seconds: float) -> None:
        """A question's one end is on record. `seconds`: from the claim until the person had something to read."""

    def not_posted(self, platform: str) -> None:
        """The platform did not take a message; it is tried again."""

    def voted(self, platform: str, thumb: Thumb) -> None:
        """A thumb was given, turned or taken away."""

    def escalated(self, platform: str) -> None:
        """A colleague was called."""

    def wrote(self, report: WritingReport, waited: float) -> None:
        """The writer finished a piece. `waited`: seconds in its queue."""

    def not_written(self, why: Unwritten) -> None:
        """The writer did not finish a piece, or refused it."""

    def stored(self, seconds: float) -> None:
        """A transaction of the store ended; waiting for locks is in it."""

    def store_failed(self) -> None:
        """One that could not be had after all tries."""

    def worker_ended(self, job: str, end: WorkerEnd) -> None:
        """The process of a job ended."""

    def loop_late(self, seconds: float) -> None:
        """A timer of the event loop fired so late: something held it."""


class Safely(Observer):
    """Tells each of `observers`; what one of them raises is logged once per kind of event and costs no question anything."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers
        self._broken: set[str] = set()

    def asked(self, platform: str) -> None:
        """See `Observer`; so below."""
        self._tell("asked", lambda one: one.asked(platform))

    def waited(self, question: str, span: Span) -> None:
        """A turn came."""
        self._tell("waited", lambda one: one.waited(question, span))

    def answered(self, question: str, finished: Finished, spans: Sequence[Span]) -> None:
        """The flow ended."""
        self._tell("answered", lambda one: one.answered(question, finished, spans))

    def ended(self, question: str, platform: str, end: End, *, asked_at: float, seconds: float) -> None:
        """A question ended."""
        self._tell("ended", lambda one: one.ended(question, platform, end, asked_at=asked_at, seconds=seconds))

    def not_posted(self, platform: str) -> None:
        """A message was not taken."""
        self._tell("not_posted", lambda one: one.not_posted(platform))

    def voted(self, platform: str, thumb: Thumb) -> None:
        """A thumb."""
        self._tell("voted", lambda one: one.voted(platform, thumb))

    def escalated(self, platform: str) -> None:
        """A call."""
        self._tell("escalated", lambda one: one.escalated(platform))

    def wrote(self, report: WritingReport, waited: float) -> None:
        """A piece was written."""
        self._tell("wrote", lambda one: one.wrote(report, waited))

    def not_written(self, why: Unwritten) -> None:
        """A piece was not."""
        self._tell("not_written", lambda one: one.not_written(why))

    def stored(self, seconds: float) -> None:
        """A transaction."""
        self._tell("stored", lambda one: one.stored(seconds))

    def store_failed(self) -> None:
        """One that failed."""
        self._tell("store_failed", lambda one: one.store_failed())

    def worker_ended(self, job: str, end: WorkerEnd) -> None:
        """A job's process."""
        self._tell("worker_ended", lambda one: one.worker_ended(job, end))

    def loop_late(self, seconds: float) -> None:
        """The event loop."""
        self._tell("loop_late", lambda one: one.loop_late(seconds))

    def _tell(self, event: str, tell: Callable[[Observer], None]) -> None:
        for one in self._observers:
            try:
                tell(one)
            except Exception as error:  # noqa: BLE001 - who counts must never be in the way of what is counted
                if event not in self._broken:
                    self._broken.add(event)
                    _log.warning(json.dumps({"event": "not_observed", "what": event, "error": type(error).__name__}))
