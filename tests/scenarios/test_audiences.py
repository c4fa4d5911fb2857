"""Whatever pages, readers and questions: what a reader may not read is neither found, shown to the model, quoted nor named.

The model is one that repeats all it is shown, so whatever reaches the prompt would reach the answer.
"""

from __future__ import annotations

import json
import string
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.messages import BaseMessage

from bot.answering.flow import AnswerFlow
from bot.live import Live
from bot.messages import Finished, Question
from knowledge.build import BuildOptions, build
from knowledge.edition import EditionShelf
from knowledge.korean import Analyser
from knowledge.page import Audience, reader_of
from knowledge.search import SearchIndex
from knowledge.sources import FolderAudience, SourceConfig, open_source
from knowledge.sources.folder import FolderOptions
from tests.fakes.hash_embedder import HashEmbedder
from tests.fakes.scripted_writer import ScriptedWriter

GROUPS = ("hr", "it", "slack:channel:C1", "discord:role:7")
TOPICS = ("연차 휴가", "법인카드 한도", "출장 일비", "연봉 상한", "서버 장애", "채용 계획")
READERS = st.frozensets(st.sampled_from(GROUPS))
DEMANDS = st.one_of(st.none(), st.lists(st.sampled_from((*GROUPS, "everyone")), min_size=1, max_size=2, unique=True))


@dataclass(frozen=True)
class Written:
    """One page of the wiki of a test: who must be among its readers, said in three places; None: not said there."""

    topic: str
    folder: str
    own: list[str] | None

    def text(self, secret: str) -> str:
        front = f"---\naudience: {json.dumps(self.own)}\n---\n" if self.own is not None else ""
        return f"{front}# {self.topic} {secret}\n\n{self.topic} 기준은 {secret} 규정에 따라 정합니다. {secret} 담당에게 알립니다.\n"


PAGES = st.lists(
    st.builds(Written, st.sampled_from(TOPICS), st.sampled_from(("공개", "인사", "전산")), DEMANDS),
    min_size=3,
    max_size=6,
)


def secret_of(number: int) -> str:
    """A word that stands on one page alone, and in no question."""
    letters = string.ascii_uppercase
    return f"Zeta{letters[number]}{letters[number + 7]}quill"


def may_read(page: Written, source: list[str] | None, rules: dict[str, list[str]], reader: frozenset[str]) -> bool:
    """Said again in plain words, not by the code that is tested."""
    demands = [demand for demand in (source, rules.get(page.folder), page.own) if demand is not None]
    return all("everyone" in demand or reader & set(demand) for demand in demands)


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(
    pages=PAGES,
    source=DEMANDS,
    rules=st.dictionaries(
        st.sampled_from(("인사", "전산")), DEMANDS.filter(lambda demand: demand is not None), min_size=1
    ),
    reader=READERS,
    asked=st.lists(st.sampled_from(TOPICS), min_size=1, max_size=2),
    earlier=st.lists(st.sampled_from(TOPICS), max_size=2),
)
async def test_nothing_outside_the_readers_audience_is_found_shown_or_named(
    analyser: Analyser,
    pages: list[Written],
    source: list[str] | None,
    rules: dict[str, list[str]],
    reader: frozenset[str],
    asked: list[str],
    earlier: list[str],
) -> None:
    with TemporaryDirectory() as folder:
        index = indexed(Path(folder), analyser, pages, source, rules)
        question = f"{' '.join(asked)} 기준은 무엇입니까?"
        prompts: list[str] = []

        def parrot(messages: Sequence[BaseMessage]) -> str:
            prompts.extend(message.text for message in messages)
            return messages[-1].text

        live = Live(index, analyser, ScriptedWriter(script=parrot), "scripted", None, "test", 0.0)
        flow = AnswerFlow(lambda: live)
        wanted = Question(
            question, id="q", groups=reader, turns=tuple(f"{topic} 기준은 무엇입니까?" for topic in earlier)
        )
        events = [event async for event in flow.stream(wanted)]
        nearest = await flow.nearest(wanted, 10)
        answer = next(event.answer for event in events if isinstance(event, Finished))
        hits = index.search(question, reader_of(reader), 20).hits
        seen = "\n".join(
            [*prompts, repr(events), repr(nearest), repr(hits), json.dumps(answer.as_json(), ensure_ascii=False)]
        )
        for number, page in enumerate(pages):
            if not may_read(page, source, rules, reader):
                assert secret_of(number) not in seen
                assert f"{page.folder}/{number}.md" not in seen
        readable = [n for n, page in enumerate(pages) if may_read(page, source, rules, reader)]
        if readable:
            await assert_as_if_nothing_else_existed(Path(folder) / "bare", analyser, index, pages, readable, wanted)
        asked_for = [n for n in readable if pages[n].topic in asked]
        if asked_for:  # and what may be read is found: a search that finds nothing would pass, too
            assert {hit.passage.page for hit in hits} >= {f"{pages[n].folder}/{n}.md" for n in asked_for}


async def assert_as_if_nothing_else_existed(
    folder: Path, analyser: Analyser, index: SearchIndex, pages: list[Written], readable: list[int], wanted: Question
) -> None:
    """What may not be read influences nothing: hits, scores and the whole answer are those of a wiki without it."""
    open_to_all = {n: Written(pages[n].topic, pages[n].folder, None) for n in readable}
    bare = indexed(folder, analyser, open_to_all, None, {})

    def alike(one: SearchIndex, groups: frozenset[str]) -> list[object]:
        found = one.search(wanted.text, reader_of(groups), 20)
        hits = [
            (hit.passage.page, hit.passage.text, hit.score, hit.dense, hit.coverage, hit.shares) for hit in found.hits
        ]
        return [hits, found.evidence, found.understood, found.text]

    assert alike(index, wanted.groups) == alike(bare, frozenset())
    told = []
    for one in (index, bare):
        prompts: list[str] = []

        def parrot(messages: Sequence[BaseMessage], prompts: list[str] = prompts) -> str:
            prompts.extend(message.text for message in messages)
            return messages[-1].text

        live = Live(one, analyser, ScriptedWriter(script=parrot), "scripted", None, "test", 0.0)
        answer = await AnswerFlow(lambda live=live: live).answer(wanted)  # type: ignore[misc]
        told.append((answer.outcome, answer.text, answer.citations, answer.nearest, answer.condensed, prompts))
    assert told[0] == told[1]


def indexed(
    folder: Path,
    analyser: Analyser,
    pages: Sequence[Written] | dict[int, Written],
    source: list[str] | None,
    rules: dict[str, list[str]],
) -> SearchIndex:
    """An edition of `pages`, as `saseo index` makes it."""
    for number, page in pages.items() if isinstance(pages, dict) else enumerate(pages):
        path = folder / "wiki" / page.folder / f"{number}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page.text(secret_of(number)), encoding="utf-8")
    config = SourceConfig(
        "wiki",
        Audience.of(source if source is not None else ["everyone"]),
        folder / "home",
        folders=tuple(FolderAudience((f"{name}/**",), Audience.of(demand)) for name, demand in rules.items()),
    )
    shelf = EditionShelf(folder / "editions")
    options = BuildOptions(shelf, folder / "cache.sqlite", HashEmbedder.id)
    build([open_source("folder", config, FolderOptions(folder / "wiki"))], options, lambda: analyser, HashEmbedder)
    return SearchIndex(shelf.open(), analyser, HashEmbedder())
