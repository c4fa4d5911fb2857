"""Zip containers as strangers make them."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.errors import LockedPage, PageError, UnreadablePage
from knowledge.formats.zip_guard import SafeZip, open_zip


def packed(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


def opened(data: bytes, *, most_bytes: int = 8 * 2**20, most_members: int = 20, most_ratio: float = 100) -> SafeZip:
    return open_zip(data, most_bytes=most_bytes, most_members=most_members, most_ratio=most_ratio)


def reason(caught: pytest.ExceptionInfo[UnreadablePage]) -> str:
    return str(caught.value.details["reason"])


def test_files_are_read_by_name_in_their_order_and_folders_are_not_listed() -> None:
    container = opened(packed({"나/": b"", "나/둘.txt": b"2", "가.txt": b"1"}))
    assert container.names() == ("나/둘.txt", "가.txt")
    assert (container.read("가.txt"), container.read("나/둘.txt")) == (b"1", b"2")
    assert "가.txt" in container
    assert "나/" not in container


def test_a_missing_part_is_said_to_be_missing() -> None:
    with pytest.raises(UnreadablePage) as caught:
        opened(packed({"a": b"1"})).read("b")
    assert "missing" in reason(caught)


def test_bytes_are_counted_over_all_reads() -> None:
    container = opened(packed({"a": bytes(600), "b": bytes(600)}, zipfile.ZIP_STORED), most_bytes=1000)
    assert len(container.read("a")) == 600
    with pytest.raises(UnreadablePage):
        container.read("b")


def test_a_member_that_swells_more_than_allowed_is_refused_though_it_is_below_the_limit_of_bytes() -> None:
    bomb = packed({"a": bytes(5 * 2**20)})
    assert len(bomb) < 10_000
    with pytest.raises(UnreadablePage) as caught:
        opened(bomb).read("a")
    assert "more than 1 MB" in reason(caught)
    assert len(opened(bomb, most_ratio=1100).read("a")) == 5 * 2**20


def test_too_many_members_are_refused_before_the_directory_is_read() -> None:
    many = packed({f"{number}": b"" for number in range(21)})
    with pytest.raises(UnreadablePage):
        opened(many)
    assert len(opened(many, most_members=21).names()) == 21


def test_containers_within_a_container_do_not_count_as_its_members() -> None:
    inner = packed({f"{number}": b"" for number in range(15)})
    assert opened(packed({"a.zip": inner, "b.zip": inner}, zipfile.ZIP_STORED)).names() == ("a.zip", "b.zip")


@pytest.mark.parametrize("name", ["../밖.txt", "a/../../b", "/etc/passwd", "C:/a", "..\\..\\a"])
def test_a_path_that_leads_outside_is_refused(name: str) -> None:
    with pytest.raises(UnreadablePage) as caught:
        opened(packed({"a": b"1", name: b"2"}))
    assert name not in reason(caught)


def test_backslashes_become_slashes_and_names_are_composed() -> None:
    assert opened(packed({"가\\b.txt": b"1"})).names() == ("가/b.txt",)


def test_korean_names_written_by_windows_are_decoded() -> None:
    data = packed({"xxxx.txt": b"1"}).replace(b"xxxx", "휴가".encode("cp949"))
    assert opened(data).names() == ("휴가.txt",)


def test_symbolic_links_are_left_out() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("a", "1")
    assert opened(stream.getvalue()).names() == ("a",)


def test_an_encrypted_member_is_named_as_such() -> None:
    data = bytearray(packed({"a": b"1"}))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(LockedPage, match="encrypted"):
        opened(bytes(data)).read("a")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_cannot_be_unpacked_in_bounded_steps_are_refused(method: int) -> None:
    with pytest.raises(UnreadablePage) as caught:
        opened(packed({"a": bytes(1000)}, method)).read("a")
    assert str(method) in reason(caught)


def test_a_directory_that_lies_about_sizes_gains_nothing() -> None:
    data = bytearray(packed({"a": bytes(4 * 2**20)}))
    struct.pack_into("<L", data, data.index(b"PK\x01\x02") + 24, 10)  # "ten bytes unpacked"
    with pytest.raises(UnreadablePage):
        opened(bytes(data)).read("a")


@given(cut=st.integers(0, 400), flips=st.lists(st.tuples(st.integers(0, 400), st.integers(1, 255)), max_size=4))
def test_damaged_containers_end_in_a_page_error(cut: int, flips: list[tuple[int, int]]) -> None:
    data = bytearray(packed({"가.txt": "휴가 규정".encode() * 20, "b/c.xml": b"<a/>"}))
    for place, bits in flips:
        data[place % len(data)] ^= bits
    try:
        container = opened(bytes(data[: len(data) - cut % len(data)] if cut % 2 else data))
        for name in container.names():
            container.read(name)
    except PageError:
        pass
