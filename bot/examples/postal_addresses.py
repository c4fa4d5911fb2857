"""Where someone lives or has parcels sent: Korean road and lot addresses, and the numbers of a flat.

A road or a lot counts only after a region or a district, after a word such as 주소, or before a flat's number: "로" and "동"
also end common words. Patterns are made for `normal_view.View.text`, and bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_REGION = (
    r"(?:서울(?:특별시|시)?|(?:부산|대구|인천|광주|대전|울산)(?:광역시|시)?|세종(?:특별자치시|시)?|경기도?|강원(?:특별자치도|도)?|"
    r"충청?[남북]도?|충[남북]|전라[남북]도|전[남북](?:특별자치도)?|전북특별자치도|경상[남북]도|경[남북]|제주(?:특별자치도|도)?)"
)
_DISTRICT = r"[가-힣]{1,5}[시군구]"
_PLACE = rf"(?:(?:{_REGION} ?)(?:{_DISTRICT} ){{0,2}}|(?:{_DISTRICT} ){{1,2}})(?:[가-힣]{{1,5}}[읍면동] ){{0,1}}"
_ROAD = r"[가-힣0-9]{1,10}(?:대로|로|길)(?: ?[0-9]{1,4}(?:번|가|나|다)?길)?"
_COUNTER = r" ?(?:명|개|일|시|원|회|대|년|월|분|차|건|박|인|단계|주|번째|번(?!지|길)|점|배|%|km|층|호|[.:,][0-9]|[만억천백]|가지|종)"
_NUMBER = (
    r"(?:지하 ?)?[0-9]{1,4}(?:-[0-9]{1,4})?(?![0-9-])"
    rf"(?!{_COUNTER})"
)
_LOT = rf"[가-힣]{{1,5}}(?:[0-9]{{1,2}}가|동|읍|면|리|가) (?:산 ?)?[0-9]{{1,4}}(?:-[0-9]{{1,4}})?(?:번지)?(?![0-9-])(?!{_COUNTER})"
_FLAT = r"[1-9][0-9]{2,3}동 ?[0-9]{1,4}호"
_BUILDING = r"[가-힣A-Za-z0-9]{0,12}(?:빌딩|타워|센터|아파트|빌라|오피스텔|맨션|빌리지|파크|자이|래미안|푸르지오|힐스테이트|더샵|아이파크)"
_DETAIL = (
    rf"(?:,? ?(?:{_BUILDING}|[0-9]{{1,4}}동(?: ?[0-9]{{1,4}}호)?|[0-9]{{1,4}}호|(?:지하 ?|B)?[0-9]{{1,3}}층)){{0,3}}"
    r"(?: ?\([가-힣0-9, ]{2,20}\))?"
)
_LABEL = r"(?:주소|자택|배송지|거주지|본가|등본상|사는 곳|보내실 곳|수령지)[은는이가:| ]{0,3}"

_ADDRESSES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?<![가-힣])(?P<address>{_PLACE}{_ROAD} ?{_NUMBER}{_DETAIL})",
        rf"(?<![가-힣])(?P<address>{_PLACE}{_LOT}{_DETAIL})",
        rf"{_LABEL}(?P<address>(?:{_ROAD} ?{_NUMBER}|{_LOT}){_DETAIL})",
        rf"(?<![가-힣0-9])(?P<address>{_ROAD} ?{_NUMBER},? ?(?:{_FLAT}|[0-9]{{3,4}}호))",
        rf"(?<![가-힣A-Za-z0-9])(?P<address>(?:{_BUILDING} ?)?{_FLAT})(?!기)",
    )
)
_ANCHORED = re.compile(rf"{_REGION}|{_DISTRICT} ")
_COUNTED = re.compile(_COUNTER)


def postal_addresses(text: str) -> Iterator[tuple[int, int]]:
    """Spans of addresses in a view's text; may overlap."""
    for pattern in _ADDRESSES:
        for match in pattern.finditer(text):
            yield match.span("address")


def is_an_address(text: str, start: int, end: int) -> bool:
    """What a library calls an address has a region or a district, and no counter after its number."""
    return bool(_ANCHORED.match(text, start, end)) and not _COUNTED.match(text, end)
