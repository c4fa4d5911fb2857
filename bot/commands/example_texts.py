"""What `saseo feedback` and `saseo tune` say to a person. Functions of the language; numbers and texts go in as they are."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bot.messages import Language

if TYPE_CHECKING:
    from bot.examples.workbench import Imported

KEYS: Mapping[str, str] = {"a": "aㅁ", "r": "rㄱ", "e": "eㄷ", "s": "sㄴ", "u": "uㅕ", "q": "qㅂ"}
"""What each step answers to: the letter, and what the same key gives while the Korean input method is on."""

_WITHHELD = (
    "학습에 쓸 수 없는 사람의 자료(삭제 요청, 학습 거부, 또는 learn_from_feedback = false)",
    "from people of whom nothing may be learnt (forgotten, objecting, or learn_from_feedback = false)",
)


def plain(text: str) -> str:
    """Without control characters and reordering marks: what people wrote must not drive this terminal."""
    kept = (one for one in text if one == "\n" or unicodedata.category(one) not in ("Cc", "Cf", "Cs"))
    return "".join(kept)


def help_line(language: Language) -> str:
    """The keys."""
    if language == "ko":
        return "승인 a · 거절 r · 고치기 e · 건너뛰기 s · 되돌리기 u · 끝 q"
    return "approve a · reject r · edit e · skip s · undo u · quit q"


def kind(name: str, language: Language) -> str:
    """Where an example comes from."""
    korean = {
        "liked": "👍 받은 답변",
        "disliked": "👎 받은 답변",
        "corrected": "사람이 고친 답변",
        "resolved": "담당자의 답변",
        "imported": "가져온 자료",
        "synthetic": "위키에서 만든 자료",
    }
    english = {
        "liked": "answer with 👍",
        "disliked": "answer with 👎",
        "corrected": "a person's correction",
        "resolved": "a called person's answer",
        "imported": "own data",
        "synthetic": "made from the wiki",
    }
    return (korean if language == "ko" else english)[name]


def state(name: str, language: Language) -> str:
    """A review state."""
    korean = {"pending": "검토 대기", "approved": "승인", "rejected": "거절"}
    return korean[name] if language == "ko" else name


def title(number: int, total: int, language: Language) -> str:
    """Of one example on the screen."""
    return f"{total}건 중 {number}번째" if language == "ko" else f"{number} of {total}"


def label(name: str, language: Language) -> str:
    """Of a part of an example."""
    korean = {
        "passages": "근거 구절",
        "question": "질문",
        "answer": "답변",
        "rejected": "👎 받은 답변",
        "turns": "이전 질문",
    }
    english = {
        "passages": "Passages",
        "question": "Question",
        "answer": "Answer",
        "rejected": "Rejected",
        "turns": "Earlier",
    }
    return (korean if language == "ko" else english)[name]


def people(count: int, language: Language) -> str:
    """How many stand behind an example."""
    return f"{count}명" if language == "ko" else f"{count} {'person' if count == 1 else 'people'}"


def learnt_by(loras: Sequence[str], language: Language) -> str:
    """Under an example that LoRAs were made from."""
    names = ", ".join(map(plain, loras))
    return f"이 예시를 배운 LoRA: {names}" if language == "ko" else f"learnt by: {names}"


def cannot(reasons: str, language: Language) -> str:
    """Under an example with problems."""
    return f"이대로는 승인할 수 없습니다: {reasons}" if language == "ko" else f"Cannot be approved as it is: {reasons}"


def nothing_to_undo(language: Language) -> str:
    """After u."""
    return "되돌릴 것이 없습니다." if language == "ko" else "There is nothing to undo."


def new_answer(language: Language) -> str:
    """Before the line is edited."""
    return "새 답변: " if language == "ko" else "New answer: "


def nothing_waits(language: Language) -> str:
    """No example is pending."""
    return "검토할 예시가 없습니다." if language == "ko" else "No example is waiting for review."


def needs_terminal(waiting: int, language: Language) -> str:
    """Standard input is no terminal."""
    if language == "ko":
        return f"검토할 예시가 {waiting}건 있습니다. 터미널에서 실행하거나 --approve ID, --reject ID를 써 주십시오."
    return f"{waiting} examples are waiting. Run this in a terminal, or use --approve ID and --reject ID."


def reviewed(approved: int, rejected: int, left: int, language: Language) -> str:
    """At the end of a review."""
    if language == "ko":
        return f"승인 {approved}건, 거절 {rejected}건. 검토할 예시가 {left}건 남았습니다."
    return f"{approved} approved, {rejected} rejected, {left} still waiting."


def counts(by_state: Mapping[str, int], usable: int, language: Language) -> str:
    """Under the list."""
    pending, approved, rejected = (by_state.get(name, 0) for name in ("pending", "approved", "rejected"))
    if language == "ko":
        return f"검토 대기 {pending}건 · 승인 {approved}건(학습에 쓸 수 있는 것 {usable}건) · 거절 {rejected}건"
    return f"{pending} pending · {approved} approved ({usable} usable for tuning) · {rejected} rejected"


def exported(count: int, path: str, left_out: int, withheld: int, language: Language) -> str:
    """After an export. `left_out`: what the file's form cannot hold. `withheld`: what may not be learnt from."""
    if language == "ko":
        text = f"{path}에 {count}건을 썼습니다."
        if left_out:
            text += f" 이 형식에 담을 수 없는 {left_out}건은 뺐습니다(saseo 형식에는 담깁니다)."
        return f"{text} {_WITHHELD[0]}라서 뺀 것 {withheld}건." if withheld else text
    text = f"{count} examples written to {path}."
    if left_out:
        text += f" {left_out} do not fit this form and are left out; the form saseo holds them."
    return f"{text} Left out, {_WITHHELD[1]}: {withheld}." if withheld else text


def synthesizing(language: Language) -> str:
    """Beside the progress bar."""
    return "학습 예시 만들기" if language == "ko" else "Making examples"


def no_such_source(name: str, known: Sequence[str], language: Language) -> str:
    """`--source` names none of `[[sources]]`."""
    names = ", ".join(known)
    return (
        f"그런 출처가 없습니다: {name} (있는 것: {names})"
        if language == "ko"
        else f"no such source: {name} (there are: {names})"
    )


def learning_off(language: Language) -> str:
    """Votes are counted, and nothing is learnt from them."""
    if language == "ko":
        return (
            "평가를 학습에 쓰지 않도록 설정되어 있어([tuning] learn_from_feedback = false) 새 예시를 만들지 않았습니다. "
            "사용자에게 알린 뒤 true로 바꾸면 예시를 만듭니다."
        )
    return (
        "No new examples: [tuning] learn_from_feedback is false, so votes are only counted. "
        "Tell people first, then set it to true."
    )


def imported(done: Imported, language: Language) -> str:
    """After an import, or after examples were made from the wiki."""
    if language == "ko":
        same = f", 거의 같아 합친 행 {done.merged}건" if done.merged else ""
        text = f"새 예시 {done.new}건(이미 있던 것 {done.known}건{same}). "
        text += f"승인 {done.approved}건, 이대로는 승인할 수 없는 것 {done.with_problems}건."
        if done.unseen:
            text += f" 옳은지 사람이 보아야 하므로 승인하지 않은 '답할 수 없음' {done.unseen}건."
        if done.withheld:
            text += f" {_WITHHELD[0]}라서 가져오지 않은 행 {done.withheld}건."
        return f"{text} `saseo feedback review`로 검토해 주십시오." if done.waiting else text
    same = f", {done.merged} rows merged with one that says the same" if done.merged else ""
    text = f"{done.new} new examples ({done.known} known{same}). "
    text += f"{done.approved} approved, {done.with_problems} that cannot be approved as they are."
    if done.unseen:
        text += f" Refusals that wait for a person to see whether they are right: {done.unseen}."
    if done.withheld:
        text += f" Rows left out, {_WITHHELD[1]}: {done.withheld}."
    return f"{text} Review them with `saseo feedback review`." if done.waiting else text
