"""Numbers, dates and amounts in Korean text, in a form that can be compared: "10만 원" = "100,000원", "세 번" = "3회".

An answer may contain only quantities that its cited passages contain.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

_SCALE = {"천": 1_000, "백": 100, "십": 10, "만": 10_000, "억": 100_000_000, "조": 1_000_000_000_000}
_NATIVE = {
    "한": 1, "하나": 1, "두": 2, "둘": 2, "세": 3, "셋": 3, "네": 4, "넷": 4, "다섯": 5, "여섯": 6, "일곱": 7, "여덟": 8,
    "아홉": 9, "열": 10, "스무": 20,
}  # fmt: skip
_DAYS = {"하루": 1, "이틀": 2, "사흘": 3, "나흘": 4, "닷새": 5, "엿새": 6, "이레": 7, "열흘": 10, "보름": 15}
_UNIT = {
    "원": "원", "일": "일", "개월": "개월", "달": "개월", "년": "년", "주": "주", "주일": "주", "시간": "시간", "시": "시",
    "분": "분", "초": "초", "월": "월", "명": "명", "인": "명", "사람": "명", "회": "회", "번": "회", "차례": "회", "%": "%",
    "퍼센트": "%", "프로": "%", "개": "개", "대": "대", "층": "층", "호": "호", "권": "권", "박": "박", "세": "세", "배": "배",
    "건": "건", "단계": "단계", "등급": "등급", "자": "자", "자리": "자리", "km": "km", "kg": "kg", "mb": "mb", "gb": "gb", "tb": "tb",
    "달러": "달러", "usd": "달러", "유로": "유로", "엔": "엔", "영업일": "영업일", "근무일": "영업일", "학점": "점", "점": "점", "평": "평",
}  # fmt: skip
_UNITS = "|".join(sorted(map(re.escape, _UNIT), key=len, reverse=True))
_NUMBER = re.compile(
    rf"(?P<digits>\d[\d,]*(?:\.\d+)?)\s?"
    rf"(?P<scale>[천백십]?[만억]|[천백십]?조(?=\s?(?:원|\d))|[천백십](?=\s?(?:{_UNITS})))?\s?(?P<unit>{_UNITS})?",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    rf"(?<![가-힣])(?P<word>{'|'.join(sorted(_NATIVE, key=len, reverse=True))})\s?"
    r"(?P<unit>명|사람|번|차례|개월|개|대|달|시간|시|권|배|건|주|단계|가지)(?![가-힣]*히)"
)
_NAMED_DAYS = re.compile("|".join(_DAYS))
_CLOCK = re.compile(r"(?<!\d)(\d{1,2}):(\d{2})(?!\d)")
_ISO_DATE = re.compile(r"(?<!\d)(\d{4})[-./]\s?(\d{1,2})[-./]\s?(\d{1,2})(?!\d)")
_PM = re.compile(r"(오후|저녁|밤)\s?(\d{1,2})시")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value and its unit; `unit` is empty when none follows."""

    value: float
    unit: str = ""


def quantities(text: str) -> frozenset[Quantity]:
    """Every quantity in `text`."""
    text = unicodedata.normalize("NFKC", text)
    found: set[Quantity] = set()
    for year, month, day in _ISO_DATE.findall(text):
        found |= {Quantity(float(year), "년"), Quantity(float(month), "월"), Quantity(float(day), "일")}
    for hour, minute in _CLOCK.findall(text):
        found.add(Quantity(float(hour), "시"))
        if int(minute):
            found.add(Quantity(float(minute), "분"))
    for _, hour in _PM.findall(text):
        found.add(Quantity(float(hour) + 12 if float(hour) < 12 else 12.0, "시"))
    rest = _PM.sub(" ", _CLOCK.sub(" ", _ISO_DATE.sub(" ", text)))
    found |= _written_in_digits(rest)
    for match in _COUNTED.finditer(rest):
        found.add(Quantity(float(_NATIVE[match["word"]]), _UNIT.get(match["unit"], "")))
    for match in _NAMED_DAYS.finditer(rest):
        found.add(Quantity(float(_DAYS[match[0]]), "일"))
    return frozenset(found)


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
        known |= quantities(passage)
    units: dict[float, set[str]] = {}
    for quantity in known:
        units.setdefault(quantity.value, set()).add(quantity.unit)
    missing = set()
    for quantity in quantities(answer):
        there = units.get(quantity.value)
        if there is None or (quantity.unit and "" not in there and quantity.unit not in there):
            missing.add(quantity)
    return frozenset(_without_afternoons(missing, units))


def _without_afternoons(missing: set[Quantity], units: dict[float, set[str]]) -> set[Quantity]:
    """오후 6시 is written as 18:00 and the other way round: one of the two readings suffices."""
    return {
        q
        for q in missing
        if not (q.unit == "시" and ("시" in units.get(q.value - 12, ()) or "시" in units.get(q.value + 12, ())))
    }
