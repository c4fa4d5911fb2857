"""Reply → messages of Discord: Components V2 (one layout, 4,000 characters) or classic content (2,000) with buttons.

Which of the two is decided once for the life of a message: the V2 flag cannot be removed and excludes content (Discord docs,
component reference). Everything untrusted goes through `adapters.text`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from discord import ui

from adapters.discord import texts
from adapters.discord.escalation import CallButton
from adapters.discord.sharing import ShareButton
from adapters.discord.votes import ThumbButton
from adapters.text import Markdown, inline, plain, safe_url, shorten
from bot.conversation import Reply
from bot.messages import Citation, Language, Outcome

V2_CHARACTERS = 4_000
CONTENT_CHARACTERS = 2_000
SOURCES_CHARACTERS = 1_300
QUOTE_CHARACTERS = 90
TITLE_CHARACTERS = 120
NOTHING = "…"
UNFINISHED = "⏳"
"""Ends every draft, so that a half-written message can be told from a finished one after a crash."""


@dataclass(frozen=True)
class Post:
    """One message, ready to be sent or edited."""

    content: str | None
    view: ui.View | ui.LayoutView | None

    @property
    def v2(self) -> bool:
        """Components V2."""
        return isinstance(self.view, ui.LayoutView)

    def creating(self) -> dict[str, Any]:
        """Arguments of a `send`."""
        made: dict[str, Any] = {}
        if self.content is not None:
            made |= {"content": self.content, "suppress_embeds": True}
        if self.view is not None:
            made["view"] = self.view
        return made

    def editing(self) -> dict[str, Any]:
        """Arguments of an edit: what was there before goes."""
        return {"view": self.view} if self.v2 else {"content": self.content, "view": self.view}


def link(text: str, url: str | None) -> str:
    """A masked link without a preview; the bare text where there is no safe address."""
    address = safe_url(url)
    return f"[{text}](<{quote(address, safe=_URL_SAFE)}>)" if address else text


_URL_SAFE = ":/?#[]@!$&'*+,;=%~-._"  # quote() leaves these; < > ( ) and blanks would end the link


def pages(citations: Sequence[Citation], limit: int, language: Language, *, quotes: bool = True) -> str:
    """Numbered pages, one a line, within `limit` characters; the rest is counted."""
    lines: list[str] = []
    room = limit - 20
    for position, citation in enumerate(citations):
        title = inline(shorten(citation.title, TITLE_CHARACTERS), "discord")
        line = f"**{citation.n}.** {link(title, citation.url)}"
        if citation.heading:
            line += f" › {inline(shorten(citation.heading, TITLE_CHARACTERS), 'discord')}"
        if quotes and citation.quote:
            line += f"\n-# “{inline(shorten(' '.join(citation.quote.split()), QUOTE_CHARACTERS), 'discord')}”"
        if len(line) + 1 > room:
            lines.append(texts.more_sources(len(citations) - position, language))
            break
        room -= len(line) + 1
        lines.append(line)
    return "\n".join(lines)


class Renderer:
    """Makes messages of one form; another form can be asked for where a draft already has it."""

    def __init__(self, v2: bool) -> None:
        self.v2 = v2

    def text(self, text: str, v2: bool | None = None, buttons: Sequence[ui.Item[Any]] = ()) -> Post:
        """Our own words, already safe. Cut to what fits."""
        text = text if text.strip() else NOTHING  # Discord takes no empty message
        if self.v2 if v2 is None else v2:
            layout = ui.LayoutView(timeout=None)
            layout.add_item(ui.TextDisplay(shorten(text, V2_CHARACTERS)))
            if buttons:
                layout.add_item(ui.ActionRow(*buttons))
            return Post(None, layout)
        return Post(shorten(text, CONTENT_CHARACTERS), _view(buttons))

    def draft(self, text: str, v2: bool) -> Post:
        """A status, or the beginning of an answer."""
        limit = (V2_CHARACTERS if v2 else CONTENT_CHARACTERS) - len(UNFINISHED) - 1
        return self.text(f"{shorten(text, limit)} {UNFINISHED}", v2)

    def final(self, reply: Reply, v2: bool | None = None, about: str = "") -> tuple[Post, ...]:
        """One message; in the classic form two if they must be. `about`: the question, where the answer stands elsewhere."""
        answer, language = reply.answer, reply.language
        links = {c.n: url for c in answer.citations if (url := safe_url(c.url))}
        body = Markdown("discord").render(answer.text, links)
        body = body if body.strip() else NOTHING
        if about:
            body = f"{texts.about(inline(shorten(about, 150), 'discord'), language)}\n{body}"
        return self._layout(reply, body) if (self.v2 if v2 is None else v2) else self._classic(reply, body)

    def bare(self, reply: Reply, v2: bool) -> Post:
        """When Discord refuses the full form: the answer's words alone, and still its buttons."""
        room = (V2_CHARACTERS if v2 else CONTENT_CHARACTERS) - 100
        return self.text(shorten(inline(plain(reply.answer.text), "discord"), room), v2, buttons(reply))

    def _layout(self, reply: Reply, body: str) -> tuple[Post, ...]:
        foot = footer(reply)
        limit = V2_CHARACTERS - len(foot)
        row = buttons(reply)
        parts: list[ui.Item[Any]] = [ui.TextDisplay(_fitted(body, limit, reply.language))]
        if foot:
            parts += [ui.Separator(), ui.TextDisplay(foot)]
        if row:
            parts.append(ui.ActionRow(*row))
        layout = ui.LayoutView(timeout=None)
        layout.add_item(ui.Container(*parts))
        return (Post(None, layout),)

    def _classic(self, reply: Reply, body: str) -> tuple[Post, ...]:
        foot = footer(reply)
        view = _view(buttons(reply))
        whole = f"{body}\n\n{foot}" if foot else body
        if len(whole) <= CONTENT_CHARACTERS:
            return (Post(whole, view),)
        if not foot:
            return (Post(_fitted(body, CONTENT_CHARACTERS, reply.language), view),)
        return (Post(_fitted(body, CONTENT_CHARACTERS, reply.language), None), Post(foot, view))


def footer(reply: Reply) -> str:
    """The sources, or with an abstention the nearest pages, and the id to quote."""
    answer, language = reply.answer, reply.language
    if answer.outcome is Outcome.FAILED:
        return ""
    parts = []
    if answer.citations:
        parts.append(f"**{texts.sources(language)}**\n{pages(answer.citations, SOURCES_CHARACTERS, language)}")
    elif answer.nearest:
        parts.append(pages(answer.nearest, SOURCES_CHARACTERS, language, quotes=False))
    if reply.answer_id:
        parts.append(f"-# {texts.reference(reply.question_id, language)}")
    return "\n".join(parts)


def buttons(reply: Reply) -> list[ui.Item[Any]]:
    """What may be done with this answer."""
    row: list[ui.Item[Any]] = []
    if reply.answer_id and reply.can_vote:
        row += [ThumbButton(reply.answer_id, reply.question_id, way, reply.language) for way in ("up", "down")]
    if reply.answer_id and reply.can_escalate:
        row.append(CallButton(reply.answer_id, "ask", reply.language))
    if reply.answer_id and reply.can_share:
        row.append(ShareButton(reply.answer_id, reply.language))
    return row


def _view(items: Sequence[ui.Item[Any]]) -> ui.View | None:
    if not items:
        return None
    view = ui.View(timeout=None)
    for item in items:
        view.add_item(item)
    return view


def _fitted(text: str, limit: int, language: Language) -> str:
    if len(text) <= limit:
        return text
    return shorten(text, limit, more=f"…\n-# {texts.shortened(language)}")
