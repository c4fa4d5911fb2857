"""What a person who watches a training run reads."""

from __future__ import annotations

from bot.texts import Language


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


def training(language: Language, loss: float | None, held_out: float | None, seconds_left: float | None) -> str:
    """The latest figures, as far as they are known."""
    parts = ["학습 중"] if language == "ko" else ["Training"]
    if loss is not None:
        parts.append(f"손실 {loss:.3f}" if language == "ko" else f"loss {loss:.3f}")
    if held_out is not None:
        parts.append(f"검증 손실 {held_out:.3f}" if language == "ko" else f"held-out loss {held_out:.3f}")
    if seconds_left is not None:
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
