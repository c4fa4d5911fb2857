"""The parsing process as the indexing run uses it: real children, really hanging, eating, dying."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
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
from knowledge.formats import KNOWN_SUFFIXES, parse
from knowledge.parsing import ParsingProcess, process
from knowledge.parsing.limits import MOST_CHARACTERS
from tests.fakes.misbehaving import Misbehaving, is_gone, text_of
from tests.fakes.pdf_maker import make_pdf
from tests.fakes.poison import containers


@pytest.fixture
def misbehaving() -> Iterator[Misbehaving]:
    with ParsingProcess(seconds=60, memory_mb=128, parser="tests.fakes.parsers:obey") as parsing:
        yield Misbehaving(parsing)


@pytest.fixture(scope="module")
def every() -> Iterator[ParsingProcess]:
    with ParsingProcess() as parsing:
        yield parsing


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


SOUND = {
    ".md": "# 연차\n\n15일입니다.".encode(),
    ".txt": "15일입니다.".encode("cp949"),
    ".html": "<h1>연차</h1><p>15일입니다.".encode(),
    ".pdf": make_pdf([["연차는 15일입니다"]]),
    ".csv": "항목,금액\n일비,4만 원\n".encode(),
    ".ipynb": json.dumps({"nbformat": 4, "cells": [{"cell_type": "markdown", "source": "# 연차\n\n15일"}]}).encode(),
    ".eml": "Subject: 연차\nContent-Type: text/plain; charset=utf-8\n\n15일입니다.".encode(),
}
MADE_ALIKE = {
    ".markdown": ".md", ".text": ".txt", ".htm": ".html", ".xhtml": ".html", ".tsv": ".csv", ".xlsm": ".xlsx",
    ".pptm": ".pptx", ".ppsx": ".pptx", ".xls": ".xlsx", ".doc": ".docx", ".ppt": ".pptx",
}  # fmt: skip


@pytest.mark.parametrize("suffix", sorted(KNOWN_SUFFIXES))
def test_every_format_can_be_read_under_the_limits(suffix: str, every: ParsingProcess) -> None:
    alike = MADE_ALIKE.get(suffix, suffix)
    data = SOUND[alike] if alike in SOUND else containers.sound(alike)
    assert every.parse(data, "a" + suffix) == parse(data, "a" + suffix)


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


def test_a_parser_that_cannot_be_loaded_is_no_pages_fault() -> None:
    with ParsingProcess(parser="tests.fakes.parsers:nobody") as parsing:
        with pytest.raises(ParsingUnavailable, match="nobody"):
            parsing.parse(b"x", "a.md")
        assert parsing.pid is None


def test_no_python_is_no_pages_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with ParsingProcess() as parsing, pytest.raises(ParsingUnavailable):
        parsing.parse(b"x", "a.md")


def test_a_child_that_is_killed_while_it_starts_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(process, "_PAUSES", (0.0,))
    with ParsingProcess(parser="tests.fakes.parsers_killed_once:obey") as parsing:
        assert text_of(parsing.parse("문서".encode(), "a.md")) == "a.md: 문서"
        assert parsing.started == 1
    (tmp_path / "killed-once").unlink()
    monkeypatch.setattr(process, "_PAUSES", ())
    with ParsingProcess(parser="tests.fakes.parsers_killed_once:obey") as parsing:
        with pytest.raises(ParsingUnavailable, match="SIGKILL"):
            parsing.parse("문서".encode(), "a.md")
        assert parsing.pid is None


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
