"""`saseo tune`: what a LoRA is made from."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.commands import example_texts as texts
from bot.commands.feedback import reviewer
from bot.commands.output import as_json, json_option, progress_bars
from bot.commands.tools import Tools
from bot.commands.tune_run import run_tuning

if TYPE_CHECKING:
    from bot.examples.synthesis.synthesis import Rewording
    from bot.examples.workbench import Imported
    from knowledge.search import SearchIndex

_APPROVE = click.option(
    "--approve",
    is_flag=True,
    help="검사를 통과한 예시를 바로 승인합니다. 가져온 행이 답할 수 없다고 하면 검토하도록 남깁니다.",
)


@click.group("tune")
def tune() -> None:
    """모델을 회사 자료에 맞춥니다."""


tune.add_command(run_tuning)


@tune.command("import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_APPROVE
@json_option
@click.pass_obj
def import_examples(tools: Tools, file: Path, approve: bool, json_wanted: bool) -> None:
    """회사가 가진 질문과 답변을 학습 예시로 가져옵니다.

    OpenAI 대화 JSONL(messages), Alpaca JSONL(instruction, input, output), CSV(question, answer, page), Saseo의 JSONL을 읽습니다.
    """
    with tools.workbench() as bench:
        done = bench.take_in(file, approve_as=reviewer() if approve else "")
    _say(done, tools, json_wanted=json_wanted)


@tune.command("synthesize")
@click.option("--count", type=click.IntRange(1, 10_000), default=200, show_default=True, help="만들 예시 수.")
@click.option("--source", "sources", multiple=True, metavar="NAME", help="이 출처의 문서만 씁니다(여러 번 가능).")
@click.option("--seed", type=int, default=0, show_default=True, help="같은 위키와 같은 수면 같은 예시가 나옵니다.")
@click.option(
    "--writer", is_flag=True, help="질문을 지금 쓰는 모델로 바꿔 씁니다. 문서를 다시 찾지 못하는 질문은 쓰지 않습니다."
)
@_APPROVE
@json_option
@click.pass_obj
def synthesize(
    tools: Tools, count: int, sources: tuple[str, ...], seed: int, writer: bool, approve: bool, json_wanted: bool
) -> None:
    """위키에서 학습 예시를 만듭니다: 문서가 답하는 질문과, 비슷하지만 답하지 않는 질문.

    모두가 읽을 수 있는 문서만 쓰고 개인정보는 가립니다. 평가가 하나도 없어도 첫날부터 학습할 수 있습니다.
    """
    settings = tools.settings()
    known = [one.name for one in settings.sources]
    for name in sources:
        if name not in known:
            raise click.BadParameter(texts.no_such_source(name, known, settings.language), param_hint="--source")

    def make(index: SearchIndex, rewording: Rewording | None, told: Callable[[int], None]) -> Imported:
        from bot.examples.synthesis.synthesis import over

        with tools.workbench(index) as bench:
            shown = settings.answer
            synthesis = replace(
                over(
                    index,
                    bench.pages,
                    bench.grounding,
                    bench.mask,
                    most=shown.passages,
                    characters=shown.evidence_characters,
                ),
                rewording=rewording,
            )
            by = reviewer() if approve else ""
            return bench.synthesize(synthesis, count, seed=seed, sources=sources, progress=told, approve_as=by)

    with progress_bars(quiet=json_wanted) as bar:
        label = texts.synthesizing(settings.language)
        if writer:
            done = asyncio.run(_with_writer(tools, make, lambda made: bar(label, made, count)))
        else:
            done = make(tools.open_index(None), None, lambda made: bar(label, made, count))
    _say(done, tools, json_wanted=json_wanted)


async def _with_writer(
    tools: Tools,
    make: Callable[[SearchIndex, Rewording | None, Callable[[int], None]], Imported],
    told: Callable[[int], None],
) -> Imported:
    """The search and Kiwi on a thread of their own; what they ask of the writer comes back to this loop."""
    from bot.examples.synthesis.rewording import WriterRewording

    async with tools.answering() as flow:
        live = flow.live()
        rewording = None if live.writer is None else WriterRewording(live.writer, asyncio.get_running_loop())
        return await asyncio.to_thread(make, live.index, rewording, told)


def _say(done: Imported, tools: Tools, *, json_wanted: bool) -> None:
    if json_wanted:
        click.echo(as_json(asdict(done)))
    else:
        language = tools.settings().language
        click.echo(texts.imported(done, language))
