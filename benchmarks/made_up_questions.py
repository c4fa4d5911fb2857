"""Questions that nobody asked: a store for measurements of the console, filled with a fixed seed.

They lie in the last 90 days: two platforms, 25 channels and direct messages, 4 % failed, 11 % declined, thumbs on one in eight, and the way
of each of the last 30 days' questions.
"""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.messages import Answer, Citation, Outcome, Seconds, Shown, Tokens
from bot.trace import Retrieved, Said, Searched, Sentence, Step, Trace

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
                "platform": one.platform, "place": one.place,
            }
            for one, answer in answered if drawn.random() < 0.125
        ],
    )  # fmt: skip
    for one in rows:
        if one.trace is not None:
            traces.save(connection, one.id, one.trace, now=one.asked_at)


def how_many(connection: Connection) -> int:
    """Questions that a store holds."""
    from sqlalchemy import func, select

    from bot.store import schema

    return int(connection.execute(select(func.count()).select_from(schema.questions)).scalar_one())
