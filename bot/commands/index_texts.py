"""What `saseo index` and `saseo editions` say to a person. Functions of the language."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.commands.example_texts import plain
from bot.messages import Language

if TYPE_CHECKING:
    from knowledge.build import BuildReport, FailedPage, HeldBack
    from knowledge.edition import Shelved

STEPS = {
    "listing": ("문서 목록", "Listing pages"),
    "reading": ("문서 읽기", "Reading pages"),
    "morphemes": ("형태소 분석", "Analysing"),
    "vectors": ("벡터 계산", "Embedding"),
    "publishing": ("색인 게시", "Publishing"),
}
_MOST_NAMED = 100
"""Pages of each kind that are named to a person; `--json` has them all."""


def step(name: str, language: Language) -> str:
    """A step of indexing."""
    return STEPS[name][language != "ko"]


def held_back(one: HeldBack, language: Language) -> str:
    """A source whose news were not taken: not to be overlooked."""
    reason = one.error.explain(language)
    head = f"출처 '{one.source}' 보류" if language == "ko" else f"Source '{one.source}' held back"
    return f"{head}: {reason}"


def failed(page: FailedPage, language: Language) -> str:
    """A page that could not be read."""
    korean = language == "ko"
    notes = []
    if page.kept:
        notes.append("이전 내용을 그대로 둡니다" if korean else "its former text stays")
    if page.tries > 1:
        notes.append(f"연속 {page.tries}번째" if korean else f"failed {page.tries} times in a row")
    tail = f" ({', '.join(notes)})" if notes else ""
    return f"{plain(page.source)}/{plain(page.page)}: {page.error.explain(language)}{tail}"


def changes(report: BuildReport, language: Language) -> Iterator[str]:
    """By name, what a run would do."""
    for sign, names in (("+", report.added), ("~", report.changed), ("-", report.removed)):
        yield from _named([f"{sign} {plain(name)}" for name in names], language)
    moves = [f"> {plain(one.source)}: {plain(one.before)} → {plain(one.now)}" for one in report.moved]
    yield from _named(moves, language)


def _named(lines: Sequence[str], language: Language) -> Iterator[str]:
    yield from lines[:_MOST_NAMED]
    if len(lines) > _MOST_NAMED:
        rest = len(lines) - _MOST_NAMED
        yield f"  … 외 {rest}개" if language == "ko" else f"  … and {rest} more"


def summary(report: BuildReport, language: Language) -> str:
    """The last line of a run."""
    korean = language == "ko"
    counts = (
        f"추가 {len(report.added)}, 변경 {len(report.changed)}, 이동 {len(report.moved)}, 삭제 {len(report.removed)}, "
        f"실패 {len(report.failed)}, 보류 {len(report.held_back)}"
        if korean
        else f"+{len(report.added)} ~{len(report.changed)} >{len(report.moved)} -{len(report.removed)}, "
        f"{len(report.failed)} failed, {len(report.held_back)} held back"
    )
    seconds = f"{report.seconds:.1f}초" if korean else f"{report.seconds:.1f} s"
    size = (
        f"문서 {report.pages}개, 구절 {report.passages}개"
        if korean
        else f"{report.pages} pages, {report.passages} passages"
    )
    if report.dry_run:
        head = "바꾸지 않고 비교만 했습니다" if korean else "Compared only, nothing was changed"
        return f"{head}. {size} ({counts}), {seconds}"
    if korean:
        what = "게시했습니다"
        if report.rolled_back:
            what = "되돌린 뒤로 바뀐 문서가 없어 그대로 둡니다"
        elif report.reused:
            what = "바뀐 문서가 없어 그대로 둡니다"
        return f"색인 {report.edition}: {what}. {size} ({counts}), {seconds}"
    what = "published"
    if report.rolled_back:
        what = "nothing changed since it was rolled back to"
    elif report.reused:
        what = "nothing changed"
    return f"Edition {report.edition}: {what}. {size} ({counts}), {seconds}"


def edition(one: Shelved, zone: ZoneInfo, language: Language) -> str:
    """One line of the list."""
    korean, manifest = language == "ko", one.manifest
    made = datetime.fromisoformat(manifest.made).astimezone(zone)
    parts = [
        f"{made:%Y-%m-%d %H:%M}",
        f"문서 {manifest.pages}개, 구절 {manifest.passages}개"
        if korean
        else f"{manifest.pages} pages, {manifest.passages} passages",
        f"{one.bytes / 1e6:.1f} MB",
    ]
    if manifest.recall is not None:
        parts.append(f"recall@5 {manifest.recall.at5:.3f} ({manifest.recall.asked})")
    if manifest.held_back:
        names = ", ".join(plain(name) for name in manifest.held_back)
        parts.append(f"보류한 출처: {names}" if korean else f"held back: {names}")
    mark = "*" if one.serving else " "
    return f"{mark} {manifest.edition}  {' · '.join(parts)}"


def no_editions(language: Language) -> str:
    """The shelf is empty."""
    return "아직 색인이 없습니다." if language == "ko" else "There is no edition yet."


def serving_mark(language: Language) -> str:
    """Under the list."""
    return "* 지금 답변에 쓰는 색인" if language == "ko" else "* answers now"


def rolled_back(name: str, language: Language) -> str:
    """After going back."""
    if language == "ko":
        return f"이제 색인 {name}을(를) 사용합니다. 실행 중인 서비스도 곧 따라오며, 문서가 바뀌어 새 색인을 게시할 때까지 유지합니다."
    return (
        f"Edition {name} answers from now on; a running service follows soon. It stays until a page changes and a new edition is "
        "published."
    )


def reopened(wider: int, returned: int, language: Language) -> str:
    """What going back has opened again: not to be overlooked. Numbers of pages."""
    if language == "ko":
        return (
            f"읽을 수 있는 사람을 줄였던 문서 {wider}개가 예전처럼 열렸고, 없어진 문서 {returned}개로 다시 답합니다. "
            "새 색인을 게시할 때까지 그대로입니다."
        )
    return (
        f"Pages that had been narrowed are open to their former readers again ({wider}), and pages that were gone answer again "
        f"({returned}), until a new edition is published."
    )
