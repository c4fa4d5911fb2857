"""Questions of the past for tests: asked, answered, ended and voted on at given times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.conversation import Direction, Person, Place, Vote
from bot.messages import Answer, Outcome, Seconds, Tokens
from bot.store import answers, questions, traces, votes
from bot.store.database import Store
from bot.trace import Trace
from tests.bot.store.rows import CHANNEL, KIM, LEE, answer, asked

_keys = iter(range(10**9))


def tell(
    store: Store,
    at: float,
    outcome: Outcome | None = Outcome.ANSWERED,
    *,
    text: str = "연차는 며칠입니까?",
    place: Place = CHANNEL,
    person: Person = KIM,
    private: bool = False,
    lora: str = "none",
    seconds: float = 2.0,
    first_token: float | None = 1.0,
    up: Sequence[Person] = (),
    down: Sequence[Person] = (),
    voted_at: float | None = None,
    trace: Trace | None = None,
    cost: float = 0.0,
    given: Answer | None = None,
    aside: str = "",
) -> str:
    """The id of a question that was asked `at` and ended a second later; `outcome` None: it is still open. `aside`: see `finish`."""
    one = replace(asked(f"k{next(_keys)}", text=text, person=person, place=place), private=private)
    _, claim = store.run_now(questions.claim, one, owner="a", now=at, lease=9.0)
    assert claim is not None
    question = claim.question_id
    if outcome is None:
        return question
    answer_id = f"a{question}"
    if outcome is not Outcome.FAILED:
        made = replace(
            given or answer(outcome),
            lora=lora,
            seconds=Seconds(0.1, first_token, seconds),
            tokens=Tokens(100, 20),
            cost_krw=cost,
        )
        store.run_now(
            answers.save, answer_id, question, made, language="ko", private=private, place=place, now=at + 1.0
        )
    if trace is not None:
        store.run_now(traces.save, question, trace, now=at + 1.0)
    store.run_now(questions.finish, claim, outcome, now=at + 1.0, aside=aside)
    for people, direction in ((up, "up"), (down, "down")):
        for voter in people:
            vote(store, answer_id, voter, direction, at=at + 2.0 if voted_at is None else voted_at)
    return question


def vote(store: Store, answer_id: str, person: Person, direction: Direction | str | None, *, at: float) -> None:
    """A thumb."""
    assert direction in ("up", "down", None)
    store.run_now(votes.cast, Vote(answer_id, person, direction, "button"), now=at)  # type: ignore[arg-type]


__all__ = ["KIM", "LEE", "tell", "vote"]
