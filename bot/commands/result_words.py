"""The words for what a job leaves as its result, here and in the console; a key without words of its own is shown as it is."""

from __future__ import annotations

from bot.messages import Language

RESULTS = {
    "edition": ("색인", "Edition"),
    "pages": ("문서", "Pages"),
    "passages": ("구절", "Passages"),
    "added": ("추가", "Added"),
    "changed": ("변경", "Changed"),
    "moved": ("이동", "Moved"),
    "removed": ("삭제", "Removed"),
    "failed": ("읽지 못함", "Not read"),
    "reused": ("바뀐 것 없음", "Nothing changed"),
    "rolled_back": ("되돌린 색인 유지", "Rolled back, kept"),
    "recall": ("재현율@5", "Recall@5"),
    "missed": ("놓친 횟수", "Times missed"),
    "seconds": ("초", "Seconds"),
    # examples
    "new": ("새 예시", "New"),
    "approved": ("승인", "Approved"),
    "reopened": ("다시 검토할 것", "Reopened"),
    "withdrawn": ("거두어들인 것", "Withdrawn"),
    "usable": ("학습에 쓸 수 있는 예시", "Usable"),
    "fresh": ("학습한 뒤 승인한 예시", "Approved since training"),
    "examples": ("학습 예시", "Examples"),
    "learnt": ("학습한 예시", "Learnt"),
    "held_out": ("검증에 남긴 예시", "Held out"),
    "too_long": ("너무 길어 제외한 예시", "Too long"),
    # gate, watch
    "against": ("견준 것", "Against"),
    "proposed": ("배포할 만한 LoRA", "Proposed"),
    "promoted": ("배포한 LoRA", "Promoted"),
    "elsewhere": ("파일이 다른 컴퓨터에 있는 LoRA", "With files on another machine"),
    "share": ("대화의 비율", "Share of conversations"),
    "watched": ("지켜본 LoRA", "Watched"),
    "no_longer": ("보존 기간이 지나 더 비교하지 않는 항목", "Not compared any more, as answers were kept no longer"),
    "rolled_back_to": ("되돌린 LoRA", "Rolled back to"),
    # gaps
    "questions": ("질문", "Questions"),
    "joined": ("더해진 질문", "Joined"),
    "gaps": ("빈틈", "Gaps"),
    "made": ("새로 만든 것", "Made"),
    "unclear": ("주제가 없는 질문", "Without a topic"),
    "reask_asked": ("다시 물은 빈틈", "Asked again"),
    "reask_answered": ("답하게 된 빈틈", "Answered now"),
    "reask_reopened": ("다시 열린 빈틈", "Open again"),
    "asked": ("물은 것", "Asked"),
    "answered": ("답한 것", "Answered"),
    # digest
    "posted": ("보냄", "Posted"),
    "week": ("주", "Week"),
    "message": ("메시지", "Message"),
    "why": ("이유", "Why"),
    # backup
    "file": ("파일", "File"),
    "bytes": ("바이트", "Bytes"),
    "rows": ("행", "Rows"),
    "deleted": ("지운 것", "Deleted"),
    # retention
    "runs": ("작업 실행", "Runs"),
    "folders": ("작업 폴더", "Folders"),
    "traces": ("답변 과정", "Ways of answers"),
    "examples_rejected": ("거절한 예시", "Rejected examples"),
    "exports": ("내보낸 파일", "Exports"),
    "before_restores": ("복원 전 자료", "Kept before restores"),
    "requests": ("개인정보 요청", "Requests"),
    "audit": ("감사 기록", "Audit entries"),
    "before_updates": ("업데이트 전 사본", "Copies from before updates"),
    "erased_again": ("다시 지운 사람", "People erased again"),
    "forgotten": ("지움", "Forgotten"),
}
"""Key → Korean, English."""


def within(key: str, language: Language) -> str:
    """The words in the middle of a sentence."""
    if key not in RESULTS:
        return key.replace("_", " ")
    korean, english = RESULTS[key]
    return korean if language == "ko" else english[0].lower() + english[1:]
