"""The slash commands' names and descriptions, and every sentence they answer with, in Korean (합니다체) and English. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from adapters.discord.texts import of
from bot.conversation import PlaceSettings, ServiceStatus
from bot.messages import Language

COMMANDS: dict[str, tuple[str, str, str]] = {
    # base name: (Korean name, English description, Korean description)
    "ask": ("질문", "Ask the wiki", "위키에 질문합니다"),
    "search": ("찾기", "Find wiki pages without an answer", "답변 없이 위키 문서만 찾습니다"),
    "sources": ("출처", "What can be asked about here", "이곳에서 답변에 쓰는 출처를 보여 줍니다"),
    "stop": ("그만", "Stop the answer that is being written", "작성 중인 답변을 멈춥니다"),
    "help": ("도움말", "What I can do, and your last questions", "사용법과 최근에 하신 질문을 보여 줍니다"),
    "reindex": ("색인", "Read the sources again now (admins)", "지금 다시 색인합니다(관리자)"),
    "status": ("상태", "How the service is doing (admins)", "서비스 상태를 보여 줍니다(관리자)"),
    "settings": ("설정", "Show or change settings of this channel", "이 채널의 설정을 보거나 바꿉니다(관리자)"),
}
OPTIONS: dict[str, tuple[str, str, str]] = {
    "question": ("질문", "What you want to know", "알고 싶은 내용"),
    "private": ("비공개", "Only you see the answer", "답변을 나만 봅니다"),
    "words": ("검색어", "What to look for", "찾을 내용"),
    "key": ("항목", "Which setting", "바꿀 설정 항목"),
    "value": ("값", "New value; leave out to reset", "새 값(비워 두면 기본값으로 되돌립니다)"),
}
SETTINGS: dict[str, tuple[str, str]] = {
    "sources": ("sources", "출처"),
    "listen": ("listen", "듣는 범위"),
    "language": ("language", "언어"),
    "private": ("private", "비공개 답변"),
    "contacts": ("contacts", "담당자"),
}
CONTEXT_MENU = ("위키에서 찾기", "Find in the wiki")


def stop_sent(language: Language) -> str:
    """`/stop`; the core edits this if nothing was running."""
    return of(language, "작성 중인 답변을 멈추도록 했습니다.", "Stopping the answer that is being written.")


def stopped(language: Language) -> str:
    """A stop word came as a question."""
    return of(language, "답변을 멈췄습니다.", "Stopped.")


def nothing_found(language: Language) -> str:
    """`/search` without a hit."""
    return of(
        language, "찾은 문서가 없습니다. 다른 표현으로 다시 찾아 주십시오.", "No pages found. Please try other words."
    )


def found(language: Language) -> str:
    """Heads the pages of `/search`."""
    return of(language, "가까운 문서입니다.", "The nearest pages:")


def source_list(lines: Sequence[tuple[str, int]], language: Language) -> str:
    """`/sources`. Names are already safe."""
    if not lines:
        return of(language, "이곳에서 답변에 쓸 수 있는 출처가 없습니다.", "There is nothing to ask about here.")
    head = of(language, "이곳에서 답변에 쓰는 출처입니다.", "You can ask about:")
    return "\n".join([head, *(f"• {name}: " + of(language, f"문서 {n:,}개", f"{n:,} pages") for name, n in lines)])


def admins_only(language: Language) -> str:
    """An admin command by somebody else."""
    return of(
        language,
        "관리자만 쓸 수 있는 명령입니다. 관리자는 config.toml의 [discord] admins와 admin_roles에서 정합니다.",
        "Only admins may use this. They are set in config.toml: [discord] admins and admin_roles.",
    )


def place_settings(now: PlaceSettings, language: Language) -> str:
    """`/settings`. Values are ids and configured names."""
    every = of(language, "전체", "all")
    none = of(language, "없음", "none")
    rows = [
        ("sources", ", ".join(now.sources) or every),
        ("listen", now.listen),
        ("language", now.language),
        ("private", of(language, "예", "yes") if now.private else of(language, "아니요", "no")),
        ("contacts", ", ".join(now.contacts) or none),
    ]
    head = of(language, "이곳의 설정입니다.", "Settings here:")
    return "\n".join(
        [head, *(f"• {SETTINGS[key][1 if language == 'ko' else 0]} (`{key}`): {value}" for key, value in rows)]
    )


def changed(language: Language) -> str:
    """A setting was changed."""
    return of(language, "설정을 바꿨습니다.", "Changed.")


def cannot_listen(language: Language) -> str:
    """`listen` is set to more than mentions, but Discord does not let the bot read other messages."""
    return of(
        language,
        "단, config.toml의 [discord] message_content가 false여서 멘션하지 않은 메시지는 읽지 못합니다. "
        "멘션 없이도 답하려면 이 값을 true로 바꿔 주십시오.",
        "But [discord] message_content is false in config.toml, so messages without a mention cannot be read. "
        "Set it to true to have them answered.",
    )


_TALLIED = {
    "answered": "답변",
    "abstained": "답 없음",
    "escalated": "담당자 호출",
    "failed": "실패",
    "open": "진행 중",
    "up": "도움됨",
    "down": "아쉬움",
}


def _tally(counts: Mapping[str, int], language: Language) -> str:
    """`답변 12, 답 없음 3`."""
    names = _TALLIED if language == "ko" else {}
    return ", ".join(f"{names.get(name, name)} {count}" for name, count in sorted(counts.items())) or "0"


def service_status(status: ServiceStatus, language: Language) -> str:
    """`/status`."""
    outcomes = _tally(status.outcomes, language)
    votes = _tally(status.votes, language)
    if language == "ko":
        return (
            f"• 색인: {status.edition} (문서 {status.pages:,}개, 구절 {status.passages:,}개)\n"
            f"• 모델: {status.model} (LoRA {status.lora})\n• 대기 {status.waiting}건, 답변 중 {status.running}건\n"
            f"• 최근 24시간 결과: {outcomes}\n• 의견: {votes}"
        )
    return (
        f"• Index: {status.edition} ({status.pages:,} pages, {status.passages:,} passages)\n"
        f"• Model: {status.model} (LoRA {status.lora})\n• Waiting {status.waiting}, running {status.running}\n"
        f"• Outcomes of the last 24 hours: {outcomes}\n• Votes: {votes}"
    )


def usage(language: Language) -> str:
    """`/help`."""
    return of(
        language,
        "사내 위키에서 근거를 찾아 출처와 함께 답합니다.\n"
        "• `/질문`(`/ask`): 질문합니다. '비공개'를 고르면 나만 봅니다.\n"
        "• `/찾기`(`/search`): 문서만 찾습니다. `/출처`(`/sources`): 답변에 쓰는 출처를 봅니다.\n"
        "• 채널에서 저를 멘션하거나, 메시지 메뉴의 앱 > '위키에서 찾기'를 쓰셔도 됩니다.\n"
        "• 이어서 물으시려면 답변에 답장하거나 스레드에서 다시 불러 주십시오.\n"
        "• `/그만`(`/stop`): 작성 중인 답변을 멈춥니다. 👍 👎로 의견을 남겨 주시면 답변이 나아집니다.",
        "I answer from the company wiki, with sources.\n"
        "• `/ask`: a question; choose `private` to see the answer alone.\n"
        "• `/search`: pages only. `/sources`: what can be asked about.\n"
        "• Mention me in a channel, or use Apps > '위키에서 찾기' on a message.\n"
        "• Reply to an answer, or mention me in its thread, to go on.\n"
        "• `/stop`: stops the answer. 👍 👎 make answers better.",
    )


def recent(past: Sequence[tuple[str, float]], language: Language) -> str:
    """The person's last questions: (safe text, seconds since the epoch)."""
    head = of(language, "최근에 하신 질문입니다.", "Your last questions:")
    lines = [f"• {text} (<t:{int(datetime.fromtimestamp(at).timestamp())}:R>)" for text, at in past]
    return "\n".join([head, *lines])
