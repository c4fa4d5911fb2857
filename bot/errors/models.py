"""What is wrong with a model."""

from __future__ import annotations

from bot.errors.base import SaseoError


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
