"""The child: reads pages from a socket, parses them, writes documents back, until the socket closes.

Started by `child.py`; its standard streams lead nowhere, so nothing that a library prints can reach anybody or the socket.
"""

from __future__ import annotations

import importlib
import json
import socket
import sys
from collections.abc import Callable

from knowledge.errors import PageError, PageTooHungry, PageTooLong, UnreadablePage
from knowledge.page import Document
from knowledge.parsing import document_json, frames, limits

Parse = Callable[[bytes, str], Document]


def main() -> None:
    """`sys.argv`: the socket's descriptor, `module:function` of the parser, seconds and megabytes for one page."""
    descriptor, parser, seconds, memory_mb = sys.argv[1:]
    limits.restrict()
    line = socket.socket(fileno=int(descriptor))
    try:
        module, _, function = parser.partition(":")
        parse: Parse = getattr(importlib.import_module(module), function)
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent must hear of it
        _send(line, frames.BROKEN, f"{type(error).__name__}: {error}".encode())
        return
    _send(line, frames.READY)
    with line.makefile("rb") as stream:
        while (name := frames.read_frame(stream)) is not None and (data := frames.read_frame(stream)) is not None:
            with limits.page(float(seconds), int(memory_mb)):
                reply = _reply(parse, data, name.decode(), int(memory_mb))
            del data  # before the next page is read
            _send(line, *reply)


def _reply(parse: Parse, data: bytes, name: str, memory_mb: int) -> tuple[bytes, bytes]:
    try:
        text = document_json.dumps(parse(data, name))
        if len(text) > limits.MOST_CHARACTERS:
            raise PageTooLong(characters=len(text), limit=limits.MOST_CHARACTERS)
        return frames.DOCUMENT, text.encode()
    except BaseException as error:  # noqa: BLE001 - a parser that calls exit() ends a page, not the process
        told = _told(error, memory_mb)
    return frames.FAILED, json.dumps({"error": type(told).__name__, "details": told.details}, default=str).encode()


def _told(error: BaseException, memory_mb: int) -> PageError:
    """A parser's own bug costs one page. Its message is left out: it may quote the page."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, MemoryError):
            return PageTooHungry(megabytes=memory_mb)
        cause = cause.__cause__ or cause.__context__
    return error if isinstance(error, PageError) else UnreadablePage(reason=type(error).__name__)


def _send(line: socket.socket, *parts: bytes) -> None:
    line.sendall(b"".join(frames.frame(*parts)))  # in one piece: each would wake the parent
