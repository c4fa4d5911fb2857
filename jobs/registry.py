"""Every job: one line each. Its times stand in `[jobs]`, its code in its own file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.store.jobs import Rules
from jobs import backup, build_examples, digest, gaps, reindex, retention
from jobs.job import JobParts, JobSpec
from jobs.learning import judge, tune, watch

FACTORIES = (
    build_examples.job,
    tune.job,
    judge.job,
    watch.job,
    reindex.job,
    gaps.job,
    digest.job,
    backup.job,
    retention.job,
)


class Registry:
    """Jobs by their name."""

    def __init__(self, specs: Iterable[JobSpec]) -> None:
        self._specs = {spec.name: spec for spec in specs}

    def __iter__(self) -> Iterator[JobSpec]:
        return iter(self._specs.values())

    def __contains__(self, name: object) -> bool:
        return name in self._specs

    def __getitem__(self, name: str) -> JobSpec:
        return self._specs[name]

    def names(self) -> list[str]:
        """In the registry's order."""
        return list(self._specs)

    def rules(self, grace: float) -> Rules:
        """What the store must know about them; `grace` in seconds."""
        groups: dict[str, set[str]] = {}
        for spec in self:
            groups.setdefault(spec.group or spec.name, set()).add(spec.name)
        return Rules(
            groups={spec.name: frozenset(groups[spec.group or spec.name] | {spec.name}) for spec in self},
            resumable=frozenset(spec.name for spec in self if spec.resumable),
            grace=grace,
        )


def registry(parts: JobParts) -> Registry:
    """All of them, over `parts`; behind them those that the settings make one by one."""
    return Registry([*(make(parts) for make in FACTORIES), *reindex.jobs_of_sources(parts)])
