"""Discord for the conformance suite: the real client against the loopback server of tests/fakes/discord."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable
from typing import Any, TypeVar

from adapters.discord.adapter import DiscordAdapter
from adapters.discord.render import UNFINISHED
from bot.conversation import Direction
from bot.platforms import Adapter, Desk
from bot.settings import DiscordSettings
from tests.conformance.driver import CAPABILITIES, Asking, Seen
from tests.fakes.discord import DiscordServer
from tests.fakes.discord.interactions import Interaction
from tests.fakes.discord.messages import Message
from tests.fakes.discord.people import Person
from tests.fakes.discord.places import Channel, Guild

SECONDS = 40.0
TAKEN_SECONDS = 2.0
PEOPLE = ("kim", "lee", "admin", "helper")
THUMBS: dict[Direction, str] = {"up": "도움됨", "down": "아쉬움"}
EMOJI: dict[Direction, str] = {"up": "👍", "down": "👎"}
CALL, SOLVE, SHARE = "담당자 부르기", "해결", "채널에 공유"
_URL = re.compile(r"https?://[^\s<>)\]]+")
T = TypeVar("T")


class DiscordDriver:
    """See `tests.conformance.driver.Driver`. Discord knows no people from outside within a server, so `outside` is left out."""

    name = "discord"
    capabilities = frozenset(CAPABILITIES) - {"outside"}

    def __init__(self) -> None:
        self.server = DiscordServer()
        self._people: dict[str, Person] = {}
        self._forms: dict[tuple[int, str], Interaction] = {}
        self._guild: Guild | None = None

    # The world

    async def open(self) -> None:
        """One server with one channel; `guest` is in no server."""
        await self.server.start()
        self._guild = self.server.guild()
        self._people = {name: self.server.user(name=name) for name in PEOPLE}
        self._people["guest"] = self.server.user(name="guest", guilds=())

    def adapter(self, desk: Desk) -> Adapter:
        """One process."""
        settings = DiscordSettings(
            enabled=True,
            guild_ids=(self._home.id,),
            api_base_url=self.server.api_base_url,
            gateway_url=self.server.gateway_url,
        )
        made = DiscordAdapter(settings, self.server.token, desk, language="ko")
        made.client._connection.guild_ready_timeout = 0.2  # the library waits this long for further servers
        return made

    async def close(self) -> None:
        """Stop the server."""
        await self.server.close()

    @property
    def _home(self) -> Guild:
        assert self._guild is not None, "open() comes first"
        return self._guild

    @property
    def _channel(self) -> Channel:
        return self._home.channels[0]

    def person_id(self, person: str) -> str:
        return str(self._people[person].id)

    def contact(self, person: str) -> str:
        return f"user:{self._people[person].id}"

    def channel_id(self) -> str:
        return str(self._channel.id)

    async def _wait(self, ready: Callable[[], T], what: str) -> T:
        return await self.server.wait_for(ready, SECONDS, what)

    # Asking

    async def mention(self, text: str, *, person: str = "kim", outside: bool = False) -> Asking:
        assert not outside, "not among the capabilities"
        said = await self._people[person].say(self._channel, text, mention_bot=True)
        return await self._taken(Asking(text, person, False, said))

    async def direct(self, text: str, *, person: str = "kim") -> Asking:
        return await self._taken(Asking(text, person, True, await self._people[person].direct(text)))

    async def _taken(self, asking: Asking) -> Asking:
        """The gateway knows no acknowledgement of a message: the first sign of the bot stands for it, if there comes one."""
        with contextlib.suppress(AssertionError):
            await self.server.wait_for(lambda: self._signs(asking), TAKEN_SECONDS, "a sign")
        return asking

    async def command(self, text: str, *, person: str = "kim", private: bool = True) -> Asking:
        options = {"question": text, "private": private}
        used = await self._people[person].slash("ask", options, self._channel)
        await self._wait(lambda: used.acknowledged, "the acknowledgement")
        return Asking(text, person, private, used)

    async def menu(self, text: str, *, person: str = "kim") -> Asking:
        said = await self._people["lee"].say(self._channel, text)
        used = await self._people[person].context_menu("위키에서 찾기", said)
        await self._wait(lambda: used.acknowledged, "the acknowledgement")
        return Asking(text, person, True, used)

    async def follow_up(self, asking: Asking, text: str, *, person: str = "kim") -> Asking:
        """A reply to the answer if there is one, else to the question."""
        answers = [message for message in self._finals(asking) if not message.ephemeral]
        above = answers[-1] if answers else asking.raw
        assert isinstance(above, Message), "nothing that could be replied to"
        said = await self._people[person].say(above.channel, text, reply_to=above, mention_bot=True)
        return await self._taken(Asking(text, person, above.channel.is_direct, said))

    async def deliver_again(self, asking: Asking) -> None:
        self.server.repeat(asking.raw)
        await asyncio.sleep(0.1)  # the gateway acknowledges nothing

    async def edit_and_delete(self, asking: Asking) -> None:
        if isinstance(asking.raw, Message):
            await self._people[asking.person].edit(asking.raw, f"{asking.raw.content} (고침)")
            await self._people[asking.person].delete(asking.raw)
            await asyncio.sleep(0.1)

    # What stands there

    async def answers(self, asking: Asking, *, count: int = 1) -> list[Seen]:
        await self._wait(lambda: len(self._finals(asking)) >= count, f"{count} answers to {asking.text!r}")
        return [self._seen(message) for message in self._finals(asking)]

    def _finals(self, asking: Asking) -> list[Message]:
        found = [m for m in self._reactions_to(asking) if not m.loading and not m.text.rstrip().endswith(UNFINISHED)]
        return sorted(found, key=lambda message: message.id)

    def _reactions_to(self, asking: Asking) -> list[Message]:
        raw = asking.raw
        asker = self._people[asking.person]
        places = [*self.server.sent(raw.channel), *(self.server.sent(asker) if not raw.channel.is_direct else [])]
        if isinstance(raw, Interaction):
            elsewhere = [m for m in places if m.interaction is None and m.reference is None and m.id > raw.id]
            return [*raw.messages, *(m for m in elsewhere if asking.text in m.text)]
        return [
            m for m in places if m.reference is raw or (m.reference is None and m.id > raw.id and asking.text in m.text)
        ]

    def _seen(self, message: Message) -> Seen:
        pings = {str(one) for one in (*message.pings.users, *message.pings.roles)}
        return Seen(
            text=message.text,
            private=message.ephemeral or message.channel.is_direct,
            can_vote=set(THUMBS.values()) <= set(message.labels),
            can_escalate=CALL in message.labels,
            can_share=SHARE in message.labels,
            pings=frozenset(pings | ({"everyone"} if message.pings.everyone else set())),
            links=frozenset(_URL.findall(message.text)),
            raw=message,
        )

    async def signs(self, asking: Asking) -> list[float]:
        """A message of the gateway needs no acknowledgement: 0."""
        raw = asking.raw
        if isinstance(raw, Interaction):
            await self._wait(lambda: raw.acknowledged, "the acknowledgement")
            seconds = raw.callback_seconds or 0.0
            return [seconds, seconds]
        first = min(await self._wait(lambda: self._signs(asking), "a sign"))
        return [first - raw.versions[0].at, 0.0]

    def _signs(self, asking: Asking) -> list[float]:
        """When the bot was seen typing, and its messages."""
        typing = [at for at in asking.raw.channel.typing if at >= asking.raw.versions[0].at]
        return typing + [m.versions[0].at for m in self._reactions_to(asking) if m.versions]

    # Votes and what follows

    async def _press(self, message: Message, label: str, person: str) -> Interaction:
        pressed = await self._people[person].press(message, label)
        await self._wait(lambda: pressed.acknowledged, f"the acknowledgement of {label}")
        return pressed

    async def press_thumb(self, seen: Seen, direction: Direction, *, person: str = "kim") -> None:
        pressed = await self._press(seen.raw, THUMBS[direction], person)
        if pressed.modal is not None:
            self._forms[seen.raw.id, person] = pressed

    async def react(self, seen: Seen, direction: Direction, *, person: str = "kim", skin_tone: bool = False) -> None:
        await self._people[person].react(seen.raw, EMOJI[direction] + ("🏽" if skin_tone else ""))

    async def unreact(self, seen: Seen, direction: Direction, *, person: str = "kim", skin_tone: bool = False) -> None:
        await self._people[person].unreact(seen.raw, EMOJI[direction] + ("🏽" if skin_tone else ""))

    async def explain(self, seen: Seen, *, reason: str, correction: str, person: str = "kim") -> None:
        form = self._forms.pop((seen.raw.id, person))
        await self._submit(form, {"reason": reason, "correction": correction}, person)

    async def _submit(self, form: Interaction, values: dict[str, Any], person: str) -> None:
        sent = await self._people[person].submit(form, values)
        await self._wait(lambda: sent.acknowledged, "the acknowledgement of the form")

    async def escalate(self, seen: Seen, *, person: str = "kim") -> Seen:
        """A private question is called about only after a warning."""
        pressed = await self._press(seen.raw, CALL, person)
        warned = next((m for m in pressed.messages if CALL in m.labels), None)
        if warned is not None:
            pressed = await self._press(warned, CALL, person)
        helper = self._people["helper"]

        def calls() -> list[Message]:
            return [m for m in [*pressed.followups, *self.server.sent(helper)] if SOLVE in m.labels]

        return self._seen((await self._wait(calls, "the call"))[-1])

    async def resolve(self, call: Seen, *, answer: str, consent: bool, person: str = "helper") -> None:
        form = await self._press(call.raw, SOLVE, person)
        if form.modal is not None:
            await self._submit(form, {"answer": answer, "consent": "yes" if consent else "no"}, person)

    async def share(self, seen: Seen, *, person: str = "kim") -> Seen | None:
        if not seen.can_share:
            return None
        pressed = await self._press(seen.raw, SHARE, person)
        await self._wait(lambda: pressed.followups, "what became of it")
        public = [message for message in pressed.followups if not message.ephemeral]
        return self._seen(public[0]) if public else None

    # Trouble

    def break_posting(self, times: int) -> None:
        """A reset: the library itself would wait 16 seconds over server errors."""
        self.server.fault("*", "/messages", drop_connection=True, times=times)

    async def drop_connection(self) -> None:
        gateway = self.server.gateway
        gateway.reset()
        await self._wait(lambda: not gateway.connected, "the loss of the connection")
        await self.server.ready(SECONDS)

    async def kill(self, adapter: Adapter) -> None:
        """The gateway's end is cut first, so that nothing of the client's closing reaches the server."""
        assert isinstance(adapter, DiscordAdapter)
        if adapter._session is not None:
            adapter._session.cancel()
        self.server.gateway.reset()
        await adapter.close()

    def violations(self) -> list[str]:
        return [str(violation) for violation in self.server.violations]
