"""Text without markup: notifications and fallbacks, Slack's mrkdwn fields, and single lines inside our own Markdown."""

from __future__ import annotations

from typing import Literal

import regex

from adapters.text.characters import clean
from adapters.text.emitter import BREAK, Emitter, breaks
from adapters.text.markdown import block_parser, render

# mrkdwn has no backslash; its marks begin nothing before a blank, except the backtick, for which a reversed prime stands in.
# A quote begins with > or the full-width ＞ (U+FF1E).
_MARKS = regex.compile(r"(?<=[*_~])(?=\S)|(?<![^\n])(?=[>\uff1e])")


def plain(text: str) -> str:
    """`text` as one would read it aloud: marks of Markdown gone, citation marks kept, nothing that pings or links.

    For notifications, search and fallbacks. Slack's `&`, `<`, `>` are not escaped here.
    """
    return render(text, "plain", {}, block_parser())


def mrkdwn(text: str) -> str:
    """Untrusted text for Slack's `mrkdwn` fields: `&`, `<`, `>` escaped, no mention, no link, no formatting."""
    broken: str = _MARKS.sub(BREAK, breaks(clean(text))).replace("`", "\u2035")
    return broken.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def inline(text: str, platform: Literal["slack", "discord"]) -> str:
    """One line of untrusted text (a page's title, a quote) for the inside of our own Markdown, also of a link's text."""
    emitter = Emitter(platform, {})
    emitter.in_cell = True
    written = emitter.text(" ".join(clean(text).split()))
    return written.replace("[", r"\[").replace("]", r"\]")
