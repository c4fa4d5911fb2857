"""What `saseo backup` and `saseo restore` say."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.texts import Language

if TYPE_CHECKING:
    from bot.backup.archive import Manifest
    from bot.backup.restoring import Restored
    from bot.backup.shelf import Kept
    from bot.backup.writing import Written

_STEPS: dict[str, tuple[str, str]] = {
    "copy": ("저장소 복사", "Copying the store"),
    "store": ("행", "Rows"),
    "files": ("LoRA와 설정(MB)", "LoRAs and settings (MB)"),
    "seal": ("봉인 확인(MB)", "Seal (MB)"),
    "check": ("체크섬 확인(MB)", "Checksums (MB)"),
}


def step(name: str, language: Language) -> str:
    """Label of a progress bar."""
    return _STEPS[name][language == "en"]


def size(bytes_: int) -> str:
    """For people."""
    return f"{bytes_ / 1e6:,.1f} MB"


def moment(at: float, zone: ZoneInfo) -> str:
    """For people."""
    return datetime.fromtimestamp(at, zone).strftime("%Y-%m-%d %H:%M")


def written(done: Written, language: Language) -> str:
    """A backup was made."""
    if language == "en":
        return f"Backup made: {done.path} ({size(done.bytes)}, {done.manifest.rows:,} rows, SHA-256 {done.seal[:16]}…)"
    return f"백업했습니다: {done.path} ({size(done.bytes)}, {done.manifest.rows:,}행, SHA-256 {done.seal[:16]}…)"


def none_kept(folder: str, language: Language) -> str:
    """Nothing to list."""
    return f"No backups in {folder}." if language == "en" else f"{folder}에 백업이 없습니다."


def kept(one: Kept, zone: ZoneInfo, language: Language) -> str:
    """One line of the list."""
    if one.manifest is None:
        problem = one.problem.explain(language) if one.problem else ""
        return f"{one.path.name}  ✗ {problem}"
    return f"{one.path.name}  {about(one.manifest, zone, language)}  {size(one.bytes)}"


def about(manifest: Manifest, zone: ZoneInfo, language: Language) -> str:
    """What a backup is."""
    rows = f"{manifest.rows:,} rows" if language == "en" else f"{manifest.rows:,}행"
    edition = f", {manifest.edition}" if manifest.edition else ""
    return f"{moment(manifest.made_at, zone)}  Saseo {manifest.program} ({manifest.revision}), {rows}{edition}"


def whole(manifest: Manifest, zone: ZoneInfo, language: Language) -> str:
    """Everything was checked."""
    told = about(manifest, zone, language)
    if language == "en":
        return f"The backup is whole, every checksum matches: {told}"
    return f"백업이 온전합니다(모든 체크섬 일치): {told}"


def sure(manifest: Manifest, taken: bool, where: str, zone: ZoneInfo, language: Language) -> str:
    """Before anything is changed."""
    told = about(manifest, zone, language)
    if language == "en":
        kept_aside = " What is there now is kept aside." if taken else ""
        return f"Restore into {where}: {told}.{kept_aside} Go on?"
    kept_aside = " 지금 있는 것은 옆에 보관합니다." if taken else ""
    return f"{where}에 복원합니다: {told}.{kept_aside} 계속할까요?"


def restored(done: Restored, data_dir: str, *, key_missing: bool, zone: ZoneInfo, language: Language) -> list[str]:
    """What was done and what is left to do."""
    english = language == "en"
    lines = [f"{'Restored' if english else '복원했습니다'}: {done.where} ({about(done.manifest, zone, language)})"]
    if done.aside:
        kept_at = ", ".join(done.aside)
        lines.append(
            f"What was there is kept: {kept_at}. Delete it once you need it no more: it holds what people asked."
            if english
            else f"있던 것은 여기에 보관했습니다: {kept_at}. 사람들의 질문이 들어 있으니 필요 없어지면 지워 주십시오."
        )
    if done.erased:
        lines.append(
            f"{done.erased} people who were erased after this backup were erased from it, too."
            if english
            else f"이 백업 뒤에 삭제를 요청한 {done.erased}명의 기록은 다시 지웠습니다."
        )
    if done.config is not None and done.config_used:
        lines.append(
            f"Settings: {done.config}/config.toml. Check its paths, and data_dir (the data is in {data_dir})."
            if english
            else f"설정: {done.config}/config.toml. 경로와 data_dir(데이터는 {data_dir})을 확인해 주십시오."
        )
        if done.config_left is not None:
            lines.append(
                f"Files that no setting names, or that are hidden, are in {done.config_left}."
                if english
                else f"설정에 적혀 있지 않거나 숨김인 파일은 {done.config_left}에 두었습니다."
            )
    elif done.config is not None:
        lines.append(
            f"Your settings stay in use; those of the backup are in {done.config}."
            if english
            else f"지금 설정은 그대로 씁니다. 백업의 설정은 {done.config}에 있습니다."
        )
    if key_missing:
        lines.append(
            f"privacy.key is not in backups: copy it from the old machine to {data_dir} before you start the service."
            if english
            else f"privacy.key는 백업에 들어 있지 않습니다. 서비스를 시작하기 전에 이전 컴퓨터에서 {data_dir}로 복사해 주십시오."
        )
    if not done.manifest.edition:
        lines.append(
            "If there is no index here yet: saseo index"
            if english
            else "색인이 아직 없으면 만들어 주십시오: saseo index"
        )
    return lines
