"""`saseo loras`: which LoRAs there are, which one answers, and changing that."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from bot.commands import lora_texts as texts
from bot.commands.example_texts import plain
from bot.commands.feedback import reviewer
from bot.commands.loras_export import export_lora
from bot.commands.loras_import import import_lora
from bot.commands.output import as_json, json_option
from bot.commands.tools import Tools
from bot.commands.tune_run import evaluate_lora, show_verdicts

if TYPE_CHECKING:
    from bot.releases.overview import Described, Listed
    from bot.store.loras import Evaluation
    from bot.store.releases import Release

_REASON = click.option("--reason", default="", help="기록에 남길 이유")


@click.group("loras")
def loras() -> None:
    """LoRA를 보고, 배포하고, 되돌립니다."""


loras.add_command(export_lora)
loras.add_command(import_lora)
loras.add_command(evaluate_lora)


@loras.command("list")
@json_option
@click.pass_obj
def list_loras(tools: Tools, json_wanted: bool) -> None:
    """LoRA와 지금 답하는 것을 보여 줍니다."""
    from bot.releases.overview import answering, every

    with tools.releases() as releases:
        listed, choice = every(releases), answering(releases)
    if json_wanted:
        click.echo(as_json([_listed(one) for one in listed]))
        return
    settings = tools.settings()
    language, zone = settings.language, ZoneInfo(settings.jobs.timezone)
    for one in listed:
        click.echo(texts.line(one, zone, language))
    if not listed:
        click.echo(texts.nothing_there(language))
    click.echo(texts.answers(choice, language))
    for problem in (choice.problem, choice.canary_problem):
        if problem is not None:
            click.echo(problem.explain(language), err=True)


@loras.command("show")
@click.argument("name")
@click.option("--examples", is_flag=True, help="학습에 쓴 예시의 ID만 한 줄에 하나씩 출력합니다.")
@json_option
@click.pass_obj
def show(tools: Tools, name: str, examples: bool, json_wanted: bool) -> None:
    """LoRA 하나의 카드, 학습에 쓴 예시, 판정, 배포 기록과 마지막 판정의 표를 보여 줍니다."""
    from bot.releases.overview import describe

    with tools.releases() as releases:
        described = describe(releases, name)
    if json_wanted:
        ids = {"example_ids": list(described.example_ids)} if examples else {}
        click.echo(as_json(_described(described) | ids))
    elif examples:
        for one in described.example_ids:
            click.echo(plain(one))
    else:
        settings = tools.settings()
        click.echo("\n".join(texts.description(described, ZoneInfo(settings.jobs.timezone), settings.language)))
        show_verdicts(tools, [one.id for one in described.evaluations[:1]])


@loras.command("promote")
@click.argument("name")
@click.option(
    "--share",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="대화의 이 비율에만 먼저 씁니다(예: 0.1).",
)
@click.option("--overrule", is_flag=True, help="판정을 통과하지 않았어도 배포합니다. --reason이 필요합니다.")
@_REASON
@json_option
@click.pass_obj
def promote(tools: Tools, name: str, share: float | None, overrule: bool, reason: str, json_wanted: bool) -> None:
    """이 LoRA로 답하게 합니다. none은 LoRA 없는 기반 모델입니다."""
    with tools.releases() as releases:
        done = releases.promote(name, by=reviewer(), share=share, overrule=overrule, reason=reason)
    _say(tools, done, json_wanted)


@loras.command("rollback")
@_REASON
@json_option
@click.pass_obj
def rollback(tools: Tools, reason: str, json_wanted: bool) -> None:
    """바로 앞의 배포로 되돌립니다. 일부 대화에만 쓰던 LoRA가 있으면 그것부터 거둡니다."""
    with tools.releases() as releases:
        done = releases.rollback(by=reviewer(), reason=reason)
    _say(tools, done, json_wanted)


@loras.command("delete")
@click.argument("name")
@json_option
@click.pass_obj
def delete(tools: Tools, name: str, json_wanted: bool) -> None:
    """LoRA 파일을 지웁니다. 답하고 있는 LoRA는 지우지 않습니다."""
    with tools.releases() as releases:
        releases.delete(name, by=reviewer())
    click.echo(as_json({"deleted": name}) if json_wanted else texts.deleted(name, tools.settings().language))


def _say(tools: Tools, done: Release, json_wanted: bool) -> None:
    if json_wanted:
        click.echo(as_json(asdict(done)))
        return
    settings = tools.settings()
    click.echo(texts.released(done, ZoneInfo(settings.jobs.timezone), settings.language))
    click.echo(texts.takes_effect(settings.language))


def _listed(one: Listed) -> dict[str, Any]:
    record = one.record
    latest = one.evaluation
    return {
        "name": record.name,
        "role": one.role,
        "base": {"name": record.base_name, "sha256": record.base},
        "fits": one.fits,
        "prompt": record.prompt,
        "sha256": record.sha256,
        "shipped": one.shipped,
        "made_at": record.made_at,
        "run": record.run,
        "examples": one.examples,
        "marked": record.marked,
        "deleted_at": record.deleted_at,
        "evaluation": None if latest is None else _evaluation(latest),
    }


def _described(one: Described) -> dict[str, Any]:
    return _listed(one.listed) | {
        "card": dict(one.listed.record.card),
        "people": one.people,
        "evaluations": [_evaluation(each) | {"verdict": dict(each.verdict)} for each in one.evaluations],
        "releases": [asdict(each) for each in one.releases],
    }


def _evaluation(one: Evaluation) -> dict[str, Any]:
    return {"id": one.id, "against": one.against, "passed": one.passed, "made_at": one.made_at}
