"""What `saseo tune run` and `saseo loras evaluate` say. Functions of the language; names and numbers go in as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.commands.lora_texts import lora
from bot.messages import Language
from bot.releases.shortage import Shortage


def trained(result: Mapping[str, Any], language: Language) -> str:
    """What a run of training came to: `learnt` are those that the weights come from, the others were only looked at, or not at all."""
    names = ", ".join(result["loras"])
    minutes = result["seconds"] / 60
    counts = (("held_out", "검증용", "held out"), ("too_long", "너무 길어 제외", "too long"))
    beside = [(int(result.get(key, 0)), korean, english) for key, korean, english in counts]
    beside.append((len(result.get("left_out", ())), "검사에서 제외", "failed the check"))
    korean = language == "ko"
    rest = ", ".join(f"{ko} {n}개" if korean else f"{n} {en}" for n, ko, en in beside if n)
    rest = f" ({rest})" if rest else ""
    learnt = result.get("learnt", result["examples"])
    if korean:
        return f"예시 {learnt}개로 {minutes:.1f}분 동안 학습했습니다{rest}: {names}"
    return f"Tuned on {learnt} examples for {minutes:.1f} minutes{rest}: {names}"


def judged(result: Mapping[str, Any], language: Language) -> str:
    """What is to be done after the verdicts."""
    chosen = [_preferences(one, language) for one in result.get("preferences") or ()]
    return "\n".join([*chosen, _what_next(result, language)])


def _preferences(contest: Mapping[str, Any], language: Language) -> str:
    """Of a run's two LoRAs that both passed: which was taken, and why."""
    lora, against, helped = contest["lora"], contest["against"], contest["outdone"] == contest["against"]
    if language == "ko":
        if helped:
            return f"👍 👎에서도 배운 {lora}이(가) 배우지 않은 {against}보다 확실히 나아서 골랐습니다."
        return f"둘 다 통과했지만, 👍 👎에서도 배운 {lora}이(가) 배우지 않은 {against}보다 확실히 낫지는 않아 {against}을(를) 골랐습니다."
    if helped:
        return f"{lora}, which learnt from thumbs, too, is better beyond chance than {against}, which did not: it was taken."
    return f"Both passed, but {lora}, which learnt from thumbs, too, is not better beyond chance than {against}: the latter was taken."


def _what_next(result: Mapping[str, Any], language: Language) -> str:
    korean = language == "ko"
    if not result.get("judged"):
        return "판정할 새 LoRA가 없습니다." if korean else "There is no new LoRA to evaluate."
    if (name := result.get("promoted")) and (share := result.get("share")):
        all_of_them = f"saseo loras promote {name}"
        if korean:
            return f"통과했습니다. 이제 대화의 {share:.0%}는 {name}이(가) 답합니다. 모든 대화에 쓰려면: {all_of_them}"
        return (
            f"Passed. {share:.0%} of the conversations are answered by {name} now. To let it answer all: {all_of_them}"
        )
    if name := result.get("promoted"):
        return f"{name}이(가) 이제 답합니다." if korean else f"{name} answers from now on."
    if name := result.get("proposed"):
        line = f"saseo loras promote {name}"
        return f"통과했습니다. 배포하려면: {line}" if korean else f"Passed. To let it answer: {line}"
    against = lora(str(result["against"]), language)
    if korean:
        last = f"지금 답하는 것({against})이 그대로 답합니다. 그래도 배포하려면 --overrule과 --reason을 쓰십시오."
    else:
        last = f"What answers now ({against}) goes on. To release it all the same: --overrule and --reason."
    return "\n".join([*_too_few_questions(result.get("short") or {}, language), last])


def _too_few_questions(short: Mapping[str, Mapping[str, Any]], language: Language) -> list[str]:
    """Of each LoRA that more questions could help, and once what to do."""
    lacking = {name: Shortage.from_json(raw) for name, raw in short.items()}
    lines = [f"{name}: {one.counted(language)}" for name, one in lacking.items()]
    for name, one in [*lacking.items()][:1]:
        lines += one.advice(name, language)
    return lines
