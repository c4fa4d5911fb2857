"""What `saseo jobs` says to a person. Functions of the language; names and numbers go in as they are."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bot.commands import result_words
from bot.commands.example_texts import plain
from bot.messages import Language

if TYPE_CHECKING:
    from bot.commands.tools import JobLine
    from bot.store.job_rows import Run

_STEPS = {
    "listing": ("문서 목록", "Listing pages"),
    "reading": ("문서 읽기", "Reading pages"),
    "morphemes": ("형태소 분석", "Analysing"),
    "vectors": ("벡터 계산", "Embedding"),
    "publishing": ("색인 게시", "Publishing"),
    "examples": ("학습 예시 만들기", "Building examples"),
    "folders": ("기록 정리", "Forgetting old runs"),
    "base_verify": ("모델 파일 확인", "Checking the model"),
    "base_convert": ("학습할 가중치 준비(처음 한 번)", "Preparing weights (once)"),
    "training": ("학습", "Tuning"),
    "making_way": ("답변을 기다리는 사람이 있어 쉽니다", "People wait for answers: pausing"),
    "asking": ("질문", "Asking"),
    "watching": ("LoRA 지켜보기", "Watching what answers"),
    "people": ("보관 기간이 지난 것 지우기", "Deleting what is too old"),
    "gaps": ("빈틈 찾기", "Finding gaps"),
    "copy": ("저장소 복사", "Copying the store"),
    "store": ("저장소의 행", "Rows of the store"),
    "files": ("LoRA와 설정", "LoRAs and settings"),
    "seal": ("봉인 확인", "Seal"),
    "check": ("체크섬 확인", "Checksums"),
}


def step(message: str, language: Language) -> str:
    """A step of a job and, behind ": ", how it goes; a step without words of its own here is shown as the job names it."""
    name, colon, rest = message.partition(": ")
    return (_STEPS[name][language != "ko"] if name in _STEPS else plain(name)) + colon + plain(rest)


def state(name: str, language: Language) -> str:
    """Of a run; `left`: it says `running`, but nobody holds it any more."""
    korean = {
        "due": "대기 중",
        "running": "실행 중",
        "left": "끊김(프로세스가 죽음)",
        "done": "완료",
        "failed": "실패",
        "stopped": "멈춤",
        "missed": "시간 지남",
    }
    english = {"left": "interrupted (its process died)"}
    return korean[name] if language == "ko" else english.get(name, name)


def when(line: JobLine, at: str, language: Language) -> str:
    """Schedule and next run of a job."""
    korean = language == "ko"
    if line.paused:
        return "일시 중지" if korean else "paused"
    if not line.enabled:
        return "꺼짐" if korean else "off"
    if not line.schedule and line.name.startswith("reindex:"):
        return "폴더의 문서가 바뀌면 실행" if korean else "when something changes in its folder"
    if not line.schedule:
        return "다른 작업이 요청하면 실행" if korean else "when another job asks for it"
    return f"{line.schedule} · 다음 {at}" if korean else f"{line.schedule} · next {at}"


def last(run: Run | None, at: str, language: Language) -> str:
    """How the last run went."""
    korean = language == "ko"
    if run is None:
        return "아직 실행한 적이 없습니다." if korean else "Has not run yet."
    left = run.state == "running" and run.until is not None and run.until < time.time()
    parts = [state("left" if left else run.state, language), at, _by(run.asked_by, language)]
    if run.started_at is not None and run.ended_at is not None:
        parts.append(_duration(run.ended_at - run.started_at, language))
    elif run.state == "running" and run.progress.get("total"):
        parts.append(f"{run.progress.get('done', 0)}/{run.progress['total']}")
    if run.attempt > 1:
        parts.append(f"{run.attempt}번째 시도" if korean else f"attempt {run.attempt}")
    if run.error:
        parts.append(_error(run, language))
    parts += _indexed(run, language)
    return ", ".join(parts)


def _indexed(run: Run, language: Language) -> list[str]:
    """How many pages an indexing run found, and what it could not take."""
    korean, result = language == "ko", run.result
    if run.state != "done" or "passages" not in result:
        return []
    parts = [f"문서 {result.get('pages')}개" if korean else f"{result.get('pages')} pages"]
    if result.get("failed"):
        parts.append(f"실패 {result['failed']}개" if korean else f"{result['failed']} failed")
    if result.get("held_back"):
        names = ", ".join(plain(str(one.get("source"))) for one in result["held_back"])
        parts.append(f"보류한 출처: {names}" if korean else f"held back: {names}")
    return parts


def pages_of(run: Run, language: Language) -> list[str]:
    """Sources that an indexing run held back and pages that it could not read, with their reasons; those that were recorded."""
    korean, result = language == "ko", run.result
    lines = []
    for one in result.get("held_back") or []:
        now = "?" if one.get("now") is None else one["now"]
        head = f"출처 '{one.get('source')}' 보류" if korean else f"source '{one.get('source')}' held back"
        lines.append(plain(f"  !! {head} ({one.get('before')} → {now}): {one.get('reason')}"))
    failures = result.get("failures") or []
    for one in failures:
        kept = (" (이전 내용 유지)" if korean else " (former text kept)") if one.get("kept") else ""
        lines.append(plain(f"  ! {one.get('page')}: {one.get('reason')}{kept}"))
    more = int(result.get("failed") or 0) - len(failures) if failures else 0
    if more > 0:
        lines.append(f"  … 외 {more}개" if korean else f"  … and {more} more")
    return lines


def log_cut(left_out: int, path: object, language: Language) -> str:
    """Before the last lines of a long log."""
    if language == "ko":
        return f"… 앞의 {left_out}줄은 생략했습니다. 전체 기록: {path}"
    return f"… {left_out} lines before these; the whole log: {path}"


def zone(name: str, enabled: bool, language: Language) -> str:
    """Under the list."""
    if language == "ko":
        return f"시각은 {name} 기준입니다." + (
            "" if enabled else " [jobs] enabled = false이므로 저절로 실행되는 작업은 없습니다."
        )
    return f"Times are in {name}." + ("" if enabled else " Nothing runs by itself: [jobs] enabled = false.")


def ended(run: Run, language: Language, command: str = "") -> str:
    """After `saseo jobs run`, or another `command` that ran the job."""
    korean = language == "ko"
    shown = ", ".join(
        f"{result_words.within(key, language)} {_value(value, language)}"
        for key, value in run.result.items()
        if _shows(value)
    )
    if run.state == "done":
        head = f"작업 '{run.job}'을(를) 마쳤습니다" if korean else f"Job '{run.job}' is done"
        return f"{head} ({shown})." if shown else f"{head}."
    if run.state == "stopped":
        why = f" {_error(run, language)}" if run.error else ""
        if command and korean:
            again = f"다시 실행하면 이어서 합니다: `{command}`"
        elif command:
            again = f"Run it again to go on: `{command}`"
        elif run.arguments:
            again = "같은 명령을 다시 실행하면 이어서 합니다." if korean else "Run the same command again to go on."
        elif korean:
            again = f"다시 실행하면 이어서 합니다: `saseo jobs run {run.job}`"
        else:
            again = f"Run it again to go on: `saseo jobs run {run.job}`"
        return (
            f"작업 '{run.job}'을(를) 멈췄습니다.{why} {again}"
            if korean
            else f"Job '{run.job}' was stopped.{why} {again}"
        )
    if korean:
        return f"작업 '{run.job}'이(가) 실패했습니다: {_error(run, language)} 기록 보기: `saseo jobs log {run.id}`"
    return f"Job '{run.job}' failed: {_error(run, language)} Its log: `saseo jobs log {run.id}`"


def _shows(value: object) -> bool:
    return isinstance(value, int | float | str) and value != ""


def _value(value: object, language: Language) -> str:
    if isinstance(value, bool):
        return ("예" if value else "아니요") if language == "ko" else ("yes" if value else "no")
    return plain(str(value))


def no_log(language: Language) -> str:
    """The run has no log file here."""
    if language == "ko":
        return "이 컴퓨터에는 이 실행의 기록 파일이 없습니다."
    return "There is no log of this run on this machine."


def switched(job: str, paused: bool, language: Language) -> str:
    """After pause or resume."""
    if language == "ko":
        if paused:
            return f"작업 '{job}'을(를) 일시 중지했습니다. 다시 켜기: `saseo jobs resume {job}`"
        return f"작업 '{job}'을(를) 다시 켰습니다."
    return f"Job '{job}' is paused. To turn it on: `saseo jobs resume {job}`" if paused else f"Job '{job}' is on again."


def _error(run: Run, language: Language) -> str:
    from bot.store.jobs import DIED  # late: it loads SQLAlchemy

    if run.error == DIED:
        return "실행하던 프로세스가 죽었습니다." if language == "ko" else "The process that ran it died."
    return plain(run.error.partition(": ")[2] or run.error)


def _by(who: str, language: Language) -> str:
    from bot.privacy.pseudonyms import is_pseudonym
    from bot.store.jobs import CHANGE, CLOCK

    korean = language == "ko"
    known = {CLOCK: "일정" if korean else "by the clock", CHANGE: "문서 변경" if korean else "a changed page"}
    if is_pseudonym(who):
        return "채팅의 관리자" if korean else "by an admin in chat"
    return known.get(who, who)


def _duration(seconds: float, language: Language) -> str:
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    names = ("시간", "분", "초") if language == "ko" else (" h", " min", " s")
    parts = [f"{number}{name}" for number, name in zip((hours, minutes, rest), names, strict=True) if number]
    return " ".join(parts) or f"{seconds:.1f}{names[2]}"
