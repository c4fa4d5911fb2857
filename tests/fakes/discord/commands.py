"""The bot's application commands: Discord's rules for them (docs: interactions/application-commands), and the registry."""

from __future__ import annotations

import re
from typing import Any

from tests.fakes.discord.records import JSON, ApiError, Clock, Form, Step

CHAT_INPUT, USER_MENU, MESSAGE_MENU = 1, 2, 3
SUBCOMMAND, SUBCOMMAND_GROUP, STRING, INTEGER, BOOLEAN, NUMBER = 1, 2, 3, 4, 5, 10
NAME = re.compile(
    r"[-_'\w]{1,32}"
)  # \w for \p{L}\p{N}: Python's re has no scripts, the marks of two of them are missing
MOST_CHARACTERS = 8000
LOCALES = {
    "id", "da", "de", "en-GB", "en-US", "es-ES", "es-419", "fr", "hr", "it", "lt", "hu", "nl", "no", "pl", "pt-BR", "ro",
    "fi", "sv-SE", "vi", "tr", "cs", "el", "bg", "ru", "uk", "hi", "th", "zh-CN", "ja", "zh-TW", "ko",
}  # fmt: skip
FIELDS = {
    "name", "name_localizations", "description", "description_localizations", "options", "default_member_permissions",
    "dm_permission", "default_permission", "integration_types", "contexts", "type", "nsfw", "handler", "id",
}  # fmt: skip
OPTION_FIELDS = {
    "type", "name", "name_localizations", "description", "description_localizations", "required", "choices", "options",
    "channel_types", "min_value", "max_value", "min_length", "max_length", "autocomplete",
}  # fmt: skip


def check(command: JSON, form: Form, path: tuple[Step, ...] = ()) -> None:
    """Everything wrong with one command goes into the form."""
    form.known(command, FIELDS, path)
    kind = command.get("type", CHAT_INPUT)
    if kind not in (CHAT_INPUT, USER_MENU, MESSAGE_MENU):
        form.bad((*path, "type"), "BASE_TYPE_CHOICES", 'Value of field "type" must be one of (1, 2, 3).')
    _named(command, form, path, slash=kind == CHAT_INPUT)
    if kind != CHAT_INPUT and (command.get("description") or command.get("options")):
        form.bad((*path, "description"), "APPLICATION_COMMANDS_DESCRIPTION_INVALID", "Only for chat input commands.")
    _options(command.get("options") or [], form, (*path, "options"))
    for key, known in (("contexts", {0, 1, 2}), ("integration_types", {0, 1})):
        values = command.get(key)
        if values is not None and (not values or not set(values) <= known or len(set(values)) != len(values)):
            form.bad((*path, key), "BASE_TYPE_CHOICES", f"Values must be different ones of {sorted(known)}.")
    if _characters(command) > MOST_CHARACTERS:
        form.bad(path, "APPLICATION_COMMAND_TOO_LARGE", "Command exceeds maximum size (8000)")


def _characters(node: JSON) -> int:
    """Names, descriptions and choice values; of localisations the longest counts (docs: max 8000 characters)."""
    count = 0
    for key in ("name", "description"):
        texts = [node.get(key) or "", *(node.get(f"{key}_localizations") or {}).values()]
        count += max(map(len, texts))
    for choice in node.get("choices") or []:
        count += _characters(choice) + len(str(choice.get("value", "")))
    return count + sum(_characters(option) for option in node.get("options") or [])


def _named(node: JSON, form: Form, path: tuple[Step, ...], *, slash: bool) -> None:
    names = {None: node.get("name"), **(node.get("name_localizations") or {})}
    descriptions = {None: node.get("description"), **(node.get("description_localizations") or {})}
    for key, texts in (("name", names), ("description", descriptions)):
        for locale in texts:
            if locale is not None and locale not in LOCALES:
                form.bad((*path, f"{key}_localizations", locale), "ENUM_TYPE_COERCE", "Unknown locale.")
    for locale, name in names.items():
        here = (*path, "name") if locale is None else (*path, "name_localizations", locale)
        form.length(name, here, least=1, most=32)
        if slash and isinstance(name, str) and (not NAME.fullmatch(name) or name != name.lower()):
            form.bad(here, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
    if slash:
        for locale, text in descriptions.items():
            here = (*path, "description") if locale is None else (*path, "description_localizations", locale)
            form.length(text, here, least=1, most=100)


def _options(options: Any, form: Form, path: tuple[Step, ...]) -> None:
    if len(options) > 25:
        form.bad(path, "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    names: set[str] = set()
    optional_seen = False
    for index, option in enumerate(options):
        here = (*path, index)
        form.known(option, OPTION_FIELDS, here)
        if option.get("type") not in range(1, 12):
            form.bad((*here, "type"), "BASE_TYPE_CHOICES", 'Value of field "type" must be one of (1-11).')
        _named(option, form, here, slash=True)
        if option.get("name") in names:
            form.bad((*here, "name"), "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", "Option name already exists.")
        names.add(option.get("name"))
        if option.get("required") and optional_seen:
            form.bad(here, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", "Required options come first.")
        optional_seen = optional_seen or not option.get("required", False)
        choices = option.get("choices") or []
        if len(choices) > 25:
            form.bad((*here, "choices"), "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
        if choices and option.get("autocomplete"):
            form.bad(here, "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_INVALID", "Choices exclude autocomplete.")
        if option.get("autocomplete") and option.get("type") not in (STRING, INTEGER, NUMBER):
            form.bad(here, "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_INVALID", "Not for this type.")
        for number, choice in enumerate(choices):
            check_choice(choice, form, (*here, "choices", number))
        if option.get("options"):
            _options(option["options"], form, (*here, "options"))


def check_choice(choice: JSON, form: Form, path: tuple[Step, ...]) -> None:
    """A choice of an option, or of an autocomplete."""
    form.known(choice, ("name", "name_localizations", "value"), path)
    form.length(choice.get("name"), (*path, "name"), least=1, most=100)
    for locale, name in (choice.get("name_localizations") or {}).items():
        form.length(name, (*path, "name_localizations", locale), least=1, most=100)
    if isinstance(choice.get("value"), str):
        form.length(choice["value"], (*path, "value"), least=1, most=100)
    elif not isinstance(choice.get("value"), int | float):
        form.bad((*path, "value"), "BASE_TYPE_REQUIRED", "This field is required")


class Registry:
    """What is registered, everywhere (`None`) and for each server."""

    def __init__(self, application_id: int, clock: Clock) -> None:
        self._application_id = application_id
        self._clock = clock
        self._registered: dict[int | None, list[JSON]] = {}
        self.overwrites = 0
        """How often the commands were synchronised."""

    def listed(self, guild_id: int | None) -> list[JSON]:
        """Those of one place."""
        return self._registered.get(guild_id, [])

    def overwrite(self, guild_id: int | None, commands: Any, form: Form) -> list[JSON]:
        """Replace them all; a command of the same name and type keeps its id. Raises ApiError."""
        if not isinstance(commands, list):
            raise ApiError(400, 50035, "Invalid Form Body", violation=True)
        counts: dict[int, int] = {}
        names: set[tuple[int, str]] = set()
        for index, command in enumerate(commands):
            check(command, form, (index,))
            kind = command.get("type", CHAT_INPUT)
            counts[kind] = counts.get(kind, 0) + 1
            if (kind, command.get("name", "")) in names:
                form.bad((index, "name"), "APPLICATION_COMMANDS_DUPLICATE_NAME", "Command names must be unique")
            names.add((kind, command.get("name", "")))
        if counts.get(CHAT_INPUT, 0) > 100 or max(counts.get(USER_MENU, 0), counts.get(MESSAGE_MENU, 0)) > 15:
            raise ApiError(400, 30032, "Maximum number of application commands reached (100)", violation=True)
        form.close()
        old = {(c["type"], c["name"]): c["id"] for c in self.listed(guild_id)}
        self._registered[guild_id] = [self._completed(command, guild_id, old) for command in commands]
        self.overwrites += 1
        return self._registered[guild_id]

    def upsert(self, guild_id: int | None, command: JSON, form: Form) -> JSON:
        """Create one, or replace the one of its name and type. Raises ApiError."""
        check(command, form)
        form.close()
        old = {(c["type"], c["name"]): c["id"] for c in self.listed(guild_id)}
        fresh = self._completed(command, guild_id, old)
        self._registered[guild_id] = [c for c in self.listed(guild_id) if c["id"] != fresh["id"]] + [fresh]
        return fresh

    def remove(self, guild_id: int | None, command_id: str) -> bool:
        """Whether it was there."""
        kept = [c for c in self.listed(guild_id) if c["id"] != command_id]
        found = len(kept) < len(self.listed(guild_id))
        self._registered[guild_id] = kept
        return found

    def find(self, kind: int, name: str, guild_id: int | None) -> JSON | None:
        """By its base name or any localised one, as a person in that server (None: a direct conversation) sees it."""
        places = [guild_id, None] if guild_id is not None else [None]
        for place in places:
            for command in self.listed(place):
                names = {command["name"], *(command.get("name_localizations") or {}).values()}
                contexts = command.get("contexts")
                here = contexts is None or (0 if guild_id is not None else 1) in contexts
                if command["type"] == kind and name in names and here:
                    return command
        return None

    def _completed(self, command: JSON, guild_id: int | None, old: dict[tuple[int, str], str]) -> JSON:
        kind = command.get("type", CHAT_INPUT)
        completed = {
            "description": "",
            "name_localizations": None,
            "description_localizations": None,
            "default_member_permissions": None,
            "dm_permission": guild_id is None,
            "nsfw": False,
            "integration_types": [0],
            "contexts": None,
            **command,
            "type": kind,
            "id": old.get((kind, command["name"])) or str(self._clock.snowflake()),
            "application_id": str(self._application_id),
            "version": str(self._clock.snowflake()),
        }
        if guild_id is not None:
            completed["guild_id"] = str(guild_id)
        return completed
