"""Example rows for the store's tests."""

from __future__ import annotations

from bot.conversation import Asked, Person, Place
from bot.messages import Answer, Citation, Outcome, Seconds, Shown, Tokens

CHANNEL = Place("slack", "C1", "channel", server="T1", thread="1.0")
KIM = Person("slack", "U1", email="kim@example.com", roles=frozenset({"S1"}))
LEE = Person("slack", "U2")


def asked(*keys: str, text: str = "연차는 며칠입니까?", person: Person = KIM, place: Place = CHANNEL) -> Asked:
    return Asked(
        keys or ("slack:event:Ev1", "slack:message:T1:C1:1.0"),
        place,
        person,
        text,
        reply_to='{"token": "short-lived"}',
        turns=("앞선 질문",),
    )


def answer(outcome: Outcome = Outcome.ANSWERED, text: str = "15일입니다. [1]") -> Answer:
    return Answer(
        outcome=outcome,
        text=text,
        citations=(Citation(1, "hr/leave.md", "연차", "https://wiki.example/leave", "연차는 15일입니다.", "부여"),),
        model="m",
        lora="l",
        edition="e",
        prompt="p",
        tokens=Tokens(10, 5),
        seconds=Seconds(0.1, 0.2, 0.3),
        condensed="연차 며칠",
        nearest=(Citation(1, "hr/x.md", "휴가", None, "휴가"),),
        notes=("rewritten",),
        shown=(Shown("wiki", "hr/leave.md", 3, "연차는 15일입니다."),),
    )
