"""The way of one question: condense → retrieve → judge → [rewrite → retrieve] → write → verify, as a LangGraph graph.

Every question ends in exactly one `Finished`. Sentences are checked as the writer makes them (`compose.py`) and only
then shown, so nothing unverified is ever on a screen. Knows no platform and no store.
"""

from __future__ import annotations

import asyncio
import contextvars
import json
import logging
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from bot import texts
from bot.answering.compose import Composed, Composer
from bot.answering.condense import condense, may_stand_alone, names_only_unknown, still_about
from bot.answering.excerpts import excerpts
from bot.answering.judge import judge
from bot.answering.outcomes import answer_of, citation, failed, nearest_pages, record
from bot.answering.reading import as_read
from bot.answering.verify import quote_for
from bot.answering.way import State, Way, timed
from bot.errors import WritingCancelled
from bot.live import Live
from bot.messages import Answer, Citation, Event, Finished, Outcome, Progressed, Question, Wrote
from bot.telemetry.observer import Observer
from knowledge.errors import ExplainedError
from knowledge.hits import Evidence
from knowledge.page import reader_of

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

    from knowledge.hits import Found

P = ParamSpec("P")
T = TypeVar("T")

_log = logging.getLogger("saseo.answering")


@dataclass(frozen=True, slots=True)
class FlowOptions:
    """The dials of `[answer]` and `[writer]` that the flow turns."""

    language: texts.Language = "ko"
    passages: int = 4
    evidence_characters: int = 550
    nearest_pages: int = 3
    max_answer_tokens: int = 160
    refusal_confidence: float = 0.0
    temperature: float = 0.0
    timeout_seconds: float = 90.0


class AnswerFlow:
    """Question in, events out. One per process; safe for many questions at once."""

    def __init__(
        self, live: Callable[[], Live], options: FlowOptions | None = None, *, observer: Observer | None = None
    ) -> None:
        """`live`: called once per question, at its start. `observer` is told of every end."""
        self._observer = observer or Observer()
        self._live = live
        self._options = options or FlowOptions()
        # Kiwi, the embedder and FAISS are CPU work: one thread of their own, never the event loop.
        self._searching = ThreadPoolExecutor(max_workers=1, thread_name_prefix="search")
        self._graph = self._build()

    async def stream(self, question: Question) -> AsyncIterator[Event]:
        """Events of one question; the last is `Finished`. Closing the iterator stops the writer."""
        live = self._live().of(question.conversation or question.id)
        way = Way(as_read(question), live, question.language or self._options.language)
        async with aclosing(self._events(question, way)) as events:  # type: ignore[type-var]
            async for event in events:
                if isinstance(event, Finished):
                    self._observer.answered(question.id, event, way.spans.taken)
                yield event

    async def _events(self, question: Question, way: Way) -> AsyncIterator[Event]:
        ended = False
        try:
            if not way.question.text:
                yield failed(way, texts.empty_question(way.language), "empty_question")
                return
            graph: Any = self._graph.astream({}, context=way, stream_mode="custom")
            async with aclosing(graph) as events:  # leaving early must stop the writer now, not at garbage collection
                async for event in events:
                    if isinstance(event, Finished):
                        record(question, event.answer)  # before anybody posts it
                        ended = True
                    yield event
        except (asyncio.CancelledError, GeneratorExit):
            if not ended:
                _log.info(json.dumps({"event": "cancelled", "question": question.id}))
            raise
        except ExplainedError as error:
            yield failed(way, error.explain(way.language), type(error).__name__)
        except Exception as error:  # noqa: BLE001 - nothing may escape here: the person must get a word
            _log.exception(json.dumps({"event": "failed", "question": question.id, "error": type(error).__name__}))
            yield failed(way, texts.failed(question.id, way.language), type(error).__name__)

    async def answer(self, question: Question) -> Answer:
        """The end of `stream` alone."""
        answer: Answer | None = None
        async for event in self.stream(question):
            if isinstance(event, Finished):
                answer = event.answer
        if answer is None:
            raise WritingCancelled
        return answer

    async def nearest(self, question: Question, most: int) -> tuple[Citation, ...]:
        """The pages that come closest to a question, without an answer."""
        live, asked = self._live(), as_read(question)
        found = await self._off_loop(
            live.index.search,
            asked.text,
            reader_of(asked.groups),
            most,
            one_per_page=True,
            sources=asked.sources,
        )
        return nearest_pages(found.hits, most, question.language or self._options.language)

    async def look(self, work: Callable[[Live], T]) -> T:
        """`work` on what would answer now, in the search thread: for whoever looks at the search itself."""
        return await self._off_loop(work, self._live())

    def live(self) -> Live:
        """What would answer a question asked now."""
        return self._live()

    def readable(self, page: str, reader: frozenset[str], source: str = "") -> bool:
        """Whether every passage of `page` in the live edition admits `reader`; `source` "": of every source with such a page."""
        passages = self._live().index.edition.passages
        return all(p.audience.admits(reader) for p in passages if p.page == page and source in ("", p.source))

    def swap(self, live: Live) -> None:
        """Questions asked from now on take `live`; those on their way keep what they took."""
        self._live = lambda: live

    def known(self, page: str, source: str = "") -> bool:
        """Whether the live edition has `page` (of `source`, if one is named) at all."""
        return any(one.page == page and source in ("", one.source) for one in self._live().index.edition.passages)

    def close(self) -> None:
        """Stop the search thread."""
        self._searching.shutdown(wait=False, cancel_futures=True)

    def _build(self) -> CompiledStateGraph[State, Way, State, State]:
        graph = StateGraph(State, context_schema=Way)
        graph.add_node("condense", timed("condense", self._condense))
        graph.add_node("retrieve", timed("retrieve", self._retrieve))
        graph.add_node("rewrite", timed("rewrite", self._rewrite))
        graph.add_node("write", timed("write", self._write))
        graph.add_node("verify", timed("verify", self._verify))
        graph.add_node("abstain", timed("abstain", self._abstain))
        graph.add_edge(START, "condense")
        graph.add_edge("condense", "retrieve")
        graph.add_conditional_edges(
            "retrieve", self._judge, {"enough": "write", "try_again": "rewrite", "nothing": "abstain"}
        )
        graph.add_edge("rewrite", "retrieve")
        graph.add_edge("write", "verify")
        graph.add_conditional_edges("verify", self._after_verify, {"again": "write", "end": END})
        graph.add_edge("abstain", END)
        return graph.compile()

    async def _off_loop(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        context = contextvars.copy_context()  # what is logged there is about the same question
        return await asyncio.get_running_loop().run_in_executor(
            self._searching, lambda: context.run(work, *args, **kwargs)
        )

    async def _condense(self, state: State, runtime: Runtime[Way]) -> State:
        way = runtime.context
        runtime.stream_writer(Progressed("searching"))
        question, live = way.question, way.live
        rarity = await self._off_loop(live.index.rarity, reader_of(question.groups), question.sources)
        with way.tracer.step("condense"):
            searched, turns = await self._off_loop(condense, question.text, question.turns, live.analyser, idf=rarity)
        way.tracer.condensed(searched, turns)
        alone = bool(turns) and await self._off_loop(may_stand_alone, question.text, live.analyser)
        # What was mistyped is the search's own affair; another wording is the question with the one before it, or without.
        if turns:
            wordings = (question.text,) if alone else ()
        else:
            wordings = (f"{question.turns[-1]} {question.text}",) if question.turns else ()
        return {
            "rarity": rarity, "searched": searched, "turns": turns, "leaned": turns, "alone": alone, "wordings": wordings,
            "search_seconds": 0.0, "attempt": 0, "notes": (),
        }  # fmt: skip

    async def _retrieve(self, state: State, runtime: Runtime[Way]) -> State:
        way, began = runtime.context, time.perf_counter()
        found = await self._off_loop(
            way.live.index.search,
            state["searched"],
            reader_of(way.question.groups),
            2 * self._options.passages + 4,
            sources=way.question.sources,
        )
        way.tracer.searched(state["searched"], found)
        before, turns, beside = state.get("found"), state["turns"], False
        if before is None:
            beside = state["alone"] and await self._off_loop(
                names_only_unknown, way.question.text, found, way.live.analyser, state["rarity"]
            )
        elif not await self._better(found, before, state, way):
            found, turns = before, state["leaned"]
        searched = found.text or state["searched"]  # as it was understood: sentences are compared with that
        way.tracer.kept(found, searched, turns)
        return {
            "found": found,
            "beside": beside,
            "turns": turns,
            "searched": searched,
            "search_seconds": state["search_seconds"] + time.perf_counter() - began,
        }

    async def _better(self, found: Found, before: Found, state: State, way: Way) -> bool:
        """Whether the second search tells more about this question: with the earlier one added, or with the question alone."""
        if state["leaned"]:
            return state["beside"] or found.evidence.strength > before.evidence.strength
        if before.evidence.strength >= found.evidence.strength:
            return False
        asked, analyser = way.question.text, way.live.analyser
        return await self._off_loop(still_about, asked, found.hits, analyser, state["rarity"])

    def _judge(self, state: State, runtime: Runtime[Way]) -> Literal["enough", "try_again", "nothing"]:
        evidence = Evidence() if state["beside"] else state["found"].evidence
        return judge(evidence, runtime.context.live.threshold, can_rewrite=bool(state["wordings"]))

    async def _rewrite(self, state: State, runtime: Runtime[Way]) -> State:
        """The question with the earlier one added, or alone where it leaned on one."""
        runtime.stream_writer(Progressed("rewriting"))
        turns = () if state["leaned"] else runtime.context.question.turns[-1:]
        runtime.context.tracer.condensed(state["wordings"][0], turns, rewritten=True)
        return {
            "searched": state["wordings"][0],
            "wordings": state["wordings"][1:],
            "turns": turns,
            "notes": (*state["notes"], "rewritten"),
        }

    async def _write(self, state: State, runtime: Runtime[Way]) -> State:
        way, options = runtime.context, self._options
        shown = state.get("shown")
        if shown is None:
            with way.tracer.step("excerpts"):
                shown = await self._off_loop(
                    excerpts,
                    state["searched"],
                    state["found"].hits,
                    way.live.analyser,
                    state["rarity"],
                    most=options.passages,
                    characters=options.evidence_characters,
                )
            way.tracer.excerpted(shown)
            runtime.stream_writer(Progressed("reading", len(shown)))
        composer = Composer(
            way.live, way.question.text, state["searched"], state["turns"], shown, rarity=state["rarity"],
            run=self._off_loop, emit=runtime.stream_writer, since=way.since, language=way.language, tracer=way.tracer,
        )  # fmt: skip
        composed = await composer.write(
            asker=way.question.asker,
            max_tokens=options.max_answer_tokens,
            # The second try must not repeat the first one's words.
            temperature=options.temperature if not state["attempt"] else max(options.temperature, 0.4),
            seed=state["attempt"],
            timeout=max(options.timeout_seconds - way.since(), 0.1),
            last_try=state["attempt"] >= 1,
            # A plain base is as unsure of right refusals as of wrong ones; a LoRA that learnt to refuse is not.
            sure=options.refusal_confidence if way.live.lora is not None else 0.0,
        )
        earlier = state.get("composed")
        if earlier is not None and composed.first_token is not None:
            composed = composed.after(earlier)
        return {"shown": shown, "composed": composed, "attempt": state["attempt"] + 1}

    def _after_verify(self, state: State) -> Literal["again", "end"]:
        return "end" if "answer" in state else "again"

    async def _verify(self, state: State, runtime: Runtime[Way]) -> State:
        """Every sentence was checked on its way; here the whole is judged: again, decline, or done."""
        way, composed, shown = runtime.context, state["composed"], state["shown"]
        if composed.verdict == "again" and state["attempt"] < 2:
            return {"notes": (*state["notes"], *composed.notes)}
        if not composed.sentences:
            return {"answer": await self._decline(state, runtime, composed)}
        places = list(dict.fromkeys(place for sentence in composed.sentences for place in sentence.cites))
        numbers = {place: n for n, place in enumerate(places, start=1)}
        quotes = {
            place: await self._off_loop(
                quote_for,
                " ".join(s.text for s in composed.sentences if place in s.cites),
                shown[place],
                way.live.analyser,
            )
            for place in places
        }
        citations = tuple(citation(numbers[place], shown[place], quotes[place], way.language) for place in places)
        notes = [*state["notes"], *composed.notes]
        stale = [shown[place].passage.title for place in places if shown[place].passage.replaced_by]
        tail = "".join("\n" + texts.outdated(title, way.language) for title in dict.fromkeys(stale))
        if tail:
            notes.append("outdated")
            runtime.stream_writer(Wrote(tail))
        answer = answer_of(
            way, state, Outcome.ANSWERED, composed.text + tail, citations, composed=composed, notes=tuple(notes)
        )
        runtime.stream_writer(Finished(answer, way.trace(answer.model, answer.lora)))
        return {"answer": answer}

    async def _abstain(self, state: State, runtime: Runtime[Way]) -> State:
        return {"answer": await self._decline(state, runtime, None)}

    async def _decline(self, state: State, runtime: Runtime[Way], composed: Composed | None) -> Answer:
        way = runtime.context
        nearest = nearest_pages(state["found"].hits, self._options.nearest_pages, way.language)
        text = texts.abstained(nearest, way.language)
        runtime.stream_writer(Wrote(text))
        notes = (*state["notes"], *(composed.notes if composed else ("no_evidence",)))
        answer = answer_of(way, state, Outcome.ABSTAINED, text, (), composed=composed, nearest=nearest, notes=notes)
        runtime.stream_writer(Finished(answer, way.trace(answer.model, answer.lora)))
        return answer
