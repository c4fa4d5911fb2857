"""`Asked.reply_to` of Discord: all that a delivery needs, in whatever process it runs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

import discord

TOKEN_SECONDS = 14.5 * 60
"""An interaction token lives 15 minutes (Discord docs, receiving-and-responding); the rest is for the request itself."""
QUESTION_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Address:
    """Where an answer goes: under a message (`message`), or into an interaction's response (`token`)."""

    channel: int
    """The channel, or the thread, to post in."""
    asker: int
    created: float
    """Seconds since the epoch, by the id of the event."""
    message: int = 0
    """The message to reply to; 0 for an interaction."""
    application: int = 0
    interaction: int = 0
    token: str = field(default="", repr=False)
    """Empty: it cannot be used (the interaction was acknowledged too late)."""
    ephemeral: bool = False
    direct: bool = False
    question: str = field(default="", repr=False)
    """The start of the question, to name it where the answer cannot stand under it."""

    def to_json(self) -> str:
        """For `Asked.reply_to`."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Address:
        """The reverse. Raises TypeError or ValueError on anything else."""
        return cls(**json.loads(text))

    @property
    def usable(self) -> bool:
        """Whether the interaction's response can still be edited."""
        return bool(self.token) and discord.utils.utcnow().timestamp() - self.created < TOKEN_SECONDS


@dataclass(frozen=True, slots=True)
class Draft:
    """What a delivery remembers of its half-written message."""

    v2: bool
    """Components V2 and plain content cannot follow each other in one message."""
    channel: int = 0
    message: int = 0

    def to_json(self) -> str:
        """For `Remember`."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Draft | None:
        """None for an empty note."""
        return cls(**json.loads(text)) if text else None
