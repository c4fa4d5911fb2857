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
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.served import ROOT, command, environment
from tests.fakes.discord import DiscordServer
from tests.fakes.slack import SlackServer

KEY = "discord:interaction:{}"
"""Under which a command is claimed (`adapters/discord/events.py`)."""


@dataclass
class Asked:
    """One question and how to look for its answer."""

    platform: str
    text: str
    at: float
    """`time.monotonic()`."""
    finals: Callable[[], list[Any]]
    sign: Callable[[], float | None]
    """Seconds from the event to the first visible sign, None while there is none."""
    acknowledged: Callable[[], float | None]
    again: Callable[[], Awaitable[Asked]] | None = None
    """Ask anew, as a person does whom Discord told that the application did not respond: a command that nobody took in time
    is shown to its asker as failed and never delivered again. None: the platform delivers until it is taken."""
    claimed: Callable[[], bool] = lambda: False
    """Whether the service keeps the question: then it is owed an answer even if it was never acknowledged."""
    seen: Callable[[], str] = lambda: ""
    """What the platform holds of it: said about a question that got no answer."""


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


class Office:
    """The two platforms with as many people as may wait at once (a person may have three open questions)."""

    def __init__(self, slack: SlackServer | None, discord: DiscordServer | None, people: int, store: Path) -> None:
        self.store = store
        self.slack = slack
        self.discord = discord
        self.turn = 0
        self.asked = 0
        self.people: dict[str, list[Any]] = {"slack": [], "discord": []}
        if slack is not None:
            slack.channel("C1")
            slack.postman.patience = 60
            self.people["slack"] = [slack.user(f"U{n}", email=f"u{n}@example.com") for n in range(people)]
        if discord is not None:
            self.guild = discord.guild(channels=["일반"])
            self.people["discord"] = [discord.user(name=f"u{n}") for n in range(people)]

    async def connected(self) -> None:
        """Both platforms hear the bot."""
        if self.slack is not None:
            await self.slack.wait_connected(2, timeout=400)
        if self.discord is not None:
            await self.discord.wait_for(
                lambda: self.discord is not None and self.discord.gateway.connected, timeout=400
            )
            await asyncio.sleep(1)

    async def ask(self, chance: random.Random, text: str, copies: int) -> Asked:
        """The next question, on the platforms in turn, in one of the ways people ask."""
        names = [name for name, people in self.people.items() if people]
        platform = names[self.asked % len(names)]
        person = self.people[platform][self.asked // len(names) % len(self.people[platform])]
        self.asked += 1
        if platform == "slack":
            return await self._slack(chance, person, text, copies)
        return await self._discord(chance, person, text, copies)

    async def _slack(self, chance: random.Random, person: Any, text: str, copies: int) -> Asked:
        slack = self.slack
        assert slack is not None
        direct = chance.random() < 0.3
        at = time.monotonic()
        sent = await (person.direct(text, copies=copies) if direct else person.mention("C1", text, copies=copies))
        channel = person.im if direct else "C1"

        def sign() -> float | None:
            shows = ("assistant.threads.setStatus", "chat.startStream", "chat.postMessage", "reactions.add")
            for call in list(slack.calls):
                about = (call.args.get("thread_ts"), call.args.get("timestamp"))
                if (
                    call.ok
                    and call.method in shows
                    and sent.ts in about
                    and call.args.get("channel", call.args.get("channel_id")) == channel
                ):
                    return call.time - at
            return None

        return Asked(
            "slack",
            text,
            at,
            lambda: slack.final_answers(channel, sent.ts),
            sign,
            lambda: min((ack.seconds for ack in sent.acks), default=None),
        )

    async def _discord(self, chance: random.Random, person: Any, text: str, copies: int) -> Asked:
        discord = self.discord
        assert discord is not None
        channel = self.guild.channel("일반")
        await discord.ready(60)  # Discord delivers nothing to a bot that is not there, and nothing later
        at = time.monotonic()
        if chance.random() < 0.5:
            asked = await person.slash("ask", {"question": text}, channel)
            if copies > 1:
                discord.repeat(asked)

            def answers() -> list[Any]:
                """In the response, or, for a command whose taker died before responding, a message in the channel."""
                shown = [one for one in asked.messages if asked.finished and one.buttons]
                if asked.callback_seconds is None and (question := self.question_of(asked.id)):
                    shown += [
                        one for one in discord.messages(channel) if any(f":{question}:" in c for c in one.custom_ids)
                    ]
                return shown

            return Asked(
                "discord",
                text,
                at,
                answers,
                lambda: asked.callback_seconds,
                lambda: asked.callback_seconds,
                lambda: self._discord(chance, person, text, 1),
                lambda: self.question_of(asked.id) is not None,
                lambda: (
                    f"command, callback {asked.callback_type}, own {described(asked.messages)}, "
                    f"channel {described(discord.messages(channel), named=self.question_of(asked.id) or '-')}"
                ),
            )
        message = await person.say(channel, text, mention_bot=True)
        if copies > 1:
            discord.repeat(message)

        def finals() -> list[Any]:
            return [
                one
                for one in discord.messages(channel)
                if one.reference is not None and one.reference.id == message.id and one.buttons
            ]

        def sign() -> float | None:
            shows = (request.at for request in list(discord.requests) if request.at >= at and "typing" in request.path)
            first = next(shows, None)
            return None if first is None else first - at

        return Asked(
            "discord", text, at, finals, sign, lambda: None,
            seen=lambda: f"message, replies {described([m for m in discord.messages(channel) if m.reference is message])}",
        )  # fmt: skip

    def question_of(self, interaction: int) -> str | None:
        """The id of the question that the service claimed for this command, read from its store."""
        with closing(sqlite3.connect(f"{self.store.resolve().as_uri()}?mode=ro", uri=True, timeout=10)) as store:
            row = store.execute("SELECT question FROM claims WHERE key = ?", (KEY.format(interaction),)).fetchone()
        return row[0] if row else None

    async def trouble(self, chance: random.Random) -> None:
        """A connection breaks."""
        if self.slack is not None and chance.random() < 0.5:
            connections = self.slack.socket_mode.connections
            if connections:
                chance.choice(list(connections)).reset()
        elif self.discord is not None and self.discord.gateway.connected:
            chance.choice([self.discord.gateway.ask_to_reconnect, self.discord.gateway.reset])()


def described(messages: list[Any], named: str = "") -> list[str]:
    """How far each message came: its buttons tell a final one. `named`: only those whose buttons name this question."""
    return [
        f"{'loading' if one.loading else one.text[-20:]!r} with {len(one.buttons)} buttons{', deleted' if one.deleted else ''}"
        for one in messages
        if not named or any(f":{named}:" in custom for custom in one.custom_ids)
    ]


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
