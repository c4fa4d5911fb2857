"""The original response of an interaction, by its token alone, so that another process can complete it.

discord.py offers this only on an `Interaction`, which no other process has; its webhook methods would escape `@original`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord.http import handle_message_parameters
from discord.webhook.async_ import async_context

from adapters.discord.address import Address
from adapters.discord.render import Post

if TYPE_CHECKING:
    from adapters.discord.client import SaseoClient


class Response:
    """Raises what discord.py raises."""

    def __init__(self, client: SaseoClient, address: Address) -> None:
        self._application = address.application
        self._token = address.token
        self.webhook = discord.Webhook.partial(address.application, address.token, client=client)
        """For what follows the response."""

    async def edit(self, post: Post) -> tuple[int, int]:
        """Returns the ids of its channel and of the message."""
        arguments = post.editing() | {"allowed_mentions": discord.AllowedMentions.none()}
        if not post.v2:  # layouts have no previews to suppress
            arguments["flags"] = discord.MessageFlags(suppress_embeds=True)
        with handle_message_parameters(**arguments) as made:
            data = await async_context.get().edit_original_interaction_response(
                self._application,
                self._token,
                session=self.webhook.session,
                proxy=self.webhook.proxy,
                proxy_auth=self.webhook.proxy_auth,
                payload=made.payload,
                multipart=made.multipart,
                files=made.files,
            )
        return int(data["channel_id"]), int(data["id"])

    async def fetch(self) -> discord.WebhookMessage:
        """What stands there now."""
        data = await async_context.get().get_original_interaction_response(
            self._application,
            self._token,
            session=self.webhook.session,
            proxy=self.webhook.proxy,
            proxy_auth=self.webhook.proxy_auth,
        )
        return await self.webhook.fetch_message(int(data["id"]))
