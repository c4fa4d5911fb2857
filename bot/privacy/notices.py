"""What people are told of what is kept of them, and the few sentences by which they object. Pure functions."""

from __future__ import annotations

import re
from typing import Literal

from bot.messages import Language

Wish = Literal["suspend", "resume"]

_SUSPEND = frozenset(
    {
        "내평가를학습에쓰지마세요",
        "내평가를학습에쓰지말아주세요",
        "제평가를학습에쓰지마세요",
        "제평가를학습에쓰지말아주세요",
        "내의견을학습에쓰지마세요",
        "제의견을학습에쓰지마세요",
        "학습에쓰지마세요",
        "학습거부",
        "donottrainonmyfeedback",
        "donotlearnfrommyfeedback",
        "optoutoftraining",
    }
)
_RESUME = frozenset(
    {
        "내평가를학습에써도됩니다",
        "제평가를학습에써도됩니다",
        "학습에써도됩니다",
        "학습동의",
        "youmaylearnfrommyfeedback",
        "optintotraining",
    }
)
_BESIDE_WORDS = re.compile(r"[\s.!~,'\"“”‘’]+")


def wish(text: str) -> Wish | None:
    """Whether a message is one of these sentences, whole, and which way."""
    words = _BESIDE_WORDS.sub("", text).lower()
    if words in _SUSPEND:
        return "suspend"
    return "resume" if words in _RESUME else None


def first_use(language: Language, *, questions_days: int, feedback_days: int, learning: bool, contact: str = "") -> str:
    """Told each person once: what is kept, for how long, and how to object. `learning`: feedback may become training examples."""
    if language == "ko":
        kept = (
            f"질문과 답변은 가명으로 저장하고 {questions_days}일 뒤 삭제합니다"
            + (f"(평가하신 답변은 {feedback_days}일)." if feedback_days else "(평가하신 답변은 계속 보관합니다).")
            if questions_days
            else "질문과 답변은 가명으로 저장합니다."
        )
        used = (
            " 평가는 답변 개선 학습에 쓸 수 있으며, 원하지 않으시면 “내 평가를 학습에 쓰지 마세요”라고 보내 주십시오."
            if learning
            else " 평가는 학습에 쓰지 않습니다."
        )
        whom = f"{contact}(으)로" if contact else "관리자에게"
        return f"처음 안내드립니다. {kept}{used} 열람이나 삭제는 {whom} 요청해 주십시오."
    kept = (
        f"Questions and answers are kept under a pseudonym and deleted after {questions_days} days"
        + (f" (those you rate: {feedback_days} days)." if feedback_days else " (those you rate are kept).")
        if questions_days
        else "Questions and answers are kept under a pseudonym."
    )
    used = (
        " Your ratings may be used to train better answers; to object, send “Do not train on my feedback”."
        if learning
        else " Ratings are not used for training."
    )
    return f"A note for your first question. {kept}{used} To see or delete yours, ask {contact or 'an admin'}."


def agreed(wished: Wish, changed: bool, language: Language) -> str:
    """The answer to such a sentence. `changed` False: it was so before."""
    if language == "ko":
        if wished == "suspend":
            return (
                "앞으로 평가와 질문을 학습에 쓰지 않겠습니다. 다시 허용하시려면 “내 평가를 학습에 써도 됩니다”라고 보내 주십시오."
                if changed
                else "이미 평가와 질문을 학습에 쓰지 않고 있습니다."
            )
        return (
            "평가를 답변 개선 학습에 쓸 수 있게 했습니다. 고맙습니다." if changed else "학습을 거부하신 적이 없습니다."
        )
    if wished == "suspend":
        return (
            "Your ratings and questions will not be used for training. To allow it again, send “You may learn from my feedback”."
            if changed
            else "Your ratings and questions are already left out of training."
        )
    return "Your ratings may be used for training again. Thank you." if changed else "You had not objected to training."
