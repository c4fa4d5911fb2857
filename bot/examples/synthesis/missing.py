"""Questions that the passages beside them do not answer, though they are about the same thing: near misses.

`without_passage`: the answering passage is not among them. `without_row`: the table is, its row is not. `unsaid`: the page is, but
it says nothing on what is asked. That nothing shown answers is checked: the value does not stand there, no other sentence of the
same kind is as near, and none of the words that would tell occurs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from bot.answering.excerpts import Excerpt
from bot.examples.synthesis.asking import REGISTERS, Asked, Asker
from bot.examples.synthesis.fact import Fact
from bot.examples.synthesis.table_facts import is_range
from bot.examples.synthesis.wording import Register, with_particle

NEAR = 0.55
"""Share of the question's weight from which another sentence might be taken for its answer."""


@dataclass(frozen=True, slots=True)
class Miss:
    """A question and what is shown beside it."""

    question: str
    shown: tuple[Excerpt, ...]


@dataclass(frozen=True, slots=True)
class _Unsaid:
    """`asking` with {t} for the topic; `only` on pages about these words; `tells`: words of which none may be shown."""

    asking: str
    tells: str
    only: str = ""


_UNSAID = (
    _Unsaid(
        "지난해 {t} 건수는 모두 몇 건입니다",
        "지난해|작년|건수|통계",
        "신청|장애|출장|구매|계약|방문|추천|휴직|신고|검진|정산",
    ),
    _Unsaid("{t} 업무를 맡은 사람은 모두 몇 명입니다", "인원|명이 맡|명이 일|명을 두"),
    _Unsaid("{t} 기준을 처음 만든 해는 언제입니다", "처음 (?:생|만|시행)|도입|년에 시작|년부터|제정"),
    _Unsaid("내년에 {t} 기준이 어떻게 바뀝니다", "내년|바뀔|개편|개정 예정|개정 이력|변경 이력"),
    _Unsaid("다른 회사는 {t_o} 어떻게 운영합니다", "다른 회사|타사|업계|동종"),
    _Unsaid(
        "{t} 관련 교육은 몇 시간 받아야 합니다",
        "교육|강의|연수|이수",
        "장애|온콜|대피|방문|계약|구매|배포|DB|리뷰|백업|모니터링",
    ),
    _Unsaid(
        "{t} 문의에 주말에도 답을 받을 수 있습니다",
        "주말|휴일|토요일|일요일|24시간|365",
        "신청|예약|지원|장비|카드|경비|비밀번호|VPN|메일|주차",
    ),
    _Unsaid("{t} 안내문을 영어로도 볼 수 있습니다", "영어|영문|외국어|언어"),
    _Unsaid(
        "{t} 예산은 한 해에 모두 얼마입니다",
        "예산|총액|한 해",
        "지원|수당|복지|동호회|교육|검진|장비|비품|식대|추천|출장|소프트웨어|용품",
    ),
    _Unsaid(
        "{t} 신청이 거절되는 비율은 몇 퍼센트입니다",
        "비율|거절률|반려율",
        "지원|휴가|휴직|구매|예약|연차|병가|경비|접근",
    ),
    _Unsaid(
        "{t} 절차를 어기면 벌금을 얼마 냅니다",
        "벌금|과태료|위약금|배상",
        "주차|출장|카드|계약|보안|개인정보|구매|경비|반납|퇴사|회의실",
    ),
    _Unsaid("{t} 설명 동영상은 어디에서 볼 수 있습니다", "동영상|영상|비디오|녹화"),
    _Unsaid("{t} 담당자의 휴대전화 번호는 몇 번입니다", "휴대전화|휴대폰|010|핸드폰"),
    _Unsaid(
        "{t} 만족도 조사 점수는 몇 점입니다",
        "만족도|설문|점수|평점",
        "식당|식대|복지|동호회|회의실|교육|검진|지원|오피스|주차|인턴|온보딩",
    ),
    _Unsaid(
        "{t} 관련 서류를 종이로도 받을 수 있습니다",
        "종이|출력|인쇄|우편",
        "계약|급여|경비|휴가|휴직|검진|출장|퇴사|추천|교육|연차",
    ),
    _Unsaid(
        "{t} 업무가 가장 바쁜 달은 몇 월입니다", "바쁜|몰리|성수기", "급여|마감|정산|출장|검진|평가|구매|추천|교육|계약"
    ),
)
"""Asked of a page's topic. Whether the wiki says it after all is checked at every use; a page about other things is not asked."""


def without_passage(asker: Asker, fact: Fact, asked: Asked) -> Miss | None:
    """The same search, as if the passage were not in the wiki; something of the same page must still be shown."""
    hits = [hit for hit in asked.hits if not any(line in hit.passage.text for line in fact.lines)]
    shown = asker.layout.shown(asked.question, hits)
    page = (fact.passage.source, fact.passage.page)
    if not any((one.passage.source, one.passage.page) == page for one in shown):
        return None
    if any(_compact(fact.value) in _compact(one.shown) for one in shown):
        return None
    if _another_answer(asker, asked.question, shown, quantity=bool(re.search(r"\d", fact.value))):
        return None
    return Miss(asked.question, shown)


def without_row(fact: Fact, asked: Asked) -> Miss | None:
    """The table without the row; at least its header and another row must be left, and the row's key must be nowhere else.

    No row of a scale: without "3년 이상" the row "1년 이상" would still answer.
    """
    key = fact.lines[0].split(" | ")[0].strip()
    if is_range(key):
        return None
    cut = asked.shown[asked.place]
    left = tuple(one for one in cut.sentences if one not in fact.lines)
    shown = tuple(
        replace(one, text="\n".join(left), sentences=left) if place == asked.place else one
        for place, one in enumerate(asked.shown)
    )
    if sum(" | " in one for one in left) < 2 or any(_compact(key) in _compact(one.text) for one in shown):
        return None
    return Miss(asked.question, shown)


def unsaid(asker: Asker, topic: str, page: tuple[str, str], chance: Random, used: Counter[str]) -> Miss | None:
    """A question on something that a company might state of `topic` and this wiki, as far as the search sees, does not.

    `used`: how often each was asked; the rarest are tried first, and the one that is taken is counted.
    """
    for one in sorted(chance.sample(_UNSAID, len(_UNSAID)), key=lambda one: used[one.asking]):
        if one.only and not re.search(one.only, topic):
            continue
        register: Register = chance.choices([name for name, _ in REGISTERS], [share for _, share in REGISTERS])[0]
        question = asker.worded(_filled(one.asking, topic), register)
        if question is None:
            continue
        hits = asker.layout.hits(question)
        shown = asker.layout.shown(question, hits)
        if any(re.search(one.tells, hit.passage.text) for hit in hits[: asker.layout.most + 2]):
            continue
        if any((each.passage.source, each.passage.page) == page for each in shown):
            used[one.asking] += 1
            return Miss(question, shown)
    return None


def _filled(asking: str, topic: str) -> str:
    return asking.format(t=topic, t_o=with_particle(topic, "을"))


def _another_answer(asker: Asker, question: str, shown: Sequence[Excerpt], *, quantity: bool) -> bool:
    """Whether another sentence is so near to the question that it might be its answer; for a `quantity` only one that has one, too."""
    analyser, idf = asker.analyser, asker.layout.index.idf
    wanted = {token: idf(token) for token in set(analyser.morphemes(question))}
    total = sum(wanted.values()) or 1.0
    for sentence, context in _said(shown):
        if not quantity or re.search(r"\d", sentence):
            tokens = set(analyser.morphemes(f"{context}\n{sentence}"))
            if sum(weight for token, weight in wanted.items() if token in tokens) / total >= NEAR:
                return True
    return False


def _said(shown: Sequence[Excerpt]) -> Iterator[tuple[str, str]]:
    for one in shown:
        for sentence in one.sentences:
            yield sentence, one.passage.context


def _compact(text: str) -> str:
    return "".join(text.split())
