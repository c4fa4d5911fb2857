"""What passes between the indexing process and the parsing process: eight bytes of length, then the body. No pickle.

A request is two frames, the file's name and its bytes. A reply is one frame of UTF-8: its first line says what it is, the
rest is JSON.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

LENGTH = struct.Struct(">Q")
READY = b"ready\n"
"""The child has loaded its parsers."""
BROKEN = b"broken\n"
"""It could not; behind it the reason as text."""
DOCUMENT = b"document\n"
"""Behind it what `document_json.dumps` wrote."""
FAILED = b"failed\n"
"""Behind it `{"error": name of a PageError, "details": {…}}`."""


def frame(*parts: bytes) -> list[bytes]:
    """One frame, as buffers to be sent one after the other."""
    return [LENGTH.pack(sum(map(len, parts))), *parts]


def read_frame(stream: BinaryIO) -> bytes | None:
    """The body of the next frame; None where the stream ends."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    body = stream.read(length)
    return body if len(body) == length else None
