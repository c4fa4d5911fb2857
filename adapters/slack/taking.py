"""From Slack to Bolt, and when Slack hears that it was taken: an event only once its listener has ended, which has then claimed
the question. A process that dies before that leaves it unacknowledged, and Slack delivers it again.

Slack waits three seconds (docs.slack.dev, Events API). What takes longer, say because Slack itself answers slowly, is acknowledged
before: a claim makes a repetition harmless, but three of them per question would be three too many.
"""

from __future__ import annotations

import asyncio

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from adapters.slack.intake import Intake

TAKEN = "saseo_taken"
"""Of Bolt's context: what the listener of an event tells its end to."""
LONGEST_SECONDS = 2.0


class Taken:
    """Whether the listener of one event has ended."""

    def __init__(self) -> None:
        self.begun = False
        self._ended = asyncio.Event()

    def end(self) -> None:
        """It has."""
        self._ended.set()

    async def wait(self) -> None:
        """Until it has, if it has begun, but not so long that Slack delivers the event again."""
        if self.begun:
            try:
                async with asyncio.timeout(LONGEST_SECONDS):
                    await self._ended.wait()
            except TimeoutError:
                return


async def take(app: AsyncApp, request: AsyncBoltRequest, intake: Intake) -> BoltResponse:
    """What to answer Slack, when it may be answered."""
    taken = Taken()
    request.context[TAKEN] = taken
    with intake.passing():
        response: BoltResponse = await app.async_dispatch(request)
        await asyncio.sleep(0)  # the listener's task starts, and counts for itself, before this one stops counting
        await taken.wait()
        return response
