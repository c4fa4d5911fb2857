"""The loopback Discord, driven by an unmodified discord.py: what works at Discord works here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import discord
import pytest

from tests.fakes.discord import DiscordServer
from tests.fakes.discord.records import Pings
from tests.fakes.discord_bot import Card, point_at, running


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DiscordServer]:
    async with DiscordServer() as server:
        point_at(server, monkeypatch)
        server.guild(channels=("일반", "질문"), roles=("직원", "인사"))
        yield server


async def test_slash_command_is_deferred_completed_and_followed_up(server: DiscordServer) -> None:
    channel = server.guilds[0].channel("일반")
    alice = server.user(name="alice", roles=["인사"])
    async with running(server):
        asked = await alice.slash("ask", {"question": "연차는?"}, channel)
        await server.wait_for(lambda: len(asked.messages) == 2)
        assert asked.callback_type == 5
        assert asked.ephemeral is False
        assert asked.callback_seconds is not None
        assert asked.callback_seconds < 3
        assert [m.text for m in server.sent(channel)] == ["answer to 연차는?", "more"]
        assert [v.text for v in asked.messages[0].versions] == ["", "answer to 연차는?"]
        assert asked.messages[0].labels == ["도움됨", "아쉬움"]
    assert server.violations == []


async def test_private_answer_is_seen_by_the_asker_alone(server: DiscordServer) -> None:
    channel = server.guilds[0].channel("일반")
    alice, bob = server.user(name="alice"), server.user(name="bob")
    async with running(server) as bot:
        asked = await alice.slash("ask", {"question": "연봉은?", "private": True}, channel)
        await server.wait_for(lambda: len(asked.messages) == 2)
        assert asked.ephemeral is True
        assert all(message.seen_by is alice for message in asked.messages)
        assert server.messages(channel) == []
        with pytest.raises(discord.NotFound) as hidden:
            await bot.get_partial_messageable(channel.id).fetch_message(asked.messages[0].id)
        assert hidden.value.code == 10008
        with pytest.raises(AssertionError, match="somebody else"):
            await bob.press(asked.messages[0], "도움됨")
        assert bot.seen == []
    assert server.violations == []


async def test_commands_work_in_direct_conversations_and_by_localised_name(server: DiscordServer) -> None:
    alice = server.user(name="alice")
    async with running(server) as bot:
        found = server.commands.find(1, "ask", None)
        assert found is not None
        localised: Any = found | {"name_localizations": {"ko": "질문"}}
        await bot.http.upsert_global_command(server.application_id, localised)
        asked = await alice.slash("질문", {"question": "연차는?"})
        await server.wait_for(lambda: len(asked.messages) == 2)
        assert asked.payload["data"]["id"] == found["id"]
        assert "member" not in asked.payload
        assert [m.text for m in server.sent(alice)] == ["answer to 연차는?", "more"]
        with pytest.raises(AssertionError, match="required"):
            await alice.slash("ask", {})
        with pytest.raises(AssertionError, match="no command"):
            await alice.slash("unknown", {})


async def test_autocomplete_and_message_menu(server: DiscordServer) -> None:
    channel = server.guilds[0].channel("일반")
    alice, bob = server.user(name="alice"), server.user(name="bob")
    async with running(server) as bot:
        typing = await alice.autocomplete("ask", {"question": "연"}, channel)
        await server.wait_for(lambda: typing.acknowledged)
        assert typing.choices == [{"name": "연차", "value": "연차는?"}]
        message = await bob.say(channel, "출장비는 얼마인가요?")
        menu = await alice.context_menu("위키에서 찾기", message)
        await server.wait_for(lambda: menu.finished)
        assert menu.text == "found 출장비는 얼마인가요?"
        assert menu.ephemeral
        assert [seen.content for seen in bot.seen] == [""]
    assert server.violations == []


async def test_buttons_and_modal_work_also_after_a_restart(server: DiscordServer) -> None:
    channel = server.guilds[0].channel("일반")
    alice, bob = server.user(name="alice"), server.user(name="bob")
    async with running(server):
        asked = await alice.slash("ask", {"question": "연차는?"}, channel)
        await server.wait_for(lambda: len(asked.messages) == 2)
    async with running(server):
        thanked = await bob.press(asked.messages[0], "fb:up")
        await server.wait_for(lambda: thanked.finished)
        assert (thanked.text, thanked.ephemeral) == ("thanks", True)
        down = await bob.press(asked.messages[0], "아쉬움")
        await server.wait_for(lambda: down.acknowledged)
        assert down.modal is not None
        assert down.modal["title"] == "왜?"
        filled = await bob.submit(down, {"이유": "틀림", "맞는 답": "16일"})
        await server.wait_for(lambda: filled.finished)
        assert filled.text == "틀림|16일"
        with pytest.raises(AssertionError, match="no field"):
            await bob.submit(down, {"무엇": "?"})
    assert len(server.gateway.identifies) == 2
    assert server.violations == []


async def test_content_is_hidden_without_the_intent_except_where_the_bot_is_addressed(server: DiscordServer) -> None:
    channel = server.guilds[0].channel("일반")
    alice = server.user(name="alice")
    async with running(server) as bot:
        own = await bot.get_partial_messageable(channel.id).send("own")
        await alice.say(channel, "hidden")
        await alice.say(channel, "연차는?", mention_bot=True)
        await alice.say(channel, "reply", reply_to=server.sent(channel)[0])
        await alice.say(channel, "quiet reply", reply_to=server.sent(channel)[0], reply_ping=False)
        await alice.direct("비밀")
        await server.wait_for(lambda: len(bot.seen) == 6)
        assert [m.content for m in bot.seen] == ["own", "", f"{server.bot.mention} 연차는?", "reply", "", "비밀"]
        assert bot.seen[3].reference is not None
        assert bot.seen[3].reference.message_id == own.id
        assert bot.user in bot.seen[2].mentions
        assert isinstance(bot.seen[5].channel, discord.DMChannel)
        read = [m.content async for m in bot.get_partial_messageable(channel.id).history(limit=2)]
        assert read == ["", "reply"]


async def test_content_is_shown_with_the_intent(monkeypatch: pytest.MonkeyPatch) -> None:
    async with DiscordServer(message_content=True) as server:
        point_at(server, monkeypatch)
        channel = server.guild().channel("일반")
        alice = server.user(name="alice")
        async with running(server, intents=discord.Intents(guilds=True, messages=True, message_content=True)) as bot:
            message = await alice.say(channel, "shown")
            await server.wait_for(lambda: bot.seen)
            assert bot.seen[0].content == "shown"
            await alice.edit(message, "changed")
            await alice.delete(message)
            app = await bot.application_info()
            assert app.flags.gateway_message_content_limited
            assert server.messages(channel) == []


async def test_pings_are_those_that_allowed_mentions_leaves(server: DiscordServer) -> None:
    guild = server.guilds[0]
    channel, role = guild.channel("일반"), guild.role("인사")
    alice = server.user(name="alice")
    text = f"@everyone {alice.mention} {role.mention}"
    async with running(server, allowed_mentions=discord.AllowedMentions.none()) as bot:
        place = bot.get_partial_messageable(channel.id)
        await place.send(text)
        silent = server.sent(channel)[-1]
        assert not silent.pings
        assert silent.mentions_in_text.everyone
        await place.send(text, allowed_mentions=discord.AllowedMentions(everyone=False))
        assert not server.sent(channel)[-1].pings.everyone
        await place.send(text, allowed_mentions=discord.AllowedMentions(roles=[discord.Object(role.id)]))
        assert server.sent(channel)[-1].pings.roles == {role.id}
        assert server.sent(channel)[-1].pings.users == set()
        question = await alice.say(channel, "연차는?", mention_bot=True)
        await server.wait_for(lambda: bot.seen[-1].id == question.id)
        await bot.seen[-1].reply("quiet", mention_author=False)
        assert not server.sent(channel)[-1].pings
        assert server.sent(channel)[-1].reference is question
        await (
            bot.get_partial_messageable(channel.id).get_partial_message(question.id).reply("loud", mention_author=True)
        )
        assert server.sent(channel)[-1].pings.users == {alice.id}
    async with running(server) as bot:  # without a client-wide allowance: Discord's default pings all three
        await bot.get_partial_messageable(channel.id).send(text)
        pings = server.sent(channel)[-1].pings
        assert pings == Pings(everyone=True, users=frozenset({alice.id}), roles=frozenset({role.id}))


async def test_reactions(server: DiscordServer) -> None:
    channel = server.guilds[0].channel("일반")
    alice = server.user(name="alice", roles=["인사"])
    async with running(server) as bot:
        sent = await bot.get_partial_messageable(channel.id).send("answer")
        message = server.sent(channel)[0]
        await alice.react(message, "👍🏽")
        await alice.react(message, "👍🏽")
        await alice.unreact(message, "👍🏽")
        await server.wait_for(lambda: len(bot.raw) == 2)
        added, removed = bot.raw
        assert (added.event_type, removed.event_type) == ("REACTION_ADD", "REACTION_REMOVE")
        assert str(added.emoji) == "👍🏽"
        assert added.message_author_id == server.bot.id
        assert removed.message_author_id is None
        assert [role.name for role in added.member.roles] == ["@everyone", "인사"]
        await sent.add_reaction("👀")
        assert message.reactions["👀"] == [server.bot.id]
        await sent.remove_reaction("👀", discord.Object(server.bot.id))
        assert message.reactions["👀"] == []


async def test_components_v2(server: DiscordServer) -> None:
    channel = server.guilds[0].channel("일반")
    alice = server.user(name="alice")
    async with running(server) as bot:
        sent = await bot.get_partial_messageable(channel.id).send(view=Card("답변 [1] @everyone"))
        message = server.sent(channel)[0]
        assert message.v2
        assert message.text == "답변 [1] @everyone"
        assert message.pings.everyone
        assert message.labels == ["도움됨", "아쉬움"]
        thanked = await alice.press(message, "도움됨")
        await server.wait_for(lambda: thanked.finished)
        await sent.edit(view=Card("새 답변"))
        assert [v.text for v in message.versions] == ["답변 [1] @everyone", "새 답변"]
        with pytest.raises(discord.HTTPException) as mixed:
            await sent.edit(content="plain")
        assert mixed.value.code == 50035
        with pytest.raises(discord.HTTPException, match="4000"):
            await bot.get_partial_messageable(channel.id).send(view=Card("가" * 4001))
    assert len(server.violations) == 2


async def test_deferral_becomes_components_v2(server: DiscordServer) -> None:
    channel = server.guilds[0].channel("일반")
    alice = server.user(name="alice")
    async with running(server) as bot:
        taken: list[discord.Interaction] = []

        @bot.tree.command(name="card", description="…")
        async def card(interaction: discord.Interaction) -> None:
            response = await interaction.response.defer(thinking=True, ephemeral=True)
            assert response is not None
            assert response.is_thinking()
            taken.append(interaction)

        await bot.tree.sync()
        asked = await alice.slash("card", {}, channel)
        await server.wait_for(lambda: taken)
        loading = await taken[0].original_response()
        assert loading.flags.loading
        webhook = discord.Webhook.partial(bot.application_id or 0, taken[0].token, client=bot)
        await webhook.edit_message("@original", view=Card("답변"))  # type: ignore[call-overload]
        assert asked.finished
        assert asked.original is not None
        assert asked.original.v2
        assert asked.original.ephemeral
        await taken[0].delete_original_response()
        assert asked.messages == []
    assert server.violations == []


async def test_follow_up_after_a_deferral_completes_it(server: DiscordServer) -> None:
    """docs: Create Followup Message. The ephemeral flag of the follow-up is ignored then."""
    channel = server.guilds[0].channel("일반")
    alice = server.user(name="alice")
    async with running(server) as bot:

        @bot.tree.command(name="late", description="…")
        async def late(interaction: discord.Interaction) -> None:
            await interaction.response.defer(thinking=True)
            await interaction.followup.send("hidden?", ephemeral=True)
            await interaction.followup.send("second", ephemeral=True)

        await bot.tree.sync()
        asked = await alice.slash("late", {}, channel)
        await server.wait_for(lambda: asked.text == "hidden?\nsecond")
        assert [m.ephemeral for m in asked.messages] == [False, True]


async def test_threads(server: DiscordServer) -> None:
    channel = server.guilds[0].channel("일반")
    alice = server.user(name="alice")
    async with running(server) as bot:
        question = await alice.say(channel, "연차는?", mention_bot=True)
        await server.wait_for(lambda: bot.seen)
        thread = await bot.seen[0].create_thread(name="연차는?")
        assert thread.id == question.id
        await thread.send("answer")
        assert question.thread is not None
        assert [m.text for m in server.messages(question.thread)] == ["answer"]
        with pytest.raises(discord.HTTPException) as again:
            await bot.seen[0].create_thread(name="again")
        assert again.value.code == 160004
        theirs = await alice.thread(channel, "다른 이야기")
        await alice.say(theirs, "출장비는?", mention_bot=True)
        await server.wait_for(lambda: bot.seen[-1].content.endswith("출장비는?"))
        place = bot.seen[-1].channel
        assert isinstance(place, discord.Thread)
        assert place.parent_id == channel.id
    assert server.violations == []


async def test_files_typing_and_direct_messages(server: DiscordServer) -> None:
    guild = server.guilds[0]
    channel = guild.channel("일반")
    alice, stranger = server.user(name="alice"), server.user(name="stranger", guilds=[])
    async with running(server) as bot:
        place = bot.get_partial_messageable(channel.id)
        async with place.typing():
            await place.send("file", file=discord.File(__file__, "답변.md"))
        assert channel.typing
        attachment = server.sent(channel)[0].attachments[0]
        assert attachment.filename == "답변.md"
        assert attachment.data.startswith(b'"""The loopback')
        await server.wait_for(lambda: bot.seen)
        assert await bot.seen[0].attachments[0].read() == attachment.data
        member = await bot.get_guild(guild.id).fetch_member(alice.id)  # type: ignore[union-attr]
        await member.send("안녕하세요")
        assert [m.text for m in server.sent(alice)] == ["안녕하세요"]
        alice.accepts_direct = False
        with pytest.raises(discord.Forbidden) as closed:
            await member.send("again")
        assert closed.value.code == 50007
        with pytest.raises(discord.NotFound) as absent:
            await bot.get_guild(guild.id).fetch_member(stranger.id)  # type: ignore[union-attr]
        assert absent.value.code == 10007
        with pytest.raises(discord.Forbidden):
            await (await bot.fetch_user(stranger.id)).send("hello")
    assert server.violations == []


async def test_missing_permissions(server: DiscordServer) -> None:
    channel = server.guilds[0].channel("일반")
    alice = server.user(name="alice")
    async with running(server) as bot:
        server.deny(channel, "send_messages")
        place = bot.get_channel(channel.id)
        assert isinstance(place, discord.TextChannel)
        await server.wait_for(lambda: not place.permissions_for(place.guild.me).send_messages)
        with pytest.raises(discord.Forbidden) as silent:
            await place.send("no")
        assert silent.value.code == 50013
        asked = await alice.slash("ask", {"question": "연차는?"}, channel)  # a response needs no such permission
        await server.wait_for(lambda: asked.finished)
        server.allow(channel, "send_messages")
        await place.send("yes")
        server.deny(channel, "view_channel")
        with pytest.raises(discord.Forbidden) as blind:
            await place.send("no")
        assert blind.value.code == 50001


async def test_members_are_told_over_the_gateway(server: DiscordServer) -> None:
    alice = server.user(name="alice", roles=["인사"])
    async with running(server) as bot:
        guild = bot.get_guild(server.guilds[0].id)
        assert guild is not None
        assert [member.name for member in guild.members] == [server.bot.name], "without the intent: the bot alone"
        found = await guild.query_members(user_ids=[alice.id])
        assert [(member.name, [role.name for role in member.roles]) for member in found] == [
            ("alice", ["@everyone", "인사"])
        ]


async def test_bot_is_added_to_a_server_and_leaves_it(server: DiscordServer) -> None:
    async with running(server) as bot:
        other = server.guild(name="남의 회사")
        await server.wait_for(lambda: bot.joined)
        await bot.joined[0].leave()
        assert not other.bot_in
        await server.wait_for(lambda: bot.get_guild(other.id) is None)
        with pytest.raises(discord.NotFound) as gone:
            await bot.fetch_guild(other.id)
        assert gone.value.code == 10004


async def test_duplicates_and_second_process_with_the_same_token(server: DiscordServer) -> None:
    channel = server.guilds[0].channel("일반")
    alice = server.user(name="alice")
    async with running(server) as one, running(server) as two:
        message = await alice.say(channel, "연차는?", mention_bot=True)
        server.repeat(message)
        await server.wait_for(lambda: len(one.seen) == 2 and len(two.seen) == 2)
        assert {seen.id for seen in one.seen} == {message.id}
    assert len(server.gateway.identifies) == 2
