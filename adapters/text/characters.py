"""Characters that may stand in a message: what cannot be seen is taken out, the rest is NFC.

Invisible characters hide things from a reader that a platform's parser still sees (`@<zero width>everyone`, right-to-left
overrides that turn an address round, tag characters that smuggle instructions), so none of them survives. Only what an emoji is
made of stays: a zero-width joiner between two pictographs and a variation selector behind one.
"""

from __future__ import annotations

import unicodedata

import regex

# DI: Default_Ignorable_Code_Point (zero width, bidi controls, Hangul fillers, tags, variation selectors). Cf: all other format
# controls. Cs: halves of surrogate pairs, which no platform's JSON can carry. Co: private use, a different glyph on every machine.
_INVISIBLE = regex.compile(
    r"(?<=\p{ExtPict}[\ufe0f\p{EMod}]?)\u200d(?=\p{ExtPict})(*SKIP)(*FAIL)"
    r"|(?<=[\p{ExtPict}0-9#*])[\ufe0e\ufe0f](*SKIP)(*FAIL)"
    r"|[\p{DI}\p{Cf}\p{Cs}\p{Co}]|[\p{Cc}--[\n\t]]",
    flags=regex.VERSION1,
)
_LINE_ENDS = regex.compile(r"\r\n?|[\v\f\x85\u2028\u2029]")
# Spaces of other widths, and the Braille blank. The ideographic space (U+3000) is how some people indent, and the hair space
# (U+200A) is the emitter's break, which text that passes here a second time must keep: both stay.
_SPACES = regex.compile(r"[\u00a0\u1680\u2000-\u2009\u202f\u205f\u2800]")
_PICTURE = r"\p{ExtPict}[\ufe0e\ufe0f\p{EMod}]{0,2}"
_UNFINISHED = regex.compile(rf"(?:\r|{_PICTURE}(?:\u200d{_PICTURE}){{0,9}}\u200d?|[0-9#*]\ufe0f)\Z")
_LONGEST_EMOJI = 40


def clean(text: str) -> str:
    """`text` without invisible characters, in NFC, with `\\n` as the only line end and ordinary spaces."""
    if text.isascii() and text.isprintable():
        return text
    text = _INVISIBLE.sub("", _LINE_ENDS.sub("\n", text))
    cleaned: str = _SPACES.sub(" ", unicodedata.normalize("NFC", text))
    return cleaned


class CleanStream:
    """`clean` piece by piece: holds back a trailing carriage return or an emoji that may go on (at most 40 characters)."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> str:
        """What is certain of all that was fed."""
        text = self._held + piece
        unfinished = _UNFINISHED.search(text, max(0, len(text) - _LONGEST_EMOJI))
        cut = unfinished.start() if unfinished else len(text)
        self._held = text[cut:]
        return clean(text[:cut])

    def close(self) -> str:
        """The rest."""
        rest, self._held = self._held, ""
        return clean(rest)
