"""What the console cannot do."""

from __future__ import annotations

from bot.errors.base import SaseoError


class WebError(SaseoError):
    """The console cannot do what was asked."""


class NotAllowedInConsole(WebError):
    """`role`: the least that may."""

    ko = "이 작업에는 {role} 권한이 필요합니다. 관리자에게 `saseo accounts add`로 권한을 바꿔 달라고 요청해 주십시오."
    en = "This needs the role {role}. Ask an admin to change yours with `saseo accounts add`."


class NotFoundInConsole(WebError):
    """Nothing stands there."""

    ko = "찾으시는 내용이 없습니다. 삭제되었거나 주소가 바뀌었을 수 있습니다."
    en = "There is nothing here. It may have been deleted, or the address has changed."


class HiddenInConsole(WebError):
    """What is to be decided about is hidden from whom decides."""

    ko = (
        "개인정보 설정에 따라 가려졌거나 이 계정으로 읽을 수 없는 문서를 바탕으로 한 것이라 결정할 수 없습니다. "
        "[web] texts나 계정의 그룹을 바꾸거나, 예시라면 `saseo feedback review`를 써 주십시오."
    )
    en = (
        "It is hidden from this account, by the privacy setting or because of a page that the account may not read, so "
        "nothing can be decided. Change [web] texts or the account's groups; for an example, you can use `saseo feedback review`."
    )


class BadShare(WebError):
    """`value`."""

    ko = "대화의 비율은 0보다 크고 100보다 작은 수로 적어 주십시오(받은 값: {value})."
    en = "The share of the conversations is a number above 0 and below 100; this is none: {value}."


class FormExpired(WebError):
    """A form without its session's token."""

    ko = "화면이 오래되어 요청을 처리하지 않았습니다. 새로 고친 뒤 다시 시도해 주십시오."
    en = "The page was too old, so nothing was done. Reload it and try again."


class WrongConsoleHost(WebError):
    """The browser calls the console by a name that is not its own: another site's page may be behind it."""

    ko = (
        "이 주소는 웹 콘솔의 주소가 아니어서 열지 않았습니다. 이 이름으로 접속해야 한다면 설정 파일의 [web] public_url에 "
        "그 주소를 적고 Saseo를 다시 시작해 주십시오."
    )
    en = (
        "The console does not answer at this address, for it is not its own. If you mean to reach it by this name, put the "
        "address into [web] public_url of the settings and restart Saseo."
    )


class ConsoleProxied(WebError):
    """Passed on by a proxy, while anybody without an account would be an admin."""

    ko = (
        "프록시를 거쳐 온 요청이지만 웹 콘솔에 계정이 없어 열지 않았습니다. 이 컴퓨터에서 "
        "`saseo accounts add 이름 --role admin`으로 계정을 만들어 주십시오."
    )
    en = (
        "This came through a proxy, but the console has no accounts, so it was not answered. Make one on this machine with "
        "`saseo accounts add NAME --role admin`."
    )


class ConsoleNeedsAccount(WebError):
    """`host`."""

    ko = (
        "웹 콘솔 주소 {host}은(는) 다른 컴퓨터에서도 열리지만 로그인할 계정이 없습니다. "
        "`saseo accounts add 이름 --role admin`으로 계정을 만들거나 [web] host를 127.0.0.1로 두어 주십시오."
    )
    en = (
        "The console at {host} can be reached from other machines, but there is no account to log in with. "
        "Make one with `saseo accounts add NAME --role admin`, or leave [web] host at 127.0.0.1."
    )


class ConsoleNotStarted(WebError):
    """`host`, `port`, `reason`."""

    ko = "웹 콘솔을 {host}:{port}에서 열 수 없습니다: {reason}. [web] port를 바꾸거나 그 포트를 쓰는 프로그램을 멈춰 주십시오."
    en = "The console cannot listen at {host}:{port}: {reason}. Change [web] port, or stop the program that uses it."


class UnknownAccount(WebError):
    """`name`."""

    ko = "그런 계정이 없습니다: {name}. `saseo accounts list`로 확인해 주십시오."
    en = "No such account: {name}. See `saseo accounts list`."


class BadAccount(WebError):
    """`reason`."""

    ko = "계정을 만들 수 없습니다: {reason}."
    en = "The account cannot be made: {reason}."
