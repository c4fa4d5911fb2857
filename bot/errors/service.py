"""What keeps the service from its work: platforms, the store."""

from __future__ import annotations

from bot.errors.base import SaseoError


class ServiceError(SaseoError):
    """The running service cannot do something."""


class NotAllowed(ServiceError):
    """`action` and `doing`: what was tried, as a noun phrase in Korean and in English."""

    ko = "{action}은(는) 관리자만 할 수 있습니다. 관리자는 config.toml의 admins와 admin_roles에서 정합니다."
    en = "Only admins may do this ({doing}). Admins are set in config.toml: admins and admin_roles."


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


class StoreTooNew(StoreError):
    """`where`, `found`, `known`: revisions."""

    ko = (
        "저장소를 더 새로운 Saseo가 바꿨습니다: {where} (저장소 {found}, 이 프로그램 {known}). Saseo를 업데이트하거나, "
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
