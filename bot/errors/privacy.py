"""What is wrong with people's data."""

from __future__ import annotations

from bot.errors.base import SaseoError


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
