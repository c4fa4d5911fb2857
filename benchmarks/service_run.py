"""200 questions to `saseo serve` over loopback Slack and Discord, with duplicates, resets and one kill -9: who got what?

    python -m benchmarks.service_run --writer qwen2.5-coder-0.5b --questions 200

The service is a process of its own with nothing but configuration pointing at the loopback servers. While it works, random events
are delivered twice, connections are reset, and once the process is killed and started again. Afterwards every question must
have exactly one final message and one outcome. Also measured: time to acknowledgement, time to the first visible sign, and how late
the service's event loop was (from its own log).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
import sqlite3
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.served import ROOT, command, environment
from benchmarks.service_office import Asked, Office
from tests.fakes.discord import DiscordServer
from tests.fakes.slack import SlackServer


@dataclass
class Service:
    """`saseo serve` as a process beside the loopback servers in this one's event loop, which goes on while it stops or dies."""

    config: Path
    environment: dict[str, str]
    log: Path
    process: asyncio.subprocess.Process | None = None
    starts: int = 0
    lateness: list[dict[str, float]] = field(default_factory=list)

    async def start(self) -> None:
        """Start; the caller waits for the connections."""
        self.starts += 1
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *command(self.config, "serve"),
                env=self.environment,
                stdout=log,
                stderr=log,
                stdin=asyncio.subprocess.DEVNULL,
            )

    async def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        await self.process.wait()

    async def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), 120)


async def main() -> int:
    """Run and report; exit code 1 unless every promise was kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--writer", default="qwen2.5-coder-0.5b", help="a model of the catalogue, or a .gguf")
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--platforms", default="slack,discord")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--burst", type=int, default=20, help="questions waiting at most")
    parser.add_argument("--kills", type=int, default=1)
    parser.add_argument(
        "--data", type=Path, help="keep config, store and log in this new folder (default: a temporary one)"
    )
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.data or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            parser.error(f"{folder} is not empty: what an earlier run left would be counted")
        return await run(arguments, chance, folder)


async def run(arguments: argparse.Namespace, chance: random.Random, folder: Path) -> int:
    """One whole run in `folder`."""
    names = arguments.platforms.split(",")
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(SlackServer()) if "slack" in names else None
        discord = await stack.enter_async_context(DiscordServer()) if "discord" in names else None
        office = Office(slack, discord, people=arguments.burst, store=folder / "data" / "saseo.sqlite")
        guilds = [office.guild.id] if discord is not None else []
        service = Service(*configure(folder, arguments.writer, slack, discord, guilds), folder / "serve.log")
        await index(service)
        await service.start()
        began = time.perf_counter()
        await office.connected()
        print(f"connected {time.perf_counter() - began:.1f} s after the start", flush=True)
        asked = await ask_all(arguments, chance, office, service)
        await asyncio.sleep(3.5)  # a command must be taken within three seconds
        for number, one in enumerate(asked):
            if one.again is not None and one.acknowledged() is None and not one.claimed():
                print(f"asked again, since Discord said that nobody responded: {one.text}", flush=True)
                asked[number] = await one.again()
        await until(lambda: all(one.finals() for one in asked), 300, "every question has an answer")
        await asyncio.sleep(3)  # a second answer would come now
        code = await service.stop()
        return report(asked, service, folder, code, office)


async def ask_all(
    arguments: argparse.Namespace, chance: random.Random, office: Office, service: Service
) -> list[Asked]:
    """Questions in bursts; trouble in between."""
    questions = [
        json.loads(line)["question"]
        for line in (ROOT / "examples" / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    asked: list[Asked] = []
    kill_at = {round((n + 1) * arguments.questions / (arguments.kills + 1)) for n in range(arguments.kills)}
    while len(asked) < arguments.questions:
        open_now = sum(not one.finals() for one in asked)
        if open_now >= arguments.burst:
            await asyncio.sleep(0.2)
            continue
        asked.append(await office.ask(chance, chance.choice(questions), copies=2 if chance.random() < 0.25 else 1))
        if len(asked) in kill_at:
            print(f"kill -9 with {sum(not one.finals() for one in asked)} open", flush=True)
            await service.kill()
            await service.start()
            await office.connected()
        elif chance.random() < 0.06:
            await office.trouble(chance)
        if len(asked) % 20 == 0:
            print(f"{len(asked)} asked, {sum(bool(one.finals()) for one in asked)} answered", flush=True)
    return asked


def configure(
    folder: Path, writer: str, slack: SlackServer | None, discord: DiscordServer | None, guilds: list[int]
) -> tuple[Path, dict[str, str]]:
    """config.toml and environment that point at the loopback servers, and at nothing else."""
    lines = [
        'data_dir = "data"',
        'log_level = "INFO"',
        "[writer]",
        f'model = "{writer}"',
        "[service]",
        "lease_seconds = 10.0",
    ]
    more = {"SASEO_WEB__ENABLED": "false"}
    if slack is not None:
        lines += ["[slack]", "enabled = true", f'api_base_url = "{slack.api_base_url}"']
        more |= {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token}
    if discord is not None:
        lines += [
            "[discord]",
            "enabled = true",
            f'api_base_url = "{discord.api_base_url}"',
            f'gateway_url = "{discord.gateway_url}"',
        ]
        lines += [f"guild_ids = {guilds}"]
        more |= {"DISCORD_TOKEN": discord.token}
    config = folder / "config.toml"
    config.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return config, environment() | more


async def index(service: Service) -> None:
    """Index the example wiki into the run's own data directory."""
    process = await asyncio.create_subprocess_exec(
        *command(service.config, "index", "--json"), env=service.environment, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    if process.returncode != 0:
        raise SystemExit(out.decode())


async def until(ready: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait, but not for ever: what is missing is reported."""
    deadline = time.monotonic() + seconds
    while not ready() and time.monotonic() < deadline:
        await asyncio.sleep(0.25)
    if not ready():
        print(f"gave up waiting until {what}", flush=True)


def report(asked: list[Asked], service: Service, folder: Path, code: int, office: Office) -> int:
    """Print what was seen; 1 unless every question has exactly one final message and one outcome."""
    with sqlite3.connect(folder / "data" / "saseo.sqlite") as store:
        outcomes = Counter(row[0] for row in store.execute("SELECT outcome FROM questions"))
        attempts = [row[0] for row in store.execute("SELECT attempt FROM questions")]
    store.close()
    finals = Counter(len(one.finals()) for one in asked)
    violations = [
        str(one) for server in (office.slack, office.discord) if server is not None for one in server.violations
    ]
    events = [json.loads(line) for line in service.log.read_text(encoding="utf-8").splitlines() if line.startswith("{")]
    lateness = [event["loop_lateness_ms"] for event in events if event.get("event") == "stopped"]
    print(f"questions {len(asked)}, final messages per question {dict(finals)}, outcomes {dict(outcomes)}")
    print(
        f"taken over after the kill: {sum(attempt > 1 for attempt in attempts)}; process starts {service.starts}; exit code {code}"
    )
    for name, values in (
        ("acknowledged", [one.acknowledged() for one in asked]),
        ("first sign", [one.sign() for one in asked]),
    ):
        known = sorted(value for value in values if value is not None)
        if known:
            p99 = known[min(int(0.99 * len(known)), len(known) - 1)]
            print(
                f"{name}: {len(known)} measured, p50 {statistics.median(known):.3f} s, p99 {p99:.3f} s, max {known[-1]:.3f} s"
            )
    print(f"event loop lateness (ms): {lateness}")
    print(f"violations: {len(violations)} {violations[:5]}")
    for one in asked:
        if len(one.finals()) > 1:
            print(f"twice: {one.platform}: {one.text}")
    lost = [one for one in asked if not one.finals()]
    for one in lost[:5]:
        print(f"lost: {one.platform} {one.text}: {one.seen()}")
    fine = (
        finals == {1: len(asked)} and sum(outcomes.values()) == len(asked) and None not in outcomes and not violations
    )
    print("every question: exactly one answer and one outcome" if fine and code == 0 else "NOT as promised")
    return 0 if fine and code == 0 else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
