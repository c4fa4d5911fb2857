"""What is wrong with the settings."""

from __future__ import annotations

from bot.errors.base import SaseoError


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

    ko = (
        "{key} 설정에 필요한 패키지가 없습니다. 소스에서는 `.venv/bin/pip install -c constraints.txt -e '.[{extra}]'`로 설치하고"
        "(번들과 이미지에는 들어 있지 않습니다), 아니면 이 설정을 비워 주십시오."
    )
    en = (
        "The packages that {key} needs are not installed. From a checkout: "
        "`.venv/bin/pip install -c constraints.txt -e '.[{extra}]'`; bundle and image do not carry these packages. "
        "Or leave the setting empty."
    )
