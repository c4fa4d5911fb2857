"""Tables of a passage → facts: one cell ("두물의 인원은 몇 명입니까?"), or one column of two rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.examples.synthesis.fact import Fact
from bot.examples.synthesis.sentence_facts import asked_for
from bot.examples.synthesis.wording import with_particle
from knowledge.page import Passage

_SEPARATOR = " | "
_SAYING_NOTHING = frozenset(
    "|-|–|없음|해당 없음|○|O|X|×|동일|제한 없음|별도|상동|가능|불가|필요|불필요|선택|필수".split("|")
)
_PLAIN_HEADERS = frozenset("내용 기준 값 금액 시간 금액·시간 설명 상세 안내 한도 비용 요금 단가".split())
"""Over a column whose row already says what is meant: "일비는 얼마입니까?" rather than "일비의 기준은"."""
_MEANING = frozenset("뜻 의미".split())
_NOT_ASKED = frozenset("비고 참고 예시 예 이유 문서 링크".split())
_NOT_A_KEY = frozenset("날짜 일자 일시 버전 번호 순서 순번 변경일".split())
_ATTRIBUTE = re.compile(
    r"(?:층|인원|장비|금액|한도|기간|기한|일수|시각|시간|비율|단가|담당|담당자|승인|승인자|결재|절차|활동|범위|횟수|주기|방법|자료|서류|장소|요금|점수"
    r"|대상|조건|등급|회비|회원|보관|목표|처리|차감|수당|비용|지원|지원금|지원액|증빙|역할|요일|채널|주소|내선|연락처|가격|정원|용량|사용자|율|유형|업무"
    r"|일|곳|값|기준|내용|뜻|의미|설명|상세|안내|횟수|대응|복구|모임|신청|마감|종류|수|날|연차|일정|책임자|보호구|도구|사양|형식|이름|언어|권한|보증금"
    r"|한 번에|개수|메모리|모니터|배점|상금|할인|시기|강사|과목|요건|제한|접속|사용료|관리비|경조금|휴가|화환)$"
)
"""What a column may be called so that "X의 Y" is something of X; other headers name groups ("인턴", "부산 오피스")."""
_NO_NAME = re.compile(r"^$|^\d|(?:는|할|한|던|른) |^(?:때와|하는)")
_NO_KEY = re.compile(
    r"^[가-힣]$|[가-힣]다 |[가-힣](?:이|가|을|를|에서|은|는|로|에|도|만) |(?:전|후|뒤|이내|당일)$|^(?:첫|다음) "
)
"""A whole clause ("그래프가 깨짐") or a point in time ("14일 전"): no noun that something could be asked of."""
_TIMES = re.compile(r"\d{1,2}:\d{2}\s?~\s?\d{1,2}:\d{2}")
_LIST_OF_WORDS = re.compile(r"[가-힣A-Za-z·/ ]{1,9}(?:, [가-힣A-Za-z·/ ]{1,9})+")
_CLAUSES = re.compile(r"[가-힣](?:면|고|며|서|지만) |→|;|\. ")
_RANGE = re.compile(r"(?:이상|이하|미만|초과|이내)$")
_WHO = re.compile(r"담당|승인|결재|책임|허가|주관|보고")
_WHEN = re.compile(r"시각|기한|마감|일자|날짜|시기|일정|주기|언제")
_WHERE = re.compile(r"장소|위치|하는 곳|신청하는 곳|접수처|문의")
_MEASURE = re.compile(r"(?:가격|요금|비용|금액|기간|기한|일수|비율|주기|시간|처리|방식|기준)$")
_NOUN_LIKE = re.compile(r"[가-힣A-Za-z0-9%)~·]$")
_SENTENCE = re.compile(r"(?:가능|불가|다|함|음|됨|것|오|요)\.?$")
_LONGEST_KEY, _LONGEST_VALUE = 22, 36


@dataclass(frozen=True, slots=True)
class Table:
    """`header` and `rows` as cells; `lines` as they stand in the passage, one per row; `topic` of the section."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[str, ...]
    topic: str


def tables(lines: Sequence[tuple[str, str]]) -> list[Table]:
    """The tables among a passage's sentences; each with the topic it stands under. A row of another width ends a table."""
    found: list[Table] = []
    header: tuple[str, ...] | None = None
    rows: list[tuple[str, ...]] = []
    kept: list[str] = []
    topic = ""

    def end() -> None:
        nonlocal header
        if header is not None and rows:
            found.append(Table(header, tuple(rows), tuple(kept), topic))
        header = None
        rows.clear()
        kept.clear()

    for line, under in lines:
        cells = tuple(cell.strip() for cell in line.split(_SEPARATOR))
        if len(cells) < 2 or (header is not None and len(cells) != len(header)):
            end()
        if len(cells) < 2:
            continue
        if header is None:
            header, topic = cells, under
        else:
            rows.append(cells)
            kept.append(line)
    end()
    return found


def is_range(key: str) -> bool:
    """Whether a row's first cell is a step of a scale ("3년 이상") rather than a thing."""
    return bool(_RANGE.search(key))


def facts(passage: Passage, lines: Sequence[tuple[str, str]]) -> Iterator[Fact]:
    """Cell by cell, then pairs of rows."""
    for table in tables(lines):
        if table.header[0] in _NOT_A_KEY or not table.header[0]:
            continue
        keys = _keys(table)
        for row, line in zip(table.rows, table.lines, strict=True):
            if keys.count(row[0]) > 1:
                continue  # two rows of one name: which is meant?
            for column in range(1, len(row)):
                found = _cell(passage, table, row, line, column)
                if found is not None:
                    yield found
        yield from _pairs(passage, table)


def _cell(passage: Passage, table: Table, row: Sequence[str], line: str, column: int) -> Fact | None:
    key, value, name = row[0], row[column], table.header[column]
    if not _usable(key, value, name):
        return None
    word = _question_word(name, value)
    if is_range(key):
        whole = table.header[0]
        subject = f"{with_particle(whole, '이')} {key}이면" if _names_something(whole) else f"{key}이면"
        named = with_particle(name, "은") if name not in _PLAIN_HEADERS else ""
        start = " ".join(filter(None, (subject, named)))
        brief = f"{key} {name}"
    elif name in _PLAIN_HEADERS:
        start, brief = with_particle(key, "은"), f"{key} {word}" if asked_for(value) else ""
    elif not _ATTRIBUTE.search(name):
        if asked_for(value) is None:
            return None
        start, brief = f"{name}의 경우 {with_particle(key, '은')}", f"{name} {key} {word}"
    elif name in ("층", "위치"):
        return _where(passage, table, line, key, value)
    else:
        start, brief = f"{key}의 {with_particle(name, '은')}", f"{key} {name}"
    if name in _MEANING:
        start, word, brief = with_particle(key, "은"), "무슨 뜻", f"{key} 뜻"
    if word == "무엇" and name in _PLAIN_HEADERS:
        word, brief = "어떻게", ""
    if _TIMES.fullmatch(value):
        word, brief = "몇 시부터 몇 시까지", f"{key} 몇 시"
    asking = f"{start} 어떻게 됩니다" if word == "어떻게" else f"{start} {word}입니다"
    return Fact("cell", passage, (line,), asking, (f"{start} {value}입니다",), value, table.topic, brief)


def _where(passage: Passage, table: Table, line: str, key: str, value: str) -> Fact:
    word = "몇 층" if asked_for(value) == "몇 층" else "어디"
    start = with_particle(key, "은")
    return Fact(
        "cell",
        passage,
        (line,),
        f"{start} {word}에 있습니다",
        (f"{start} {value}에 있습니다",),
        value,
        table.topic,
        f"{key} {word}",
    )


def _keys(table: Table) -> list[str]:
    return [row[0] for row in table.rows]


def _pairs(passage: Passage, table: Table) -> Iterator[Fact]:
    keys = _keys(table)
    for column in range(1, len(table.header)):
        name = table.header[column]
        if name in _PLAIN_HEADERS or name == "층" or not _ATTRIBUTE.search(name):
            continue
        for at in range(0, len(table.rows) - 1, 2):
            first, second = table.rows[at], table.rows[at + 1]
            words = [asked_for(first[column]), asked_for(second[column])]
            if words[0] is None or words[0] != words[1] or first[column] == second[column]:
                continue
            if any(
                is_range(one[0]) or "," in one[0] or keys.count(one[0]) > 1 or not _usable(one[0], one[column], name)
                for one in (first, second)
            ):
                continue
            both = f"{with_particle(first[0], '과')} {second[0]}의 {with_particle(name, '은')}"
            said = (
                f"{first[0]}의 {with_particle(name, '은')} {first[column]}입니다",
                f"{second[0]}의 {with_particle(name, '은')} {second[column]}입니다",
            )
            yield Fact(
                "rows",
                passage,
                table.lines[at : at + 2],
                f"{both} 각각 {words[0]}입니다",
                said,
                first[column],
                table.topic,
            )


def _usable(key: str, value: str, name: str) -> bool:
    if value in _SAYING_NOTHING or name in _NOT_ASKED or _NO_NAME.search(name) or not key:
        return False
    if (
        len(key) > _LONGEST_KEY
        or len(value) > _LONGEST_VALUE
        or key.isdigit()
        or "~" in key
        or _NO_KEY.search(key)
        or _CLAUSES.search(key)
    ):
        return False
    if _CLAUSES.search(value) or ("," in re.sub(r"\d,\d", "", value) and not _LIST_OF_WORDS.fullmatch(value)):
        return False
    if not _NOUN_LIKE.search(value) or _SENTENCE.search(value) or not _NOUN_LIKE.search(key) or _SENTENCE.search(key):
        return False
    # A range inside a longer condition ("1시간 이상 대응") has no ending that the rules could give it.
    return is_range(key) or not re.search(r"이상|이하|미만|초과|경우", key)


def _names_something(header: str) -> bool:
    return header not in ("구분", "항목", "기준", "조건", "경우", "상황")


def _question_word(name: str, value: str) -> str:
    quantity = asked_for(value)
    if quantity is not None:
        return quantity
    if re.fullmatch(r"(?:하루|월|연|1인당|한 번에|주|최대|1km당|건당|개당)? ?\d[\d,]*(?:\.\d+)?(?:만|억)? ?원", value):
        return "얼마"
    if re.search(r"\d", value):
        if "내선" in name or "번호" in name:
            return "몇 번"
        return "언제" if _WHEN.search(name) and "기한" not in name and len(value) <= 8 else "어떻게"
    if _WHO.search(name):
        return "누구" if re.search(r"장$|대표|임원|담당|본인|자$", value) else "어디"
    if _WHERE.search(name):
        return "어디"
    if _WHEN.search(name):
        return "언제" if len(value) <= 8 else "어떻게"
    return "무엇" if len(value) <= 14 and not _MEASURE.search(name) else "어떻게"
