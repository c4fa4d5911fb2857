"""A Discord on 127.0.0.1 for one bot: REST v10 and the gateway, driven by an unmodified discord.py over real sockets.

It holds the bot to Discord's rules: what Discord refuses is refused with Discord's code, and whatever a correct bot never sends
is written to `server.violations`, which a test asserts to be empty. Facts without a source in the code come from Discord's
documentation (docs.discord.com, API v10). The package is named like the library, but nothing in it imports the library.

    async with DiscordServer() as server:                  # (message_content=True: the portal allows that intent)
        guild = server.guild(channels=["일반"], roles=["인사"])
        alice = server.user(name="alice", roles=["인사"])   # a member of every server so far; guilds=[]: of none
        …start the bot with server.api_base_url, server.gateway_url, server.token…
        await server.ready()
        asked = await alice.slash("ask", {"question": "연차는?", "private": True}, guild.channel("일반"))
        await server.wait_for(lambda: asked.finished)
        assert asked.text == "…" and asked.ephemeral and not asked.messages[0].pings
        assert server.violations == []

The server runs in the event loop of the test; the bot may run there too, or in another process, which may be killed at any
moment. Call blocking clients (httpx, subprocess) with `asyncio.to_thread`.

People (`server.user(...)`), all awaitable; they return as soon as the event is dispatched, so wait for what should follow:
    slash(name, options, channel)  autocomplete(name, options, channel, focused=)  context_menu(name, message)
    press(message, custom_id_or_label, values=)  submit(interaction_with_a_modal, {label_or_custom_id: value})
    say(channel, text, reply_to=, mention_bot=, reply_ping=)  direct(text)  thread(channel_or_message, name)
    react(message, "👍")  unreact(message, "👍")  edit(message, text)  delete(message)
    Without a channel, slash and autocomplete happen in the direct conversation. `accepts_direct = False`: 50007 for the bot.
Interaction: callback_type, callback_seconds, acknowledged, ephemeral, original, followups, messages, finished, text, choices,
    modal, payload.
Message: text (all that people read), content, components, buttons, labels, custom_ids, flags, v2, loading, ephemeral, seen_by,
    reference, thread, reactions, attachments, versions (how it stood and when), previews (links shown with a preview),
    pings (whom it really notified), mentions_in_text (whom its text asks for, were it not for `allowed_mentions`).
Watching: server.messages(channel_or_person), server.sent(…) (those of the bot), server.requests, server.calls("PATCH", "@original"),
    server.interactions, server.commands.listed(guild_id), server.commands.overwrites, channel.typing,
    await server.wait_for(predicate, timeout=10) → the predicate's value, await server.ready().
REST faults: server.fault("PATCH", "/messages/@original", status=500 | status=429, retry_after=.. | drop_connection=True,
    delay=.., times=.., after=.., applied=True); server.rate_limits.enabled = True; server.deny(channel, "send_messages");
    server.delete_channel(channel); server.invalid_requests counts 401, 403 and 429.
Gateway faults: server.gateway.ask_to_reconnect() (op 7), .invalidate(resumable=) (op 9), .close(4000), .reset() (TCP RST),
    .refuse(times) (handshakes get 503), .forget_sessions(), .acknowledges = False, server.repeat(message_or_interaction).
Not here: polls, stickers, voice, sharding, webhooks other than an interaction's, selects and options of users, roles, channels.
Counts: server.gateway.identifies, .resumes, .heartbeats, .handshakes, .connected. Time: server.advance(seconds).
"""

from tests.fakes.discord.server import DiscordServer

__all__ = ["DiscordServer"]
