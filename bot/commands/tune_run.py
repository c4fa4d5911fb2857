"""`saseo tune run` and `saseo loras evaluate`: train, and put before the gate, here and now. The same jobs run by themselves."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.commands import job_texts, learning_texts
from bot.commands.feedback import reviewer
from bot.commands.output import as_json, json_option, progress_bars
from bot.commands.tools import Tools

if TYPE_CHECKING:
    from bot.store.job_rows import Run


@click.command("run")
@click.option(
    "--examples",
    type=click.Path(exists=True, path_type=Path),
    multiple=True,
    help="승인된 예시 대신 `tune import`가 읽는 파일(또는 JSONL 폴더)로 학습합니다. 행은 가리고 검사하지만 검토는 거치지 않습니다. "
    "여러 번 쓸 수 있습니다.",
)
@click.option("--no-gate", is_flag=True, help="학습만 하고 평가하지 않습니다.")
@json_option
@click.pass_obj
def run_tuning(tools: Tools, examples: tuple[Path, ...], no_gate: bool, json_wanted: bool) -> None:
    """승인된 예시로 LoRA를 학습하고, 지금 답하는 것과 비교합니다.

    Ctrl-C로 멈추면 저장한 곳에서 이어집니다. 통과한 LoRA는 `saseo loras promote`로 배포합니다.
    """
    given = {"examples": [str(one.absolute()) for one in examples]}
    again = _typed("tune", "run", *_options(examples), *(["--no-gate"] if no_gate else []))
    tuned = _run(tools, "tune", given, again, json_wanted=json_wanted)
    if not json_wanted:  # at once: hours went into it, and judging may fail
        click.echo(learning_texts.trained(tuned.result, tools.settings().language))
    judged = None
    if not no_gate:
        # The same command would train once more. What was answered is kept, whichever of these two goes on.
        names = tuned.result["loras"]
        alone = (
            _typed("loras", "evaluate", names[-1], *_options(examples)) if examples else _typed("jobs", "run", "gate")
        )
        judged = _run(tools, "gate", given, alone, json_wanted=json_wanted, beside={"loras": names})
    if json_wanted:
        click.echo(as_json({**tuned.result, **({} if judged is None else {"gate": dict(judged.result)})}))
        return
    if judged is not None:
        _tell(tools, judged.result)


@click.command("evaluate")
@click.argument("name")
@click.option(
    "--examples",
    type=click.Path(exists=True, path_type=Path),
    multiple=True,
    help="이 파일의 예시 가운데 LoRA가 보지 않은 것도 묻습니다.",
)
@json_option
@click.pass_obj
def evaluate_lora(tools: Tools, name: str, examples: tuple[Path, ...], json_wanted: bool) -> None:
    """LoRA를 지금 답하는 것과 비교해 평가합니다. 중단하면 물어본 곳에서 이어집니다."""
    given = {"lora": name, "examples": [str(one.absolute()) for one in examples]}
    again = _typed("loras", "evaluate", name, *_options(examples))
    judged = _run(tools, "gate", given, again, json_wanted=json_wanted)
    if json_wanted:
        click.echo(as_json(dict(judged.result)))
    else:
        _tell(tools, judged.result)


def _options(examples: Sequence[Path]) -> list[str]:
    return [word for one in examples for word in ("--examples", str(one))]


def _typed(*words: str) -> str:
    """A command of ours that may be typed as it is, with the same settings."""
    config = click.get_current_context().find_root().params.get("config")
    return shlex.join(["saseo", *(["--config", str(config)] if config else []), *words])


def _run(
    tools: Tools,
    job: str,
    arguments: Mapping[str, Any],
    again: str,
    *,
    json_wanted: bool,
    beside: Mapping[str, Any] | None = None,
) -> Run:
    """The run, when it is done. `again`: the command that goes on with it. `beside`: what a script is told if it fails, too."""
    language = tools.settings().language
    with ExitStack() as stack:
        workshop = stack.enter_context(tools.jobs())
        shows_itself = job == "tune" and not json_wanted
        watch: Callable[[Mapping[str, Any]], None] = lambda event: None  # noqa: E731
        if shows_itself:
            watch = stack.enter_context(tools.watch_tuning())
        bar = stack.enter_context(progress_bars(quiet=json_wanted or shows_itself))
        run = workshop.run(
            job,
            by=reviewer(),
            # Without what is empty: so it is the same run as that of `saseo jobs run`, and either goes on with the other's.
            arguments={name: value for name, value in arguments.items() if value},
            without=("gate",),  # it follows here, or is not wanted
            told=lambda done, total, message: bar(job_texts.step(message, language), done, total),
            watch=watch,
        )
    if run.state == "done":
        return run
    if json_wanted:
        click.echo(as_json({"job": run.job, "state": run.state, "error": run.error, "run": run.id, **(beside or {})}))
    else:
        click.echo(job_texts.ended(run, language, again), err=True)
    raise click.exceptions.Exit(1)


def show_verdicts(tools: Tools, evaluations: Sequence[str]) -> None:
    """Each verdict by its id: the sentence, why, and the table."""
    from rich.console import Console

    for table in tools.verdicts(evaluations):
        Console().print(table)


def _tell(tools: Tools, result: Mapping[str, Any]) -> None:
    """The verdicts, then what to do."""
    show_verdicts(tools, [str(one) for one in result.get("evaluations", ())])
    click.echo(learning_texts.judged(result, tools.settings().language))
