"""Who has a SQLite store open: every process holds a shared lock on a file beside it; who changes it as a whole holds it alone.

The system drops the lock with its process, however that ends. PostgreSQL needs none: it knows its sessions.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

SUFFIX = ".lock"


class Hold:
    """One lock of this process, not held yet. Each `Hold` is as separate as another process."""

    def __init__(self, store: Path) -> None:
        """`store`: the database's file; its folder must be there."""
        self._file = os.open(store.with_name(store.name + SUFFIX), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def share(self) -> bool:
        """Hold it beside others, at once or not at all: False while somebody holds it alone. What was held alone is shared then."""
        return self._lock(fcntl.LOCK_SH)

    def alone(self) -> bool:
        """Hold it alone, at once or not at all: False while anybody else holds it; what was held is then given up."""
        return self._lock(fcntl.LOCK_EX)

    def let_go(self) -> None:
        """Hold it no more."""
        with contextlib.suppress(OSError):
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """For good."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _lock(self, kind: int) -> bool:
        try:
            fcntl.flock(self._file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            self.let_go()
            return False
        except OSError:  # a file system without locks: SQLite itself could not be shared there either
            return True
        return True
