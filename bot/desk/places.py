"""How Saseo behaves in each place: config.toml's `[[places]]`, and over it what an admin changed from chat."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.conversation import Person, Place, PlaceSettings
from bot.errors import InvalidSetting, UnknownSetting
from bot.messages import Language
from bot.settings import PlaceTable

KEYS = ("sources", "listen", "language", "private", "contacts")
_CHOICES = {"listen": ("mention", "threads", "all"), "language": ("ko", "en")}
_YES = frozenset({"true", "yes", "on", "1", "예", "네", "켬", "켜기"})
_NO = frozenset({"false", "no", "off", "0", "아니요", "아니오", "끔", "끄기"})
_CONTACT = {"slack": re.compile(r"[UWS][A-Z0-9]+"), "discord": re.compile(r"(?:user:|role:)?[0-9]{1,20}")}

_CONTACT_FORMS = {"slack": "U… | S…", "discord": "user:… | role:…"}


class PlaceBook:
    """Settings by place, from memory. `admins`: by platform, ids of people and of roles."""

    def __init__(
        self,
        tables: Sequence[PlaceTable],
        *,
        language: Language,
        source_names: Sequence[str],
        admins: Mapping[str, frozenset[str]],
        named: Callable[[Place], Place] = lambda place: place,
    ) -> None:
        """`named`: a place as rows name it (bot/desk/people.py). Raises InvalidSetting when a table names a source or contact that
        cannot be."""
        self._named = named
        self._language = language
        self._source_names = tuple(source_names)
        self._admins = admins
        self._configured: dict[tuple[str, str], PlaceSettings] = {}
        self._changes: dict[tuple[str, str], dict[str, str]] = {}
        for table in tables:
            for key in ("sources", "contacts"):
                self._parse(table.platform, key, ", ".join(getattr(table, key)))
            settings = PlaceSettings(
                sources=table.sources,
                listen=table.listen,
                language=table.language or language,
                private=table.private,
                contacts=table.contacts,
            )
            # Whether the id is that of a channel or of a direct message is not written there.
            for place in (Place(table.platform, table.id, "channel"), Place(table.platform, table.id, "direct")):
                self._configured[self._key(place)] = settings

    def load(self, changes: Mapping[tuple[str, str], dict[str, str]]) -> None:
        """Everything the store holds of changes from chat."""
        self._changes = {key: dict(value) for key, value in changes.items()}

    def settings(self, place: Place) -> PlaceSettings:
        """As they are now. A change that no longer fits (a source that is gone) is passed over."""
        key = self._key(place)
        found = self._configured.get(key) or self._configured.get((place.platform, "*"))
        found = found or PlaceSettings(language=self._language)
        for name, value in self._changes.get(key, {}).items():
            try:
                parsed: Any = self._parse(place.platform, name, value)
            except (InvalidSetting, UnknownSetting):
                continue
            found = replace(found, **{name: parsed})
        return found

    def merged(self, platform: str, before: Mapping[str, str], changes: Mapping[str, str]) -> dict[str, str]:
        """A place's changes after `changes`; an empty value resets a key. Raises InvalidSetting, UnknownSetting."""
        merged = dict(before)
        for key, value in changes.items():
            if key not in KEYS:
                close = difflib.get_close_matches(key, KEYS, n=1, cutoff=0.5)
                raise UnknownSetting(key=key, hint=f" (→ {close[0]}?)" if close else "")
            if value.strip():
                self._parse(platform, key, value)
                merged[key] = value.strip()
            else:
                merged.pop(key, None)
        return merged

    def is_admin(self, person: Person) -> bool:
        """Whether config.toml names the person, or one of their roles."""
        named = self._admins.get(person.platform, frozenset())
        return person.id in named or bool(person.roles & named)

    def _key(self, place: Place) -> tuple[str, str]:
        return place.platform, self._named(place).id

    def _parse(self, platform: str, key: str, value: str) -> object:
        text = value.strip()
        if key in _CHOICES:
            if text not in _CHOICES[key]:
                raise InvalidSetting(key=key, reason=" | ".join(_CHOICES[key]))
            return text
        if key == "private":
            if text.lower() not in _YES | _NO:
                raise InvalidSetting(key=key, reason="true | false")
            return text.lower() in _YES
        listed = tuple(part for part in re.split(r"[,\s]+", text) if part)
        if key == "sources":
            for name in listed:
                if name not in self._source_names:
                    raise InvalidSetting(key=key, reason=f"{name}? {', '.join(self._source_names)}")
        else:
            listed = tuple(_bare(contact) for contact in listed)
            for contact in listed:
                form = _CONTACT.get(platform)
                if form is None or not form.fullmatch(contact):
                    raise InvalidSetting(key=key, reason=f"{contact}? {_CONTACT_FORMS.get(platform, platform)}")
        return listed


def _bare(contact: str) -> str:
    """A mention as it is typed in chat, as the id inside: <@U1>, <!subteam^S1|@x>, <@!1>, <@&1>."""
    if found := re.fullmatch(r"<@&([0-9]+)>", contact):
        return f"role:{found[1]}"
    found = re.fullmatch(r"<(?:@!?|!subteam\^)([A-Z0-9]+)(?:\|[^>]*)?>", contact)
    return found[1] if found else contact
