"""`saseo loras import`: a LoRA that was made elsewhere."""

from __future__ import annotations

from pathlib import Path

import click

from bot.commands import lora_texts as texts
from bot.commands.output import as_json
from bot.commands.tools import Tools


@click.command("import")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--json", "json_wanted", is_flag=True, help="JSON 한 줄로 출력합니다.")
@click.pass_obj
def import_lora(tools: Tools, folder: Path, json_wanted: bool) -> None:
    """다른 곳에서 PEFT로 학습한 LoRA 폴더를 가져옵니다.

    설정된 모델의 원본으로 학습한 것이어야 합니다. 가져온 LoRA도 평가를 통과해야 배포됩니다.
    """
    name = tools.import_lora(folder)
    if json_wanted:
        click.echo(as_json({"lora": name}))
    else:
        from bot.releases.lineage import seen_by

        with tools.releases() as releases:
            known = seen_by(releases, releases.shelf.card(name)) is not None
        click.echo(texts.imported(name, tools.settings().language, known=known))
