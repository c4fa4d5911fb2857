"""What is wrong with editions; the old one stays."""

from __future__ import annotations

from knowledge.errors.base import WikiError


class EditionError(WikiError):
    """The index on disk cannot be used or published."""


class NoEdition(EditionError):
    """`folder`."""

    ko = "아직 색인이 없습니다. 먼저 `saseo index`를 실행해 주십시오."
    en = "There is no index yet. Run `saseo index` first."


class BrokenEdition(EditionError):
    """`edition`, `reason`."""

    ko = "색인 {edition}이(가) 손상되었습니다: {reason}. `saseo index --full`로 다시 만들어 주십시오."
    en = "Edition {edition} is damaged: {reason}. Rebuild it with `saseo index --full`."


class EditionMismatch(EditionError):
    """`edition`, `what`, `stored`, `live`."""

    ko = "색인 {edition}은(는) 다른 설정으로 만들어졌습니다({what}: {stored} → {live}). `saseo index`를 다시 실행해 주십시오."
    en = "Edition {edition} was made with another setting ({what}: {stored}, now {live}). Run `saseo index` again."


class UnknownEdition(EditionError):
    """`name`, `known`: joined."""

    ko = "색인 {name}을(를) 찾을 수 없습니다. 남아 있는 색인: {known}. `saseo editions list`로 확인해 주십시오."
    en = "There is no edition {name}. Those that are left: {known}. See `saseo editions list`."


class EditionRefused(EditionError):
    """`check`: which one; `reason`: short, without page text."""

    ko = "새 색인이 게시 전 점검에 통과하지 못했습니다({check}: {reason}). 이전 색인을 그대로 사용합니다."
    en = (
        "The new edition did not pass a check before publishing ({check}: {reason}). The previous edition stays in use."
    )


class PublishFailed(EditionError):
    """`reason`."""

    ko = "색인을 저장하지 못했습니다: {reason}. 디스크 여유 공간과 권한을 확인해 주십시오. 이전 색인은 그대로 사용됩니다."
    en = "The index could not be saved: {reason}. Check disk space and permissions. The previous edition stays in use."


class IndexBusy(EditionError):
    """`lock`."""

    ko = "다른 색인 작업이 진행 중입니다. 끝난 뒤에 다시 실행해 주십시오."
    en = "Another indexing run is in progress. Try again when it has finished."
