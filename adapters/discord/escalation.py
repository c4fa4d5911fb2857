"""담당자 부르기: ping exactly the contacts, and the "해결" form they close it with."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import discord
from discord import ui

from adapters.discord import ids, texts
from adapters.discord.guard import UNREACHABLE, acknowledge, guarded, may_have_happened, say
from adapters.discord.logs import record
from adapters.text import inline, shorten
from bot.conversation import Escalation
from bot.messages import Language

if TYPE_CHECKING:
    from adapters.discord.client import SaseoClient

logger = logging.getLogger(__name__)
QUESTION_CHARACTERS = 500
ANSWER_CHARACTERS = 1_500
ANSWER, CONSENT, YES, NO = "answer", "consent", "yes", "no"
FORM_SECONDS = 15 * 60.0
_CONTACT = re.compile(r"(?:(user|role):)?(\d{1,20})")


@dataclass(frozen=True)
class Contacts:
    """Who is pinged."""

    users: tuple[int, ...]
    roles: tuple[int, ...]

    @classmethod
    def of(cls, configured: Iterable[str]) -> Contacts:
        """`user:1`, `role:2`, or bare digits for a person; anything else belongs to another platform."""
        users: list[int] = []
        roles: list[int] = []
        for one in configured:
            if match := _CONTACT.fullmatch(one.strip()):
                (roles if match[1] == "role" else users).append(int(match[2]))
        return cls(tuple(users), tuple(roles))

    @property
    def pings(self) -> str:
        """As Discord writes mentions."""
        return " ".join([*(f"<@{user}>" for user in self.users), *(f"<@&{role}>" for role in self.roles)])

    @property
    def allowed(self) -> discord.AllowedMentions:
        """These and nobody else, whatever the text says."""
        return discord.AllowedMentions(
            everyone=False,
            users=[discord.Object(user) for user in self.users],
            roles=[discord.Object(role) for role in self.roles],
            replied_user=False,
        )


class CallButton(ui.DynamicItem[ui.Button[Any]], template=ids.CALL):
    """담당자 부르기. `stage` `ask` warns before a private question is shown to a channel."""

    def __init__(self, answer: str, stage: str, language: Language) -> None:
        label = texts.call_contact(language)
        super().__init__(
            ui.Button(style=discord.ButtonStyle.secondary, label=label, emoji="🙋", custom_id=ids.call(answer, stage))
        )
        self.answer = answer
        self.stage = stage

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """From a click, in whatever process."""
        return cls(match["answer"], match["stage"], interaction.client.language_at(interaction))

    @guarded
    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Call, once."""
        client: SaseoClient = interaction.client
        language = client.language_at(interaction)
        source = interaction.message
        private = source is not None and source.flags.ephemeral
        if self.stage == "ask" and private and interaction.guild_id is not None:
            view = ui.View(timeout=None)
            view.add_item(CallButton(self.answer, "now", language))
            await say(interaction, texts.call_is_public(language), view)
            return
        await acknowledge(interaction, thinking=False)
        escalation = await client.desk.escalate(self.answer, client.person(interaction))
        if escalation is None:
            await say(interaction, texts.cannot_call(language))
            return
        record(logger, "escalated", answer=self.answer, escalation=escalation.id, contacts=len(escalation.contacts))
        if interaction.guild_id is None:
            reached = await _write_to(client, escalation)
            if not reached:
                await client.desk.uncall(escalation.id)
            await say(interaction, texts.called(language) if reached else texts.not_reached(language))
            return
        link = source.jump_url if source is not None and not private else ""
        try:
            await interaction.followup.send(**call_message(escalation, link), suppress_embeds=True)
        except UNREACHABLE as error:
            # A call that may stand counts: a second one would ping again, and what is answered to the first would be refused.
            if not may_have_happened(error):
                await client.desk.uncall(escalation.id)  # nobody was called: it may be tried again
                raise
            record(logger, "call_unsure", escalation=escalation.id, code=getattr(error, "code", None))
            await say(interaction, texts.called(language))


def call_message(escalation: Escalation, link: str = "") -> dict[str, Any]:
    """Arguments of the `send` that pings the contacts."""
    contacts = Contacts.of(escalation.contacts)
    question = inline(shorten(" ".join(escalation.question.split()), QUESTION_CHARACTERS), "discord")
    view = ui.View(timeout=None)
    view.add_item(SolveButton(escalation.id, escalation.language))
    return {
        "content": texts.call(contacts.pings, question, link, escalation.language),
        "view": view,
        "allowed_mentions": contacts.allowed,
    }


async def _write_to(client: SaseoClient, escalation: Escalation) -> bool:
    """Nobody but the asker reads a direct conversation, so each contact is written to. False: nobody was reached."""
    reached = False
    for user in Contacts.of(escalation.contacts).users:
        try:
            channel = await client.create_dm(discord.Object(user))
            await channel.send(**call_message(escalation), suppress_embeds=True)
            reached = True
        except UNREACHABLE as error:
            reached = reached or may_have_happened(error)
            record(logger, "contact_not_reached", escalation=escalation.id, code=getattr(error, "code", None))
    return reached


class SolveButton(ui.DynamicItem[ui.Button[Any]], template=ids.SOLVE):
    """해결: opens the form."""

    def __init__(self, escalation: str, language: Language) -> None:
        label = texts.solve(language)
        super().__init__(ui.Button(style=discord.ButtonStyle.success, label=label, custom_id=ids.solve(escalation)))
        self.escalation = escalation

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """From a click, in whatever process."""
        return cls(match["escalation"], interaction.client.language_at(interaction))

    @guarded
    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """The form must be the first response."""
        client: SaseoClient = interaction.client
        language = client.language_at(interaction)
        if await client.desk.escalation(self.escalation) is None:
            await say(interaction, texts.cannot_solve(language))
            return
        await interaction.response.send_modal(solve_form(self.escalation, language))


def solve_form(escalation: str, language: Language) -> ui.Modal:
    """The answer, and whether it may be kept."""
    form = ui.Modal(title=texts.solve_title(language), custom_id=ids.solve_form(escalation), timeout=FORM_SECONDS)
    answer: ui.TextInput[Any] = ui.TextInput(
        custom_id=ANSWER, style=discord.TextStyle.paragraph, required=True, max_length=ANSWER_CHARACTERS
    )
    consent: ui.Select[Any] = ui.Select(
        custom_id=CONSENT,
        options=[
            discord.SelectOption(label=texts.no(language), value=NO, default=True),
            discord.SelectOption(label=texts.yes(language), value=YES),
        ],
    )
    form.add_item(ui.Label(text=texts.solve_answer(language), component=answer))
    form.add_item(ui.Label(text=texts.solve_consent(language), component=consent))
    return form


async def solve_submitted(interaction: discord.Interaction[Any], escalation_id: str, fields: dict[str, str]) -> None:
    """Close it, show the answer where the question was asked."""
    client: SaseoClient = interaction.client
    language = client.language_at(interaction)
    answer = fields.get(ANSWER, "").strip()
    consent = fields.get(CONSENT, NO) in (YES, texts.yes("ko"))
    escalation = await client.desk.escalation(escalation_id)
    person = client.person(interaction)
    if escalation is None or not await client.desk.resolve(escalation_id, person, answer=answer, consent=consent):
        await say(interaction, texts.cannot_solve(language))
        return
    record(logger, "escalation_solved", escalation=escalation_id, consent=consent)
    lines = "\n".join(inline(line, "discord") for line in answer.splitlines())
    shown = texts.contact_answer(shorten(lines, ANSWER_CHARACTERS + 300), language)
    try:
        await interaction.response.send_message(shown, suppress_embeds=True)
    finally:
        if interaction.guild_id is None:  # it is closed: whatever became of the response, nobody can answer again
            await _tell_asker(client, escalation, shown)


async def _tell_asker(client: SaseoClient, escalation: Escalation, shown: str) -> None:
    """The contact answered in a direct conversation: pass it on."""
    key = await client.desk.asked_by(escalation.answer_id)
    platform, _, person = (key or "").partition(":")
    if platform != "discord" or not person.isdecimal():
        return
    try:
        channel = await client.create_dm(discord.Object(int(person)))
        question = inline(shorten(" ".join(escalation.question.split()), QUESTION_CHARACTERS // 5), "discord")
        await channel.send(f"> {question}\n{shown}", suppress_embeds=True)
    except UNREACHABLE as error:
        record(logger, "asker_not_reached", escalation=escalation.id, code=getattr(error, "code", None))
