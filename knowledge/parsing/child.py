"""The parent's end of one parsing process: start it, ask it, watch it, end it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import math
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from knowledge.parsing import frames
from knowledge.parsing.limits import MOST_CHARACTERS, resident_mb

_ROOMS = Path(__file__).resolve().parents[2]
_START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from knowledge.parsing.worker import main; main()"
_KEPT = (
    "PATH", "HOME", "TMPDIR", "TZ", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "VIRTUAL_ENV",
    "PYTHONPATH", "PYTHONHOME", "PYTHONUTF8",
)  # fmt: skip
"""Of the environment: no token of ours or of anybody else reaches the child."""
_PATIENCE = 120.0
"""Seconds for Python and the parsers to load, on a machine that is busy."""
_LOOK_EVERY = 0.05
"""Seconds between two looks at its memory."""
_MOST_BYTES = 4 * MOST_CHARACTERS + 4096
_HUNGRY = 0.5
"""A child that dies with this share of its memory in use died of hunger: a library that gets no more ends the process."""
_PIECE = 1 << 16
_SHORT = frozenset({errno.ENOMEM, errno.EAGAIN})


class ChildSlow(Exception):
    """The page took longer than allowed."""


class ChildHungry(Exception):
    """It took more memory than allowed."""


class ChildEndless(Exception):
    """It answers with more than a page may be."""


class ChildDied(Exception):
    """It ended by itself; `how`: `SIGSEGV`, `exit 3`."""

    def __init__(self, how: str) -> None:
        self.how = how
        super().__init__(how)


class ChildBroken(Exception):
    """It never became ready. `killed`: by somebody, or for want of memory; it may be tried again."""

    def __init__(self, reason: str, *, killed: bool = False) -> None:
        self.reason = reason
        self.killed = killed
        super().__init__(reason)


class Child:
    """A running parsing process. After any error of `ask` it must be closed."""

    def __init__(self, parser: str, *, seconds: float, memory_mb: int) -> None:
        """`parser`: `module:function`; `seconds`, `memory_mb`: for one page. Raises ChildBroken."""
        self._seconds = seconds
        self._memory_mb = memory_mb
        self.asked = 0
        self.resident_mb = self.resident_at_first = 0.0
        self._allowed_mb = math.inf  # while it starts nothing foreign is read
        try:
            self._process, self._line = self._started(parser)
        except OSError as error:
            raise ChildBroken(error.strerror or type(error).__name__, killed=error.errno in _SHORT) from error
        try:
            word = bytes(self._answer(time.monotonic() + _PATIENCE))
        except (ChildSlow, ChildHungry, ChildEndless) as error:
            self.close()
            raise ChildBroken(type(error).__name__) from error
        except ChildDied as died:
            self.close()
            raise ChildBroken(died.how, killed=died.how == "SIGKILL") from died
        except BaseException:
            self.close()
            raise
        if word != frames.READY:
            self.close()
            raise ChildBroken(word.removeprefix(frames.BROKEN).decode("utf-8", "replace")[:300])
        self.resident_mb = self.resident_at_first = resident_mb(self.pid)

    def _started(self, parser: str) -> tuple[subprocess.Popen[bytes], socket.socket]:
        ours, theirs = map(_above_standard, socket.socketpair())
        with theirs, contextlib.ExitStack() as undo:
            undo.callback(ours.close)
            process = subprocess.Popen(
                # -P: a `yaml.py` in the current folder is not ours. -B: it may not write files anyway.
                [
                    sys.executable, "-P", "-B", "-c", _START,
                    str(_ROOMS), str(theirs.fileno()), parser, str(self._seconds), str(self._memory_mb),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env=_surroundings(),
                start_new_session=True,  # Ctrl-C reaches the parent alone
            )  # fmt: skip
            undo.pop_all()
        ours.setblocking(False)
        return process, ours

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def ask(self, name: str, data: bytes) -> bytearray:
        """The reply frame. Raises ChildSlow, ChildHungry, ChildEndless, ChildDied."""
        self.asked += 1
        until = time.monotonic() + self._seconds
        self._allowed_mb = self.resident_mb + len(data) / 1_000_000 + self._memory_mb
        self._send([*frames.frame(name.encode("utf-8", "replace")), *frames.frame(data)], until)
        reply = self._answer(until)
        self.resident_mb = resident_mb(self.pid)
        return reply

    def close(self) -> None:
        """End it at once: it holds nothing worth a farewell. No zombie is left."""
        self._line.close()
        self._process.kill()
        self._process.wait()

    def _send(self, buffers: list[bytes], until: float) -> None:
        waiting = [memoryview(buffer) for buffer in buffers if buffer]
        while waiting:
            try:
                sent = self._line.sendmsg(waiting)
            except BlockingIOError:
                self._wait(select.POLLOUT, until)
                continue
            except OSError as error:
                raise self._death() from error
            while waiting and sent >= len(waiting[0]):
                sent -= len(waiting.pop(0))
            if sent:
                waiting[0] = waiting[0][sent:]

    def _answer(self, until: float) -> bytearray:
        received = bytearray()
        length = frames.LENGTH.size
        while len(received) < length:
            self._wait(select.POLLIN, until)
            try:
                piece = self._line.recv(_PIECE)
            except OSError as error:
                raise self._death() from error
            if not piece:
                raise self._death()
            received += piece
            if length == frames.LENGTH.size <= len(received):
                length += frames.LENGTH.unpack_from(received)[0]
                if length > _MOST_BYTES:
                    raise ChildEndless
        return received[frames.LENGTH.size :]

    def _wait(self, event: int, until: float) -> None:
        """Until the socket is ready. What the limits inside the child do not see is seen here."""
        poll = select.poll()
        poll.register(self._line, event)
        while True:
            if time.monotonic() > until:  # asked at every turn: it may answer byte by byte
                raise ChildSlow
            if poll.poll(_LOOK_EVERY * 1000):
                return
            self.resident_mb = resident_mb(self.pid)
            if self.resident_mb > self._allowed_mb:
                raise ChildHungry

    def _death(self) -> Exception:
        """It has closed its end: why?"""
        try:
            status = self._process.wait(5)
        except subprocess.TimeoutExpired:  # it closed the socket and lives on
            return ChildDied("socket closed")
        if status == -signal.SIGXCPU:
            return ChildSlow()
        if self.resident_mb > self._allowed_mb - (1 - _HUNGRY) * self._memory_mb:
            return ChildHungry()
        if status >= 0:
            return ChildDied(f"exit {status}")
        with contextlib.suppress(ValueError):
            return ChildDied(signal.Signals(-status).name)
        return ChildDied(f"signal {-status}")


def _above_standard(line: socket.socket) -> socket.socket:
    """With a descriptor above 2: where the parent's own streams are closed it could get one of theirs."""
    with line:
        return socket.socket(fileno=fcntl.fcntl(line.fileno(), fcntl.F_DUPFD_CLOEXEC, 3))


def _surroundings() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
