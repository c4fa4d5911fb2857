"""`saseo serve`: Slack and Discord, until a signal."""

from __future__ import annotations

import asyncio

import click

from bot.commands.tools import Tools


@click.command("serve")
@click.pass_obj
def serve(tools: Tools) -> None:
    """Slack, Discord, 웹 콘솔에서 질문을 받고 정해진 작업을 실행합니다. Ctrl-C나 SIGTERM으로 멈추면 쓰던 답변을 마치고 끝냅니다."""
    asyncio.run(tools.serve())


@click.command("discord-sync")
@click.pass_obj
def discord_sync(tools: Tools) -> None:
    """Discord에 명령어를 지금 다시 등록합니다. 명령어가 바뀌면 serve가 알아서 하므로 보통은 필요 없습니다."""
    count = asyncio.run(tools.discord_sync())
    click.echo(f"명령어 {count}개를 등록했습니다.")
