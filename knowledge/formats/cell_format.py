"""A number and its Excel format code → the text that the cell shows: `#,##0"원"`, `0.0%`, `yyyy-mm-dd`.

Format codes: ISO/IEC 29500-1, 18.8.30 and 18.8.31. Left out: fractions (`# ?/?`), which are shown as decimals; colours.
"""

from __future__ import annotations

import datetime as dt
import functools
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

GENERAL = "General"
_DATE, _TIME = "yyyy-mm-dd", "h:mm"
BUILT_IN: Mapping[int, str] = {
    0: GENERAL, 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00",
    5: "₩#,##0;-₩#,##0", 6: "₩#,##0;-₩#,##0", 7: "₩#,##0.00;-₩#,##0.00", 8: "₩#,##0.00;-₩#,##0.00",
    9: "0%", 10: "0.00%", 11: "0.00E+00", 12: GENERAL, 13: GENERAL,
    14: _DATE, 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: _TIME,
    21: "h:mm:ss", 22: f"{_DATE} {_TIME}",
    **dict.fromkeys((27, 36, 50, 57), 'yyyy"年" mm"月" dd"日"'),
    **dict.fromkeys((28, 29, 51, 54, 56, 58), "mm-dd"),
    **dict.fromkeys((30, 34, 35, 52, 53, 55), _DATE),
    31: 'yyyy"년" mm"월" dd"일"', 32: 'h"시" mm"분"', 33: 'h"시" mm"분" ss"초"',
    37: "#,##0;(#,##0)", 38: "#,##0;(#,##0)", 39: "#,##0.00;(#,##0.00)", 40: "#,##0.00;(#,##0.00)",
    41: '#,##0;-#,##0;"-"', 42: '₩#,##0;-₩#,##0;"-"', 43: '#,##0.00;-#,##0.00;"-"', 44: '₩#,##0.00;-₩#,##0.00;"-"',
    45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0", 49: "@",
}  # fmt: skip
"""What a file means by these numbers without saying it; dates and money as a Korean Excel shows them."""

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|[_*].|\[(?P<bracket>[^\]]*)\]|(?P<general>general|g/표준)'
    r"|(?P<noon>am/pm|a/p|오전/오후)|(?P<power>e[+-])|(?P<date>y+|m+|d+|h+|s+(?:\.0+)?|a{3,4})|(?P<plain>.)",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?\d{1,15}(?:\.\d{1,10})?)")
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "<>": operator.ne,
}
_EXACT = Context(prec=400, rounding=ROUND_HALF_UP)  # the longest double has 309 digits before its point
_LONGEST_CODE = 255
_LARGE = 1e9
"""From here on ten digits leave no room for a fraction, or write a power of ten."""
_LAST_DAY = 2_958_466  # of the year 9999
_LEAP_BUG = 60  # Excel believes in 29 February 1900
_WEEKDAYS = "월화수목금토일"
_ENGLISH_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_LONG_DATE = 'yyyy"년" m"월" d"일" aaaa'
_LONG_TIME = "오전/오후 h:mm:ss"


@dataclass(frozen=True, slots=True)
class _Section:
    """One of the parts between semicolons. A token is a kind and its text."""

    tokens: tuple[tuple[str, str], ...]
    condition: tuple[str, float] | None
    korean: bool

    @property
    def is_date(self) -> bool:
        return any(kind in ("date", "elapsed") for kind, _ in self.tokens)


def shown(value: float, code: str, from_1904: bool = False) -> str:
    """`value` under format `code`. `from_1904`: the workbook counts days from 1904 (old Macs)."""
    sections = _sections(code if len(code) <= _LONGEST_CODE else GENERAL)
    section, minus = _fitting(sections, value)
    if section.is_date:
        moment = _moment(value, from_1904)
        return _general(value) if moment is None else _date(section, moment, value)
    if not section.tokens:
        return ""  # ;;; hides the value
    text = _number(section.tokens, abs(value))
    return f"-{text}" if minus and any(char in "123456789" for char in text) else text


@functools.lru_cache(maxsize=512)
def _sections(code: str) -> tuple[_Section, ...]:
    sections: list[_Section] = []
    tokens: list[tuple[str, str]] = []
    condition: tuple[str, float] | None = None
    korean = False

    def close() -> None:
        sections.append(_Section(tuple(tokens), condition, korean))
        tokens.clear()

    for found in _TOKEN.finditer(code):
        kind = found.lastgroup
        if kind is None:
            continue  # `_x` leaves room, `*x` fills it
        text = found[kind]
        if kind == "plain" and text == ";":
            close()
            condition, korean = None, False
        elif kind == "bracket":
            if compare := _CONDITION.fullmatch(text.strip()):
                condition = (compare[1], float(compare[2]))
            elif re.fullmatch(r"(h+|m+|s+)", text, re.IGNORECASE):
                tokens.append(("elapsed", text.lower()))
            elif text.upper() in ("$-F800", "$-F400"):  # the system's long date and time
                return _sections(_LONG_DATE if text.upper() == "$-F800" else _LONG_TIME)
            elif text.startswith("$"):
                korean = korean or text.upper().endswith("412")
                tokens.append(("literal", text[1:].split("-")[0]))
        elif kind in ("quoted", "escaped"):
            tokens.append(("literal", text))
        else:
            tokens.append((kind, text.lower() if kind in ("date", "noon") else text))
    close()
    return tuple(sections)


def _fitting(sections: Sequence[_Section], value: float) -> tuple[_Section, bool]:
    """The section for `value`, and whether a minus sign must be put before it."""
    if any(section.condition for section in sections):
        for section in sections:
            if section.condition is None or _COMPARE[section.condition[0]](value, section.condition[1]):
                return section, value < 0
        return sections[-1], value < 0
    if value < 0 and len(sections) > 1:
        return sections[1], False
    return sections[2 if value == 0 and len(sections) > 2 else 0], value < 0


def _general(value: float) -> str:
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    if _LARGE <= abs(value) < 1e15:  # an amount with a fraction, not a power of ten
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return f"{value:.10g}"


def _number(tokens: Sequence[tuple[str, str]], value: float) -> str:
    plain = [text for kind, text in tokens if kind == "plain"]
    digits = sum(text in "0#?" for text in plain)
    is_fraction = "/" in plain and digits
    if is_fraction or "@" in plain or any(kind == "general" for kind, _ in tokens):
        return "".join(
            _general(value) if kind == "general" or text == "@" else text if kind == "literal" else ""
            for kind, text in (tokens if not is_fraction else [("general", "")])
        ).strip()
    if not digits:
        return "".join(text for kind, text in tokens if kind in ("literal", "plain")).strip()
    point = next((at for at, token in enumerate(tokens) if token == ("plain", ".")), len(tokens))
    last = max(at for at, (kind, text) in enumerate(tokens) if kind == "plain" and text in "0#?")
    scale = 0
    while last + 1 + scale < len(tokens) and tokens[last + 1 + scale] == ("plain", ","):
        scale += 1  # commas behind the last digit divide by a thousand each
    power = next((at for at, (kind, _) in enumerate(tokens) if kind == "power"), len(tokens))
    decimals = sum(kind == "plain" and text in "0#?" for kind, text in tokens[point:power])
    if power < len(tokens):
        return f"{value:.{decimals}E}"
    exact = Decimal(repr(value)).scaleb(2 * plain.count("%") - 3 * scale, _EXACT)
    whole, _, fraction = f"{exact.quantize(Decimal(1).scaleb(-decimals), context=_EXACT):f}".partition(".")
    return (_whole(tokens[:point], whole.lstrip("0")) + _fraction(tokens[point:], fraction)).strip()


def _whole(tokens: Sequence[tuple[str, str]], digits: str) -> str:
    """Digits fill their places from the right; the leftmost place takes all that are left."""
    places = [at for at, (kind, text) in enumerate(tokens) if kind == "plain" and text in "0#?"]
    grouped = bool(places) and any(token == ("plain", ",") for token in tokens[places[0] : places[-1]])
    parts: list[str] = []
    written = 0

    def write(digit: str) -> None:
        nonlocal written
        if grouped and written and written % 3 == 0:
            parts.append(",")
        parts.append(digit)
        written += 1

    for at in reversed(range(len(tokens))):
        kind, text = tokens[at]
        if at in places:
            if digits:
                write(digits[-1])
                digits = digits[:-1]
            elif text == "0":
                write("0")
            while at == places[0] and digits:
                write(digits[-1])
                digits = digits[:-1]
        elif kind == "literal" or (kind == "plain" and text != ","):
            parts.append(text[::-1])
    if not places:
        parts = [*parts, digits[::-1]]
    return "".join(parts)[::-1]


def _fraction(tokens: Sequence[tuple[str, str]], digits: str) -> str:
    required = "".join(text for kind, text in tokens if kind == "plain" and text in "0#?").rfind("0") + 1
    kept = max(required, len(digits.rstrip("0")))
    parts: list[str] = []
    at = 0
    for kind, text in tokens:
        if kind == "plain" and text in "0#?":
            parts.append(digits[at] if at < kept else "")
            at += 1
        elif (kind, text) == ("plain", "."):
            parts.append("." if kept else "")
        elif kind == "literal" or (kind == "plain" and text != ","):
            parts.append(text)
    return "".join(parts)


def _moment(value: float, from_1904: bool) -> dt.datetime | None:
    if not 0 <= value < _LAST_DAY:
        return None
    epoch = dt.datetime(1904, 1, 1) if from_1904 else dt.datetime(1899, 12, 30)
    if not from_1904 and 1 <= value < _LEAP_BUG:
        value += 1
    try:
        return epoch + dt.timedelta(milliseconds=round(value * 86_400_000))
    except OverflowError:
        return None


def _date(section: _Section, moment: dt.datetime, value: float) -> str:
    tokens = section.tokens
    half_days = any(kind == "noon" for kind, _ in tokens)
    clock = [(at, text[0]) for at, (kind, text) in enumerate(tokens) if kind in ("date", "elapsed")]
    parts: list[str] = []
    for at, (kind, text) in enumerate(tokens):
        if kind == "elapsed":
            total = Decimal(repr(value)) * {"h": 24, "m": 1440, "s": 86_400}[text[0]]
            parts.append(f"{int(total + Decimal('0.00001')):0{len(text)}d}")
        elif kind == "noon":
            names = ("오전", "오후") if section.korean or "오전" in text else ("AM", "PM")
            parts.append(names[moment.hour >= 12])
        elif kind == "date":
            place = clock.index((at, text[0]))
            is_minute = text[0] == "m" and (
                (place > 0 and clock[place - 1][1] == "h") or (place + 1 < len(clock) and clock[place + 1][1] == "s")
            )
            parts.append(_minute(text, moment) if is_minute else _part(text, moment, half_days, section.korean))
        else:
            parts.append("" if kind == "plain" and text == "@" else text)
    return " ".join("".join(parts).split())


def _minute(text: str, moment: dt.datetime) -> str:
    return f"{moment.minute:0{min(len(text), 2)}d}"


def _part(text: str, moment: dt.datetime, half_days: bool, korean: bool) -> str:
    letter, length = text[0], len(text)
    if letter == "y":
        return f"{moment.year:04d}" if length > 2 else f"{moment.year % 100:02d}"
    if letter == "m" and length > 2:
        name = f"{moment.month}월" if korean else _MONTHS[moment.month - 1]
        return name if korean or length == 4 else name[: 1 if length == 5 else 3]
    if letter == "d" and length > 2:
        if korean:
            return _WEEKDAYS[moment.weekday()] + ("요일" if length > 3 else "")
        return _ENGLISH_WEEKDAYS[moment.weekday()][: None if length > 3 else 3]
    if letter == "a":
        return _WEEKDAYS[moment.weekday()] + ("요일" if length > 3 else "")
    if letter == "s":
        whole, _, fraction = text.partition(".")
        shown_fraction = f".{moment.microsecond:06d}"[: len(fraction) + 1] if fraction else ""
        return f"{moment.second:0{min(len(whole), 2)}d}{shown_fraction}"
    hour = (moment.hour % 12 or 12) if half_days else moment.hour
    number = {"m": moment.month, "d": moment.day, "h": hour}[letter]
    return f"{number:0{min(length, 2)}d}"
