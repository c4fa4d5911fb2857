"""`saseo doctor`: each check says ok, or what is wrong and what to do."""

from __future__ import annotations

import sys

import click

from bot.commands.output import as_json
from bot.commands.tools import Tools


@click.command("doctor")
@click.option("--json", "json_wanted", is_flag=True, help="JSON 한 줄로 출력합니다.")
@click.pass_obj
def doctor(tools: Tools, json_wanted: bool) -> None:
    """설치와 설정을 점검합니다."""
    checks = []
    well, wrong = ("정상", "문제") if tools.settings().language == "ko" else ("ok", "!!")
    for check in tools.doctor():
        checks.append(check)
        if not json_wanted:
            mark = click.style(well, fg="green") if check.ok else click.style(wrong, fg="red")
            click.echo(f"[{mark}] {check.name}: {check.found}")
            if check.remedy:
                click.echo(f"       → {check.remedy}")
    if json_wanted:
        click.echo(as_json([{"name": c.name, "ok": c.ok, "found": c.found, "remedy": c.remedy} for c in checks]))
    sys.exit(0 if all(check.ok for check in checks) else 1)
