"""Every sentence Discord users read around an answer, in Korean (합니다체) and English. Pure functions."""

from __future__ import annotations

from bot.messages import Language


def of(language: Language, korean: str, english: str) -> str:
    """The one that is wanted."""
    return korean if language == "ko" else english


def not_set_up(server: int, language: Language) -> str:
    """Somebody asks in a server that config.toml does not name."""
    return of(
        language,
        f"이 서버에서는 아직 사서를 사용할 수 없습니다. 관리자에게 서버 ID {server}의 등록을 요청해 주십시오.",
        f"I am not set up for this server yet. Please ask an admin to register server id {server}.",
    )


def members_only(language: Language) -> str:
    """A stranger writes directly."""
    return of(
        language,
        "회사 서버의 구성원만 직접 질문할 수 있습니다. 회사 서버에 들어온 뒤 다시 질문해 주십시오.",
        "Only members of the company's server may ask directly. Please join it and ask again.",
    )


def no_direct_messages(language: Language) -> str:
    """Direct messages are switched off."""
    return of(
        language,
        "다이렉트 메시지로는 답하지 않습니다. 서버의 채널에서 질문해 주십시오.",
        "I do not answer direct messages. Please ask in a channel.",
    )


def restarting(language: Language) -> str:
    """Something arrives while the service stops."""
    return of(
        language,
        "다시 시작하는 중입니다. 잠시 후 다시 시도해 주십시오.",
        "I am restarting. Please try again in a moment.",
    )


def empty_question(language: Language) -> str:
    """A mention without words."""
    return of(
        language,
        "저를 부르실 때 질문을 함께 적어 주십시오. 예: 연차는 며칠입니까?",
        "Please write your question with the mention.",
    )


def empty_message(language: Language) -> str:
    """The context menu on a picture."""
    return of(language, "글이 없는 메시지에서는 찾을 수 없습니다.", "That message has no text to look for.")


def failed(reference: str, language: Language) -> str:
    """An error nobody foresaw."""
    return of(
        language,
        f"처리하는 중에 문제가 생겼습니다. 잠시 후 다시 시도해 주십시오. (문의 번호 {reference})",
        f"Something went wrong. Please try again in a moment. (reference {reference})",
    )


def ask_again(language: Language) -> str:
    """A private answer came too late and the person takes no direct messages: nothing of it may be said in the channel."""
    return of(
        language,
        "답변이 늦어져 비공개로 전해 드리지 못한 질문이 있습니다. 다시 질문해 주십시오.",
        "A private answer came too late to be delivered. Please ask again.",
    )


def about(question: str, language: Language) -> str:
    """Names the question above an answer that stands elsewhere. `question` is already safe."""
    return of(language, f"**질문** {question}", f"**Question** {question}")


def sources(language: Language) -> str:
    """Heads the list of sources."""
    return of(language, "출처", "Sources")


def more_sources(count: int, language: Language) -> str:
    """Sources that did not fit."""
    return of(language, f"외 {count}건", f"and {count} more")


def shortened(language: Language) -> str:
    """The answer did not fit into a message."""
    return of(
        language,
        "답변이 길어 줄였습니다. 자세한 내용은 아래 출처를 확인해 주십시오.",
        "Shortened. Please see the sources below.",
    )


def thumb(direction: str, language: Language) -> str:
    """The labels of the thumbs."""
    if direction == "up":
        return of(language, "도움됨", "Helpful")
    return of(language, "아쉬움", "Not helpful")


def call_contact(language: Language) -> str:
    """The button that calls a person."""
    return of(language, "담당자 부르기", "Call a person")


def share(language: Language) -> str:
    """The button under a private answer."""
    return of(language, "채널에 공유", "Share in channel")


def thanks(language: Language) -> str:
    """After a thumb up, a reason or a correction."""
    return of(language, "의견 고맙습니다. 더 나은 답변에 쓰겠습니다.", "Thank you for telling me.")


def vote_unknown(language: Language) -> str:
    """The answer is no longer kept."""
    return of(
        language,
        "기록이 남아 있지 않은 답변이라 의견을 저장하지 못했습니다.",
        "This answer is no longer kept, so your vote could not be stored.",
    )


def no_vote_to_explain(language: Language) -> str:
    """The thumb was taken back while the form stood open."""
    return of(
        language, "'아쉬움' 의견이 없어 이유를 저장하지 못했습니다.", "There is no thumb down of yours to explain."
    )


def down_stored(language: Language) -> str:
    """After a thumb down, when a person can be called."""
    return of(
        language,
        "의견을 저장했습니다. 답이 급하시면 담당자를 부를 수 있습니다.",
        "Stored. You can call a person if you need an answer.",
    )


def why_title(language: Language) -> str:
    """The form after a thumb down (45 characters)."""
    return of(language, "어떤 점이 아쉬웠습니까?", "What was wrong?")


def why_reason(language: Language) -> str:
    """Its first field (45 characters)."""
    return of(language, "이유(선택)", "Reason (optional)")


def why_correction(language: Language) -> str:
    """Its second field (45 characters)."""
    return of(language, "올바른 답변(선택)", "The right answer (optional)")


def call_is_public(language: Language) -> str:
    """Before a private question is shown to the channel."""
    return of(
        language,
        "담당자를 부르면 이 질문이 채널에 공개됩니다. 그래도 부르시려면 아래 버튼을 눌러 주십시오.",
        "Calling a person shows your question in the channel. Press the button to go on.",
    )


def cannot_call(language: Language) -> str:
    """Nobody to call, or called already."""
    return of(
        language,
        "이미 담당자를 불렀거나, 이곳에 정해진 담당자가 없습니다.",
        "A person was called already, or nobody is set for this place.",
    )


def not_reached(language: Language) -> str:
    """Nobody of the contacts could be written to directly."""
    return of(
        language,
        "담당자에게 알리지 못했습니다. 잠시 후 다시 눌러 보시고, 그래도 안 되면 관리자에게 담당자 설정을 확인해 달라고 요청해 주십시오.",
        "The contacts could not be told. Try again in a moment; if that does not help, ask an admin to check the contacts.",
    )


def called(language: Language) -> str:
    """The contacts were written to directly."""
    return of(language, "담당자에게 알렸습니다.", "The contacts were told.")


def call(pings: str, question: str, link: str, language: Language) -> str:
    """Calls the contacts. `question` is already safe; `link` leads to the answer."""
    head = of(
        language,
        "확인이 필요한 질문이 있습니다.",
        "A question needs a person.",
    )
    where = of(language, "답변 보기", "See the answer")
    return f"{pings} {head}\n> {question}" + (f"\n[{where}](<{link}>)" if link else "")


def solve(language: Language) -> str:
    """The button under a call."""
    return of(language, "해결", "Solved")


def solve_title(language: Language) -> str:
    """The form behind it."""
    return of(language, "질문에 답하기", "Answer the question")


def solve_answer(language: Language) -> str:
    """Its first field."""
    return of(language, "답변", "Answer")


def solve_consent(language: Language) -> str:
    """Its second field (45 characters)."""
    return of(language, "이 답변을 앞으로의 답변 개선에 써도 됩니까?", "May this answer be kept as a correction?")


def yes(language: Language) -> str:
    """A choice."""
    return of(language, "예", "Yes")


def no(language: Language) -> str:
    """A choice."""
    return of(language, "아니요", "No")


def solved(language: Language) -> str:
    """The call is closed."""
    return of(language, "해결되었습니다.", "Solved.")


def contact_answer(answer: str, language: Language) -> str:
    """What a person answered. `answer` is already safe."""
    return of(language, f"**담당자 답변**\n{answer}", f"**Answer from a person**\n{answer}")


def cannot_solve(language: Language) -> str:
    """Closed already, or not theirs to close."""
    return of(
        language,
        "이미 해결되었거나, 담당자·관리자·질문하신 분만 해결할 수 있는 질문입니다.",
        "It is closed already, or you are not a contact, an admin or the asker.",
    )


def cannot_share(language: Language) -> str:
    """Not the asker, or restricted pages."""
    return of(
        language,
        "공유할 수 없습니다. 질문하신 분만, 채널의 모든 사람이 볼 수 있는 문서로 쓴 답변만 공유할 수 있습니다.",
        "Only the asker may share, and only answers from pages that everyone in the channel may read.",
    )


def shared(language: Language) -> str:
    """After sharing."""
    return of(language, "채널에 공유했습니다.", "Shared in the channel.")


def already_shared(language: Language) -> str:
    """Pressed twice."""
    return of(language, "이미 채널에 공유한 답변입니다.", "This answer has been shared already.")
