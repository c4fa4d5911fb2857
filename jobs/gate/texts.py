"""Every word that a person reads about a verdict."""

from __future__ import annotations

from bot.live import NO_LORA
from bot.texts import Language
from jobs.gate.comparison import Comparison
from jobs.gate.verdict import Decision, Guard, Verdict

_MEASURES: dict[str, tuple[str, str]] = {
    "answer_span_f1": ("답변 점수(거절 포함)", "Answers (refusals counted)"),
    "answer_f1": ("답변 전체의 F1(거절 포함)", "Whole answers (F1, refusals)"),
    "character_f1": ("글자 F1(답이 있는 질문)", "Character F1 (answerable)"),
    "contains": ("정답 포함", "Wanted words in the answer"),
    "exact_match": ("완전 일치", "Exact match"),
    "number_precision": ("답한 숫자 가운데 정답", "Right among stated numbers"),
    "citation_precision": ("출처 정확도", "Right among cited sources"),
    "citation_recall": ("출처 재현율", "Cited among right sources"),
    "abstention_recall": ("답이 없는 질문을 거절", "Unanswerable questions declined"),
    "abstention_precision": ("거절이 옳음", "Right among declined"),
    "wrongly_declined": ("답이 있는데 거절", "Answerable questions declined"),
    "wrong_language": ("다른 언어로 씀", "Wrong language"),
    "failed": ("답하지 못함", "Failures"),
    "left_out": ("검증에서 빠진 문장이 있음", "Sentences left out by the check"),
    "too_long": ("너무 긴 답변", "Answers that are too long"),
    "length": ("답변 길이(자)", "Length of answers (characters)"),
    "seconds": ("답변 시간(중앙값, 초)", "Seconds per answer (median)"),
    "first_token": ("첫 글자까지(중앙값, 초)", "Seconds to the first word (median)"),
}
_KINDS = {
    "answerable": "답이 있는 질문",
    "unanswerable": "답이 없는 질문",
    "numbers": "숫자",
    "several sources": "출처 여럿",
    "follow-up": "이어지는 질문",
    "passages given": "문서를 준 예시",
    "through the wiki": "위키 검색부터",
    "plain": "보통",
    "paraphrase": "바꿔 말함",
    "table": "표",
    "multi": "문서 여럿",
    "two-page": "두 페이지",
    "spacing": "띄어쓰기",
    "typo": "오타",
    "restricted": "권한",
}
_DECISIONS = {
    Decision.PASSED: (
        "통과: {candidate}이(가) {present}보다 확실히 낫고, 나빠진 항목이 없습니다.",
        "Passed: {candidate} is better than {present}, and worse on nothing that is guarded.",
    ),
    Decision.UNFAITHFUL: (
        "불합격: {candidate}이(가) 학습한 대로 답하지 않습니다. LoRA 파일이나 기반 모델이 다를 수 있으니 다시 학습해 주십시오.",
        "Not passed: {candidate} does not answer as it was trained. Its file or its base may be wrong; tune again.",
    ),
    Decision.WORSE: (
        "불합격: {candidate}이(가) {present}보다 나쁜 항목이 있습니다.",
        "Not passed: {candidate} is worse than {present}.",
    ),
    Decision.NOT_BETTER: (
        "불합격: {candidate}이(가) {present}보다 낫지 않습니다.",
        "Not passed: {candidate} is no better than {present}.",
    ),
    Decision.NOT_ENOUGH: (
        "보류: {candidate}이(가) {present}보다 나은지 판단하기에 질문이 부족합니다.",
        "Not passed: there are not enough questions to tell whether {candidate} is better than {present}.",
    ),
}


def _pick(language: Language, both: tuple[str, str]) -> str:
    return both[0] if language == "ko" else both[1]


def measure(name: str, language: Language) -> str:
    """What a measure is called."""
    return _pick(language, _MEASURES[name])


def kind(name: str, language: Language) -> str:
    """What a kind of question is called; a set's own word stays."""
    return _KINDS.get(name, name) if language == "ko" else name


def side(name: str, language: Language) -> str:
    """What a LoRA is called in a sentence."""
    if name == NO_LORA:
        return "LoRA 없는 모델" if language == "ko" else "the plain base"
    return f"'{name}'"


def decision(verdict: Verdict, language: Language) -> str:
    """The verdict in a sentence."""
    present = side(verdict.present.name, language)
    if language == "ko":
        present = f"👍 👎 없이 학습한 {present}" if verdict.rival else f"지금 답하는 {present}"
    else:
        present = f"{present}, which learnt without thumbs" if verdict.rival else f"{present}, which answers now"
    names = {"candidate": side(verdict.candidate.name, language), "present": present}
    return _pick(language, _DECISIONS[verdict.decision]).format(**names)


def basis(verdict: Verdict, language: Language) -> str:
    """What it rests on."""
    if language == "ko":
        return f"질문 {verdict.questions}개, 서로 독립인 묶음 {verdict.clusters}개."
    return f"{verdict.questions} questions in {verdict.clusters} independent groups."


def reasons(verdict: Verdict, language: Language) -> list[str]:
    """Why it did not pass, one sentence each; what to do where something helps. Empty for one that passed."""
    said = []
    if verdict.parity is not None and not verdict.parity.holds(verdict.settings):
        said.append(parity(verdict, language))
    main = verdict.main
    if not verdict.passed and (line := _main(verdict, main, language)):
        said.append(line)
    said += [_guard(guard, language) for guard in verdict.stopped_by]
    return said if verdict.shortage is None else [*said, verdict.shortage.counted(language)]


def parity(verdict: Verdict, language: Language) -> str:
    """How near llama.cpp is to torch."""
    found = verdict.parity
    if found is None:
        if language == "ko":
            return "학습 때의 확률과 비교하지 않았습니다(비교할 값이 없음)."
        return "Not compared with training: it left nothing to compare with."
    if language == "ko":
        return (
            f"학습과 서빙의 일치: 답변 토큰 {found.tokens}개에서 로그 확률 차이 평균 {found.logprob:.3f}"
            f"(LoRA의 효과 {found.effect:.3f}), 1순위 토큰 일치 {found.top1:.1%}."
        )
    return (
        f"Training and serving: over {found.tokens} answer tokens log-probabilities differ by {found.logprob:.3f} on average "
        f"(effect of the LoRA: {found.effect:.3f}); the likeliest token agrees on {found.top1:.1%}."
    )


def state(guard: Guard, language: Language) -> str:
    """One word for the table."""
    words = {
        "held": ("지킴", "held"),
        "broken": ("나빠짐", "worse"),
        "unclear": ("판단 불가", "cannot tell"),
        "aside": ("해당 없음", "not counted"),
    }
    return _pick(language, words[guard.state])


def column(name: str, language: Language) -> str:
    """A head of the table."""
    words = {
        "measure": ("항목", "Measure"),
        "present": ("지금", "Now"),
        "rival": ("👍 👎 없이", "Without thumbs"),
        "candidate": ("후보", "Candidate"),
        "difference": ("차이 [구간]", "Difference [interval]"),
        "margin": ("허용", "Margin"),
        "questions": ("질문", "Questions"),
        "state": ("판정", "Result"),
        "main": ("기준 항목", "Main measure"),
        "guards": ("나빠지면 안 되는 항목", "Guarded"),
        "told": ("참고", "For reading"),
        "kinds": ("질문 종류별", "By kind of question"),
        "won": ("가장 좋아진 질문", "Won most"),
        "lost": ("가장 나빠진 질문", "Lost most"),
    }
    return _pick(language, words[name])


def interval(confidence: float, language: Language) -> str:
    """Behind a section's name."""
    return f"{confidence:.0%} 구간" if language == "ko" else f"{confidence:.0%} intervals"


def _main(verdict: Verdict, main: Comparison, language: Language) -> str:
    gain, bounds, settings = main.gain, main.gain_bounds, verdict.settings
    name = measure(main.measure, language)
    few = main.clusters < settings.least_clusters
    noisy = bounds is None or bounds[0] <= settings.least_gain
    if not few and not noisy:
        return ""
    if gain is not None and gain <= settings.least_gain:
        return f"{name}이(가) 좋아지지 않았습니다." if language == "ko" else f"{name}: no gain."
    if language == "ko":
        why = (
            f"독립인 묶음이 {settings.least_clusters}개 이상이어야 합니다" if few else "나아진 폭이 우연일 수 있습니다"
        )
        needed = f" 이런 질문이 약 {verdict.needed}개 필요합니다(지금 {main.questions}개)." if verdict.needed else ""
        return f"{name}: {why}.{needed}"
    why = f"at least {settings.least_clusters} independent groups are needed" if few else "the gain may be chance"
    needed = f" About {verdict.needed} such questions are needed (now {main.questions})." if verdict.needed else ""
    return f"{name}: {why}.{needed}"


def _guard(guard: Guard, language: Language) -> str:
    name, now = measure(guard.comparison.measure, language), guard.comparison.questions
    if guard.state == "broken":
        if language == "ko":
            return f"{name}: 허용 폭 {guard.margin:.0%}을(를) 넘어 나빠졌습니다."
        return f"{name}: worse by more than {guard.margin:.0%}."
    if guard.worse:
        if language == "ko":
            return f"{name}: 허용 폭 {guard.margin:.0%}을(를) 넘어 나빠진 것으로 측정되었지만, 우연일 수 있습니다(질문 {now}개)."
        return f"{name}: came out worse by more than {guard.margin:.0%}, which may be chance ({now} questions)."
    if language == "ko":
        needed = f" 이런 질문이 약 {guard.needed}개 필요합니다(지금 {now}개)." if guard.needed else ""
        return f"{name}: {guard.margin:.0%} 넘게 나빠지지 않았다고 말할 수 없습니다.{needed}"
    needed = f" About {guard.needed} such questions are needed (now {now})." if guard.needed else ""
    return f"{name}: cannot be shown to be worse by less than {guard.margin:.0%}.{needed}"
