"""What `saseo init` asks and says, and the comments of what it writes: Korean and English, 합니다체."""

from __future__ import annotations

from collections.abc import Sequence

from bot.messages import Language
from bot.setup.answers import Answers, Look

LANGUAGE = "언어 / Language"

_QUESTIONS = {
    "wiki": ("위키 문서가 있는 폴더", "The folder that holds the wiki"),
    "data_dir": ("색인과 기록을 둘 폴더", "The folder for the index and records"),
    "slack": ("Slack에 연결할까요?", "Connect Slack?"),
    "slack_admins": (
        "Slack 관리자의 멤버 ID (U…, 여럿이면 쉼표, 없으면 Enter)",
        "Slack member ids of admins (U…, commas between; Enter for none)",
    ),
    "discord": ("Discord에 연결할까요?", "Connect Discord?"),
    "guild_ids": ("Discord 서버 ID (여럿이면 쉼표)", "Discord server ids (commas between)"),
    "admin_roles": (
        "Discord 관리자 역할 ID (여럿이면 쉼표, 없으면 Enter)",
        "Discord role ids of admins (commas between; Enter for none)",
    ),
    "web": ("웹 콘솔을 켤까요?", "Turn the web console on?"),
    "web_port": ("웹 콘솔의 포트", "Port of the web console"),
    "out": ("다른 파일 이름", "Another file name"),
    "sure": ("이대로 쓸까요?", "Write this?"),
}


def question(name: str, language: Language) -> str:
    """What is asked."""
    return _QUESTIONS[name][language != "ko"]


def welcome(language: Language) -> str:
    """Before the first question."""
    if language == "ko":
        return "몇 가지를 묻고 설정 파일을 씁니다. Enter는 [ ] 안의 값입니다. Ctrl-C로 그만두면 아무것도 쓰지 않습니다."
    return "A few questions, then the settings are written. Enter takes what stands in [ ]. Ctrl-C leaves; nothing is written before."


def found(look: Look, language: Language) -> str:
    """What lies in the folder."""
    kinds = ", ".join(f"{suffix or '-'} {count}" for suffix, count in look.by_suffix.items())
    if language == "ko":
        closed = f" 열 수 없는 파일 {look.unreadable}개는 건너뜁니다." if look.unreadable else ""
        return f"읽을 수 있는 문서 {look.pages}개를 찾았습니다 ({kinds}).{closed}"
    closed = f" {look.unreadable} files cannot be opened and are left out." if look.unreadable else ""
    return f"{look.pages} readable pages found ({kinds}).{closed}"


def exists(path: object, language: Language) -> str:
    """May it be overwritten?"""
    return f"이미 있는 파일입니다: {path}. 덮어쓸까요?" if language == "ko" else f"{path} exists. Overwrite it?"


def port_taken(port: int, language: Language) -> str:
    """Not refused: the other program may be Saseo itself."""
    if language == "ko":
        return f"지금 다른 프로그램이 {port}번 포트를 쓰고 있습니다. 실행 중인 Saseo가 아니라면 다른 포트를 고르십시오."
    return f"Another program uses port {port} now. Unless that is a running Saseo, choose another one."


def summary(answers: Answers, path: object, language: Language) -> str:
    """What will be written."""
    places = [name for name, chosen in (("Slack", answers.slack), ("Discord", answers.discord)) if chosen]
    if answers.web:
        places.append(f"http://{answers.web_host}:{answers.web_port}")
    if language == "ko":
        return f"{path}: 출처 '{answers.source}' ({answers.wiki}), 자료 {answers.data_dir}, {' · '.join(places) or '터미널만'}"
    return f"{path}: source '{answers.source}' ({answers.wiki}), data in {answers.data_dir}, {' · '.join(places) or 'terminal only'}"


def written(config: object, env: object, added: Sequence[str], language: Language) -> str:
    """Both files, and which variables wait for a value."""
    names = ", ".join(added)
    if language == "ko":
        waiting = f" 값을 채울 변수: {names}." if added else ""
        return f"설정 파일 {config}, 토큰 파일 {env}(본인만 읽을 수 있음)를 만들었습니다.{waiting}"
    waiting = f" To be filled in: {names}." if added else ""
    return f"Wrote {config} and {env} (readable by you alone).{waiting}"


def next_steps(commands: Sequence[str], env: str | None, language: Language) -> str:
    """The next commands, in order; `env`: the line that reads the tokens, if there are any."""
    head = "다음으로 이 명령을 실행해 주십시오:" if language == "ko" else "Next:"
    lines = [head, *(f"  {command}" for command in commands)]
    if env:
        # `doctor`, the last but one, is the first that tries the tokens.
        lines.append(
            f"{commands[-2]}을(를) 실행하기 전에 토큰을 채우고 이 명령으로 읽어 들이십시오: {env}"
            if language == "ko"
            else f"Before {commands[-2]}, fill the tokens in and read them: {env}"
        )
    return "\n".join(lines)


def comments(language: Language) -> dict[str, str]:
    """Of config.toml."""
    if language == "ko":
        return {
            "head": "Saseo의 설정. 기본값과 다른 것만 적습니다. 모든 설정과 설명은 함께 온 config.toml에 있습니다.",
            "data_dir": "색인, 캐시, 질문과 답변의 기록이 여기에 남습니다. 백업은 `saseo backup`으로 합니다",
            "sources": "문서가 오는 곳. 여러 번 쓸 수 있습니다 (docs/sources.md)",
            "name": "인용과 색인에 남는 이름",
            "audience": "읽어도 되는 그룹. 일부만 읽을 문서가 있으면 docs/permissions.md",
            "model": "`saseo models list`의 이름",
            "slack": "토큰은 환경 변수 SLACK_BOT_TOKEN, SLACK_APP_TOKEN에서 읽습니다",
            "admins": "대화창에서 설정을 바꿀 수 있는 사람",
            "discord": "토큰은 환경 변수 DISCORD_TOKEN에서 읽습니다",
            "guilds": "질문해도 되는 서버",
            "web": "웹 콘솔",
        }
    return {
        "head": "Settings of Saseo: only what differs from the defaults. All of them, explained: the config.toml that comes along.",
        "data_dir": "the index, caches, questions and answers; `saseo backup` makes the backups",
        "sources": "where pages come from; may stand more than once (docs/sources.md)",
        "name": "stays with the pages",
        "audience": "groups that may read it; pages for some only: docs/permissions.md",
        "model": "a name of `saseo models list`",
        "slack": "tokens come from SLACK_BOT_TOKEN and SLACK_APP_TOKEN in the environment",
        "admins": "who may change settings from chat",
        "discord": "the token comes from DISCORD_TOKEN in the environment",
        "guilds": "servers that may ask",
        "web": "the web console",
    }


def secrets(language: Language) -> dict[str, str]:
    """Of .env."""
    if language == "ko":
        return {
            "head": "비밀 값. git에 올리지 마십시오. systemd와 compose가 읽고, 셸에서는 `set -a; . ./.env; set +a`로 읽습니다.",
            "slack": "api.slack.com/apps → OAuth & Permissions (xoxb-…) · Basic Information → App-Level Tokens (xapp-…)",
            "discord": "discord.com/developers/applications → Bot → Reset Token",
            "store": "여러 대가 함께 쓸 때: postgresql://saseo:비밀번호@호스트/saseo",
            "privacy": "사람을 가명으로 바꾸는 키(32자 이상). 없으면 data_dir/privacy.key에 만듭니다. 여러 대라면 모두 같은 값",
            "metrics": "로그인 없이 /metrics를 읽을 때 보이는 토큰",
        }
    return {
        "head": "Secrets; keep them out of repositories. Read by systemd, compose (env_file) or a shell: `set -a; . ./.env; set +a`",
        "slack": "api.slack.com/apps → OAuth & Permissions (xoxb-…) · Basic Information → App-Level Tokens (xapp-…)",
        "discord": "discord.com/developers/applications → Bot → Reset Token",
        "store": "for several machines: postgresql://saseo:password@host/saseo",
        "privacy": "the key behind pseudonyms (32 characters and more); else made in data_dir/privacy.key. The same on all machines",
        "metrics": "shown by who reads /metrics without a login",
    }
