"""Sentences of a passage → facts: the quantity, the team or the place in it is what is asked for, or whether it is so at all."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.examples.synthesis.fact import Fact
from bot.examples.synthesis.wording import Wording, before
from knowledge.page import Passage

_ASKED = {
    "원": "얼마", "영업일": "며칠", "근무일": "며칠", "일": "며칠", "개월": "몇 개월", "주일": "몇 주", "주": "몇 주", "년": "몇 년",
    "시간": "몇 시간", "분": "몇 분", "초": "몇 초", "명": "몇 명", "번": "몇 번", "회": "몇 회", "%": "몇 퍼센트", "퍼센트": "몇 퍼센트",
    "개": "몇 개", "대": "몇 대", "층": "몇 층", "점": "몇 점", "박": "몇 박", "배": "몇 배", "건": "몇 건", "km": "몇 km",
    "권": "몇 권", "장": "몇 장", "매": "몇 매", "석": "몇 석", "자": "몇 자", "자리": "몇 자리", "GB": "몇 GB", "MB": "몇 MB",
}  # fmt: skip
_UNITS = "|".join(sorted(map(re.escape, _ASKED), key=len, reverse=True))
_AFTER = (
    r"(?=$|[\s,.]|(?:이|가|을|를|은|는|에|의|과|와|로|으로|까지|부터|마다|씩|당|만|보다|이나|나|이며|며|입니다|이고|짜리|간|치)"
    r"(?![가-힣]{2}))"
)
_NUMBER = r"\d[\d,]*(?:\.\d+)?"
_QUANTITY = re.compile(
    rf"(?<![\d.,:~/(가-힣A-Za-z-])(?<!\d월 )(?P<number>{_NUMBER}\s?(?:[천백]?만|억|천)?)\s?(?P<unit>{_UNITS}){_AFTER}"
)
_ANY_QUANTITY = re.compile(rf"{_NUMBER}\s?(?:[천백]?만|억|천)?\s?(?P<unit>{_UNITS})")
_CLOCK = re.compile(
    rf"(?<![\d~:])(?:(?:오전|오후|새벽|밤|저녁|아침)\s)?(?:\d{{1,2}}:\d{{2}}|\d{{1,2}}시(?:\s30분)?){_AFTER}(?!~)"
)
_DATE = re.compile(r"(?<![\d~])(?:(?:매년|해마다|\d{4}년)\s)?\d{1,2}월 \d{1,2}일(?=까지|부터|에\s)(?:에)?")
_TEAM = re.compile(r"(?<![가-힣])[가-힣A-Z]{2,6}(?:팀|파트)(?:\(내선 \d+\))?(?=에게|에서|에|으로|이\s|의\s)(?!에는)")
_ROLE = re.compile(
    r"(?<![가-힣])[가-힣]{0,4}(?:팀장|실장|본부장|부서장|대표이사|대표|파트장|임원)(?=이\s|의\s|에게|\s(?:승인|확인|결재|허가))"
)
_PLACE = re.compile(
    r"(?<![가-힣\d])(?:\d+층 )?(?:[가-힣A-Za-z]+ (?:[가-힣]+ )?> [가-힣A-Za-z·]+(?: [가-힣]+)?"
    r"|(?:[가-힣A-Za-z]+ )?[가-힣A-Za-z]*(?:포털|시스템|앱|게시판|창구|데스크|보관소|함))(?:\(내선 \d+\))?(?=에서|에\s)"
)
_LEANING = re.compile(
    r"^(?:[그이저] |이때|이런|이렇게|그때|그날|그동안|해당|위|아래|다만|단,|또|또한|그리고|하지만|그러나|따라서|이후|이를|이는"
    r"|두 번째|나머지|반대로|대신|즉|예를|모두|둘 다|각각|이미|여기|거기|같은|그래도|그렇|만약 그|이어|뒤이어|자세한|문의|빠진)"
)
_POINTING = re.compile(
    r"다음과 같|아래|위의|위 표|앞의|여기서|자세한 내용|참고|확인해 주|안내합니다|적어 두었|이 표|이 문서|이 페이지"
    r"|(?<![가-힣])위 |그보다|이보다|그 이상|그 밖|그것|이것|그 사람|그 건만|여러분"
)
_NOT_ASKED_HERE = re.compile(r"[은는]\s|이 지나도|이 (?:주말|휴일|공휴일)|까지는|이면|을 모두 쓰|이 낀|\s?\d")
_NAMELESS = re.compile(r"(?:는|던) [가-힣 ]{2,10}입니다$")
"""Says what something is, not which thing ("금요일에 여는 모임입니다")."""
_GOES_ON = re.compile(r"[가-힣](?:고|며|지만|되|거나|므로|는데),? ")
"""Another clause behind what is asked for: "며칠 전까지 신청하고 의자를 돌려놓습니까?" asks two things."""
_INFLECTED = re.compile(r"[은는이가을를도로면고며지서나만의온]$")
_OR = re.compile(r"(?:이나|나|와|과|또는|및|,)\s*$")
_ANY_TEAM = re.compile(r"[가-힣A-Z]{2,6}팀")
_BECAUSE = re.compile(r"므로|때문|사실만|니까 |어서 |아서 |하여 |거나")
_LIST_MARK = re.compile(r"^(?:[-*•·]|\d{1,2}[.)]|[①-⑳]|[가-하]\.)\s+(?:[가-힣 ]{1,8}:\s)?|^[가-힣 ]{1,8}:\s")
_NEGATED = re.compile(r"않|없|못|말아|아니|금지|제외")
_OPEN = re.compile(
    r"수 (?:있|없)습니다$|(?:어|아|해|여|워|와|러|려|겨|돼|가|내|도)도 됩니다$|야 합니다$|면 안 됩니다$|할 필요(?:가|는) 없습니다$"
)
_SHORTEST, _LONGEST = 14, 85
"""Characters of a sentence that can be asked about: shorter ones say too little, in longer ones two things are said."""


def facts(passage: Passage, lines: list[tuple[str, str]], wording: Wording) -> Iterator[Fact]:
    """`lines`: each sentence of the passage with the topic it stands under. At most one fact of a sentence."""
    for line, topic in lines:
        bare = _LIST_MARK.sub("", line)
        if " | " in bare or bare.endswith("?") or not _SHORTEST <= len(bare) <= _LONGEST:
            continue
        if (
            _LEANING.search(bare)
            or _POINTING.search(bare)
            or ":" in _CLOCK.sub("", bare)
            or bare.count("(") != bare.count(")")
        ):
            continue
        said = wording.statement(bare)
        if said is None:
            continue
        found = _number(passage, line, topic, said) or _who(passage, line, topic, said)
        if (
            found is None
            and _OPEN.search(said)
            and "," not in said
            and not (_BECAUSE.search(said) or _GOES_ON.search(said))
        ):
            found = Fact("yes_no", passage, (line,), _positive(said), (said,), "", topic)
        if found is not None:
            yield found


def asked_for(value: str) -> str | None:
    """The question word for a value that is nothing but a quantity or a time: "4명" → "몇 명"."""
    if _CLOCK.fullmatch(value):
        return "몇 시"
    found = _QUANTITY.fullmatch(value)
    return _ASKED[found["unit"]] if found else None


def _number(passage: Passage, line: str, topic: str, said: str) -> Fact | None:
    if _NEGATED.search(said) or "므로" in said:
        return None
    found = [(one.start(), one.end(), _ASKED[one["unit"]], one[0]) for one in _QUANTITY.finditer(said)]
    found += [(one.start(), one.end(), "몇 시", one[0]) for one in _CLOCK.finditer(said)]
    found += [(one.start(), one.end(), "언제", one[0]) for one in _DATE.finditer(said)]
    found.sort()
    units = [_ASKED[one["unit"]] for one in _ANY_QUANTITY.finditer(said)]
    if not found or len({word for _, _, word, _ in found}) != len(found) or len(set(units)) != len(units):
        return None  # of two days, which one is asked for?
    start, end, word, value = found[-1]
    if said[:start].count("(") != said[:start].count(")") or _NOT_ASKED_HERE.match(said[end:]):
        return None
    if (
        _GOES_ON.search(said[end:])
        or re.search(r"\d", said[end:])
        or said[:start].endswith("인 ")
        or _NAMELESS.search(said)
    ):
        return None  # "절반인 얼마를", "몇 시에 여는 모임입니다"
    return Fact("number", passage, (line,), said[:start] + before(word, said[end:]), (said,), value, topic)


def _who(passage: Passage, line: str, topic: str, said: str) -> Fact | None:
    if _BECAUSE.search(said) or _NEGATED.search(said):
        return None
    for pattern, word in ((_ROLE, "누구"), (_TEAM, "어느 팀"), (_PLACE, "어디")):
        found = list(pattern.finditer(said))
        if len(found) == 1:
            start, end = found[0].span()
            first, blank, name = found[0][0].partition(" ")
            if blank and ">" not in name and _INFLECTED.search(first):
                start += len(first) + 1  # "바꾸면 되므로 헬프데스크에": only the last word is a place
            rest = said[end:]
            others = _ANY_TEAM.sub("", said, count=1) if word == "어느 팀" else ""
            if word == "누구" and said[:start].strip() and not _INFLECTED.search(said[:start].rstrip(" ,")):
                return None  # "사업 담당 실장": part of a longer name
            if _GOES_ON.search(rest) or _OR.search(said[:start]) or _ANY_TEAM.search(others):
                return None
            if word == "누구":
                rest = rest if rest.startswith(("이 ", "의 ", "에게")) else f"의{rest}"
                asked = "누가" + rest[1:] if rest.startswith("이 ") else "누구" + rest
            else:
                asked = before(word, rest)
            value = said[start:end].split("(")[0]
            return Fact("who", passage, (line,), said[:start] + asked, (said,), value, topic)
    return None


def _positive(said: str) -> str:
    """Whether it may be is asked without a no: "올 수 없습니다" → "올 수 있습니다"."""
    return re.sub(r"수 없습니다$", "수 있습니다", said)
