"""What the parsing process may not do, set by itself before it sees the first page.

The parent kills what takes too long or grows too large (`child.py`); these limits hold without it, and against what a broken
parser might be made to do.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MOST_CHARACTERS = 10_000_000
"""Of one page as JSON: its text, the heading path of each section, and about twenty for each block. Some thousand printed pages."""
_NICE = 5
"""Below answering; a run that was started at a lower priority stays there."""
_FILES = 64
_OOM = "250"
"""As if it held a quarter of the machine more. With 1000 the kernel kills even a small one before what really fills the memory."""
_CLONE_NEWNET = 0x40000000
_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_MEGABYTE = 1024 * 1024
_PAGE = resource.getpagesize()


def restrict() -> None:
    """No file written, no core dump, no new process, few open files, no network where the system lets us give it up.

    Where the machine's memory runs out, the process goes before what is not much larger; it goes with the thread that started it.
    """
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, _FILES),
    ):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(what, (most, most))
    with contextlib.suppress(OSError):
        os.nice(_NICE)
    with contextlib.suppress(OSError):  # Linux only
        Path("/proc/self/oom_score_adj").write_text(_OOM, encoding="ascii")
    with contextlib.suppress(OSError, AttributeError):  # AttributeError: another system's library
        libc = ctypes.CDLL(None, use_errno=True)
        # root may leave the network alone; others need a user namespace for it, which a container may forbid
        if libc.unshare(_CLONE_NEWNET) != 0:
            libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # last: a new user namespace takes it back


@contextmanager
def page(seconds: float, memory_mb: int) -> Iterator[None]:
    """While one page is parsed: `seconds` of CPU, and `memory_mb` beside what the process holds already.

    RLIMIT_DATA rather than RLIMIT_AS: it counts what is written, not what a library reserves and never touches.
    """
    used = resource.getrusage(resource.RUSAGE_SELF)
    _soft(resource.RLIMIT_CPU, math.ceil(used.ru_utime + used.ru_stime + seconds) + 1)
    _soft(resource.RLIMIT_DATA, _data_bytes() + memory_mb * _MEGABYTE)
    try:
        yield
    finally:
        _soft(resource.RLIMIT_DATA, resource.RLIM_INFINITY)


def _soft(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    if hard != resource.RLIM_INFINITY:
        most = hard if most == resource.RLIM_INFINITY else min(most, hard)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(what, (most, hard))


def _data_bytes() -> int:
    """Heap, private writable mappings and stack of this process; 256 MB where the system does not tell."""
    pages = _statm("self", 5)
    return pages * _PAGE if pages is not None else 256 * _MEGABYTE


def resident_mb(pid: int) -> float:
    """Memory that process `pid` really holds; 0.0 where the system does not tell."""
    return (_statm(pid, 1) or 0) * _PAGE / _MEGABYTE


def _statm(pid: int | str, field: int) -> int | None:
    try:
        with open(f"/proc/{pid}/statm", "rb", buffering=0) as file:
            return int(file.read(200).split()[field])
    except (OSError, IndexError, ValueError):
        return None
