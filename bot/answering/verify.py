"""Is a sentence of the answer really in the passages? Language, quantities, names, negation, and the passage to cite.

Every sentence is checked before anybody sees it. A sentence that fails is left out; it is never "corrected".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from bot.answering.excerpts import Excerpt
from bot.answering.quantities import unsupported
from knowledge.korean import Analyser
from knowledge.sentences import sentences

Problem = Literal["empty", "refusal", "language", "number", "name", "negation", "support"]

SUPPORT = 0.4
"""Least IDF-weighted share of a sentence's content morphemes that one passage must hold."""

RESTATED = 0.3
"""Weight of a word that the sentence repeats from the question and the passage puts differently."""

ECHO = 0.8
"""Share of the question, or of one of its sentences, from which its words said again are an echo."""

MARKS = re.compile(r"\s*\[(\d{1,2}(?:\s*,\s*\d{1,2})*)\]")
"""The writer's marks, [1] or [1, 2], with the white space before them."""
_REFUSAL = re.compile(
    # Of what is known and written, not of what may be done: "문서는 메일로 보낼 수 없습니다" is a rule.
    r"(?:문서|위키|자료|정보|내용).{0,20}(?:"
    r"(?:확인|찾|답변?|알(?=\s?수)|알려 ?드릴)[가-힣 ]{0,5}\s?수[가는도]?\s?없"
    r"|(?:확인|나와|나오|언급|포함|명시|기재|기술|설명|적혀|쓰여|다루|찾아볼)[가-힣 ]{0,6}지[는도]? ?않)"
    r"|(?:문서|위키|자료|정보|내용)[가-힣]{0,3} ?없(?:습니다|음|다)"
    r"|(?:문서|위키|자료)(?:에|에는|에도|에서|에서는) (?!따르면|의하면).{0,12}(?<!수 )(?<!수는 )(?<!필요 )(?<!필요가 )없(?:습니다|음)"
    r"|확인할 수 없습니다"
)
_NEGATED = re.compile(
    r"없|않|(?<!잘)못[하합해한할했]|아니|아닙|불가(?!피|결)|불허|불필요(?!한|하게)|제외|금지|말아야|삼가|미지급|(?<!사)무관"
    r"|(?<![가-힣])안(?: [가-힣]|[되된될됩돼됐됨])"
    # 하지 마십시오, 하지 말고; not 7일까지 마시고, 메시지 말고, 하지 마련.
    r"|(?<!까)(?<!메시)(?<!이미)(?<!페이)지(?:는|도|를)? ?(?:마(?:[세시십실라]|(?![가-힣]))|말(?:[고라자아며도길]| ?것)|맙시다)"
)
_LATIN = re.compile(r"[A-Za-z][A-Za-z0-9.+#-]+")
_DOUBLED = re.compile(r"([.!])\1+$")  # "합니다. [1]." without its mark
_OFFERED = r"(?:이?(?:야|냐|니|지|죠|에요|예요)|인[가지]|일까|입니까|\s?(?:,|/|아니면|또는|혹은|이나|vs))"
"""What follows an answer that a question offers: 4만 원이야, 5만 원이야?"""
_LABEL = re.compile(r"^\s*(답변|답|A)\s*[::]\s*")


@dataclass(frozen=True, slots=True)
class Checked:
    """A sentence without the writer's own marks; `cites` are places in the excerpts (from 0). `problem`: why it is out."""

    text: str
    cites: tuple[int, ...] = ()
    problem: Problem | None = None
    supports: tuple[float, ...] = field(default=(), compare=False)
    """Of each excerpt: the share of the sentence's weight that it holds; empty: not looked at."""


def check(
    sentence: str, shown: Sequence[Excerpt], question: str, analyser: Analyser, idf: Callable[[str], float]
) -> Checked:
    """Judge one sentence against the excerpts the writer saw."""
    claimed = [number - 1 for number in marks_of(sentence)]
    text = _DOUBLED.sub(r"\1", _LABEL.sub("", MARKS.sub("", sentence)).strip())
    # A question from a page's FAQ, or the person's own words again, answers nothing.
    if not any(character.isalnum() for character in text) or text.endswith("?") or _echoes(text, question):
        return Checked(text, problem="empty")
    if wrong_language(text, [excerpt.shown for excerpt in shown]):
        return Checked(text, problem="language")
    tokens = frozenset(analyser.morphemes(text))
    restated = frozenset(analyser.morphemes(question))
    supports = tuple(_support(tokens, restated, excerpt, idf) for excerpt in shown)
    ranked = sorted(range(len(shown)), key=lambda i: (-supports[i], i))
    if _REFUSAL.search(text) and (not ranked or supports[ranked[0]] < 0.9):
        return Checked(text, problem="refusal", supports=supports)
    if not ranked or supports[ranked[0]] < SUPPORT:
        return Checked(text, problem="support", supports=supports)
    cites = _cites(text, ranked, supports, [place for place in claimed if 0 <= place < len(shown)], shown)
    if unsupported(text, [shown[place].shown for place in cites]):
        return Checked(text, problem="number", supports=supports)
    if _invents_a_name(text, question + "\n" + "\n".join(shown[place].shown for place in cites), analyser):
        return Checked(text, problem="name", supports=supports)
    if _turns_around(text, tokens, [shown[place] for place in cites], analyser):
        return Checked(text, problem="negation", supports=supports)
    return Checked(text, tuple(sorted(cites)), supports=supports)


def marks_of(sentence: str) -> list[int]:
    """The numbers that it is marked with, as they stand."""
    return [int(number) for mark in MARKS.findall(sentence) for number in mark.split(",")]


def _echoes(text: str, question: str) -> bool:
    """Whether it only says the question's words again: all of them, or its topic ("출장 일비."); not an answer that it offers."""
    said = text.rstrip(".")
    if said not in question:
        return False
    asked = [one.rstrip(" .?!…") for one in (question, *sentences(question))]
    if any(said in one and len(said) >= ECHO * len(one) for one in asked):
        return True
    return not re.search(re.escape(said) + _OFFERED, question)


def _invents_a_name(text: str, known: str, analyser: Analyser) -> bool:
    """A Latin word, or what Kiwi takes for a proper noun, that stands neither in the question nor in the cited pages."""
    allowed = "".join(known.lower().split())
    names = [name.rstrip(".") for name in _LATIN.findall(text)]
    names += [form for form, tag in analyser.tagged(text) if tag == "NNP" and len(form) > 1]
    return any("".join(name.lower().split()) not in allowed for name in names)


def wrong_language(text: str, passages: Sequence[str]) -> bool:
    """Another script than the passages use, or a sentence without Hangul that is not simply quoted."""
    known = set("".join(passages))
    scripts = {"CJK", "HIRAGANA", "KATAKANA", "CYRILLIC", "THAI", "ARABIC"}
    for character in text:
        if character.isalpha() and character not in known:
            script = unicodedata.name(character, "").split(" ")[0]
            if script in scripts:
                return True
    hangul = sum("가" <= character <= "힣" for character in text)
    latin = sum(character.isascii() and character.isalpha() for character in text)
    quoted = text.strip(" .,!?…\"'“”").lower()  # an address with the sentence's full stop behind it
    return not hangul and latin > 12 and not any(quoted in passage.lower() for passage in passages)


def _support(tokens: frozenset[str], restated: frozenset[str], excerpt: Excerpt, idf: Callable[[str], float]) -> float:
    """Share of the sentence's weight that the excerpt holds; words taken over from the question claim little themselves."""
    weights = {t: idf(t) * (RESTATED if t in restated and t not in excerpt.morphemes else 1.0) for t in tokens}
    total = sum(weights.values())
    return sum(weights[token] for token in tokens & excerpt.morphemes) / total if total else 0.0


def _cites(
    text: str, ranked: Sequence[int], supports: Sequence[float], claimed: Sequence[int], shown: Sequence[Excerpt]
) -> list[int]:
    """The writer's own mark if it is nearly the best supported, else the best; more only where quantities need them."""
    best = supports[ranked[0]]
    honest = [place for place in dict.fromkeys(claimed) if supports[place] >= max(SUPPORT, best - 0.1)]
    cites = honest or [ranked[0]]
    for place in ranked:
        missing = unsupported(text, [shown[cited].shown for cited in cites])
        if not missing:
            break
        if place not in cites and supports[place] >= SUPPORT / 2:
            fewer = unsupported(text, [shown[cited].shown for cited in [*cites, place]])
            if len(fewer) < len(missing):
                cites.append(place)
    return cites


def _turns_around(text: str, tokens: frozenset[str], cited: Sequence[Excerpt], analyser: Analyser) -> bool:
    """Says no where the nearest sentences say yes, or the reverse: a small model's most dangerous slip."""
    statements = [
        (said, tokens & set(analyser.morphemes(sentence)))
        for excerpt in cited
        for sentence, said in _statements(excerpt)
    ]
    most = max((len(shared) for _, shared in statements), default=0)
    nearest = [said for said, shared in statements if most and len(shared) >= 0.7 * most]
    if not nearest:
        return False
    negated = bool(_NEGATED.search(text))
    return all(bool(_NEGATED.search(sentence)) != negated for sentence in nearest)


def _statements(excerpt: Excerpt) -> list[tuple[str, str]]:
    """(sentence, what it says), verbatim: a FAQ's question together with the sentence that answers it, which alone says yes or no."""
    found: list[tuple[str, str]] = []
    for sentence in excerpt.sentences:
        asked = found[-1][0] if found and found[-1][0].endswith("?") else ""
        pairs = (f"{asked}{gap}{sentence}" for gap in (" ", "\n", "\n\n") if asked)
        if pair := next((one for one in pairs if one in excerpt.passage.text), ""):
            found[-1] = (pair, sentence)
        else:
            found.append((sentence, sentence))
    return found


def quote_for(text: str, excerpt: Excerpt, analyser: Analyser) -> str:
    """The sentence of the passage that carries `text`, verbatim; a FAQ's answer with its question."""
    tokens = set(analyser.morphemes(text))
    if not excerpt.sentences:
        return excerpt.text[:200]
    statements = [sentence for sentence, _ in _statements(excerpt)]
    shared = [len(tokens & set(analyser.morphemes(sentence))) for sentence in statements]
    return statements[shared.index(max(shared))]
