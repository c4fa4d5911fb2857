"""Threads of Slack channels as pages, channel by channel as the operator lists them (docs/sources.md).

A public channel's threads have the source's readers. Those of any other channel may be read in that channel only: their
audience is `slack:channel:C…`, which the desk grants to what is asked there. People are 참여자 1, 참여자 2 … on every page
unless the operator wants names; e-mail addresses and telephone numbers in the text stay (masking is at the examples).
"""

from __future__ import annotations

import datetime as dt
import functools
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from knowledge.errors import (
    ChannelNotReadable,
    SourceDenied,
    SourceError,
    SourceUnreachable,
    TokenMissing,
    UnreadablePage,
)
from knowledge.page import Audience
from knowledge.sources.base import SourceFile
from knowledge.sources.kinds import Kind, SourceConfig
from knowledge.sources.paced import checked_address
from knowledge.sources.paths import as_name
from knowledge.sources.patterns import Patterns
from knowledge.sources.slack_client import SlackFailure, SlackReader
from knowledge.sources.slack_text import Names, Pseudonyms, as_html, page_of, title_of

FORM = "1"
"""Part of every version: raise it when the same messages would give other bytes."""

_CHANNEL = re.compile(r"[CG][A-Z0-9]{1,20}")
_KEPT = frozenset({"", "bot_message", "file_share", "me_message", "thread_broadcast"})
"""Subtypes that are something said; joins, leaves, topics, tombstones … are not."""
_DENIED = frozenset(
    "invalid_auth not_authed token_revoked token_expired account_inactive not_allowed_token_type missing_scope "
    "no_permission ekm_access_denied org_login_required access_denied".split()
)
_CHANNEL_CODES = frozenset(
    {"channel_not_found", "not_in_channel", "method_not_supported_for_channel_type", "team_access_not_granted"}
)
_UNSETTLED_DAYS = 2
_LOOK_AGAIN_DAYS = 7
Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SlackOptions:
    """`channels`: ids, each one opted in by being named. `days`: how old a thread's first message may be."""

    channels: tuple[str, ...]
    days: int = 365
    min_replies: int = 1
    lone_messages: bool = False
    """Also messages that nobody answered, one page for each day."""
    people: Literal["hidden", "names"] = "hidden"
    token_env: str = "SLACK_BOT_TOKEN"  # noqa: S105 - the variable's name
    api_base_url: str = "https://slack.com/api/"

    def __post_init__(self) -> None:
        wrong = [channel for channel in self.channels if not _CHANNEL.fullmatch(channel)]
        if wrong or not self.channels:
            raise ValueError('channels must list channel ids such as "C0123456789", each by itself')
        if not 1 <= self.days <= 3650 or self.min_replies < 1:
            raise ValueError("days must be between 1 and 3650, min_replies at least 1")
        checked_address(self.api_base_url)


@dataclass(frozen=True, slots=True)
class _Self:
    """Who we are there: what we say is never a page."""

    user: str
    bot: str
    workspace: str
    """Address, ending in `/`."""

    def said(self, message: Message) -> bool:
        return message.get("user") == self.user or (bool(self.bot) and message.get("bot_id") == self.bot)


@dataclass(frozen=True, slots=True)
class _Channel:
    id: str
    name: str
    audience: Audience | None
    """None: the source's own."""


class SlackHistory:
    """The threads of some channels."""

    def __init__(self, config: SourceConfig, options: SlackOptions, clock: Callable[[], float] = time.time) -> None:
        """`clock`: seconds since 1970."""
        self.name = config.name
        self.audience = config.audience
        self._options = options
        self._include = Patterns(config.include)
        self._exclude = Patterns(config.exclude)
        self._clock = clock

    def files(self) -> Iterator[SourceFile]:
        """Raises TokenMissing, SourceDenied, ChannelNotReadable, SourceUnreachable at once: a list is whole or none."""
        token = os.environ.get(self._options.token_env, "").strip()
        if not token:
            raise TokenMissing(name=self.name, variable=self._options.token_env)
        reader = SlackReader(token, self._options.api_base_url)
        try:
            me = _me(reader)
        except SlackFailure as failure:
            raise self._explained(failure, reader) from None
        people = _People(reader, me, names=self._options.people == "names")
        found: list[SourceFile] = []
        for channel_id in dict.fromkeys(self._options.channels):
            try:
                channel = _channel(reader, channel_id)
                found += self._of_channel(reader, me, people, channel)
            except SlackFailure as failure:
                raise self._explained(failure, reader, channel_id) from None
        return (file for file in found if self._wants(file.path))

    def _wants(self, path: str) -> bool:
        return not self._exclude.match(path) and (not self._include or self._include.match(path))

    def _of_channel(self, reader: SlackReader, me: _Self, people: _People, channel: _Channel) -> Iterator[SourceFile]:
        # From midnight, so that the pages of days lose nothing while the clock goes on.
        first = dt.datetime.fromtimestamp(self._clock()).date() - dt.timedelta(days=self._options.days)
        oldest = f"{dt.datetime.combine(first, dt.time()).timestamp():.6f}"
        history = list(reader.messages("conversations.history", channel=channel.id, oldest=oldest))
        days: dict[dt.date, list[Message]] = {}
        for message in sorted(history, key=_time):
            if not _is_said(message) or me.said(message) or message.get("thread_ts", message["ts"]) != message["ts"]:
                continue
            if _count(message):
                if _count(message) >= self._options.min_replies and not _only_we_replied(message, me):
                    yield self._thread(reader, me, people, channel, message)
            elif self._options.lone_messages:
                days.setdefault(_day(_time(message)), []).append(message)
        for day, messages in days.items():
            yield _day_page(me, people, channel, day, messages)

    def _thread(self, reader: SlackReader, me: _Self, people: _People, channel: _Channel, root: Message) -> SourceFile:
        ts = str(root["ts"])
        latest = float(root.get("latest_reply") or ts)
        day = _day(_time(root))
        return SourceFile(
            f"{as_name(channel.name)}/{day.isoformat()}-{ts.replace('.', '-')}",
            url=f"{me.workspace}archives/{channel.id}/p{ts.replace('.', '')}",
            modified=_day(latest),
            size=0,
            read=functools.partial(_read_thread, reader, me, people, channel.id, ts),
            version=self._version(root, latest),
            identity=f"{channel.id}/{ts}",
            suffix=".html",
            title=title_of(str(root.get("text") or "")) or f"#{channel.name} {day.isoformat()}",
            audience=channel.audience,
        )

    def _version(self, root: Message, latest: float) -> str | None:
        """The list of a channel does not tell that a reply was edited. So what is recent is always read again, and every
        older thread once a week, each on its own day."""
        now = self._clock()
        if now - latest < _UNSETTLED_DAYS * 86400:
            return None
        week = int(now / 86400 + float(root["ts"])) // _LOOK_AGAIN_DAYS
        edited = (root.get("edited") or {}).get("ts", "")
        return f"{FORM}:{self._options.people}:{root.get('latest_reply')}:{_count(root)}:{edited}:{week}"

    def _explained(self, failure: SlackFailure, reader: SlackReader, channel: str = "") -> SourceError:
        reason = f"{failure.code}: {failure.needed}" if failure.needed else failure.code
        if channel and failure.code in _CHANNEL_CODES:
            return ChannelNotReadable(name=self.name, channel=channel, reason=reason)
        kind = SourceDenied if failure.code in _DENIED else SourceUnreachable
        return kind(name=self.name, address=reader.address, reason=reason)


class _People:
    """What people are called on a page."""

    def __init__(self, reader: SlackReader, me: _Self, *, names: bool) -> None:
        self._reader = reader
        self._me = me
        self._names = names
        self._known: dict[str, str] = {}

    def of_a_page(self) -> Names:
        """For the people of one page, so that numbers begin anew on each."""
        hidden = Pseudonyms()

        def name(person: str) -> str:
            if person == self._me.user:
                return ""
            return (self._name(person) if self._names else "") or hidden(person)

        return name

    def author(self, message: Message, names: Names) -> str:
        """Who said it. Other apps have no person's name to hide, but one that somebody may have chosen."""
        if message.get("user") and not message.get("bot_id"):
            return names(str(message["user"]))
        return (str(message.get("username") or "") if self._names else "") or "앱"

    def _name(self, person: str) -> str:
        """Empty where Slack does not tell it: without the scope users:read, or somebody unknown."""
        if person not in self._known:
            try:
                user = self._reader.call("users.info", user=person).get("user") or {}
            except SlackFailure:
                user = {}
            profile = user.get("profile") or {}
            self._known[person] = str(profile.get("display_name") or profile.get("real_name") or "").strip()
        return self._known[person]


def _me(reader: SlackReader) -> _Self:
    told = reader.call("auth.test")
    return _Self(str(told.get("user_id") or ""), str(told.get("bot_id") or ""), str(told.get("url") or ""))


def _channel(reader: SlackReader, channel_id: str) -> _Channel:
    """Public only if Slack says so in as many words; everything else is for those in the channel."""
    told = reader.call("conversations.info", channel=channel_id).get("channel") or {}
    if told.get("is_im") or told.get("is_mpim"):
        raise SlackFailure("method_not_supported_for_channel_type")
    public = told.get("is_channel") is True and told.get("is_private") is False
    audience = None if public else Audience.of([f"slack:channel:{channel_id}"])
    return _Channel(channel_id, str(told.get("name") or channel_id), audience)


def _read_thread(reader: SlackReader, me: _Self, people: _People, channel: str, ts: str) -> bytes:
    try:
        messages = sorted(reader.messages("conversations.replies", channel=channel, ts=ts), key=_time)
    except SlackFailure as failure:
        raise UnreadablePage(reason=f"Slack: {failure.code}") from None
    if not messages or messages[0].get("ts") != ts or not _is_said(messages[0]):
        raise UnreadablePage(reason="the thread's first message is gone")
    return _page(me, people, messages)


def _day_page(me: _Self, people: _People, channel: _Channel, day: dt.date, messages: Sequence[Message]) -> SourceFile:
    first = str(messages[0]["ts"]).replace(".", "")
    return SourceFile(
        f"{as_name(channel.name)}/{day.isoformat()}",
        url=f"{me.workspace}archives/{channel.id}/p{first}",
        modified=day,
        size=sum(len(str(message.get("text") or "").encode("utf-8", "replace")) for message in messages),
        read=functools.partial(_page, me, people, messages),
        identity=f"{channel.id}/{day.isoformat()}",
        suffix=".html",
        title=f"#{channel.name} {day.isoformat()}",
        audience=channel.audience,
    )


def _page(me: _Self, people: _People, messages: Sequence[Message]) -> bytes:
    names = people.of_a_page()
    said = [message for message in messages if _is_said(message) and not me.said(message)]
    return page_of([as_html(one, people.author(one, names), _day(_time(one)).isoformat(), names) for one in said])


def _is_said(message: Message) -> bool:
    return str(message.get("subtype") or "") in _KEPT and _time(message) > 0 and not message.get("hidden")


def _time(message: Message) -> float:
    """Of a message; 0 where it has none."""
    try:
        return float(message.get("ts") or 0)
    except (TypeError, ValueError):
        return 0.0


def _count(message: Message) -> int:
    count = message.get("reply_count")
    return count if isinstance(count, int) else 0


def _only_we_replied(message: Message, me: _Self) -> bool:
    """Whether all that follows a question is our answer. (Slack names five at most who replied.)"""
    return message.get("reply_users") == [me.user] and message.get("reply_users_count") in (None, 1)


def _day(timestamp: float) -> dt.date:
    return dt.date.fromtimestamp(min(max(timestamp, 0.0), 4e9))


def _open(config: SourceConfig, options: SlackOptions) -> SlackHistory:
    return SlackHistory(config, options)


KIND = Kind(SlackOptions, _open)
