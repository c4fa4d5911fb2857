"""The ways of questions on both databases."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, delete, func, select

from bot.store import questions, schema, traces
from bot.store.database import Store
from bot.trace import Retrieved, Said, Searched, Sentence, Step, Trace
from tests.bot.store.rows import asked

HEAD = (Said("system", "규칙"), Said("human", "예"), Said("ai", "예의 답"))
TRACE = Trace(
    edition="e",
    model="m",
    lora="none",
    prompt_version="p",
    threshold=2.5,
    condensed="연차 며칠\ud83d\0",
    searches=(Searched("연차 며칠", 9.1, 0.8, 0.9, (0.01, 0.02)),),
    passages=(Retrieved("wiki", "hr/leave.md", 3, "연차", "부여", 0.9, 0.8, 0.7, 0.6, shown=1),),
    prompt=(*HEAD, Said("human", "문서:\n[1] 연차\n질문: 연차는?")),
    sentences=(Sentence("15일입니다.", "shown", 0, (1,), (0.9,), 9.0),),
    steps=(Step("search", 0.02),),
)


def ask(store: Store, key: str = "e1") -> str:
    _, claim = store.run_now(questions.claim, asked(key), owner="a", now=1.0, lease=9.0)
    assert claim is not None
    return claim.question_id


def test_a_trace_comes_back_whole_and_a_later_one_replaces_it(store: Store) -> None:
    question = ask(store)
    assert store.run_now(traces.of_question, question) is None
    store.run_now(traces.save, question, TRACE, now=1.0)
    assert store.run_now(traces.of_question, question) == TRACE
    again = replace(TRACE, condensed="연차", prompt=())
    store.run_now(traces.save, question, again, now=2.0)
    assert store.run_now(traces.of_question, question) == again


def test_what_every_prompt_begins_with_is_kept_once(store: Store) -> None:
    for n in range(3):
        store.run_now(traces.save, ask(store, f"e{n}"), TRACE, now=1.0)

    def copies(connection: Connection) -> tuple[int, int]:
        rows = [str(row) for row in connection.execute(select(schema.traces.c.trace)).scalars()]
        heads = connection.execute(select(func.count()).where(schema.facts.c.key.like("prompt_head:%"))).scalar_one()
        return sum("예의 답" in row for row in rows), heads

    assert store.run_now(copies) == (0, 1)


def test_a_trace_goes_with_its_question(store: Store) -> None:
    second, third = (ask(store, f"e{n}") for n in range(2))
    for n, question in enumerate((second, third)):
        store.run_now(traces.save, question, TRACE, now=float(n))
    store.run_now(
        lambda connection: connection.execute(delete(schema.questions).where(schema.questions.c.id == second))
    )
    assert store.run_now(traces.of_question, second) is None
    assert store.run_now(traces.of_question, third) == TRACE


def test_the_trace_of_a_question_that_is_gone_is_not_kept(store: Store) -> None:
    store.run_now(traces.save, "gone", TRACE, now=1.0)
    assert store.run_now(traces.of_question, "gone") is None
