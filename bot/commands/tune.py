"""`saseo tune`: what a LoRA is made from."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from bot.commands import example_texts as texts
from bot.commands.feedback import reviewer
from bot.commands.output import as_json
from bot.commands.tools import Tools


@click.group("tune")
def tune() -> None:
    """모델을 회사 자료에 맞춥니다."""


@tune.command("import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--approve", is_flag=True, help="검사를 통과한 예시를 바로 승인합니다.")
@click.option("--json", "json_wanted", is_flag=True, help="JSON 한 줄로 출력합니다.")
@click.pass_obj
def import_examples(tools: Tools, file: Path, approve: bool, json_wanted: bool) -> None:
    """회사가 가진 질문과 답변을 학습 예시로 가져옵니다.

    OpenAI 대화 JSONL(messages), Alpaca JSONL(instruction, input, output), CSV(question, answer, page), Saseo의 JSONL을 읽습니다.
    """
    with tools.workbench() as bench:
        done = bench.take_in(file, approve_as=reviewer() if approve else "")
    if json_wanted:
        click.echo(as_json(asdict(done)))
    else:
        language = tools.settings().language
        click.echo(texts.imported(done.new, done.known, done.approved, done.with_problems, language))
