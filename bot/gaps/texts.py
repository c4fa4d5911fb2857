"""The words of gaps: drafts and exports. Korean first, English beside it."""

from __future__ import annotations

from collections.abc import Mapping

from bot.messages import Language

Words = Mapping[str, tuple[str, str]]

STATES: Words = {
    "open": ("열림", "open"),
    "snoozed": ("미룸", "snoozed"),
    "closed": ("닫음", "closed"),
    "answered": ("답함", "answered"),
}
REASONS: Words = {
    "abstained": ("답하지 못함", "declined"),
    "down": ("👎 평가", "voted down"),
    "escalated": ("담당자 호출", "escalated"),
}
ACTIONS: Words = {
    "made": ("새로 생김", "appeared"),
    "grew": ("질문이 더해짐", "grew"),
    "named": ("이름을 바꿈", "renamed"),
    "assigned": ("담당을 정함", "assigned"),
    "shared": ("모두에게 보임", "shown to everyone"),
    "unshared": ("관리자에게만 보임", "shown to admins only"),
    "drafted": ("초안을 고침", "draft edited"),
    "closed": ("닫음", "closed"),
    "snoozed": ("미룸", "snoozed"),
    "reopened": ("다시 엶", "reopened"),
    "answered": ("새 문서가 답함", "answered by a page"),
    "failed": ("다시 물었으나 답하지 못해 다시 엶", "asked again and not answered: reopened"),
}
SECTIONS: tuple[tuple[str, str, str], ...] = (
    # (key, Korean heading, English heading): in the order of a page
    ("amounts", "기준과 금액", "Amounts and limits"),
    ("conditions", "대상과 조건", "Who and when it applies"),
    ("steps", "신청과 절차", "How to do it"),
    ("dates", "기한과 일정", "Deadlines and dates"),
    ("trouble", "문제가 생겼을 때", "When something goes wrong"),
    ("contact", "담당과 문의", "Who to ask"),
    ("other", "그 밖의 질문", "Other questions"),
)
_UNNAMED = ("이름 없는 주제", "Unnamed topic")
DRAFT_HIDDEN = (
    "읽을 수 없는 문서를 바탕으로 쓴 초안이라 표시하지 않습니다.",
    "Hidden: this draft was written beside pages that this account may not read.",
)
_DRAFT: Words = {
    "marked": (
        "> **초안입니다.** 답하지 못한 질문과 가까운 문서에서 자동으로 만든 틀입니다. 내용은 아는 사람이 채우고 확인해야 합니다.",
        "> **This is a draft.** It was made automatically from questions without an answer and the pages near them. "
        "Somebody who knows must fill it in and check it.",
    ),
    "closed": DRAFT_HIDDEN,
    "questions": ("이 문서가 답할 질문", "Questions this page should answer"),
    "hidden": ("비공개로 물은 질문 {n}건은 내용을 싣지 않았습니다.", "{n} privately asked questions are left out."),
    "outline": ("목차 제안", "Suggested outline"),
    "fill": ("_(여기에 내용을 씁니다.)_", "_(Write here.)_"),
    "where": ("어디에 둘 문서인가", "Where it belongs"),
    "extend": (
        "가장 가까운 문서 **{title}**({page})에 절을 더하는 것이 좋겠습니다.",
        "Best as a section of the nearest page, **{title}** ({page}).",
    ),
    "beside": (
        "가장 가까운 문서 **{title}**({page}) 옆에 새 문서로 두는 것이 좋겠습니다.",
        "Best as a new page beside the nearest one, **{title}** ({page}).",
    ),
    "nowhere": ("가까운 문서가 없습니다. 새 문서가 필요합니다.", "No page comes close: a new one is needed."),
    "near": ("가까운 문서", "Pages near it"),
    "closeness": ("답변 기준의 {share}%", "{share} % of what an answer needs"),
    "helpers": ("알 만한 사람", "Who might know"),
    "called": ("이 질문들로 부른 담당자: {contacts}", "Called for these questions: {contacts}"),
    "said": ("담당자가 이미 답한 내용", "What they answered already"),
}


def pick(pair: tuple[str, str], language: Language) -> str:
    """Of a pair the one in this language."""
    return pair[1] if language == "en" else pair[0]


def draft(key: str, language: Language, **values: object) -> str:
    """A line of a draft."""
    return pick(_DRAFT[key], language).format(**values)


def state(value: str, language: Language) -> str:
    """A state's name."""
    return pick(STATES.get(value, (value, value)), language)


def reason(value: str, language: Language) -> str:
    """Why a question is in a gap."""
    return pick(REASONS.get(value, (value, value)), language)


def action(value: str, language: Language) -> str:
    """What happened to a gap."""
    return pick(ACTIONS.get(value, (value, value)), language)


def title(name: str, gap: str, language: Language) -> str:
    """What to call a gap in a list."""
    return name or f"{pick(_UNNAMED, language)} {gap[:4]}"
