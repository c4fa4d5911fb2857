"""Reply → messages of Discord: Components V2 (one layout, 4,000 characters) or classic content (2,000) with buttons.

Which of the two is decided once for the life of a message: the V2 flag cannot be removed and excludes content (Discord docs,
component reference). Everything untrusted goes through `adapters.text`.
"""

from __future__ import annotations

import re
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
from bot import texts as core_texts
from bot.conversation import Reply
from bot.messages import Citation, Language, Outcome

V2_CHARACTERS = 4_000
CONTENT_CHARACTERS = 2_000
SOURCES_CHARACTERS = 1_300
"""At least; more where the answer is short."""
FRAME_CHARACTERS = 40
"""Room for the heading of the sources, and as much for the id to quote."""
QUOTE_CHARACTERS = 90
TITLE_CHARACTERS = 120
NOTHING = "…"
UNFINISHED = "⏳"
"""Ends every draft, so that a half-written message can be told from a finished one after a crash."""
CONTINUED = "⏬"
"""Ends the first of two messages, so that it is not taken for the whole after a crash."""


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


def question_above(text: str) -> str:
    """The question that an answer of ours names above itself; empty where it names none."""
    found = _ABOUT.match(text)
    return re.sub(r"\\(?=[^\w\s])", "", found["question"]) if found else ""


_ABOUT = re.compile(r"\*\*(?:질문|Question)\*\* (?P<question>[^\n]+)\n")  # as `texts.about` writes it


def link(text: str, url: str | None) -> str:
    """A masked link without a preview; the bare text where there is no safe address."""
    address = safe_url(url)
    return f"[{text}](<{quote(address, safe=_URL_SAFE)}>)" if address else text


_URL_SAFE = ":/?#[]@!$&'*+,;=%~-._"  # quote() leaves these; < > ( ) and blanks would end the link


def pages(citations: Sequence[Citation], limit: int, language: Language, *, quotes: bool = True) -> str:
    """Numbered pages, one a line, within `limit` characters: first all titles, then their links, then quotes while there is room.

    A Korean address is long (nine characters a syllable), and none may push another page out.
    """
    lines = [_title(citation, None) for citation in citations]
    room = limit - sum(len(line) + 1 for line in lines)
    if room < 0:
        return _counted(lines, limit, language)
    for position, citation in enumerate(citations):
        linked = _title(citation, citation.url)
        if (more := len(linked) - len(lines[position])) <= room:
            lines[position] = linked
            room -= more
    for position, citation in enumerate(citations):
        quoted = f"\n-# “{inline(shorten(' '.join(citation.quote.split()), QUOTE_CHARACTERS), 'discord')}”"
        if quotes and citation.quote and len(quoted) <= room:
            lines[position] += quoted
            room -= len(quoted)
    return "\n".join(lines)


def _title(citation: Citation, url: str | None) -> str:
    line = f"**{citation.n}.** {link(inline(shorten(citation.title, TITLE_CHARACTERS), 'discord'), url)}"
    if citation.where:
        line += f" › {inline(shorten(citation.where, TITLE_CHARACTERS), 'discord')}"
    return line


def _counted(lines: Sequence[str], limit: int, language: Language) -> str:
    """As many as fit, and how many do not."""
    kept: list[str] = []
    room = limit - 20
    for line in lines:
        if len(line) + 1 > room:
            break
        kept.append(line)
        room -= len(line) + 1
    return "\n".join([*kept, texts.more_sources(len(lines) - len(kept), language)])


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
        head = f"{texts.about(inline(shorten(about, 150), 'discord'), language)}\n" if about else ""
        # The second form where the first does not fit: its numbers lead to the sources below, which are linked too.
        linked, bare = (
            head + (body if (body := Markdown("discord").render(answer.text, some)).strip() else NOTHING)
            for some in (links, {})
        )
        return (self._layout if (self.v2 if v2 is None else v2) else self._classic)(reply, linked, bare)

    def bare(self, reply: Reply, v2: bool) -> Post:
        """When Discord refuses the full form: the answer's words alone, and still its buttons."""
        room = (V2_CHARACTERS if v2 else CONTENT_CHARACTERS) - 100
        return self.text(shorten(inline(plain(reply.answer.text), "discord"), room), v2, buttons(reply))

    def _layout(self, reply: Reply, linked: str, bare: str) -> tuple[Post, ...]:
        foot = footer(reply, V2_CHARACTERS - len(bare))
        limit = V2_CHARACTERS - len(foot)
        row = buttons(reply)
        body = linked if len(linked) <= limit else _fitted(bare, limit, reply.language)
        parts: list[ui.Item[Any]] = [ui.TextDisplay(body)]
        if foot:
            parts += [ui.Separator(), ui.TextDisplay(foot)]
        if row:
            parts.append(ui.ActionRow(*row))
        layout = ui.LayoutView(timeout=None)
        layout.add_item(ui.Container(*parts))
        return (Post(None, layout),)

    def _classic(self, reply: Reply, linked: str, bare: str) -> tuple[Post, ...]:
        foot = footer(reply, CONTENT_CHARACTERS - len(bare) - 2)
        view = _view(buttons(reply))
        for body in (linked, bare):
            whole = f"{body}\n\n{foot}" if foot else body
            if len(whole) <= CONTENT_CHARACTERS:
                return (Post(whole, view),)
        more = f" {CONTINUED}" if foot else ""
        limit = CONTENT_CHARACTERS - len(more)
        body = linked if len(linked) <= limit else _fitted(bare, limit, reply.language)
        if not foot:
            return (Post(body, view),)
        return (Post(body + more, None), Post(footer(reply, CONTENT_CHARACTERS), view))


def footer(reply: Reply, room: int = 0) -> str:
    """The sources, or with an abstention the nearest pages, and the id to quote. `room`: characters that the answer leaves."""
    answer, language = reply.answer, reply.language
    notice = inline(" ".join(reply.notice.split()), "discord")
    most = max(SOURCES_CHARACTERS, room - 2 * FRAME_CHARACTERS - len(notice))
    if answer.outcome is Outcome.FAILED:
        return ""
    parts = []
    if answer.citations:
        parts.append(f"**{texts.sources(language)}**\n{pages(answer.citations, most, language)}")
    elif answer.nearest:
        parts.append(pages(answer.nearest, most, language, quotes=False))
    if reply.answer_id:
        answered = answer.outcome is Outcome.ANSWERED
        note = core_texts.written_by_ai if answered and reply.ai_notice else core_texts.reference
        parts.append(f"-# {note(reply.question_id, language)}")
    if notice:
        parts.append(f"-# {notice}")
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
