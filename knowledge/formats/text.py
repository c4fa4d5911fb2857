"""Plain text, and what every format shares: bytes → str in the encodings Korean files come in, and clean characters."""

from __future__ import annotations

import codecs
import re

from knowledge.errors import UnreadablePage
from knowledge.formats.front_matter import take_front_matter
from knowledge.formats.lines import unwrap
from knowledge.formats.outline import Outline, clean
from knowledge.page import Document

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: its mark begins with UTF-16's
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PLAUSIBLE = re.compile(r"[\t\n\r -~\u00a0-\u00ff\u2010-\u2027\u3000-\u3020\u3131-\u318e\uac00-\ud7a3\uff01-\uff5e]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_PLAUSIBLE_SHARE = 0.7
_BINARY_SHARE = 0.05
_DAMAGED_SHARE = 0.001
_SAMPLE = 20_000


def decode(data: bytes) -> str:
    """The text in `data`: by its byte order mark, else UTF-8, else UTF-16 by the look of it, else CP949 (EUC-KR)."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError as error:
                raise UnreadablePage(reason=f"not valid {encoding} at byte {error.start}") from error
    text = (_utf16_without_mark(data) if b"\0" in data[:_SAMPLE] else None) or _eight_bit(data)
    if text is None or len(_CONTROL.findall(text[:_SAMPLE])) > max(3, _BINARY_SHARE * len(text[:_SAMPLE])):
        raise UnreadablePage(reason="neither UTF-8, UTF-16 nor CP949 text")
    return text


def _utf16_without_mark(data: bytes) -> str | None:
    """NUL bytes hint at UTF-16; the right byte order gives ASCII and Hangul, the wrong one gives rare Chinese."""
    best: tuple[float, str] | None = None
    for encoding in ("utf-16-le", "utf-16-be"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        share = len(_PLAUSIBLE.findall(text[:_SAMPLE])) / max(1, len(text[:_SAMPLE]))
        if share >= _PLAUSIBLE_SHARE and (best is None or share > best[0]):
            best = (share, text)
    return best[1] if best else None


def _eight_bit(data: bytes) -> str | None:
    for encoding in ("utf-8", "cp949"):  # CP949 holds all of EUC-KR
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    for encoding in ("utf-8", "cp949"):
        # One damaged byte in a long page must not lose the page; a wrong encoding damages far more than that.
        text = data.decode(encoding, errors="replace")
        if text.count("\ufffd") <= _DAMAGED_SHARE * len(text):
            return text.replace("\ufffd", "")
    return None


def parse(data: bytes) -> Document:
    """Paragraphs are separated by blank lines; hard-wrapped lines are joined. Front matter as in Markdown: it may say who reads it."""
    meta, text = take_front_matter(clean(decode(data)))
    outline = Outline()
    for paragraph in re.split(r"\n[ \t]*\n", text):
        outline.block(unwrap([line.rstrip() for line in paragraph.split("\n") if line.strip()]))
    return outline.document(meta=meta)
