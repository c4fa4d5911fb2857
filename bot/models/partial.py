"""A result that grows part by part and can be continued after Ctrl-C, a crash or a power cut.

Bytes are appended and flushed to disk first, then the record counts the part: a part that is in the file but not in the
record is cut off and fetched again, so the file is always the first `parts` parts, whole.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from knowledge.editions.files import write_whole


class PartialFile:
    """`path` and, beside it, `<path>.record`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._record = path.with_name(path.name + ".record")
        self.parts, self.bytes = self._recover()

    def append(self, chunks: Iterable[bytes]) -> None:
        """Add one part. If `chunks` raises, the file stays at the last whole part."""
        added = 0
        with self.path.open("r+b" if self.path.exists() else "wb") as stream:
            stream.seek(self.bytes)
            stream.truncate()
            for chunk in chunks:
                stream.write(chunk)
                added += len(chunk)
            stream.flush()
            os.fsync(stream.fileno())
        self.parts, self.bytes = self.parts + 1, self.bytes + added
        write_whole(self._record, json.dumps({"parts": self.parts, "bytes": self.bytes}))

    def restart(self) -> None:
        """Forget everything."""
        self._record.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)
        self.parts = self.bytes = 0

    def _recover(self) -> tuple[int, int]:
        try:
            record = json.loads(self._record.read_text(encoding="utf-8"))
            parts, size = int(record["parts"]), int(record["bytes"])
            if parts > 0 and 0 <= size <= self.path.stat().st_size:
                os.truncate(self.path, size)  # what was never recorded may be half a part
                return parts, size
        except (OSError, ValueError, KeyError, TypeError):
            pass
        # No record, or fewer bytes than it promises: nothing here can be relied on.
        self.restart()
        return 0, 0
