"""What `saseo accounts` says. Functions of the language; names go in as they are."""

from __future__ import annotations

from bot.messages import Language


def put(name: str, role: str, new: bool, language: Language) -> str:
    """An account was made, or its password and role changed."""
    if language == "en":
        return f"Account {name} is {'made' if new else 'changed'}. Role: {role}"
    return f"계정 {name}을(를) {'만들었습니다' if new else '변경했습니다'}. 권한: {role}"


def removed(name: str, language: Language) -> str:
    """It is gone."""
    return f"Account {name} is removed." if language == "en" else f"계정 {name}을(를) 지웠습니다."


def none(language: Language) -> str:
    """Nobody can log in."""
    if language == "en":
        return "There are no accounts. Make one with `saseo accounts add NAME --role admin`."
    return "계정이 없습니다. `saseo accounts add 이름 --role admin`으로 만드십시오."


def password(language: Language) -> str:
    """Asked for."""
    return "Password" if language == "en" else "비밀번호"


def password_again(language: Language) -> str:
    """Asked for once more."""
    return "Once more" if language == "en" else "한 번 더"


def too_short(least: int, language: Language) -> str:
    """A reason; `least`: characters."""
    return (
        f"a password has at least {least} characters" if language == "en" else f"비밀번호는 {least}자 이상이어야 합니다"
    )


def bad_name(language: Language) -> str:
    """A reason."""
    if language == "en":
        return "a name has 1 to 64 characters, no blanks around it, no colon, and is not local"
    return "이름은 1~64자이고, 앞뒤 빈칸과 쌍점(:)이 없으며, local이 아니어야 합니다"
