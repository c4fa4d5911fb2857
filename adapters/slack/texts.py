"""Every sentence that Saseo itself says in Slack, in Korean (합니다체) and English. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping

from bot.messages import Language
from bot.texts import reference

BUTTON_SHARE = ("채널에 공유", "Share in channel")
BUTTON_ESCALATE = ("담당자 부르기", "Call a person")
BUTTON_RESOLVE = ("해결", "Resolve")
UP = ("도움됨", "Helpful")
DOWN = ("아쉬움", "Not helpful")
UP_ACCESSIBLE = ("이 답변이 도움이 되었습니다", "This answer was helpful")
DOWN_ACCESSIBLE = ("이 답변이 아쉬웠습니다", "This answer was not helpful")
NEAREST = ("가까운 문서", "Nearest pages")
SOURCES = ("출처", "Sources")
SEND = ("보내기", "Send")
CANCEL = ("취소", "Cancel")

REASONS: Mapping[str, tuple[str, str]] = {
    "wrong": ("내용이 틀렸습니다", "It is wrong"),
    "outdated": ("오래된 내용입니다", "It is outdated"),
    "incomplete": ("빠진 내용이 있습니다", "Something is missing"),
    "off_topic": ("질문과 맞지 않습니다", "It does not answer the question"),
    "unclear": ("이해하기 어렵습니다", "It is hard to understand"),
    "other": ("기타", "Something else"),
}
"""Why a thumb went down. The keys are stored, the labels are shown."""


def pick(pair: tuple[str, str], language: Language) -> str:
    """The Korean or the English one of a pair."""
    return pair[0] if language == "ko" else pair[1]


def shortened(language: Language) -> str:
    """The answer was cut."""
    if language == "ko":
        return "답변이 길어 일부만 보여 드립니다. 전체 내용은 아래 출처에서 확인해 주십시오."
    return "The answer was long and has been cut. See the sources below for all of it."


def searching(language: Language) -> str:
    """Before the first word from the core."""
    return "위키에서 찾고 있습니다…" if language == "ko" else "Searching the wiki…"


def escalation_offer(language: Language) -> str:
    """After a thumb down, when contacts are set."""
    if language == "ko":
        return "원하시는 답이 아니었다면 담당자를 부를 수 있습니다."
    return "If this is not what you needed, you can call a person."


def why_title(language: Language) -> str:
    """Title of the form after a thumb down (at most 24 characters)."""
    return "무엇이 아쉬웠습니까?" if language == "ko" else "What was wrong?"


def why_reason(language: Language) -> str:
    """Label."""
    return "이유" if language == "ko" else "Reason"


def why_text(language: Language) -> str:
    """Label."""
    return "자세한 설명" if language == "ko" else "In your words"


def why_correction(language: Language) -> str:
    """Label."""
    return "올바른 답변" if language == "ko" else "The right answer"


def why_hint(language: Language) -> str:
    """Under the correction field."""
    if language == "ko":
        return "적어 주신 내용은 검토를 거쳐 답변을 개선하는 데 쓰입니다. 개인정보는 적지 마십시오."
    return "What you write is reviewed and used to improve answers. Please leave out personal data."


def explained(language: Language) -> str:
    """The form was stored."""
    return (
        "자세한 의견 고맙습니다. 답변을 개선하는 데 쓰겠습니다." if language == "ko" else "Thank you for the details."
    )


def not_explained(language: Language) -> str:
    """The form could not be stored: no thumb down of this person is left."""
    if language == "ko":
        return "의견을 저장하지 못했습니다. 답변의 '아쉬움'을 다시 눌러 주십시오."
    return "Your feedback could not be stored. Please press 'Not helpful' again."


def nobody_to_call(language: Language) -> str:
    """Escalation is not possible."""
    if language == "ko":
        return "부를 담당자가 정해져 있지 않거나 이미 불렀습니다."
    return "No contacts are set here, or somebody has been called already."


def called(language: Language) -> str:
    """To the person who pressed."""
    return "담당자를 불렀습니다." if language == "ko" else "The contacts have been called."


def not_called(language: Language, *, private: bool) -> str:
    """The ping could not be posted. `private`: each contact was to get a direct message."""
    if private:
        if language == "ko":
            return "담당자에게 알리지 못했습니다. 담당자 설정이 올바른지 관리자에게 문의해 주십시오."
        return "The contacts could not be told. Please ask an admin to check the contacts in the settings."
    if language == "ko":
        return "담당자에게 알리지 못했습니다. 채널에 앱이 초대되어 있는지 확인해 주십시오."
    return "The contacts could not be told. Please check that the app is in this channel."


def escalation_head(pings: str, language: Language) -> str:
    """Opens the message to the contacts. `pings`: mentions, ready made."""
    if language == "ko":
        return f"{pings} 확인이 필요한 질문이 있습니다."
    return f"{pings} A question needs a person."


def escalation_foot(language: Language) -> str:
    """What to do about it."""
    if language == "ko":
        return "답을 아시면 이 스레드에 남기신 뒤 '해결'을 눌러 주십시오."
    return "If you know the answer, reply in this thread and then press 'Resolve'."


def escalation_foot_private(language: Language) -> str:
    """The same where there is no thread to reply in."""
    if language == "ko":
        return "답을 아시면 '해결'을 눌러 적어 주십시오. 질문하신 분께 전해 드립니다."
    return "If you know the answer, press 'Resolve' and write it there. It is passed on to the asker."


def resolve_title(language: Language) -> str:
    """Title of the form."""
    return "질문 해결" if language == "ko" else "Resolve the question"


def resolve_answer(language: Language) -> str:
    """Label."""
    return "답변" if language == "ko" else "Answer"


def resolve_consent(language: Language) -> str:
    """The checkbox."""
    if language == "ko":
        return "이 답변을 앞으로의 답변을 개선하는 데 쓰도록 동의합니다."
    return "This answer may be used to improve future answers."


def resolve_consent_label(language: Language) -> str:
    """Label of the checkbox."""
    return "활용 동의" if language == "ko" else "Consent"


def not_resolved(language: Language) -> str:
    """Refused."""
    if language == "ko":
        return "이미 해결되었거나, 담당자·관리자·질문하신 분만 해결할 수 있는 질문입니다."
    return "It is closed already, or only contacts, admins and the asker may close it."


def resolved(by: str, language: Language) -> str:
    """Replaces the message to the contacts. `by`: a mention, ready made."""
    return f"{by} 님이 해결했습니다." if language == "ko" else f"Resolved by {by}."


def resolved_for_asker(language: Language) -> str:
    """Heads what a contact answered, sent to the asker."""
    return "담당자가 답변했습니다." if language == "ko" else "A person has answered your question."


def shared_by(person: str, language: Language) -> str:
    """Heads a shared answer. `person`: a mention, ready made."""
    return f"{person} 님이 공유한 답변입니다." if language == "ko" else f"Shared by {person}."


def was_shared(language: Language) -> str:
    """To the person who pressed."""
    return "채널에 공유했습니다." if language == "ko" else "Shared in the channel."


def already_shared(language: Language) -> str:
    """Pressed twice."""
    return "이미 채널에 공유한 답변입니다." if language == "ko" else "This answer has been shared already."


def not_shareable(language: Language) -> str:
    """Not the asker, or restricted pages."""
    if language == "ko":
        return "공유할 수 없습니다. 질문하신 분만 공유할 수 있고, 모두에게 열린 문서만 쓴 답변이어야 합니다."
    return "This cannot be shared: only by the asker, and only when everyone here may read the pages it used."


def could_not_share(language: Language) -> str:
    """The post failed."""
    if language == "ko":
        return "공유하지 못했습니다. 채널에 앱을 초대한 뒤 다시 눌러 주십시오."
    return "It could not be shared. Please invite the app to the channel and press again."


def went_wrong(language: Language, question_id: str = "") -> str:
    """Something failed for no fault of the person. `question_id`: the number to quote, if there is one."""
    if language == "ko":
        text = "처리하는 중에 문제가 생겼습니다. 잠시 후 다시 시도해 주십시오."
    else:
        text = "Something went wrong. Please try again in a moment."
    return f"{text} ({reference(question_id, language)})" if question_id else text


def home_hello(language: Language) -> str:
    """Heads App Home."""
    return "사서: 사내 위키 질문 답변" if language == "ko" else "Saseo: answers from the company wiki"


def home_help(language: Language) -> str:
    """What can be done, as mrkdwn."""
    if language == "ko":
        return (
            "• *질문하기*: 채널에서 앱을 멘션하거나, 이 앱에 메시지를 보내거나, `/wiki 질문`을 입력하십시오.\n"
            "• *메시지로 찾기*: 메시지의 더 보기 메뉴에서 '위키에서 찾기'를 누르십시오. 결과는 본인에게만 보입니다.\n"
            "• *의견 남기기*: 답변 아래 '도움됨'이나 '아쉬움'을 누르거나 :+1: :-1: 반응을 달아 주십시오.\n"
            "• *답변 멈추기*: '그만'이라고 쓰거나 `/wiki 그만`을 입력하십시오.\n"
            "• *담당자 부르기*: 답을 찾지 못하면 답변 아래 '담당자 부르기'를 누르십시오."
        )
    return (
        "• *Ask*: mention the app in a channel, write to it here, or type `/wiki question`.\n"
        "• *Search from a message*: choose '위키에서 찾기' in a message's menu. Only you see the result.\n"
        "• *Feedback*: press a thumb under the answer, or react with :+1: or :-1:.\n"
        "• *Stop*: write 'stop', or type `/wiki stop`.\n"
        "• *Call a person*: press 'Call a person' under an answer that did not help."
    )


def home_recent(language: Language) -> str:
    """Heads the person's last questions."""
    return "최근 질문" if language == "ko" else "Your last questions"


def home_no_recent(language: Language) -> str:
    """There are none."""
    return "아직 질문이 없습니다." if language == "ko" else "No questions yet."


def home_sources(language: Language) -> str:
    """Heads what may be asked about."""
    return "답변에 쓰는 출처" if language == "ko" else "What answers come from"


def home_source(name: str, pages: int, language: Language) -> str:
    """One source; `name` is ready made."""
    return f"• {name}: 문서 {pages}개" if language == "ko" else f"• {name}: {pages} pages"


def outcome(name: str, language: Language) -> str:
    """How a question of the list ended; empty while it has not."""
    korean = {"answered": "답변", "abstained": "답 없음", "escalated": "담당자 호출", "failed": "실패", "": "답변 중"}
    english = {"answered": "answered", "abstained": "no answer", "escalated": "person called", "": "being answered"}
    return (korean if language == "ko" else english).get(name, name)


def prompts_title(language: Language) -> str:
    """Heads the suggested prompts."""
    return "이런 질문을 해 보십시오" if language == "ko" else "Try asking"
