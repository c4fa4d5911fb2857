"""Stream the writer, check each sentence as it is completed, show what holds. Falls back to quotes when writing fails.

The writer's stream is read here and nowhere else. Sentences once shown stay; a failing one is simply not shown.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Protocol

from bot import prompts, texts
from bot.answering.excerpts import Excerpt
from bot.answering.extractive import best_quotes, unmarked
from bot.answering.sentence_stream import SentenceStream
from bot.answering.tracer import Tracer
from bot.answering.verify import Checked, check, quote_for
from bot.errors import ModelError, WriterFailed, WriterTimeout, WritingError
from bot.live import Live
from bot.messages import Event, Progressed, Tokens, Wrote
from bot.writers.engine import UnlessSure
from knowledge.closeness import Closeness

ABOUT_IT = 0.1
"""How far above the edition's threshold the first sentence must be: one that is not is true, but beside the point."""
SAFE_TO_QUOTE = 0.4
"""How far above it a sentence must be to be quoted after the writer's own words failed the checks."""

Verdict = Literal["done", "again", "refused", "nothing"]


@dataclass(frozen=True, slots=True)
class Composed:
    """What came of one try. `sentences` were all shown, in this order; `text` is exactly what was shown."""

    sentences: tuple[Checked, ...]
    text: str
    verdict: Verdict
    notes: tuple[str, ...]
    tokens: Tokens = Tokens()
    first_token: float | None = None
    extractive: bool = False
    thrown_away: bool = False
    """A writer was asked for what is extractive: none of its words held, or it broke off before the first."""
    cost_krw: float = 0.0

    def after(self, earlier: Composed) -> Composed:
        """This try with the cost of the one before it."""
        return dataclasses.replace(
            self,
            tokens=Tokens(self.tokens.read + earlier.tokens.read, self.tokens.written + earlier.tokens.written),
            first_token=earlier.first_token if earlier.first_token is not None else self.first_token,
            notes=(*earlier.notes, *self.notes),
            cost_krw=earlier.cost_krw + self.cost_krw,
        )


class RunOffLoop(Protocol):
    """Runs CPU work in the search thread."""

    def __call__(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Awaitable[Any]:
        """Await `work(*args, **kwargs)`."""


class Composer:
    """Writes one answer over one set of excerpts."""

    def __init__(
        self,
        live: Live,
        question: str,
        searched: str,
        turns: Sequence[str],
        shown: Sequence[Excerpt],
        *,
        rarity: Callable[[str], float],
        run: RunOffLoop,
        emit: Callable[[Event], None],
        since: Callable[[], float],
        language: texts.Language,
        tracer: Tracer | None = None,
    ) -> None:
        """`searched`: the condensed question; `rarity`: how rare a morpheme is in what the reader may read; `since`:
        seconds since the question arrived."""
        self._tracer = tracer or Tracer()
        self._live = live
        self._question = question
        self._searched = searched
        self._turns = turns
        self._shown = shown
        self._rarity = rarity
        self._run = run
        self._emit = emit
        self._since = since
        self._language = language
        self._sentences: list[Checked] = []
        self._text = ""
        self._notes: list[str] = []
        self._cost = 0.0

    @cached_property
    def _closeness(self) -> Closeness:
        """CPU work: first touched in the search thread."""
        return self._live.index.closeness(self._searched, self._rarity)

    async def write(
        self,
        *,
        asker: str,
        max_tokens: int,
        temperature: float,
        seed: int,
        timeout: float,
        last_try: bool,
        sure: float = 0.0,
    ) -> Composed:
        """Write, or quote where no writer can. `sure`: how sure the writer must be to refuse at once."""
        if self._live.writer is None:
            return await self._quote("no_writer")
        self._emit(Progressed("writing"))
        tokens, first_token, stopped = Tokens(), None, None
        stream, pending = SentenceStream(), ""
        messages = prompts.prompt([excerpt.shown for excerpt in self._shown], self._question, self._turns)
        self._tracer.writes(messages)
        try:
            pieces = self._live.writer.astream(
                messages,
                asker=asker,
                max_tokens=max_tokens,
                temperature=temperature,
                seed=seed,
                timeout=timeout,
                lora=self._live.lora,
                unless_sure=UnlessSure(prompts.REFUSAL, sure) if sure else None,
            )
            try:
                async for piece in pieces:
                    if piece.content and first_token is None:
                        first_token = self._since()
                    if usage := getattr(piece, "usage_metadata", None):
                        tokens = Tokens(usage["input_tokens"], usage["output_tokens"])
                    for sentence in stream.feed(str(piece.content)):
                        stopped = await self._take(sentence)
                        if stopped:
                            break
                    if stopped:
                        break
                    if piece.response_metadata:
                        pending = str(piece.response_metadata.get("stop", ""))
                        self._cost += float(piece.response_metadata.get("cost_krw", 0.0))
                        self._tracer.wrote(piece.response_metadata)
                        if piece.response_metadata.get("held_back"):
                            self._notes.append("unsure_refusal")
            finally:
                await pieces.aclose()  # type: ignore[attr-defined]
        except (WritingError, ModelError) as error:
            self._notes.append(type(error).__name__)
            if not self._sentences:
                # A full queue or a model that is not there says nothing about who would have written.
                asked = isinstance(error, WriterFailed | WriterTimeout)
                return await self._quote("writer_failed", tokens, first_token, thrown_away=asked)
        else:
            # A last sentence cut off by the token limit says half of something; one that ran in circles says nothing.
            if not stopped and stream.rest:
                if pending not in ("length", "loop") or (pending == "length" and not self._sentences):
                    stopped = await self._take(stream.rest)
                else:
                    self._tracer.sentence(stream.rest, "cut")
        return await self._concluded(stopped, tokens, first_token, last_try=last_try)

    async def _take(self, sentence: str) -> Literal["refusal", "language"] | None:
        """Check one sentence and show it if it holds. Returns why to stop reading, if so."""
        with self._tracer.step("check"):
            checked: Checked = await self._run(
                check,
                sentence,
                self._shown,
                f"{self._question} {self._searched}",
                self._live.analyser,
                self._rarity,
            )
        if checked.problem is not None:
            self._tracer.sentence(checked.text, checked.problem, supports=checked.supports)
        if checked.problem == "refusal":
            return "refusal"
        if checked.problem == "language":
            self._notes.append("wrong_language")
            return "language"
        if checked.problem is not None:
            if checked.problem != "empty":
                self._notes.append(f"removed_{checked.problem}")
            return None
        if any(checked.text == said.text for said in self._sentences):
            self._tracer.sentence(checked.text, "repeated", checked.cites, checked.supports)
            return None
        # What follows a sentence that answers may explain it; before one, everything must be about the question.
        nearness: float | None = None
        if not self._sentences:
            with self._tracer.step("check"):
                nearness = await self._run(self._nearness, checked)
            # Hardly nearer to the question than questions about anything else are to this wiki.
            if nearness < self._live.threshold + ABOUT_IT:
                self._notes.append("removed_beside")
                self._tracer.sentence(checked.text, "beside", checked.cites, checked.supports, nearness)
                return None
        self._tracer.sentence(checked.text, "shown", checked.cites, checked.supports, nearness)
        self._show(checked)
        return None

    def _nearness(self, checked: Checked) -> float:
        """Of the sentence to the question, on the scale of evidence strength."""
        said = []
        for place in checked.cites:
            heading, quote = (
                self._shown[place].passage.context,
                quote_for(checked.text, self._shown[place], self._live.analyser),
            )
            said += [f"{heading}\n{checked.text}", f"{heading}\n{quote}"]  # a bare "12자." is near through its quote
        return float(max(self._closeness.of(said), default=0.0))

    def _show(self, checked: Checked, *, before: str = "") -> None:
        numbers = list(dict.fromkeys(place for said in [*self._sentences, checked] for place in said.cites))
        marks = "".join(f"[{numbers.index(place) + 1}]" for place in checked.cites)
        text = f"{before}{checked.text} {marks}".strip(" ")
        if self._text and not before:
            text = ("\n" if checked.text.startswith(("-", "•")) else " ") + text
        self._sentences.append(checked)
        self._text += text
        self._emit(Wrote(text))

    async def _concluded(
        self,
        stopped: Literal["refusal", "language"] | None,
        tokens: Tokens,
        first_token: float | None,
        *,
        last_try: bool,
    ) -> Composed:
        def composed(verdict: Verdict) -> Composed:
            said, notes = tuple(self._sentences), tuple(self._notes)
            return Composed(said, self._text, verdict, notes, tokens, first_token, cost_krw=self._cost)

        if self._sentences:
            return composed("done")
        if stopped == "refusal":
            self._notes.append("writer_refused")
            return composed("refused")
        if stopped == "language" and not last_try:
            return composed("again")
        quoted = await self._quote(
            "ungrounded", tokens, first_token, floor=self._live.threshold + SAFE_TO_QUOTE, thrown_away=True
        )
        return quoted if quoted.sentences else composed("nothing")

    async def _quote(
        self,
        why: str,
        tokens: Tokens | None = None,
        first_token: float | None = None,
        *,
        floor: float = float("-inf"),
        thrown_away: bool = False,
    ) -> Composed:
        """The nearest sentences at or above `floor`, as they stand; none shows nothing."""
        self._notes.append(why)
        with self._tracer.step("quote"):
            quotes: list[tuple[str, int]] = await self._run(
                lambda: best_quotes(self._closeness, self._shown, floor=floor)
            )
        head = texts.quoting(self._language)
        for i, (sentence, place) in enumerate(quotes):
            self._tracer.sentence(sentence, "quoted", (place,))
            self._show(Checked(f"“{unmarked(sentence)}”", (place,)), before=f"{head}\n- " if not i else "\n- ")
        return Composed(
            tuple(self._sentences),
            self._text,
            "done",
            tuple(self._notes),
            tokens or Tokens(),
            first_token,
            extractive=True,
            thrown_away=thrown_away,
            cost_krw=self._cost,
        )
