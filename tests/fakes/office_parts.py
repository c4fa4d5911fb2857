"""Office files with a part exchanged: what no library writes, but strangers do."""

from __future__ import annotations

import io
import zipfile


def with_part(data: bytes, name: str, part: bytes) -> bytes:
    """The container `data` with `part` as its member `name`."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            if member != name:
                new.writestr(member, old.read(member))
        new.writestr(name, part)
    return stream.getvalue()


def part_of(data: bytes, name: str) -> bytes:
    """The member `name` of the container `data`."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name)


def names_of(data: bytes) -> list[str]:
    """The members of the container `data`."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return sorted(archive.namelist())
