"""A draft of the missing page, as Markdown: which questions it should answer, under which headings, where it belongs, who might know.

Deterministic, from the questions, the nearest pages and what called people answered. It states nothing about the company.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.gaps import texts
from bot.gaps.detail import Detail, ShownQuestion
from bot.gaps.gap import NearPage
from bot.messages import Language

EXTEND = 0.9
"""From this closeness on the nearest page is about the same thing, and wants a section rather than a page beside it."""
_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "trouble",
        re.compile(
            r"안 ?[되돼됩]|안 ?붙|오류|에러|고장|깨[졌지]|끊[겨기]|느리|느려|잃어|분실|잊어|잠겼|실패|망가|눌렀|안 ?[보깔]"
        ),
    ),
    (
        "amounts",
        re.compile(r"얼마|한도|금액|며칠|몇 ?(일|시간|명|퍼센트|%|원|번|회|년)|일수|기준|비용|단가|요율|수당|일당"),
    ),
    ("dates", re.compile(r"언제|까지|기한|마감|일정|기간|주기|몇 ?[시월]|날짜|운영 ?시간")),
    ("steps", re.compile(r"어떻게|방법|신청|절차|하려면|[하쓰받떼보]는 ?법|등록|예약|발급|접수|처리|정산|설정|연결")),
    ("contact", re.compile(r"누구|누가|담당|연락|어디(에|로|서|에서)|문의")),
    ("conditions", re.compile(r"되나요|되요|돼요?|가능|대상|조건|자격|여부|있나요|있어|해 ?주나요|수 있")),
)


def draft_of(detail: Detail, language: Language) -> str:
    """The draft that a person wrote, or that it is hidden, or one made here.

    Untrusted words are one line each, so that none opens a heading of its own.
    """
    if detail.draft_hidden:
        return texts.draft("closed", language) + "\n"
    if detail.gap.draft:
        return detail.gap.draft
    gap = detail.gap
    lines = [f"# {texts.title(gap.title, gap.id, language)}", "", texts.draft("marked", language), ""]
    lines += _questions(detail, language)
    lines += _outline(detail.questions, language)
    lines += _where(gap.nearest, language)
    lines += _helpers(detail, language)
    return "\n".join(lines).rstrip() + "\n"


def section_of(question: str) -> str:
    """Key of the section that a question belongs in; of several the first of the kinds above wins."""
    return next((key for key, pattern in _KINDS if pattern.search(question)), "other")


def _questions(detail: Detail, language: Language) -> list[str]:
    lines = [f"## {texts.draft('questions', language)}", ""]
    lines += [f"- {_line(one.text)}" + (f" (×{one.times})" if one.times > 1 else "") for one in detail.questions[:10]]
    if detail.hidden:
        lines.append(f"- _{texts.draft('hidden', language, n=detail.hidden)}_")
    return [*lines, ""]


def _outline(questions: Sequence[ShownQuestion], language: Language) -> list[str]:
    by_section: dict[str, list[str]] = {}
    for one in questions[:10]:
        by_section.setdefault(section_of(one.text), []).append(_line(one.text))
    lines = [f"## {texts.draft('outline', language)}", ""]
    for key, ko, en in texts.SECTIONS:
        if key in by_section or (not by_section and key == "steps"):
            lines += [f"### {texts.pick((ko, en), language)}", ""]
            lines += [f"- {question}" for question in by_section.get(key, [])[:4]]
            lines += ["", texts.draft("fill", language), ""]
    return lines


def _where(nearest: Sequence[NearPage], language: Language) -> list[str]:
    lines = [f"## {texts.draft('where', language)}", ""]
    if not nearest:
        return [*lines, texts.draft("nowhere", language), ""]
    first = nearest[0]
    key = "extend" if first.closeness >= EXTEND else "beside"
    lines += [texts.draft(key, language, title=_line(first.title), page=f"{first.source}/{first.page}"), ""]
    lines += [f"{texts.draft('near', language)}:", ""]
    for page in nearest:
        share = texts.draft("closeness", language, share=round(100 * page.closeness))
        lines.append(f"- {_line(page.title)} ({page.source}/{page.page}): {share}")
    return [*lines, ""]


def _helpers(detail: Detail, language: Language) -> list[str]:
    contacts = list(dict.fromkeys(f"{one.platform}:{who}" for one in detail.helpers for who in one.contacts))
    # Whatever its reader may see: it is on its way to a page for everybody.
    said = [one.resolution for one in detail.helpers if one.resolution and not one.private]
    if not contacts and not said:
        return []
    lines = [f"## {texts.draft('helpers', language)}", ""]
    if contacts:
        lines += [texts.draft("called", language, contacts=", ".join(contacts)), ""]
    if said:
        lines += [f"{texts.draft('said', language)}:", ""]
        lines += [f"> {_line(one)}" for one in said[:3]]
    return lines


def _line(text: str) -> str:
    """On one line, and without signs that would be Markdown at its beginning."""
    return " ".join(text.split()).lstrip("#>-*+ ")
