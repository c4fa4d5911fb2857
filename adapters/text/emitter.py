"""The last hand on everything that is written for a platform: here, and only here, untrusted text becomes harmless.

`Markdown` and `SafeStream` decide what is markup; whatever they decide, each piece goes through one `Emitter`, in order. It knows
the characters that it wrote last, so nothing dangerous arises where two pieces meet, wherever they were cut. Two means:

* a **break**, U+200A HAIR SPACE, inside every token that a platform would act on: `@everyone`, `<!channel>`, `https://…`,
  `evil.com`, `[text](url)`, `&lt;`. Why not the usual zero-width character? (1) Zero-width characters are default-ignorable:
  a server that normalises them away makes the token whole again. (2) UTS 46 maps U+200B, U+2060 and U+FEFF to nothing, so a linker
  that takes any non-blank characters for a host (linkify-it does) links `evil<U+2060>.com`, and the browser opens evil.com. A hair
  space is white space (category Zs): Discord's `https?://[^\\s<]+`, Slack's linker and linkify-it stop there, UTS 46 forbids it in
  a host, and it is a hair wide, so text reads as before. A code span is not enough: Slack also links addresses in code.
* a **backslash** before a character that would be markup though nobody meant markup. Both platforms' Markdown knows it.
  `<` gets no `&lt;`: whether Slack's markdown decodes entities is not documented, and Discord does not.

Every break stands *before* the character that would complete a token, so it depends on what was written and not on what comes:
nothing need be held back for it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Literal

import regex

from adapters.text.links import safe_url

Target = Literal["slack", "discord", "plain"]

BREAK = "\u200a"
_AT = "@\uff20\ufe6b"  # the at-sign, full-width and small: some clients fold them
_TAIL = 40  # characters looked back at: the longest entity is 34

# Zero-width matches; each says between which two characters a token would come about.
_PROSE = (
    rf"(?<=[{_AT}])(?=\S)"  # mentions, mail addresses
    rf"|(?<=<)(?=[{_AT}#!/:?A-Za-z])"  # Slack's and Discord's <…>, HTML, autolinks; not "<별표 1>", "a < b", "<3"
    r"|(?<=:)(?=/)"  # https://
    r"|(?<=\])(?=[(\[:])"  # [text](url), [text][reference], [reference]: url
    r"|(?<=[\p{L}_\-][.\u3002\uff0e\uff61])(?=\p{L})"  # evil.com; not 3.5
    r"|(?<=\p{N}[.\u3002\uff0e\uff61])(?=[A-Za-z])"  # 163.com; not "2026. 3. 5.부터"
    r"|(?<=(?<![\p{L}\p{N}])[wW]{3}\.)(?=\S)"
)
_CODE = (
    rf"(?<=<)(?=[{_AT}#!:]|/[^\s<>]{{0,100}}[:|]|[A-Za-z][A-Za-z0-9+.\-]{{0,30}}:)"
    rf"|(?<=[{_AT}])(?=everyone|here|channel)"
    r"|(?<=``)(?=`)"  # nothing ends our fence but our fence
)
_ENTITY = r"|(?<=&#?[A-Za-z0-9]{1,31})(?=;)"
_STRIKE = r"|(?<=~)(?=\S)"  # Slack strikes ~one~ as well, and "9~18시, 1~2일" is how Korean writes ranges
_DOUBLED = r"|(?<=~)(?=~)|(?<=\|)(?=\|)"


def _rule(tokens: str) -> regex.Pattern[str]:
    """One cheap look at the neighbours of each place first: most places are between two letters."""
    return regex.compile(rf"(?:(?<=[{_AT}<:\].\u3002\uff0e\uff61~|`])|(?=;))(?:{tokens})")


_BREAKS: dict[Target, regex.Pattern[str]] = {
    "slack": _rule(_PROSE + _ENTITY + _STRIKE),
    "discord": _rule(_PROSE + _DOUBLED),
    "plain": _rule(_PROSE),
}
# In code Discord links nothing, and an address that can be copied is worth more there; Slack links addresses in code.
_CODE_BREAKS: dict[Target, regex.Pattern[str]] = {
    "slack": _rule(_CODE + _ENTITY + r"|(?<=:)(?=//)"),
    "discord": _rule(_CODE),
    "plain": _BREAKS["plain"],
}
# A star between blanks multiplies. JavaScript's \b, by which Discord ends _italics_, knows ASCII letters only: "한글_변수_이름".
_ESCAPES = regex.compile(r"[\\`]|\*(?<!\s\*(?=\s))|_(?<![0-9A-Za-z]_(?=[0-9A-Za-z]))")
# A heading, a quote, an underlined heading, Discord's small print, a list; and a number that would begin a list. The number gets a
# break in front instead of a backslash behind: "2026. 3. 5.부터" is how Korean writes dates, and reads well under any parser.
_LINE_START = regex.compile(
    r"[ \t]*+(?:(?=>|#(?:[#\s]|\Z)|=(?:[=\s]|\Z)|-#|[-+](?:[-+\s]|\Z)|\*\s)|(?P<number>(?=\d{1,9}[.)](?:\s|\Z))))"
)


def breaks(text: str) -> str:
    """`text` with a break in everything that Slack's mrkdwn would link or ping with, entities aside."""
    broken: str = _BREAKS["plain"].sub(BREAK, text)
    return broken


class Emitter:
    """Writes pieces for `target`, each method returning what to append. `links`: citation number → address.

    The target `plain` is text without any markup, with the same breaks.
    """

    def __init__(self, target: Target, links: Mapping[int, str]) -> None:
        self.target: Target = target
        self._links = {n: url for n, given in links.items() if (url := safe_url(given)) is not None}
        self._tail = ""
        self._last = "\n"
        self._line_start = True
        self._opening = ""
        self._after_close = False
        self.in_cell = False
        """Inside a table's cell, where a bar must be escaped."""

    @property
    def last(self) -> str:
        """The character written last; a line break at the beginning."""
        return self._opening[-1:] or self._last

    def text(self, text: str) -> str:
        """Untrusted text without line breaks; no character of it is markup."""
        if not text:
            return ""
        before = self._settle(text[0])
        if self.target == "plain":
            return before + self._written(self._broken(_BREAKS["plain"], text))
        start = ""
        if self._line_start and (found := _LINE_START.match(text)):
            start = text[: found.end()] + ("\\" if found["number"] is None else BREAK)
            text = text[found.end() :]
        if self._tail:  # what stands before decides whether the first * or _ stands alone
            escaped = _ESCAPES.sub(r"\\\g<0>", self._tail[-1] + text, pos=1)[1:]
        else:
            escaped = _ESCAPES.sub(r"\\\g<0>", text)
        if self.in_cell:
            escaped = escaped.replace("|", r"\|")
        return before + self._written(self._broken(_BREAKS[self.target], start + escaped))

    def bar(self) -> str:
        """A bar that was escaped, and so would else divide a table's cell."""
        in_cell, self.in_cell = self.in_cell, self.target == "slack"
        written = self.text("|")
        self.in_cell = in_cell
        return written

    def code(self, code: str) -> str:
        """A code span of untrusted text on one line."""
        code = code.strip(" ") or code
        if self.target == "plain":
            return self.text(code)
        if not code:
            return ""
        before = self._settle("`")
        body = _CODE_BREAKS[self.target].sub(BREAK, code)
        if self.in_cell:
            body = body.replace("|", r"\|")
        if "`" in body:
            body = f"`` {regex.sub('`(?=`)', '`' + BREAK, body)} ``"
        else:
            body = f"`{body}`"
        if self._last == "`":
            before += BREAK  # two code spans side by side would run into one
        return before + self._written(body)

    def code_line(self, line: str) -> str:
        """One line of a fenced block, or a piece of one, without its line break."""
        return self._written(self._broken(_CODE_BREAKS[self.target], line))

    def cite(self, n: int) -> str:
        """A citation mark: a small link where the address is known."""
        url = self._links.get(n)
        if url is None or self.target == "plain":
            return self.text(f"[{n}]")
        before = self._settle("[")
        if self._last in "!]":
            before += BREAK  # `!` would make it an image, `]` a reference
        # A bracket inside a link's text is escaped in CommonMark; Discord's own parser takes a pair of them as it is.
        label = f"[{n}]" if self.target == "discord" else rf"\[{n}\]"
        return before + self._written(f"[{label}]({url})")

    def open(self, mark: str) -> str:
        """Begin `**`, `*` or `~~`. The mark is written with what follows, since that decides how."""
        if self.target != "plain":
            self._opening += mark
        return ""

    def close(self, mark: str) -> str:
        """End what `open` began."""
        if self.target == "plain":
            return ""
        if self._opening.endswith(mark):  # nothing stood inside
            self._opening = self._opening.removesuffix(mark)
            return ""
        if not self._after_close:
            self._after_close = _is_punctuation(self._last)
        self._tail = ""
        self._last = mark[-1]
        return mark

    def raw(self, markup: str, *, line_start: bool = True) -> str:
        """Our own characters: line breaks, list markers. `line_start`: what follows stands where a block could begin."""
        before = self._settle(markup[:1])
        written = self._written(markup)
        self._line_start = line_start
        return before + written

    def _settle(self, first: str) -> str:
        """The marks that wait for `first`, the character that comes next.

        CommonMark does not end bold between punctuation and a letter ("**연차(15일)**는") nor begin it there ("는**(주)한빛**"),
        as if every language put a blank there. A break is a blank.
        """
        gap = ""
        letter = bool(first) and not first.isspace() and not _is_punctuation(first)
        if self._after_close and self.target == "slack" and letter and not self._opening:
            gap = BREAK
        opening, self._opening, self._after_close = self._opening, "", False
        if not opening:
            return gap
        if self._last == opening[0]:
            gap = BREAK  # "**" that ends and "**" that begins would be one run
        elif (
            self.target == "slack"
            and _is_punctuation(first)
            and not self._last.isspace()
            and not _is_punctuation(self._last)
        ):
            gap = BREAK
        self._tail = ""
        self._last = opening[-1]
        self._line_start = False
        return gap + opening

    def _broken(self, rule: regex.Pattern[str], text: str) -> str:
        tail = self._tail
        broken: str = rule.sub(BREAK, tail + text, pos=len(tail))
        return broken[len(tail) :]

    def _written(self, piece: str) -> str:
        if piece:
            self._tail = (self._tail + piece)[-_TAIL:]
            self._last = piece[-1]
            self._line_start = False
        return piece


def _is_punctuation(char: str) -> bool:
    """As CommonMark counts: punctuation and symbols."""
    return bool(char) and unicodedata.category(char)[0] in "PS"
