"""`saseo loras export`: a LoRA for other runtimes."""

from __future__ import annotations

from pathlib import Path

import click

from bot.commands import lora_texts as texts
from bot.commands.output import as_json, progress_bars
from bot.commands.tools import Tools

_FORMATS = ("gguf-f16", "gguf-q8_0", "peft")


@click.command("export")
@click.argument("name")
@click.option(
    "--format",
    "kind",
    required=True,
    type=click.Choice(_FORMATS),
    help="gguf-f16, gguf-q8_0: 모델과 합친 GGUF. peft: vLLM 등에서 원본 모델 위에 올리는 폴더.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="새로 만들 파일(gguf)이나 폴더(peft)")
@click.option("--json", "json_wanted", is_flag=True, help="JSON 한 줄로 출력합니다.")
@click.pass_obj
def export_lora(tools: Tools, name: str, kind: str, out: Path, json_wanted: bool) -> None:
    """LoRA를 다른 프로그램에서 쓸 수 있게 내보냅니다.

    4비트로 합치는 형식은 없습니다. LoRA가 바꾼 값이 4비트 눈금보다 작아 대부분 사라지기 때문입니다.
    """
    language = tools.settings().language
    with progress_bars(quiet=json_wanted) as bar:

        def progress(stage: str, done: int, total: int | None) -> None:
            if stage == "merge":  # bars count megabytes: bytes would not fit beside them
                bar(texts.merging(language), done // 1_000_000, None if total is None else max(total // 1_000_000, 1))

        done = tools.export_lora(name, kind, out, progress)
    if json_wanted:
        click.echo(as_json(done))
        return
    card = None if done["card"] is None else str(done["card"])
    click.echo(texts.exported(str(done["path"]), int(str(done["bytes"])), card, language))
