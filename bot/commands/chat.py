"""`saseo chat`: a conversation in this terminal. The talking itself is the terminal adapter's."""

from __future__ import annotations

import asyncio

import click

from bot.commands.batch import groups_of
from bot.commands.tools import Tools


@click.command("chat")
@click.option("--as", "as_group", help="이 그룹의 사람으로 질문합니다(여럿이면 쉼표).")
@click.pass_obj
def chat(tools: Tools, as_group: str | None) -> None:
    """터미널에서 대화합니다. 이어지는 질문을 이해합니다."""
    asyncio.run(tools.chat(groups_of(as_group)))
