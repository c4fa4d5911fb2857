"""`[jobs]`, `[backup]`, `[tuning]`, `[releases]` and `[gate]`: what runs by itself, and what becomes of votes. Read by bot/settings.py."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator

from bot.table import Table


class JobTable(Table):
    """One `[jobs.NAME]` table: whether the job runs by itself, and when. Without a schedule only after another job asked for it."""

    enabled: bool = False
    schedule: str = ""


class ExamplesJob(JobTable):
    """`[jobs.examples]`."""

    enabled: bool = True
    schedule: str = "30 2 * * *"
    tune_after: int = Field(100, ge=1)


class ReindexJob(JobTable):
    """`[jobs.reindex]`."""

    schedule: str = "0 3 * * *"


class TuneJob(JobTable):
    """`[jobs.tune]`: after `examples` has asked for it, or at its time."""


class GateJob(JobTable):
    """`[jobs.gate]`: after `tune` has asked for it."""

    enabled: bool = True


class WatchJob(JobTable):
    """`[jobs.watch]`."""

    enabled: bool = True
    schedule: str = "15 * * * *"


class GapsJob(JobTable):
    """`[jobs.gaps]`: at its time, and after a new edition."""

    enabled: bool = True
    schedule: str = "45 4 * * *"


class DigestJob(JobTable):
    """`[jobs.digest]`: does nothing as long as `[gaps] digest_place` is empty."""

    enabled: bool = True
    schedule: str = "0 9 * * 1"


class BackupJob(JobTable):
    """`[jobs.backup]`."""

    enabled: bool = True
    schedule: str = "30 1 * * *"


class RetentionJob(JobTable):
    """`[jobs.retention]`."""

    enabled: bool = True
    schedule: str = "30 4 * * *"


class JobsSettings(Table):
    """`[jobs]`: what runs by itself beside `saseo serve`. One field per job of `jobs/registry.py`."""

    enabled: bool = True
    timezone: str = "Asia/Seoul"
    grace_minutes: float = Field(60.0, ge=1)
    lease_seconds: float = Field(60.0, ge=15)
    keep_runs: int = Field(50, ge=1)
    examples: ExamplesJob = ExamplesJob()
    tune: TuneJob = TuneJob()
    gate: GateJob = GateJob()
    watch: WatchJob = WatchJob()
    reindex: ReindexJob = ReindexJob()
    gaps: GapsJob = GapsJob()
    digest: DigestJob = DigestJob()
    backup: BackupJob = BackupJob()
    retention: RetentionJob = RetentionJob()

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"no such time zone: {name}") from error
        return name

    def of(self, job: str) -> JobTable:
        """The table of a job; one without a field runs only when asked for."""
        found = getattr(self, job, None)
        return found if isinstance(found, JobTable) else JobTable()


class BackupSettings(Table):
    """`[backup]`: where backups go and how many of them stay. When: `[jobs.backup]`."""

    folder: str = ""
    keep: int = Field(7, ge=1)
    editions: bool = False


class TrainingTable(Table):
    """`[tuning.training]`: the numbers of a run (jobs/tuning/settings.py says what each does)."""

    rank: int = Field(8, ge=1, le=256)
    alpha: float = Field(16.0, gt=0, allow_inf_nan=False)
    learning_rate: float = Field(2e-4, gt=0, lt=1)
    epochs: int = Field(2, ge=1)
    examples_per_step: int = Field(4, ge=1)
    most_tokens: int = Field(1536, ge=2)
    held_out_share: float = Field(0.1, gt=0, le=0.5)
    replay_share: float = Field(0.2, ge=0, le=0.9)
    patience: int = Field(2, ge=1)
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    threads: int = Field(0, ge=0)
    budget_minutes: float = Field(480.0, ge=0, allow_inf_nan=False)
    memory_mb: int = Field(0, ge=0)
    seed: int = 0
    device: Literal["auto", "cpu", "cuda"] = "auto"
    quantise: Literal["none", "4bit"] = "none"
    processes: int = Field(1, ge=1)
    preference_share: float = Field(0.0, ge=0, le=0.5)
    least_preferences: int = Field(20, ge=1)


class TuningSettings(Table):
    """`[tuning]`: what becomes a training example, how much of a set may rest on one person, and what tuning may do."""

    learn_from_feedback: bool = False
    automatic: bool = False
    voters: int = Field(2, ge=2)
    voter_days: float = Field(7.0, ge=0, allow_inf_nan=False)
    person_share: float = Field(0.05, gt=0, le=1)
    person_most: int = Field(20, ge=1)
    least_examples: int = Field(30, ge=1)
    replay: bool = True
    evaluation_sets: tuple[Path, ...] = ()
    promote: Literal["propose", "automatic"] = "propose"
    training: TrainingTable = TrainingTable()


class ReleasesSettings(Table):
    """`[releases]`: how a LoRA that passed the gate comes to answer, and when it is taken back by itself (bot/releases/watch.py)."""

    canary_share: float = Field(0.0, ge=0, lt=1, allow_inf_nan=False)
    least_answers: int = Field(50, ge=1)
    least_votes: int = Field(20, ge=1)
    least_people: int = Field(3, ge=1)
    level: float = Field(0.01, gt=0, le=0.2, allow_inf_nan=False)


class MarginSettings(Table):
    """`[gate.margins]`: how much worse a candidate may be on what is guarded (jobs/gate/settings.py)."""

    contains: float = Field(0.05, gt=0, allow_inf_nan=False)
    number_precision: float = Field(0.10, gt=0, allow_inf_nan=False)
    citation_precision: float = Field(0.05, gt=0, allow_inf_nan=False)
    citation_recall: float = Field(0.05, gt=0, allow_inf_nan=False)
    abstention_recall: float = Field(0.05, gt=0, allow_inf_nan=False)
    wrongly_declined: float = Field(0.05, gt=0, allow_inf_nan=False)
    wrong_language: float = Field(0.03, gt=0, allow_inf_nan=False)
    failed: float = Field(0.03, gt=0, allow_inf_nan=False)
    left_out: float = Field(0.10, gt=0, allow_inf_nan=False)
    too_long: float = Field(0.10, gt=0, allow_inf_nan=False)
    slower: float = Field(1.0, gt=0, allow_inf_nan=False)


class GateTable(Table):
    """`[gate]`: when a LoRA may answer (jobs/gate/settings.py says why these numbers)."""

    main: Literal["answer_span_f1", "answer_f1", "character_f1", "contains", "exact_match"] = "answer_span_f1"
    least_gain: float = Field(0.0, ge=0, lt=1)
    confidence: float = Field(0.95, ge=0.5, lt=1)
    guard_confidence: float = Field(0.80, ge=0.5, lt=1)
    least_clusters: int = Field(30, ge=10)
    resamples: int = Field(10_000, ge=1000)
    seed: int = 0
    timed_questions: int = Field(24, ge=0)
    parity_logprob: float = Field(0.20, ge=0, allow_inf_nan=False)
    parity_share: float = Field(0.40, ge=0, allow_inf_nan=False)
    parity_noise: float = Field(0.05, ge=0, allow_inf_nan=False)
    parity_top1: float = Field(0.90, ge=0, le=1)
    margins: MarginSettings = MarginSettings()
