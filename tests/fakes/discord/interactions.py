"""One interaction: what the bot was sent, and what it answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.fakes.discord.records import JSON

if TYPE_CHECKING:
    from tests.fakes.discord.messages import Message
    from tests.fakes.discord.places import Channel, User

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL_SUBMIT = 2, 3, 4, 5
PONG, ANSWER, DEFER, DEFER_UPDATE, UPDATE, CHOICES, MODAL = 1, 4, 5, 6, 7, 8, 9
FIRST_ANSWER_SECONDS = 3.0
TOKEN_SECONDS = 15 * 60.0


@dataclass(eq=False)
class Interaction:
    """Somebody used a command, a component, or a modal."""

    id: int
    token: str
    type: int
    application_id: int
    user: User
    channel: Channel
    payload: JSON
    """As dispatched."""
    sent: float
    """By `Clock.elapsed`."""
    message: Message | None = None
    """The message whose component was used."""
    parent: Interaction | None = None
    """Of a modal's submission: the interaction that the modal answered."""
    callback: JSON | None = None
    """The body of the first response; None while there is none."""
    callback_seconds: float | None = None
    """From the dispatch to the first response."""
    original: Message | None = None
    """What `@original` is: the response, or the component's own message after types 6 and 7."""
    followups: list[Message] = field(default_factory=list)
    fresh_until: float = 0.0
    """When its token expires, by `Clock.elapsed`."""

    @property
    def callback_type(self) -> int | None:
        """Of the first response: 4 message, 5 deferral, 6 and 7 of a component, 8 choices, 9 modal."""
        return None if self.callback is None else int(self.callback["type"])

    @property
    def acknowledged(self) -> bool:
        """Whether a first response came in time."""
        return self.callback is not None

    @property
    def ephemeral(self) -> bool | None:
        """Whether its response is for one person alone; None before there is one."""
        return None if self.original is None else self.original.ephemeral

    @property
    def modal(self) -> JSON | None:
        """The form it was answered with: `custom_id`, `title`, `components`."""
        return self.callback["data"] if self.callback is not None and self.callback["type"] == MODAL else None

    @property
    def choices(self) -> list[JSON] | None:
        """Of an autocomplete: what was offered (`name`, `value`)."""
        if self.callback is None or self.callback["type"] != CHOICES:
            return None
        return list(self.callback["data"].get("choices") or [])

    @property
    def messages(self) -> list[Message]:
        """Its own messages that still stand: the response, then the follow-ups."""
        own = [self.original] if self.original is not None and self.original is not self.message else []
        return [message for message in [*own, *self.followups] if not message.deleted]

    @property
    def finished(self) -> bool:
        """Whether its response stands there and is no longer "thinking"."""
        return any(not message.loading for message in self.messages)

    @property
    def text(self) -> str:
        """All that people read in its messages."""
        return "\n".join(message.text for message in self.messages)

    def metadata(self, *, of_original: bool) -> JSON:
        """`interaction_metadata` of its messages."""
        described: JSON = {
            "id": str(self.id),
            "type": self.type,
            "user": self.user.payload(),
            "authorizing_integration_owners": self.payload["authorizing_integration_owners"],
        }
        if self.type == COMMAND:
            described |= {"name": self.payload["data"]["name"], "command_type": self.payload["data"]["type"]}
        if not of_original and self.original is not None:
            described["original_response_message_id"] = str(self.original.id)
        if self.type == COMPONENT and self.message is not None:
            described["interacted_message_id"] = str(self.message.id)
        if self.type == MODAL_SUBMIT and self.parent is not None:
            described["triggering_interaction_metadata"] = self.parent.metadata(of_original=True)
        return described
