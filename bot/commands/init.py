"""`saseo init`: a few questions, or options, → config.toml and .env."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from bot.commands.output import as_json
from bot.errors import AnswerMissing, FileInTheWay
from bot.messages import Language
from bot.setup import texts
from bot.setup.files import ENV_FILE, check_config, config_text, env_text, write_config, write_env
from knowledge.errors import ExplainedError

if TYPE_CHECKING:
    from bot.setup.answers import Answers

_T = TypeVar("_T")
_STDOUT = Path("-")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@click.command("init")
@click.argument("wiki", required=False, type=click.Path(path_type=Path))
@click.option("--name", help="출처의 이름. 없으면 폴더의 이름입니다.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="쓸 설정 파일. 없으면 --config의 파일, 또는 config.toml(이미 있으면 my.toml)입니다. -는 표준 출력입니다(.env는 쓰지 않습니다).",
)
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    help="색인과 기록을 둘 폴더. 없으면 설정 파일 옆의 var, 소스 폴더에서는 var/출처 이름입니다.",
)
@click.option("--language", "spoken", type=click.Choice(["ko", "en"]), help="답변과 안내의 언어.")
@click.option("--model", default="", help="쓸 답변 모델(`saseo models list`의 이름).")
@click.option("--slack/--no-slack", default=None, help="Slack에 연결합니다.")
@click.option("--slack-admin", multiple=True, help="설정을 바꿀 수 있는 Slack 멤버 ID(여러 번 쓸 수 있습니다).")
@click.option("--discord/--no-discord", default=None, help="Discord에 연결합니다.")
@click.option("--guild", multiple=True, help="질문해도 되는 Discord 서버 ID(여러 번 쓸 수 있습니다).")
@click.option("--admin-role", multiple=True, help="설정을 바꿀 수 있는 Discord 역할 ID(여러 번 쓸 수 있습니다).")
@click.option("--web/--no-web", default=None, help="웹 콘솔을 켭니다.")
@click.option("--web-host", default="127.0.0.1", show_default=True, help="웹 콘솔의 주소.")
@click.option("--web-port", help="웹 콘솔의 포트.")
@click.option("--yes", "-y", is_flag=True, help="묻지 않습니다. 빠진 답은 기본값입니다.")
@click.option("--force", is_flag=True, help="이미 있는 설정 파일을 덮어씁니다(.env의 값은 언제나 그대로 둡니다).")
@click.option("--json", "json_wanted", is_flag=True, help="JSON 한 줄로 출력합니다(묻지 않습니다).")
@click.pass_context
def init(
    context: click.Context,
    wiki: Path | None,
    name: str | None,
    out: Path | None,
    data_dir: Path | None,
    spoken: Language | None,
    model: str,
    slack: bool | None,
    slack_admin: tuple[str, ...],
    discord: bool | None,
    guild: tuple[str, ...],
    admin_role: tuple[str, ...],
    web: bool | None,
    web_host: str,
    web_port: str | None,
    yes: bool,
    force: bool,
    json_wanted: bool,
) -> None:
    """몇 가지를 묻고 설정 파일(config.toml)과 토큰을 적을 .env를 씁니다. WIKI는 위키 문서가 있는 폴더입니다."""
    from bot.setup.answers import Answers, discord_ids, folder_to_write, look_at, port, slack_members

    asks = not (yes or json_wanted) and sys.stdin.isatty()
    language = spoken or _language(asks)
    ask = _Asking(language, asks)
    ask.say(texts.welcome(language) if asks else "")

    def wiki_folder(written: str) -> Path:
        folder = Path(os.path.abspath(Path(written).expanduser()))
        ask.say(texts.found(look_at(folder), language))
        return folder

    if model:
        _known(model)
    config = out or context.find_root().params.get("config") or _free_name()
    config = Path(os.path.abspath(config))
    folder = ask("wiki", wiki_folder, wiki, option="WIKI")
    source = name or folder.name or "wiki"
    usual = os.environ.get("SASEO_DATA_DIR") or str(_data_folder(config, source))
    data = ask("data_dir", lambda written: folder_to_write(Path(written)), data_dir, usual)
    on_slack = ask.whether("slack", slack, default=bool(slack_admin))
    admins = ask("slack_admins", slack_members, " ".join(slack_admin), "") if on_slack else ()
    on_discord = ask.whether("discord", discord, default=bool(guild))
    guilds: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    if on_discord:
        guilds = ask(
            "guild_ids",
            lambda written: _some(discord_ids(written, "[discord] guild_ids")),
            " ".join(guild),
            option="--guild",
        )
        roles = ask(
            "admin_roles", lambda written: discord_ids(written, "[discord] admin_roles"), " ".join(admin_role), ""
        )
    on_web = ask.whether("web", web, default=True)
    number = ask("web_port", port, web_port, "8787") if on_web else 8787
    if on_web and _taken(number):
        ask.say(texts.port_taken(number, language))
    answers = Answers(
        wiki=folder,
        source=source,
        data_dir=data,
        language=language,
        writer=model,
        slack=on_slack,
        slack_admins=admins,
        discord=on_discord,
        guild_ids=tuple(map(int, guilds)),
        admin_roles=roles,
        web=on_web,
        web_host=web_host,
        web_port=number,
    )
    if asks:
        ask.say(texts.summary(answers, config, language))
        if not click.confirm(texts.question("sure", language), default=True):
            raise click.Abort
    if out == _STDOUT:
        check_config(config_text(answers))
        click.echo(config_text(answers), nl=False)
        return
    config = _written(config, answers, ask, force=force)
    env = config.parent / ENV_FILE
    added = write_env(env, env_text(answers))
    steps = _next(config, answers)
    if json_wanted:
        click.echo(
            as_json(
                {"config": str(config), "env": str(env), "pages": look_at(folder).pages, "fill": added, "next": steps}
            )
        )
        return
    click.echo(texts.written(config, env, added, language))
    reading = f"set -a; . {shlex.quote(str(env))}; set +a" if on_slack or on_discord else None
    click.echo(texts.next_steps(steps, reading, language))


class _Asking:
    """Asks a person until the answer holds; without one takes what was given, or the default."""

    def __init__(self, language: Language, asks: bool) -> None:
        self._language = language
        self._asks = asks

    def __call__(
        self, name: str, check: Callable[[str], _T], given: object, default: str | None = None, *, option: str = ""
    ) -> _T:
        """`given` wins over asking. `option`: what to name where there is neither a person nor a default."""
        if given:
            return check(str(given))
        if not self._asks:
            if default is None:
                raise AnswerMissing(option=option)
            return check(default)
        while True:
            try:
                return check(click.prompt(texts.question(name, self._language), default, show_default=bool(default)))
            except ExplainedError as error:
                click.secho(error.explain(self._language), fg="red", err=True)

    def whether(self, name: str, given: bool | None, *, default: bool) -> bool:
        """Yes or no."""
        if given is not None or not self._asks:
            return default if given is None else given
        return click.confirm(texts.question(name, self._language), default=default)

    @property
    def possible(self) -> bool:
        """Somebody is there."""
        return self._asks

    def say(self, text: str) -> None:
        """Beside the questions."""
        if text:
            click.echo(text, err=True)


def _written(config: Path, answers: Answers, ask: _Asking, *, force: bool) -> Path:
    """Where it was written: elsewhere, if the person does not want it overwritten."""
    language = answers.language
    while True:
        try:
            write_config(config, config_text(answers), replace=force)
        except FileInTheWay as error:
            if not ask.possible:
                raise
            # The shipped config.toml, which lists every setting, is never overwritten.
            if not force and click.confirm(texts.exists(config, language), default=False):
                force = True
                continue
            ask.say(error.explain(language))
            force = False
            config = Path(os.path.abspath(click.prompt(texts.question("out", language), "my.toml")))
        else:
            return config


def _language(asks: bool) -> Language:
    usual: Language = "en" if os.environ.get("SASEO_LANGUAGE") == "en" else "ko"
    chosen: Language = click.prompt(texts.LANGUAGE, usual, type=click.Choice(["ko", "en"])) if asks else usual
    return chosen


def _free_name() -> Path:
    """config.toml, which needs no `--config`; beside an existing one my.toml."""
    return Path("my.toml" if Path("config.toml").exists() else "config.toml")


def _data_folder(config: Path, source: str) -> Path:
    """`var` beside the settings; beside the shipped ones that is the demo's, so a folder of its own in it."""
    from bot.settings_file import default_folder

    var = config.parent / "var"
    return var / source if config.parent.resolve() == default_folder() else var


def _program() -> str:
    """What to type for this very program: `saseo` where PATH leads to it, else the path it was called by."""
    called = Path(sys.argv[0])
    if called.name != "saseo" or not os.access(called, os.X_OK):
        return "saseo"
    # Of a bundle PREFIX/bin/saseo is called, which knows where the models lie and starts PREFIX/current/bin/saseo.
    wrapper = called.parent.parent.parent / "bin" / "saseo"
    if called.parent.parent.name == "current" and os.access(wrapper, os.X_OK):
        called = wrapper
    found = shutil.which("saseo")
    if found and os.path.samefile(found, called):
        return "saseo"
    return shlex.quote(os.path.relpath(called) if called.is_relative_to(Path.cwd()) else str(called))


def _next(config: Path, answers: Answers) -> list[str]:
    saseo = _program()
    if config != Path.cwd() / "config.toml":
        saseo += f" --config {shlex.quote(os.path.relpath(config))}"
    serves = answers.slack or answers.discord or answers.web
    # A console that others can reach does not start before somebody could log in.
    login = [f"{saseo} accounts add NAME --role admin"] if answers.web and answers.web_host not in _LOOPBACK else []
    last = f"{saseo} {'serve' if serves else 'chat'}"
    return [f"{saseo} models pull", f"{saseo} index", *login, f"{saseo} doctor", last]


def _known(model: str) -> None:
    """Raises UnknownModel."""
    from bot.models.catalogue import Catalogue
    from bot.models.store import local_path

    if local_path(model) is None:
        Catalogue.load(None).get(model)


def _some(ids: tuple[str, ...]) -> tuple[str, ...]:
    if not ids:
        raise AnswerMissing(option="--guild")
    return ids


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
