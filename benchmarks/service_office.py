"""The two loopback platforms of a service run: people who ask on them, how to see what became of it, and connections that break."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fakes.discord import DiscordServer
from tests.fakes.slack import SlackServer

KEY = "discord:interaction:{}"
"""Under which a command is claimed (`adapters/discord/events.py`)."""


@dataclass
class Asked:
    """One question and how to look for its answer."""

    platform: str
    text: str
    at: float
    """`time.monotonic()`."""
    finals: Callable[[], list[Any]]
    sign: Callable[[], float | None]
    """Seconds from the event to the first visible sign, None while there is none."""
    acknowledged: Callable[[], float | None]
    again: Callable[[], Awaitable[Asked]] | None = None
    """Ask anew, as a person does whom Discord told that the application did not respond: a command that nobody took in time
    is shown to its asker as failed and never delivered again. None: the platform delivers until it is taken."""
    claimed: Callable[[], bool] = lambda: False
    """Whether the service keeps the question: then it is owed an answer even if it was never acknowledged."""
    seen: Callable[[], str] = lambda: ""
    """What the platform holds of it: said about a question that got no answer."""


class Office:
    """The two platforms with as many people as may wait at once (a person may have three open questions)."""

    def __init__(self, slack: SlackServer | None, discord: DiscordServer | None, people: int, store: Path) -> None:
        self.store = store
        self.slack = slack
        self.discord = discord
        self.turn = 0
        self.asked = 0
        self.people: dict[str, list[Any]] = {"slack": [], "discord": []}
        if slack is not None:
            slack.channel("C1")
            slack.postman.patience = 60
            self.people["slack"] = [slack.user(f"U{n}", email=f"u{n}@example.com") for n in range(people)]
        if discord is not None:
            self.guild = discord.guild(channels=["일반"])
            self.people["discord"] = [discord.user(name=f"u{n}") for n in range(people)]

    async def connected(self) -> None:
        """Both platforms hear the bot."""
        if self.slack is not None:
            await self.slack.wait_connected(2, timeout=400)
        if self.discord is not None:
            await self.discord.wait_for(
                lambda: self.discord is not None and self.discord.gateway.connected, timeout=400
            )
            await asyncio.sleep(1)

    async def ask(self, chance: random.Random, text: str, copies: int) -> Asked:
        """The next question, on the platforms in turn, in one of the ways people ask."""
        names = [name for name, people in self.people.items() if people]
        platform = names[self.asked % len(names)]
        person = self.people[platform][self.asked // len(names) % len(self.people[platform])]
        self.asked += 1
        if platform == "slack":
            return await self._slack(chance, person, text, copies)
        return await self._discord(chance, person, text, copies)

    async def _slack(self, chance: random.Random, person: Any, text: str, copies: int) -> Asked:
        slack = self.slack
        assert slack is not None
        direct = chance.random() < 0.3
        at = time.monotonic()
        sent = await (person.direct(text, copies=copies) if direct else person.mention("C1", text, copies=copies))
        channel = person.im if direct else "C1"

        def sign() -> float | None:
            shows = ("assistant.threads.setStatus", "chat.startStream", "chat.postMessage", "reactions.add")
            for call in list(slack.calls):
                about = (call.args.get("thread_ts"), call.args.get("timestamp"))
                if (
                    call.ok
                    and call.method in shows
                    and sent.ts in about
                    and call.args.get("channel", call.args.get("channel_id")) == channel
                ):
                    return call.time - at
            return None

        return Asked(
            "slack",
            text,
            at,
            lambda: slack.final_answers(channel, sent.ts),
            sign,
            lambda: min((ack.seconds for ack in sent.acks), default=None),
        )

    async def _discord(self, chance: random.Random, person: Any, text: str, copies: int) -> Asked:
        discord = self.discord
        assert discord is not None
        channel = self.guild.channel("일반")
        await discord.ready(60)  # Discord delivers nothing to a bot that is not there, and nothing later
        at = time.monotonic()
        if chance.random() < 0.5:
            asked = await person.slash("ask", {"question": text}, channel)
            if copies > 1:
                discord.repeat(asked)

            def answers() -> list[Any]:
                """In the response, or, for a command whose taker died before responding, a message in the channel."""
                shown = [one for one in asked.messages if asked.finished and one.buttons]
                if asked.callback_seconds is None and (question := self.question_of(asked.id)):
                    shown += [
                        one for one in discord.messages(channel) if any(f":{question}:" in c for c in one.custom_ids)
                    ]
                return shown

            return Asked(
                "discord",
                text,
                at,
                answers,
                lambda: asked.callback_seconds,
                lambda: asked.callback_seconds,
                lambda: self._discord(chance, person, text, 1),
                lambda: self.question_of(asked.id) is not None,
                lambda: (
                    f"command, callback {asked.callback_type}, own {described(asked.messages)}, "
                    f"channel {described(discord.messages(channel), named=self.question_of(asked.id) or '-')}"
                ),
            )
        message = await person.say(channel, text, mention_bot=True)
        if copies > 1:
            discord.repeat(message)

        def finals() -> list[Any]:
            return [
                one
                for one in discord.messages(channel)
                if one.reference is not None and one.reference.id == message.id and one.buttons
            ]

        def sign() -> float | None:
            shows = (request.at for request in list(discord.requests) if request.at >= at and "typing" in request.path)
            first = next(shows, None)
            return None if first is None else first - at

        return Asked(
            "discord", text, at, finals, sign, lambda: None,
            seen=lambda: f"message, replies {described([m for m in discord.messages(channel) if m.reference is message])}",
        )  # fmt: skip

    def question_of(self, interaction: int) -> str | None:
        """The id of the question that the service claimed for this command, read from its store."""
        with closing(sqlite3.connect(f"{self.store.resolve().as_uri()}?mode=ro", uri=True, timeout=10)) as store:
            row = store.execute("SELECT question FROM claims WHERE key = ?", (KEY.format(interaction),)).fetchone()
        return row[0] if row else None

    async def trouble(self, chance: random.Random) -> None:
        """A connection breaks."""
        if self.slack is not None and chance.random() < 0.5:
            connections = self.slack.socket_mode.connections
            if connections:
                chance.choice(list(connections)).reset()
        elif self.discord is not None and self.discord.gateway.connected:
            chance.choice([self.discord.gateway.ask_to_reconnect, self.discord.gateway.reset])()


def described(messages: list[Any], named: str = "") -> list[str]:
    """How far each message came: its buttons tell a final one. `named`: only those whose buttons name this question."""
    return [
        f"{'loading' if one.loading else one.text[-20:]!r} with {len(one.buttons)} buttons{', deleted' if one.deleted else ''}"
        for one in messages
        if not named or any(f":{named}:" in custom for custom in one.custom_ids)
    ]
