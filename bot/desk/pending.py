"""A question on its way through this process."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.conversation import Reply
from bot.messages import Answer
from bot.platforms import Delivery

if TYPE_CHECKING:
    from bot.conversation import PlaceSettings
    from bot.store.questions import Claim
    from bot.trace import Trace


@dataclass(slots=True)
class Pending:
    """An accepted question."""

    claim: Claim
    delivery: Delivery
    settings: PlaceSettings
    groups: frozenset[str]
    resumed: bool = False
    counted: bool = True
    """Towards the limits; a refusal on its way is not."""
    begun: bool = False
    """Its task has taken a step. One that has not must not be cancelled: it would end without running at all."""
    stopped: bool = False
    """The person said stop."""
    delivering: bool = False
    """Too late to stop."""
    trace: Trace | None = None
    """How its answer came about, once it has."""
    task: asyncio.Task[None] | None = field(default=None)

    @property
    def id(self) -> str:
        """The question's."""
        return self.claim.question_id

    @property
    def private(self) -> bool:
        """Only the asker reads the answer."""
        return self.claim.asked.private or self.claim.asked.place.kind == "direct"

    def stop(self) -> bool:
        """The person wants no answer any more. False: it is on its way out already."""
        if self.delivering or self.task is None:
            return False
        self.stopped = True
        if self.begun:
            self.task.cancel()
        return True

    def plain_reply(self, answer: Answer) -> Reply:
        """`answer` with nothing to press."""
        return Reply(self.id, "", answer, self.settings.language, self.private)


class Lost(Exception):
    """Another process holds the claim now: stop without a word, it speaks."""
