"""Names of the glossary in a question → the other names of the same thing that this reader's pages use."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from knowledge.glossary import Glossary
from knowledge.hits import Understood
from knowledge.korean import Analyser
from knowledge.lexicon import Lexicon
from knowledge.readers import View
from knowledge.wording import Alternative, Words

MOST_NAMES, MOST_OTHERS = 4, 6
"""Names of one question that are looked up, and other names of each that are searched."""
WEIGHT = 0.8
"""What another name counts beside the written one."""


class Synonyms:
    """Of one glossary, for one edition. Made once; a lookup costs nothing that grows with the wiki."""

    def __init__(self, glossary: Glossary, analyser: Analyser, morphemes: Lexicon) -> None:
        self._morphemes = morphemes
        self._analyser = analyser
        self._names: dict[str, list[tuple[Words, int]]] = {}
        self._entries: list[tuple[Words, ...]] = []
        for number, entry in enumerate(glossary.entries):
            names = tuple(Words(name, self.bare(analyser.morphemes(name))) for name in entry.names)
            self._entries.append(names)
            for name in names:
                if name.tokens:
                    self._names.setdefault(name.tokens[0], []).append((name, number))
        for known in self._names.values():
            known.sort(key=lambda one: -len(one[0].tokens))  # the longest name that fits

    def bare(self, tokens: Sequence[str]) -> tuple[str, ...]:
        """Without compounds of the glossary, whose parts stand behind them: written apart or together, a name looks alike."""
        return tuple(token for token in tokens if not self._analyser.is_whole(token))

    def of(self, tokens: Sequence[str], view: View) -> list[Alternative]:
        """At most `MOST_NAMES`, in the order of the question. Names that no page of the reader uses are left out."""
        bare = self.bare(tokens)
        found: list[Alternative] = []
        at = 0
        while at < len(bare) and len(found) < MOST_NAMES:
            match = next(
                (one for one in self._names.get(bare[at], ()) if bare[at : at + len(one[0].tokens)] == one[0].tokens),
                None,
            )
            if match is None:
                at += 1
                continue
            written, number = match
            at += len(written.tokens)
            others = [
                name for name in self._entries[number] if name.tokens != written.tokens and self._used(name, view)
            ]
            if others:
                chosen = tuple(others[:MOST_OTHERS])
                notes = tuple(Understood("glossary", written.text, other.text) for other in chosen)
                found.append(Alternative(written, chosen, WEIGHT, notes))
        return found

    def _used(self, name: Words, view: View) -> bool:
        """Whether a passage that the reader may see holds every morpheme of the name."""
        if not name.tokens:
            return False
        holders = (self._morphemes.holders(token) for token in name.tokens)
        return view.holds(reduce(lambda a, b: np.intersect1d(a, b, assume_unique=True), holders))
