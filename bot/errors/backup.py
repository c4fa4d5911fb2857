"""What is wrong with a backup or a restore."""

from __future__ import annotations

from bot.errors.base import SaseoError


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


class BackupMissing(NoBackup):
    """`path`."""

    ko = "백업 파일이 없습니다: {path}. `saseo backup list`로 확인해 주십시오."
    en = "No such backup: {path}. See `saseo backup list`."


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
