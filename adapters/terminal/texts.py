"""What Saseo says in a terminal beside answers, in Korean (합니다체) and English. Pure functions. The greeting is in bot/texts.py."""

from __future__ import annotations

from bot.messages import Language


def how_to_explain(language: Language) -> str:
    """After a thumb down without a reason."""
    if language == "ko":
        return "이유를 알려 주시려면 이어서 적어 주십시오. 예: /아쉬워요 옛 규정입니다"
    return "To say why, add it to the command, for example: /bad this is the old rule"


def explained(language: Language) -> str:
    """After a thumb down with a reason."""
    if language == "ko":
        return "자세한 의견 고맙습니다. 답변을 개선하는 데 쓰겠습니다."
    return "Thank you for the details."


def nothing_to_rate(language: Language) -> str:
    """A thumb without an answer that it could be for."""
    return "평가할 답변이 없습니다." if language == "ko" else "There is no answer to rate."


def commands(language: Language) -> str:
    """Everything that may be typed beside questions."""
    if language == "ko":
        return (
            "쓸 수 있는 명령은 다음과 같습니다.\n"
            "  /좋아요           마지막 답변이 도움이 되었습니다\n"
            "  /아쉬워요 [이유]  마지막 답변이 아쉬웠습니다\n"
            "  /새로             앞의 질문을 잊고 새 대화를 시작합니다\n"
            "  /끝               대화를 끝냅니다"
        )
    return (
        "These commands are known:\n"
        "  /good          the last answer helped\n"
        "  /bad [reason]  the last answer did not help\n"
        "  /new           forgets the conversation\n"
        "  /exit          leaves"
    )


def unknown_command(language: Language) -> str:
    """A slash and a word that is no command; the list follows."""
    return "모르는 명령입니다." if language == "ko" else "There is no such command."


def left_waiting(language: Language) -> str:
    """Ctrl-C twice: the answer would not stop at once."""
    return "답변을 기다리지 않고 대화를 끝냅니다." if language == "ko" else "Leaving without waiting for the answer."
