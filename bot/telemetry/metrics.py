"""What happens, counted for Prometheus, in a registry of its own. What merely stands somewhere is read at scrape time: `standing.py`.

Every label has few values that settings or this code fix: a platform, an end, a direction. None ever names a person, a place or a text.
Names and units follow https://prometheus.io/docs/practices/naming/: base units (seconds), `_total` for what only grows.
"""

from __future__ import annotations

import typing
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
)

from bot.live import EXTRACTIVE
from bot.messages import Outcome
from bot.telemetry.observer import End, Observer, Span, Thumb, Unwritten, WorkerEnd

if TYPE_CHECKING:
    from bot.messages import Finished
    from bot.writers.engine import WritingReport

# Seconds. A small machine writes an answer in ten to sixty of them, so that is where the buckets are dense.
_ANSWERS = (0.5, 1, 2, 3, 5, 8, 12, 16, 20, 25, 30, 40, 50, 60, 75, 90, 120, 180, 300)
_FIRST_TOKEN = (0.25, 0.5, 1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 30, 45, 60, 90)
_SEARCH = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 5)
_WAIT = (0.1, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300)
_STORE = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15)
_LATE = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
_STEPS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120)
STEPS = frozenset({"condense", "embed", "search", "excerpts", "queue", "read", "write", "check", "quote"})
"""See `bot.trace.Step`."""
OTHER = "other"
"""Of a platform that was not configured: the number of series stays what it is."""


class Metrics(Observer):
    """Counts what an `Observer` is told. `registry` is what a scrape reads."""

    def __init__(self, version: str, platforms: Collection[str] = ()) -> None:
        """`platforms`: whose series exist from the start, so that the first event is already a rise from 0."""
        self.registry = registry = CollectorRegistry(auto_describe=True)
        self._platforms = frozenset(platforms)
        self._jobs: frozenset[str] = frozenset()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        Info("saseo_build", "This program.", registry=registry).info({"version": version})

        def counter(name: str, told: str, *labels: str) -> Counter:
            return Counter(f"saseo_{name}", told, labels, registry=registry)

        def seconds(name: str, told: str, buckets: Sequence[float], *labels: str) -> Histogram:
            return Histogram(f"saseo_{name}_seconds", told, labels, buckets=buckets, registry=registry)

        self._asked = counter("questions_asked", "Questions claimed by this process.", "platform")
        self._ended = counter("questions", "Questions that reached their end.", "platform", "outcome")
        self._question = seconds("question", "From the claim until there was something to read.", _ANSWERS, "outcome")
        self._waited = seconds("turn_wait", "In the line of questions.", _WAIT)
        self._answer = seconds("answer", "From the turn to the whole answer.", _ANSWERS, "outcome")
        self._first_token = seconds("first_token", "From the turn to the writer's first piece.", _FIRST_TOKEN)
        self._search = seconds("search", "Searching, of one question.", _SEARCH)
        self._step = seconds("step", "Parts of answering, added up per question.", _STEPS, "step")
        self._cost = counter("answers_cost_krw", "What paid writers say that answers cost, in won.")
        self._quoted = counter("answers_quoted", "Answers in which quotes stand for the writer's words.")
        self._not_posted = counter("posts_refused", "Messages a platform did not take at that try.", "platform")
        self._votes = counter("votes", "Thumbs given, turned or withdrawn.", "platform", "direction")
        self._escalations = counter("escalations", "Colleagues called.", "platform")
        self._tokens = counter("writer_tokens", "Read (without those still in its cache) and written.", "direction")
        self._reused = counter("writer_tokens_reused", "Of the prompts, tokens that were still in the cache.")
        self._writing = seconds("writing", "Of the writer: waiting, reading the prompt, writing.", _STEPS, "part")
        self._unwritten = counter("writer_unfinished", "Pieces the writer did not finish.", "reason")
        self._store = seconds("store", "Transactions, waiting for locks included.", _STORE)
        self._store_errors = counter("store_errors", "Transactions given up.")
        self._workers = counter("job_processes", "Processes of jobs that ended.", "name", "result")
        self._late = seconds("event_loop_lateness", "How late a timer of the event loop fired.", _LATE)
        self._begin()

    def _begin(self) -> None:
        for platform in self._platforms:
            self._asked.labels(platform)
            self._not_posted.labels(platform)
            self._escalations.labels(platform)
            for end in typing.get_args(End):
                self._ended.labels(platform, end)
            for thumb in typing.get_args(Thumb):
                self._votes.labels(platform, thumb)
        for why in typing.get_args(Unwritten):
            self._unwritten.labels(why)
        for direction in ("read", "written"):
            self._tokens.labels(direction)

    def know_jobs(self, jobs: Collection[str]) -> None:
        """The jobs there are."""
        self._jobs = frozenset(jobs)
        for job in self._jobs:
            for result in typing.get_args(WorkerEnd):
                self._workers.labels(job, result)

    def _known(self, platform: str) -> str:
        return platform if platform in self._platforms else OTHER

    # -- see Observer ---------------------------------------------------------------------------------------------------

    def asked(self, platform: str) -> None:
        """A question was claimed."""
        self._asked.labels(self._known(platform)).inc()

    def waited(self, question: str, span: Span) -> None:
        """Its turn came."""
        self._waited.observe(span.seconds)

    def answered(self, question: str, finished: Finished, spans: Sequence[Span]) -> None:
        """The flow ended."""
        answer, trace = finished.answer, finished.trace
        self._answer.labels(answer.outcome.value).observe(answer.seconds.total)
        if answer.seconds.first_token is not None:
            self._first_token.observe(answer.seconds.first_token)
        if searching := [span.seconds for span in spans if span.name == "retrieve"]:
            self._search.observe(sum(searching))
        for step in trace.steps if trace is not None else ():
            self._step.labels(step.name if step.name in STEPS else OTHER).observe(step.seconds)
        if answer.outcome is Outcome.ANSWERED and answer.model == EXTRACTIVE:
            self._quoted.inc()
        self._cost.inc(max(answer.cost_krw, 0.0))

    def ended(self, question: str, platform: str, end: End, *, asked_at: float, seconds: float) -> None:
        """The end is on record."""
        self._ended.labels(self._known(platform), end).inc()
        self._question.labels(end).observe(max(seconds, 0.0))

    def not_posted(self, platform: str) -> None:
        """To be tried again."""
        self._not_posted.labels(self._known(platform)).inc()

    def voted(self, platform: str, thumb: Thumb) -> None:
        """A thumb."""
        self._votes.labels(self._known(platform), thumb).inc()

    def escalated(self, platform: str) -> None:
        """A call."""
        self._escalations.labels(self._known(platform)).inc()

    def wrote(self, report: WritingReport, waited: float) -> None:
        """A piece was written."""
        self._tokens.labels("read").inc(max(report.prompt_tokens - report.reused_tokens, 0))
        self._tokens.labels("written").inc(report.output_tokens)
        self._reused.inc(report.reused_tokens)
        self._writing.labels("waiting").observe(waited)
        self._writing.labels("reading").observe(report.prompt_seconds)
        self._writing.labels("writing").observe(report.decode_seconds)

    def not_written(self, why: Unwritten) -> None:
        """A piece was not."""
        self._unwritten.labels(why).inc()

    def stored(self, seconds: float) -> None:
        """A transaction."""
        self._store.observe(seconds)

    def store_failed(self) -> None:
        """One that was given up."""
        self._store_errors.inc()

    def worker_ended(self, job: str, end: WorkerEnd) -> None:
        """A job's process."""
        self._workers.labels(job if job in self._jobs else OTHER, end).inc()

    def loop_late(self, seconds: float) -> None:
        """The event loop."""
        self._late.observe(max(seconds, 0.0))
