"""The usual world of the tests, and how to read what stands in a message."""

from __future__ import annotations

from typing import Any

import discord
import simcord

GUILD = 900_000_000_000_000_001


def words(components: list[dict[str, Any]]) -> str:
    """Everything readable in a message's components."""
    found = []
    for component in components:
        found += [str(component.get(key, "")) for key in ("content", "label")]
        found.append(words(component.get("components", [])))
    return "\n".join(part for part in found if part)


def shown(message: discord.Message | None) -> str:
    """Everything readable in a message."""
    assert message is not None
    return message.content + words([c.to_dict() for c in message.components])


class Office:
    """One server with one channel and two colleagues."""

    def __init__(self, env: simcord.Env) -> None:
        self.env = env
        self.guild = env.create_guild("회사", id=GUILD)
        self.channel = self.guild.create_text_channel("질문")
        self.staff = self.guild.create_role("직원")
        self.kim = self.guild.add_member(env.create_user("kim"), roles=[self.staff])
        self.lee = self.guild.add_member(env.create_user("lee"))

    @property
    def me(self) -> str:
        """How people mention the bot."""
        user = self.env.bot.user
        assert user is not None
        return user.mention
