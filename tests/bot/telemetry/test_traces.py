"""Traces, received over a real OTLP/HTTP connection and decoded."""

from __future__ import annotations

import asyncio
import gzip
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from knowledge.search import SearchIndex
from tests.bot.desk.conftest import DIRECT, LEE, asked
from tests.bot.telemetry.conftest import Watched


class Collector:
    """Receives OTLP/HTTP as a collector does."""

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []
        self.raw = b""
        self.status = 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                assert self.path == "/v1/traces"
                assert self.headers["content-type"] == "application/x-protobuf"
                outer.raw += body
                outer.requests.append(ExportTraceServiceRequest.FromString(body))
                self.send_response(outer.status)
                self.send_header("content-type", "application/x-protobuf")
                self.end_headers()
                self.wfile.write(ExportTraceServiceResponse().SerializeToString())

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}/v1/traces"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def spans(self) -> list[Any]:
        """All that came."""
        return [
            span
            for request in self.requests
            for of_resource in request.resource_spans
            for of_scope in of_resource.scope_spans
            for span in of_scope.spans
        ]


def attributes(span: Any) -> dict[str, Any]:
    return {
        one.key: getattr(one.value, one.value.WhichOneof("value"))
        for one in span.attributes
        if one.value.WhichOneof("value")
    }


@pytest.fixture
def collector() -> Iterator[Collector]:
    one = Collector()
    yield one
    one.server.shutdown()
    one.server.server_close()


@pytest.fixture
async def traced(index: SearchIndex, tmp_path: Path, collector: Collector) -> Any:
    one = Watched(index, tmp_path, telemetry={"traces_endpoint": collector.endpoint})
    yield one
    await one.close()


async def sent(watched: Watched) -> None:
    """Everything that waits has been sent."""
    assert watched.telemetry._traces is not None
    await asyncio.to_thread(watched.telemetry._traces.close)


async def test_a_question_is_one_trace_with_its_steps_below(traced: Watched, collector: Collector) -> None:
    traced.bench.now = began = time.time()
    desk = await traced.desk()
    await desk.ask(asked(key="a"))
    await traced.adapter.wait_for(lambda: bool(traced.adapter.sent["a"].replies))
    await traced.adapter.wait_for(lambda: desk.line() == (0, 0))
    await sent(traced)
    spans = {span.name: span for span in collector.spans()}
    assert spans.keys() == {"question", "wait", "condense", "retrieve", "write", "verify"}
    root = spans.pop("question")
    assert not root.parent_span_id
    for child in spans.values():
        assert child.parent_span_id == root.span_id
        assert child.trace_id == root.trace_id
        assert root.start_time_unix_nano <= child.start_time_unix_nano <= child.end_time_unix_nano
        assert child.end_time_unix_nano <= root.end_time_unix_nano
    order = ["wait", "condense", "retrieve", "write", "verify"]
    assert sorted(order, key=lambda name: spans[name].start_time_unix_nano) == order
    assert abs(root.start_time_unix_nano / 1e9 - began) < 1
    told = attributes(root)
    assert told["saseo.question"] == traced.adapter.sent["a"].replies[0].question_id
    assert told["saseo.outcome"] == "answered"
    assert told["saseo.edition"] == traced.bench.flow.live().index.name
    assert attributes(spans["retrieve"])["saseo.passages"] > 0
    assert attributes(spans["write"])["saseo.tokens_written"] > 0
    resource = collector.requests[0].resource_spans[0].resource
    assert attributes(resource)["service.name"] == "saseo"


async def test_no_text_no_person_and_no_place_leaves_the_house(traced: Watched, collector: Collector) -> None:
    desk = await traced.desk()
    await desk.ask(asked("연차 비밀질문은 며칠 전까지 신청합니까?", key="a", place=DIRECT))
    await traced.adapter.wait_for(lambda: bool(traced.adapter.sent["a"].replies))
    await traced.adapter.wait_for(lambda: desk.line() == (0, 0))
    await sent(traced)
    assert collector.spans()
    for secret in ("비밀질문", "연차", "그룹웨어", "U1", "D1", "kim@"):
        assert secret.encode() not in collector.raw


async def test_a_refused_question_is_a_trace_without_steps(traced: Watched, collector: Collector) -> None:
    desk = await traced.desk(per_person=1)
    traced.bench.flow.gate.clear()
    await desk.ask(asked(key="a", person=LEE))
    await desk.ask(asked(key="b", person=LEE))
    await traced.adapter.wait_for(lambda: bool(traced.adapter.sent["b"].replies))
    await traced.adapter.wait_for(lambda: sum(desk.line()) == 1)
    await sent(traced)
    (only,) = collector.spans()
    assert attributes(only)["saseo.outcome"] == "refused"


async def test_a_collector_that_is_away_costs_no_question_anything(traced: Watched, collector: Collector) -> None:
    collector.server.shutdown()
    collector.server.server_close()
    desk = await traced.desk()
    await desk.ask(asked(key="a"))
    await traced.adapter.wait_for(lambda: bool(traced.adapter.sent["a"].replies))
    assert traced.adapter.sent["a"].replies[0].answer.outcome == "answered"
    await traced.adapter.wait_for(lambda: desk.line() == (0, 0))
    await sent(traced)


async def test_questions_that_never_end_here_do_not_pile_up(traced: Watched) -> None:
    traces = traced.telemetry._traces
    assert traces is not None
    await traced.desk()
    for i in range(2000):
        traces._way(f"{i:012x}")
    assert len(traces._held) <= 512
