"""Pictures of every page of the console, over the demo wiki with four weeks of made-up use.

    python benchmarks/console_screens.py --out docs/images                      # needs the models and Chromium
    python benchmarks/console_screens.py --data var/screens --writer qwen2.5-coder-0.5b --only today,ask

`examples/wiki` is indexed, `--ask` questions of `examples/questions.jsonl` are answered once by the real writer, and then spread over
the last 28 days with a fixed seed: people, channels, times and thumbs are invented, answers and their ways are not. The jobs `examples` and
`gaps` run, `saseo serve` listens, and a headless Chromium takes each page at 1280 and 390 pixels, light and dark, while axe-core looks
for barriers.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import secrets
import shutil
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.served import Service  # noqa: E402 - a script finds the rooms only after the line above

if TYPE_CHECKING:
    from bot.messages import Finished
    from bot.store.database import Store

SEED = 20261126
DAY = 86400.0
DAYS, A_DAY = 28, (4, 22)
PAGES = {
    "today": "/?days=28",
    "conversations": "/conversations",
    "review": "/review",
    "gaps": "/gaps",
    "wiki": "/wiki",
    "models": "/models",
    "jobs": "/jobs",
    "ask": "/ask",
}
SIZES = {"desk": (1280, 900), "phone": (390, 844)}


@dataclass(frozen=True)
class Answered:
    """A question, and how it ended when the real writer was asked."""

    text: str
    end: Finished


def service_of(options: argparse.Namespace) -> Service:
    """The one that lies in the data folder."""
    options.data.mkdir(parents=True, exist_ok=True)
    wiki = json.dumps(str(ROOT / "examples/wiki"))
    return Service(
        options.data,
        f'data_dir = "var"\nlog_level = "ERROR"\n[[sources]]\nname = "wiki"\npath = {wiki}\n'
        f"[writer]\nmodel = {json.dumps(options.writer)}\ntimeout_seconds = 300\n"
        "[jobs]\nenabled = false\n[tuning]\nlearn_from_feedback = true\n",
        web=options.port,
    )


async def ask(config: Path, count: int) -> list[Answered]:
    """The demo questions through the real flow, each once."""
    from bot.app import Root
    from bot.messages import Finished, Question

    lines = (ROOT / "examples/questions.jsonl").read_text(encoding="utf-8").splitlines()
    cases = random.Random(SEED).sample([json.loads(line) for line in lines], count)
    found = []
    async with Root(config).answers.ready() as flow:
        for number, case in enumerate(cases, start=1):
            async for event in flow.stream(Question(case["question"], secrets.token_hex(6), "demo")):
                if isinstance(event, Finished):
                    found.append(Answered(case["question"], event))
            print(f"{number}/{count}", file=sys.stderr)
    return found


def spread(store: Store, answered: Sequence[Answered], now: float) -> int:
    """Invent four weeks in which those questions were asked."""
    from bot.conversation import Asked, Person, Place, Vote
    from bot.messages import Outcome
    from bot.store import answers, questions, traces, votes

    chance = random.Random(SEED)
    people = [Person("slack", f"U{n:04d}") for n in range(40)] + [Person("discord", f"{10**17 + n}") for n in range(12)]
    asked = 0
    for day in range(DAYS, -1, -1):
        quiet = time.gmtime(now - day * DAY).tm_wday >= 5
        for _ in range(chance.randint(0, 3) if quiet else chance.randint(*A_DAY)):
            one, person = chance.choice(answered), chance.choice(people)
            at = min(now - 60, now - day * DAY - chance.uniform(0, 9 * 3600))
            direct = chance.random() < 0.2
            place = Place(
                person.platform,
                f"{'D' if direct else 'C'}{chance.randint(1, 5):04d}",
                "direct" if direct else "channel",
            )
            answer, asked = one.end.answer, asked + 1

            def keep(
                connection: Any, one: Answered = one, person: Person = person, place: Place = place, at: float = at
            ) -> str:
                what = Asked((secrets.token_hex(8),), place, person, one.text, reply_to="")
                _, held = questions.claim(connection, what, owner="demo", now=at, lease=60.0)
                assert held is not None
                end, answer_id = one.end, secrets.token_hex(8)
                seconds = end.answer.seconds.total
                if end.answer.outcome is not Outcome.FAILED:
                    answers.save(
                        connection, answer_id, held.question_id, end.answer,
                        language="ko", private=place.kind == "direct", place=place, now=at + seconds,
                    )  # fmt: skip
                if end.trace is not None:
                    traces.save(connection, held.question_id, end.trace, now=at + seconds)
                questions.finish(connection, held, end.answer.outcome, now=at + seconds)
                return answer_id

            answer_id = store.run_now(keep)
            thumb = chance.random()
            up, down = (0.28, 0.05) if answer.outcome is Outcome.ANSWERED else (0.02, 0.22)
            if thumb < up + down:
                vote = Vote(answer_id, chance.choice(people), "up" if thumb < up else "down", "button")
                store.run_now(votes.cast, vote, now=at + 120.0)
    return asked


def fill(service: Service, count: int) -> None:
    """Whatever is not there yet: edition, questions, examples, gaps."""
    from bot.app import Root
    from bot.store import questions

    root = Root(service.config)
    if not root.wiki.shelf.names():
        service.run("index")
    with root.open_store() as store:
        known = sum(store.run_now(questions.outcomes, since=0.0).values())
    if known:
        return
    answered = asyncio.run(ask(service.config, count))
    with Root(service.config).open_store() as store:
        print(f"{spread(store, answered, time.time())} questions", file=sys.stderr)
    for job in ("examples", "gaps"):
        service.run("jobs", "run", job)


async def take(address: str, out: Path, only: Sequence[str]) -> dict[str, dict[str, int]]:
    """Names of the pictures, each with what axe-core finds on that page: impact → rules that are broken, `passed` → those that hold."""
    from axe_playwright_python.async_playwright import Axe
    from playwright.async_api import async_playwright

    chromium = os.environ.get("SASEO_CHROMIUM") or shutil.which("chromium") or "chromium"
    taken: dict[str, dict[str, int]] = {}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for size, (width, height) in SIZES.items():
            for colours in ("light", "dark"):
                context = await browser.new_context(
                    locale="ko-KR",
                    viewport={"width": width, "height": height},
                    color_scheme=colours,
                    base_url=address,  # type: ignore[arg-type]
                )
                page = await context.new_page()
                page.set_default_timeout(120_000)
                for name, path in PAGES.items():
                    if only and name not in only:
                        continue
                    await page.goto(path)
                    file = f"{name}-{size}-{colours}.png"
                    if name == "conversations":  # and the way of one question that was answered
                        await page.screenshot(path=out / file)
                        file, link = f"conversation-{size}-{colours}.png", re.compile(r"^/conversations/[0-9a-f]{12}")
                        for one in await page.locator("main a").all():
                            if link.match(await one.get_attribute("href") or ""):
                                await one.click()
                                await page.wait_for_url("**/conversations/*")
                                break
                    elif name == "ask":
                        await page.get_by_label("질문").fill("연차는 며칠 전까지 신청해야 합니까?")
                        await page.keyboard.press("Enter")
                        await page.locator(".votes, .theirs .hint").first.wait_for()
                    await page.wait_for_timeout(400)
                    await page.screenshot(path=out / file, full_page=True)
                    found = (await Axe().run(page)).response
                    broken = Counter(str(one["impact"]) for one in found["violations"])
                    taken[file] = {**broken, "passed": len(found["passes"])}
                await context.close()
        await browser.close()
    return taken


def main() -> None:
    """Fill what is missing, take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT / "var/screens", help="kept between runs")
    parser.add_argument("--out", type=Path, default=ROOT / "var/screens/pictures")
    parser.add_argument("--writer", default="qwen2.5-coder-1.5b")
    parser.add_argument("--ask", type=int, default=24, help="questions that the writer answers")
    parser.add_argument("--port", type=int, default=8799)
    parser.add_argument("--only", default="", help="names of pages by comma")
    options = parser.parse_args()
    service = service_of(options)
    options.out.mkdir(parents=True, exist_ok=True)
    fill(service, options.ask)
    with service.serving() as address:
        taken = asyncio.run(take(address, options.out, [one for one in options.only.split(",") if one]))
    print(json.dumps({"out": str(options.out), "pictures": taken}))


if __name__ == "__main__":
    main()
