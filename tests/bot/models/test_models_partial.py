"""Whatever happens while parts are appended, the result is the parts in order."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.models.partial import PartialFile

PARTS = st.lists(st.binary(max_size=40), min_size=1, max_size=6)
# What interrupts a run: after how many appends, how many bytes of the next part arrive, and what befalls the files then.
MISHAPS = st.lists(
    st.tuples(
        st.integers(0, 3), st.integers(0, 50), st.sampled_from(["", "garbage", "shorter", "no record", "bad record"])
    ),
    max_size=6,
)


class _CutError(Exception):
    pass


def _torn(content: bytes, size: int) -> Iterator[bytes]:
    yield content[:size]
    raise _CutError


@settings(max_examples=150, deadline=None)
@given(PARTS, MISHAPS)
def test_any_history_of_interruptions_ends_with_the_whole(
    parts: list[bytes], mishaps: list[tuple[int, int, str]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "result.partial"
        record = Path(folder) / "result.partial.record"
        for appends, torn, befalls in mishaps:
            partial = PartialFile(path)
            assert partial.bytes == sum(map(len, parts[: partial.parts]))
            for part in parts[partial.parts :][:appends]:
                partial.append([part])
            if partial.parts < len(parts):
                with pytest.raises(_CutError):
                    partial.append(_torn(parts[partial.parts] + b"longer than the part itself" * 3, torn))
                if torn % 2:  # the same object may go on
                    partial.append([parts[partial.parts]])
                    assert path.read_bytes() == b"".join(parts[: partial.parts])
            if befalls == "garbage":
                with path.open("ab") as stream:
                    stream.write(b"x" * torn)
            elif befalls == "shorter" and path.exists():
                path.write_bytes(path.read_bytes()[: max(0, path.stat().st_size - torn)])
            elif befalls == "no record":
                record.unlink(missing_ok=True)
            elif befalls == "bad record":
                record.write_text('{"parts": "many"', encoding="utf-8")
        last = PartialFile(path)
        # A file cut inside a recorded part must have been given up; what is kept is right.
        kept = path.read_bytes() if last.parts else b""
        assert kept == b"".join(parts[: last.parts])
        for part in parts[last.parts :]:
            last.append(part[at : at + 7] for at in range(0, len(part), 7))
        assert path.read_bytes() == b"".join(parts)
        assert (last.parts, last.bytes) == (len(parts), sum(map(len, parts)))


def test_restart_forgets(tmp_path: Path) -> None:
    partial = PartialFile(tmp_path / "x")
    partial.append([b"abc"])
    assert PartialFile(tmp_path / "x").parts == 1
    partial.restart()
    assert PartialFile(tmp_path / "x").bytes == 0
    assert list(tmp_path.iterdir()) == []
