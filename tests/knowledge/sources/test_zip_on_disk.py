"""Archives from strangers: names that are only labels, bytes that are counted, and nothing but our own errors."""

from __future__ import annotations

import struct
import unicodedata
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.errors import UnreadablePage
from knowledge.sources.zip_on_disk import Member, ZipOnDisk, open_zip
from tests.fakes.zip_maker import KoreanName, encrypted, make_zip, overlapping, zip_bytes


def opened(path: Path, data: bytes) -> ZipOnDisk:
    path.write_bytes(data)
    return open_zip(path)


def only(path: Path, name: str | zipfile.ZipInfo, data: str | bytes = "본문") -> Member:
    (member,) = open_zip(make_zip(path, [(name, data)])).members
    return member


def test_members_are_read_whole_with_their_day(tmp_path: Path) -> None:
    member = only(tmp_path / "a.zip", "규정/휴가.md", "연차는 15일" * 20_000)
    assert (member.name, member.trouble, str(member.modified)) == ("규정/휴가.md", None, "2026-01-05")
    assert member.read().decode() == "연차는 15일" * 20_000


def test_names_in_cp949_and_from_macos_become_readable(tmp_path: Path) -> None:
    assert only(tmp_path / "a.zip", KoreanName("인사 규정/휴가.txt")).name == "인사 규정/휴가.txt"
    assert only(tmp_path / "b.zip", unicodedata.normalize("NFD", "휴가.txt")).name == "휴가.txt"


@settings(deadline=None)
@given(st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), min_size=1, max_size=40))
def test_every_korean_name_in_cp949_is_found_again(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    raw = name.encode("cp949")
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        member = only(tmp_path_factory.mktemp("zip") / "a.zip", KoreanName(f"{name}.md"))
        assert member.name == f"{name}.md"


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("../비밀.md", "비밀.md"),
        ("a/../../b.md", "a/b.md"),
        ("/etc/passwd.md", "etc/passwd.md"),
        ("C:/Windows/a.md", "C:/Windows/a.md"),
        ("..\\..\\a.md", "a.md"),
    ],
)
def test_a_name_that_leads_outside_is_only_a_label_and_is_not_read(tmp_path: Path, name: str, label: str) -> None:
    member = only(tmp_path / "a.zip", name)
    assert member.name == label
    with pytest.raises(UnreadablePage, match="leads out"):
        member.read()


def test_a_link_is_not_read(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("링크.md")
    link.external_attr = 0o120777 << 16
    with pytest.raises(UnreadablePage, match="link"):
        only(tmp_path / "a.zip", link, "/etc/passwd").read()


def test_a_bomb_is_stopped_while_it_unpacks(tmp_path: Path) -> None:
    member = only(tmp_path / "a.zip", "폭탄.txt", b"\0" * 50_000_000)
    with pytest.raises(UnreadablePage, match="200 times"):
        member.read()


def test_a_member_that_declares_too_little_gives_no_more_than_that(tmp_path: Path) -> None:
    data = bytearray(zip_bytes({"a.txt": b"a" * 5000}))
    struct.pack_into("<L", data, data.find(b"PK\x01\x02") + 24, 10)
    (member,) = opened(tmp_path / "a.zip", bytes(data)).members
    assert member.size == 10
    with pytest.raises(UnreadablePage):
        member.read()


def test_members_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadablePage, match="overlap"):
        opened(tmp_path / "a.zip", overlapping(zip_bytes({"a.md": "가", "b.md": "나"})))


def test_encrypted_members_and_unknown_methods_say_so(tmp_path: Path) -> None:
    archive = opened(tmp_path / "a.zip", encrypted(zip_bytes({"a.md": "가"})))
    assert archive.encrypted
    with pytest.raises(UnreadablePage, match="encrypted"):
        archive.members[0].read()
    (packed,) = opened(tmp_path / "b.zip", zip_bytes({"a.md": "가"}, method=zipfile.ZIP_LZMA)).members
    with pytest.raises(UnreadablePage, match="method 14"):
        packed.read()


@pytest.mark.parametrize("data", [b"", b"PK", b"no zip at all" * 100, zip_bytes({"a.md": "가" * 100})[:-30]])
def test_what_is_no_zip_or_half_of_one_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(UnreadablePage, match="not a zip file, or not all of it"):
        opened(tmp_path / "a.zip", data)


def test_too_many_members_are_refused_before_an_object_is_made_of_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_zip(tmp_path / "a.zip", {f"{number}.md": "가" for number in range(4)})
    monkeypatch.setattr("knowledge.sources.zip_on_disk._MOST_MEMBERS", 3)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(UnreadablePage, match="more than 3 files"):
        open_zip(path)


def test_the_version_is_that_of_the_archive_file(tmp_path: Path) -> None:
    first = only(tmp_path / "a.zip", "a.md", "가").version
    assert open_zip(tmp_path / "a.zip").members[0].version == first
    assert only(tmp_path / "b.zip", "a.md", "가").version != first


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_and_hostile_archives_raise_nothing_but_our_errors(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    names = data.draw(st.lists(st.text(min_size=1, max_size=12), max_size=4))
    safe = [name for name in names if _encodable(name)]
    changed = bytearray(zip_bytes([(f"{name}.md", "본문" * 50) for name in safe]))
    for place, value in data.draw(
        st.lists(st.tuples(st.integers(0, len(changed) - 1), st.integers(0, 255)), max_size=8)
    ):
        changed[place] = value
    path = tmp_path_factory.mktemp("zip") / "a.zip"
    try:
        members = opened(path, bytes(changed[: data.draw(st.integers(0, len(changed)))])).members
    except UnreadablePage:
        return
    for member in members:
        steps = member.name.split("/")
        assert member.name
        assert not {"", ".", ".."} & set(steps)
        try:
            assert len(member.read()) <= member.size
        except UnreadablePage:
            continue


def _encodable(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def test_a_name_that_only_claims_to_be_utf8_is_told(tmp_path: Path) -> None:
    data = zip_bytes({"휴가.md": "본문"}).replace("휴".encode(), b"\xed\x9c\x28")
    with pytest.raises(UnreadablePage, match="claims to be UTF-8"):
        opened(tmp_path / "a.zip", data)
