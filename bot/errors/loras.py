"""What is wrong with a LoRA."""

from __future__ import annotations

from bot.errors.base import SaseoError


class LoraError(SaseoError):
    """A LoRA cannot be written or used."""


class UnsupportedLora(LoraError):
    """`reason`."""

    ko = "지원하지 않는 방식의 LoRA입니다({reason}). 선형 계층만 바꾸는 일반 LoRA(rsLoRA 포함)로 다시 학습해 주십시오."
    en = "This kind of LoRA is not supported ({reason}). Tune again with a plain LoRA (or rsLoRA) on linear layers."


class BrokenLora(LoraError):
    """`name`, `reason`."""

    ko = "LoRA 파일 '{name}'을(를) 쓸 수 없습니다({reason}). 파일을 다시 만들거나 원본을 다시 복사해 주십시오."
    en = "LoRA file '{name}' cannot be used ({reason}). Make it again, or copy it again from where it came."


class WrongBase(LoraError):
    """`name`, `base`, `reason`."""

    ko = "LoRA '{name}'은(는) 모델 '{base}'에 맞지 않습니다({reason}). 이 모델로 학습한 LoRA를 지정해 주십시오."
    en = "LoRA '{name}' does not fit model '{base}' ({reason}). Name a LoRA that was tuned on this model."


class LoraRefused(LoraError):
    """`name`, `reason`."""

    ko = "LoRA '{name}'을(를) 적용하지 못했습니다({reason}). 이전 상태로 계속 답하니, 로그를 확인해 주십시오."
    en = "LoRA '{name}' could not be attached ({reason}). What answered before goes on; see the log."


class UnknownLora(LoraError):
    """`name`, `hint`."""

    ko = "그런 LoRA가 없습니다: {name}{hint}. `saseo loras list`로 확인해 주십시오."
    en = "There is no LoRA of that name: {name}{hint}. See `saseo loras list`."


class LoraElsewhere(LoraError):
    """`name`."""

    ko = (
        "LoRA '{name}'의 파일이 이 컴퓨터에 없습니다. 파일이 있는 컴퓨터에서 실행하거나, 컴퓨터마다 data_dir의 loras와 tuning 폴더를 "
        "함께 쓰게 해 주십시오."
    )
    en = (
        "The files of LoRA '{name}' are not on this machine. Run this on the machine that has them, or let all machines share the folders "
        "loras and tuning of data_dir."
    )


class MarkedLora(LoraError):
    """`name`, `reason`."""

    ko = "LoRA '{name}'은(는) 더 쓰지 않기로 표시되어 있습니다({reason}). 다른 LoRA를 고르거나 다시 학습해 주십시오."
    en = "LoRA '{name}' is marked as not to be used any more ({reason}). Choose another one, or tune again."


class ShelfNotWritable(LoraError):
    """`path`, `reason`."""

    ko = "LoRA를 두는 곳에 쓸 수 없습니다: {path} ({reason}). 디스크 공간과 권한을 확인해 주십시오."
    en = "The place of the LoRAs cannot be written to: {path} ({reason}). Check the disk and permissions."


class LoraKept(LoraError):
    """`name`."""

    ko = "LoRA '{name}'은(는) 지금 답하고 있거나 제품에 들어 있어 지울 수 없습니다. 답하고 있으면 먼저 다른 LoRA를 배포해 주십시오."
    en = "LoRA '{name}' answers now or came with the product, so it cannot be deleted. If it answers, promote another one first."


class NotExported(LoraError):
    """`name`, `path`, `reason`."""

    ko = "LoRA '{name}'을(를) {path}에 내보내지 못했습니다({reason}). 다른 경로나 형식을 지정해 주십시오."
    en = "LoRA '{name}' could not be exported to {path} ({reason}). Give another path or format."
