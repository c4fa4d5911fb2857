"""Slack's payloads → what they mean. Pure functions over recorded shapes; nothing here talks to Slack.

Inbound text is entity-escaped (`&amp; &lt; &gt;`) and holds `<@U…>`, `<#C…|name>`, `<!…>` and `<url|label>`
(docs.slack.dev, formatting message text).
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.conversation import Place

Payload = Mapping[str, Any]
TURNS = 10
_TURN_CHARACTERS = 1000
_SPOKEN_SUBTYPES = frozenset({None, "thread_broadcast", "file_share"})
"""Messages that a person wrote; every other subtype is an edit, a deletion, a bot or a housekeeping notice."""
_TOKEN = re.compile(r"<([^<>\n]*)>")
_VOCATIVE = re.compile(r"^(?:아|야|님|씨|님아|님께|에게|한테|께)(?=[\s,.!?:]|$)")
"""A particle that stuck to a mention ("<@U1>에게 …"), only where a word ends: "아이폰" keeps its first syllable."""
_UP = frozenset({"+1", "thumbsup"})
_DOWN = frozenset({"-1", "thumbsdown"})


@dataclass(frozen=True, slots=True)
class Message:
    """A person's message."""

    channel: str
    ts: str
    thread: str
    """`thread_ts`, empty at top level."""
    user: str
    text: str
    """As Slack sent it."""
    direct: bool

    @property
    def root(self) -> str:
        """What an answer hangs on."""
        return self.thread or self.ts


def message(event: Payload) -> Message | None:
    """The message of an `app_mention` or `message` event; None: no person said anything new here."""
    if event.get("subtype") not in _SPOKEN_SUBTYPES or event.get("bot_id") or event.get("hidden"):
        return None
    channel, ts, user = (event.get(key) for key in ("channel", "ts", "user"))
    if not (isinstance(channel, str) and isinstance(ts, str) and isinstance(user, str)):
        return None
    thread = event.get("thread_ts")
    return Message(
        channel=channel,
        ts=ts,
        thread=thread if isinstance(thread, str) else "",
        user=user,
        text=str(event.get("text") or ""),
        direct=event.get("channel_type") == "im" or channel.startswith("D"),
    )


def to_us(body: Payload) -> bool:
    """Whether a `message` event is a person's word in a direct conversation."""
    found = message(body.get("event") or {})
    return found is not None and found.direct


def mentions(text: str, user: str) -> bool:
    """Whether `<@user>` stands in a message's raw text."""
    return f"<@{user}>" in text or f"<@{user}|" in text


def addresses_another(text: str) -> bool:
    """Whether a message that does not mention us begins with somebody's name."""
    return text.lstrip().startswith(("<@", "<!"))


def spoken(text: str) -> str:
    """What the person typed: without mentions (ours and other people's) and Slack's escapes, in NFC."""
    pieces: list[str] = []
    end = 0
    for token in _TOKEN.finditer(text):
        pieces.append(text[end : token.start()])
        end = token.end()
        inner = token.group(1)
        if inner.startswith("@"):
            end += len(found.group()) if (found := _VOCATIVE.match(text[end:])) else 0
        pieces.append(_readable(inner))
    pieces.append(text[end:])
    plain = "".join(pieces).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    lines = (" ".join(line.split()) for line in unicodedata.normalize("NFC", plain).splitlines())
    return "\n".join(line for line in lines if line)


def _readable(inner: str) -> str:
    """The inside of `<…>` as a person would read it aloud; names of people and calls to everyone are left out."""
    head, _, label = inner.partition("|")
    if head.startswith(("@", "!subteam^")) or head in ("!here", "!channel", "!everyone"):
        return ""
    if head.startswith("#"):
        return f"#{label}" if label else ""
    if head.startswith("!"):
        return label
    return label or head.removeprefix("mailto:")


def turns(replies: Iterable[Payload], before: str, bot_user: str) -> tuple[str, ...]:
    """What people said in a thread before the message `before`, oldest first, the newest ten; never a bot's messages."""
    said = []
    for reply in replies:
        earlier = message({"channel": "C", **reply})
        if earlier is None or earlier.user == bot_user or _moment(earlier.ts) >= _moment(before):
            continue
        text = spoken(earlier.text)
        if text:
            said.append((_moment(earlier.ts), text[:_TURN_CHARACTERS]))
    return tuple(text for _, text in sorted(said)[-TURNS:])


def _moment(ts: str) -> tuple[int, int]:
    """`1700000000.000100` in order; a float would lose its last digits."""
    seconds, _, rest = ts.partition(".")
    return (int(seconds), int(rest)) if seconds.isdigit() and rest.isdigit() else (0, 0)


def later(ts: str, than: str) -> bool:
    """Whether one ts comes after another."""
    return _moment(ts) > _moment(than)


def team(body: Payload) -> str:
    """The workspace an envelope is for: its installation's, which in Slack Connect is not always the channel's."""
    for authorization in body.get("authorizations") or ():
        if isinstance(authorization, Mapping) and isinstance(authorization.get("team_id"), str):
            return str(authorization["team_id"])
    inner = body.get("team")
    found = body.get("team_id") or (inner.get("id") if isinstance(inner, Mapping) else inner)
    return str(found or "")


def message_keys(body: Payload, found: Message) -> tuple[str, ...]:
    """Claim keys: the event's id, and the message's own (an `app_mention` and a `message` event exist for one message)."""
    keys = [f"slack:message:{team(body)}:{found.channel}:{found.ts}"]
    if body.get("event_id"):
        keys.insert(0, f"slack:event:{body['event_id']}")
    return tuple(keys)


def interaction_key(body: Payload) -> str:
    """Claim key of a command or shortcut, the same for a redelivery. A digest: a `trigger_id` is a secret while it lives."""
    parts: list[object] = [body.get(key) for key in ("trigger_id", "command", "text", "callback_id", "action_ts")]
    parts += [user(body), channel(body), (body.get("message") or {}).get("ts")]
    return f"slack:interaction:{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]}"


def user(body: Payload) -> str:
    """Who pressed, typed or submitted."""
    if body.get("user_id"):
        return str(body["user_id"])
    return str((body.get("user") or {}).get("id", ""))


def channel(body: Payload) -> str:
    """Where."""
    if body.get("channel_id"):
        return str(body["channel_id"])
    inner = body.get("channel") or body.get("container") or {}
    return str(inner.get("id") or inner.get("channel_id") or "")


def place(found: Message, body: Payload, *, external: bool) -> Place:
    """Where a message was said. Its thread is its own ts at top level: that is where the answer will hang."""
    return Place(
        platform="slack",
        id=found.channel,
        kind="direct" if found.direct else "channel",
        server=team(body),
        thread=found.root,
        external=external,
    )


def external(body: Payload) -> bool | None:
    """Whether the envelope says that people from outside read here; None: it does not say."""
    flag = body.get("is_ext_shared_channel")
    return flag if isinstance(flag, bool) else None


def thumb(reaction: str) -> str | None:
    """`up`, `down` or None for a reaction's name, whatever the skin tone (`+1::skin-tone-3`)."""
    name = reaction.partition("::")[0]
    return "up" if name in _UP else "down" if name in _DOWN else None


def contact_ids(text: str) -> str:
    """Contacts as typed (`<@U1|kim> <!subteam^S1|@hr>`, ids, commas) → `U1, S1`."""
    text = re.sub(r"<@([UW]\w+)(?:\|[^>]*)?>", r" \1 ", text)
    text = re.sub(r"<!subteam\^(S\w+)(?:\|[^>]*)?>", r" \1 ", text)
    return ", ".join(text.replace(",", " ").split())


def assignments(words: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """`key=value` words → a dictionary, and the words that are none. A word without `=` continues the value before it."""
    found: dict[str, str] = {}
    strange: list[str] = []
    last = ""
    for word in words:
        key, equals, value = word.partition("=")
        if equals:
            last = key.strip()
            found[last] = value.strip().strip("\"'“”")
        elif last:
            found[last] = f"{found[last]} {word}".strip().strip("\"'“”")
        else:
            strange.append(word)
    return found, strange
