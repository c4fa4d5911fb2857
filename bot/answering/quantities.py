"""Numbers, dates and amounts in Korean text, in a form that can be compared: "10만 원" = "100,000원", "세 번" = "3회".

An answer may contain only quantities that its cited passages contain.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

_SCALE = {"천": 1_000, "백": 100, "십": 10, "만": 10_000, "억": 100_000_000, "조": 1_000_000_000_000}
_ONES = {
    "한": 1, "하나": 1, "두": 2, "둘": 2, "세": 3, "셋": 3, "네": 4, "넷": 4, "다섯": 5, "여섯": 6, "일곱": 7, "여덟": 8,
    "아홉": 9,
}  # fmt: skip
_TENS = {"열": 10, "스물": 20, "서른": 30, "마흔": 40, "쉰": 50, "예순": 60, "일흔": 70, "여든": 80, "아흔": 90}
_NATIVE = _ONES | _TENS | {"스무": 20} | {ten + one: _TENS[ten] + _ONES[one] for ten in _TENS for one in _ONES}
_DAYS = {"하루": 1, "이틀": 2, "사흘": 3, "나흘": 4, "닷새": 5, "엿새": 6, "이레": 7, "열흘": 10, "보름": 15}
_UNIT = {
    "원": "원", "일": "일", "개월": "개월", "달": "개월", "년": "년", "주": "주", "주일": "주", "시간": "시간", "시": "시",
    "분": "분", "초": "초", "월": "월", "명": "명", "인": "명", "사람": "명", "회": "회", "번": "회", "차례": "회", "%": "%",
    "퍼센트": "%", "프로": "%", "개": "개", "대": "대", "층": "층", "호": "호", "권": "권", "박": "박", "세": "세", "배": "배",
    "건": "건", "단계": "단계", "등급": "등급", "자": "자", "자리": "자리", "km": "km", "kg": "kg", "mb": "mb", "gb": "gb", "tb": "tb",
    "달러": "달러", "usd": "달러", "유로": "유로", "엔": "엔", "영업일": "영업일", "근무일": "영업일", "학점": "점", "점": "점", "평": "평",
}  # fmt: skip
_COUNTERS = {
    "가지": "개", "종류": "개", "종": "개", "항목": "개", "곳": "곳", "군데": "곳", "장": "장", "매": "장", "부": "부", "통": "통",
    "편": "편", "쪽": "쪽", "페이지": "쪽", "줄": "줄", "팀": "팀", "차": "차", "급": "급", "석": "석", "칸": "칸", "병": "병", "잔": "잔",
}  # fmt: skip
"""Units that other words begin with, too (3부와 3부서, 1차와 1차량): only before a particle or at the end of the word."""
_UNITS = "|".join(
    [
        *sorted(map(re.escape, _UNIT), key=len, reverse=True),
        rf"(?:{'|'.join(sorted(_COUNTERS, key=len, reverse=True))})(?=[을를은는이가의와과도만씩에로으까부입인였며나마짜]|[^가-힣]|$)",
    ]
)
_UNIT |= _COUNTERS
_NUMBER = re.compile(
    rf"(?P<digits>(?:\d{{1,3}}(?:,\d{{3}})+(?!\d)|\d+)(?:\.\d+)?)\s?"
    rf"(?P<scale>[천백십]?[만억]|[천백십]?조(?=\s?(?:원|\d))|[천백십](?=\s?(?:{_UNITS})))?\s?(?P<unit>{_UNITS})?",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    rf"(?<![가-힣])(?P<word>{'|'.join(sorted(_NATIVE, key=len, reverse=True))})\s?"
    r"(?P<unit>명|사람|번|차례|개월|개|대|달|시간|시|권|배|건|주|단계|가지)(?![가-힣]*히)"
)
_NAMED_DAYS = re.compile("|".join(_DAYS))
_CLOCK = re.compile(
    r"(?:(?P<half>오전|새벽|아침|오후|저녁|밤)\s?)?(?:(?<!\d)(?P<hour>\d{1,2}):(?P<minute>\d{2})(?!\d)|(?<!\d)(?P<bare>\d{1,2})\s?시(?!간|[가-힣]*(?:작|점|행)))"
)
_AMBIGUOUS = "시?"
"""Unit of an hour that may be of the morning or of the afternoon."""
_ARTICLE = re.compile(r"제\s?(\d+)\s?(조|항|호|장|절|관)")
_PERIOD = re.compile(
    r"(?<![가-힣\d])(?P<period>매?[월달년주]|연간?|월간|주간|매?일)\s?(?:(?:최대|최소|약|평균)\s?)?(?:\d+(?:[~∼-]\d+)?|한|두|세|네)\s?(?:회|번|차례)"
)
"""월 1회, 매주 두 번: how often something is."""
_PERIODS = {"월": "개월", "달": "개월", "년": "년", "연": "년", "주": "주", "일": "일"}
_LIST_NUMBER = re.compile(r"^\s*\d{1,2}[.)]\s", re.MULTILINE)
_CIRCLED = re.compile("[①-⒛⓪-⓿❶-➓㉑-㉟㊱-㊿]")
"""Numbers of clauses in one character (①, ⑴, ❶)."""
_CLAUSE_NUMBER = re.compile(
    rf"(?:^|(?<=\s>))\s*(?:\(\d{{1,2}}\)|\d{{1,2}}(?:[.-]\d{{1,2}})*[.)](?=\s))"
    # Without a mark only in a heading line, and unless what follows makes it a quantity ("24 시간 상담", "50 만 원").
    rf"|(?<=\s>)\s\d{{1,2}}(?:[.-]\d{{1,2}})*(?=\s(?!(?:{_UNITS})(?![가-힣])|[천백십]?[만억조]\s?[원\d]))",
    re.MULTILINE,
)
"""(3) 서류 and 6-1. 교육 at a line's start; 규정 > 6. 교육."""
_APART = "; "
"""In its place, so that what stood before it does not become the number of what follows."""
_CLAUSE = "항"
"""Unit of such a number: it names a clause, "제3항" or a bare 3, and counts nothing."""
_COMPOUND = re.compile(r"(?<![\d.,])(\d)\s?천\s?(\d)\s?백(?:\s?(\d)\s?십)?|(?<![\d.,])(\d)\s?백\s?(\d)\s?십")
"""2천5백만, 3백5십만: written with more than one scale below 만."""
_SINO = dict(zip("일이삼사오육칠팔구", range(1, 10), strict=True))
_SPELLED = re.compile(r"(?<![가-힣\d.,])(?<!\d\s)([일이삼사오육칠팔구십백천만억]*[십백천만억])\s?원(?![가-힣]*칙)")
"""오만 원, 삼십만 원: amounts without a digit."""
_ISO_DATE = re.compile(r"(?<!\d)(\d{4})[-./]\s?(\d{1,2})[-./]\s?(\d{1,2})(?!\d)")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value and its unit; `unit` is empty when none follows."""

    value: float
    unit: str = ""


def quantities(text: str) -> frozenset[Quantity]:
    """Every quantity in `text`. The numbers of list items, clauses and headings are none."""
    text = _CLAUSE_NUMBER.sub(_APART, _without_list_numbers(text))
    found = {Quantity(float(number), kind) for number, kind in _ARTICLE.findall(text)}
    text = _COMPOUND.sub(_in_digits, _ARTICLE.sub(" ", text))
    found |= {Quantity(float(_spelled(word)), "원") for word in _SPELLED.findall(text)}
    for year, month, day in _ISO_DATE.findall(text):
        found |= {Quantity(float(year), "년"), Quantity(float(month), "월"), Quantity(float(day), "일")}
    rest = _ISO_DATE.sub(" ", text)
    for match in _CLOCK.finditer(rest):
        found.add(_hour(match["half"] or "", match["hour"] or match["bare"]))
        if int(match["minute"] or 0):
            found.add(Quantity(float(match["minute"]), "분"))
    rest = _CLOCK.sub(" ", rest)
    found |= _written_in_digits(rest)
    for match in _COUNTED.finditer(rest):
        found.add(Quantity(float(_NATIVE[match["word"]]), _UNIT.get(match["unit"], "")))
    for match in _NAMED_DAYS.finditer(rest):
        found.add(Quantity(float(_DAYS[match[0]]), "일"))
    return frozenset(found)


def _without_list_numbers(text: str) -> str:
    # Before NFKC, which makes ① a 1 and "① 일반" one day.
    return _LIST_NUMBER.sub(" ", unicodedata.normalize("NFKC", _CIRCLED.sub(_APART, text)))


def _hour(half: str, written: str) -> Quantity:
    """An hour of the day; ambiguous where neither 오전 or 오후 nor the way of writing (09, 18) says which half."""
    hour = int(written)
    if half in ("오후", "저녁", "밤"):
        return Quantity(float(hour + 12 if hour < 12 else hour), "시")
    if half or hour > 12 or written.startswith("0"):
        return Quantity(0.0 if half and hour == 12 else float(hour), "시")
    return Quantity(float(hour), _AMBIGUOUS)


def _in_digits(match: re.Match[str]) -> str:
    thousands, hundreds, tens, more_hundreds, more_tens = (int(part or 0) for part in match.groups())
    return str(1000 * thousands + 100 * (hundreds + more_hundreds) + 10 * (tens + more_tens))


def _spelled(word: str) -> int:
    """삼십만 → 300,000; a scale without a digit before it counts once."""
    total = below = digit = 0
    for letter in word:
        if letter in _SINO:
            digit = _SINO[letter]
        elif letter in "십백천":
            below, digit = below + (digit or 1) * _SCALE[letter], 0
        else:
            total, below, digit = total + (below + digit or 1) * _SCALE[letter], 0, 0
    return total + below + digit


def _written_in_digits(text: str) -> set[Quantity]:
    """Digits with scales; parts such as 1억 5천만 원 or 3만 5천 원 are added up while the scales fall."""
    found, total, lowest, end = set(), 0.0, 0.0, -1
    for match in _NUMBER.finditer(text):
        scale = 1.0
        for letter in match["scale"] or "":
            scale *= _SCALE[letter]
        value = float(match["digits"].replace(",", "")) * scale
        goes_on = lowest > 1 and 0 <= match.start() - end <= 1 and value < lowest
        if not goes_on and lowest > 1:
            found.add(Quantity(total))
        total, lowest, end = (total if goes_on else 0.0) + value, scale, match.end()
        if match["unit"] or scale == 1:
            found.add(Quantity(total, _UNIT.get((match["unit"] or "").lower(), "")))
            total, lowest = 0.0, 0.0
    return found | ({Quantity(total)} if lowest > 1 else set())


def unsupported(answer: str, passages: Iterable[str]) -> frozenset[Quantity]:
    """Quantities of `answer` that occur in none of `passages`.

    The same value with another unit does not count (3일 is not 3개월); a value without a unit on either side does, since
    tables keep units in their header.
    """
    known: set[Quantity] = set()
    for passage in passages:
        known |= quantities(passage) | _periods(passage) | _clauses(passage)
    units: dict[float, set[str]] = {}
    for quantity in known:
        units.setdefault(quantity.value, set()).add(quantity.unit)
    missing = set()
    for quantity in quantities(answer):
        there = units.get(quantity.value)
        if there is None or (quantity.unit and "" not in there and quantity.unit not in there):
            missing.add(quantity)
    return frozenset(quantity for quantity in missing if not _is_that_hour(quantity, units))


def _periods(passage: str) -> set[Quantity]:
    """What it does not write, but may be said: "월 1회" is once in one month."""
    found = _PERIOD.finditer(_without_list_numbers(passage))
    return {Quantity(1.0, _PERIODS[match["period"].removeprefix("매")[0]]) for match in found}


def _clauses(passage: str) -> set[Quantity]:
    """The numbers of its clauses and headings: an answer may point to them ("제3항에 따라", "6-1. 교육을 보십시오")."""
    circled = {unicodedata.numeric(number) for number in _CIRCLED.findall(passage)}
    numbered = _written_in_digits(" ".join(_CLAUSE_NUMBER.findall(_without_list_numbers(passage))))
    return {Quantity(value, _CLAUSE) for value in circled | {number.value for number in numbered}}


def _is_that_hour(quantity: Quantity, units: dict[float, set[str]]) -> bool:
    """오후 6시 and 18:00 may be called 6시 and the other way round; 오전 6시 may not be called 오후 6시."""
    if quantity.unit == "시":
        return any(_AMBIGUOUS in units.get(hour, ()) for hour in (quantity.value, quantity.value - 12))
    if quantity.unit == _AMBIGUOUS:
        return any("시" in units.get(hour % 24, ()) for hour in (quantity.value, quantity.value + 12))
    return False
