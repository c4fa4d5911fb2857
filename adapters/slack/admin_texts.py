"""What admins read: reasons and remedies about the connection, naming exactly what to click, and the settings of a place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adapters.slack import texts
from bot.conversation import PlaceSettings
from bot.messages import Language

BUTTON_SETTINGS = ("설정 바꾸기", "Change settings")
SAVE = ("저장", "Save")
SETTINGS_WORDS = frozenset({"설정", "settings"})
"""First words of `/wiki` that mean the settings."""
REINDEX_WORDS = frozenset({"색인", "reindex"})
"""What alone after `/wiki` means to read the sources again."""
SETTING_NAMES: Mapping[str, tuple[str, str]] = {
    "sources": ("출처", "Sources"),
    "listen": ("듣기", "Listen"),
    "language": ("언어", "Language"),
    "contacts": ("담당자", "Contacts"),
}
"""Without `private`: what `/wiki` answers is for the asker's eyes alone here, always."""
LISTEN: Mapping[str, tuple[str, str]] = {
    "mention": ("부를 때만", "When mentioned"),
    "threads": ("참여한 스레드도", "Also in its threads"),
    "all": ("모든 메시지", "Every message"),
}
LANGUAGES: Mapping[str, tuple[str, str]] = {"ko": ("한국어", "Korean"), "en": ("영어", "English")}


def reason(code: str, language: Language) -> str:
    """What an error code of Slack means, with the code itself."""
    korean = {
        "invalid_auth": "봇 토큰이 올바르지 않습니다",
        "not_authed": "봇 토큰이 없습니다",
        "token_revoked": "봇 토큰이 폐기되었습니다",
        "token_expired": "봇 토큰이 만료되었습니다",
        "account_inactive": "앱이 워크스페이스에서 제거되었거나 봇 계정이 비활성화되었습니다",
        "missing_scope": "권한(scope)이 부족합니다",
        "not_allowed_token_type": "토큰의 종류가 맞지 않습니다",
        "unreachable": "Slack 서버에 닿지 않습니다",
    }
    english = {
        "invalid_auth": "the bot token is not valid",
        "not_authed": "there is no bot token",
        "token_revoked": "the bot token was revoked",
        "token_expired": "the bot token has expired",
        "account_inactive": "the app was removed from the workspace",
        "missing_scope": "a scope is missing",
        "not_allowed_token_type": "the token is of another kind",
        "unreachable": "Slack cannot be reached",
    }
    text = (korean if language == "ko" else english).get(code)
    return f"{text} ({code})" if text else code


def reinstall(language: Language) -> str:
    """A bot token that Slack refuses."""
    if language == "ko":
        return (
            "https://api.slack.com/apps 에서 앱을 열고 OAuth & Permissions > Install to Workspace(또는 Reinstall)를 누른 뒤, "
            "Bot User OAuth Token(xoxb-)을 SLACK_BOT_TOKEN에 넣어 주십시오."
        )
    return (
        "Open the app at https://api.slack.com/apps, press OAuth & Permissions > Install to Workspace (or Reinstall), "
        "and put the Bot User OAuth Token (xoxb-) into SLACK_BOT_TOKEN."
    )


def app_token(language: Language) -> str:
    """An app-level token that is missing or refused."""
    if language == "ko":
        return (
            "https://api.slack.com/apps 에서 앱을 열고 Basic Information > App-Level Tokens > Generate Token and Scopes에서 "
            "connections:write를 더해 만든 토큰(xapp-)을 SLACK_APP_TOKEN에 넣고, Settings > Socket Mode를 켜 주십시오."
        )
    return (
        "Open the app at https://api.slack.com/apps, make a token with connections:write under Basic Information > "
        "App-Level Tokens, put it (xapp-) into SLACK_APP_TOKEN, and switch on Settings > Socket Mode."
    )


def signing_secret(language: Language) -> str:
    """HTTP mode without its secret."""
    if language == "ko":
        return (
            "https://api.slack.com/apps 에서 앱을 열고 Basic Information > App Credentials > Signing Secret의 Show를 눌러 "
            "나오는 값을 SLACK_SIGNING_SECRET에 넣어 주십시오."
        )
    return (
        "Open the app at https://api.slack.com/apps and put Basic Information > App Credentials > Signing Secret "
        "into SLACK_SIGNING_SECRET."
    )


def scopes(missing: Sequence[str], language: Language) -> str:
    """Scopes of the manifest that were not granted."""
    names = ", ".join(missing)
    if language == "ko":
        return (
            f"OAuth & Permissions > Scopes > Bot Token Scopes > Add an OAuth Scope에서 {names}을(를) 더하고 "
            "Reinstall to Workspace를 눌러 주십시오. App Manifest에 deploy/slack/manifest.json을 붙여 넣어도 됩니다."
        )
    return (
        f"Add {names} under OAuth & Permissions > Scopes > Bot Token Scopes and press Reinstall to Workspace, "
        "or paste deploy/slack/manifest.json into App Manifest."
    )


def network(url: str, language: Language) -> str:
    """Slack does not answer."""
    if language == "ko":
        return f"{url} 에 접속할 수 있는지 방화벽과 HTTPS_PROXY 설정을 확인해 주십시오."
    return f"Check the firewall and HTTPS_PROXY: {url} must be reachable."


def port_taken(host: str, port: int, language: Language) -> str:
    """The HTTP server cannot listen."""
    if language == "ko":
        return f"{host}:{port}를 다른 프로그램이 쓰고 있지 않은지 확인하거나 [slack] port를 바꿔 주십시오."
    return f"Check that nothing else listens on {host}:{port}, or change [slack] port."


def check_names(language: Language) -> tuple[str, str, str, str]:
    """Token, connection, scopes, events: the lines of `saseo doctor`."""
    if language == "ko":
        return ("Slack 토큰", "Slack 인증", "Slack 권한", "Slack 이벤트 수신")
    return ("Slack tokens", "Slack sign-in", "Slack scopes", "Slack events")


def well_formed(language: Language) -> str:
    """Tokens look right."""
    return "형식이 올바릅니다" if language == "ko" else "well-formed"


def malformed(variable: str, prefix: str, language: Language) -> str:
    """A token does not."""
    if language == "ko":
        return f"{variable}이(가) 없거나 {prefix}로 시작하지 않습니다"
    return f"{variable} is missing or does not start with {prefix}"


def missing(variable: str, language: Language) -> str:
    """An environment variable that must be there."""
    return f"환경 변수 {variable}이(가) 없습니다" if language == "ko" else f"{variable} is not set"


def granted(count: int, language: Language) -> str:
    """Every scope is there."""
    return f"필요한 권한 {count}개가 모두 있습니다" if language == "ko" else f"all {count} scopes are granted"


def lacking(missing: Sequence[str], language: Language) -> str:
    """Some are not."""
    return f"없는 권한: {', '.join(missing)}" if language == "ko" else f"missing: {', '.join(missing)}"


def unknown_scopes(language: Language) -> str:
    """Slack did not say."""
    return "Slack이 권한 목록을 알려 주지 않았습니다" if language == "ko" else "Slack did not name the scopes"


def socket_opens(language: Language) -> str:
    """Socket Mode can be used."""
    return "Socket Mode 연결을 열 수 있습니다" if language == "ko" else "Socket Mode can be opened"


def http_listens(host: str, port: int, language: Language) -> str:
    """HTTP mode is set up."""
    if language == "ko":
        return f"HTTP 수신({host}:{port}), 서명 비밀 값이 있습니다"
    return f"HTTP on {host}:{port}, signing secret present"


def settings_title(language: Language) -> str:
    """Title of the form (at most 24 characters)."""
    return "이 채널의 사서 설정" if language == "ko" else "Saseo in this channel"


def settings_shown(now: PlaceSettings, language: Language) -> str:
    """How things stand here; plain text."""
    everything = "전체" if language == "ko" else "all"
    nobody = "없음" if language == "ko" else "nobody"
    values = {
        "sources": ", ".join(now.sources) or everything,
        "listen": texts.pick(LISTEN[now.listen], language),
        "language": texts.pick(LANGUAGES[now.language], language),
        "contacts": ", ".join(now.contacts) or nobody,
    }
    return "\n".join(f"{texts.pick(SETTING_NAMES[key], language)}({key}): {value}" for key, value in values.items())


def settings_usage(language: Language) -> str:
    """What admins can do by command."""
    if language == "ko":
        return (
            "바꾸기: `/wiki 설정 듣기=threads 담당자=@홍길동` (값을 비우면 기본값으로 돌아갑니다)\n"
            "듣기: mention(부를 때만), threads(참여한 스레드도), all(모든 메시지) · 언어: ko, en\n"
            "위키 다시 색인: `/wiki 색인`"
        )
    return (
        "To change: `/wiki settings listen=threads contacts=@someone` (an empty value resets)\n"
        "listen: mention, threads, all · language: ko, en\n"
        "To index the wiki again: `/wiki reindex`"
    )


def settings_saved(language: Language) -> str:
    """Done."""
    return "설정을 바꿨습니다." if language == "ko" else "The settings have been changed."


def settings_not_understood(parts: Sequence[str], language: Language) -> str:
    """Words that are no `key=value`."""
    unknown = ", ".join(parts)
    return f"알 수 없는 설정입니다: {unknown}" if language == "ko" else f"Not understood: {unknown}"


def settings_hint(key: str, language: Language) -> str:
    """Under a field of the form."""
    korean = {
        "sources": "쉼표로 나눈 출처 이름. 비우면 전체 출처를 씁니다.",
        "contacts": "쉼표로 나눈 사용자·사용자 그룹 ID(U…, S…). 비우면 기본값으로 돌아갑니다.",
    }
    english = {
        "sources": "Names of sources, separated by commas. Empty: all.",
        "contacts": "Ids of people or user groups (U…, S…), separated by commas. Empty: the default.",
    }
    return (korean if language == "ko" else english)[key]
