"""The job that finds gaps and asks them again: over a real index and store."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import delete

from bot.gap_settings import GapsSettings
from bot.job_settings import JobsSettings
from bot.messages import Answer, Question
from bot.settings import Settings
from bot.store import gaps
from bot.store.database import Store
from bot.store.schema import questions
from jobs import gaps as gaps_job
from jobs import reindex
from jobs.gap_parts import AskingParts
from jobs.job import THEN, JobContext, JobStopped
from jobs.registry import registry
from knowledge.build import BuildReport
from knowledge.search import SearchIndex
from tests.bot.gaps.rows import DAY, KIM, LEE, PARK, miss, put
from tests.bot.store.rows import answer
from tests.jobs.gap_jobs import gap_parts, job_parts, run_job

PARKING = ("주차 등록은 어디서 하나요?", "주차 차량 등록은 어떻게 하나요?", "주차 등록 신청 방법")


class Opened:
    """An index that counts how often it was opened."""

    def __init__(self, index: SearchIndex, threshold: float, answer: Answer | None = None) -> None:
        self.index = index
        self.threshold = threshold
        self.answer = answer
        self.times = 0

    @contextmanager
    def __call__(self) -> Iterator[AskingParts]:
        self.times += 1
        answers = self._answered if self.answer is not None else None
        yield AskingParts(self.index, self.threshold, answers)

    def _answered(self, question: Question) -> Answer:
        assert self.answer is not None
        return self.answer


@pytest.fixture
def missed(store: Store) -> Store:
    for text, person in zip(PARKING, (KIM, LEE, PARK), strict=True):
        miss(store, text, person, now=time.time() - DAY)
    return store


async def test_it_finds_gaps_and_asks_them_again_in_a_new_edition_alone(
    missed: Store, index: SearchIndex, tmp_path: Path
) -> None:
    opened = Opened(index, 3.0)
    parts = job_parts(missed, gap_parts(asking=opened, edition=lambda: index.name))
    first = await run_job(gaps_job.update_gaps, parts, tmp_path)
    assert {name: first[name] for name in ("questions", "joined", "gaps", "made", "reask_asked", "reask_answered")} == {
        "questions": 3, "joined": 3, "gaps": 1, "made": 1, "reask_asked": 1, "reask_answered": 0,
    }  # fmt: skip
    assert first["edition"] == index.name
    second = await run_job(gaps_job.update_gaps, parts, tmp_path)
    assert (second["joined"], second["reask_asked"]) == (0, 0)


async def test_a_threshold_that_the_wiki_reaches_answers_the_gap(
    missed: Store, index: SearchIndex, tmp_path: Path
) -> None:
    await run_job(gaps_job.update_gaps, job_parts(missed, gap_parts(asking=Opened(index, 0.1))), tmp_path)
    (gap,) = missed.run_now(gaps.every)
    assert gap.state == "answered"


async def test_the_writer_decides_where_it_is_asked(missed: Store, index: SearchIndex, tmp_path: Path) -> None:
    opened = Opened(index, 99.0, answer())
    found = await run_job(gaps_job.update_gaps, job_parts(missed, gap_parts(asking=opened)), tmp_path)
    assert found["reask_answered"] == 1
    (gap,) = missed.run_now(gaps.every)
    assert gap.answered_page == "hr/leave.md"


async def test_asking_again_can_be_switched_off(missed: Store, index: SearchIndex, tmp_path: Path) -> None:
    parts = job_parts(missed, gap_parts(asking=Opened(index, 0.1), reask=False))
    assert "reask_asked" not in await run_job(gaps_job.update_gaps, parts, tmp_path)
    assert [one.state for one in missed.run_now(gaps.every)] == ["open"]


async def test_nothing_is_loaded_where_nobody_missed_anything(store: Store, tmp_path: Path) -> None:
    found = await run_job(gaps_job.update_gaps, job_parts(store, gap_parts()), tmp_path)
    assert found == {"edition": "e1", "questions": 0}


async def test_it_stops_when_it_is_told_to_and_a_later_run_does_the_work(
    missed: Store, index: SearchIndex, tmp_path: Path
) -> None:
    parts = job_parts(missed, gap_parts(asking=Opened(index, 3.0)))
    with pytest.raises(JobStopped):
        gaps_job.update_gaps(parts, JobContext("run", tmp_path, stop_requested=lambda: True))
    assert missed.run_now(gaps.every) == []
    assert (await run_job(gaps_job.update_gaps, parts, tmp_path))["gaps"] == 1


async def test_progress_names_steps_and_nobodys_words(missed: Store, index: SearchIndex, tmp_path: Path) -> None:
    told: list[tuple[int, int | None, str]] = []
    parts = job_parts(missed, gap_parts(asking=Opened(index, 3.0)))
    await run_job(
        gaps_job.update_gaps,
        parts,
        tmp_path,
        progress=lambda done, total=None, message="": told.append((done, total, message)),
    )
    assert {message for _, _, message in told} == {"gaps", "reading", "asking"}


def report(*, reused: bool) -> BuildReport:
    return BuildReport(
        edition="e", pages=1, passages=1, added=(), changed=(), removed=(), failed=(), seconds=0.1, reused=reused
    )


@pytest.mark.parametrize("reused", [True, False])
def test_a_new_edition_makes_the_job_due_and_one_that_stays_does_not(
    store: Store, tmp_path: Path, reused: bool
) -> None:
    parts = job_parts(store, gap_parts())
    object.__setattr__(parts, "reindex", lambda request, told: report(reused=reused))
    result = reindex.run(parts, JobContext("run", tmp_path))
    assert result.get(THEN, []) == ([] if reused else ["gaps"])


def test_both_jobs_are_in_the_registry_with_times_of_their_own(store: Store) -> None:
    known = registry(job_parts(store, gap_parts()))
    times = JobsSettings()
    for name in ("gaps", "digest"):
        assert name in known
        assert times.of(name).enabled
        assert times.of(name).schedule
    assert Settings().gaps == GapsSettings()


async def test_a_gap_whose_questions_are_gone_goes_with_the_next_run(missed: Store, tmp_path: Path) -> None:
    put(missed, list(PARKING), now=time.time())
    missed.run_now(lambda connection: connection.execute(delete(questions)))
    parts = job_parts(missed, gap_parts(edition=lambda: ""))
    await run_job(gaps_job.update_gaps, parts, tmp_path)
    assert missed.run_now(gaps.every) == []
