"""Thumbs: buttons that work after a restart, the form behind 👎, and reactions."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any, Self

import discord
from discord import ui

from adapters.discord import ids, texts
from adapters.discord.escalation import CallButton
from adapters.discord.events import PLATFORM
from adapters.discord.guard import guarded, say
from adapters.discord.logs import record
from bot.conversation import Direction, Person, Vote, VoteReceipt
from bot.messages import Language

if TYPE_CHECKING:
    from adapters.discord.client import SaseoClient

logger = logging.getLogger(__name__)
EMOJI: dict[str, str] = {"up": "👍", "down": "👎"}
_DIRECTIONS: dict[str, Direction] = {"👍": "up", "👎": "down"}
_SKIN = re.compile("[\U0001f3fb-\U0001f3ff\ufe0f]")
FORM_SECONDS = 15 * 60.0
REASON, CORRECTION = "reason", "correction"
FIELD_CHARACTERS = 1_000


def direction_of(emoji: str) -> Direction | None:
    """👍 and 👎 in every skin tone; None for any other reaction."""
    return _DIRECTIONS.get(_SKIN.sub("", emoji))


class ThumbButton(ui.DynamicItem[ui.Button[Any]], template=ids.VOTE):
    """👍 or 👎 under an answer."""

    def __init__(self, answer: str, question: str, direction: str, language: Language) -> None:
        super().__init__(
            ui.Button(
                style=discord.ButtonStyle.secondary,
                label=texts.thumb(direction, language),
                emoji=EMOJI[direction],
                custom_id=ids.vote(answer, question, direction),
            )
        )
        self.answer = answer
        self.direction: Direction = "up" if direction == "up" else "down"

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """From a click, in whatever process."""
        return cls(match["answer"], match["question"], match["direction"], interaction.client.language_at(interaction))

    @guarded
    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Store the vote. 👎 opens the form first: a form can only be the first response (Discord docs)."""
        client: SaseoClient = interaction.client
        language = client.language_at(interaction)
        vote = Vote(self.answer, client.person(interaction), self.direction, "button")
        try:
            if self.direction == "down":
                await interaction.response.send_modal(why_form(self.answer, language))
        finally:  # the thumb counts, whatever becomes of its form
            receipt = await client.desk.vote(vote)
        record(logger, "voted", answer=self.answer, direction=self.direction, via="button", receipt=receipt)
        if receipt is VoteReceipt.UNKNOWN:
            await say(interaction, texts.vote_unknown(language))
        elif self.direction == "up":
            await say(interaction, texts.thanks(language))
        elif await client.desk.may_escalate(self.answer):
            view = ui.View(timeout=None)
            private = interaction.message is not None and interaction.message.flags.ephemeral
            view.add_item(CallButton(self.answer, "ask" if private else "now", language))
            await say(interaction, texts.down_stored(language), view)


def why_form(answer: str, language: Language) -> ui.Modal:
    """Reason and correction, both optional. Its submission is read from the event, so it survives a restart."""
    form = ui.Modal(title=texts.why_title(language), custom_id=ids.why_form(answer), timeout=FORM_SECONDS)
    fields = ((REASON, texts.why_reason(language)), (CORRECTION, texts.why_correction(language)))
    for name, label in fields:
        entry: ui.TextInput[Any] = ui.TextInput(
            custom_id=name, style=discord.TextStyle.paragraph, required=False, max_length=FIELD_CHARACTERS
        )
        form.add_item(ui.Label(text=label, component=entry))
    return form


async def why_submitted(interaction: discord.Interaction[Any], answer: str, fields: dict[str, str]) -> None:
    """The form came back: add it to the vote."""
    client: SaseoClient = interaction.client
    language = client.language_at(interaction)
    reason, correction = fields.get(REASON, "").strip(), fields.get(CORRECTION, "").strip()
    if not reason and not correction:
        await say(interaction, texts.thanks(language))
        return
    person = client.person(interaction)
    kept = await client.desk.explain_vote(answer, person, reason=reason, correction=correction)
    await say(interaction, texts.thanks(language) if kept else texts.no_vote_to_explain(language))


async def reacted(client: SaseoClient, payload: discord.RawReactionActionEvent, *, added: bool) -> None:
    """A raw reaction event: the message need not be cached. Whose message it is, the store knows."""
    direction = direction_of(payload.emoji.name or "")
    if direction is None or (client.user is not None and payload.user_id == client.user.id):
        return
    if payload.member is not None and payload.member.bot:
        return
    answer = await client.desk.answer_at(PLATFORM, f"{payload.channel_id}:{payload.message_id}")
    if answer is None:
        return
    person = Person(PLATFORM, str(payload.user_id))
    vote = (
        Vote(answer, person, direction, "reaction")
        if added
        else Vote(answer, person, None, "reaction", withdrawn=direction)
    )
    receipt = await client.desk.vote(vote)
    record(logger, "voted", answer=answer, direction=vote.direction, via="reaction", receipt=receipt)
