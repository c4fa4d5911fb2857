"""Many people with the console open: clients that fetch what its pages fetch by themselves, in a process of their own.

    python benchmarks/console_clients.py http://127.0.0.1:8765 --clients 50    # until the standard input ends

Each has one page of the console's menu open and fetches what that page fetches by itself, as often as it does; a page that fetches nothing
is loaded anew twice a minute. With `--every` each walks through all pages instead, a whole one every so many seconds: far more than
people do. Prints `ready`, and at the end one line of JSON: how often each status came, seconds of every fetch, the pages.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.served import environment  # noqa: E402 - a script finds the rooms only after the line above

RELOAD = 30.0
"""Seconds until a page that fetches nothing by itself is loaded anew."""


async def poll(address: str, clients: int, every: float) -> None:
    """Look at pages until the standard input closes, then print what came of it."""
    os.nice(19)
    counts: dict[int, int] = {}
    seconds: list[float] = []
    async with httpx.AsyncClient(
        base_url=address, trust_env=False, timeout=60, headers={"accept": "text/html"}
    ) as first:
        pages = menu((await first.get("/")).text)

        async def fetch(http: httpx.AsyncClient, path: str, **headers: str) -> str:
            began = time.perf_counter()
            response = await http.get(path, headers=headers)
            seconds.append(time.perf_counter() - began)
            counts[response.status_code] = counts.get(response.status_code, 0) + 1
            return response.text

        async def again(http: httpx.AsyncClient, path: str, pause: float, **headers: str) -> None:
            while True:
                await asyncio.sleep(pause)
                await fetch(http, path, **headers)

        async def client(number: int) -> None:
            """A browser with one page open, or, with `every`, one that walks through all of them."""
            await asyncio.sleep(random.Random(number).random() * (every or RELOAD))
            async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=60, headers=first.headers) as http:
                if every:
                    for turn in range(10**9):
                        await fetch(http, pages[(number + turn) % len(pages)])
                        await asyncio.sleep(every)
                page = pages[number % len(pages)]
                own = polls(await fetch(http, page))
                async with asyncio.TaskGroup() as group:
                    for path, pause in own:
                        group.create_task(again(http, path, pause, **{"HX-Request": "true"}))
                    if not own:
                        group.create_task(again(http, page, RELOAD))

        tasks = [asyncio.create_task(client(number)) for number in range(clients)]
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    print(json.dumps({"statuses": counts, "seconds": sorted(seconds), "pages": pages}), flush=True)


def polls(html: str) -> list[tuple[str, float]]:
    """What a page fetches by itself (htmx), and every how many seconds."""
    found = []
    for tag in re.findall(r"<[^>]*hx-trigger=\"every [^>]*>", html):
        path, pause = re.search(r'hx-get="([^"]+)"', tag), re.search(r'hx-trigger="every (\d+)s', tag)
        if path and pause:
            found.append((path.group(1).replace("&amp;", "&"), float(pause.group(1))))
    return found


def menu(html: str) -> list[str]:
    """The pages that the console's menu links to, the first one included."""
    nav = re.search(r"<nav\b.*?</nav>", html, re.DOTALL)
    return list(dict.fromkeys(["/", *re.findall(r'href="(/[a-z/-]*)"', nav.group(0) if nav else "")]))


@contextlib.contextmanager
def polling(address: str, clients: int, every: float, told: list[dict[str, Any]]) -> Iterator[None]:
    """Meanwhile the clients poll; what they saw is added to `told`."""
    command = [sys.executable, __file__, address, "--clients", str(clients), "--every", str(every)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment())
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdout.readline()
    try:
        yield
    finally:
        process.stdin.close()
        told.append(json.loads(process.stdout.read()))
        process.wait()


def main() -> None:
    """Poll."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", help="of a console to which nobody has to log in")
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--every", type=float, default=0.0, help="seconds between two whole pages of one client")
    arguments = parser.parse_args()
    asyncio.run(poll(arguments.address, arguments.clients, arguments.every))


if __name__ == "__main__":
    main()
