"""Questions as OpenTelemetry traces: one span per question, its steps below it, sent over OTLP/HTTP. Ids and numbers, never a text.

The steps are taken down while they happen (`observer.Spans`) and become spans when the question has ended, with the times they had:
nothing of OpenTelemetry is on the way of an answer, and a collector that is away costs no question anything.

https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import ExtraMissing
from bot.telemetry.observer import End, Observer, Span

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

    from bot.messages import Finished

_MOST_HELD = 512
"""Questions that were answered and not yet ended; one whose claim was lost never ends here."""
_TIMEOUT = 3.0
"""Seconds for one batch; also what a collector that is away may cost the end of the process."""
Value = str | int | float | Sequence[str]


@dataclass(slots=True)
class _Way:
    """What is known of a question so far."""

    wait: Span | None = None
    finished: Finished | None = None
    spans: Sequence[Span] = ()


class Traces(Observer):
    """Sends a trace when a question has ended. Called from one event loop."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("saseo")
        self._held: OrderedDict[str, _Way] = OrderedDict()

    @classmethod
    def to(cls, endpoint: str, version: str) -> Traces:
        """Over OTLP/HTTP to `endpoint`. Raises ExtraMissing."""
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
        except ImportError as error:
            raise ExtraMissing(key="[telemetry] traces_endpoint", extra="otel") from error
        resource = Resource.create({"service.name": "saseo", "service.version": version})
        provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint, timeout=_TIMEOUT)))
        return cls(provider)

    def close(self) -> None:
        """Send what waits, and stop. Takes a few seconds where the collector is away; not for the event loop."""
        self._provider.force_flush(int(_TIMEOUT * 1000))
        self._provider.shutdown()

    # -- see Observer ---------------------------------------------------------------------------------------------------

    def waited(self, question: str, span: Span) -> None:
        """Its turn came."""
        self._way(question).wait = span

    def answered(self, question: str, finished: Finished, spans: Sequence[Span]) -> None:
        """The flow ended."""
        way = self._way(question)
        way.finished, way.spans = finished, tuple(spans)

    def ended(self, question: str, platform: str, end: End, *, asked_at: float, seconds: float) -> None:
        """Now it is known whole."""
        from opentelemetry.trace import Status, StatusCode, set_span_in_context

        way = self._held.pop(question, _Way())
        told: dict[str, Value] = {"saseo.question": question, "saseo.platform": platform, "saseo.outcome": end}
        root = self._tracer.start_span(
            "question", start_time=_ns(asked_at), attributes=told | dict(_of_answer(way.finished))
        )
        if end == "failed":
            root.set_status(Status(StatusCode.ERROR))
        below = set_span_in_context(root)
        spans = [way.wait, *way.spans] if way.wait is not None else [*way.spans]
        if spans:
            last = max(one.began + one.seconds for one in spans)
            if (left := asked_at + seconds - last) > 0:
                spans.append(Span("post", last, left))
        for one in spans:
            child = self._tracer.start_span(
                one.name, below, start_time=_ns(one.began), attributes=dict(_of_step(one.name, way.finished))
            )
            child.end(_ns(one.began + one.seconds))
        root.end(_ns(max([asked_at + seconds, *(one.began + one.seconds for one in spans)])))

    def _way(self, question: str) -> _Way:
        way = self._held.setdefault(question, _Way())
        while len(self._held) > _MOST_HELD:
            self._held.popitem(last=False)
        return way


def _of_answer(finished: Finished | None) -> Iterator[tuple[str, Value]]:
    if finished is None:
        return
    answer = finished.answer
    yield "saseo.model", answer.model.replace("\\", "/").rsplit("/", 1)[-1]
    yield "saseo.lora", answer.lora
    yield "saseo.edition", answer.edition
    yield "saseo.prompt_version", answer.prompt
    yield "saseo.citations", len(answer.citations)
    yield "saseo.notes", list(answer.notes)
    if answer.seconds.first_token is not None:
        yield "saseo.first_token_seconds", answer.seconds.first_token


def _of_step(name: str, finished: Finished | None) -> Iterator[tuple[str, Value]]:
    """Of a step that comes twice (searched or written again) both get the figures of the whole."""
    trace = finished.trace if finished is not None else None
    if finished is None or trace is None:
        return
    took = {step.name: step.seconds for step in trace.steps}
    if name == "retrieve":
        yield "saseo.passages", len(trace.passages)
        yield "saseo.evidence_strength", trace.strength
        yield "saseo.threshold", trace.threshold
        yield from _seconds(took, "embed", "search")
    elif name == "write":
        yield "saseo.tokens_read", finished.answer.tokens.read
        yield "saseo.tokens_written", finished.answer.tokens.written
        yield "saseo.tokens_reused", trace.reused_tokens
        if trace.refusal is not None:
            yield "saseo.refusal_probability", trace.refusal
        yield from _seconds(took, "queue", "read", "write", "check", "quote")
    elif name == "verify":
        shown = sum(sentence.fate in ("shown", "quoted") for sentence in trace.sentences)
        yield "saseo.sentences_shown", shown
        yield "saseo.sentences_left_out", len(trace.sentences) - shown


def _seconds(took: Mapping[str, float], *names: str) -> Iterator[tuple[str, Value]]:
    for name in names:
        if name in took:
            yield f"saseo.{name}_seconds", took[name]


def _ns(seconds: float) -> int:
    return int(seconds * 1e9)
