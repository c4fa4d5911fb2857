"""Why `saseo init` writes nothing."""

from __future__ import annotations

from bot.errors.base import SaseoError


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
