"""The bytes of an answer, counted as they come: neither a long body nor a small one that inflates fills the memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterable


class BodyTooLarge(Exception):
    """More bytes than wanted. The text says how many that were."""


class BodyBroken(Exception):
    """The body is not what its Content-Encoding says. The text says why."""


def too_large(most: int) -> BodyTooLarge:
    """The error for a body of more than `most` bytes."""
    return BodyTooLarge(f"larger than {most / 1_000_000:g} MB")


def read_body(chunks: Iterable[bytes], encoding: str, most: int) -> bytes:
    """The body without its Content-Encoding, at most `most` bytes. Raises BodyTooLarge or BodyBroken.

    Only gzip is asked for; deflate is read as well, since old servers send it unasked.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return _gathered(chunks, most)
    if encoding in ("gzip", "x-gzip", "deflate"):
        return _gathered(_inflated(chunks, most), most)
    raise BodyBroken(f"the server sent Content-Encoding {encoding[:20]}, which was not asked for")


def _gathered(chunks: Iterable[bytes], most: int) -> bytes:
    parts: list[bytes] = []
    length = 0
    for chunk in chunks:
        length += len(chunk)
        if length > most:
            raise too_large(most)
        parts.append(chunk)
    return b"".join(parts)


def _inflated(chunks: Iterable[bytes], most: int) -> Iterable[bytes]:
    machine = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # reads both gzip's and zlib's header
    room = most + 1
    try:
        for chunk in chunks:
            while chunk and not machine.eof and room > 0:
                piece = machine.decompress(chunk, room)
                chunk = machine.unconsumed_tail  # noqa: PLW2901 - what did not fit yet
                room -= len(piece)
                yield piece
    except zlib.error as error:
        raise BodyBroken("the compressed body is damaged") from error
    if room > 0 and not machine.eof:
        raise BodyBroken("the compressed body ends too early")
