"""What who runs the bot reads of Discord: at the start, in `saseo doctor`, in the log. Korean (합니다체) and English. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.discord.texts import of
from bot.messages import Language


def bad_token(language: Language) -> str:
    """Discord refuses the token."""
    return of(language, "DISCORD_TOKEN을 Discord가 받아들이지 않습니다", "Discord refuses DISCORD_TOKEN")


def no_token(language: Language) -> str:
    """There is none."""
    return of(language, "DISCORD_TOKEN 환경 변수가 비어 있습니다", "The environment variable DISCORD_TOKEN is empty")


def new_token(language: Language) -> str:
    """How to get a token."""
    return of(
        language,
        "https://discord.com/developers/applications 에서 앱을 열고 Bot > Reset Token을 눌러 새 토큰을 만든 뒤, "
        "환경 변수 DISCORD_TOKEN에 넣어 주십시오.",
        "Open the app at https://discord.com/developers/applications, press Bot > Reset Token, "
        "and put the new token into the environment variable DISCORD_TOKEN.",
    )


def intent_refused(language: Language) -> str:
    """The message-content intent is not switched on."""
    return of(
        language,
        "[discord] message_content = true인데 앱에 Message Content Intent가 켜져 있지 않습니다",
        "[discord] message_content = true, but the app does not have the Message Content Intent",
    )


def allow_intent(language: Language) -> str:
    """How to switch it on."""
    return of(
        language,
        "개발자 포털에서 앱 > Bot > Privileged Gateway Intents > Message Content Intent를 켜고 저장하거나, "
        "config.toml에서 message_content = false로 두어 주십시오.",
        "In the developer portal open the app > Bot > Privileged Gateway Intents, switch Message Content Intent on and save; "
        "or set message_content = false in config.toml.",
    )


def closed(code: int, language: Language) -> str:
    """The gateway closed the connection for good."""
    return of(
        language, f"게이트웨이가 연결을 끊었습니다(코드 {code})", f"The gateway closed the connection (code {code})"
    )


def check_version(language: Language) -> str:
    """The gateway does not take what this version sends: shards, API version, intents."""
    return of(
        language,
        "[discord] gateway_url을 확인하고, 사서를 새 버전으로 올린 뒤 다시 시작해 주십시오.",
        "Check [discord] gateway_url, and start again with a newer version of Saseo.",
    )


def unreachable(error: str, language: Language) -> str:
    """No connection."""
    return of(language, f"서버에 연결되지 않습니다({error})", f"The server cannot be reached ({error})")


def check_network(language: Language) -> str:
    """What to look at."""
    return of(
        language,
        "인터넷 연결과 방화벽(discord.com, gateway.discord.gg 443 포트), HTTPS_PROXY, "
        "[discord] api_base_url과 gateway_url을 확인해 주십시오.",
        "Check the network, the firewall (discord.com and gateway.discord.gg, port 443), HTTPS_PROXY, "
        "[discord] api_base_url and gateway_url.",
    )


def not_registered(language: Language) -> str:
    """Commands could not be registered everywhere."""
    return of(
        language, "명령을 모든 서버에 등록하지 못했습니다", "The commands could not be registered in every server"
    )


def invite_again(language: Language) -> str:
    """How the bot is invited."""
    return of(
        language,
        "개발자 포털의 앱 > OAuth2 > URL Generator에서 bot과 applications.commands를 고르고, 만들어진 주소로 봇을 서버에 "
        "다시 초대한 뒤 [discord] guild_ids를 확인해 주십시오.",
        "In the developer portal open the app > OAuth2 > URL Generator, choose bot and applications.commands, invite the bot "
        "again with that address, and check [discord] guild_ids.",
    )


def latency(milliseconds: float, language: Language) -> str:
    """Of the gateway's heartbeat."""
    return of(language, f"지연 {milliseconds:.0f}ms", f"latency {milliseconds:.0f} ms")


def present(language: Language) -> str:
    """The token is set; it is never shown."""
    return of(language, "설정되어 있습니다", "set")


def no_servers(language: Language) -> str:
    """guild_ids is empty."""
    return of(
        language,
        "[discord] guild_ids가 비어 있어 어느 서버에서도 답하지 않습니다",
        "[discord] guild_ids is empty: no server is answered",
    )


def copy_server_id(language: Language) -> str:
    """Where a server's id is found."""
    return of(
        language,
        "Discord에서 사용자 설정 > 고급 > 개발자 모드를 켜고, 서버 이름을 마우스 오른쪽 버튼으로 눌러 '서버 ID 복사하기'를 고른 뒤 "
        "config.toml의 [discord] guild_ids에 넣어 주십시오.",
        "In Discord switch on User Settings > Advanced > Developer Mode, right-click the server, choose Copy Server ID, "
        "and put it into [discord] guild_ids in config.toml.",
    )


def server_unreachable(why: str, language: Language) -> str:
    """The bot is not there."""
    return of(
        language,
        f"봇이 이 서버에 없거나 볼 수 없습니다({why})",
        f"the bot is not in this server or cannot see it ({why})",
    )


PERMISSIONS: dict[int, tuple[str, str]] = {
    # bit (Discord docs, topics/permissions): as the clients name it
    1 << 10: ("채널 보기", "View Channels"),
    1 << 11: ("메시지 보내기", "Send Messages"),
    1 << 16: ("메시지 기록 보기", "Read Message History"),
    1 << 38: ("스레드에서 메시지 보내기", "Send Messages in Threads"),
}


def permissions_missing(server: str, missing: Sequence[int], language: Language) -> str:
    """The bot's roles do not give it what it needs there."""
    names = ", ".join(PERMISSIONS[bit][0 if language == "ko" else 1] for bit in missing)
    return of(language, f"{server} 서버에서 봇에게 없는 권한: {names}", f"permissions missing in {server}: {names}")


def give_permissions(language: Language) -> str:
    """Where they are given."""
    return of(
        language,
        "Discord에서 서버 설정 > 역할 > 봇의 역할을 열고 이 권한을 켜 주십시오.",
        "In Discord open Server Settings > Roles > the bot's role and switch these permissions on.",
    )


def sessions(left: int, total: int, language: Language) -> str:
    """Gateway sessions that may still be started today."""
    return of(language, f"오늘 남은 접속 횟수 {left:,}/{total:,}", f"{left:,} of {total:,} session starts left today")


def wait_for_sessions(minutes: int, language: Language) -> str:
    """The budget is nearly spent."""
    return of(
        language,
        f"{minutes:,}분 뒤에 다시 채워집니다. 봇이 되풀이해서 재시작하고 있지 않은지, "
        "같은 토큰을 쓰는 다른 프로그램이 없는지 확인해 주십시오.",
        f"Refilled in {minutes:,} minutes. Check whether the bot restarts again and again, or another program uses the token.",
    )


def intent(wanted: bool, allowed: bool, language: Language) -> str:
    """The message-content intent as configured and as allowed."""
    if wanted:
        return of(language, "켜져 있습니다", "on")
    if allowed:
        return of(
            language,
            "쓰지 않습니다(앱에는 켜져 있으니 꺼 두셔도 됩니다)",
            "not used (the app has it; it may be switched off)",
        )
    return of(language, "쓰지 않습니다", "not used")
