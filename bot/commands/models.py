"""`saseo models`: what the catalogue offers, what is here, and fetching."""

from __future__ import annotations

import click

from bot.commands.output import as_json, progress_bars
from bot.commands.tools import Tools

_STAGES = {
    "ko": {"copy": "복사", "download": "내려받기", "unpack": "풀기", "verify": "검증", "wait": "다른 작업 대기"},
    "en": {"copy": "Copy", "download": "Download", "unpack": "Unpack", "verify": "Verify", "wait": "Waiting"},
}


@click.group("models")
def models() -> None:
    """모델 목록을 보고 내려받습니다."""


@models.command("list")
@click.option("--json", "json_wanted", is_flag=True, help="JSON 한 줄로 출력합니다.")
@click.pass_obj
def list_models(tools: Tools, json_wanted: bool) -> None:
    """모델 목록과 이 컴퓨터에 있는지를 보여 줍니다."""
    _, store = tools.models()
    settings = tools.settings()
    chosen = {settings.writer.model, settings.embedder.model}
    states = store.states()
    if json_wanted:
        click.echo(
            as_json(
                [
                    {
                        "name": state.model.name,
                        "role": state.model.role,
                        "present": state.present,
                        "selected": state.model.name in chosen,
                        "bytes": state.model.bytes,
                        "sha256": state.sha256 or state.model.sha256,
                        "verified": not state.model.unverified,
                        "licence": state.model.licence,
                        "context": state.model.context,
                        "template": state.model.template,
                        "description": state.model.description,
                        "path": str(state.path) if state.present else None,
                        "places": [str(place) for place in state.model.places],
                    }
                    for state in states
                ]
            )
        )
        return
    for state in states:
        mark = "●" if state.present else "○"
        use = " ← 사용 중" if state.model.name in chosen else ""
        size = f"{state.model.bytes / 1e9:.2f} GB" if state.model.bytes >= 1e9 else f"{state.model.bytes / 1e6:.0f} MB"
        click.echo(f"{mark} {state.model.name:<28} {state.model.role:<9} {size:>9}  {state.model.licence}{use}")
        click.echo(f"    {state.model.description}")
    click.echo("\n● 받아 둔 모델   ○ 아직 받지 않은 모델 (`saseo models pull 이름`)")


@models.command("pull")
@click.argument("names", nargs=-1)
@click.option(
    "--allow-unverified", is_flag=True, help="SHA-256을 미리 알 수 없는 모델도 받습니다(처음 본 값을 기록해 이후 검사)."
)
@click.pass_obj
def pull(tools: Tools, names: tuple[str, ...], allow_unverified: bool) -> None:
    """모델을 받습니다. 이름이 없으면 설정에 적힌 모델을 모두 받습니다."""
    _, store = tools.models()
    settings = tools.settings()
    for name in names or (settings.embedder.model, settings.writer.model):
        with progress_bars() as bar:

            def progress(stage: str, done: int, total: int | None, name: str = name) -> None:
                label = _STAGES[settings.language].get(stage, stage)
                # Bars count megabytes: bytes would not fit beside them.
                bar(f"{name} {label} (MB)", done // 1_000_000, None if total is None else max(total // 1_000_000, 1))

            path = store.pull(name, progress, allow_unverified)
        click.echo(f"{name}: {path}")
