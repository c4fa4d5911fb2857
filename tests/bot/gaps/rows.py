"""Questions as the store holds them after they were asked, and gaps made by hand."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

from bot.conversation import Person, Place, Vote
from bot.gaps.gap import WEEKS, Gap, NearPage
from bot.messages import Outcome, Shown
from bot.store import answers, escalations, gaps, questions, votes
from bot.store.database import Store
from tests.bot.store.rows import answer, asked

CHANNEL = Place("slack", "C1", "channel", server="T1")
DIRECT = Place("slack", "D1", "direct", server="T1")
KIM, LEE, PARK = (Person("slack", name) for name in ("U1", "U2", "U3"))
DAY = 86_400.0
NOW = 1_000 * DAY


def miss(
    store: Store,
    text: str,
    person: Person = KIM,
    *,
    outcome: Outcome = Outcome.ABSTAINED,
    private: bool = False,
    place: Place | None = None,
    condensed: str = "",
    shown: tuple[Shown, ...] = (),
    now: float = NOW - DAY,
) -> str:
    """A finished question; the answer's id. `shown`: all that the answer rests on; it names no page."""
    where = place or (DIRECT if private else CHANNEL)
    question = asked(f"slack:event:{secrets.token_hex(6)}", text=text, person=person, place=where)
    _, held = store.run_now(questions.claim, question, owner="p", now=now, lease=9.0)
    assert held is not None
    answer_id = secrets.token_hex(8)
    made = replace(answer(outcome), condensed=condensed or text, shown=shown, citations=(), nearest=())
    store.run_now(answers.save, answer_id, held.question_id, made, language="ko", private=private, place=where, now=now)
    store.run_now(questions.finish, held, outcome, now=now)
    return answer_id


def thumb(store: Store, answer_id: str, person: Person, direction: Any = "down", now: float = NOW - DAY) -> None:
    """A vote, or with None its withdrawal."""
    store.run_now(votes.cast, Vote(answer_id, person, direction, "button"), now=now)


def call(store: Store, answer_id: str, *contacts: str, resolution: str = "", consent: bool = False) -> None:
    """Somebody was called, and perhaps answered."""
    escalation = store.run_now(escalations.call, answer_id, contacts, caller=KIM.key, now=NOW - DAY)
    assert escalation is not None
    if resolution:
        store.run_now(escalations.resolve, escalation, LEE.key, answer=resolution, consent=consent, now=NOW - DAY)


def put(
    store: Store, *groups: list[str], name: str = "이름", nearest: tuple[NearPage, ...] = (), now: float = NOW
) -> list[str]:
    """A gap for each list of questions' texts, which must have been missed; their ids."""
    known = {one.text: one for one in store.run_now(gaps.missed, since=0.0, most=1000)}
    grown = [
        gaps.Grown(
            id="",
            name=name,
            open_name="",
            nearest=nearest,
            added={known[text].id: (known[text].reason, known[text].asked_at, b"\0" * 8, "none") for text in texts},
            typical={known[text].id: 1.0 / n for n, text in enumerate(texts, start=1)},
        )
        for texts in groups
    ]
    return store.run_now(gaps.keep, grown, now=now)


def near(
    title: str = "연차 규정", closeness: float = 0.5, audience: tuple[tuple[str, ...], ...] = (), **changes: Any
) -> NearPage:
    return replace(NearPage("wiki", f"{title}.md", title, "", "", closeness, audience), **changes)


def gap(**changes: Any) -> Gap:
    """An open one that three people asked about."""
    made = Gap(
        id="0123456789ab",
        state="open",
        name="법인카드 한도",
        named="",
        open_name="법인카드 한도",
        assigned="",
        draft="",
        shared=False,
        nearest=(),
        snoozed_until=None,
        answered_source="",
        answered_page="",
        asked_edition="",
        made_at=NOW,
        changed_at=NOW,
        count=4,
        people=3,
        recent_people=3,
        private=0,
        reasons={"abstained": 4, "down": 0, "escalated": 0},
        newest_at=NOW,
        weeks=(0,) * (WEEKS - 2) + (1, 3),
    )
    return replace(made, **changes)
