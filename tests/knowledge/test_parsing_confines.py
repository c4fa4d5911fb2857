"""What the parsing process gets, what it may do, and that it never outlives whoever started it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from knowledge.parsing import ParsingProcess
from tests.fakes.misbehaving import Misbehaving, is_gone

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def misbehaving() -> Iterator[Misbehaving]:
    with ParsingProcess(seconds=60, memory_mb=128, parser="tests.fakes.parsers:obey") as parsing:
        yield Misbehaving(parsing)


def within(seconds: float, happened: Callable[[], bool]) -> bool:
    """Whether it happens at last; a generous bound for a busy machine, not a measurement."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if happened():
            return True
        time.sleep(0.02)
    return happened()


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


def test_a_parser_that_spins_ends_by_itself_though_nobody_watches() -> None:
    code = f"""if True:
        import sys
        sys.path.insert(0, {str(ROOT)!r})
        from knowledge.parsing import limits
        with limits.page(0.1, 512):
            while True:
                pass
    """
    assert subprocess.run([sys.executable, "-c", code], timeout=300).returncode == -signal.SIGXCPU


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
