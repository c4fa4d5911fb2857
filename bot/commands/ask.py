"""`saseo ask`: one question (or a file of them), one cited answer each."""

from __future__ import annotations

import asyncio
import sys
import uuid
from pathlib import Path

import click

from bot import texts
from bot.commands.batch import Asked, groups_of, read_batch, typed
from bot.commands.output import as_json
from bot.commands.tools import Tools
from bot.messages import Answer, Finished, Outcome, Progressed, Question, Wrote


@click.command("ask")
@click.argument("question", required=False)
@click.option("--as", "as_group", help="이 그룹의 사람으로 질문합니다(여럿이면 쉼표).")
@click.option("--turn", "turns", multiple=True, help="같은 대화의 이전 질문(오래된 것부터 여러 번).")
@click.option("--batch", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="JSON Lines 파일")
@click.option("--json", "json_wanted", is_flag=True, help="JSON 한 줄로 출력합니다.")
@click.pass_obj
def ask(
    tools: Tools,
    question: str | None,
    as_group: str | None,
    turns: tuple[str, ...],
    batch: Path | None,
    json_wanted: bool,
) -> None:
    """위키에 질문합니다."""
    if (question is None) == (batch is None):
        raise click.UsageError("질문 하나를 주거나 --batch FILE을 주십시오.")
    if batch is not None:
        asyncio.run(_batch(tools, read_batch(batch, groups_of(as_group), turns)))
        return
    answer = asyncio.run(
        _one(tools, Asked(typed(question), groups_of(as_group), tuple(map(typed, turns))), json_wanted)
    )
    if json_wanted:
        click.echo(as_json(answer.as_json()))
    if answer.outcome is Outcome.FAILED:
        sys.exit(1)


def question_of(asked: Asked) -> Question:
    """With a fresh id."""
    return Question(asked.question, id=uuid.uuid4().hex[:12], groups=asked.groups, turns=asked.turns)


async def _one(tools: Tools, asked: Asked, json_wanted: bool) -> Answer:
    language = tools.settings().language
    answer: Answer | None = None
    async with tools.answering() as flow:
        async for event in flow.stream(question_of(asked)):
            if isinstance(event, Finished):
                answer = event.answer
            elif json_wanted:
                continue
            elif isinstance(event, Progressed):
                if sys.stderr.isatty():
                    click.secho(texts.step(event.step, event.detail, language), err=True, dim=True)
            elif isinstance(event, Wrote):
                click.echo(event.text, nl=False)
                sys.stdout.flush()
    if answer is None:
        raise RuntimeError("a question ended without an answer")
    if not json_wanted:
        click.echo(texts.closing(answer, language))
        if tools.settings().privacy.ai_notice and answer.outcome is Outcome.ANSWERED:
            click.secho(texts.generated_by_ai(language), err=True, dim=sys.stderr.isatty())
    return answer


async def _batch(tools: Tools, asked: list[Asked]) -> None:
    async with tools.answering() as flow:
        for one in asked:
            answer = await flow.answer(question_of(one))
            click.echo(as_json({"question": one.question, **answer.as_json()}))
            sys.stdout.flush()
