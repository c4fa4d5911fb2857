"""The button 담당자 부르기 pings exactly the configured contacts, and takes their answer through the form behind 해결."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import Any

from adapters.slack import log, render, replies, texts, web
from adapters.slack.events import Payload
from adapters.slack.kit import Kit, Spot, field, spot, submitted
from adapters.slack.votes import answer_id
from bot.conversation import Escalation, Person
from bot.messages import Language

RESOLVED = "resolve_form"
_ANSWER = "resolve_answer"
_CONSENT = "resolve_consent"
_EVENT = "saseo_escalation"
_USER = re.compile(r"[UW][A-Z0-9]+")
_GROUP = re.compile(r"S[A-Z0-9]+")
_MOST_DIRECT = 10
_PAUSE_SECONDS = 0.5
"""Before a look whether a message got through after all."""
_logger = logging.getLogger(__name__)


class Escalations:
    """Payload → `Desk.escalate` and `Desk.resolve`."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    async def pressed(self, body: Payload) -> None:
        """ "담당자 부르기"."""
        answer = answer_id(body["actions"][0].get("value"))
        if answer is None:
            return
        at = spot(body)
        language = self._kit.language(at.channel)
        call = await self._kit.desk.escalate(answer, await self._kit.person(body))
        if call is None:
            await self._kit.whisper(at, texts.nobody_to_call(language))
            return
        private = at.direct or body["actions"][0].get("action_id") == render.ESCALATE_QUIETLY
        told = await (self._directly(call) if private else self._in_thread(call, at))
        if not told:
            await self._kit.desk.uncall(call.id)
        await self._kit.whisper(at, texts.called(language) if told else texts.not_called(language, private=private))

    async def opened(self, body: Payload) -> None:
        """ "해결"."""
        escalation_id = answer_id(body["actions"][0].get("value"))
        if escalation_id is None:
            return
        at = spot(body)
        language = self._kit.language(at.channel)
        # Each contact of a private question has a message of their own, and only the button of who answered has gone.
        if await self._kit.desk.escalation(escalation_id) is None:
            await self._kit.whisper(at, texts.not_resolved(language))
            return
        if not await self._kit.open_modal(body, _form(language, at.dump(escalation=escalation_id), private=at.direct)):
            await self._kit.whisper(at, texts.went_wrong(language))

    async def resolved(self, body: Payload) -> None:
        """The form was sent."""
        at, kept = submitted(body)
        escalation_id = answer_id(kept.get("escalation"))
        if escalation_id is None:
            return
        language = self._kit.language(at.channel)
        answer = str(field(body, _ANSWER).get("value") or "").strip()
        consent = bool(field(body, _CONSENT).get("selected_options"))
        person = await self._kit.person(body)
        call = await self._kit.desk.escalation(escalation_id)
        if call is None or not await self._kit.desk.resolve(escalation_id, person, answer=answer, consent=consent):
            await self._kit.whisper(at, texts.not_resolved(language))
            return
        await self._close(call, at, person, answer)

    async def _in_thread(self, call: Escalation, at: Spot) -> bool:
        """One message in the answer's thread."""
        pings = " ".join(_ping(contact) for contact in call.contacts)
        return await self._post(call, at.channel, at.root, pings.strip(), private=False, since=at.ts)

    async def _directly(self, call: Escalation) -> bool:
        """A question asked in private is shown to the contacts alone, not to a channel."""
        people = [contact for contact in call.contacts if _USER.fullmatch(contact)]
        for group in (contact for contact in call.contacts if _GROUP.fullmatch(contact)):
            people += sorted(await self._kit.directory.members(group))
        told = [
            await self._post(call, user, "", _ping(user), private=True)
            for user in list(dict.fromkeys(people))[:_MOST_DIRECT]
        ]
        return any(told)

    async def _post(
        self, call: Escalation, channel: str, thread: str, pings: str, *, private: bool, since: str = ""
    ) -> bool:
        """`since`: ts of a message above, from where on it is looked for."""
        try:
            await self._kit.clients.promises.chat_postMessage(
                channel=channel,
                thread_ts=thread or None,
                text=texts.escalation_head(pings, call.language),
                blocks=render.escalation(call, pings, private=private),
                metadata={"event_type": _EVENT, "event_payload": {"escalation_id": call.id}},
                unfurl_links=False,
                unfurl_media=False,
            )
        except web.REFUSALS as error:
            log.event(_logger, logging.WARNING, "slack_escalation_refused", escalation=call.id, error=web.code(error))
            return web.may_have_happened(error) and await self._may_stand(call, channel, thread, since)
        return True

    async def _may_stand(self, call: Escalation, channel: str, thread: str, since: str) -> bool:
        """After a failure whose effect is unknown. Where nobody can look it counts as posted: a second call would ping again,
        and what is answered to the first would be refused."""
        if not thread:
            return True
        await asyncio.sleep(_PAUSE_SECONDS)
        try:
            said = await replies.thread(self._kit.clients.promises, channel, thread, since=since, metadata=True)
        except web.REFUSALS as error:
            log.event(_logger, logging.WARNING, "slack_look_refused", escalation=call.id, error=web.code(error))
            return True
        return any(replies.carries(message, _EVENT, "escalation_id", call.id) for message in said)

    async def _close(self, call: Escalation, at: Spot, person: Person, answer: str) -> None:
        """The message loses its button and shows the answer; a private asker is told."""
        head = texts.resolved(f"<@{person.id}>", call.language)
        blocks = [render.section(f"> {render.quoted(call.question)}"), render.section(head)]
        if answer:
            blocks.append(render.section(render.fallback(answer)))
        try:
            await self._kit.clients.promises.chat_update(
                channel=at.channel,
                ts=at.ts,
                text=head,
                blocks=blocks,
                metadata={"event_type": _EVENT, "event_payload": {"escalation_id": call.id}},
            )
        except web.REFUSALS as error:
            log.event(_logger, logging.WARNING, "slack_resolution_refused", escalation=call.id, error=web.code(error))
        asker = (await self._kit.desk.asked_by(call.answer_id) or "").removeprefix("slack:")
        if at.direct and answer and _USER.fullmatch(asker) and asker != person.id:
            words = texts.resolved_for_asker(call.language)
            await self._kit.whisper(
                Spot(channel=asker, user=asker),
                words,
                [
                    render.section(f"*{words}*\n> {render.quoted(call.question)}"),
                    render.section(render.fallback(answer)),
                ],
            )


def _ping(contact: str) -> str:
    """Only ids of the right shape become mentions; whatever else is configured pings nobody."""
    if _USER.fullmatch(contact):
        return f"<@{contact}>"
    return f"<!subteam^{contact}>" if _GROUP.fullmatch(contact) else ""


def _form(language: Language, metadata: str, *, private: bool) -> dict[str, Any]:
    """`private`: the asker sees nothing but what is written here, so something must be."""

    def text(value: str) -> dict[str, Any]:
        return {"type": "plain_text", "text": value}

    consent = {"text": text(texts.resolve_consent(language)), "value": "yes"}
    return {
        "type": "modal",
        "callback_id": RESOLVED,
        "private_metadata": metadata,
        "title": text(texts.resolve_title(language)),
        "submit": text(texts.pick(texts.BUTTON_RESOLVE, language)),
        "close": text(texts.pick(texts.CANCEL, language)),
        "blocks": [
            {
                "type": "input",
                "block_id": _ANSWER,
                "optional": not private,
                "label": text(texts.resolve_answer(language)),
                "element": {"type": "plain_text_input", "action_id": _ANSWER, "multiline": True, "max_length": 2500},
            },
            {
                "type": "input",
                "block_id": _CONSENT,
                "optional": True,
                "label": text(texts.resolve_consent_label(language)),
                "element": {"type": "checkboxes", "action_id": _CONSENT, "options": [consent]},
            },
        ],
    }
