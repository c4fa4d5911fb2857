"""The kinds of personal data that are masked, what stands in their place, and where one was found."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class PersonalKind(StrEnum):
    """A kind of personal data. The order says which wins where two overlap: the earlier one."""

    RESIDENT_NUMBER = "resident_number"
    FOREIGNER_NUMBER = "foreigner_number"
    EMAIL = "email"
    CARD = "card"
    DRIVER_LICENCE = "driver_licence"
    ACCOUNT = "account"
    PHONE = "phone"
    BUSINESS_NUMBER = "business_number"
    PASSPORT = "passport"
    ADDRESS = "address"
    NAME = "name"


PLACEHOLDERS = {
    PersonalKind.RESIDENT_NUMBER: "[주민등록번호]",
    PersonalKind.FOREIGNER_NUMBER: "[외국인등록번호]",
    PersonalKind.EMAIL: "[이메일]",
    PersonalKind.CARD: "[카드번호]",
    PersonalKind.DRIVER_LICENCE: "[운전면허번호]",
    PersonalKind.ACCOUNT: "[계좌번호]",
    PersonalKind.PHONE: "[전화번호]",
    PersonalKind.BUSINESS_NUMBER: "[사업자등록번호]",
    PersonalKind.PASSPORT: "[여권번호]",
    PersonalKind.ADDRESS: "[주소]",
    PersonalKind.NAME: "[이름]",
}
PLACEHOLDER = re.compile("|".join(re.escape(one) for one in PLACEHOLDERS.values()))
KIND_OF = {placeholder: kind for kind, placeholder in PLACEHOLDERS.items()}

_FIRST_MARK = 0xE000
MARKS = {kind: chr(_FIRST_MARK + number) for number, kind in enumerate(PersonalKind)}
"""One character of Unicode's private use area per kind: what detectors see where something is masked already."""
MARK = f"[{chr(_FIRST_MARK)}-{chr(_FIRST_MARK + len(MARKS) - 1)}]"


@dataclass(frozen=True, slots=True)
class Finding:
    """Personal data at `start` … `end` of a text, in code points. It does not hold the data itself, so it may be logged."""

    kind: PersonalKind
    start: int
    end: int
