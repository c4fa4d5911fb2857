"""Small compound files (OLE, version 3), written by [MS-CFB]: streams of 4096 bytes and more in sectors, others in small ones."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

_SECTOR = 512
_SMALL = 64
_CUTOFF = 4096
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_NONE = 0xFFFFFFFF
_STORAGE, _STREAM, _ROOT = 1, 2, 5


@dataclass
class _Entry:
    name: str
    kind: int
    data: bytes = b""
    start: int = _END
    children: list[int] = field(default_factory=list)
    left: int = _NONE
    right: int = _NONE
    child: int = _NONE


def compound_file(streams: Mapping[str, bytes]) -> bytes:
    """`streams`: path (one folder at most, `/`-separated) → content."""
    entries = [_Entry("Root Entry", _ROOT)]
    folders: dict[str, int] = {"": 0}
    for path, data in streams.items():
        folder, _, name = path.rpartition("/")
        if folder not in folders:
            folders[folder] = len(entries)
            entries[0].children.append(len(entries))
            entries.append(_Entry(folder, _STORAGE))
        entries[folders[folder]].children.append(len(entries))
        entries.append(_Entry(name, _STREAM, data))
    for entry in entries:
        in_order = sorted(entry.children, key=lambda sid: (len(entries[sid].name), entries[sid].name.upper()))
        entry.child = _balanced(entries, in_order)

    small_table: list[int] = []
    small_data = bytearray()
    for entry in entries[1:]:
        if entry.kind == _STREAM and 0 < len(entry.data) < _CUTOFF:
            entry.start = _chain(small_table, len(entry.data), _SMALL)
            small_data += _padded(entry.data, _SMALL)
    entries[0].data = bytes(small_data)

    table: list[int] = []
    body = bytearray()

    def place(data: bytes) -> int:
        nonlocal body
        start = _chain(table, len(data), _SECTOR)
        body += _padded(data, _SECTOR)
        return start

    for entry in entries:
        if entry.kind == _ROOT or len(entry.data) >= _CUTOFF:
            entry.start = place(entry.data) if entry.data else _END
    small_start = place(struct.pack(f"<{len(small_table)}L", *small_table)) if small_table else _END
    directory_start = place(b"".join(map(_directory_entry, entries)))
    sectors = 1
    while sectors * _SECTOR // 4 < len(table) + sectors:
        sectors += 1
    first = len(table)
    table += [_FAT] * sectors
    table += [_FREE] * (sectors * _SECTOR // 4 - len(table))
    assert sectors <= 109, "too large for a test file"
    header = struct.pack(
        "<8s16s6H10L",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", bytes(16), 0x3E, 3, 0xFFFE, 9, 6, 0, 0, 0,
        sectors, directory_start, 0, _CUTOFF, small_start, -(-4 * len(small_table) // _SECTOR), _END, 0,
    )  # fmt: skip
    places = [first + number if number < sectors else _FREE for number in range(109)]
    return header + struct.pack("<109L", *places) + bytes(body) + struct.pack(f"<{len(table)}L", *table)


def _balanced(entries: list[_Entry], sids: list[int]) -> int:
    if not sids:
        return _NONE
    middle = len(sids) // 2
    entries[sids[middle]].left = _balanced(entries, sids[:middle])
    entries[sids[middle]].right = _balanced(entries, sids[middle + 1 :])
    return sids[middle]


def _chain(table: list[int], size: int, sector: int) -> int:
    start, count = len(table), -(-size // sector)
    table.extend([*range(start + 1, start + count), _END])
    return start


def _padded(data: bytes, size: int) -> bytes:
    return data + bytes(-len(data) % size)


def _directory_entry(entry: _Entry) -> bytes:
    name = entry.name.encode("utf-16-le")
    return struct.pack(
        "<64sHBB3L16sLQQLQ",
        name, len(name) + 2, entry.kind, 1, entry.left, entry.right, entry.child, bytes(16), 0, 0, 0,
        entry.start, len(entry.data),
    )  # fmt: skip
