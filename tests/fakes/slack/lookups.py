"""Methods that read: who, where, which messages, which groups."""

from __future__ import annotations

from collections.abc import Callable

from tests.fakes.slack.records import JSON, SlackError
from tests.fakes.slack.state import APP, BOT, BOT_NAME, BOT_USER, DOMAIN, TEAM, Channel, Message, Workspace
from tests.fakes.slack.web_api import truthy


class Lookups:
    """Handlers over a workspace. `channel(id)` is `Chat.channel`; `granted(scope)` says what the bot token may do."""

    def __init__(self, workspace: Workspace, channel: Callable[[str], Channel], granted: Callable[[str], bool]) -> None:
        self._workspace = workspace
        self._channel = channel
        self._granted = granted

    def auth_test(self, args: JSON) -> JSON:
        """auth.test."""
        return {
            "url": f"https://{DOMAIN}.slack.com/",
            "team": "사서 시험",
            "user": BOT_NAME,
            "team_id": TEAM,
            "user_id": BOT_USER,
            "bot_id": BOT,
            "is_enterprise_install": False,
        }

    def bots_info(self, args: JSON) -> JSON:
        """bots.info."""
        if args.get("bot", BOT) != BOT:
            raise SlackError("bot_not_found")
        return {
            "bot": {
                "id": BOT,
                "app_id": APP,
                "user_id": BOT_USER,
                "name": BOT_NAME,
                "deleted": False,
                "updated": 1700000000,
            }
        }

    def users_info(self, args: JSON) -> JSON:
        """users.info; `email` only with users:read.email."""
        user = self._workspace.users.get(str(args["user"]))
        if user is None:
            raise SlackError("user_not_found")
        with_email = self._granted("users:read.email")
        return {"user": user.as_json(with_email=with_email, with_locale=truthy(args.get("include_locale")))}

    def conversations_info(self, args: JSON) -> JSON:
        """conversations.info."""
        channel = self._channel(str(args["channel"]))
        body = channel.as_json()
        if truthy(args.get("include_num_members")):
            body["num_members"] = len(channel.members)
        return {"channel": body}

    def conversations_members(self, args: JSON) -> JSON:
        """conversations.members, all on one page."""
        channel = self._channel(str(args["channel"]))
        return {"members": sorted(channel.members), "response_metadata": {"next_cursor": ""}}

    def conversations_open(self, args: JSON) -> JSON:
        """conversations.open, for one person."""
        user = str(args.get("users", ""))
        if user not in self._workspace.users:
            raise SlackError("user_not_found")
        return {"channel": {"id": self._workspace.im(user).id}, "no_op": True, "already_open": True}

    def conversations_replies(self, args: JSON) -> JSON:
        """conversations.replies: root first, oldest to newest. A message without replies comes alone."""
        channel = self._readable(args)
        anchor = self._workspace.find(channel.id, str(args["ts"]))
        if anchor is None:
            raise SlackError("thread_not_found")
        messages = [
            m for m in self._workspace.thread(channel.id, anchor.thread_ts or anchor.ts) if m.ephemeral_to is None
        ]
        body = self._page(messages, args, 1000)
        for message in body["messages"]:
            if message.get("thread_ts", message["ts"]) == message["ts"] and len(messages) > 1:
                message |= {"thread_ts": message["ts"], "reply_count": len(messages) - 1}
            elif "thread_ts" in message:
                message["parent_user_id"] = messages[0].user
        return body

    def conversations_history(self, args: JSON) -> JSON:
        """conversations.history: newest first, without replies; what has some says how many, whose, and when the last."""
        channel = self._readable(args)
        messages = [
            m
            for m in self._workspace.messages
            if m.channel == channel.id and not m.deleted and m.ephemeral_to is None and m.thread_ts in (None, m.ts)
        ]
        body = self._page(sorted(messages, key=lambda m: m.ts, reverse=True), args, 100)
        for message in body["messages"]:
            replies = [m for m in self._workspace.thread(channel.id, message["ts"])[1:] if m.ephemeral_to is None]
            if replies:
                users = list(dict.fromkeys(m.user for m in replies))
                message |= {"thread_ts": message["ts"], "reply_count": len(replies), "latest_reply": replies[-1].ts}
                message |= {"reply_users": users[:5], "reply_users_count": len(users)}
        return body

    def _readable(self, args: JSON) -> Channel:
        channel = self._channel(str(args["channel"]))
        if BOT_USER not in channel.members:
            raise SlackError("not_in_channel")
        return channel

    @staticmethod
    def _page(messages: list[Message], args: JSON, default: int) -> JSON:
        oldest, latest = str(args.get("oldest") or "0"), str(args.get("latest") or "9999999999")
        inclusive = truthy(args.get("inclusive"))
        found = [m for m in messages if oldest < m.ts < latest or (inclusive and m.ts in (oldest, latest))]
        start = int(str(args.get("cursor") or "at:0").removeprefix("at:"))
        end = start + int(args.get("limit") or default)
        more = end < len(found)
        with_metadata = truthy(args.get("include_all_metadata"))
        body: JSON = {
            "messages": [m.as_json(with_metadata=with_metadata) for m in found[start:end]],
            "has_more": more,
        }
        if more:
            body["response_metadata"] = {"next_cursor": f"at:{end}"}
        return body

    def usergroups_list(self, args: JSON) -> JSON:
        """usergroups.list."""
        with_users = truthy(args.get("include_users"))
        groups = [
            {"id": group, "team_id": TEAM, "is_usergroup": True, "handle": group.lower(), "name": group}
            | ({"users": sorted(users)} if with_users else {})
            for group, users in self._workspace.usergroups.items()
        ]
        return {"usergroups": groups}

    def usergroups_users_list(self, args: JSON) -> JSON:
        """usergroups.users.list."""
        users = self._workspace.usergroups.get(str(args["usergroup"]))
        if users is None:
            raise SlackError("no_such_subteam")
        return {"users": sorted(users)}
