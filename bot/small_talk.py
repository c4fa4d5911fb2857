"""Which words of a conversation ask nothing: stop words, thanks, nods. Pure; for the core and for adapters that listen."""

from __future__ import annotations

import re

_STOP = re.compile(r"(?:(?:그만|중지|취소)해?|멈춰)(?:줘요?|주세요|주십시오|요)?|stop|cancel")
_SMALL_TALK = re.compile(
    r"(?:네|넵|넹|예|응|아|오|와|정말|너무|대단히|답변|ok|okay|thanks|thankyou"
    r"|감사(?:합니다|해요|드립니다|드려요|했습니다)?|고맙(?:습니다|네요|다)|고마워요?"
    r"|(?:저도)?궁금(?:합니다|해요|하네요|했어요|했습니다)|확인(?:했습니다|했어요|했음|했네요)|(?:잘)?알겠(?:습니다|어요|네요))+"
)


def asks_to_stop(text: str) -> bool:
    """Whether a message means "stop answering", whatever its spaces and marks."""
    return _STOP.fullmatch(_bare(text)) is not None


def is_small_talk(text: str) -> bool:
    """Whether the whole of a message is thanks or a nod: nobody waits for an answer to it."""
    return _SMALL_TALK.fullmatch(_bare(text)) is not None


def asks_nothing(text: str) -> bool:
    """Whether the whole of a message is thanks, a nod or a stop word: no topic of what comes after it."""
    return not _bare(text) or is_small_talk(text) or asks_to_stop(text)


def _bare(text: str) -> str:
    """Its letters alone, without laughter or tears at the end."""
    return re.sub(r"\W", "", text).strip("ㅎㅋㅠㅜ").lower()
