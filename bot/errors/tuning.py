"""Why no LoRA came of a training; what serves now goes on.

Whether the next run goes on with this one is the job's to know, and said beside these sentences where it does.
"""

from __future__ import annotations

from bot.errors.base import SaseoError


class TuningError(SaseoError):
    """No LoRA came of a tuning run."""


class BadExamples(TuningError):
    """`path`, `line` (0: the file as a whole, and no line is told), `reason`."""

    ko = "학습 예시 파일을 읽을 수 없습니다: {path} {line}행 ({reason})."
    en = "The file of examples cannot be read: {path} line {line} ({reason})."


class NothingToLearn(TuningError):
    """`reason`."""

    ko = "학습할 예시가 없습니다({reason}). 승인된 예시를 늘리거나 most_tokens를 늘려 주십시오."
    en = "There is nothing to learn ({reason}). Approve more examples, or raise most_tokens."


class TooFewExamples(TuningError):
    """`found`, `needed`."""

    ko = (
        "학습할 예시가 {found}개입니다. {needed}개부터 학습합니다([tuning] least_examples). `saseo feedback review`로 승인하거나 "
        "`saseo tune synthesize`로 위키에서 만들어 주십시오."
    )
    en = (
        "There are {found} examples; {needed} are needed ([tuning] least_examples). Approve some with `saseo feedback review`, "
        "or make some of the wiki with `saseo tune synthesize`."
    )


class UntunableBase(TuningError):
    """`name`, `reason`."""

    ko = "모델 '{name}'은(는) 학습에 쓸 수 없습니다({reason}). `saseo models list`에서 다른 모델을 골라 주십시오."
    en = "Model '{name}' cannot be tuned ({reason}). Choose another one from `saseo models list`."


class CannotTuneHere(TuningError):
    """`key`, `value`, `reason`."""

    ko = (
        "이 컴퓨터에서는 {key} = {value} 설정으로 학습할 수 없습니다({reason}). 필요한 것을 설치하거나 {key} 설정을 지우면 기본값으로 "
        "학습합니다."
    )
    en = "This machine cannot tune with {key} = {value} ({reason}). Install what is needed, or remove {key} to tune with the default."


class TuningDiverged(TuningError):
    """`step`."""

    ko = "{step}단계에서 손실값이 숫자가 아니게 되어 학습을 멈췄습니다. learning_rate를 낮추어 처음부터 다시 학습해 주십시오."
    en = "Tuning stopped at step {step}: the loss is not a number. Lower learning_rate and tune again from the start."


class TuningChangedNothing(TuningError):
    """`steps`."""

    ko = (
        "{steps}단계를 학습했지만 남겨 둔 예시에 처음보다 나아진 때가 없어 LoRA를 만들지 않았습니다. 예시를 늘리고 고루 섞거나 "
        "[tuning.training] learning_rate를 낮추어 다시 학습해 주십시오. 단계가 몇 되지 않으면 budget_minutes도 늘려 주십시오."
    )
    en = (
        "After {steps} steps the held-out examples were never answered better than at the start, so no LoRA was made. Add more and more "
        "varied examples, or lower [tuning.training] learning_rate, and tune again; after very few steps raise budget_minutes, too."
    )


class TuningOutOfMemory(TuningError):
    """`used_mb`, `limit_mb`."""

    ko = (
        "학습이 메모리를 {used_mb} MB 써서 한도 {limit_mb} MB를 넘었습니다. [tuning.training] memory_mb를 높이거나, 처음부터 학습하더라도 "
        "most_tokens를 낮추어 다시 실행해 주십시오."
    )
    en = (
        "Tuning used {used_mb} MB of memory, above the limit of {limit_mb} MB. Raise [tuning.training] memory_mb, or lower most_tokens, "
        "which trains from the start, and run it again."
    )


class GpuOutOfMemory(TuningOutOfMemory):
    """`used_mb`, `limit_mb`."""

    ko = (
        "GPU 메모리가 모자랍니다({limit_mb} MB 가운데 {used_mb} MB를 썼고 더 필요했습니다). [tuning.training]에서 아직 쓰지 않았다면 "
        'quantise = "4bit"로 바꾸거나, most_tokens를 낮추거나, device = "cpu"로 두고 다시 실행해 주십시오.'
    )
    en = (
        "The GPU's memory does not suffice ({used_mb} of {limit_mb} MB were taken, and more was needed). In [tuning.training] set "
        'quantise = "4bit" unless it is, lower most_tokens, or set device = "cpu", and run it again.'
    )


class TuningFailed(TuningError):
    """`reason`."""

    ko = "학습 프로세스가 결과 없이 끝났습니다({reason}). 로그를 확인하고 다시 실행해 주십시오."
    en = "The training process ended without a result ({reason}). See its log and run it again."


class TuningNotKept(TuningError):
    """`path`, `reason`."""

    ko = "학습 중에 파일을 저장하거나 읽지 못했습니다: {path} ({reason}). 디스크 공간과 권한을 확인하고 다시 실행해 주십시오."
    en = "Tuning could not keep or read a file: {path} ({reason}). Check disk and permissions, and run it again."
