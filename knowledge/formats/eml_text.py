"""The text of a mail without the mails quoted below it and without the signature; never without its only text."""

from __future__ import annotations

import re
from collections.abc import Sequence

_FORWARD = re.compile(r"\s*(?:\[[^\]]*\]\s*)?(?:fwd?|전달)\s*[:：]", re.IGNORECASE)
_RULE = re.compile(
    r"\s*[-_=]{2,}\s*(?:original (?:message|e-?mail)|원본\s*(?:메시지|메일|전자우편))\s*[-_=]{2,}\s*", re.IGNORECASE
)
_LINE = re.compile(r"\s*[_-]{10,}\s*")
_WROTE = re.compile(
    r"\s*(?:on\s.{5,200}\swrote|.{0,60}\d{4}\s?[년.-]\s?\d{1,2}\s?[월.-]\s?\d{1,2}.{0,150}(?:작성|님이 쓴 글|님이 보낸 글))\s*[:：]\s*",
    re.IGNORECASE,
)
_DAY = re.compile(r"\s*(?:on\s|.{0,12}\d{4}\s?[년.-])", re.IGNORECASE)
_FROM = re.compile(r"\s*\**(?:from|보낸\s?사람|보낸\s?이|발신)\**\s*[:：]", re.IGNORECASE)
_SENT = re.compile(
    r"\s*\**(?:sent|date|to|subject|보낸\s?(?:날짜|시간)|날짜|일시|받는\s?사람|수신|제목)\**\s*[:：]", re.IGNORECASE
)
_SIGNATURE = re.compile(r"-- ?")
_MOBILE = re.compile(r"\s*(?:나의 (?:iPhone|iPad)에서 보냄|내 .{1,20}에서 보냄|sent from my .{1,40})\s*", re.IGNORECASE)
_LONGEST_SIGNATURE = 15
_LOOKED_AT = 5
_LEAST = 20


def is_forward(subject: str) -> bool:
    """Whether the mail hands on another one: then the quoted text is what it is about."""
    return _FORWARD.match(subject) is not None


def reply_begins(lines: Sequence[str]) -> bool:
    """Whether an earlier mail is quoted from `lines[0]` on."""
    first = lines[0] if lines else ""
    rest = [line for line in lines[1:] if line.strip()][:_LOOKED_AT]
    if _RULE.fullmatch(first) or _WROTE.fullmatch(first):
        return True
    if len(lines) > 1 and _DAY.match(first) and _WROTE.fullmatch(f"{first} {lines[1].strip()}"):
        return True  # "On … wrote:" on two lines
    if _LINE.fullmatch(first) and rest:
        first, rest = rest[0], rest[1:]
    return _FROM.match(first) is not None and sum(_SENT.match(line) is not None for line in rest) >= 2


def trimmed(text: str) -> str:
    """`text` without quotation below and signature; as it is if hardly anything would be left."""
    lines = text.split("\n")
    kept = lines
    for at in range(len(lines)):
        if reply_begins(lines[at : at + 2 * _LOOKED_AT]):
            kept = lines[:at]
            break
    while kept and (not kept[-1].strip() or kept[-1].startswith(">")):
        kept = kept[:-1]
    kept = _without_signature(kept)
    own = "\n".join(line for line in kept if not _MOBILE.fullmatch(line))
    letters = sum(not char.isspace() for line in kept if not line.startswith(">") for char in line)
    return own if letters >= _LEAST else text


def _without_signature(lines: list[str]) -> list[str]:
    for at in range(len(lines) - 1, max(-1, len(lines) - 2 - _LONGEST_SIGNATURE), -1):
        if _SIGNATURE.fullmatch(lines[at]):
            return lines[:at]
    return lines
