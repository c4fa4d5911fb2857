"""Answers → the text of config.toml and .env, and both on disk without losing what was there."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from bot.errors import FileInTheWay, InvalidSetting, SetupNotWritable
from bot.setup import texts
from bot.setup.answers import Answers

ENV_FILE = ".env"
_ASSIGNED = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=", re.MULTILINE)


def config_text(answers: Answers) -> str:
    """A config.toml that names only what differs from the defaults, with a comment on each line that needs one.

    Raises InvalidSetting for a path that no UTF-8 file can name.
    """
    return "".join(f"{line}\n".replace(" \n", "\n") for line in _lines(answers))


def _lines(answers: Answers) -> Iterator[str]:
    from bot.settings import Settings

    default = Settings.model_fields
    web = default["web"].default
    said = texts.comments(answers.language)
    yield f"# {said['head']}"
    yield ""
    yield f"data_dir = {_text(answers.data_dir)} # {said['data_dir']}"
    if answers.language != default["language"].default:
        yield f"language = {_text(answers.language)}"
    yield ""
    yield f"[[sources]] # {said['sources']}"
    yield f"name = {_text(answers.source)} # {said['name']}"
    yield f"path = {_text(answers.wiki)}"
    yield f'audience = ["everyone"] # {said["audience"]}'
    if answers.writer:
        yield ""
        yield "[writer]"
        yield f"model = {_text(answers.writer)} # {said['model']}"
    if answers.slack:
        yield ""
        yield f"[slack] # {said['slack']}"
        yield "enabled = true"
        yield f"admins = {_list(answers.slack_admins)} # {said['admins']}"
    if answers.discord:
        yield ""
        yield f"[discord] # {said['discord']}"
        yield "enabled = true"
        yield f"guild_ids = [{', '.join(map(str, answers.guild_ids))}] # {said['guilds']}"
        if answers.admin_roles:
            yield f"admin_roles = {_list(answers.admin_roles)} # {said['admins']}"
    differing = [
        f"{key} = {json.dumps(given)}"
        for key, given in (("enabled", answers.web), ("host", answers.web_host), ("port", answers.web_port))
        if given != getattr(web, key)
    ]
    if differing:
        yield ""
        yield f"[web] # {said['web']}"
        yield from differing


def env_text(answers: Answers) -> str:
    """A template for the secrets: what was chosen as empty variables, the rest as comments."""
    return "".join(f"{line}\n" for line in _env_lines(answers))


def _env_lines(answers: Answers) -> Iterator[str]:
    said = texts.secrets(answers.language)
    yield f"# {said['head']}"
    for wanted, names, remark in (
        (answers.slack, ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"), said["slack"]),
        (answers.discord, ("DISCORD_TOKEN",), said["discord"]),
        (False, ("SASEO_STORE__URL",), said["store"]),
        (False, ("SASEO_PRIVACY_KEY",), said["privacy"]),
        (False, ("SASEO_METRICS_TOKEN",), said["metrics"]),
    ):
        yield ""
        yield f"# {remark}"
        for name in names:
            yield f"{'' if wanted else '# '}{name}="


def write_config(path: Path, text: str, *, replace: bool) -> None:
    """All of it or nothing, and only if Saseo can read it. Raises FileInTheWay, SetupNotWritable, SettingsError."""
    from bot.settings_file import default_folder, load_settings

    if path.exists() and (not replace or path.resolve() == default_folder() / "config.toml"):
        raise FileInTheWay(path=path)
    fresh = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _create(fresh, text, 0o644)
        load_settings(fresh)
        fresh.replace(path)
    except OSError as error:
        raise SetupNotWritable(path=path, reason=error.strerror or type(error).__name__) from error
    finally:
        fresh.unlink(missing_ok=True)


def check_config(text: str) -> None:
    """Saseo can read it. Raises SettingsError, SetupNotWritable."""
    with tempfile.TemporaryDirectory() as folder:
        write_config(Path(folder) / "config.toml", text, replace=False)


def write_env(path: Path, text: str) -> tuple[str, ...]:
    """Create it for its owner alone (0600), or add to an existing one the variables that it lacks; their names.

    A value that stands there is never touched. Raises SetupNotWritable.
    """
    wanted = _ASSIGNED.findall(text)
    try:
        if not path.exists():
            _create(path, text, 0o600)
            return tuple(wanted)
        path.chmod(0o600)
        held = path.read_text(encoding="utf-8")
        missing = tuple(name for name in wanted if name not in _ASSIGNED.findall(held))
        if missing:
            with path.open("a", encoding="utf-8") as file:
                file.write(
                    "".join(f"{name}=\n" for name in missing)
                    if held.endswith("\n") or not held
                    else "\n" + "".join(f"{name}=\n" for name in missing)
                )
    except (OSError, UnicodeDecodeError) as error:
        raise SetupNotWritable(path=path, reason=getattr(error, "strerror", "") or type(error).__name__) from error
    return missing


def _create(path: Path, text: str, mode: int) -> None:
    """Never readable by others in between, whatever the umask is."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        file.write(text)


def _text(value: object) -> str:
    """A TOML basic string: JSON's, except that TOML takes no raw DEL."""
    try:
        str(value).encode()
    except UnicodeEncodeError as error:
        raise InvalidSetting(key="path", reason=repr(str(value))) from error
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def _list(values: Iterable[str]) -> str:
    return f"[{', '.join(_text(value) for value in values)}]"
