"""The console over a store with 100,000 questions: how long its pages take on the server, and how heavy they are.

    python benchmarks/console_pages.py                       # SQLite in a temporary folder
    python benchmarks/console_pages.py --url postgresql://…  # an EMPTY database of PostgreSQL
    python benchmarks/console_pages.py --keep var/console    # keep the store there and use it again

The questions are made up (fixed seed) and lie in the last 90 days: three platforms, 25 channels and direct messages, 4 % failed, 11 %
declined, thumbs on one in eight, and the way of each of the last 30 days' questions. First each query is run bare, as the store's
function in the store's transaction. Then each page of `PAGES` is fetched over a real socket from a console that listens on this
machine, one request after the other: until the first byte of the answer, and its bytes as they come over the wire.
Prints one line of JSON, then two Markdown tables.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bot.messages import Answer, Citation, Outcome, Seconds, Shown, Tokens  # noqa: E402
from bot.trace import Retrieved, Said, Searched, Sentence, Step, Trace  # noqa: E402

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bot.store.database import Store

SEOUL = ZoneInfo("Asia/Seoul")
DAY = 86400.0
DAYS, DAYS_WITH_TRACES = 90, 30
TOPICS = (
    "연차",
    "법인카드",
    "출장비",
    "VPN",
    "회의실",
    "보안 교육",
    "노트북",
    "재택근무",
    "경조사",
    "건강검진",
    "주차",
    "식대",
)
ASKS = (
    "{}은(는) 어떻게 신청합니까?",
    "{} 기준이 언제 바뀌었나요?",
    "{} 담당자가 누구예요?",
    "신입도 {} 쓸 수 있어?",
    "{} 한도 초과하면?",
)
PLACES = [("slack", f"C{n:09d}") for n in range(15)] + [("discord", f"{10**17 + n}") for n in range(10)]
PASSAGE = (
    "신청은 사용 3일 전까지 그룹웨어에서 하고 팀장의 승인을 받습니다. 급한 경우에는 당일에도 신청할 수 있습니다. " * 3
)
HEAD = (
    Said("system", "당신은 회사 위키의 사서입니다. " * 12),
    Said("human", "문서: 예" * 30),
    Said("ai", "예의 답 [1]."),
)


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=40, help="of each query and page")
    parser.add_argument("--url", default="", help="of an empty PostgreSQL database; default: SQLite")
    parser.add_argument("--keep", type=Path, help="folder of the store; one that is filled already is used as it is")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        report = measure(folder, options.url, options.questions, options.requests)
    print(json.dumps(report, ensure_ascii=False))
    print(_tables(report))


def measure(folder: Path, url: str, questions: int, requests: int) -> dict[str, Any]:
    """Everything, as one JSON object. Seconds as milliseconds."""
    from bot.store.database import open_store

    store = open_store(url, folder)
    try:
        now = time.time()
        began = time.perf_counter()
        filled = store.run_now(_count)
        if not filled:
            fill(store, questions, now)
        seconds = time.perf_counter() - began
        queries = {name: _timed(run, requests) for name, run in _queries(store, now)}
        file = folder / "saseo.sqlite"
        return {
            "questions": filled or questions,
            "database": "postgresql" if url else "sqlite",
            "store_mb": round(file.stat().st_size / 2**20) if file.exists() else None,
            "fill_seconds": round(seconds, 1),
            "queries": queries,
        }
    finally:
        store.close()


def fill(store: Store, count: int, now: float, seed: int = 6) -> None:
    """`count` questions with answers, thumbs and, of the last month, traces; none of them open."""
    drawn = random.Random(seed)
    for first in range(0, count, 2000):
        rows = [_question(drawn, now, n) for n in range(first, min(first + 2000, count))]
        store.run_now(_insert, rows, drawn)


@dataclass(frozen=True)
class Made:
    """One made-up question."""

    id: str
    asked_at: float
    platform: str
    place: str
    text: str
    outcome: Outcome
    answer: Answer | None
    trace: Trace | None


def _question(drawn: random.Random, now: float, n: int) -> Made:
    asked_at = now - 60.0 - drawn.random() * DAYS * DAY
    direct = drawn.random() < 0.2
    platform, place = drawn.choice(PLACES)
    text = drawn.choice(ASKS).format(drawn.choice(TOPICS)) + f" ({n})"
    outcome = drawn.choices([Outcome.ANSWERED, Outcome.ABSTAINED, Outcome.FAILED], [85, 11, 4])[0]
    total = drawn.lognormvariate(1.2, 0.5)
    shown = tuple(Shown("wiki", f"hr/{drawn.randrange(400)}.md", drawn.randrange(9), PASSAGE[:180]) for _ in range(3))
    answer = Answer(
        outcome=outcome,
        text="신청은 사용 3일 전까지 그룹웨어에서 하고 팀장의 승인을 받습니다 [1]. 급하면 당일에도 됩니다 [1].",
        citations=(Citation(1, shown[0].page, "휴가 규정", "https://wiki.example/leave", PASSAGE[:60], "신청 > 절차"),),
        model="qwen2.5-coder-1.5b",
        lora="none" if asked_at < now - 20 * DAY else "lora-2026-11",
        edition="20261126-000000-abcdef",
        prompt="ko-12345678",
        tokens=Tokens(900, 60),
        seconds=Seconds(0.05, total / 2, total),
        condensed=text,
        shown=shown,
    )
    trace = _trace(drawn, answer) if asked_at > now - DAYS_WITH_TRACES * DAY else None
    kept = answer if outcome is not Outcome.FAILED else None
    return Made(f"{n:012x}", asked_at, platform, "" if direct else place, text, outcome, kept, trace)


def _trace(drawn: random.Random, answer: Answer) -> Trace:
    return Trace(
        edition=answer.edition,
        model=answer.model,
        lora=answer.lora,
        prompt_version=answer.prompt,
        threshold=9.2,
        condensed=answer.condensed,
        searches=(Searched(answer.condensed, 10.5, 0.88, 0.9, (0.02, 0.03)),),
        passages=tuple(
            Retrieved(
                "wiki",
                f"hr/{n}.md",
                n,
                "휴가 규정",
                "신청 > 절차",
                0.9 / (n + 1),
                0.8 / (n + 1),
                0.8,
                0.5,
                n + 1 if n < 3 else 0,
            )
            for n in range(12)
        ),
        prompt=(*HEAD, Said("human", "문서:\n" + "\n".join(f"[{n}] {PASSAGE[:180]}" for n in (1, 2, 3)))),
        sentences=tuple(
            Sentence("신청은 사용 3일 전까지 합니다.", "shown" if n else "number", 0, (1,), (0.8, 0.3, 0.1), 10.4)
            for n in range(3)
        ),
        steps=tuple(
            Step(name, drawn.random()) for name in ("condense", "embed", "search", "excerpts", "read", "write")
        ),
    )


def _insert(connection: Connection, rows: list[Made], drawn: random.Random) -> None:
    from sqlalchemy import insert

    from bot.store import schema, traces

    connection.execute(
        insert(schema.questions),
        [
            {
                "id": one.id, "platform": one.platform, "person": f"{one.platform}:U{drawn.randrange(300)}",
                "conversation": "", "place": one.place, "asked": {}, "text": one.text, "private": not one.place,
                "reply_to": "", "draft": "", "state": "done", "owner": "p", "attempt": 1, "claimed_until": 0.0,
                "asked_at": one.asked_at, "done_at": one.asked_at + 5, "outcome": one.outcome.value,
                "lora": one.answer.lora if one.answer else "",
            }
            for one in rows
        ],
    )  # fmt: skip
    answered = [(one, one.answer) for one in rows if one.answer is not None]
    connection.execute(
        insert(schema.answers),
        [
            {
                "id": f"a{one.id}", "question": one.id, "answer": asdict(answer), "outcome": answer.outcome.value,
                "model": answer.model, "lora": answer.lora, "edition": answer.edition, "prompt": answer.prompt,
                "passages": [[s.source, s.page, s.number] for s in answer.shown], "language": "ko",
                "private": not one.place, "place": {"platform": one.platform, "id": one.place or "D1",
                "kind": "channel" if one.place else "direct", "server": "T1", "thread": "", "external": False},
                "message": f"m{one.id}", "answered_at": one.asked_at + 5, "first_token": answer.seconds.first_token,
                "total_seconds": answer.seconds.total, "tokens_read": answer.tokens.read,
                "tokens_written": answer.tokens.written, "cost_krw": 0.0,
            }
            for one, answer in answered
        ],
    )  # fmt: skip
    connection.execute(
        insert(schema.votes),
        [
            {
                "answer": f"a{one.id}", "person": f"{one.platform}:U{drawn.randrange(300)}",
                "direction": drawn.choices(["up", "down"], [4, 1])[0], "via": "button", "reason": "", "correction": "",
                "model": answer.model, "lora": answer.lora, "edition": answer.edition, "prompt": answer.prompt,
                "passages": [], "voted_at": one.asked_at + 60, "question": one.id, "asked_at": one.asked_at,
            }
            for one, answer in answered if drawn.random() < 0.125
        ],
    )  # fmt: skip
    for one in rows:
        if one.trace is not None:
            traces.save(connection, one.id, one.trace, now=one.asked_at)


def _count(connection: Connection) -> int:
    from sqlalchemy import func, select

    from bot.store import schema

    return int(connection.execute(select(func.count()).select_from(schema.questions)).scalar_one())


def _queries(store: Store, now: float) -> Iterator[tuple[str, Callable[[], object]]]:
    """(name, what to run) of every query behind a page."""
    from bot.store import conversations, days
    from bot.store.conversations import Filter
    from bot.store.statistics import statistics

    began, rolled = time.perf_counter(), 0
    while store.run_now(days.roll_up, SEOUL, now=now):
        rolled += 1
    print(f"{rolled} days counted in {time.perf_counter() - began:.1f} s", file=sys.stderr)
    yield "statistics, 28 days", lambda: store.run_now(statistics, SEOUL, now=now)
    middle = conversations.Cursor(now - 45 * DAY, "0")
    lists = {
        "newest": Filter(),
        "declined": Filter(outcome="abstained"),
        "one channel": Filter(platform="slack", place="C000000003"),
        "one LoRA": Filter(lora="none"),
        "no such LoRA": Filter(lora="nowhere"),
        "thumbs down": Filter(vote="down"),
        "thumbs down, declined, one channel": Filter(
            vote="down", outcome="abstained", platform="slack", place="C000000003"
        ),
        "a frequent word": Filter(text="연차"),
        "a word that is nowhere": Filter(text="없는 말"),
        "a word, shared ones only": Filter(text="한도", searchable="shared"),
    }
    for name, wanted in lists.items():
        yield f"list: {name}", lambda wanted=wanted: store.run_now(conversations.page, wanted)  # type: ignore[misc]
    yield "list: newest, from the middle", lambda: store.run_now(conversations.page, Filter(), after=middle)
    yield "choices: places", lambda: store.run_now(conversations.places)
    yield "choices: LoRAs", lambda: store.run_now(conversations.loras)
    newest = store.run_now(conversations.page, Filter(outcome="answered")).rows[0].id
    yield "one question", lambda: store.run_now(conversations.get, newest)


def _timed(run: Callable[[], object], requests: int) -> dict[str, float]:
    """Milliseconds of `run`, after once to warm up."""
    run()
    taken = []
    for _ in range(requests):
        began = time.perf_counter()
        run()
        taken.append(1000 * (time.perf_counter() - began))
    return {"p50": round(float(np.quantile(taken, 0.5)), 1), "p95": round(float(np.quantile(taken, 0.95)), 1)}


def _tables(report: dict[str, Any]) -> str:
    lines = ["| query | p50 ms | p95 ms |", "| --- | ---: | ---: |"]
    lines += [f"| {name} | {one['p50']} | {one['p95']} |" for name, one in report["queries"].items()]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
