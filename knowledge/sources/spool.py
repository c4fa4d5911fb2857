"""Bytes laid aside in a nameless temporary file: unpacked parts of an export that are too large for memory."""

from __future__ import annotations

import errno
import shutil
import tempfile
import threading
import weakref
from pathlib import Path
from typing import BinaryIO, cast

from knowledge.errors import UnreadablePage


class Spool:
    """Grows at its end, is read anywhere. The file has no name and is gone with the object."""

    def __init__(self, folder: Path, most: int) -> None:
        """`folder` is made if need be. `most`: bytes that will come; they may take half of the free disk, not more.

        Raises OSError.
        """
        folder.mkdir(parents=True, exist_ok=True)
        if most > shutil.disk_usage(folder).free // 2:
            raise OSError(errno.ENOSPC, f"unpacking needs {most / 2**30:.1f} GB, more than half of the free disk")
        self.file = cast(BinaryIO, tempfile.TemporaryFile(dir=folder))  # noqa: SIM115 - closed below
        self.size = 0
        self._lock = threading.Lock()
        weakref.finalize(self, self.file.close)

    def append(self, data: bytes) -> None:
        """Raises OSError (a full disk)."""
        self.file.write(data)
        self.size += len(data)

    def finish(self) -> None:
        """Nothing more comes; from now on it can be read. Raises OSError."""
        self.file.flush()

    def read(self, start: int, length: int) -> bytes:
        """Raises UnreadablePage."""
        try:
            with self._lock:
                self.file.seek(start)
                data = self.file.read(length)
        except (OSError, ValueError) as error:
            raise UnreadablePage(reason=f"a temporary file is gone ({type(error).__name__})") from error
        if len(data) != length:
            raise UnreadablePage(reason="a temporary file was cut short")
        return data
