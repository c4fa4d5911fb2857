"""How a question is read for one reader: which layout it was typed in, other names from the glossary, slips put right."""

from __future__ import annotations

from knowledge.glossary import Glossary
from knowledge.korean import Analyser, bigrams, normalise
from knowledge.lexicon import Lexicon
from knowledge.readers import View
from knowledge.spelling import Repair, Spelling
from knowledge.synonyms import Synonyms
from knowledge.wording import Wording


class Understanding:
    """Of one edition and one glossary. Everything it adds comes from passages that the reader may see."""

    def __init__(
        self, analyser: Analyser, morphemes: Lexicon, pairs: Lexicon, glossary: Glossary, *, tolerant: bool
    ) -> None:
        self._analyser = analyser
        self._synonyms = Synonyms(glossary, analyser, morphemes) if glossary.entries else None
        self._spelling = Spelling(analyser, morphemes, pairs) if tolerant else None

    def read(self, question: str, view: View) -> Wording:
        """The question as it is searched for this reader."""
        text, notes = self._spelling.relaid(question, view) if self._spelling else (question, ())
        tokens, pairs = self._analyser.morphemes(text), bigrams(text)
        alternatives = self._synonyms.of(tokens, view) if self._synonyms else []
        if self._spelling and self._spelling.suspicious(pairs, view):
            named = {token for one in alternatives for token in one.written.tokens}
            repairs = [
                one
                for one in self._spelling.repairs(text, view)
                if not named.intersection(one.alternative.written.tokens)
            ]
            alternatives += [one.alternative for one in repairs]
            if not repairs:
                torn = self._spelling.respaced(text, tokens, view)
                alternatives += [torn] if torn else []
            text = _repaired(text, repairs)
        return Wording(
            text,
            tuple(tokens),
            tuple(pairs),
            tuple(alternatives),
            (*notes, *(note for one in alternatives for note in one.understood)),
        )

    def counted(self, wording: Wording) -> tuple[str, ...]:
        """The morphemes that coverage is about: of a compound of the glossary its parts alone."""
        return self._synonyms.bare(wording.tokens) if self._synonyms else wording.tokens


def _repaired(text: str, repairs: list[Repair]) -> str:
    """The question with the words put in: what is embedded, and compared with sentences later."""
    if not repairs:
        return text
    normal = normalise(text)
    whole = text if len(normal) == len(text) else normal  # places count in the normalised text
    for one in sorted(repairs, key=lambda one: -one.start):
        whole = whole[: one.start] + one.text + whole[one.end :]
    return whole
