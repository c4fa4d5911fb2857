"""`/wiki 설정`: how Saseo behaves in a channel, shown to everyone, changed by admins (by command or by a form)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from adapters.slack import admin_texts, events, log, render, texts
from adapters.slack.events import Payload
from adapters.slack.kit import Kit, Spot, field, spot, submitted
from adapters.text import mrkdwn, plain
from bot.conversation import Person, PlaceSettings
from bot.errors import SaseoError
from bot.messages import Language

SETTINGS = "place_settings_open"
SAVED = "place_settings_form"
_KEYS: Mapping[str, str] = {name: key for key, pair in admin_texts.SETTING_NAMES.items() for name in (key, pair[0])}
_VALUES: Mapping[str, Mapping[str, str]] = {
    "listen": {"멘션": "mention", "스레드": "threads", "전체": "all", "모두": "all"},
    "language": {"한국어": "ko", "영어": "en"},
}
_FIELDS = ("listen", "language", "sources", "contacts")
_logger = logging.getLogger(__name__)


class PlaceAdmin:
    """Payload → `Desk.place_settings` and `Desk.change_place`."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    async def command(self, body: Payload, words: list[str]) -> None:
        """`/wiki 설정` shows, `/wiki 설정 듣기=threads` changes."""
        at = spot(body)
        person = await self._kit.person(body)
        language = self._kit.language(at.channel)
        given, strange = events.assignments(words)
        changes, unknown = _changes(given)
        if strange or unknown:
            words_shown = [mrkdwn(plain(word)) for word in [*strange, *unknown]]
            usage = admin_texts.settings_usage(language)
            await self._kit.whisper(at, f"{admin_texts.settings_not_understood(words_shown, language)}\n{usage}")
        elif changes:
            await self._change(at, person, changes, language)
        else:
            await self._show(at, self._kit.settings(at.channel), language, self._kit.desk.is_admin(person))

    async def opened(self, body: Payload) -> None:
        """The button "설정 바꾸기"."""
        at = spot(body)
        language = self._kit.language(at.channel)
        view = _form(self._kit.settings(at.channel), language, at.dump())
        if not await self._kit.open_modal(body, view):
            await self._kit.whisper(at, texts.went_wrong(language))

    async def saved(self, body: Payload) -> None:
        """The form was sent. Whether the person may is the desk's to say."""
        at, _ = submitted(body)
        now = self._kit.settings(at.channel)
        before: dict[str, str] = {
            "listen": now.listen,
            "language": now.language,
            "sources": ", ".join(now.sources),
            "contacts": ", ".join(now.contacts),
        }
        filled = {key: _filled(field(body, f"place_{key}")) for key in _FIELDS}
        filled["contacts"] = events.contact_ids(filled["contacts"])
        # What was left as it was must go on following config.toml.
        changes = {key: value for key, value in filled.items() if value != before[key]}
        language = self._kit.language(at.channel)
        await self._change(at, await self._kit.person(body), changes, language)

    async def _change(self, at: Spot, person: Person, changes: Mapping[str, str], language: Language) -> None:
        place = await self._kit.place(at.channel)
        try:
            now = await self._kit.desk.change_place(place, person, changes)
        except SaseoError as error:
            await self._kit.whisper(at, mrkdwn(error.explain(language)))
            return
        log.event(_logger, logging.INFO, "slack_place_changed", channel=at.channel, keys=sorted(changes))
        await self._show(at, now, now.language, admin=False, head=admin_texts.settings_saved(now.language))

    async def _show(self, at: Spot, now: PlaceSettings, language: Language, admin: bool, head: str = "") -> None:
        shown = mrkdwn(admin_texts.settings_shown(now, language))
        text = f"{head}\n{shown}" if head else f"{shown}\n\n{admin_texts.settings_usage(language)}" if admin else shown
        blocks = [render.section(text)]
        if admin:
            label = texts.pick(admin_texts.BUTTON_SETTINGS, language)
            blocks.append(render.actions([render.button(SETTINGS, label, "open")]))
        await self._kit.whisper(at, text, blocks)


def _changes(given: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Korean names and values → the keys of config.toml; and the names that are none."""
    changes: dict[str, str] = {}
    unknown = []
    for name, value in given.items():
        key = _KEYS.get(name.lower())
        if key is None:
            unknown.append(name)
        elif key == "contacts":
            changes[key] = events.contact_ids(value)
        else:
            changes[key] = _VALUES.get(key, {}).get(value, value)
    return changes, unknown


def _filled(element: Mapping[str, Any]) -> str:
    option = element.get("selected_option") or {}
    return str(option.get("value") or element.get("value") or "").strip()


def _form(now: PlaceSettings, language: Language, metadata: str) -> dict[str, Any]:
    def text(value: str) -> dict[str, Any]:
        return {"type": "plain_text", "text": value}

    def select(key: str, labels: Mapping[str, tuple[str, str]], chosen: str) -> dict[str, Any]:
        options = {value: {"text": text(texts.pick(pair, language)), "value": value} for value, pair in labels.items()}
        return {
            "type": "static_select",
            "action_id": f"place_{key}",
            "options": list(options.values()),
            "initial_option": options[chosen],
        }

    def words(key: str, values: tuple[str, ...]) -> dict[str, Any]:
        element = {"type": "plain_text_input", "action_id": f"place_{key}", "max_length": 1000}
        return element | ({"initial_value": ", ".join(values)} if values else {})

    elements = {
        "listen": select("listen", admin_texts.LISTEN, now.listen),
        "language": select("language", admin_texts.LANGUAGES, now.language),
        "sources": words("sources", now.sources),
        "contacts": words("contacts", now.contacts),
    }
    hints = {key: text(admin_texts.settings_hint(key, language)) for key in ("sources", "contacts")}
    return {
        "type": "modal",
        "callback_id": SAVED,
        "private_metadata": metadata,
        "title": text(admin_texts.settings_title(language)),
        "submit": text(texts.pick(admin_texts.SAVE, language)),
        "close": text(texts.pick(texts.CANCEL, language)),
        "blocks": [
            {
                "type": "input",
                "block_id": f"place_{key}",
                "optional": key in hints,
                "label": text(texts.pick(admin_texts.SETTING_NAMES[key], language)),
                "element": element,
            }
            | ({"hint": hints[key]} if key in hints else {})
            for key, element in elements.items()
        ],
    }
