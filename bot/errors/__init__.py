"""The whole tree of what can go wrong, one file for each branch. Every error carries its Korean and English sentence and what to do next.

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
    │   ├── LoraElsewhere               another machine has its files
    │   ├── MarkedLora                  it must not answer any more
    │   ├── ShelfNotWritable            nothing half-made is left to be believed
    │   └── LoraKept                    it cannot be deleted
    ├── ReleaseError                    what answers stays as it is
    │   ├── ReleasePinned               the setting says what answers
    │   ├── AnswersAlready
    │   ├── NotEvaluated                against what answers now
    │   │   └── PlainBaseNotEvaluated   it never is
    │   ├── EvaluationNotPassed
    │   ├── OutdatedEvaluation          made with another prompt or base than today's
    │   ├── RolledBackBefore            people's votes were against it
    │   ├── ReasonMissing
    │   ├── ReleasedMeanwhile           what answers has changed since it was looked at
    │   └── NothingToRollBack
    ├── TuningError                     no LoRA came of it; what serves now goes on
    │   ├── BadExamples                 names the line
    │   ├── NothingToLearn
    │   ├── TooFewExamples              says how to get more
    │   ├── UntunableBase               it cannot be had as weights to train on
    │   ├── CannotTuneHere              no GPU, or a library is missing for what was asked
    │   ├── TuningChangedNothing        the best was the plain base: nothing is shelved or judged
    │   ├── TuningDiverged              the loss is no number any more
    │   ├── TuningOutOfMemory           above the limit that was set
    │   │   └── GpuOutOfMemory          the base or a pass over the examples does not fit
    │   ├── TuningFailed                the training process ended without a result
    │   └── TuningNotKept               the disk refuses; what was kept before stays
    ├── WritingError                    the writer could not finish; the answer becomes extractive
    │   ├── WriterBusy                  the queue is full, or this person has too many questions waiting
    │   ├── WriterTimeout
    │   ├── WriterFailed
    │   └── WritingCancelled
    ├── ServiceError
    │   ├── NotAllowed                  the person may not do this here
    │   ├── AdapterError                a chat platform cannot be used: says what to do
    │   ├── NothingToServe              no platform is enabled
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
    │   ├── NoBackup                    none of ours
    │   │   └── BackupMissing           no such file
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
    │   ├── WrongConsoleHost            called by a name that is not its own
    │   ├── ConsoleProxied              a proxy passes strangers on, and there are no accounts
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
    │   ├── ChangedSince                a step back would take back somebody else's
    │   ├── BadExampleFile              names the line
    │   └── ExamplesNotWritable
    ├── GapError
    │   ├── UnknownGap
    │   └── GapsNotWritable
    ├── JobError
    │   ├── UnknownJob                  lists the jobs
    │   ├── UnknownRun
    │   ├── JobPaused
    │   ├── JobBusy                     it runs in another process, or one that must not run beside it does
    │   └── NoJobsHere                  asked for in chat, where nobody would run it
    └── EvaluationError
        ├── BadEvaluationSet            names the line
        ├── DetailsNotWritable
        ├── NothingToAsk                names the setting that gives questions
        ├── LearntUnknown               an imported LoRA that does not tell may have seen any example
        ├── GateBusy                    another process evaluates in this folder
        ├── AnswersNotKept              the disk refuses; what was kept before stays
        ├── EditionReplaced             and deleted, before the gate could open it
        └── BadParity                   what training left to compare with cannot be used
"""

from __future__ import annotations

from bot.errors.backup import (
    BackupBusy,
    BackupDamaged,
    BackupError,
    BackupMissing,
    BackupNotWritten,
    BackupTooNew,
    BackupUnsafe,
    NoBackup,
    NoSpace,
    RestoreFailed,
    RestoreRefused,
)
from bot.errors.base import SaseoError
from bot.errors.batch import BadBatch
from bot.errors.evaluation import (
    AnswersNotKept,
    BadEvaluationSet,
    BadParity,
    DetailsNotWritable,
    EditionReplaced,
    EvaluationError,
    GateBusy,
    LearntUnknown,
    NothingToAsk,
)
from bot.errors.examples import (
    BadExampleFile,
    ChangedSince,
    ExampleError,
    ExamplesNotWritable,
    NotApprovable,
    UnknownExample,
)
from bot.errors.gaps import GapError, GapsNotWritable, UnknownGap
from bot.errors.jobs import JobBusy, JobError, JobPaused, NoJobsHere, UnknownJob, UnknownRun
from bot.errors.loras import (
    BrokenLora,
    LoraElsewhere,
    LoraError,
    LoraKept,
    LoraRefused,
    MarkedLora,
    NotExported,
    ShelfNotWritable,
    UnknownLora,
    UnsupportedLora,
    WrongBase,
)
from bot.errors.models import (
    BrokenModel,
    DownloadFailed,
    ModelError,
    ModelMissing,
    NotEnoughDisk,
    UnknownModel,
    WrongChecksum,
)
from bot.errors.privacy import BadPerson, CopyNotWritable, PrivacyError, PrivacyKeyUnusable, WrongPrivacyKey
from bot.errors.releases import (
    AnswersAlready,
    EvaluationNotPassed,
    NotEvaluated,
    NothingToRollBack,
    OutdatedEvaluation,
    PlainBaseNotEvaluated,
    ReasonMissing,
    ReleasedMeanwhile,
    ReleaseError,
    ReleasePinned,
    RolledBackBefore,
)
from bot.errors.service import (
    AdapterError,
    DeliveryFailed,
    MetricsNotServed,
    MigrationFailed,
    NotAllowed,
    NothingToServe,
    ServiceError,
    StoreError,
    StoreInUse,
    StoreTooNew,
)
from bot.errors.settings import ExtraMissing, InvalidSetting, SettingsError, SettingsFileMissing, UnknownSetting
from bot.errors.setup import AnswerMissing, FileInTheWay, SetupError, SetupNotWritable, WikiNotFound, WikiWithoutPages
from bot.errors.tuning import (
    BadExamples,
    CannotTuneHere,
    GpuOutOfMemory,
    NothingToLearn,
    TooFewExamples,
    TuningChangedNothing,
    TuningDiverged,
    TuningError,
    TuningFailed,
    TuningNotKept,
    TuningOutOfMemory,
    UntunableBase,
)
from bot.errors.web import (
    BadAccount,
    BadShare,
    ConsoleNeedsAccount,
    ConsoleNotStarted,
    ConsoleProxied,
    FormExpired,
    HiddenInConsole,
    NotAllowedInConsole,
    NotFoundInConsole,
    UnknownAccount,
    WebError,
    WrongConsoleHost,
)
from bot.errors.writing import WriterBusy, WriterFailed, WriterTimeout, WritingCancelled, WritingError
from knowledge.errors import ExplainedError

__all__ = [
    "AdapterError",
    "AnswerMissing",
    "AnswersAlready",
    "AnswersNotKept",
    "BackupBusy",
    "BackupDamaged",
    "BackupError",
    "BackupMissing",
    "BackupNotWritten",
    "BackupTooNew",
    "BackupUnsafe",
    "BadAccount",
    "BadBatch",
    "BadEvaluationSet",
    "BadExampleFile",
    "BadExamples",
    "BadParity",
    "BadPerson",
    "BadShare",
    "BrokenLora",
    "BrokenModel",
    "CannotTuneHere",
    "ChangedSince",
    "ConsoleNeedsAccount",
    "ConsoleNotStarted",
    "ConsoleProxied",
    "CopyNotWritable",
    "DeliveryFailed",
    "DetailsNotWritable",
    "DownloadFailed",
    "EditionReplaced",
    "EvaluationError",
    "EvaluationNotPassed",
    "ExampleError",
    "ExamplesNotWritable",
    "ExplainedError",
    "ExtraMissing",
    "FileInTheWay",
    "FormExpired",
    "GapError",
    "GapsNotWritable",
    "GateBusy",
    "GpuOutOfMemory",
    "HiddenInConsole",
    "InvalidSetting",
    "JobBusy",
    "JobError",
    "JobPaused",
    "LearntUnknown",
    "LoraElsewhere",
    "LoraError",
    "LoraKept",
    "LoraRefused",
    "MarkedLora",
    "MetricsNotServed",
    "MigrationFailed",
    "ModelError",
    "ModelMissing",
    "NoBackup",
    "NoJobsHere",
    "NoSpace",
    "NotAllowed",
    "NotAllowedInConsole",
    "NotApprovable",
    "NotEnoughDisk",
    "NotEvaluated",
    "NotExported",
    "NotFoundInConsole",
    "NothingToAsk",
    "NothingToLearn",
    "NothingToRollBack",
    "NothingToServe",
    "OutdatedEvaluation",
    "PlainBaseNotEvaluated",
    "PrivacyError",
    "PrivacyKeyUnusable",
    "ReasonMissing",
    "ReleaseError",
    "ReleasePinned",
    "ReleasedMeanwhile",
    "RestoreFailed",
    "RestoreRefused",
    "RolledBackBefore",
    "SaseoError",
    "ServiceError",
    "SettingsError",
    "SettingsFileMissing",
    "SetupError",
    "SetupNotWritable",
    "ShelfNotWritable",
    "StoreError",
    "StoreInUse",
    "StoreTooNew",
    "TooFewExamples",
    "TuningChangedNothing",
    "TuningDiverged",
    "TuningError",
    "TuningFailed",
    "TuningNotKept",
    "TuningOutOfMemory",
    "UnknownAccount",
    "UnknownExample",
    "UnknownGap",
    "UnknownJob",
    "UnknownLora",
    "UnknownModel",
    "UnknownRun",
    "UnknownSetting",
    "UnsupportedLora",
    "UntunableBase",
    "WebError",
    "WikiNotFound",
    "WikiWithoutPages",
    "WriterBusy",
    "WriterFailed",
    "WriterTimeout",
    "WritingCancelled",
    "WritingError",
    "WrongBase",
    "WrongChecksum",
    "WrongConsoleHost",
    "WrongPrivacyKey",
]
