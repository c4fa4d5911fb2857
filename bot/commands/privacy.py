"""`saseo privacy`: a person's rights over what is kept of them."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from bot.commands import privacy_texts as texts
from bot.commands.output import as_json, at_terminal, json_option, write_private
from bot.commands.tools import Tools

if TYPE_CHECKING:
    from bot.store.privacy import Kind


@click.group("privacy")
def privacy() -> None:
    """저장된 개인정보를 사람별로 확인하고, 내보내고, 지웁니다. 사람은 slack:U0123처럼 적습니다."""


@privacy.command("impact")
@click.argument("person")
@json_option
@click.pass_obj
def impact(tools: Tools, person: str, json_wanted: bool) -> None:
    """이 사람을 지우면 무엇이 함께 지워지는지 보여 줍니다. 아무것도 바꾸지 않습니다."""
    with tools.rights() as rights:
        found = rights.impact(person)
    if json_wanted:
        click.echo(as_json(found))
    else:
        language = tools.settings().language
        click.echo(texts.impact(person, found, language) if found["known"] else texts.nothing_kept(person, language))


@privacy.command("export")
@click.argument("person")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="저장할 zip 파일. 없으면 data_dir/exports에 저장합니다.",
)
@json_option
@click.pass_obj
def export(tools: Tools, person: str, out: Path | None, json_wanted: bool) -> None:
    """이 사람에 관해 저장된 모든 것을 zip(JSON)으로 내보냅니다."""
    with tools.rights() as rights:
        made = rights.export(person, out, by=at_terminal())
    click.echo(
        as_json(made) if json_wanted else texts.exported(made["path"], made["sha256"], tools.settings().language)
    )


@privacy.command("forget")
@click.argument("person")
@click.option("--yes", is_flag=True, help="묻지 않고 지웁니다.")
@click.option(
    "--json", "json_wanted", is_flag=True, help="JSON 한 줄로 출력합니다. --yes가 없으면 지워질 것만 출력합니다."
)
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="서명한 보고서를 저장할 JSON 파일.")
@click.pass_context
def forget(context: click.Context, person: str, yes: bool, json_wanted: bool, report: Path | None) -> None:
    """이 사람의 질문, 평가, 학습 예시와 파일을 지웁니다. 복원해도 다시 지웁니다.

    지운 예시로 학습한 LoRA는 더 이상 답하지 않게 하고 다시 학습하도록 예약합니다.
    """
    erase(context, person, yes=yes, json_wanted=json_wanted, report=report)


@privacy.command("suspend")
@click.argument("person")
@click.option("--resume", is_flag=True, help="다시 학습에 쓸 수 있게 합니다.")
@json_option
@click.pass_obj
def suspend(tools: Tools, person: str, resume: bool, json_wanted: bool) -> None:
    """이 사람의 질문과 평가를 지금부터 학습에 쓰지 않습니다."""
    with tools.rights() as rights:
        changed = rights.resume(person, by=at_terminal()) if resume else rights.suspend(person, by=at_terminal())
        name = rights.subject(person).name
    if json_wanted:
        click.echo(as_json({"person": name, "suspended": not resume, "changed": changed}))
    else:
        click.echo(texts.suspended(person, changed, resume, tools.settings().language))


@privacy.command("request")
@click.argument("person")
@click.argument("kind", type=click.Choice(["export", "forget", "suspend"]))
@json_option
@click.pass_obj
def request(tools: Tools, person: str, kind: Kind, json_wanted: bool) -> None:
    """받은 요청을 적어 둡니다. 기한이 다가오면 `saseo doctor`가 알립니다."""
    with tools.rights() as rights:
        made = rights.receive(person, kind, by=at_terminal())
    settings = tools.settings()
    if json_wanted:
        click.echo(as_json({"id": made.id, "person": made.person, "kind": made.kind, "due_at": made.due_at}))
    else:
        click.echo(texts.received(made, ZoneInfo(settings.jobs.timezone), settings.language))


@privacy.command("requests")
@json_option
@click.pass_obj
def requests(tools: Tools, json_wanted: bool) -> None:
    """받은 요청과 처리 기한을 보여 줍니다."""
    from bot.store import privacy as kept

    with tools.open_store() as store:
        rows = store.run_now(kept.requests)
    settings = tools.settings()
    if json_wanted:
        names = ("id", "person", "kind", "received_at", "due_at", "done_at", "report")
        click.echo(as_json([{name: getattr(one, name) for name in names} for one in rows]))
    else:
        click.echo(texts.requests(rows, ZoneInfo(settings.jobs.timezone), time.time(), settings.language))


@privacy.command("new-key")
@click.option("--yes", is_flag=True, help="이전 기록과 이을 수 없게 되는 것을 받아들입니다.")
@click.pass_context
def new_key(context: click.Context, yes: bool) -> None:
    """잃어버린 개인정보 보호 키 대신 지금 있는 키를 받아들입니다."""
    from bot.privacy.opening import accept_key

    tools: Tools = context.obj
    settings = tools.settings()
    if not yes:
        click.echo(texts.key_needs_yes(settings.language), err=True)
        context.exit(1)
    with tools.open_store() as store:
        accept_key(store, settings.data_dir, by=at_terminal(), now=time.time())
    click.echo(texts.new_key(settings.language))


@privacy.command("verify-report")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
@click.pass_context
def verify_report(context: click.Context, file: Path, json_wanted: bool) -> None:
    """삭제 보고서를 이 설치에서 만들었고 그 뒤로 바뀌지 않았는지 확인합니다. 아니면 1로 끝납니다."""
    tools: Tools = context.obj
    try:
        report = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        report = None
    with tools.rights() as rights:
        whole = isinstance(report, dict) and rights.verify_report(report)
    told = texts.report_verified(str(file), whole, tools.settings().language)
    click.echo(as_json({"file": str(file), "whole": whole}) if json_wanted else told)
    if not whole:
        context.exit(1)


def erase(context: click.Context, person: str, *, yes: bool, json_wanted: bool, report: Path | None = None) -> None:
    """`privacy forget`, and `feedback forget`, which is the same. Exits with 1 when a yes is missing. Raises CopyNotWritable."""
    from bot.errors import CopyNotWritable

    tools: Tools = context.obj
    language = tools.settings().language
    with tools.rights() as rights:
        if not yes and (found := rights.impact(person))["known"]:
            if not json_wanted:
                click.echo(texts.impact(person, found, language))
            if json_wanted or not (sys.stdin.isatty() and sys.stdout.isatty()):
                if json_wanted:
                    click.echo(as_json({"forgotten": False, **found, "loras": [one["name"] for one in found["loras"]]}))
                click.echo(texts.needs_yes(language), err=True)
                context.exit(1)
            if not click.confirm(texts.sure(language)):
                return
        done = rights.forget(person, by=at_terminal())
    if report is not None:
        try:
            write_private(report, as_json(done) + "\n")
        except OSError as error:
            raise CopyNotWritable(path=report, reason=error.strerror or type(error).__name__) from error
    if json_wanted:
        click.echo(as_json({"forgotten": done["known"], **done, "loras": [one["name"] for one in done["loras"]]}))
    elif done["known"]:
        click.echo(texts.forgotten(person, done, language))
    else:
        click.echo(texts.nothing_kept(person, language))
