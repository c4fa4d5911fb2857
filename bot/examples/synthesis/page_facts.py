"""Questions that a page itself asks and answers, and steps under a heading → facts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bot.examples.synthesis import topics
from bot.examples.synthesis.fact import Fact
from bot.examples.synthesis.wording import Wording, with_particle
from knowledge.page import Passage

_STEP = re.compile(r"^\d{1,2}[.)]\s+")
_HOW = re.compile(r"(?:신청|예약|등록|반납|정산|접수|처리|신고|청구|제출|발급|승인|교체|절차|방법|하기)$")
_ACTS = frozenset("신청 예약 등록 반납 정산 접수 처리 신고 청구 제출 발급 승인 교체 절차 방법 순서".split())
_HALF = re.compile(r" \| |(?:면|데|고|지만)요\?$")
"""Half a question ("주말에 이동하면요?") is one only under its heading."""
_LABEL = re.compile(r"^(?:Q|질문|문)\s*[.:)]\s*")
_ANSWER_LABEL = re.compile(r"^(?:A|답변|답)\s*[.:)]\s*")
_BARE_WORDS = re.compile(
    r"^(?:네|예|아니요|아니오|아닙니다|맞습니다|그렇습니다|됩니다|안 됩니다|나옵니다|있습니다|없습니다)[.,]?$"
)
_POINTER = re.compile(r"참고|보십시오|확인해 주|적어 두었|에 있습니다$")
_LONGEST_QUESTION, _LONGEST_ANSWER = 60, 110


def faq(passage: Passage, lines: Sequence[tuple[str, str]], wording: Wording, blocks: Sequence[int]) -> Iterator[Fact]:
    """A sentence with a question mark, and the one or two that follow it. `blocks`: on which line of the page each sentence stands."""
    for place, (line, topic) in enumerate(lines):
        question = _LABEL.sub("", line).strip()
        if not question.endswith("?") or not 8 <= len(question) <= _LONGEST_QUESTION or _HALF.search(question):
            continue
        used: list[str] = []
        said: list[str] = []
        alone = blocks[place + 1 : place + 2] != [
            blocks[place]
        ]  # the answer is then the line below, else the rest of this one
        within = blocks[place] + alone
        for n, (follow, _) in enumerate(lines[place + 1 : place + 4], start=place + 1):
            if follow.endswith("?") or " | " in follow or _STEP.match(follow) or blocks[n] != within:
                break
            if _BARE_WORDS.match(follow):
                continue
            text = wording.statement(_ANSWER_LABEL.sub("", follow))
            if text is None:
                break
            if not _POINTER.search(text):
                used.append(follow)
                said.append(text)
            if len(said) == 2:
                break
        if said and sum(map(len, said)) > _LONGEST_ANSWER:
            said, used = said[:1], used[:1]
        if said and not said[0].startswith(("다만", "단,")):
            yield Fact("faq", passage, tuple(used), question, tuple(said), "", topic)


def steps(
    passage: Passage, lines: Sequence[tuple[str, str]], wording: Wording, headings: Sequence[str]
) -> Iterator[Fact]:
    """`headings`: under which each line stands, as written. Only what is done in two or three steps: all of them are the answer."""
    place = 0
    while place < len(lines):
        size = _length(lines, headings, place)
        under, topic = headings[place], topics.of_title(passage.title)
        used = [line for line, _ in lines[place : place + size]]
        said = [wording.statement(_STEP.sub("", line)) for line in used]
        place += max(size, 1)
        name = re.sub(r"하기$", "", under)
        if size not in (2, 3) or not _HOW.search(under) or not topic or None in said:
            continue
        if all(word in _ACTS for word in name.split()):
            name = f"{topic} {name}"
        asking = f"{with_particle(name, '은')} 어떻게 합니다"
        if name.endswith(("절차", "방법")):
            asking = f"{with_particle(name, '이')} 어떻게 됩니다"
        sentences = tuple(one for one in said if one is not None)
        yield Fact("steps", passage, tuple(used), asking, sentences, "", topic, f"{name} 어떻게")


def _length(lines: Sequence[tuple[str, str]], headings: Sequence[str], first: int) -> int:
    """How many steps begin at `first`: "1. …", "2. …" under one heading. A step may go on over more sentences: then none."""
    size = 0
    while first + size < len(lines) and lines[first + size][0].startswith((f"{size + 1}. ", f"{size + 1}) ")):
        size += 1
    after = first + size
    goes_on = (
        after < len(lines) and headings[after] == headings[first] and size > 0 and bool(_STEP.match(lines[after][0]))
    )
    return 0 if goes_on else size
