"""What is wrong with a source."""

from __future__ import annotations

from knowledge.errors.base import WikiError


class SourceError(WikiError):
    """A source cannot be read at all."""


class SourceNotFound(SourceError):
    """`name`, `path`."""

    ko = "출처 '{name}'의 폴더를 찾을 수 없습니다: {path}. config.toml의 [[sources]] path를 확인해 주십시오."
    en = "The folder of source '{name}' does not exist: {path}. Check [[sources]] path in config.toml."


class SourceUnreachable(SourceError):
    """`name`, `address` (without secrets), `reason`."""

    ko = (
        "출처 '{name}'에 접속하지 못했습니다: {address} ({reason}). 주소와 네트워크를 확인해 주십시오. "
        "다음 실행 때 다시 시도하며, 이전 색인은 그대로 둡니다."
    )
    en = (
        "Source '{name}' cannot be reached: {address} ({reason}). Check the address and the network. "
        "The next run tries again; the previous edition stays."
    )


class SourceDenied(SourceError):
    """`name`, `address` (without secrets), `reason`."""

    ko = (
        "출처 '{name}'에서 접근을 거부했습니다: {address} ({reason}). 토큰이 담긴 환경 변수와 그 계정의 권한을 확인해 주십시오. "
        "이전 색인은 그대로 둡니다."
    )
    en = (
        "Source '{name}' refused access: {address} ({reason}). Check the environment variable with the token and what its "
        "account may read. The previous edition stays."
    )


class SourcePartNotFound(SourceError):
    """`name`, `part`, `key`: of [[sources]]."""

    ko = (
        "출처 '{name}'에서 '{part}'을(를) 찾을 수 없습니다. [[sources]] {key}를 확인하고, 토큰의 계정이 볼 수 있게 공유해 주십시오. "
        "이전 색인은 그대로 둡니다."
    )
    en = (
        "Source '{name}' has no '{part}', or hides it. Check [[sources]] {key}, and share it with the token's account. "
        "The previous edition stays."
    )


class AddressForbidden(SourceError):
    """`name`, `address`, `reason`."""

    ko = (
        "출처 '{name}'의 주소에는 접속하지 않습니다: {address} ({reason}). 회사 내부망에 있는 사이트가 맞다면 "
        "[[sources]] allow_private = true로 허용해 주십시오. 이전 색인은 그대로 둡니다."
    )
    en = (
        "Source '{name}' may not be connected to: {address} ({reason}). If it really is a site of the company's own network, "
        "set [[sources]] allow_private = true. The previous edition stays."
    )


class TokenMissing(SourceError):
    """`name`, `variable`: of the environment."""

    ko = "출처 '{name}'의 토큰이 없습니다. 환경 변수 {variable}에 토큰을 넣고 다시 실행해 주십시오."
    en = "Source '{name}' has no token. Set the environment variable {variable} and run again."


class GitMissing(SourceError):
    """`name`."""

    ko = "출처 '{name}'을(를) 읽으려면 git 프로그램이 필요합니다. git 2.31 이상을 설치해 주십시오."
    en = "Reading source '{name}' needs the git program. Install git 2.31 or newer."


class NotARepository(SourceError):
    """`name`, `path`."""

    ko = "출처 '{name}'의 폴더는 git 저장소가 아닙니다: {path}. [[sources]] path를 확인하거나 kind를 \"folder\"로 바꿔 주십시오."
    en = (
        "The folder of source '{name}' is no git repository: {path}. Check [[sources]] path, or set kind to \"folder\"."
    )


class BranchNotFound(SourceError):
    """`name`, `branch`, `address`: folder or URL of the repository."""

    ko = "출처 '{name}'의 저장소 {address}에 '{branch}' 브랜치가 없거나 커밋이 없습니다. [[sources]] branch를 확인해 주십시오."
    en = "The repository {address} of source '{name}' has no branch '{branch}', or no commit. Check [[sources]] branch."


class SubfolderNotFound(SourceError):
    """`name`, `subfolder`."""

    ko = "출처 '{name}'의 저장소에 '{subfolder}' 폴더가 없습니다. [[sources]] subfolder를 확인해 주십시오."
    en = "The repository of source '{name}' has no folder '{subfolder}'. Check [[sources]] subfolder."


class ExportNotFound(SourceError):
    """`name`, `path`."""

    ko = "출처 '{name}'의 내보내기 파일(.zip)을 찾을 수 없습니다: {path}. config.toml의 [[sources]] path를 확인해 주십시오."
    en = "Source '{name}' has no exported .zip at {path}. Check [[sources]] path in config.toml."


class BrokenExport(SourceError):
    """`name`, `file`, `reason`: short, technical."""

    ko = (
        "출처 '{name}'의 내보내기 파일 {file}을(를) 읽을 수 없습니다: {reason}. "
        "내려받기가 끝났는지 확인하고, 다시 내보내 주십시오. 이전 색인은 그대로 둡니다."
    )
    en = (
        "The export {file} of source '{name}' cannot be read: {reason}. See whether its download has finished, or export "
        "again. The previous edition stays."
    )


class EncryptedExport(SourceError):
    """`name`, `file`."""

    ko = "출처 '{name}'의 내보내기 파일 {file}에 암호가 걸려 있습니다. 암호 없이 다시 압축해 주십시오."
    en = "The export {file} of source '{name}' is protected by a password. Pack it again without one."


class EmptyExport(SourceError):
    """`name`, `file`."""

    ko = "출처 '{name}'의 내보내기 파일 {file}에 읽을 수 있는 문서가 없습니다. 내보낸 범위와 형식을 확인해 주십시오."
    en = "The export {file} of source '{name}' holds no readable page. Check what was exported, and as what."


class WrongExport(SourceError):
    """`name`, `file`, `flavour`."""

    ko = "출처 '{name}'의 파일 {file}은(는) {flavour} 내보내기가 아닙니다. [[sources]] flavour를 \"auto\"로 바꿔 주십시오."
    en = "The file {file} of source '{name}' is no export of {flavour}. Set [[sources]] flavour to \"auto\"."


class ReadersNotTold(SourceError):
    """`name`, `file`, `flavour`: by which the settings name such an export."""

    ko = (
        "출처 '{name}'의 내보내기 파일 {file}에는 누가 읽을 수 있는지가 없습니다. 전에 읽은 Confluence XML에는 있었으므로, 제한된 문서가 "
        '열리지 않도록 읽지 않았습니다. XML로 다시 내보내거나, 모두 열어도 되면 [[sources]] flavour를 "{flavour}"(으)로 정해 주십시오. '
        "이전 색인은 그대로 둡니다."
    )
    en = (
        "The export {file} of source '{name}' does not tell who may read its pages. The Confluence XML that was read before did, so "
        "it was not read, lest restricted pages be opened. Export as XML again, or, if all of it may be open, set [[sources]] "
        'flavour to "{flavour}". The previous edition stays.'
    )


class ChannelNotReadable(SourceError):
    """`name`, `channel`, `reason`: Slack's code."""

    ko = (
        "출처 '{name}'의 Slack 채널 {channel}을(를) 읽을 수 없습니다({reason}). 채널에 봇을 초대했는지 확인하거나 "
        "[[sources]] channels에서 빼 주십시오. 이전 색인은 그대로 둡니다."
    )
    en = (
        "Source '{name}' cannot read the Slack channel {channel} ({reason}). Invite the bot to it, or take it out of "
        "[[sources]] channels. The previous edition stays."
    )


class UnknownSourceKind(SourceError):
    """`name`, `kind`, `known`."""

    ko = "출처 '{name}'의 종류를 알 수 없습니다: {kind} (지원: {known}). config.toml의 [[sources]] kind를 확인해 주십시오."
    en = "Source '{name}' is of unknown kind: {kind} (known: {known}). Check [[sources]] kind in config.toml."


class UnknownSource(SourceError):
    """`name`, `known`: joined."""

    ko = "'{name}'(이)라는 출처가 없습니다. config.toml의 [[sources]]에 있는 이름을 써 주십시오: {known}."
    en = "There is no source named '{name}'. Use a name of [[sources]] in config.toml: {known}."


class SourceFailed(SourceError):
    """`name`, `reason`: short, technical, without page text."""

    ko = "출처 '{name}'에서 문서 목록을 읽다가 실패했습니다: {reason}. 이 출처의 문서는 이전 색인 그대로 둡니다."
    en = "Source '{name}' failed while it listed its pages: {reason}. Its pages stay as they were in the index."


class SourceShrank(SourceError):
    """`name`, `before`, `now`: pages."""

    ko = (
        "출처 '{name}'의 문서가 {before}개에서 {now}개로 갑자기 줄어, 색인에는 이전 문서를 그대로 둡니다. "
        "정말 줄어든 것이라면 `saseo index --accept {name}`을(를) 실행해 주십시오."
    )
    en = (
        "Source '{name}' suddenly has {now} pages instead of {before}, so the index keeps the former ones. If that is "
        "right, run `saseo index --accept {name}`."
    )


class EmptyWiki(SourceError):
    """`sources`: their names, joined."""

    ko = "읽을 수 있는 문서가 하나도 없습니다(출처: {sources}). 폴더 경로와 파일 형식을 확인해 주십시오. 이전 색인은 그대로 둡니다."
    en = "No readable page in any source ({sources}). Check the folder and the file types. The previous edition stays."
