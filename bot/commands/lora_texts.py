"""What `saseo loras` and `saseo doctor` say about LoRAs. Functions of the language; names and numbers go in as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

from bot.commands.example_texts import plain
from bot.live import NO_LORA, name_of
from bot.loras.seen import counts_in
from bot.messages import Language

if TYPE_CHECKING:
    from bot.releases.choosing import Choice
    from bot.releases.overview import Described, Listed
    from bot.store.loras import Evaluation
    from bot.store.releases import Release

_ACTIONS: Mapping[Language, Mapping[str, str]] = {
    "ko": {
        "promote": "배포",
        "canary": "일부 대화에 시험",
        "rollback": "되돌림",
        "watch": "자동으로 되돌림",
        "mark": "사용 중지",
    },
    "en": {
        "promote": "promoted",
        "canary": "tried on some conversations",
        "rollback": "rolled back",
        "watch": "rolled back automatically",
        "mark": "taken out of use",
    },
}


def when(seconds: float, zone: tzinfo) -> str:
    """To the minute."""
    return datetime.fromtimestamp(seconds, zone).strftime("%Y-%m-%d %H:%M")


def lora(name: str, language: Language) -> str:
    """A LoRA's name, or what is said instead of `none`."""
    if name != NO_LORA:
        return name
    return "기반 모델(LoRA 없음)" if language == "ko" else "the plain base (no LoRA)"


def answers(choice: Choice, language: Language) -> str:
    """Which LoRA answers, and why."""
    korean = {
        "set": "설정에서 정했습니다",
        "released": "마지막 배포입니다",
        "shipped": "이 모델과 함께 제공됩니다",
        "nothing": "배포한 LoRA가 없습니다",
        "unusable": "답해야 할 LoRA를 쓸 수 없습니다",
    }
    english = {
        "set": "the configuration says so",
        "released": "released last",
        "shipped": "came with this model",
        "nothing": "nothing was released",
        "unusable": "the LoRA that should answer cannot be used",
    }
    line = f"{lora(name_of(choice.lora), language)}: {(korean if language == 'ko' else english)[choice.why]}"
    if choice.canary is None:
        return line
    tried, share = lora(name_of(choice.canary.lora), language), f"{choice.canary.share:.0%}"
    return f"{line}. {tested(tried, share, language)}"


def tested(name: str, share: str, language: Language) -> str:
    """A canary."""
    return f"대화의 {share}는 {name}" if language == "ko" else f"{share} of the conversations: {name}"


def other_prompt(language: Language) -> str:
    """It was tuned on another version of the prompt than the one in use."""
    if language == "ko":
        return "지금과 다른 프롬프트로 학습한 LoRA입니다. 다시 학습하면 더 잘 맞습니다"
    return "it was tuned on another version of the prompt; tuning again would fit better"


def nothing_there(language: Language) -> str:
    """The list is empty."""
    return "아직 LoRA가 없습니다." if language == "ko" else "There is no LoRA yet."


def line(one: Listed, zone: tzinfo, language: Language) -> str:
    """Of the list."""
    korean = {"answers": "답하는 중", "canary": "시험 중", "": ""}
    english = {"answers": "answers", "canary": "canary", "": ""}
    notes = [(korean if language == "ko" else english)[one.role]]
    if one.record.marked:
        notes.append("사용 중지" if language == "ko" else "out of use")
    if one.shipped:
        notes.append("기본 제공" if language == "ko" else "shipped")
    if not one.fits:
        notes.append("다른 모델용" if language == "ko" else "for another model")
    if one.evaluation is not None:
        notes.append(passed(one.evaluation, language))
    told = " · ".join(filter(None, notes))
    return f"{one.record.name}  {when(one.record.made_at, zone)}  {examples(one.examples, language)}" + (
        f"  {told}" if told else ""
    )


def examples(count: int, language: Language) -> str:
    """How many a LoRA has seen."""
    return f"예시 {count}건" if language == "ko" else f"{count} example{'s' * (count != 1)}"


def passed(evaluation: Evaluation, language: Language) -> str:
    """A verdict in a few words."""
    against = lora(evaluation.against, language)
    if language == "ko":
        return f"{against} 대비 판정 {'통과' if evaluation.passed else '불통과'}"
    return f"{'passed' if evaluation.passed else 'did not pass'} against {against}"


def description(one: Described, zone: tzinfo, language: Language) -> Iterator[str]:
    """All of `show`, line by line."""
    record, ko = one.listed.record, language == "ko"
    yield line(one.listed, zone, language)
    if record.marked:
        yield f"  {'사용 중지 이유' if ko else 'out of use'}: {plain(record.marked)}"
    if record.deleted_at is not None:
        yield f"  {'지운 때' if ko else 'deleted'}: {when(record.deleted_at, zone)}"
    yield f"  {'모델' if ko else 'base'}: {plain(record.base_name)} ({plain(record.base)[:12]}…)"
    yield f"  {'프롬프트' if ko else 'prompt'}: {plain(record.prompt)}"
    yield f"  SHA-256: {plain(record.sha256)}"
    for name, value in _card(record.card):
        yield f"  {name}: {value}"
    seen = examples(one.listed.examples, language)
    counts = counts_in(record.card)
    if "learnt" in counts and "held_out" in counts:
        learnt, held_out = counts["learnt"], counts["held_out"]
        seen += f"(학습 {learnt}건, 검증 {held_out}건)" if ko else f" ({learnt} learnt, {held_out} held out)"
    yield f"  {seen}, {f'{one.people}명에게서 나옴' if ko else f'from {one.people} people'}"
    for evaluation in one.evaluations:
        yield f"  {when(evaluation.made_at, zone)}  {passed(evaluation, language)} ({evaluation.id})"
    for release in one.releases:
        yield f"  {released(release, zone, language)}"


def released(one: Release, zone: tzinfo, language: Language) -> str:
    """A row of the record."""
    what = lora(one.lora, language)
    if one.canary:
        what = f"{what}, {tested(lora(one.canary, language), f'{one.share:.0%}', language)}"
    told = f"{when(one.at, zone)}  {_ACTIONS[language][one.action]} → {what} ({one.by})"
    if one.overruled:
        told += " · 판정과 다르게 결정" if language == "ko" else " · against the evaluation"
    return f"{told}: {plain(one.reason)}" if one.reason else told


def takes_effect(language: Language) -> str:
    """After a decision."""
    if language == "ko":
        return "실행 중인 서비스에는 몇 초 안에 반영됩니다. 이미 받은 질문은 받을 때의 LoRA로 끝까지 답합니다."
    return "A running service changes within seconds. Questions it has already taken keep their LoRA to the end."


def deleted(name: str, language: Language) -> str:
    """Its files are gone."""
    return f"{name}: 지웠습니다. 기록은 남습니다." if language == "ko" else f"{name}: deleted. Its record stays."


def _card(card: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The plain values of a card; what is a table inside it is shown by `--json`."""
    for name, value in card.items():
        if isinstance(value, str | int | float) and name != "prompt":
            yield name, plain(str(value))


def merging(language: Language) -> str:
    """Beside the bar of an export."""
    return "병합 (MB)" if language == "ko" else "Merging (MB)"


def exported(path: str, size: int, card: str | None, language: Language) -> str:
    """`size`: bytes."""
    if language == "ko":
        return f"내보냈습니다: {path} ({size / 1e6:.1f} MB)" + (f"\n카드: {card}" if card else "")
    return f"Exported: {path} ({size / 1e6:.1f} MB)" + (f"\nCard: {card}" if card else "")


def imported(name: str, language: Language, *, known: bool) -> str:
    """A LoRA made elsewhere is on the shelf. `known`: what it has learnt."""
    korean = language == "ko"
    lines = [f"가져왔습니다: {name}" if korean else f"Imported: {name}"]
    if not known:
        lines.append(
            "무엇을 배웠는지 알 수 없어 승인된 예시로는 평가하지 않고 [tuning] evaluation_sets의 질문으로만 평가합니다."
            if korean
            else "Nobody knows what it has learnt: it is evaluated by [tuning] evaluation_sets alone, not by approved examples."
        )
    lines.append(
        f"`saseo loras evaluate {name}` 판정을 통과하면 `saseo loras promote {name}`로 배포할 수 있습니다."
        if korean
        else f"Once it has passed `saseo loras evaluate {name}`, `saseo loras promote {name}` makes it answer."
    )
    return "\n".join(lines)
