"""Why a decision about what answers is not taken; what answers stays as it is."""

from __future__ import annotations

from bot.errors.base import SaseoError


class ReleaseError(SaseoError):
    """What answers cannot be changed this way; it stays as it is."""


class ReleasePinned(ReleaseError):
    """`value`: of the setting."""

    ko = '설정이 LoRA를 정해 두었습니다([writer] lora = "{value}"). 배포하거나 되돌리려면 "auto"로 바꿔 주십시오.'
    en = 'The configuration says what answers ([writer] lora = "{value}"). Set it to "auto" to promote or roll back.'


class AnswersAlready(ReleaseError):
    """`name`."""

    ko = "LoRA '{name}'이(가) 이미 답하고 있습니다. 그대로 두시면 됩니다."
    en = "LoRA '{name}' answers already. There is nothing to do."


class NotEvaluated(ReleaseError):
    """`name`, `against`: what answers now."""

    ko = (
        "LoRA '{name}'을(를) 지금 답하는 '{against}'와(과) 비교한 판정이 없습니다. `saseo loras evaluate {name}`로 먼저 "
        "판정하거나, 그래도 배포하려면 "
        '--overrule --reason "이유"를 붙여 주십시오.'
    )
    en = (
        "LoRA '{name}' was not evaluated against '{against}', which answers now. Evaluate it first with "
        "`saseo loras evaluate {name}`, or promote it nevertheless with "
        '--overrule --reason "why".'
    )


class PlainBaseNotEvaluated(NotEvaluated):
    """`name`: `none`; `against`: what answers now. The base alone is only ever what a LoRA is measured against."""

    ko = (
        "지금 답하는 '{against}' 대신 LoRA 없는 기반 모델이 답하게 하는 일에는 판정이 없습니다. 그렇게 하려면 "
        '--overrule --reason "이유"를 붙여 주십시오.'
    )
    en = (
        "No evaluation tells whether the plain base should answer in place of '{against}'. To let it, add "
        '--overrule --reason "why".'
    )


class EvaluationNotPassed(ReleaseError):
    """`name`, `evaluation`: id of the verdict."""

    ko = (
        "LoRA '{name}'은(는) 판정({evaluation})을 통과하지 못했습니다. `saseo loras show {name}`로 결과를 보고, 그래도 배포하려면 "
        '--overrule --reason "이유"를 붙여 주십시오.'
    )
    en = (
        "LoRA '{name}' did not pass its evaluation ({evaluation}). See `saseo loras show {name}`; to promote it nevertheless, add "
        '--overrule --reason "why".'
    )


class OutdatedEvaluation(ReleaseError):
    """`name`, `evaluation`: id of the verdict."""

    ko = (
        "LoRA '{name}'의 판정({evaluation})은 지금과 다른 프롬프트나 기반 모델로 내린 것이라 쓸 수 없습니다. `saseo loras evaluate "
        '{name}`로 다시 판정하거나, 그래도 배포하려면 --overrule --reason "이유"를 붙여 주십시오.'
    )
    en = (
        "The evaluation ({evaluation}) of LoRA '{name}' was made with another prompt or base than today's and does not count. Evaluate it "
        'again with `saseo loras evaluate {name}`, or promote it nevertheless with --overrule --reason "why".'
    )


class RolledBackBefore(ReleaseError):
    """`name`, `reason`: of that time."""

    ko = (
        "LoRA '{name}'은(는) 사람들의 평가가 나빠져 자동으로 되돌린 적이 있습니다({reason}). 그래도 배포하려면 "
        '--overrule --reason "이유"를 붙여 주십시오.'
    )
    en = (
        "LoRA '{name}' was rolled back automatically before, since people's votes turned against it ({reason}). To promote it "
        'nevertheless, add --overrule --reason "why".'
    )


class ReasonMissing(ReleaseError):
    """Whoever overrules says why."""

    ko = "판정을 따르지 않고 배포하려면 이유를 남겨야 합니다. --reason으로 이유를 적어 주십시오."
    en = "Promoting against the evaluation needs a reason on record. Give one with --reason."


class ReleasedMeanwhile(ReleaseError):
    """What was looked at when this was decided does not answer any more."""

    ko = "그사이 배포가 바뀌어 되돌리지 않았습니다. 모델 화면을 다시 열어 지금 무엇이 답하는지 보고 다시 결정해 주십시오."
    en = "What answers has changed meanwhile, so nothing was rolled back. Open the page Models again, see what answers now and decide anew."


class NothingToRollBack(ReleaseError):
    """Nothing was released before."""

    ko = "되돌릴 이전 배포가 없습니다. `saseo loras list`로 확인해 주십시오."
    en = "There is no earlier release to go back to. See `saseo loras list`."
