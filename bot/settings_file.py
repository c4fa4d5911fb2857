"""config.toml and the environment → one `Settings`, once. Unknown keys are refused with the nearest known name.

Order of precedence: environment (`SASEO_WRITER__MODEL=…`) over the file over the defaults of bot/settings.py. A file
names only what differs. Relative paths count from the file's folder.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from bot.errors import InvalidSetting, SettingsFileMissing, UnknownSetting
from bot.settings import PREFIX, PlaceTable, Settings
from bot.source_settings import SourceSettings, kind_keys

CONFIG_VARIABLE = "SASEO_CONFIG"
"""Names the file itself, so it is no key of it."""
_NO_SETTINGS = frozenset({CONFIG_VARIABLE, "SASEO_PRIVACY_KEY", "SASEO_METRICS_TOKEN", "SASEO_CONSOLE_PASSWORD"})
"""Three are secrets: bot/privacy/pseudonyms.py, bot/telemetry/telemetry.py, bot/commands/accounts.py."""


def default_folder() -> Path:
    """Where `examples/` and the commented `config.toml` are: the checkout, or `_rooms` in a wheel."""
    return Path(__file__).resolve().parent.parent


def load_settings(path: Path | None) -> Settings:
    """Read `path`; without one `./config.toml` if it exists, else the defaults over the example wiki.

    Raises SettingsFileMissing, UnknownSetting, InvalidSetting.
    """
    given: dict[str, Any] = {}
    folder = Path.cwd()
    chosen = path if path is not None else Path("config.toml")
    if chosen.is_file():
        folder = chosen.resolve().parent
        try:
            given = tomllib.loads(chosen.read_text(encoding="utf-8-sig"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            raise InvalidSetting(key=str(chosen), reason=str(error)) from error
    elif path is not None:
        raise SettingsFileMissing(path=path)
    _refuse_unknown_variables()
    try:
        settings = Settings(**given)
    except ValidationError as error:
        raise _explained(error) from error
    except ValueError as error:  # an environment variable that is not the JSON its field needs
        raise InvalidSetting(key="SASEO_…", reason=str(error)) from error
    # The embedded wiki is found wherever Saseo is installed; a named source counts from its file.
    wiki_root = folder if "sources" in settings.model_fields_set else default_folder()
    return settings.model_copy(
        update={
            "data_dir": _absolute(settings.data_dir, folder),
            "models_dir": settings.models_dir and _absolute(settings.models_dir, folder),
            "index": settings.index.model_copy(update={"regression_set": _file(settings.index.regression_set, folder)}),
            "backup": settings.backup.model_copy(update={"folder": _file(settings.backup.folder, folder)}),
            "groups_file": settings.groups_file and _absolute(settings.groups_file, folder),
            "catalogue": settings.catalogue and _absolute(settings.catalogue, folder),
            "search": settings.search.model_copy(
                update={
                    "glossary": _file(settings.search.glossary, folder),
                    "rerank": _file(settings.search.rerank, folder),
                }
            ),
            "writer": settings.writer.model_copy(update={"model": _model(settings.writer.model, folder)}),
            "embedder": settings.embedder.model_copy(update={"model": _model(settings.embedder.model, folder)}),
            "tuning": settings.tuning.model_copy(
                update={"evaluation_sets": tuple(_absolute(one, folder) for one in settings.tuning.evaluation_sets)}
            ),
            "sources": tuple(source.counted_from(wiki_root) for source in settings.sources),
        }
    )


def _absolute(path: Path, folder: Path) -> Path:
    return folder / path.expanduser()


def _file(path: str, folder: Path) -> str:
    """The path of a file that need not be there; empty stays empty."""
    return str(_absolute(Path(path), folder)) if path else ""


def _model(name: str, folder: Path) -> str:
    """A name of the catalogue as it is; the path of a model file made absolute."""
    from bot.models.store import local_path

    path = local_path(name)
    return name if path is None else str(_absolute(path, folder))


def _refuse_unknown_variables() -> None:
    """pydantic-settings overlooks a variable that names no field at all; a typo must not be silent there either."""
    known = [PREFIX + key.replace(".", "__").upper() for key in known_keys()]
    for name, value in os.environ.items():
        variable = name.upper()
        if value and variable.startswith(PREFIX) and variable not in known and variable not in _NO_SETTINGS:
            close = difflib.get_close_matches(variable, known, n=1, cutoff=0.5)
            raise UnknownSetting(key=name, hint=f" (→ {close[0]}?)" if close else "")


def _explained(error: ValidationError) -> UnknownSetting | InvalidSetting:
    """The first complaint of pydantic as one of ours."""
    first = error.errors()[0]
    where = [str(part) for part in first["loc"]]
    key = ".".join(where) or "config.toml"
    if first["type"] != "extra_forbidden":
        return InvalidSetting(key=key, reason=first["msg"])
    close = difflib.get_close_matches(key, known_keys(), n=1, cutoff=0.5)
    return UnknownSetting(key=key, hint=f" (→ {close[0]}?)" if close else "")


def known_keys(table: type[BaseModel] = Settings, prefix: str = "") -> list[str]:
    """Every key with its dots, e.g. `search.weights.dense`; list tables as `sources.name`."""
    keys = []
    for name, field in table.model_fields.items():
        inner: object = field.annotation
        if table is Settings:
            tables: dict[str, type[BaseModel]] = {"sources": SourceSettings, "places": PlaceTable}
            inner = tables.get(name, inner)
        elif table is SourceSettings and name == "options":  # its keys stand in the table itself
            keys += [prefix + option for option in kind_keys()]
            continue
        keys.append(prefix + name)
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            keys += known_keys(inner, f"{prefix}{name}.")
    return keys
