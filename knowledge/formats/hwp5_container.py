"""The compound file (OLE) that HWP 5 lies in: its streams, bounded, and the title in its summary."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import Any, TypeVar

from knowledge.errors import UnreadablePage

Result = TypeVar("Result")

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_HEADER = struct.Struct("<30x2H10xL16xL4xL")  # sector shift, mini sector shift, FAT, mini FAT and DIFAT sectors
_SECTOR_SHIFTS = frozenset({9, 12})
_MINI_SECTOR_SHIFT = 6
_MOST_ENTRIES = 4096
_SUMMARY = "\x05HwpSummaryInformation"
_TITLE = 2
_WIDE_STRING = 0x1F
_LONGEST_TITLE = 300


class Container:
    """The streams of one compound file. Every method raises UnreadablePage where the container is damaged."""

    def __init__(self, data: bytes) -> None:
        """`olefile` follows what the header says of sizes: it is compared with the size of the file beforehand."""
        self._size = len(data)
        if len(data) < 512 or not data.startswith(MAGIC):
            raise UnreadablePage(reason="not a compound file")
        shift, mini_shift, *tables = _HEADER.unpack_from(data)
        if shift not in _SECTOR_SHIFTS or mini_shift != _MINI_SECTOR_SHIFT:
            raise UnreadablePage(reason="damaged compound file (sector size)")
        if any(sectors << shift > len(data) for sectors in tables):
            raise UnreadablePage(reason="damaged compound file (its tables are larger than itself)")
        self._ole = _guarded(lambda: _open(data))
        if self._ole.root.size > len(data):
            raise UnreadablePage(reason="damaged compound file (its small streams are larger than itself)")

    def names(self) -> list[str]:
        """Paths of all streams, `/`-separated."""
        return ["/".join(path) for path in _guarded(self._ole.listdir)]

    def read(self, name: str) -> bytes:
        """One stream; no such stream is damage."""
        if _guarded(lambda: self._ole.get_size(name)) > self._size:
            raise UnreadablePage(reason="damaged compound file (a stream is larger than the file)")
        return bytes(_guarded(lambda: self._ole.openstream(name).read()))

    def title(self) -> str:
        """From the summary that Hangul writes (a property set whose strings are UTF-16), or an empty string."""
        try:
            summary = self.read(_SUMMARY)
            (start,) = struct.unpack_from("<L", summary, 44)
            (count,) = struct.unpack_from("<L", summary, start + 4)
            for place in range(start + 8, min(start + 8 + 8 * count, len(summary) - 7), 8):
                number, offset = struct.unpack_from("<2L", summary, place)
                kind, length = struct.unpack_from("<2L", summary, start + offset) if number == _TITLE else (0, 0)
                if kind == _WIDE_STRING:
                    text = summary[start + offset + 8 :][: 2 * min(length, _LONGEST_TITLE)]
                    return text.decode("utf-16-le", "replace").split("\x00")[0]
        except (struct.error, UnreadablePage):
            pass  # a page does not become unreadable for want of a title
        return ""


def _open(data: bytes) -> Any:
    import olefile

    class BoundedOle(olefile.OleFileIO):  # type: ignore[misc]
        """Gives up on a directory without end: each entry costs a search through all before it."""

        loaded = 0

        def _load_direntry(self, sid: int) -> Any:
            self.loaded += 1
            if self.loaded > _MOST_ENTRIES:
                raise UnreadablePage(reason=f"a compound file of more than {_MOST_ENTRIES} entries")
            return super()._load_direntry(sid)

    return BoundedOle(io.BytesIO(data))


def _guarded(call: Callable[[], Result]) -> Result:
    try:
        return call()
    except UnreadablePage:
        raise
    except Exception as error:
        # olefile raises OSError, IndexError, struct.error, RecursionError …, wherever the damage sits
        raise UnreadablePage(reason=f"damaged compound file ({type(error).__name__})") from error
