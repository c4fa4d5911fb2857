"""What is wrong with training examples."""

from __future__ import annotations

from bot.errors.base import SaseoError


class ExampleError(SaseoError):
    """A training example cannot be used."""


class UnknownExample(ExampleError):
    """`id`."""

    ko = "그런 학습 예시가 없습니다: {id}. `saseo feedback list`로 확인해 주십시오."
    en = "There is no such example: {id}. See `saseo feedback list`."


class NotApprovable(ExampleError):
    """`id`, `reasons`: as Korean phrases."""

    ko = "학습 예시 {id}은(는) 승인할 수 없습니다({reasons}). 답변을 고치거나 거절해 주십시오."
    en = "Example {id} cannot be approved ({reasons}). Edit its answer or reject it."


class ChangedSince(ExampleError):
    """`id`. Taking a step back would take back what somebody else did after it, or the rule."""

    ko = (
        "학습 예시 {id}을(를) 그 뒤에 다른 사람이나 규칙이 바꾸어 되돌리지 않았습니다. 그 예시를 열어 지금 상태를 보고 다시 결정해 "
        "주십시오."
    )
    en = (
        "Somebody else, or the rule, changed example {id} after that, so nothing was taken back. Open that example, see how it stands "
        "and decide anew."
    )


class BadExampleFile(ExampleError):
    """`path`, `line` (0: the file as a whole, and no line is told), `reason`."""

    ko = "학습 예시 파일을 읽을 수 없습니다: {path} {line}행 ({reason})."
    en = "The file of examples cannot be read: {path} line {line} ({reason})."


class ExamplesNotWritable(ExampleError):
    """`path`, `reason`."""

    ko = "학습 예시를 쓸 수 없습니다: {path} ({reason}). 쓸 수 있는 경로를 지정해 주십시오."
    en = "The examples cannot be written: {path} ({reason}). Give a writable path."
