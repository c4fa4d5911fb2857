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


class PagesReopened(EditionError):
    """`edition`, `wider`, `returned`: numbers of pages."""

    ko = (
        "색인 {edition}(으)로 되돌리면 그 뒤에 읽을 수 있는 사람을 줄인 문서 {wider}개가 예전처럼 열리고, "
        "없어진 문서 {returned}개로 다시 답합니다. 그래서 되돌리지 않았습니다. 그래도 되돌리려면 콘솔의 위키 페이지에서 확인하거나 "
        "`saseo editions rollback {edition} --reopen`을 실행해 주십시오."
    )
    en = (
        "Going back to edition {edition} would open pages narrowed since then to their former readers ({wider}) and answer from pages "
        "that are gone ({returned}), so nothing was changed. If it is wanted all the same, confirm it on the console's wiki page or run "
        "`saseo editions rollback {edition} --reopen`."
    )


class PublishFailed(EditionError):
    """`reason`."""

    ko = "색인을 저장하지 못했습니다: {reason}. 디스크 여유 공간과 권한을 확인해 주십시오. 이전 색인은 그대로 사용됩니다."
    en = "The index could not be saved: {reason}. Check disk space and permissions. The previous edition stays in use."


class IndexBusy(EditionError):
    """`lock`."""

    ko = "다른 색인 작업이 진행 중입니다. 끝난 뒤에 다시 실행해 주십시오."
    en = "Another indexing run is in progress. Try again when it has finished."
