"""What is wrong with gaps of the wiki."""

from __future__ import annotations

from bot.errors.base import SaseoError


class GapError(SaseoError):
    """About what the wiki does not answer."""


class UnknownGap(GapError):
    """`id`."""

    ko = "그런 빈틈이 없습니다: {id}. `saseo gaps list`로 확인해 주십시오."
    en = "There is no such gap: {id}. See `saseo gaps list`."


class GapsNotWritable(GapError):
    """`path`, `reason`."""

    ko = "빈틈을 {path}에 쓸 수 없습니다({reason}). 다른 파일 이름을 주십시오."
    en = "The gaps cannot be written to {path} ({reason}). Give another file name."
