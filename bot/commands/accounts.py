"""`saseo accounts`: who may log in to the web console."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from bot.commands import account_texts as texts
from bot.commands.output import as_json, at_terminal
from bot.commands.tools import Tools
from bot.errors import BadAccount, UnknownAccount
from bot.messages import Language

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bot.store.web_accounts import Role

PASSWORD = "SASEO_CONSOLE_PASSWORD"  # noqa: S105 - the name of a variable
"""For scripts: a password does not belong on a command line, where others of the machine can read it."""


@click.group("accounts")
def accounts() -> None:
    """웹 콘솔에 로그인할 계정을 관리합니다."""


@accounts.command("add")
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice(["viewer", "reviewer", "admin"]),
    default="viewer",
    help="viewer: 보기, reviewer: 예시 검토까지, admin: 모두.",
)
@click.option("--group", "groups", multiple=True, help="모두의 문서 외에 더 읽을 수 있는 그룹. 여러 번 쓸 수 있습니다.")
@click.option("--json", "json_wanted", is_flag=True, help="결과를 JSON 한 줄로 출력합니다.")
@click.pass_obj
def add(tools: Tools, name: str, role: Role, groups: Sequence[str], json_wanted: bool) -> None:
    """계정을 만들거나, 이미 있으면 비밀번호와 권한을 바꿉니다. 비밀번호는 물어보거나 SASEO_CONSOLE_PASSWORD에서 읽습니다."""
    from bot.web import passwords

    language = tools.settings().language
    _check_name(name, language)
    password = os.environ.get(PASSWORD) or click.prompt(
        texts.password(language), hide_input=True, confirmation_prompt=texts.password_again(language), err=True
    )
    if len(password) < passwords.LEAST:
        raise BadAccount(reason=texts.too_short(passwords.LEAST, language))
    stored = passwords.hashed(password)
    with tools.open_store() as store:
        new = store.run_now(_put, name, stored, role, tuple(groups), time.time())
    if json_wanted:
        click.echo(as_json({"name": name, "role": role, "groups": sorted(groups), "new": new}))
    else:
        click.echo(texts.put(name, role, new, language))


@accounts.command("list")
@click.option("--json", "json_wanted", is_flag=True, help="JSON 한 줄로 출력합니다.")
@click.pass_obj
def list_accounts(tools: Tools, json_wanted: bool) -> None:
    """계정과 권한을 보여 줍니다."""
    from datetime import datetime

    from bot.store import web_accounts

    settings = tools.settings()
    zone = ZoneInfo(settings.jobs.timezone)
    with tools.open_store() as store:
        found = store.run_now(web_accounts.every)
    if json_wanted:
        rows = [
            {"name": one.name, "role": one.role, "groups": sorted(one.groups), "made": one.made_at} for one in found
        ]
        click.echo(as_json(rows))
        return
    if not found:
        click.echo(texts.none(settings.language))
    for one in found:
        made = datetime.fromtimestamp(one.made_at, zone)
        click.echo(f"{one.name}  {one.role}  {', '.join(sorted(one.groups)) or '-'}  {made:%Y-%m-%d}")


@accounts.command("remove")
@click.argument("name")
@click.option("--json", "json_wanted", is_flag=True, help="결과를 JSON 한 줄로 출력합니다.")
@click.pass_obj
def remove(tools: Tools, name: str, json_wanted: bool) -> None:
    """계정을 지우고 열려 있는 로그인을 끊습니다."""
    with tools.open_store() as store:
        if not store.run_now(_remove, name, time.time()):
            raise UnknownAccount(name=name)
    click.echo(as_json({"removed": name}) if json_wanted else texts.removed(name, tools.settings().language))


def _check_name(name: str, language: Language) -> None:
    if not 1 <= len(name) <= 64 or not name.isprintable() or name != name.strip() or ":" in name or name == "local":
        raise BadAccount(reason=texts.bad_name(language))


def _put(connection: Connection, name: str, password: str, role: Role, groups: Sequence[str], now: float) -> bool:
    from bot.store import audit, web_accounts

    detail = {"role": role, "groups": sorted(groups)}
    audit.record(connection, by=at_terminal(), action="account.put", subject=name, detail=detail, now=now)
    return web_accounts.put(connection, name, password=password, role=role, groups=groups, now=now)


def _remove(connection: Connection, name: str, now: float) -> bool:
    from bot.store import audit, web_accounts

    if not web_accounts.remove(connection, name):
        return False
    audit.record(connection, by=at_terminal(), action="account.remove", subject=name, now=now)
    return True
