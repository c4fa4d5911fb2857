"""`saseo serve` as its own process, with nothing but configuration pointing at loopback Slack and Discord.

The writer is a tiny random model, so what is answered does not matter here; that everything is answered exactly once does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from benchmarks.service_office import Office
from benchmarks.service_run import Service, configure, index, run
from tests.fakes.discord import DiscordServer
from tests.fakes.slack import SlackServer
from tests.fakes.tiny_gguf import write_tiny_qwen2

pytestmark = [pytest.mark.model, pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def writer(tmp_path: Path) -> str:
    path = tmp_path / "tiny.gguf"
    write_tiny_qwen2(path)
    return str(path)


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    async with SlackServer() as server:
        server.channel("C1")
        yield server


def started(folder: Path, writer: str, slack: SlackServer, more: str = "") -> Service:
    config, environment = configure(folder, writer, slack, None, [])
    config.write_text(config.read_text(encoding="utf-8") + more, encoding="utf-8")
    return Service(config, environment, folder / "serve.log")


@pytest.mark.parametrize("seed", [3])
async def test_duplicates_resets_and_a_kill_leave_exactly_one_answer_each(
    tmp_path: Path, writer: str, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = argparse.Namespace(
        writer=writer, questions=24, platforms="slack,discord", seed=seed, burst=10, kills=1, data=tmp_path
    )
    code = await run(arguments, random.Random(seed), tmp_path)
    assert code == 0, capsys.readouterr().out + (tmp_path / "serve.log").read_text(encoding="utf-8")[-4000:]


async def test_two_processes_on_one_store_answer_every_question_once(
    tmp_path: Path, writer: str, slack: SlackServer
) -> None:
    people = [slack.user(f"U{n}") for n in range(6)]
    service, twin = started(tmp_path, writer, slack), started(tmp_path, writer, slack)
    await index(service)
    await service.start()
    await twin.start()
    try:
        await slack.wait_connected(4, timeout=400)
        sent = [await person.mention("C1", "연차는 며칠인가요?", copies=2) for person in people]
        await slack.wait_for(lambda: all(slack.final_answers("C1", one.ts) for one in sent), timeout=400)
        await asyncio.sleep(1)
        assert [len(slack.final_answers("C1", one.ts)) for one in sent] == [1] * 6
        assert slack.violations == []
    finally:
        codes = [await one.stop() for one in (service, twin)]
    assert codes == [0, 0]


async def test_a_signal_while_it_starts_or_answers_ends_it_cleanly(
    tmp_path: Path, writer: str, slack: SlackServer
) -> None:
    service = started(tmp_path, writer, slack)
    await index(service)
    await service.start()
    await asyncio.sleep(1.0)
    assert service.process is not None
    service.process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(service.process.wait(), 240) in (0, 130, -signal.SIGTERM)
    await service.start()
    await slack.wait_connected(2, timeout=400)
    sent = await slack.user("U1").mention("C1", "연차는 며칠인가요?")
    assert await service.stop() == 0
    assert len(slack.final_answers("C1", sent.ts)) == 1


async def test_a_wrong_token_ends_with_a_sentence_and_no_trace(tmp_path: Path, writer: str, slack: SlackServer) -> None:
    service = started(tmp_path, writer, slack)
    await index(service)
    service.environment["SLACK_BOT_TOKEN"] = "xoxb-wrong"
    await service.start()
    assert service.process is not None
    assert await asyncio.wait_for(service.process.wait(), 400) == 1
    said = service.log.read_text(encoding="utf-8")
    assert "slack에 연결할 수 없습니다" in said.lower()
    assert "Traceback" not in said
    assert "xoxb-wrong" not in said


async def test_with_nothing_enabled_it_says_what_to_do_at_once(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('data_dir = "data"\n[web]\nenabled = false\n', encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(ROOT / "saseo.py"), "--config", str(tmp_path / "config.toml"), "serve",
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, errors = await asyncio.wait_for(process.communicate(), 240)
    assert process.returncode == 1
    assert "[web], [slack], [discord]" in errors.decode("utf-8")


async def test_doctor_checks_both_platforms_over_the_wire(tmp_path: Path, writer: str) -> None:
    async with SlackServer() as slack, DiscordServer() as discord:
        office = Office(slack, discord, people=1, store=tmp_path / "saseo.sqlite")
        config, environment = configure(tmp_path, writer, slack, discord, [office.guild.id])
        service = Service(config, environment, tmp_path / "serve.log")
        await index(service)
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(ROOT / "saseo.py"), "--config", str(config), "doctor", "--json",
            env=environment, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, _ = await asyncio.wait_for(process.communicate(), 400)
        found = json.loads(out)
        bad = [check for check in found if not check["ok"]]
        assert bad == []
        names = " ".join(check["name"] for check in found)
        assert "slack" in names.lower()
        assert "discord" in names.lower()
        assert slack.violations == []
        assert discord.violations == []
