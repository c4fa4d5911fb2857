"""A Slack message's mrkdwn → plain text and HTML, with the people in it as the source wants them named."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_MARK = re.compile(r"<(?P<inside>[^<>\n]{1,3000})>")
_CODE = re.compile(r"```(?P<block>.+?)```|`(?P<inline>[^`\n]+)`", re.DOTALL)
_STYLE = re.compile(
    r"(?<![A-Za-z0-9/])(?P<mark>[*_~])(?P<inside>[^\s*_~](?:[^\n*_~]*[^\s*_~])?)(?P=mark)(?![A-Za-z0-9/])"
)
_QUOTE = re.compile(r"^(?:&gt;){1,3} ?", re.MULTILINE)
_BULLET = re.compile(r"\s*[•◦▪]\s+")

Names = Callable[[str], str]
"""A person's id → what the page calls them; empty: they are not mentioned at all."""


class Pseudonyms:
    """참여자 1, 참여자 2 … in the order of their first appearance on one page."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __call__(self, person: str) -> str:
        """The same person is the same number on this page, and any other on the next."""
        return f"참여자 {self._numbers.setdefault(person, len(self._numbers) + 1)}"


def plain(text: str, names: Names) -> str:
    """The message without markup; code stays as it is. Slack's `&lt;` are characters again."""
    pieces: list[str] = []
    end = 0
    for code in _CODE.finditer(text):
        pieces.append(_prose(text[end : code.start()], names))
        inside = html.unescape(_MARK.sub(lambda mark: _mark(mark, names), code["block"] or code["inline"]))
        pieces.append(f"\n{inside.strip(chr(10))}\n" if code["block"] else inside)
        end = code.end()
    pieces.append(_prose(text[end:], names))
    return "".join(pieces).strip()


def _prose(text: str, names: Names) -> str:
    named = _MARK.sub(lambda mark: _mark(mark, names), text)
    # Twice: bold may hold italic.
    bare = _STYLE.sub(r"\g<inside>", _STYLE.sub(r"\g<inside>", named))
    return html.unescape(_QUOTE.sub("", bare))


def _mark(mark: re.Match[str], names: Names) -> str:
    """`<@U1>`, `<#C1|name>`, `<!subteam^S1|@group>`, `<!here>`, `<https://…|label>`."""
    target, _, label = mark["inside"].partition("|")
    if target.startswith("@"):
        name = names(target[1:])
        return f"@{name}" if name else ""
    if target.startswith("#"):
        return f"#{label}" if label else "#채널"
    if target.startswith("!subteam^"):
        return label or "@그룹"
    if target.startswith("!date^"):
        return label
    if target.startswith("!"):
        return label or f"@{target[1:].split('^')[0]}"
    return label or target.removeprefix("mailto:").removeprefix("tel:")


def title_of(text: str, longest: int = 60) -> str:
    """The first line, shortened; nobody is named in it. Empty where there is only markup."""
    for line in plain(text, lambda person: "").splitlines():
        words = " ".join(_BULLET.sub("", line).split())
        if any(character.isalnum() for character in words):
            return words if len(words) <= longest else words[: longest - 1].rstrip() + "…"
    return ""


def as_html(message: Mapping[str, Any], author: str, when: str, names: Names) -> str:
    """One message as HTML: who and when, the text, and the names of its files."""
    parts = [f"<p>{_escape(author)} ({_escape(when)}):</p>"]
    text = str(message.get("text") or "")
    for number, piece in enumerate(re.split(r"```(.+?)```", text, flags=re.DOTALL)):
        if number % 2:
            parts.append(f"<pre>{_escape(plain(f'```{piece}```', names))}</pre>")
        else:
            parts.append(_blocks(plain(piece, names)))
    files = message.get("files")
    for file in files if isinstance(files, list) else []:
        name = str(file.get("title") or file.get("name") or "") if isinstance(file, dict) else ""
        if name:
            parts.append(f"<p>첨부 파일: {_escape(name)}</p>")
    return "".join(parts)


def _blocks(text: str) -> str:
    """Paragraphs at blank lines, lists where lines begin with a bullet."""
    out: list[str] = []
    paragraph: list[str] = []
    items: list[str] = []

    def close() -> None:
        if paragraph:
            out.append(f"<p>{'<br>'.join(paragraph)}</p>")
        if items:
            out.append(f"<ul>{''.join(items)}</ul>")
        paragraph.clear()
        items.clear()

    for line in text.splitlines():
        bullet = _BULLET.match(line)
        if not line.strip() or (bullet is not None and paragraph) or (bullet is None and items):
            close()
        if bullet is not None:
            items.append(f"<li>{_escape(line[bullet.end() :])}</li>")
        elif line.strip():
            paragraph.append(_escape(line.strip()))
    close()
    return "".join(out)


def page_of(messages: Sequence[str]) -> bytes:
    """The HTML of a page; its title stands beside it."""
    return f"<html><body>{''.join(messages)}</body></html>".encode("utf-8", "replace")


def _escape(text: str) -> str:
    return html.escape(text, quote=True)
