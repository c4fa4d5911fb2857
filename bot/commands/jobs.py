"""`saseo jobs`: what runs by itself, when, and how it went; run, pause, resume."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from bot.commands import job_texts as texts
from bot.commands.example_texts import plain
from bot.commands.feedback import reviewer
from bot.commands.output import as_json, progress_bars
from bot.commands.tools import JobLine, Tools
from bot.logs import moment

if TYPE_CHECKING:
    from bot.store.job_rows import Run


_MOST_LINES = 200
"""Of a run's log that a person is shown."""


@click.group("jobs")
def jobs() -> None:
    """정해진 시간에 실행되는 작업을 보고, 실행하고, 일시 중지합니다."""


@jobs.command("list")
@click.option("--json", "json_wanted", is_flag=True, help="JSON 한 줄로 출력합니다.")
@click.pass_obj
def list_jobs(tools: Tools, json_wanted: bool) -> None:
    """작업마다 일정, 다음 실행, 마지막 실행의 결과와 걸린 시간을 보여 줍니다."""
    settings = tools.settings()
    zone = ZoneInfo(settings.jobs.timezone)
    with tools.jobs() as workshop:
        lines = workshop.lines()
    if json_wanted:
        click.echo(as_json([described_line(line, zone) for line in lines]))
        return
    language = settings.language
    width = max(len(line.name) for line in lines)
    for line in lines:
        when = texts.when(line, _shown(line.next_at, zone), language)
        click.echo(f"{plain(line.name):<{width}} {plain(line.title)}  [{when}]")
        click.echo(f"{'':<{width}} {texts.last(line.last, _shown(_began(line.last), zone), language)}")
    click.echo(texts.zone(settings.jobs.timezone, settings.jobs.enabled, language))


@jobs.command("run")
@click.argument("job", metavar="NAME")
@click.option("--json", "json_wanted", is_flag=True, help="결과를 JSON 한 줄로 출력합니다.")
@click.pass_obj
def run_job(tools: Tools, job: str, json_wanted: bool) -> None:
    """작업을 지금 이 프로세스에서 실행합니다. Ctrl-C로 멈추면 다음에 이어서 합니다."""
    settings = tools.settings()
    language = settings.language
    with tools.jobs() as workshop, progress_bars(quiet=json_wanted) as bar:
        run = workshop.run(
            job,
            by=reviewer(),
            told=lambda done, total, message: bar(texts.step(message, language), done, total),
        )
    if json_wanted:
        click.echo(as_json(described_run(run, ZoneInfo(settings.jobs.timezone))))
    else:
        click.echo(texts.ended(run, language), err=run.state != "done")
    if run.state != "done":
        raise click.exceptions.Exit(1)


@jobs.command("log")
@click.argument("run", required=False, metavar="[RUN]")
@click.option("--json", "json_wanted", is_flag=True, help="실행 기록을 JSON 한 줄로 출력합니다.")
@click.pass_obj
def log(tools: Tools, run: str | None, json_wanted: bool) -> None:
    """실행 하나의 기록을 보여 줍니다. RUN은 실행의 id나 작업의 이름이고, 없으면 마지막 실행입니다."""
    settings = tools.settings()
    zone, language = ZoneInfo(settings.jobs.timezone), settings.language
    with tools.jobs() as workshop:
        found, path = workshop.find(run)
    if json_wanted:
        click.echo(as_json({**described_run(found, zone), "log": str(path) if path.is_file() else None}))
        return
    click.echo(f"{found.id}  {found.job}  {texts.last(found, _shown(_began(found), zone), language)}")
    if found.error:
        click.echo(plain(found.error))
    for line in texts.pages_of(found, language):
        click.echo(line)
    lines = read_log(path, zone)
    if len(lines) > _MOST_LINES:
        click.echo(texts.log_cut(len(lines) - _MOST_LINES, path, language))
    for line in lines[-_MOST_LINES:]:
        click.echo(line)
    if not path.is_file():
        click.echo(texts.no_log(language), err=True)


@jobs.command("pause")
@click.argument("job", metavar="NAME")
@click.pass_obj
def pause(tools: Tools, job: str) -> None:
    """작업을 일시 중지합니다. 실행 중이면 멈추고, 다시 켜면 이어서 합니다."""
    _switch(tools, job, True)


@jobs.command("resume")
@click.argument("job", metavar="NAME")
@click.pass_obj
def resume(tools: Tools, job: str) -> None:
    """일시 중지한 작업을 다시 켭니다."""
    _switch(tools, job, False)


def described_line(line: JobLine, zone: ZoneInfo) -> dict[str, object]:
    """One job for scripts."""
    return {
        "name": line.name,
        "title": line.title,
        "enabled": line.enabled,
        "schedule": line.schedule,
        "timezone": str(zone),
        "next": _iso(line.next_at, zone),
        "paused": line.paused,
        "last": described_run(line.last, zone) if line.last is not None else None,
    }


def described_run(run: Run, zone: ZoneInfo) -> dict[str, object]:
    """One run for scripts."""
    over = run.started_at is not None and run.ended_at is not None
    return {
        "id": run.id,
        "job": run.job,
        "state": run.state,
        "asked_by": run.asked_by,
        "due": _iso(run.due_at, zone),
        "started": _iso(run.started_at, zone),
        "ended": _iso(run.ended_at, zone),
        "until": _iso(run.until, zone),
        "seconds": round((run.ended_at or 0.0) - (run.started_at or 0.0), 3) if over else None,
        "attempt": run.attempt,
        "arguments": dict(run.arguments),
        "progress": dict(run.progress),
        "result": dict(run.result),
        "error": run.error,
    }


def read_log(path: Path, zone: ZoneInfo) -> list[str]:
    """A run's log for people: one line per event, with times of `zone`, without what could drive a terminal."""
    if not path.is_file():
        return []
    lines = []
    for raw in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            fields: Any = json.loads(raw)
        except ValueError:
            fields = None
        if not isinstance(fields, dict):
            lines.append(plain(raw))
            continue
        written = fields.pop("time", "")
        at = moment(written)
        told = written if at is None else f"{datetime.fromtimestamp(at, zone):%Y-%m-%d %H:%M:%S}"
        head = f"{told} {fields.pop('level', '')} {fields.pop('event', fields.pop('message', ''))}"
        fields.pop("logger", None)
        lines.append(plain(head + "".join(f" {key}={value}" for key, value in fields.items() if value != "")))
    return lines


def _switch(tools: Tools, job: str, paused: bool) -> None:
    with tools.jobs() as workshop:
        workshop.switch(job, paused, by=reviewer())
    click.echo(texts.switched(job, paused, tools.settings().language))


def _began(run: Run | None) -> float | None:
    if run is None:
        return None
    return run.started_at if run.started_at is not None else run.due_at


def _iso(at: float | None, zone: ZoneInfo) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, zone).isoformat(timespec="seconds")


def _shown(at: float | None, zone: ZoneInfo) -> str:
    return "" if at is None else f"{datetime.fromtimestamp(at, zone):%Y-%m-%d %H:%M}"
