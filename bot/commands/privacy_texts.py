"""What `saseo privacy` and `saseo audit` say, in Korean (합니다체) and English. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from bot.messages import Language

if TYPE_CHECKING:
    from bot.store.audit import Entry, Verdict
    from bot.store.privacy import Request

_KINDS = {
    "export": ("사본", "copy"),
    "forget": ("삭제", "erasure"),
    "suspend": ("학습 중지", "no training"),
    "resume": ("학습 허용", "training again"),
}


def impact(person: str, found: Mapping[str, Any], language: Language) -> str:
    """What an erasure would touch."""
    loras = ", ".join(one["name"] for one in found["loras"])
    if language == "ko":
        lines = [
            f"{person} ({found['person']})",
            f"  질문 {found['questions']}건, 답변 {found['answers']}건, 답변 과정 {found['traces']}건",
            f"  이 사람의 평가 {found['votes']}건, 이 사람의 답변에 남긴 다른 사람의 평가 {found['votes_of_others']}건",
            f"  담당자로서 남긴 답변 {found['resolutions']}건, 학습 예시 {len(found['examples'])}건",
            f"  이 사람의 말에 이어진 다른 사람의 질문 {found['others']}건(질문은 남고 검색에 쓴 말만 지웁니다)",
        ]
        if found["account"]:
            lines.append("  웹 콘솔 계정(지웁니다)")
        if loras:
            lines.append(f"  이 예시로 학습한 LoRA: {loras}(쓰지 않게 하고 다시 학습합니다)")
        lines += [f"  파일 {name}" for name in (*found["files"], *found["exports"])]
        if found["open"]:
            lines.append(f"  지금 답하고 있는 질문 {found['open']}건은 끝난 뒤 밤사이에 지웁니다.")
        if found["backups"]:
            lines.append(
                f"  백업 {len(found['backups'])}개에는 보관 기간이 끝날 때까지 남으며, 복원해도 다시 지웁니다."
            )
        return "\n".join(lines)
    lines = [
        f"{person} ({found['person']})",
        f"  {found['questions']} questions, {found['answers']} answers, {found['traces']} ways of answers",
        f"  {found['votes']} votes of theirs, {found['votes_of_others']} of others on their answers",
        f"  {found['resolutions']} answers to calls, {len(found['examples'])} examples",
        f"  {found['others']} questions of others that leaned on theirs (these stay; only the words searched for go)",
    ]
    if found["account"]:
        lines.append("  their account of the console (it is removed)")
    if loras:
        lines.append(f"  LoRAs that learnt from these: {loras} (withdrawn, and trained anew)")
    lines += [f"  file {name}" for name in (*found["files"], *found["exports"])]
    if found["open"]:
        lines.append(f"  {found['open']} questions are being answered right now; they go the night after.")
    if found["backups"]:
        lines.append(f"  {len(found['backups'])} backups hold them until these expire; a restore erases them again.")
    return "\n".join(lines)


def sure(language: Language) -> str:
    """The question before it is done."""
    return "되돌릴 수 없습니다. 지울까요?" if language == "ko" else "This cannot be undone. Delete them?"


def needs_yes(language: Language) -> str:
    """Nobody can be asked."""
    if language == "ko":
        return "지우려면 --yes를 붙여 다시 실행해 주십시오."
    return "Nothing was deleted. Run it again with --yes."


def forgotten(person: str, report: Mapping[str, Any], language: Language) -> str:
    """After it."""
    loras = ", ".join(one["name"] for one in report["loras"])
    if language == "ko":
        text = (
            f"{person}의 질문 {report['questions']}건, 평가 {report['votes']}건, 담당자 답변 {report['resolutions']}건, "
            f"학습 예시 {len(report['examples'])}건, 파일 {len(report['files'])}개를 지웠습니다."
        )
        if report["account"]:
            text += " 웹 콘솔 계정도 지웠습니다."
        if loras:
            text += f" 쓰지 않게 한 LoRA: {loras}. 다시 학습할 작업을 예약했습니다."
            text += " [jobs.tune]이 꺼져 있으면 `saseo jobs run tune`으로 실행해 주십시오."
        if report["files_left"]:
            text += f" 지우지 못한 파일: {', '.join(report['files_left'])}."
        if not report["compacted"]:
            text += " 저장소를 정리하지 못했습니다. `saseo jobs run retention`을 실행해 주십시오."
        return f"{text} 보고서 서명 {report['signature'][:16]}…"
    text = (
        f"{report['questions']} questions, {report['votes']} votes, {report['resolutions']} answers to calls, "
        f"{len(report['examples'])} examples and {len(report['files'])} files of {person} are deleted."
    )
    if report["account"]:
        text += " Their account of the console is removed, too."
    if loras:
        text += f" Withdrawn: {loras}. A new tuning run is due; unless [jobs.tune] is on, start it with `saseo jobs run tune`."
    if report["files_left"]:
        text += f" Not deleted: {', '.join(report['files_left'])}."
    if not report["compacted"]:
        text += " The store could not be compacted: run `saseo jobs run retention`."
    return f"{text} Signature of the report: {report['signature'][:16]}…"


def nothing_kept(person: str, language: Language) -> str:
    """Nobody of this name is known."""
    if language == "ko":
        return f"{person}에 관한 기록이 없습니다. 사람은 platform:id로 적습니다(예: slack:U0123)."
    return f"Nothing is on record about {person}. A person is platform:id, e.g. slack:U0123."


def report_verified(path: str, whole: bool, language: Language) -> str:
    """Whether a report is as it was written."""
    if language == "ko":
        return (
            f"{path}: 이 설치에서 만든 보고서이며 그 뒤로 바뀌지 않았습니다."
            if whole
            else f"{path}: 이 설치에서 만든 보고서가 아니거나, 만든 뒤에 내용이 바뀌었습니다."
        )
    return (
        f"{path}: written by this installation, and not changed since."
        if whole
        else f"{path}: not written by this installation, or changed since."
    )


def exported(path: str, sha256: str, language: Language) -> str:
    """A copy was written."""
    if language == "ko":
        return f"사본을 저장했습니다: {path} (SHA-256 {sha256[:16]}…). 본인에게 전달한 뒤 지워 주십시오."
    return f"The copy is at {path} (SHA-256 {sha256[:16]}…). Delete it once they have it."


def suspended(person: str, changed: bool, resumed: bool, language: Language) -> str:
    """Training use stopped, or allowed again."""
    if language == "ko":
        if resumed:
            return (
                f"{person}의 평가를 다시 학습에 쓸 수 있습니다."
                if changed
                else f"{person}은(는) 학습을 중지한 적이 없습니다."
            )
        if changed:
            return f"{person}의 질문과 평가를 지금부터 학습에 쓰지 않습니다. 이미 학습한 LoRA는 `saseo privacy impact`로 확인해 주십시오."
        return f"{person}의 질문과 평가는 이미 학습에 쓰지 않고 있습니다."
    if resumed:
        return f"Training may use what {person} says again." if changed else f"Training was not stopped for {person}."
    if changed:
        return f"From now on nothing of {person} is learnt from. `saseo privacy impact` names LoRAs that have learnt already."
    return f"Training leaves out {person} already."


def requests(rows: Sequence[Request], zone: ZoneInfo, now: float, language: Language) -> str:
    """Open ones first."""
    if not rows:
        return "받은 요청이 없습니다." if language == "ko" else "There are no requests."
    lines = []
    for one in rows:
        kind = _KINDS[one.kind][0 if language == "ko" else 1]
        received = datetime.fromtimestamp(one.received_at, zone).strftime("%Y-%m-%d")
        if one.done_at is not None:
            done = datetime.fromtimestamp(one.done_at, zone).strftime("%Y-%m-%d")
            state = f"{done} 완료" if language == "ko" else f"done {done}"
        else:
            left = int((one.due_at - now) // 86400)
            if language == "ko":
                state = f"{left}일 남음" if left >= 0 else f"{-left}일 지남"
            else:
                state = f"{left} days left" if left >= 0 else f"{-left} days late"
        lines.append(f"{one.id}  {received}  {kind}  {one.person}  {state}")
    return "\n".join(lines)


def received(request: Request, zone: ZoneInfo, language: Language) -> str:
    """Written down."""
    due = datetime.fromtimestamp(request.due_at, zone).strftime("%Y-%m-%d")
    if language == "ko":
        return f"요청을 적어 두었습니다: {request.id}. {due}까지 처리하고 결과를 알려 주십시오."
    return f"Written down as {request.id}. Answer it by {due}."


def new_key(language: Language) -> str:
    """Another key was accepted."""
    if language == "ko":
        return "새 키를 받아들였습니다. 이전 기록은 누구의 것인지 더 이상 알 수 없습니다."
    return "The new key is accepted. Whose the earlier records are cannot be told any more."


def key_needs_yes(language: Language) -> str:
    """Before that."""
    if language == "ko":
        return "새 키를 받아들이면 이전 기록을 본인과 이을 수 없습니다. 계속하려면 --yes를 붙여 주십시오."
    return "With a new key, earlier records cannot be tied to their people any more. Add --yes to go on."


def entry(one: Entry, zone: ZoneInfo) -> str:
    """One line."""
    at = datetime.fromtimestamp(one.at, zone).strftime("%Y-%m-%d %H:%M:%S")
    detail = " ".join(f"{name}={value}" for name, value in one.detail.items())
    return "  ".join(part for part in (f"{one.id:>6}", at, one.by, one.action, one.subject, detail, one.origin) if part)


def no_entries(language: Language) -> str:
    """An empty list."""
    return "기록이 없습니다." if language == "ko" else "Nothing is on record."


def verified(found: Verdict, language: Language) -> str:
    """What following the chain found."""
    if found.whole:
        if language == "ko":
            return f"감사 기록 {found.entries}건이 온전합니다. 마지막 해시: {found.head}"
        return f"{found.entries} entries, all of them whole. Newest hash: {found.head}"
    reasons = {
        "changed": ("내용이 바뀌었습니다", "was changed"),
        "missing": ("앞의 기록이 없습니다", "lacks the entry before it"),
        "beginning": (
            "오래된 기록이 기록 없이 지워졌습니다",
            "stands at the beginning, and what was before it went without a record",
        ),
        "unknown": ("적어 둔 해시가 기록에 없습니다", "the hash that was noted stands nowhere"),
    }
    ko, en = reasons[found.reason]
    if language == "ko":
        return f"{found.broken}번: {ko}." if found.broken is not None else f"{ko}."
    return f"Entry {found.broken} {en}." if found.broken is not None else f"{en[0].upper()}{en[1:]}."


def audit_exported(path: str, count: int, head: str, language: Language) -> str:
    """A file was written."""
    if language == "ko":
        return f"감사 기록 {count}건을 저장했습니다: {path}. 마지막 해시: {head}"
    return f"{count} entries written to {path}. Newest hash: {head}"
