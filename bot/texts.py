"""What Saseo says around an answer, in Korean and English. Pure functions, 합니다체.

The commands' help and reports stand in bot/commands. Errors carry their own sentences (bot/errors.py,
knowledge/errors.py). What the writer is told stands in bot/prompts.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.messages import Answer, Citation, Outcome
from bot.messages import Language as Language


def step(name: str, detail: int, language: Language) -> str:
    """A step of the flow, while the person waits."""
    korean = {
        "searching": "위키에서 찾고 있습니다…",
        "rewriting": "다른 표현으로 다시 찾고 있습니다…",
        "reading": f"구절 {detail}개를 읽고 있습니다…",
        "writing": "답변을 쓰고 있습니다…",
    }
    english = {
        "searching": "Searching the wiki…",
        "rewriting": "Searching again in other words…",
        "reading": f"Reading {detail} passages…",
        "writing": "Writing the answer…",
    }
    return (korean if language == "ko" else english)[name]


def abstained(nearest: Sequence[Citation], language: Language) -> str:
    """The wiki does not say."""
    if language == "ko":
        head = "위키에서 이 질문의 답을 찾지 못했습니다."
        return head + (" 가장 가까운 문서는 다음과 같습니다." if nearest else " 다른 표현으로 다시 질문해 주십시오.")
    head = "The wiki does not seem to answer this."
    return head + (" The nearest pages are:" if nearest else " Please try other words.")


def quoting(language: Language) -> str:
    """Introduces an extractive answer."""
    if language == "ko":
        return "관련 문서의 내용을 그대로 옮깁니다."
    return "Quoted from the wiki:"


def empty_question(language: Language) -> str:
    """Nothing was asked."""
    return "질문을 입력해 주십시오." if language == "ko" else "Please type a question."


def failed(question_id: str, language: Language) -> str:
    """An error nobody foresaw; the id is in the log."""
    if language == "ko":
        return f"답변하는 중에 문제가 생겼습니다. 잠시 후 다시 질문해 주십시오. (문의 번호 {question_id})"
    return f"Something went wrong while answering. Please ask again in a moment. (reference {question_id})"


def outdated(title: str, language: Language) -> str:
    """A cited page has been replaced."""
    if language == "ko":
        return f"'{title}' 문서는 새 문서로 대체되었습니다. 최신 내용을 함께 확인해 주십시오."
    return f"'{title}' has been replaced by a newer page; please check that one too."


def sources(language: Language) -> str:
    """Heads the list of sources."""
    return "출처" if language == "ko" else "Sources"


def closing(answer: Answer, language: Language) -> str:
    """What follows an answer's text on a plain terminal: sources, or the nearest pages of an abstention."""
    if answer.outcome is Outcome.FAILED:
        return answer.text
    listed = answer.citations or answer.nearest
    if not listed:
        return "\n"
    lines = [f"\n\n{sources(language)}:"] if answer.citations else ["\n"]
    for citation in listed:
        heading = f" > {citation.heading}" if citation.heading else ""
        lines.append(f"[{citation.n}] {citation.title}{heading} ({citation.url or citation.page})")
        if answer.citations:
            lines.append(f"    “{' '.join(citation.quote.split())}”")
    return "\n".join(lines)


def greeting(language: Language) -> str:
    """Opens a terminal conversation."""
    if language == "ko":
        return "사서입니다. 위키에 대해 물어보십시오. (새 대화 /새로, 끝내기 /끝, 답변 멈추기 Ctrl-C)\n"
    return "Saseo here. Ask the wiki. (/new forgets the conversation, /exit leaves, Ctrl-C stops an answer)\n"


def forgotten(language: Language) -> str:
    """The conversation starts anew."""
    return "새 대화를 시작합니다." if language == "ko" else "A new conversation."


def stopped(language: Language) -> str:
    """The person stopped an answer."""
    return "답변을 멈췄습니다." if language == "ko" else "Stopped."


def no_writer(reason: str, language: Language) -> str:
    """The writer cannot be used; answers are quotes."""
    if language == "ko":
        return f"답변 모델을 쓸 수 없어 문서를 그대로 인용해 답합니다. {reason}"
    return f"The writer is not available, so answers are quotes. {reason}"


def interrupted(language: Language) -> str:
    """Ctrl-C during a command."""
    if language == "ko":
        return "중단했습니다. 이전 색인과 받아 둔 파일은 그대로이며, 다시 실행하면 이어서 합니다."
    return "Interrupted. The published index and finished downloads are untouched; running again continues."
