"""Numbers, addresses of mail and of places: our own patterns, over which a library is laid (`masking.py`).

Patterns are made for `normal_view.View.text`. Every repetition is bounded, so the time is linear in the text. No check digit is
ever used to reject: resident numbers given since October 2020 have none, and a mistyped number is still a person's.
A word beside a number may say that it is a document's or an amount; of what has the shape of a resident number it is not asked.
Left alone on purpose, since pages state them as facts and they are nobody's: extension numbers, nationwide and toll-free
numbers (1588, 080), mailboxes of a function (hr@, help@), register numbers of corporations (behind 법인등록번호).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.examples.personal_kinds import PersonalKind

Span = tuple[PersonalKind, int, int]

_START = r"(?<![0-9A-Za-z+])(?<![0-9][-*])(?<![0-9]\*\*)"
"""Behind `*` a number may stand, since Markdown makes it bold so, but not behind a hidden part of the same number: `12**34-…`."""
_END = r"(?![0-9A-Za-z])(?!-[0-9])"
_HIDDEN = r"[0-9*●•○xX]"
_DATE = r"[0-9] ?[0-9] ?(?:0 ?[1-9]|1 ?[0-2]) ?(?:0 ?[1-9]|[12] ?[0-9]|3 ?[01])"

_RESIDENT = re.compile(
    rf"(?<![0-9]){_DATE}(?: ?[-~_/.] ?| )(?:(?P<century>[0-9])(?: ?{_HIDDEN}){{6}}|[*●•○xX]{{7}})(?![0-9])"
)
"""Six digits that may be a birth date, something between, seven digits: masked whatever stands around it."""
_RESIDENT_JOINED = re.compile(rf"{_START}{_DATE}(?P<century>[1-8])[0-9]{{6}}{_END}")
_RESIDENT_PART = re.compile(
    r"(?:뒷자리|뒤 ?7자리|뒷번호)[^0-9\n]{0,6}(?P<tail>[1-8][0-9]{6})(?![0-9])"
    rf"|(?:앞자리|앞 ?6자리)[^0-9\n]{{0,6}}(?P<head>{_DATE})(?![0-9])"
)

_GAP = r"[-./ )]{0,2}"
_MOBILE = re.compile(
    rf"(?<![0-9A-Za-z*])(?<![0-9]-)(?:\+?(?:00)?82{_GAP}[+(]{{0,2}}0?\)?|\(?0) ?1 ?[016789]{_GAP}"
    rf"(?:[0-9*] ?){{3,4}}{_GAP}[0-9*] ?(?:[0-9*] ?){{2}}[0-9*]{_END}"
)
_AREA = r"(?:2|3[1-3]|4[1-4]|5[1-5]|6[1-4]|70|50[2-8]?)"
_LANDLINE = re.compile(
    rf"(?<![0-9A-Za-z*+.])(?<![0-9]-)(?:\(0{_AREA}\) ?|0{_AREA}(?:[-.)] ?| ))[0-9]{{3,4}}(?: ?- ?|[. ])[0-9]{{4}}{_END}"
)
_LANDLINE_JOINED = re.compile(
    rf"{_START}0(?:2[2-9][0-9]{{6,7}}|(?:3[1-3]|4[1-4]|5[1-5]|6[1-4]|70)[2-9][0-9]{{6,7}}){_END}"
)
_ABROAD = re.compile(rf"(?<![0-9A-Za-z+])\+[1-9][0-9]{{0,2}}(?:[-. ]{{1,2}}\(?[0-9]{{1,4}}\)?){{2,5}}{_END}")
_DIGIT_WORD = "[공영일이삼사오육칠팔구]"
_SPOKEN = re.compile(
    rf"(?<![가-힣])[공영]일[공영일육칠팔구][- ]{{0,2}}{_DIGIT_WORD}{{3,4}}[- ]{{0,2}}{_DIGIT_WORD}{{4}}(?!{_DIGIT_WORD})"
)
_NOBODYS_PHONE = re.compile(r"(?:1[5-9][0-9]{2}|080)[- .)]")

_LOCAL = r"(?<![A-Za-z0-9._%+*-])[A-Za-z0-9._%+*-]{1,64}"
_DOMAIN = r"[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,4}\.[A-Za-z]{2,24}"
_MAIL = re.compile(rf"{_LOCAL} ?@ ?{_DOMAIN}(?![A-Za-z0-9-])")
_MAIL_KOREAN = re.compile(
    r"(?<![\w.%+-])[\w.%+-]{1,64}@[가-힣A-Za-z0-9-]{1,63}(?:\.[가-힣A-Za-z0-9-]{1,63}){0,3}\.(?:한국|닷컴|닷넷)"
)
_MAIL_SPELLED = re.compile(
    rf"{_LOCAL} ?(?:골뱅이|앳|[(\[{{<] ?(?:at|골뱅이|@|앳) ?[)\]}}>]) ?"
    r"[A-Za-z0-9-]{1,63}(?: ?(?:\.|점|닷|쩜|[(\[{] ?(?:dot|점|\.) ?[)\]}]| dot ) ?[A-Za-z0-9-]{1,63}){1,4}",
    re.IGNORECASE,
)
_FUNCTION_MAILBOX = re.compile(
    r"(?:hr|help|helpdesk|support|it|it-?support|info|contact|admin|security|privacy|legal|all|dev|ops|noreply|no-reply|"
    r"recruit|jobs|careers|sales|finance|expense|account(?:ing|s)?|billing|office|webmaster|postmaster|abuse|cs|service|"
    r"ceo|pr|press|marketing|notice|team|git|root|payroll|tax|facility|safety|audit|ethics|purchase|order|partner)@",
    re.IGNORECASE,
)
_FREE_MAIL = re.compile(r"@ ?(?:naver|gmail|daum|hanmail|kakao|nate|outlook|hotmail|icloud|yahoo)\.", re.IGNORECASE)

_CARD = re.compile(rf"{_START}[2-69][0-9]{{3}}([- ])[0-9*xX]{{4}}\1[0-9*xX]{{4}}\1[0-9*]{{4}}{_END}")
_CARD_AMEX = re.compile(rf"{_START}3[47][0-9]{{2}}[- ][0-9*]{{6}}[- ][0-9*]{{5}}{_END}")
_CARD_JOINED = re.compile(rf"{_START}[2-69][0-9]{{15}}{_END}")
_CARD_WORD = re.compile(r"카드|card", re.IGNORECASE)

_BANK = (
    r"(?:KB국민|국민|KB|신한|우리|하나|KEB|NH농협|농협|NH|IBK기업|기업|IBK|SC제일|제일|씨티|한국씨티|카카오|케이|토스|K|"
    r"새마을금고|신협|우체국|수협|부산|대구|iM|아이엠|광주|전북|경남|제주|산업|KDB|산림조합)(?:은행|뱅크)?"
)
_ACCOUNT_NUMBER = r"(?:[0-9]{2,6}(?:-[0-9]{1,8}){1,4}|[0-9]{10,14})"
_ACCOUNT = re.compile(
    rf"(?:(?<![가-힣A-Za-z]){_BANK}|계좌)(?: ?(?:계좌|통장))?(?: ?번호)?[은는이가:(* ]{{0,4}}(?:{_BANK} ?)?[*]{{0,2}}"
    rf"(?P<number>{_ACCOUNT_NUMBER}){_END}"
)
_ACCOUNT_BEFORE = re.compile(
    rf"{_START}(?P<number>{_ACCOUNT_NUMBER})(?: ?\( ?{_BANK} ?\)|,? {_BANK}(?:(?<=은행)|(?<=뱅크)|(?<=금고)))"
)

_LICENCE = re.compile(rf"{_START}(?:1[1-9]|2[0-68])-[0-9]{{2}}-[0-9]{{6}}-[0-9]{{2}}{_END}")
_LICENCE_REGION = re.compile(
    r"(?:서울|부산|대구|인천|광주|대전|울산|경기|강원|충북|충남|전북|전남|경북|경남|제주)[- ]?"
    rf"[0-9]{{2}}-[0-9]{{6}}-[0-9]{{2}}{_END}"
)
_LICENCE_JOINED = re.compile(r"면허(?: ?번호)?[은는이가:* ]{0,4}(?P<number>[12][0-9]{11})(?![0-9])")
_BUSINESS = re.compile(rf"{_START}[0-9]{{3}}-[0-9]{{2}}-[0-9]{{5}}{_END}")
_BUSINESS_JOINED = re.compile(r"사업자(?: ?등록)?(?: ?번호)?[은는이가:* ]{0,4}(?P<number>[0-9]{10})(?![0-9])")
_PASSPORT = re.compile(
    r"(?:여권|passport)[^\n0-9]{0,14}?(?<![A-Za-z0-9])"
    r"(?P<number>[A-Z](?:[0-9]{8}|[0-9]{3}[A-Z][0-9]{4}))(?![A-Za-z0-9])",
    re.IGNORECASE,
)

_LABELLED_OTHERWISE = re.compile(
    r"(?:(?:문서|관리|접수|주문|송장|운송장|티켓|품의|계약|자산|시리얼|제품|모델|사건|허가|견적|발주|공고|일련|품목|규격)"
    r" ?(?:번호|코드|no\.?)|(?:제품|모델|품목|규격)명|(?<![가-힣])(?:운?송장|시리얼|모델|규격|수량)|바코드|ISBN|EAN|GTIN|S/N)"
    r"[은는이가:#* ]{0,4}제? ?$",
    re.IGNORECASE,
)
"""Words that name the number behind them. A bare 관리, 계약, 주문 … does not: `시설 관리 02-…` says whom to call."""
_CORPORATION = re.compile(r"법인 ?(?:등록)? ?번호[은는이가:#* ]{0,4}$")
_PARTICLE_JOINED = (
    r"(?:은|는|이|가|을|를|의|에|에서|에게|으로|로|와|과|도|만|까지|부터|보다|씩|쯤|정|정도|이상|이하|미만|초과|짜리|대|"
    r"인|입니다|이[다며고나면]|이[라었][가-힣]{0,3}|였습니다)?(?![가-힣A-Za-z0-9])"
)
_PARTICLE_APART = r"(?:은|는|이|을|를|에|에서|으로|까지|부터|이상|이하|미만|입니다|이다|이며|이고)?(?![가-힣A-Za-z0-9])"
"""Behind a unit with a blank before it: ` 원가`, ` 호의` and ` 원로` are words of their own."""
_NUMBERED_OTHERWISE = re.compile(rf"호{_PARTICLE_JOINED}| 호{_PARTICLE_APART}")
_MONEY = r"(?:원|달러|USD)"
_AMOUNT_OTHERWISE = re.compile(rf"{_MONEY}{_PARTICLE_JOINED}| {_MONEY}{_PARTICLE_APART}")
_AMOUNT = re.compile(r"[1-9][0-9]*")
_RESIDENT_WORD = re.compile(r"(?:주민|외국인|거소)[가-힣 ]{0,8}[은는이가:(* ]{0,4}$")
_LABEL_REACH = 16
_BANK_WORD = re.compile("은행|뱅크|계좌|금고")
_ACCOUNT_DIGITS = 10
_PATTERNS = (
    (PersonalKind.PHONE, _MOBILE, False),
    (PersonalKind.PHONE, _SPOKEN, False),
    (PersonalKind.PHONE, _LANDLINE, True),
    (PersonalKind.PHONE, _LANDLINE_JOINED, True),
    (PersonalKind.PHONE, _ABROAD, True),
    (PersonalKind.EMAIL, _MAIL_KOREAN, False),
    (PersonalKind.EMAIL, _MAIL_SPELLED, False),
    (PersonalKind.CARD, _CARD, True),
    (PersonalKind.CARD, _CARD_AMEX, True),
    (PersonalKind.DRIVER_LICENCE, _LICENCE_REGION, False),
    (PersonalKind.DRIVER_LICENCE, _LICENCE_JOINED, False),
    (PersonalKind.DRIVER_LICENCE, _LICENCE, True),
    (PersonalKind.BUSINESS_NUMBER, _BUSINESS_JOINED, False),
    (PersonalKind.BUSINESS_NUMBER, _BUSINESS, True),
    (PersonalKind.PASSPORT, _PASSPORT, False),
)
"""Kind, pattern, and whether a label such as 문서 번호 before the number means that it is something else."""


def identifiers(text: str) -> Iterator[Span]:
    """Numbers and mail addresses in a view's text; may overlap."""
    yield from _residents(text)
    for kind, pattern, weak in _PATTERNS:
        group = "number" if "number" in pattern.groupindex else 0
        for match in pattern.finditer(text):
            start, end = match.span(group)
            start += text[start] == "(" and ")" not in match[group]
            if not (weak and is_labelled_otherwise(text, start, end)):
                yield kind, start, end
    yield from _accounts(text)
    for match in _MAIL.finditer(text):
        if not is_nobodys(match[0]):
            yield PersonalKind.EMAIL, *match.span()
    for match in _CARD_JOINED.finditer(text):
        near = text[max(0, match.start() - _LABEL_REACH) : match.start()] + text[match.end() : match.end() + 6]
        if _CARD_WORD.search(near) or (luhn(match[0]) and not is_labelled_otherwise(text, *match.span())):
            yield PersonalKind.CARD, *match.span()


def _residents(text: str) -> Iterator[Span]:
    for pattern in (_RESIDENT, _RESIDENT_JOINED):
        for match in pattern.finditer(text):
            before = text[max(0, match.start() - _LABEL_REACH) : match.start()]
            if _CORPORATION.search(before):  # of the same shape, and public
                continue
            if pattern is _RESIDENT or _RESIDENT_WORD.search(before) or not is_labelled_otherwise(text, *match.span()):
                foreign = (match["century"] or "") in {"5", "6", "7", "8"}
                kind = PersonalKind.FOREIGNER_NUMBER if foreign else PersonalKind.RESIDENT_NUMBER
                yield kind, *match.span()
    for match in _RESIDENT_PART.finditer(text):
        yield PersonalKind.RESIDENT_NUMBER, *match.span(match.lastgroup or 0)


def _accounts(text: str) -> Iterator[Span]:
    """Ten digits or more beside a bank: "부산 051-234-5678" is a telephone, "부산은행 051-234-5678" is not."""
    for pattern in (_ACCOUNT, _ACCOUNT_BEFORE):
        for match in pattern.finditer(text):
            start, end = match.span("number")
            if sum(letter.isdigit() for letter in match["number"]) < _ACCOUNT_DIGITS:
                continue
            telephone = _LANDLINE.fullmatch(text, start, end) or _MOBILE.fullmatch(text, start, end)
            if not (telephone and not _BANK_WORD.search(match[0])) and not is_labelled_otherwise(text, start, end):
                yield PersonalKind.ACCOUNT, start, end


def is_labelled_otherwise(text: str, start: int, end: int) -> bool:
    """A word before or after says that this number is a document's, a parcel's, a corporation's, an amount …

    Not to be asked of what has the shape of a resident number. An amount is digits alone: `110-234-567890원` is none.
    """
    before = text[max(0, start - _LABEL_REACH) : start]
    if _LABELLED_OTHERWISE.search(before) or _CORPORATION.search(before) or _NUMBERED_OTHERWISE.match(text, end):
        return True
    return bool(_AMOUNT.fullmatch(text, start, end) and _AMOUNT_OTHERWISE.match(text, end))


def is_nobodys(value: str) -> bool:
    """A nationwide or toll-free number, or the mailbox of a function rather than of a person."""
    if "@" in value:
        return bool(_FUNCTION_MAILBOX.match(value)) and not _FREE_MAIL.search(value)
    return bool(_NOBODYS_PHONE.match(value)) or bool(re.fullmatch(r"1[5-9][0-9]{6}", value))


def luhn(number: str) -> bool:
    """The check digit of card numbers (ISO/IEC 7812-1) is right."""
    total = 0
    for place, letter in enumerate(reversed(number)):
        digit = int(letter) * (1 + place % 2)
        total += digit - 9 if digit > 9 else digit
    return total % 10 == 0
