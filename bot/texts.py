"""What Saseo says around an answer, in Korean and English. Pure functions, 합니다체.

The commands' help and reports stand in bot/commands. Errors carry their own sentences (bot/errors,
knowledge/errors). What the writer is told stands in bot/prompts.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.conversation import VoteReceipt
from bot.messages import Answer, Citation, Outcome
from bot.messages import Language as Language


def step(name: str, detail: int, language: Language) -> str:
    """A step of the flow, while the person waits."""
    korean = {
        "searching": "위키에서 찾고 있습니다…",
        "rewriting": "다른 표현으로 다시 찾고 있습니다…",
        "reading": f"구절 {detail}개를 읽고 있습니다…",
        "writing": "답변을 쓰고 있습니다…",
    }
    english = {
        "searching": "Searching the wiki…",
        "rewriting": "Searching again in other words…",
        "reading": f"Reading {detail} passages…",
        "writing": "Writing the answer…",
    }
    return (korean if language == "ko" else english)[name]


def abstained(nearest: Sequence[Citation], language: Language) -> str:
    """The wiki does not say."""
    if language == "ko":
        head = "위키에서 이 질문의 답을 찾지 못했습니다."
        return head + (" 가장 가까운 문서는 다음과 같습니다." if nearest else " 다른 표현으로 다시 질문해 주십시오.")
    head = "The wiki does not seem to answer this."
    return head + (" The nearest pages are:" if nearest else " Please try other words.")


def quoting(language: Language) -> str:
    """Introduces an extractive answer."""
    if language == "ko":
        return "관련 문서의 내용을 그대로 옮깁니다."
    return "Quoted from the wiki:"


def empty_question(language: Language) -> str:
    """Nothing was asked."""
    return "질문을 입력해 주십시오." if language == "ko" else "Please type a question."


def failed(question_id: str, language: Language) -> str:
    """An error nobody foresaw; the id is in the log."""
    if language == "ko":
        return f"답변하는 중에 문제가 생겼습니다. 잠시 후 다시 질문해 주십시오. (문의 번호 {question_id})"
    return f"Something went wrong while answering. Please ask again in a moment. (reference {question_id})"


def outdated(title: str, language: Language) -> str:
    """A cited page has been replaced."""
    if language == "ko":
        return f"'{title}' 문서는 새 문서로 대체되었습니다. 최신 내용을 함께 확인해 주십시오."
    return f"'{title}' has been replaced by a newer page; please check that one too."


def sources(language: Language) -> str:
    """Heads the list of sources."""
    return "출처" if language == "ko" else "Sources"


_PARTS = {".pptx": ("슬라이드 {}", "slide {}"), ".xlsx": ("시트 {}", "sheet {}")}


def part(page: str, number: int | None, language: Language) -> str:
    """Page, slide or sheet `number` (1-based) of the file `page`; empty for a file without such."""
    if number is None:
        return ""
    suffix = page[page.rfind(".") :].lower()
    ko, en = _PARTS.get(suffix, ("{}쪽", "p. {}"))
    return (ko if language == "ko" else en).format(number)


def closing(answer: Answer, language: Language) -> str:
    """What follows an answer's text on a plain terminal: sources, or the nearest pages of an abstention."""
    if answer.outcome is Outcome.FAILED:
        return answer.text
    listed = answer.citations or answer.nearest
    if not listed:
        return "\n"
    lines = [f"\n\n{sources(language)}:"] if answer.citations else ["\n"]
    for citation in listed:
        where = f" > {citation.where}" if citation.where else ""
        lines.append(f"[{citation.n}] {citation.title}{where} ({citation.url or citation.page})")
        if answer.citations:
            lines.append(f"    “{' '.join(citation.quote.split())}”")
    return "\n".join(lines)


def greeting(language: Language) -> str:
    """Opens a terminal conversation."""
    if language == "ko":
        return (
            "사서입니다. 위키에 대해 물어보십시오.\n"
            "(답변 평가 /좋아요 · /아쉬워요 [이유], 새 대화 /새로, 끝내기 /끝, 답변 멈추기 Ctrl-C)\n"
        )
    return (
        "Saseo here. Ask the wiki.\n"
        "(/good and /bad [reason] rate the answer, /new forgets the conversation, /exit leaves, Ctrl-C stops an answer)\n"
    )


def forgotten(language: Language) -> str:
    """The conversation starts anew."""
    return "새 대화를 시작합니다." if language == "ko" else "A new conversation."


def stopped(language: Language) -> str:
    """The person stopped an answer."""
    return "답변을 멈췄습니다." if language == "ko" else "Stopped."


def waiting(place: int, language: Language) -> str:
    """Others are answered first. `place` 1: next."""
    if language == "ko":
        return f"앞에 질문 {place}건이 있습니다. 차례가 되면 바로 답변합니다."
    return f"{place} ahead of you. Your turn comes as soon as they are answered."


def queue_full(waiting: int, language: Language) -> str:
    """No more questions are taken just now."""
    if language == "ko":
        return f"지금 질문 {waiting}건이 기다리고 있어 더 받을 수 없습니다. 몇 분 뒤에 다시 질문해 주십시오."
    return f"{waiting} questions are waiting, so no more can be taken now. Please ask again in a few minutes."


def over_limit(open_questions: int, language: Language) -> str:
    """This person has as many open questions as one may have."""
    if language == "ko":
        return (
            f"아직 답하고 있는 질문이 {open_questions}건 있습니다. 답변을 받은 뒤 다시 질문하시거나, "
            "'그만'이라고 보내 멈춰 주십시오."
        )
    return f"{open_questions} of your questions are still being answered. Ask again afterwards, or send 'stop'."


def nothing_to_stop(language: Language) -> str:
    """Stop was said, but nothing is being answered for this person."""
    return "지금 답하고 있는 질문이 없습니다." if language == "ko" else "Nothing is being answered for you right now."


def welcome(language: Language) -> str:
    """Somebody says thanks, or nods."""
    if language == "ko":
        return "궁금한 점이 더 있으면 이어서 질문해 주십시오. 답변 아래의 👍 👎로 의견을 남기실 수 있습니다."
    return "Please ask on if there is more. 👍 👎 under an answer tell whether it helped."


def restarting(language: Language) -> str:
    """The service shuts down while a question is open; the next process goes on with it."""
    if language == "ko":
        return "사서를 다시 시작하고 있습니다. 시작되면 이어서 답변합니다."
    return "Saseo is restarting and will answer when it is back."


def serving(platforms: Sequence[str], language: Language, *, console: str = "") -> str:
    """`saseo serve` takes questions now. `console`: address of the web console; empty: there is none."""
    if language == "ko":
        names = ", ".join([*platforms, *(["웹 콘솔"] if console else [])])
        where = f" 웹 콘솔: {console}" if console else ""
        return f"질문을 받고 있습니다: {names}. Ctrl-C로 멈춥니다.{where}"
    names = ", ".join([*platforms, *(["web console"] if console else [])])
    where = f" Web console: {console}" if console else ""
    return f"Taking questions: {names}. Ctrl-C stops.{where}"


def reindex_asked(behind: bool, language: Language) -> str:
    """An admin asked for it. `behind`: another indexing run has to end first."""
    if language == "ko":
        when = "지금 진행 중인 색인이 끝나면 시작합니다" if behind else "곧 시작합니다"
        return f"다시 색인하도록 요청했습니다. {when}. 끝나면 새 색인으로 답하고, 그때까지는 이전 색인으로 답합니다."
    when = "It begins once the indexing that is under way has ended" if behind else "It begins in a moment"
    return f"Re-indexing was asked for. {when}. The new index answers when it is done, the former one until then."


def reindex_running(language: Language) -> str:
    """One run at a time."""
    if language == "ko":
        return "이미 다시 색인하고 있습니다. 끝나면 새 색인으로 답합니다. 방금 바꾼 문서가 빠졌다면 끝난 뒤에 다시 요청해 주십시오."
    return (
        "Re-indexing is under way already; the new index answers when it is done. If a page that was changed just now is missing "
        "from it, please ask again afterwards."
    )


def reindexed(pages: int, passages: int, failed: int, held_back: Sequence[str], language: Language) -> str:
    """The index was made anew. `held_back`: names of sources whose news were not taken."""
    names = ", ".join(f"'{name}'" for name in held_back)
    if language == "ko":
        tail = f" 읽지 못한 문서가 {failed}개 있습니다." if failed else ""
        if names:
            tail += f" 출처 {names}은(는) 읽지 못했거나 문서가 갑자기 줄어 이전 내용을 그대로 두었습니다."
        return f"문서 {pages}개, 구절 {passages}개로 다시 색인했습니다.{tail}"
    tail = f" {failed} pages could not be read." if failed else ""
    if names:
        tail += f" Held back, with their former pages: {names}."
    return f"Indexed again: {pages} pages, {passages} passages.{tail}"


def reindex_unchanged(language: Language) -> str:
    """There was nothing new."""
    if language == "ko":
        return "모든 출처를 다시 읽었습니다. 바뀐 것이 없어 지금 색인으로 계속 답합니다."
    return "All sources were read again. Nothing has changed; the present index goes on answering."


def reindex_failed(reason: str, language: Language) -> str:
    """`reason`: a sentence, or an error's kind."""
    if language == "ko":
        return f"다시 색인하지 못했습니다: {reason} 이전 색인으로 계속 답합니다."
    return f"Indexing failed: {reason} The previous index goes on answering."


def reindex_stopped(language: Language) -> str:
    """A person stopped or withdrew it."""
    if language == "ko":
        return "다시 색인하는 작업이 중간에 멈췄습니다. 이전 색인으로 계속 답합니다."
    return "Re-indexing was stopped. The previous index goes on answering."


def no_writer(reason: str, language: Language) -> str:
    """The writer cannot be used; answers are quotes."""
    if language == "ko":
        return f"답변 모델을 쓸 수 없어 문서를 그대로 인용해 답합니다. {reason}"
    return f"The writer is not available, so answers are quotes. {reason}"


def without_lora(reason: str, language: Language) -> str:
    """The LoRA that should answer, or a canary, cannot be used; answers go on without it."""
    if language == "ko":
        return f"LoRA를 쓸 수 없어 LoRA 없이 답합니다. {reason}"
    return f"The LoRA cannot be used, so answers are written without it. {reason}"


def interrupted(language: Language) -> str:
    """Ctrl-C during a command."""
    if language == "ko":
        return "중단했습니다. 이전 색인과 받아 둔 파일은 그대로이며, 다시 실행하면 이어서 합니다."
    return "Interrupted. The published index and finished downloads are untouched; running again continues."


def unconfirmed(language: Language) -> str:
    """A question of a command was answered with no, or there was nobody to answer it."""
    if language == "ko":
        return "중단했습니다. 확인을 받지 못한 일은 하지 않았습니다."
    return "Stopped. What was not confirmed was not done."


def lease_lost(language: Language) -> str:
    """Another process took over a platform that only one may be connected to."""
    return "다른 사서 프로세스가 연결을 넘겨받았습니다" if language == "ko" else "another process has taken over"


def starts_again(language: Language) -> str:
    """What to do about it."""
    if language == "ko":
        return "다시 시작하면 대기하다가 필요할 때 이어받습니다."
    return "Started again, it stands by and takes over when needed."


def check_network(language: Language) -> str:
    """No platform has been reachable for minutes."""
    if language == "ko":
        return "네트워크와 프록시를 확인하고 다시 시작해 주십시오."
    return "Check the network and the proxy, then start again."


def voted(receipt: VoteReceipt, language: Language) -> str:
    """What became of a thumb."""
    korean = {
        VoteReceipt.STORED: "의견 고맙습니다.",
        VoteReceipt.CHANGED: "의견을 바꿨습니다. 고맙습니다.",
        VoteReceipt.UNCHANGED: "이미 같은 의견을 주셨습니다. 고맙습니다.",
        VoteReceipt.WITHDRAWN: "의견을 거두었습니다.",
        VoteReceipt.UNKNOWN: "더 이상 의견을 받을 수 없는 답변입니다.",
    }
    english = {
        VoteReceipt.STORED: "Thank you for your feedback.",
        VoteReceipt.CHANGED: "Your feedback has been changed. Thank you.",
        VoteReceipt.UNCHANGED: "You had said so already. Thank you.",
        VoteReceipt.WITHDRAWN: "Your feedback has been withdrawn.",
        VoteReceipt.UNKNOWN: "This answer no longer takes feedback.",
    }
    return (korean if language == "ko" else english)[receipt]


def written_by_ai(question_id: str, language: Language) -> str:
    """Under an answer: who wrote it, and the id that a person can quote."""
    return f"{generated_by_ai(language)} ({reference(question_id, language)})"


def generated_by_ai(language: Language) -> str:
    """Under an answer, where nothing need be quoted."""
    if language == "ko":
        return "AI가 생성한 답변입니다. 중요한 내용은 출처에서 확인해 주십시오."
    return "This answer was generated by AI. Please check the sources for what matters."


def reference(question_id: str, language: Language) -> str:
    """Under an answer that claims nothing."""
    return f"문의 번호 {question_id}" if language == "ko" else f"reference {question_id}"
