"""Why the writer did not finish; the answer becomes extractive."""

from __future__ import annotations

from bot.errors.base import SaseoError


class WritingError(SaseoError):
    """The writer could not finish this answer."""


class WriterBusy(WritingError):
    """`waiting`, `limit`."""

    ko = "지금은 질문이 많아 바로 답하기 어렵습니다(대기 {waiting}건). 잠시 후 다시 질문해 주십시오."
    en = "Too many questions are waiting ({waiting}). Please ask again in a moment."


class WriterTimeout(WritingError):
    """`seconds`."""

    ko = "답변 작성이 {seconds:.0f}초 안에 끝나지 않았습니다."
    en = "Writing did not finish within {seconds:.0f} seconds."


class WriterFailed(WritingError):
    """`reason`."""

    ko = "답변을 작성하지 못했습니다({reason})."
    en = "The answer could not be written ({reason})."


class WritingCancelled(WritingError):
    """The person asked to stop."""

    ko = "요청하신 대로 답변을 멈췄습니다."
    en = "Stopped, as you asked."
