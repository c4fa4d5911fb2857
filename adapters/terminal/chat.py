"""The conversation: lines in, answers out through the adapter, Ctrl-C stops the answer (at the prompt: leaves)."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator

from adapters.terminal import texts
from adapters.terminal.adapter import TerminalAdapter
from adapters.terminal.screen import Screen
from adapters.text.characters import clean
from bot import texts as core_texts
from bot.conversation import Receipt, VoteReceipt
from bot.errors import SaseoError
from bot.messages import Language
from bot.texts import forgotten, greeting

REMEMBERED = 4
"""Earlier questions that a follow-up may lean on."""
_LEAVING = {"/quit", "/exit", "/끝"}
_LEAVING_WORDS = {"quit", "exit", "끝"}
_FORGETTING = {"/new", "/새로"}
_GOOD = {"/good", "/좋아요"}
_BAD = {"/bad", "/아쉬워요"}
_HELP = {"/help", "/도움말"}
_COMMAND = re.compile(r"/\w+")
"""A path such as /etc/hosts is no command."""


async def chat(
    adapter: TerminalAdapter,
    screen: Screen,
    *,
    language: Language = "ko",
    read: Callable[[], AsyncIterator[str]] | None = None,
) -> None:
    """Talk until the person leaves or the input ends. `read` replaces the real terminal in tests.

    Raises what the screen raises, such as BrokenPipeError.
    """
    interactive = read is None and sys.stdin.isatty()
    if interactive:
        screen.write(greeting(language))
    conversation = Conversation(adapter, screen, language)
    async for line in (read or (_typed if interactive else _piped))():
        text = " ".join(clean(line).split())
        if not text:
            continue
        if text in _LEAVING_WORDS or text.split()[0].lower() in _LEAVING:
            break
        if not interactive:
            screen.write(f"\n> {text}\n")
        if not await conversation.said(text):
            break


class Conversation:
    """What was asked so far, and what a line means."""

    def __init__(self, adapter: TerminalAdapter, screen: Screen, language: Language) -> None:
        self._adapter = adapter
        self._screen = screen
        self._language = language
        self._turns: list[str] = []

    async def said(self, text: str) -> bool:
        """Do what a line asks for. False: the person wants to leave."""
        first, _, rest = text.partition(" ")
        try:
            if not _COMMAND.fullmatch(first):
                return await self._ask(text)
            return await self._command(first.lower(), rest)
        except SaseoError as error:  # say, the store is out of reach for a while
            self._screen.line(error.explain(self._language))
            return True

    async def _ask(self, text: str) -> bool:
        with _ctrl_c() as interrupts:
            receipt = await self._adapter.ask(text, tuple(self._turns[-REMEMBERED:]), interrupts)
        if receipt is None:
            self._screen.line(texts.left_waiting(self._language))
            return False
        if receipt is not Receipt.STOPPED:
            self._turns.append(text)
        return True

    async def _command(self, command: str, rest: str) -> bool:
        if command in _FORGETTING:
            self._turns.clear()
            self._screen.line(forgotten(self._language))
            return not rest or await self._ask(rest)
        if command in _GOOD:
            self._screen.line(self._thanks(await self._adapter.vote("up")))
        elif command in _BAD:
            self._screen.line(self._thanks(await self._adapter.vote("down", rest), reason=rest, down=True))
        else:
            if command not in _HELP:
                self._screen.line(texts.unknown_command(self._language))
            self._screen.line(texts.commands(self._language))
        return True

    def _thanks(self, receipt: VoteReceipt | None, *, reason: str = "", down: bool = False) -> str:
        if receipt is None:
            return texts.nothing_to_rate(self._language)
        if receipt is VoteReceipt.UNKNOWN or not down:
            return core_texts.voted(receipt, self._language)
        if reason:
            return texts.explained(self._language)
        return f"{core_texts.voted(receipt, self._language)} {texts.how_to_explain(self._language)}"


@contextlib.contextmanager
def _ctrl_c() -> Iterator[asyncio.Queue[None]]:
    """One item for each Ctrl-C meanwhile; afterwards Ctrl-C is again what it was."""
    loop, before = asyncio.get_running_loop(), signal.getsignal(signal.SIGINT)
    presses: asyncio.Queue[None] = asyncio.Queue()
    # Neither on Windows nor off the main thread can a loop handle signals.
    with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
        loop.add_signal_handler(signal.SIGINT, presses.put_nowait, None)
    try:
        yield presses
    finally:
        with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
            loop.remove_signal_handler(signal.SIGINT)
            signal.signal(signal.SIGINT, before)  # asyncio would leave Python's own handler, not the one that was there


async def _typed() -> AsyncIterator[str]:
    """Lines from a person, with editing and history that know Hangul's width."""
    from prompt_toolkit import PromptSession

    session: PromptSession[str] = PromptSession()
    while True:
        try:
            yield await session.prompt_async("\n> ")
        except (EOFError, KeyboardInterrupt):
            return


async def _piped() -> AsyncIterator[str]:
    """Lines from a file or pipe, UTF-8 or, as Windows tools write them, CP949.

    Read on a thread that nobody waits for: a pipe that stays open must not keep Ctrl-C from ending the conversation.
    """
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[bytes] = asyncio.Queue()

    def read() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            for line in sys.stdin.buffer:
                loop.call_soon_threadsafe(lines.put_nowait, line)
            loop.call_soon_threadsafe(lines.put_nowait, b"")

    threading.Thread(target=read, name="saseo-stdin", daemon=True).start()
    while line := await lines.get():
        yield _decoded(line)


def _decoded(line: bytes) -> str:
    with contextlib.suppress(UnicodeDecodeError):
        return line.decode("utf-8-sig")
    return line.decode("cp949", "replace")
