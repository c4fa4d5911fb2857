"""What a page or a section is about, as a noun that a question can begin with: "국내 출장 규정 (2026)" → "국내 출장". Pure."""

from __future__ import annotations

import re

_BRACKETS = re.compile(r"\s*[(\[<〈「][^)\]>〉」]*[)\]>〉」]")
_NUMBERING = re.compile(r"^(?:제\s?\d+\s?[조장절]|\d{1,2}(?:\.\d{1,2})*[.)]?|[가-하]\.)\s*")
_KINDS_OF_PAGE = frozenset(
    "안내 규정 기준 지침 절차 가이드 운영 정책 매뉴얼 방법 모음 정리 개요 제도 규칙 처리 일정 공지 요령 세칙 내규 약속 수칙".split()
)
_SAYING_LITTLE = re.compile(
    r"자주 (묻는|틀리)|질문|FAQ|문의|예외|기타|참고|개요|목적|변경|이력|달라진|주의|유의|전에|뒤에|때$|마다|나요|까요|이란|무엇"
    r"|처음|함께|흔한|예시|용어|적용|시행|부칙|일반|[것곳때]$|^첫 |^[두세네다섯여섯\d]+ ?가지|흐름$"
)

_NO_NOUN = re.compile(r"(?:면|[하되보쓰리들가만]기|는|은|니다|로|에서|에|까지|오|요)$")


def of_title(title: str) -> str:
    """Without what kind of page it is; empty when nothing is left."""
    words = _NUMBERING.sub("", _BRACKETS.sub("", title)).split(" - ")[0].split()
    while len(words) > 1 and words[-1] in _KINDS_OF_PAGE:
        words.pop()
    return " ".join(words)


def of_heading(heading: str) -> str:
    """Empty for a heading that says little by itself ("자주 묻는 질문", "기준")."""
    bare = _NUMBERING.sub("", _BRACKETS.sub("", heading)).strip()
    if not bare or len(bare) > 18 or _SAYING_LITTLE.search(bare) or bare.split()[-1] in _KINDS_OF_PAGE:
        return ""
    if _NO_NOUN.search(bare):
        return ""
    return bare if re.fullmatch(r"[가-힣A-Za-z0-9·/&' -]+", bare) else ""


def joined(topic: str, heading: str) -> str:
    """Both as one noun: "온콜" and "교대" → "온콜 교대"; the heading alone where it repeats the topic or has words enough."""
    repeated = any(word in heading for word in re.split(r"[ ·/]", topic) if len(word) > 1)
    if not heading or not topic or repeated or len(heading.split()) > 1:
        return heading or topic
    return f"{topic} {heading}"
