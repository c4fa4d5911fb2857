"""The parsing process as the indexing run uses it: real children, really hanging, eating, dying."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from knowledge.errors import (
    PageError,
    PageTooHungry,
    PageTooLong,
    PageTooSlow,
    PageWithoutText,
    ParsingUnavailable,
    UnknownFormat,
    UnreadablePage,
)
from knowledge.formats import parse
from knowledge.page import Document
from knowledge.parsing import ParsingProcess
from knowledge.parsing.limits import MOST_CHARACTERS

ROOT = Path(__file__).resolve().parents[2]


def text_of(document: Document) -> str:
    return "\n".join(block.text for section in document.sections for block in section.blocks)


def is_gone(pid: int) -> bool:
    """Neither running nor a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def within(seconds: float, happened: Callable[[], bool]) -> bool:
    """Whether it happens at last; a generous bound for a busy machine, not a measurement."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if happened():
            return True
        time.sleep(0.02)
    return happened()


class Misbehaving:
    """Pages whose text says what the parser does (tests/fakes/parsers.py)."""

    def __init__(self, parsing: ParsingProcess) -> None:
        self.parsing = parsing

    def text(self, says: str) -> str:
        return text_of(self.parsing.parse(says.encode(), "a.md"))

    def error(self, says: str) -> PageError:
        with pytest.raises(PageError) as caught:
            self.parsing.parse(says.encode(), "a.md")
        return caught.value


@pytest.fixture
def misbehaving() -> Iterator[Misbehaving]:
    with ParsingProcess(seconds=60, memory_mb=128, parser="tests.fakes.parsers:obey") as parsing:
        yield Misbehaving(parsing)


@pytest.fixture
def impatient() -> Iterator[Misbehaving]:
    with ParsingProcess(seconds=2, memory_mb=128, parser="tests.fakes.parsers:obey") as parsing:
        yield Misbehaving(parsing)


def test_a_page_is_parsed_as_in_this_process() -> None:
    page = (
        "---\ntitle: 연차\nupdated: 2026-01-05\naudience: [인사팀]\n---\n# 연차\n\n## 신청\n\n- 3일 전\n\n"
        "| 가 | 나 |\n|--|--|\n| 1 | 2 |\n"
    )
    with ParsingProcess() as parsing:
        assert parsing.pid is None  # nothing is started before the first page
        assert parsing.parse(page.encode(), "규정/연차.md") == parse(page.encode(), "규정/연차.md")
        assert parsing.parse("공지".encode("cp949"), "공지.txt") == parse("공지".encode("cp949"), "공지.txt")


@pytest.mark.parametrize(
    ("data", "name"), [(b"", "a.md"), (b"x", "a.exe"), (b"PK\x03\x04", "a.docx"), (b"%PDF", "a.pdf")]
)
def test_an_error_of_a_page_comes_over_whole(data: bytes, name: str) -> None:
    with pytest.raises(PageError) as here:
        parse(data, name)
    with ParsingProcess() as parsing, pytest.raises(PageError) as there:
        parsing.parse(data, name)
    assert type(there.value) is type(here.value)
    assert (there.value.explain("ko"), str(there.value)) == (here.value.explain("ko"), str(here.value))


def test_two_hundred_pages_cost_one_child(misbehaving: Misbehaving) -> None:
    for number in range(200):
        assert misbehaving.text(f"문서 {number}") == f"a.md: 문서 {number}"
    assert misbehaving.parsing.started == 1


def test_after_some_pages_the_child_is_replaced_and_no_zombie_stays() -> None:
    pids: set[int] = set()
    with ParsingProcess(parser="tests.fakes.parsers:obey", pages=3) as parsing:
        for number in range(7):
            assert text_of(parsing.parse(f"문서 {number}".encode(), "a.md")) == f"a.md: 문서 {number}"
            pids |= {parsing.pid} - {None}  # type: ignore[operator]
        assert parsing.started == 3
        running = parsing.pid
        assert running is not None
    assert len(pids) == 3
    assert all(map(is_gone, pids))


def test_a_child_that_keeps_much_memory_is_replaced(misbehaving: Misbehaving) -> None:
    misbehaving.text("문서")
    before = misbehaving.parsing.pid
    for _ in range(4):
        assert misbehaving.text("leak 50") == "leaked"
    misbehaving.text("문서")
    assert misbehaving.parsing.started == 2
    assert misbehaving.parsing.pid != before


@pytest.mark.parametrize("deed", ["hang", "spin"])
def test_a_page_that_takes_too_long_is_given_up_and_the_next_is_read(impatient: Misbehaving, deed: str) -> None:
    impatient.text("문서")
    stuck = impatient.parsing.pid
    assert stuck is not None
    error = impatient.error(deed)
    assert type(error) is PageTooSlow
    assert "parse_seconds" in error.explain()
    assert is_gone(stuck)
    assert impatient.text("다음") == "a.md: 다음"


@pytest.mark.parametrize("deed", ["eat", "eat-and-hide", "eat-unseen", "abort-when-full"])
def test_a_page_that_takes_too_much_memory_is_given_up_and_the_next_is_read(
    misbehaving: Misbehaving, deed: str
) -> None:
    error = misbehaving.error(deed)
    assert type(error) is PageTooHungry
    assert "128 MB" in error.explain("en")
    assert misbehaving.text("다음") == "a.md: 다음"


@pytest.mark.parametrize(("deed", "how"), [("exit 0", "exit 0"), ("exit 3", "exit 3"), ("segfault", "SIGSEGV")])
def test_a_page_that_ends_the_process_twice_is_unreadable_and_the_next_is_read(
    misbehaving: Misbehaving, deed: str, how: str
) -> None:
    error = misbehaving.error(deed)
    assert type(error) is UnreadablePage
    assert how in str(error.details["reason"])
    assert misbehaving.parsing.started == 2
    assert misbehaving.text("다음") == "a.md: 다음"


def test_a_page_is_not_blamed_for_a_child_that_somebody_killed(misbehaving: Misbehaving, tmp_path: Path) -> None:
    misbehaving.text("문서")
    pid = misbehaving.parsing.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert misbehaving.text("다음") == "a.md: 다음"
    assert misbehaving.text(f"die-once {tmp_path / 'marker'}") == "second try"
    assert misbehaving.parsing.started == 3
    assert is_gone(pid)


def test_a_child_that_was_stopped_is_given_up(impatient: Misbehaving) -> None:
    impatient.text("문서")
    pid = impatient.parsing.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    assert type(impatient.error("x" * 5_000_000)) is PageTooSlow  # more than fits into the socket
    assert is_gone(pid)


def test_a_parser_that_leaves_or_forgets_the_contract_costs_one_page(misbehaving: Misbehaving) -> None:
    assert misbehaving.error("leave").details == {"reason": "SystemExit"}
    assert type(misbehaving.error("no-document")) is UnreadablePage
    assert type(misbehaving.error("without-text")) is PageWithoutText
    assert misbehaving.parsing.started == 1


def test_a_page_without_end_is_told_not_cut(misbehaving: Misbehaving) -> None:
    assert len(misbehaving.text("long 3000000")) == 3_000_000
    error = misbehaving.error(f"long {MOST_CHARACTERS}")
    assert type(error) is PageTooLong
    assert "10,000,000" in error.explain()


def test_large_files_pass_through_both_ways(misbehaving: Misbehaving) -> None:
    page = "나" * 2_000_000
    assert misbehaving.text(page) == "a.md: " + page


def test_what_a_parser_prints_goes_nowhere(misbehaving: Misbehaving, capfd: pytest.CaptureFixture[str]) -> None:
    assert misbehaving.text("scream") == "screamed"
    assert misbehaving.text("다음") == "a.md: 다음"
    assert capfd.readouterr() == ("", "")


def test_the_child_gets_nothing_from_the_parent_but_the_page(
    misbehaving: Misbehaving, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("SASEO_STORE__URL", "SLACK_BOT_TOKEN", "DISCORD_TOKEN", "NOTION_TOKEN", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "secret-of-ours")
    monkeypatch.chdir(tmp_path)
    assert "secret-of-ours" not in misbehaving.text("may environment")
    assert misbehaving.text("may read") == "b''"
    path = misbehaving.text("may path")
    assert repr(str(ROOT)) in path
    assert "''" not in path  # a yaml.py in the current folder would be taken for the library
    assert str(tmp_path) not in path


def test_the_child_may_write_nothing_and_open_few_files(misbehaving: Misbehaving, tmp_path: Path) -> None:
    assert misbehaving.text(f"may write {tmp_path / 'file'}").startswith("no: ")
    assert (tmp_path / "file").read_bytes() == b""
    assert misbehaving.text("may open-many").startswith("no: ")


def _network_can_be_given_up() -> bool:
    code = "import ctypes, sys; c = ctypes.CDLL(None); sys.exit(c.unshare(0x40000000) and c.unshare(0x50000000))"
    return subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_child_has_no_network(misbehaving: Misbehaving) -> None:
    if not _network_can_be_given_up():
        pytest.skip("this system does not let a process give up the network")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        assert misbehaving.text(f"may connect {port}").startswith("no: ")


def test_a_parser_that_cannot_be_loaded_is_no_pages_fault() -> None:
    with ParsingProcess(parser="tests.fakes.parsers:nobody") as parsing:
        with pytest.raises(ParsingUnavailable, match="nobody"):
            parsing.parse(b"x", "a.md")
        assert parsing.pid is None


def test_no_python_is_no_pages_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with ParsingProcess() as parsing, pytest.raises(ParsingUnavailable):
        parsing.parse(b"x", "a.md")


def test_threads_take_turns(misbehaving: Misbehaving) -> None:
    found: dict[int, str] = {}

    def ask(number: int) -> None:
        found[number] = misbehaving.text(f"문서 {number}")

    misbehaving.text("문서")  # the child belongs to this thread
    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: f"a.md: 문서 {number}" for number in range(8)}
    assert misbehaving.parsing.started == 1


def test_closing_ends_the_child_and_may_be_done_twice() -> None:
    parsing = ParsingProcess(parser="tests.fakes.parsers:obey")
    parsing.close()
    parsing.parse(b"x", "a.md")
    pid = parsing.pid
    assert pid is not None
    parsing.close()
    parsing.close()
    assert is_gone(pid)


PARENT = """
    import json, os, sys
    sys.path.insert(0, {root!r})
    from knowledge.parsing import ParsingProcess
    with ParsingProcess(parser="tests.fakes.parsers:obey") as parsing:
        parsing.parse(b"x", "a.md")
        with open({told!r} + "~", "w") as file:
            json.dump([parsing.pid, parsing.parse({page!r}.encode(), "a.md").sections[0].blocks[0].text], file)
        os.rename({told!r} + "~", {told!r})
        {then}
"""


def parent(folder: Path, *, page: str = "x", then: str = "pass", **streams: object) -> subprocess.Popen[bytes]:
    """Another process that parses; what it got is in `told.json`."""
    code = textwrap.dedent(PARENT).format(root=str(ROOT), told=str(folder / "told.json"), page=page, then=then)
    return subprocess.Popen([sys.executable, "-c", code], **streams)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize("closed", [(0, 1), (0, 1, 2)])
def test_it_works_where_the_parents_own_streams_are_closed(tmp_path: Path, closed: tuple[int, ...]) -> None:
    started = parent(tmp_path, page="scream", preexec_fn=lambda: [os.close(number) for number in closed])
    assert started.wait(60) == 0
    assert json.loads((tmp_path / "told.json").read_text())[1] == "screamed"


@pytest.mark.parametrize("deed", ["", "hang"])
def test_the_child_ends_with_a_parent_that_is_killed(tmp_path: Path, deed: str) -> None:
    then = f"parsing.parse(b{deed!r}, 'a.md')" if deed else "sys.stdin.read()"
    started = parent(tmp_path, then=then, stdin=subprocess.PIPE)
    assert within(60, (tmp_path / "told.json").exists)
    child = json.loads((tmp_path / "told.json").read_text())[0]
    assert not is_gone(child)
    started.kill()
    started.wait()
    assert started.stdin is not None
    started.stdin.close()
    assert within(60, lambda: is_gone(child) or _is_orphan_zombie(child))


def _is_orphan_zombie(pid: int) -> bool:
    """Dead, though the first process of a container does not collect the dead."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    return True


def test_ctrl_c_while_a_page_is_parsed_leaves_no_child_and_no_stale_answer(misbehaving: Misbehaving) -> None:
    misbehaving.text("문서")
    stuck = misbehaving.parsing.pid
    assert stuck is not None
    threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        misbehaving.text("hang")
    assert is_gone(stuck)
    assert misbehaving.text("다음") == "a.md: 다음"


def test_unknown_formats_are_told_by_name() -> None:
    with ParsingProcess() as parsing, pytest.raises(UnknownFormat, match=r"\.exe"):
        parsing.parse(b"MZ", "설치.exe")
