"""Answers with votes, and small stand-ins for the wiki, the check and the mask."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.conversation import Direction, Person, Place, Vote
from bot.examples.example import Evidence, Example, id_of
from bot.messages import Answer, Citation, Outcome, Seconds, Shown, Tokens
from bot.store import answers, questions, votes
from bot.store.database import Store
from tests.bot.store.rows import asked

CHANNEL = Place("slack", "C1", "channel", server="T1")
KIM, LEE, PARK = (Person("slack", name) for name in ("U1", "U2", "U3"))
LEAVE = "연차는 1년에 15일을 줍니다."
VPN = "VPN은 회사 노트북에서만 쓸 수 있습니다."
DAY = 86_400.0
NOW = 100 * DAY


@dataclass(frozen=True)
class Text:
    text: str


def mask(text: str) -> Text:
    """Hides telephone numbers."""
    return Text(re.sub(r"010-\d{4}-\d{4}", "[전화번호]", text))


class FakePages:
    """Every page is open but those in `closed`."""

    def __init__(self, *closed: str) -> None:
        self.closed = set(closed)

    def is_open(self, source: str, page: str) -> bool:
        return page not in self.closed

    def context(self, source: str, page: str, number: int, text: str) -> str | None:
        return page.removesuffix(".md") if self.is_open(source, page) else None


class FakeGrounding:
    """Supported is what stands in a passage, word for word, before its mark."""

    def problems(self, question: str, passages: Sequence[Evidence], answer: str) -> tuple[str, ...]:
        bare = re.sub(r"\s*\[\d+\]", "", answer)
        return () if bare and any(bare in one.text for one in passages) else ("support",)

    def marked(self, question: str, passages: Sequence[Evidence], answer: str) -> str:
        carrying = "".join(f"[{place}]" for place, one in enumerate(passages, start=1) if answer in one.text)
        return f"{answer} {carrying}" if carrying else answer


def answer(text: str = f"{LEAVE} [1]", **changes: Any) -> Answer:
    """Shown two passages; cites the second as source 1."""
    made = Answer(
        outcome=Outcome.ANSWERED,
        text=text,
        citations=(Citation(1, "연차.md", "연차", None, LEAVE),),
        model="m",
        lora="l",
        edition="e",
        prompt="p",
        tokens=Tokens(),
        seconds=Seconds(0.1, None, 0.2),
        condensed="연차는 며칠입니까?",
        shown=(Shown("wiki", "VPN.md", 0, VPN), Shown("wiki", "연차.md", 0, LEAVE)),
    )
    return replace(made, **changes)


def answered(
    store: Store,
    name: str,
    made: Answer | None = None,
    *,
    text: str = "연차는 며칠입니까?",
    person: Person = KIM,
    now: float = 10.0,
) -> str:
    """A finished question; returns the answer's id."""
    question = asked(f"slack:event:{name}", text=text, person=person, place=CHANNEL)
    _, held = store.run_now(questions.claim, question, owner="p", now=now, lease=9.0)
    assert held is not None
    answer_id = id_of(name)
    store.run_now(
        answers.save,
        answer_id,
        held.question_id,
        made or answer(),
        language="ko",
        private=False,
        place=CHANNEL,
        now=now,
    )
    store.run_now(questions.finish, held, Outcome.ANSWERED, now=now)
    return answer_id


def vote(
    store: Store,
    answer_id: str,
    person: Person,
    direction: Direction | None = "up",
    *,
    correction: str = "",
    now: float = 20.0,
) -> None:
    store.run_now(votes.cast, Vote(answer_id, person, direction, "button"), now=now)
    if correction:
        store.run_now(votes.explain, answer_id, person.key, reason="틀림", correction=correction)


def example(name: str = "x", **changes: Any) -> Example:
    """A supported one that nobody has decided."""
    made = Example(
        id=id_of(name),
        key=id_of(name),
        kind="liked",
        question="연차는 며칠입니까?",
        condensed="연차는 며칠입니까?",
        turns=("앞선 질문",),
        passages=(Evidence("wiki", "연차.md", 0, "연차", LEAVE),),
        answer=f"{LEAVE} [1]",
        rejected="",
        model="m",
        lora="l",
        edition="e",
        prompt="p",
        asker="slack:U9",
        people=("slack:U1", "slack:U2"),
        origins=("a" * 16,),
        made_at=1.0,
    )
    return replace(made, **changes)
