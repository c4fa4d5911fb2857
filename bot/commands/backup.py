"""`saseo backup` and `saseo restore`: what cannot be made again, in one file, and back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from bot.commands import backup_texts as texts
from bot.commands.output import as_json, at_terminal, json_option, progress_bars
from bot.commands.tools import Tools

if TYPE_CHECKING:
    from bot.backup.archive import Manifest
    from bot.texts import Language

_FILE = click.Path(path_type=Path)


@click.group("backup", invoke_without_command=True)
@click.option("--to", type=click.Path(path_type=Path), help="백업 파일이나 폴더. 없으면 [backup] folder에 만듭니다.")
@click.option("--with-editions", is_flag=True, help="지금 쓰는 색인도 넣습니다. 없으면 복원한 뒤 다시 만듭니다.")
@json_option
@click.pass_context
def backup(context: click.Context, to: Path | None, with_editions: bool, json_wanted: bool) -> None:
    """질문과 답변, 평가, LoRA, 설정을 한 파일로 백업합니다. 서비스가 실행 중이어도 됩니다."""
    if context.invoked_subcommand is not None:
        return
    tools: Tools = context.obj
    language = tools.settings().language
    with progress_bars(quiet=json_wanted) as bar:
        done = tools.backups().make(to, editions=with_editions or None, by=at_terminal(), told=_told(bar, language))
    click.echo(as_json(done.as_json()) if json_wanted else texts.written(done, language))


@backup.command("list")
@json_option
@click.pass_obj
def list_backups(tools: Tools, json_wanted: bool) -> None:
    """[backup] folder에 있는 백업을 오래된 것부터 보여 줍니다."""
    settings = tools.settings()
    every = tools.backups().every()
    if json_wanted:
        click.echo(
            as_json(
                [
                    {
                        "path": str(one.path),
                        "bytes": one.bytes,
                        "made_at": one.manifest.made_at if one.manifest else None,
                        "revision": one.manifest.revision if one.manifest else None,
                        "rows": one.manifest.rows if one.manifest else None,
                        "error": type(one.problem).__name__ if one.problem else None,
                    }
                    for one in every
                ]
            )
        )
        return
    if not every:
        click.echo(texts.none_kept(str(tools.backups().folder), settings.language))
    for one in every:
        click.echo(texts.kept(one, ZoneInfo(settings.jobs.timezone), settings.language))


@backup.command("verify")
@click.argument("file", type=_FILE)
@json_option
@click.pass_obj
def verify(tools: Tools, file: Path, json_wanted: bool) -> None:
    """백업의 모든 체크섬을 확인합니다. 아무것도 바꾸지 않습니다."""
    settings = tools.settings()
    with progress_bars(quiet=json_wanted) as bar:
        manifest = tools.backups().verify(file, _told(bar, settings.language))
    if json_wanted:
        told = {"path": str(file), "made_at": manifest.made_at, "revision": manifest.revision, "rows": manifest.rows}
        click.echo(as_json(told | {"members": len(manifest.members)}))
    else:
        click.echo(texts.whole(manifest, ZoneInfo(settings.jobs.timezone), settings.language))


@click.command("restore")
@click.argument("file", type=_FILE)
@click.option(
    "--to",
    type=click.Path(file_okay=False, path_type=Path),
    help="복원할 데이터 폴더(SQLite). 없으면 설정의 data_dir과 저장소에 복원합니다.",
)
@click.option("--yes", is_flag=True, help="묻지 않고 복원합니다.")
@json_option
@click.pass_obj
def restore(tools: Tools, file: Path, to: Path | None, yes: bool, json_wanted: bool) -> None:
    """백업을 복원합니다. 모든 체크섬을 먼저 확인하고, 있던 것은 옆에 보관합니다. 서비스를 먼저 끝내야 합니다."""
    settings = tools.settings()
    language, zone = settings.language, ZoneInfo(settings.jobs.timezone)
    folder = to or settings.data_dir
    with progress_bars(quiet=json_wanted) as bar:

        def sure(manifest: Manifest, taken: bool) -> None:
            if taken and not yes:
                click.confirm(texts.sure(manifest, taken, str(folder), zone, language), abort=True, err=True)

        done, key_missing = tools.backups().restore(file, to, by=at_terminal(), sure=sure, told=_told(bar, language))
    if json_wanted:
        click.echo(as_json(done.as_json() | {"privacy_key_missing": key_missing}))
        return
    for line in texts.restored(done, str(folder), key_missing=key_missing, zone=zone, language=language):
        click.echo(line)


def _told(bar: Callable[[str, int, int | None], None], language: Language) -> Callable[[str, int, int | None], None]:
    """Bars count megabytes, or rows."""

    def told(step: str, done: int, total: int | None) -> None:
        unit = 1 if step in ("store", "copy") else 1_000_000
        bar(texts.step(step, language), done // unit, None if total is None else max(total // unit, 1))

    return told
