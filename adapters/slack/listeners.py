"""Which listener takes what. Commands and buttons are acknowledged first, events when they were dealt with; whatever nobody takes is
acknowledged, too, or Slack would deliver it three times more (Bolt answers 404 to what no listener matches).
"""

from __future__ import annotations

import logging
import re
import secrets
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext

from adapters.slack import escalation, events, log, place, render, texts, votes
from adapters.slack.asking import Asking, command_words
from adapters.slack.escalation import Escalations
from adapters.slack.events import Payload
from adapters.slack.home import Home
from adapters.slack.intake import Intake
from adapters.slack.kit import Kit, spot
from adapters.slack.place import PlaceAdmin
from adapters.slack.reindexing import Reindexing
from adapters.slack.sharing import Sharing
from adapters.slack.taking import TAKEN, Taken
from adapters.slack.votes import Votes

SHORTCUT = "ask_from_message"
EVENTS = (
    "app_home_opened",
    "app_mention",
    "message",
    "reaction_added",
    "reaction_removed",
    "tokens_revoked",
    "app_uninstalled",
)
"""What has a listener of its own; deploy/slack/manifest.json subscribes to no more."""
_ANY = re.compile(".*")
_logger = logging.getLogger(__name__)
Handle = Callable[[Payload], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Handlers:
    """What happens with each kind of payload."""

    kit: Kit
    intake: Intake
    prompts: tuple[str, ...]
    revoked: Callable[[str], None]
    """Told the name of the event that ended the installation."""

    def register(self, app: AsyncApp) -> None:
        """Tell Bolt. Order matters: the first match takes."""
        self._events(app)
        thumbs, calls = Votes(self.kit), Escalations(self.kit)
        shares, admin = Sharing(self.kit), PlaceAdmin(self.kit)
        actions: dict[str, Handle] = {
            render.FEEDBACK: thumbs.pressed,
            render.SHARE: shares.pressed,
            render.ESCALATE: calls.pressed,
            render.ESCALATE_QUIETLY: calls.pressed,
            render.RESOLVE: calls.opened,
            place.SETTINGS: admin.opened,
        }
        for action_id, handle in actions.items():
            app.action(action_id)(self._acked(handle, speaks=True))
        views: dict[str, Handle] = {
            votes.WHY: thumbs.explained,
            escalation.RESOLVED: calls.resolved,
            place.SAVED: admin.saved,
        }
        for callback_id, handle in views.items():
            app.view(callback_id)(self._acked(handle))
        asking, reindexing = Asking(self.kit), Reindexing(self.kit)

        async def command(body: Payload) -> None:
            verb, words = command_words(str(body.get("text") or ""))
            if verb == "settings":
                await admin.command(body, words)
            elif verb == "reindex":
                await reindexing.command(body)
            else:
                await asking.command(body, " ".join(words))

        app.command(_ANY)(self._acked(command, speaks=True))
        app.message_shortcut(SHORTCUT)(self._acked(asking.shortcut, speaks=True))
        for others in (app.action, app.shortcut, app.options, app.view_submission, app.view_closed):
            others(_ANY)(self._acked(_ignored))
        app.error(_escaped)

    def _events(self, app: AsyncApp) -> None:
        asking, home, thumbs = Asking(self.kit), Home(self.kit, self.prompts), Votes(self.kit)

        async def added(body: Payload) -> None:
            await thumbs.reacted(body, added=True)

        async def removed(body: Payload) -> None:
            await thumbs.reacted(body, added=False)

        async def ended(body: Payload) -> None:
            if (tokens := body["event"].get("tokens")) is not None and not tokens.get("bot"):
                return  # somebody's own token, not the app's
            self.revoked(str(body["event"].get("type")))

        handles: dict[str, Handle] = dict(
            zip(EVENTS, (home.opened, asking.mentioned, asking.said, added, removed, ended, ended), strict=True)
        )
        asks: dict[str, Callable[[Payload], bool]] = {"app_mention": lambda _: True, "message": events.to_us}
        for name, handle in handles.items():
            app.event(name)(self._auto_acked(handle, asks.get(name, lambda _: False)))
        app.event(_ANY)(self._auto_acked(_ignored, lambda _: False))

    def _auto_acked(self, handle: Handle, speaks: Callable[[Payload], bool]) -> Callable[..., Awaitable[None]]:
        """Slack hears of it when this has ended (taking.py). `speaks`: whether somebody waits for an answer to it."""

        async def listener(body: dict[str, Any], context: AsyncBoltContext) -> None:
            taken: Taken = context[TAKEN]
            taken.begun = True
            try:
                with self.intake.passing():
                    await self._safely(handle, body, speaks=speaks(body))
            finally:
                taken.end()

        return listener

    def _acked(self, handle: Handle, *, speaks: bool = False) -> Callable[..., Awaitable[None]]:
        """Acknowledge, then work. `speaks`: tell the person when it goes wrong."""

        async def listener(body: dict[str, Any], ack: AsyncAck) -> None:
            with self.intake.passing():
                await ack()
                await self._safely(handle, body, speaks=speaks)

        return listener

    async def _safely(self, handle: Handle, body: Payload, *, speaks: bool) -> None:
        """Bolt takes an acknowledgement back when its listener raises within the next hundredth of a second
        (asyncio_runner.py polls for it), and Slack would deliver again what cannot work. So nothing is raised.
        """
        try:
            await handle(body)
        except Exception as error:  # noqa: BLE001 - logged and told to the person; see above
            reference = secrets.token_hex(4)
            _failed(error, reference)
            if speaks:
                at = spot(body)
                await self.kit.whisper(at, texts.went_wrong(self.kit.language(at.channel), reference))


async def _ignored(_body: Payload) -> None:
    """Edits, deletions, other apps, elements of old messages: acknowledged and left alone."""


async def _escaped(error: Exception) -> None:
    """For Bolt, which reads the names of the arguments."""
    _failed(error)


def _failed(error: Exception, reference: str = "") -> None:
    """A listener raised. `reference`: what the person was told to quote.

    Neither the payload nor the error's text is logged: they may hold what people wrote.
    """
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    log.event(_logger, logging.ERROR, "slack_listener_failed", error=type(error).__name__, where=where, id=reference)
