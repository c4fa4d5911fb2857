"""An answer without a model: the sentences of the passages that say most about the question, word for word."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.answering.excerpts import Excerpt
from knowledge.korean import Analyser


def best_quotes(
    question: str, shown: Sequence[Excerpt], analyser: Analyser, idf: Callable[[str], float], most: int = 2
) -> list[tuple[str, int]]:
    """(sentence, place in the excerpts), best first; at most `most`, and the second only if it is nearly as good."""
    wanted = frozenset(analyser.morphemes(question))
    scored = []
    for place, excerpt in enumerate(shown):
        heading = set(analyser.morphemes(excerpt.passage.context))
        for sentence in excerpt.sentences:
            tokens = set(analyser.morphemes(sentence))
            # What the heading says need not be said again by the sentence: it counts half.
            score = sum(idf(t) for t in wanted & tokens) + 0.5 * sum(idf(t) for t in (wanted & heading) - tokens)
            scored.append((score / (1 + 0.15 * place), sentence, place))
    scored.sort(key=lambda found: -found[0])
    return [(sentence, place) for score, sentence, place in scored[:most] if score >= 0.7 * scored[0][0]]
