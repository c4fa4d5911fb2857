"""E-mail (.eml): subject, who and when, the text, then the attachments that are of a known format.

Python's own parser reads the structure; headers and texts are decoded here, since Korean mail programs cut encoded words
inside of characters, say EUC-KR and write CP949, and put bare bytes into headers.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import re
from collections.abc import Iterator, Mapping
from email import message_from_bytes, policy
from email.header import decode_header
from email.message import Message
from pathlib import PurePosixPath
from typing import Any

from knowledge.errors import PageError, UnreadablePage
from knowledge.formats.eml_text import is_forward, reply_begins, trimmed
from knowledge.formats.html import read_fragment
from knowledge.formats.lines import unwrap
from knowledge.formats.outline import Outline, clean, one_line
from knowledge.formats.text import decode
from knowledge.page import Document

_KOREAN = frozenset("euc-kr euckr euc_kr ks_c_5601-1987 ks_c_5601-1989 ksc5601 ks_c_5601 ksc_5601 windows-949".split())
_GUESSED = frozenset(("", "us-ascii", "ascii", "iso-8859-1", "windows-1252", "unknown-8bit", "default", "8bit"))
"""What mail programs say when they do not know."""
_CONTAINER = re.compile(rb"^content-type:\s*(?:multipart|message)/", re.IGNORECASE | re.MULTILINE)
_LONG_HEADER = re.compile(rb"^content-[a-z-]{1,30}:(?:[^\n]|\n[ \t]){4000}", re.IGNORECASE | re.MULTILINE)
_BOUNDARY = re.compile(rb"^--", re.MULTILINE)
_MOST_CONTAINERS = 100
_MOST_LOOKS = 60_000_000
"""Lines times containers."""
_MOST_BOUNDARIES = 10_000
_LONGEST_HEADER = 4_000
_MOST_READERS = 3
_MOST_ATTACHMENTS = 20
_MOST_NAMED = 100
_MOST_ATTACHED_BYTES = 30_000_000
_MOST_ATTACHED_TEXT = 2_000_000
_RICHER = 4  # the HTML is read instead of the plain text if it says so many times as much


def parse(data: bytes) -> Document:
    """Quoted mails below an answer and signatures are left out unless nothing else is said. `date` is in `meta`."""
    message = _message(data)
    outline = Outline()
    outline.title(_header(message, "subject"))
    moment = _moment(message)
    _Mail(outline).read(message)
    return outline.document(meta={"date": moment.date().isoformat()} if moment is not None else {})


def _message(data: bytes) -> Message:
    """Raises UnreadablePage for what would keep the parser busy for hours: it looks at each line once per open part."""
    containers = len(_CONTAINER.findall(data))
    looks = containers * data.count(b"\n")
    if containers > _MOST_CONTAINERS or looks > _MOST_LOOKS or _LONG_HEADER.search(data):
        raise UnreadablePage(reason="an e-mail nested too deep, or with endless headers")
    if len(_BOUNDARY.findall(data)) > _MOST_BOUNDARIES:
        raise UnreadablePage(reason=f"an e-mail of more than {_MOST_BOUNDARIES:,} parts")
    for rules in (policy.default, policy.compat32):
        try:
            message: Message = message_from_bytes(data, policy=rules)
        except Exception:  # noqa: BLE001, S112 - the newer header parser falls over some headers that the older one takes
            continue
        if message.keys():
            return message
    raise UnreadablePage(reason="not an e-mail")


class _Mail:
    """Adds a message to the outline."""

    def __init__(self, outline: Outline) -> None:
        self._outline = outline
        self._bytes = _MOST_ATTACHED_BYTES
        self._characters = _MOST_ATTACHED_TEXT

    def read(self, message: Message, inner: bool = False) -> None:
        """`inner`: the message is attached to another one; its own attachments are only named."""
        plain, rich, attached = _parts(message)
        self._outline.block(_who_and_when(message))
        forwarded = is_forward(_header(message, "subject"))
        text = clean("\n".join(filter(None, (_text_of(part) for part in plain))))
        rich_text = _rich(rich)
        rich_length = (
            sum(len(block.text) for section in rich_text.sections for block in section.blocks) if rich_text else 0
        )
        if rich_text is not None and rich_length > _RICHER * len(text.strip()):
            _embed(rich_text, self._outline, 2, cut=not forwarded)
        else:
            text = text if forwarded else trimmed(text)
            for paragraph in re.split(r"\n[ \t]*\n", text):
                self._outline.block(unwrap([line.rstrip() for line in paragraph.split("\n") if line.strip()]))
        named: list[str] = []
        for number, part in enumerate(attached):
            name = _name_of(part)
            if inner or number >= _MOST_ATTACHMENTS or not self._attached(part, name):
                named.append(name)
        names = [name for name in named if name][:_MOST_NAMED]
        if names:
            if not inner:
                self._outline.heading(2, "첨부 파일")
            self._outline.block("\n".join(f"- {name}" for name in names), "list")

    def _attached(self, part: Message, name: str) -> bool:
        """Read one attachment; False if it can only be named."""
        from knowledge.formats import KNOWN_SUFFIXES
        from knowledge.formats import parse as parse_any

        suffix = PurePosixPath(name).suffix.lower()
        payload = part.get_payload()
        inner = (
            payload[0]
            if part.get_content_type() == "message/rfc822" and isinstance(payload, list) and payload
            else None
        )
        if isinstance(inner, Message):
            self._inner_mail(inner, name)
            return True
        if suffix not in KNOWN_SUFFIXES:
            return False
        data = _bytes_of(part)
        self._bytes -= len(data)
        if self._bytes < 0 or self._characters <= 0:
            return False
        try:
            if suffix == ".eml":
                self._inner_mail(_message(data), name)
                return True
            document = parse_any(data, name)
        except PageError as error:
            self._outline.heading(2, f"첨부: {name}")
            self._outline.block(f"(첨부 파일을 읽지 못했습니다. {error.explain()})")
            return True
        self._outline.heading(2, f"첨부: {name}")
        self._characters -= sum(len(block.text) for section in document.sections for block in section.blocks)
        _embed(document, self._outline, 3)
        return True

    def _inner_mail(self, message: Message, name: str) -> None:
        subject = _header(message, "subject")
        self._outline.heading(2, f"첨부: {subject or name or '전자우편'}")
        self.read(message, inner=True)


def _parts(message: Message) -> tuple[list[Message], list[Message], list[Message]]:
    """Plain texts, HTML texts and attachments in order, without what is inside of attached messages."""
    plain: list[Message] = []
    rich: list[Message] = []
    attached: list[Message] = []
    waiting = [message]
    while waiting:
        part = waiting.pop()
        kind = part.get_content_type()
        payload = part.get_payload()
        is_attachment = part is not message and (
            _safe(part, "get_content_disposition") == "attachment" or bool(_safe(part, "get_filename"))
        )
        if isinstance(payload, list) and kind.startswith("multipart/"):
            waiting.extend(reversed([one for one in payload if isinstance(one, Message)]))
        elif kind == "message/rfc822" or is_attachment:
            if not (kind.startswith("image/") and part.get("content-id")):  # pictures inside of the text
                attached.append(part)
        elif kind == "text/plain":
            plain.append(part)
        elif kind == "text/html":
            rich.append(part)
    return plain, rich, attached


def _safe(part: Message, method: str) -> Any:
    """What the standard library makes of a header, or None: its parser of parameters has holes."""
    try:
        return getattr(part, method)()
    except Exception:  # noqa: BLE001
        return None


def _bytes_of(part: Message) -> bytes:
    try:
        payload = part.get_payload(decode=True)
    except Exception:  # noqa: BLE001 - broken base64 or uuencode
        return b""
    return payload if isinstance(payload, bytes) else b""


def _text_of(part: Message) -> str:
    return _decoded(_bytes_of(part), str(_safe(part, "get_content_charset") or ""))


def _decoded(data: bytes, charset: str) -> str:
    """As the mail says, if that works and is no guess; else by the look of the bytes."""
    name = charset.strip().strip("\"'").lower()
    try:
        if name not in _GUESSED:
            return data.decode("cp949" if name in _KOREAN else name)
    except (LookupError, ValueError):
        pass
    try:
        return decode(data)
    except UnreadablePage:
        return data.decode("utf-8", "ignore")


def _rich(parts: list[Message]) -> Document | None:
    outline = Outline()
    for part in parts:
        read_fragment(_text_of(part), outline)
    try:
        return outline.document()
    except PageError:
        return None


def _embed(document: Document, outline: Outline, level: int, cut: bool = False) -> None:
    """Add `document` below the current heading. `cut`: up to where an earlier mail is quoted, if anything stands above."""
    if document.title:
        outline.block(document.title)
    something = False
    for section in document.sections:
        for depth, heading in enumerate(section.heading):
            outline.heading(level + depth, heading)
        for block in section.blocks:
            if cut and something and reply_begins(block.text.split("\n")):
                return
            something = True
            outline.block(block.text, block.kind)


def _header(message: Message, name: str) -> str:
    return one_line("".join(_words(_raw(message, name))))


def _raw(message: Message, name: str) -> str:
    """The header as it stands in the file, its lines joined, cut to a sane length."""
    for key, value in message.raw_items():
        if key.lower() == name:
            return re.sub(r"\r?\n(?=[ \t])", "", str(value)[:_LONGEST_HEADER])
    return ""


def _words(raw: str) -> Iterator[str]:
    """RFC 2047. Neighbouring words of one charset are decoded together: characters are cut between them."""
    bare = raw.encode("utf-8", "surrogateescape")
    if not raw.isascii():
        raw = _decoded(bare, "")
    try:
        for word, charset in decode_header(raw):
            yield word if isinstance(word, str) else _decoded(word, charset or "")
    except Exception:  # noqa: BLE001 - broken base64
        yield raw


def _name_of(part: Message) -> str:
    """The attachment's file name: RFC 2231, RFC 2047, or bare bytes."""
    name = str(_safe(part, "get_filename") or "")
    if "\ufffd" in name or not name.isprintable():
        found = re.search(r"filename\s*=\s*\"?([^\";]+)", _raw(part, "content-disposition"), re.IGNORECASE)
        name = found[1] if found else ""
    return one_line("".join(_words(name))).replace("/", "_").replace("\\", "_")


def _moment(message: Message) -> dt.datetime | None:
    try:
        return email.utils.parsedate_to_datetime(_raw(message, "date"))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _who_and_when(message: Message) -> str:
    moment = _moment(message)
    lines: Mapping[str, str] = {
        "보낸 사람": _people(message, "from"),
        "받는 사람": _people(message, "to"),
        "날짜": f"{moment:%Y-%m-%d %H:%M}" if moment is not None else "",
    }
    return " | ".join(f"{name}: {value}" for name, value in lines.items() if value)


def _people(message: Message, name: str) -> str:
    """Names; addresses where there is no name."""
    raw = _raw(message, name)
    if not raw.isascii():
        raw = _decoded(raw.encode("utf-8", "surrogateescape"), "")
    people = [
        one_line("".join(_words(written))) or address
        for written, address in email.utils.getaddresses([raw])
        if written or address
    ]
    more = len(people) - _MOST_READERS
    return ", ".join(people[:_MOST_READERS]) + (f" 외 {more}명" if more > 0 else "")
