"""`/wiki 색인`: an admin has all sources read again. Who may, and whether it can be, is the desk's to say."""

from __future__ import annotations

import asyncio
import logging

from adapters.slack import log
from adapters.slack.events import Payload
from adapters.slack.kit import Kit, spot
from adapters.text import mrkdwn
from bot.errors import SaseoError

_logger = logging.getLogger(__name__)


class Reindexing:
    """Payload → `Desk.reindex`."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    async def command(self, body: Payload) -> None:
        """Every word is for the person's eyes alone: the answer now, and how it went some minutes later."""
        at = spot(body)
        place, person = await asyncio.gather(self._kit.place(at.channel), self._kit.person(body))

        async def told(sentence: str) -> None:
            await self._kit.whisper(at, mrkdwn(sentence))

        try:
            sentence = await self._kit.desk.reindex(place, person, told)
        except SaseoError as error:
            sentence = error.explain(self._kit.language(at.channel))
        else:
            log.event(_logger, logging.INFO, "slack_reindex_asked", channel=at.channel)
        await told(sentence)
