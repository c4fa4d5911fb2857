"""A follow-up and its conversation → one question that can be searched alone. No model: a rule answers in a millisecond.

"그럼 신청은 어디서 해?" after "연차는 며칠이야?" is searched as "연차 그럼 신청은 어디서 해?".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from knowledge.closeness import Coverage
from knowledge.hits import Found, Hit
from knowledge.korean import Analyser, normalise

_LEANING = re.compile(
    r"^\s*(그럼|그러면|그렇다면|그건|그거|그것|그게|그때|그런데|근데|거기|그곳|그쪽|그 |그리고|아니면|만약|만일"
    r"|이건|이거|이것|여기|저기|아까|방금|또)"
)
_POINTING = frozenset({"NP"})  # pronouns: 이것, 거기, 그때
_SPEAKING = frozenset("나 저 우리 저희 너 너희 당신 여러분 아무".split())
"""Pronouns for whoever speaks or listens: they point at nobody's earlier words."""
_EMPTY_NOUNS = frozenset(
    (
        "경우 것 거 수 때 그때 방법 얼마 언제 어디 누구 무엇 뭐 며칠 몇 왜 어떻게 차이 "
        "다음 이후 이전 가능 필요 추가 정도 사람 번"
    ).split()
)
"""Nouns that name no topic."""

_OWN_SHARE, _OWN_HITS = 0.5, 3
"""Of the question's own words that one of the best passages holds, where the earlier question was added to it."""


def nouns(tagged: Sequence[tuple[str, str]]) -> list[str]:
    """The nouns and foreign words that carry a topic, in order, once each."""
    found = [
        form for form, tag in tagged if tag.split("-")[0] in {"NNG", "NNP", "SL", "XR"} and form not in _EMPTY_NOUNS
    ]
    return list(dict.fromkeys(found))


def leans_on_earlier(question: str, tagged: Sequence[tuple[str, str]]) -> bool:
    """Whether the question makes little sense alone: it points back, or names at most one topic."""
    return _points_back(question, tagged) or (len(nouns(tagged)) <= 1 and len(question) <= 25)


def _points_back(question: str, tagged: Sequence[tuple[str, str]]) -> bool:
    return _LEANING.match(question) is not None or any(
        tag.split("-")[0] in _POINTING and form not in _EMPTY_NOUNS | _SPEAKING for form, tag in tagged
    )


def condense(
    question: str, turns: Sequence[str], analyser: Analyser, *, idf: Callable[[str], float] | None = None, most: int = 4
) -> tuple[str, tuple[str, ...]]:
    """(question to search with, the earlier questions it leans on). A question that stands alone comes back as it is.

    The topic comes from the last question that stood alone and those after it; with `idf` the rarest nouns are kept.
    """
    if not turns or not leans_on_earlier(question, analyser.tagged(question)):
        return question, ()
    start = len(turns) - 1
    while start > 0 and leans_on_earlier(turns[start], analyser.tagged(turns[start])):
        start -= 1
    used = tuple(turns[start:])
    present = set(nouns(analyser.tagged(question)))
    topic = [noun for turn in used for noun in nouns(analyser.tagged(turn)) if noun not in present]
    topic = list(dict.fromkeys(topic))
    if idf is not None and len(topic) > most:
        kept = set(sorted(topic, key=lambda noun: -idf(noun))[:most])
        topic = [noun for noun in topic if noun in kept]
    return " ".join([*topic[:most], question]), used


def may_stand_alone(question: str, analyser: Analyser) -> bool:
    """Whether a question leans only because it is short: it names something and points at nothing ("식대는 얼마야?")."""
    tagged = analyser.tagged(question)
    return not _points_back(question, tagged) and bool(nouns(tagged))


def names_only_unknown(question: str, found: Found, analyser: Analyser, idf: Callable[[str], float]) -> bool:
    """Whether no readable passage has any of the nouns of `question`, also as the search understood them. `idf`: of what is readable."""
    asked = normalise(question)
    words = [question, *(one.meant for one in found.understood if normalise(one.written) in asked)]
    named = [noun for text in words for noun in nouns(analyser.tagged(text))]
    return bool(named) and all(idf(noun) >= idf("") for noun in named)  # nothing holds the empty word


def still_about(question: str, hits: Sequence[Hit], analyser: Analyser, idf: Callable[[str], float]) -> bool:
    """Whether what was found with the earlier question added is about `question`, too, and not about the earlier one alone.

    The pages always say something about that one: they answered it. "우승팀이 어디야?" after a question about leave is still about nothing
    that the wiki has.
    """
    coverage = Coverage(question, analyser, idf)
    return any(coverage.of(hit.passage.indexed_text) >= _OWN_SHARE for hit in hits[:_OWN_HITS])
