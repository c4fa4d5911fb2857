"""What a person who watches a training run reads."""

from __future__ import annotations

from collections.abc import Mapping

from bot.examples.review import words
from bot.texts import Language

_NAMED = 5
"""Of the examples that are too long; the run's log and the LoRA's card name all."""


def gathering(language: Language) -> str:
    """Before anything is known."""
    return "학습 예시를 모으고 있습니다" if language == "ko" else "Gathering the examples"


def left_out(language: Language, file: str, line: int, reasons: list[str]) -> str:
    """A row of a file that is not learnt."""
    why = words(reasons, language)
    if language == "ko":
        return f"{file} {line}행을 제외했습니다: {why}"
    return f"{file} line {line} is left out: {why}"


def examples_changed(language: Language, *, too_late: bool) -> str:
    """The files of examples are others than those that the run began with. `too_late`: these were learnt already."""
    if too_late:
        if language == "ko":
            return "예시 파일이 바뀌었지만 바뀌기 전 내용의 학습이 이미 끝났습니다. 바뀐 내용은 한 번 더 실행하면 학습합니다"
        return "The files of examples have changed, but what they held was learnt already. Run it once more to learn what they hold now"
    if language == "ko":
        return "예시 파일이 바뀌어 처음부터 다시 학습합니다"
    return "The files of examples have changed: training begins anew"


def too_long(language: Language, tokens: Mapping[str, int]) -> str:
    """Examples that are left out, by id, with their tokens; at least one."""
    named = [f"{name} ({count}{'토큰' if language == 'ko' else ' tokens'})" for name, count in tokens.items()]
    rest = len(named) - _NAMED
    shown = ", ".join(named[:_NAMED])
    if language == "ko":
        more = f" 외 {rest}개" if rest > 0 else ""
        return f"너무 길어 예시 {len(tokens)}개를 제외했습니다([tuning.training] most_tokens): {shown}{more}"
    more = f" and {rest} more" if rest > 0 else ""
    return f"{len(tokens)} left out as too long ([tuning.training] most_tokens): {shown}{more}"


def preparing(language: Language, stage: str) -> str:
    """The base is being made ready: `verify` or `convert`."""
    if stage == "verify":
        return "모델 파일을 확인하고 있습니다" if language == "ko" else "Checking the model file"
    return "모델을 학습용으로 바꾸고 있습니다" if language == "ko" else "Making the model ready for training"


def reading(language: Language, learnt: int, held_out: int, too_long: int) -> str:
    """How many examples there are."""
    if language == "ko":
        left_out = f", 너무 길어 제외한 예시 {too_long}개" if too_long else ""
        return f"학습 예시 {learnt}개, 검증 예시 {held_out}개{left_out}"
    left_out = f", {too_long} left out as too long" if too_long else ""
    return f"{learnt} examples to learn, {held_out} held out{left_out}"


def training(
    language: Language,
    loss: float | None,
    held_out: float | None,
    seconds_left: float | None,
    at: tuple[int, int] | None = None,
) -> str:
    """The latest figures, as far as they are known. `at`: steps done, steps in all."""
    parts = ["학습 중"] if language == "ko" else ["Training"]
    if at is not None:
        parts[0] += f" {at[0]}/{at[1]}단계" if language == "ko" else f", step {at[0]} of {at[1]}"
    if loss is not None:
        parts.append(f"손실 {loss:.3f}" if language == "ko" else f"loss {loss:.3f}")
    if held_out is not None:
        parts.append(f"검증 손실 {held_out:.3f}" if language == "ko" else f"held-out loss {held_out:.3f}")
    if seconds_left:
        minutes = max(1, round(seconds_left / 60))
        parts.append(f"약 {minutes}분 남음" if language == "ko" else f"about {minutes} min left")
    return " · ".join(parts)


def paused(language: Language) -> str:
    """Training makes way for people."""
    if language == "ko":
        return "답변을 기다리는 분이 있어 학습을 잠시 멈췄습니다"
    return "Training waits while people are being answered"


def losses(language: Language, first: float, last: float) -> str:
    """The label behind the curve of the training loss."""
    return f"손실 {first:.2f} → {last:.2f}" if language == "ko" else f"loss {first:.2f} → {last:.2f}"


def held_out_losses(language: Language, best: float, step: int) -> str:
    """The label behind the marks of the held-out loss."""
    if language == "ko":
        return f"검증 손실 최저 {best:.2f} ({step}단계)"
    return f"lowest held-out loss {best:.2f} (step {step})"
