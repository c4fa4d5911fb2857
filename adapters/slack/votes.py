"""Thumbs: buttons under the answer, reactions to it, and the form that asks why after a thumb down."""

from __future__ import annotations

import re
from typing import Any

from adapters.slack import events, render, texts
from adapters.slack.events import Payload
from adapters.slack.kit import Kit, field, spot, submitted
from bot import texts as core_texts
from bot.conversation import Direction, Vote, VoteReceipt
from bot.messages import Language

WHY = "why_form"
_REASON = "why_reason"
_TEXT = "why_text"
_CORRECTION = "why_correction"
_VALUE = re.compile(r"([0-9a-f]{16}):(up|down)")
_ANSWER = re.compile(r"[0-9a-f]{16}")


def answer_id(value: object) -> str | None:
    """A button's value, if it is an answer's id: anybody can forge a value."""
    return value if isinstance(value, str) and _ANSWER.fullmatch(value) else None


class Votes:
    """Payload → `Desk.vote`."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    async def pressed(self, body: Payload) -> None:
        """A thumb of `feedback_buttons`. The form opens first: its trigger lives three seconds."""
        found = _VALUE.fullmatch(str(body["actions"][0].get("value")))
        if found is None:
            return
        answer, way = found.groups()
        direction: Direction = "up" if way == "up" else "down"
        at = spot(body)
        language = self._kit.language(at.channel)
        if direction == "down":
            await self._kit.open_modal(body, _form(language, at.dump(answer=answer)))
        person = await self._kit.person(body)
        receipt = await self._kit.desk.vote(Vote(answer, person, direction, "button"))
        text = core_texts.voted(receipt, language)
        blocks: list[dict[str, Any]] = []
        if direction == "down" and receipt is not VoteReceipt.UNKNOWN and await self._kit.desk.may_escalate(answer):
            offer = texts.escalation_offer(language)
            blocks = [
                render.section(f"{text}\n{offer}"),
                render.actions([render.escalate_button(answer, language, private=at.ephemeral or at.direct)]),
            ]
        await self._kit.whisper(at, text, blocks or None)

    async def explained(self, body: Payload) -> None:
        """The form was sent."""
        at, kept = submitted(body)
        answer = answer_id(kept.get("answer"))
        if answer is None:
            return
        chosen = str((field(body, _REASON).get("selected_option") or {}).get("value") or "")
        words = [chosen if chosen in texts.REASONS else "", _typed(body, _TEXT)]
        person = await self._kit.person(body)
        stored = await self._kit.desk.explain_vote(
            answer, person, reason=": ".join(word for word in words if word), correction=_typed(body, _CORRECTION)
        )
        language = self._kit.language(at.channel)
        await self._kit.whisper(at, (texts.explained if stored else texts.not_explained)(language))

    async def reacted(self, body: Payload, *, added: bool) -> None:
        """A reaction was added to or taken from a message; only thumbs on our answers count."""
        event = body["event"]
        item = event.get("item") or {}
        direction = events.thumb(str(event.get("reaction") or ""))
        if direction is None or item.get("type") != "message":
            return
        answer = await self._kit.desk.answer_at("slack", f"{item.get('channel')}:{item.get('ts')}")
        if answer is None:
            return
        person = await self._kit.directory.person(str(event.get("user")))
        way: Direction = "up" if direction == "up" else "down"
        await self._kit.desk.vote(
            Vote(answer, person, way, "reaction") if added else Vote(answer, person, None, "reaction", withdrawn=way)
        )


def _typed(body: Payload, action_id: str) -> str:
    return str(field(body, action_id).get("value") or "").strip()


def _form(language: Language, metadata: str) -> dict[str, Any]:
    def text(value: str) -> dict[str, Any]:
        return {"type": "plain_text", "text": value}

    def words(action_id: str, label: str, hint: str = "") -> dict[str, Any]:
        made: dict[str, Any] = {
            "type": "input",
            "block_id": action_id,
            "optional": True,
            "label": text(label),
            "element": {"type": "plain_text_input", "action_id": action_id, "multiline": True, "max_length": 2000},
        }
        return made | ({"hint": text(hint)} if hint else {})

    options = [{"text": text(texts.pick(pair, language)), "value": key} for key, pair in texts.REASONS.items()]
    return {
        "type": "modal",
        "callback_id": WHY,
        "private_metadata": metadata,
        "title": text(texts.why_title(language)),
        "submit": text(texts.pick(texts.SEND, language)),
        "close": text(texts.pick(texts.CANCEL, language)),
        "blocks": [
            {
                "type": "input",
                "block_id": _REASON,
                "optional": True,
                "label": text(texts.why_reason(language)),
                "element": {"type": "static_select", "action_id": _REASON, "options": options},
            },
            words(_TEXT, texts.why_text(language)),
            words(_CORRECTION, texts.why_correction(language), texts.why_hint(language)),
        ],
    }
