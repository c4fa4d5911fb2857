"""The terminal as a chat platform: lines in, checked sentences out, Ctrl-C stops the answer (at the prompt: leaves)."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import threading
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Protocol, TextIO

from bot import texts
from bot.messages import Answer, Event, Finished, Progressed, Question, Wrote

REMEMBERED = 4
"""Earlier questions that a follow-up may lean on."""
_LEAVING = {"/quit", "/exit", "/끝", "quit", "exit", "끝"}
_FORGETTING = {"/new", "/새로"}


class Asking(Protocol):
    """What the terminal needs of the core."""

    def stream(self, question: Question) -> AsyncIterator[Event]:
        """Events of one question."""


async def chat(
    flow: Asking,
    groups: frozenset[str],
    *,
    language: texts.Language = "ko",
    read: Callable[[], AsyncIterator[str]] | None = None,
    out: TextIO | None = None,
) -> None:
    """Talk until the person leaves or the input ends. `read` and `out` replace the real terminal in tests."""
    out = out or sys.stdout
    interactive = read is None and sys.stdin.isatty()
    print(texts.greeting(language) if interactive else "", end="", file=out, flush=True)
    turns: list[str] = []
    lines = (read or (_typed if interactive else _piped))()
    async for line in lines:
        text = " ".join(line.split())
        if not text:
            continue
        if text in _LEAVING:
            break
        if text in _FORGETTING:
            turns.clear()
            print(texts.forgotten(language), file=out)
            continue
        if not interactive:
            print(f"\n> {text}", file=out)
        question = Question(text, id=uuid.uuid4().hex[:12], groups=groups, turns=tuple(turns[-REMEMBERED:]))
        answer = await _stoppable(_show(flow, question, language, out, transient=interactive and out.isatty()))
        if answer is None:
            print("\n" + texts.stopped(language), file=out, flush=True)
        turns.append(text)


async def _show(
    flow: Asking, question: Question, language: texts.Language, out: TextIO, *, transient: bool
) -> Answer | None:
    """Print one answer as it comes; progress stands on one line that the first sentence replaces."""
    answer: Answer | None = None
    async with contextlib.aclosing(flow.stream(question)) as events:  # type: ignore[type-var]
        async for event in events:
            if isinstance(event, Progressed):
                if transient:
                    print(
                        f"\r\x1b[2K\x1b[2m{texts.step(event.step, event.detail, language)}\x1b[0m",
                        end="",
                        file=out,
                        flush=True,
                    )
            elif isinstance(event, Wrote):
                print(("\r\x1b[2K" if transient else "") + event.text, end="", file=out, flush=True)
                transient = False
            elif isinstance(event, Finished):
                answer = event.answer
    if answer is not None:
        print(("\r\x1b[2K" if transient else "") + texts.closing(answer, language), file=out, flush=True)
    return answer


async def _stoppable(work: object) -> Answer | None:
    """Run one answer; Ctrl-C cancels it and gives None."""
    task = asyncio.ensure_future(work)  # type: ignore[call-overload]
    loop, before = asyncio.get_running_loop(), signal.getsignal(signal.SIGINT)
    # Neither on Windows nor off the main thread can a loop handle signals.
    with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
        loop.add_signal_handler(signal.SIGINT, task.cancel)
    try:
        answer: Answer | None = await task
        return answer
    except asyncio.CancelledError:
        current = asyncio.current_task()
        if current is not None and current.cancelling():
            raise
        return None
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
