"""Why a job does not run."""

from __future__ import annotations

from bot.errors.base import SaseoError


class JobError(SaseoError):
    """A job cannot be run or shown."""


class UnknownJob(JobError):
    """`job`, `known`: names, joined."""

    ko = "그런 작업이 없습니다: {job}. 작업: {known}."
    en = "There is no such job: {job}. Jobs: {known}."


class UnknownRun(JobError):
    """`run`: an id or a job's name."""

    ko = "그런 실행 기록이 없습니다: {run}. `saseo jobs list`로 작업과 마지막 실행을 확인해 주십시오."
    en = "There is no such run: {run}. See `saseo jobs list` for the jobs and their last runs."


class JobPaused(JobError):
    """`job`."""

    ko = (
        "작업 '{job}'은(는) 일시 중지되어 있습니다. "
        "작업 화면의 '다시 켜기'나 `saseo jobs resume {job}`으로 다시 켠 뒤 실행해 주십시오."
    )
    en = "Job '{job}' is paused. Press 'Resume' on the page Jobs, or run `saseo jobs resume {job}`, first."


class JobBusy(JobError):
    """`job`, `running`: the job that runs, `where`: its process, `run`: its id."""

    ko = (
        "작업 '{job}'을(를) 지금 실행할 수 없습니다. 다른 프로세스({where})에서 '{running}'이(가) 실행 중입니다. "
        "진행 상황은 `saseo jobs log {run}`으로 볼 수 있습니다."
    )
    en = "Job '{job}' cannot run now: '{running}' runs in another process ({where}). To watch it: `saseo jobs log {run}`."


class NoJobsHere(JobError):
    """Somebody asked in chat for the index to be made anew, and this service runs no jobs."""

    ko = (
        "다시 색인하도록 요청하지 못했습니다. 이 서비스는 작업을 실행하지 않습니다([jobs] enabled = false). config.toml에서 true로 바꾸고 "
        "`saseo serve`를 다시 시작하거나, 서버에서 `saseo index`를 실행해 주십시오. 새 색인은 서비스가 스스로 이어받습니다."
    )
    en = (
        "Re-indexing could not be asked for: this service runs no jobs ([jobs] enabled = false). Set it to true in config.toml and "
        "start `saseo serve` again, or run `saseo index` on the server. The service takes over the new index by itself."
    )
