"""Whether what a writer said over given passages is a refusal: sentence by sentence and by the same check as in the flow, so that a
LoRA gains nothing here by the very words of the prompt, and loses nothing by others that mean the same."""

from __future__ import annotations

from collections.abc import Sequence

from bot.answering.excerpts import Excerpt, shown_whole
from bot.answering.sentence_stream import SentenceStream
from bot.answering.verify import check
from knowledge.korean import Analyser
from knowledge.page import Passage


def refused(text: str, asked: str, passages: Sequence[str], analyser: Analyser) -> bool:
    """As `bot.answering.compose.Composer` takes sentences: a refusal counts until a sentence has been said that holds.

    `asked`: the question and the earlier ones.
    """
    shown = [_excerpt(one, analyser) for one in passages]
    stream = SentenceStream()
    for sentence in [*stream.feed(text), stream.rest]:
        # Every word is as rare as any other: these answers are kept apart from the wiki's editions, which count words.
        problem = check(sentence, shown, asked, analyser, lambda _: 1.0).problem
        if problem == "refusal":
            return True
        if problem in (None, "language"):
            return False
    return False


def _excerpt(passage: str, analyser: Analyser) -> Excerpt:
    """Of a heading line and the text under it, as the prompt shows them."""
    heading, _, text = passage.partition("\n")
    return shown_whole(Passage("", "", 0, heading, (), text), analyser)
