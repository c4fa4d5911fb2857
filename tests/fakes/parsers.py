"""Parsers that misbehave, for `ParsingProcess(parser="tests.fakes.parsers:NAME")`. What a page says is what happens."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import time
from pathlib import Path

from knowledge.errors import PageWithoutText
from knowledge.page import Block, Document, Section

_EATEN: list[bytearray] = []


def document(text: str, **meta: object) -> Document:
    """One paragraph."""
    return Document(None, (Section((), (Block(text),)),), dict(meta))


def obey(data: bytes, name: str) -> Document:
    """The first word of `data` is the misdeed; any other word is the page's text."""
    word, _, rest = data.decode().partition(" ")
    deed = _DEEDS.get(word)
    return document(f"{name}: {data.decode()}") if deed is None else deed(rest)


def _hang(_: str) -> Document:
    time.sleep(3600)
    raise AssertionError


def _spin(_: str) -> Document:
    while True:
        pass


def _eat(_: str) -> Document:
    while True:
        _EATEN.append(bytearray(16 << 20))


def _eat_and_hide(_: str) -> Document:
    try:
        _eat("")
    except MemoryError:
        _EATEN.clear()
        raise ValueError("a parser that wraps what it does not understand")  # noqa: B904
    raise AssertionError


def _eat_unseen(_: str) -> Document:
    """Shared memory, which RLIMIT_DATA does not count."""
    import mmap

    eaten = []
    while True:
        block = mmap.mmap(-1, 16 << 20)
        block.write(b"x" * len(block))
        eaten.append(block)
        time.sleep(0.02)


def _abort_when_full(_: str) -> Document:
    """As a C++ library does that gets no more memory."""
    try:
        _eat("")
    except MemoryError:
        time.sleep(0.3)
        os.abort()
    raise AssertionError


def _leak(megabytes: str) -> Document:
    _EATEN.append(bytearray(int(megabytes) << 20))
    return document("leaked")


def _exit(status: str) -> Document:
    os._exit(int(status))


def _segfault(_: str) -> Document:
    ctypes.string_at(0)
    raise AssertionError


def _leave(_: str) -> Document:
    raise SystemExit(0)


def _die_once(marker: str) -> Document:
    """The first process dies, the second one does not. A link, since the process may write no file."""
    try:
        os.symlink("x", marker)
    except FileExistsError:
        return document("second try")
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def _long(characters: str) -> Document:
    return document("가" * int(characters))


def _no_document(_: str) -> Document:
    return Document(None, (Section((), (Block(5),)),), {})  # type: ignore[arg-type]


def _scream(_: str) -> Document:
    print("page text" * 10_000, flush=True)  # noqa: T201
    os.write(2, b"page text" * 10_000)
    return document("screamed")


def _without_text(_: str) -> Document:
    raise PageWithoutText()


def _may(what: str) -> Document:
    """Whether something works here that a hijacked parser would try."""
    deed, _, detail = what.partition(" ")
    try:
        if deed == "write":
            Path(detail).write_bytes(b"x" * 10)
        elif deed == "connect":
            socket.create_connection(("127.0.0.1", int(detail)), timeout=2).close()
        elif deed == "open-many":
            _EATEN.extend(open(os.devnull, "rb") for _ in range(100))  # type: ignore[misc]  # noqa: SIM115
        else:
            return document({"read": lambda: repr(os.read(0, 10)), "environment": lambda: repr(dict(os.environ)),
                             "path": lambda: repr(sys.path)}[deed]())  # fmt: skip
    except OSError as error:
        return document(f"no: {type(error).__name__}")
    return document("yes")


_DEEDS = {
    "hang": _hang,
    "spin": _spin,
    "eat": _eat,
    "eat-and-hide": _eat_and_hide,
    "eat-unseen": _eat_unseen,
    "abort-when-full": _abort_when_full,
    "leak": _leak,
    "exit": _exit,
    "segfault": _segfault,
    "leave": _leave,
    "die-once": _die_once,
    "long": _long,
    "no-document": _no_document,
    "scream": _scream,
    "without-text": _without_text,
    "may": _may,
}
