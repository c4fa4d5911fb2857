"""The chat.* methods: posting, editing, deleting, streaming, and what Slack refuses in them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Literal

from tests.fakes.slack.blocks import check_blocks
from tests.fakes.slack.records import JSON, Ping, SlackError
from tests.fakes.slack.state import BOT, BOT_USER, DOMAIN, Channel, Message, Workspace

MOST_TEXT = 40_000
MOST_UPDATE_TEXT = 4_000  # chat.update answers msg_too_long past 4,000 where chat.postMessage truncates past 40,000
MOST_MARKDOWN = 12_000
_PING = re.compile(r"<(![a-z]+(?:\^\w+)?|@\w+)(?:\|[^>]*)?>")
_CHUNKS = ("markdown_text", "task_update", "plan_update")

Change = Literal["posted", "changed", "deleted"]


class Chat:
    """Handlers over a workspace; `echo(change, message, before)` tells of what the app itself changed."""

    def __init__(
        self, workspace: Workspace, pings: list[Ping], echo: Callable[[Change, Message, JSON | None], None]
    ) -> None:
        self.unsupported: set[str] = set()
        """Kinds of channel (`im`, `public`, `ext_shared`, …) where streaming answers `channel_type_not_supported`."""
        self._workspace = workspace
        self._pings = pings
        self._echo = echo

    # Posting

    def post_message(self, args: JSON) -> JSON:
        """chat.postMessage. A user id as channel means the direct conversation."""
        channel = self.channel(str(args["channel"]), write=True)
        self._check_content(args, MOST_TEXT)
        message = self.add(channel, args)
        self._echo("posted", message, None)
        return {"channel": channel.id, "ts": message.ts, "message": message.as_json()}

    def post_ephemeral(self, args: JSON) -> JSON:
        """chat.postEphemeral."""
        channel = self.channel(str(args["channel"]), write=True)
        user = str(args["user"])
        if user not in self._workspace.users or user not in channel.members:
            raise SlackError("user_not_in_channel")
        self._check_content(args, MOST_TEXT)
        return {"message_ts": self.add(channel, args, ephemeral_to=user).ts}

    def update(self, args: JSON) -> JSON:
        """chat.update."""
        message = self._own(args, "cant_update_message")
        if message.streaming:
            raise SlackError("streaming_state_conflict")
        self._check_content(args, MOST_UPDATE_TEXT)
        before = message.as_json()
        self.replace(message, args)
        self._echo("changed", message, before)
        return {"channel": message.channel, "ts": message.ts, "text": message.text, "message": message.as_json()}

    def delete(self, args: JSON) -> JSON:
        """chat.delete."""
        message = self._own(args, "cant_delete_message")
        before = message.as_json()
        message.deleted = True
        message.streaming = False
        self._echo("deleted", message, before)
        return {"channel": message.channel, "ts": message.ts}

    def permalink(self, args: JSON) -> JSON:
        """chat.getPermalink."""
        channel = self.channel(str(args["channel"]))
        ts = str(args["message_ts"])
        message = self._workspace.find(channel.id, ts)
        if message is None:
            raise SlackError("message_not_found")
        link = f"https://{DOMAIN}.slack.com/archives/{channel.id}/p{ts.replace('.', '')}"
        if message.thread_ts not in (None, ts):
            link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
        return {"channel": channel.id, "permalink": link}

    # Streaming

    def start_stream(self, args: JSON) -> JSON:
        """chat.startStream: only as a reply, and outside direct messages only with a recipient."""
        channel = self.channel(str(args["channel"]), write=True)
        if channel.kind in self.unsupported or (channel.ext_shared and "ext_shared" in self.unsupported):
            raise SlackError("channel_type_not_supported")
        if channel.kind != "im":
            for name in ("recipient_team_id", "recipient_user_id"):
                if not args.get(name):
                    raise SlackError(f"missing_{name}", violation=True)
        user = args.get("recipient_user_id")
        if user and user not in self._workspace.users:
            raise SlackError("user_not_found", str(user), violation=True)
        pieces = self._pieces(args)
        message = self.add(channel, {"thread_ts": args["thread_ts"]})
        message.streaming = message.streamed = True
        self._append(message, pieces)
        return {"channel": channel.id, "ts": message.ts}

    def append_stream(self, args: JSON) -> JSON:
        """chat.appendStream."""
        message = self._stream(args)
        if not args.get("markdown_text") and not args.get("chunks"):
            raise SlackError("no_text", violation=True)
        self._append(message, self._pieces(args))
        return {"channel": message.channel, "ts": message.ts}

    def stop_stream(self, args: JSON) -> JSON:
        """chat.stopStream: last text, final blocks and metadata."""
        message = self._stream(args)
        pieces = self._pieces(args)
        if args.get("blocks"):
            _refuse_bad_blocks(args["blocks"])
        metadata = _metadata(args)
        self._append(message, pieces)
        message.blocks = self._with_ids(args.get("blocks") or [])
        message.metadata = metadata
        message.streaming = False
        self._note_pings(message)
        self._echo("posted", message, None)
        return {"channel": message.channel, "ts": message.ts, "message": message.as_json()}

    def _stream(self, args: JSON) -> Message:
        message = self._own(args, "message_not_found")
        if not message.streaming:
            raise SlackError("message_not_in_streaming_state")
        return message

    def _pieces(self, args: JSON) -> list[JSON]:
        pieces: list[JSON] = []
        if args.get("markdown_text"):
            pieces.append({"type": "markdown_text", "text": args["markdown_text"]})
        chunks = args.get("chunks") or []
        if not isinstance(chunks, list):
            raise SlackError("invalid_arguments", "chunks must be an array", violation=True)
        for chunk in chunks:
            if not isinstance(chunk, dict) or chunk.get("type") not in _CHUNKS:
                raise SlackError("invalid_arguments", f"unknown chunk: {chunk!r}", violation=True)
            pieces.append(chunk)
        markdown = [piece.get("text") for piece in pieces if piece["type"] == "markdown_text"]
        if any(not isinstance(text, str) for text in markdown):
            raise SlackError("invalid_arguments", "a markdown_text chunk needs text", violation=True)
        if sum(len(str(text)) for text in markdown) > MOST_MARKDOWN:
            raise SlackError("msg_too_long", "markdown_text is limited to 12,000 characters", violation=True)
        return pieces

    def _append(self, message: Message, pieces: list[JSON]) -> None:
        for piece in pieces:
            if piece["type"] == "markdown_text":
                message.appends.append(piece["text"])
                message.text += piece["text"]
            else:
                message.chunks.append(piece)
        self._note_pings(message)

    # What posting through a response_url shares

    def add(self, channel: Channel, args: JSON, *, ephemeral_to: str | None = None) -> Message:
        """A new message of the app, content checked already."""
        thread_ts = args.get("thread_ts")
        message = Message(
            channel.id,
            self._workspace.new_ts(),
            BOT_USER,
            "",
            thread_ts=str(thread_ts) if thread_ts else None,
            bot_id=BOT,
            ephemeral_to=ephemeral_to,
            args={key: value for key, value in args.items() if key not in ("text", "blocks", "metadata")},
        )
        self._workspace.messages.append(message)
        self.replace(message, args, new=True)
        if thread_ts and ephemeral_to is None:
            self._workspace.statuses.pop((channel.id, str(thread_ts)), None)  # a reply clears the status
        return message

    def replace(self, message: Message, args: JSON, *, new: bool = False) -> None:
        """New content. What `args` leaves out of blocks and metadata is kept."""
        if args.get("text") is not None or args.get("markdown_text"):
            message.text = str(args.get("markdown_text") or args["text"])
        if args.get("blocks") is not None:
            message.blocks = self._with_ids(args["blocks"])
        if args.get("metadata") is not None:
            message.metadata = _metadata(args)
        if not new:
            message.edits += 1
        self._note_pings(message)

    def check(self, args: JSON) -> None:
        """Refuse content that Slack would refuse in a new message."""
        self._check_content(args, MOST_TEXT)

    def channel(self, channel_id: str, *, write: bool = False) -> Channel:
        """The channel, or channel_not_found, not_in_channel, is_archived."""
        if channel_id in self._workspace.users and channel_id != BOT_USER:
            return self._workspace.im(channel_id)
        channel = self._workspace.channels.get(channel_id)
        if channel is None or (channel.kind != "public" and BOT_USER not in channel.members):
            raise SlackError("channel_not_found")
        if write and BOT_USER not in channel.members:
            raise SlackError("not_in_channel")
        if write and channel.archived:
            raise SlackError("is_archived")
        return channel

    def _own(self, args: JSON, other: str) -> Message:
        channel = self.channel(str(args["channel"]))
        message = self._workspace.find(channel.id, str(args["ts"]))
        if message is None:
            raise SlackError("message_not_found")
        if not message.by_bot:
            raise SlackError(other)
        return message

    @staticmethod
    def _check_content(args: JSON, most: int) -> None:
        text, blocks, markdown = args.get("text"), args.get("blocks"), args.get("markdown_text")
        if markdown and (text or blocks):
            raise SlackError("markdown_text_conflict", violation=True)
        if markdown and len(markdown) > MOST_MARKDOWN:
            raise SlackError("msg_too_long", "markdown_text is limited to 12,000 characters", violation=True)
        if text and len(text) > most:
            raise SlackError("msg_too_long", f"text is limited to {most} characters", violation=True)
        if not text and not blocks and not markdown and not args.get("attachments"):
            raise SlackError("no_text", violation=True)
        if blocks:
            _refuse_bad_blocks(blocks)
        _metadata(args)

    def _with_ids(self, blocks: list[JSON]) -> list[JSON]:
        """As Slack stores them: every block has an id, every interactive element too."""
        stored: list[JSON] = json.loads(json.dumps(blocks))
        for block in stored:
            block.setdefault("block_id", self._workspace.new_id("b"))
            for element in [*(block.get("elements") or []), block.get("accessory"), block.get("element")]:
                if isinstance(element, dict) and element.get("type") not in (None, "plain_text", "mrkdwn", "image"):
                    element.setdefault("action_id", self._workspace.new_id("a"))
        return stored

    def _note_pings(self, message: Message) -> None:
        if message.ephemeral_to is not None:
            return
        known = {(ping.channel, ping.ts, ping.target) for ping in self._pings}
        for target in _PING.findall(f"{message.text}\n{message.body}"):
            if (message.channel, message.ts, target) not in known:
                known.add((message.channel, message.ts, target))
                self._pings.append(Ping(message.channel, message.ts, target))


def _refuse_bad_blocks(blocks: Any) -> None:
    if not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format", violation=True)
    problems = check_blocks(blocks, "message")
    if problems:
        code = "msg_blocks_too_long" if any("together" in problem for problem in problems) else "invalid_blocks"
        raise SlackError(code, "; ".join(problems), violation=True)


def _metadata(args: JSON) -> JSON | None:
    metadata = args.get("metadata")
    if not metadata:
        return None
    if not isinstance(metadata, dict) or set(metadata) - {"event_type", "event_payload", "entities"}:
        raise SlackError("invalid_metadata_format", violation=True)
    if not isinstance(metadata.get("event_type"), str) or not isinstance(metadata.get("event_payload"), dict):
        raise SlackError("invalid_metadata_schema", violation=True)
    return metadata
