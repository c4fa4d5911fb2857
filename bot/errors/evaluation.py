"""Why nothing could be measured."""

from __future__ import annotations

from bot.errors.base import SaseoError


class EvaluationError(SaseoError):
    """An evaluation cannot be run."""


class BadEvaluationSet(EvaluationError):
    """`path`, `line` (0: the file as a whole, and no line is told), `reason`."""

    ko = "평가 파일을 읽을 수 없습니다: {path} {line}행 ({reason})."
    en = "The evaluation set cannot be read: {path} line {line} ({reason})."


class DetailsNotWritable(EvaluationError):
    """`path`, `reason`."""

    ko = "질문별 결과를 쓸 수 없습니다: {path} ({reason}). --details에 쓸 수 있는 경로를 지정해 주십시오."
    en = "The per-question results cannot be written: {path} ({reason}). Give --details a writable path."


class NothingToAsk(EvaluationError):
    """No question to judge a LoRA by."""

    ko = (
        "LoRA를 평가할 질문이 없습니다. [tuning] evaluation_sets에 평가 파일을 적거나, 학습에 쓰지 않은 승인된 예시를 늘려 주십시오. "
        "파일은 한 줄에 질문 하나를 JSON으로 적습니다: question, page, answers, 위키에 답이 없는 질문은 question과 answerable: false."
    )
    en = (
        "There is no question to judge the LoRA by. Name sets in [tuning] evaluation_sets, or approve more examples that it has not "
        "seen. A set has one JSON object a line: question, page, answers; where the wiki has no answer, question and answerable: false."
    )


class LearntUnknown(EvaluationError):
    """`name`."""

    ko = (
        "LoRA '{name}'이(가) 무엇을 배웠는지 알 수 없어 승인된 예시로는 평가하지 않습니다. 이미 배운 것을 외워 답할 수 있기 때문입니다. "
        "[tuning] evaluation_sets에 평가 파일을 적어 주십시오. 평가 없이 배포하려면 "
        '`saseo loras promote {name}`에 --overrule --reason "이유"를 붙이십시오.'
    )
    en = (
        "Nobody knows what LoRA '{name}' has learnt, so it is not judged by approved examples, which it might recite. Name sets in "
        "[tuning] evaluation_sets; to promote it without an evaluation, add "
        '--overrule --reason "why" to `saseo loras promote {name}`.'
    )


class GateBusy(EvaluationError):
    """`folder`."""

    ko = "다른 프로세스가 이미 평가하고 있습니다: {folder}. 그 평가가 끝난 뒤 다시 실행해 주십시오."
    en = "Another process is evaluating already: {folder}. Run it again when that one is done."


class AnswersNotKept(EvaluationError):
    """`path`, `reason`."""

    ko = "평가 답변을 저장하거나 읽을 수 없습니다: {path} ({reason}). 디스크와 권한을 확인하고 다시 실행하면 저장된 곳부터 이어집니다."
    en = "The answers of an evaluation cannot be kept or read: {path} ({reason}). Check disk and permissions; the next run goes on."


class EditionReplaced(EvaluationError):
    """`edition`."""

    ko = (
        "평가를 시작할 때의 색인 {edition}이(가) 그사이 새 색인으로 바뀌어 지워졌습니다. 두 쪽은 같은 색인으로 비교해야 하므로, "
        "다시 실행하면 지금의 색인으로 평가합니다."
    )
    en = (
        "Edition {edition}, with which the evaluation began, has been replaced and deleted meanwhile. Both sides must answer from one "
        "edition: the next run asks with today's."
    )


class BadParity(EvaluationError):
    """`name`, `reason`."""

    ko = "학습 결과와 비교할 값을 쓸 수 없습니다: {name} ({reason}). 다시 학습하면 새로 만들어집니다."
    en = "What training left to compare with cannot be used: {name} ({reason}). Tuning again makes it anew."
