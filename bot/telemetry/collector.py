"""A snapshot of how things stand → metric families for Prometheus. What could not be seen is left out, so that an alert can miss it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bot.store.standing import StoreStanding
from bot.telemetry.standing import Snapshot, names_of

Labels = TypeVar("Labels", bound=tuple[str, ...])

_RUN_STATES = ("due", "running", "done", "failed", "stopped", "missed")
_EXAMPLE_STATES = ("pending", "approved", "rejected")
_GAP_STATES = ("open", "snoozed", "closed", "answered")


class SnapshotCollector(Collector):
    """Tells `snapshot`, which whoever serves a scrape sets just before; None: nothing to tell."""

    def __init__(self) -> None:
        self.snapshot: Snapshot | None = None
        self.jobs: Sequence[str] = ()
        """Those there are; runs of others, which once were, are not told of."""

    def collect(self) -> Iterator[Metric]:
        """Every family that can be told."""
        seen = self.snapshot
        if seen is None:
            return
        yield from _queues(seen)
        yield from _what_answers(seen)
        yield from _wiki(seen)
        yield from _platforms(seen)
        yield _gauge("store_up", "Whether the store answers.", {(): seen.store is not None})
        if seen.store is not None:
            yield from self._stored(seen.store)
        if seen.backup_at is not None:
            yield _gauge("backup_timestamp_seconds", "When the newest backup was made.", {(): seen.backup_at})
        if seen.disk_free is not None:
            yield _gauge("disk_free_bytes", "Free where the data directory is.", {(): seen.disk_free})

    def _stored(self, store: StoreStanding) -> Iterator[Metric]:
        # Not `job`: Prometheus gives every target a label of that name, and would rename ours.
        jobs = {name: store.jobs[name] for name in self.jobs if name in store.jobs}
        yield _gauge(
            "job_runs", "Runs on record.",
            {(name, s): (store.jobs[name].runs.get(s, 0) if name in jobs else 0) for name in self.jobs for s in _RUN_STATES},
            "name", "state",
        )  # fmt: skip
        yield _gauge(
            "job_last_success_timestamp_seconds", "When a run was last done.",
            {(name,): job.succeeded_at for name, job in jobs.items() if job.succeeded_at is not None}, "name",
        )  # fmt: skip
        yield _gauge(
            "job_last_duration_seconds", "Of the run that ended last.",
            {(name,): job.seconds for name, job in jobs.items() if job.seconds is not None}, "name",
        )  # fmt: skip
        yield _gauge(
            "job_last_failed", "Whether the run that ended last failed.",
            {(name,): job.failed for name, job in jobs.items()}, "name",
        )  # fmt: skip
        yield _gauge(
            "job_paused", "Whether it is paused.", {(name,): job.paused for name, job in jobs.items()}, "name"
        )  # fmt: skip
        yield _gauge(
            "examples", "Training examples.", {(s,): store.examples.get(s, 0) for s in _EXAMPLE_STATES}, "state"
        )  # fmt: skip
        yield _gauge("gaps", "Topics the wiki lacks.", {(s,): store.gaps.get(s, 0) for s in _GAP_STATES}, "state")
        yield _gauge("privacy_requests_open", "Of people, about their data.", {(): store.requests})
        if store.due_at is not None:
            yield _gauge("privacy_request_due_timestamp_seconds", "When the most urgent is due.", {(): store.due_at})


class WithoutCreated(Collector):
    """What a registry tells, without when each series began (`_created`), which nobody asks of us and half of the lines would be.

    The library can leave it out for the whole process only.
    """

    def __init__(self, registry: Collector) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        """Each family, made for this call."""
        for metric in self._registry.collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric


def _gauge(name: str, told: str, values: Mapping[Labels, float], *labels: str) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"saseo_{name}", told, labels=labels)
    for label_values, value in values.items():
        family.add_metric(label_values, float(value))
    return family


def _queues(seen: Snapshot) -> Iterator[Metric]:
    if seen.line is not None:
        waiting, running = seen.line
        yield _gauge("questions_open", "On their way.", {("waiting",): waiting, ("running",): running}, "state")
    yield _gauge("question_places", "Questions that may wait.", {(): seen.places.questions})
    if seen.writer is not None:
        by_state = {("waiting",): seen.writer.waiting, ("running",): seen.writer.running}
        yield _gauge("writer_queue", "Pieces of writing.", by_state, "state")
    yield _gauge("writer_places", "Pieces that may wait.", {(): seen.places.writer})


def _what_answers(seen: Snapshot) -> Iterator[Metric]:
    yield _gauge("model_loaded", "Whether the writer is in memory.", {(): seen.model_loaded})
    if seen.live is not None:
        live = seen.live
        # A model given by its path would tell where files lie on this machine.
        model = live.model.replace("\\", "/").rsplit("/", 1)[-1]
        info = {(role, lora, model, live.prompt): 1.0 for role, lora in names_of(live)}
        yield _gauge("lora_info", "What answers: 1.", info, "role", "lora", "model", "prompt")
        share = live.canary.share if live.canary is not None else 0.0
        yield _gauge("canary_ratio", "Part of the conversations that a canary answers.", {(): share})


def _wiki(seen: Snapshot) -> Iterator[Metric]:
    if seen.live is None:
        return
    manifest = seen.live.index.edition.manifest
    yield _gauge("edition_info", "The edition that answers: 1.", {(manifest.edition,): 1.0}, "edition")
    made = _seconds(manifest.made)
    if made is not None:
        yield _gauge("edition_made_timestamp_seconds", "When it was made.", {(): made})
    yield _gauge("edition_pages", "Its pages.", {(): manifest.pages})
    yield _gauge("edition_passages", "Its passages.", {(): manifest.passages})
    sources = sorted(manifest.sources)
    yield _gauge("source_pages", "Pages by source.", {(s,): manifest.sources[s] for s in sources}, "source")
    if seen.held_back is not None:
        held = {(s,): s in seen.held_back for s in sorted({*sources, *seen.held_back})}
        yield _gauge("source_held_back", "Whether its former pages were taken over.", held, "source")
    failed = {(s,): seen.failed_pages.get(s, 0) for s in sorted({*sources, *seen.failed_pages})}
    yield _gauge("source_failed_pages", "Pages that cannot be read.", failed, "source")


def _platforms(seen: Snapshot) -> Iterator[Metric]:
    if not seen.platforms:
        return
    connected = {(one.name,): one.connected for one in seen.platforms}
    yield _gauge("platform_connected", "Whether events can arrive.", connected, "platform")
    by = {(one.name,): one.standing_by for one in seen.platforms}
    yield _gauge("platform_standing_by", "Whether another process has its only session.", by, "platform")
    ago = {(p.name,): p.last_event_seconds for p in seen.platforms if p.last_event_seconds is not None}
    yield _gauge("platform_last_event_seconds", "Since the platform last sent anything.", ago, "platform")


def _seconds(made: str) -> float | None:
    try:
        return dt.datetime.fromisoformat(made).timestamp()
    except ValueError:
        return None
