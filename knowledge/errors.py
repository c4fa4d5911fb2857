"""What can go wrong with a wiki.

    ExplainedError                  carries one Korean and one English sentence (also the base of bot.errors)
    └── WikiError
        ├── GlossaryError
        │   ├── UnreadableGlossary      the configured file cannot be read
        │   └── BadGlossary             a line of it cannot be used
        ├── BrokenWeights               learnt weights cannot be read: the configured ones count
        ├── SourceError
        │   ├── SourceNotFound          the configured folder is not there
        │   ├── SourceUnreachable       network, time-out, the other side is down
        │   ├── SourceDenied            the other side refuses us: token, permission, robots.txt
        │   ├── SourcePartNotFound      a space or page named in the settings does not exist, or is hidden from us
        │   ├── AddressForbidden        a web site inside the company's network, without leave
        │   ├── TokenMissing            the environment variable named in the settings is empty
        │   ├── GitMissing              no `git` program on this machine
        │   ├── NotARepository          the folder is there, but git finds no repository in it
        │   ├── BranchNotFound
        │   ├── SubfolderNotFound       the repository has no such folder, or nothing in it
        │   ├── ExportNotFound          no zip where one is configured
        │   ├── BrokenExport            not a zip, half of one, or a hostile one
        │   ├── EncryptedExport
        │   ├── EmptyExport             a zip without a document of a known format
        │   ├── WrongExport             not made by what `flavour` says
        │   ├── ChannelNotReadable      a Slack channel: not there, without us, or no channel at all
        │   ├── UnknownSourceKind       [[sources]] kind names nothing we can read
        │   ├── UnknownSource           a run is asked to read a source that the settings do not have
        │   ├── SourceFailed            it broke while it listed its pages
        │   ├── SourceShrank            it suddenly has far fewer pages: held back until somebody accepts it
        │   └── EmptyWiki               nothing readable in any source: the old edition stays
        ├── PageError                   one page could not be read: recorded, the run goes on
        │   ├── PageTooLarge            the file, before it is read
        │   ├── PageTooLong             its text
        │   ├── PageTooSlow             the parser was stopped
        │   ├── PageTooHungry           the parser was stopped
        │   ├── UnknownFormat
        │   ├── OldFormat               .doc, .xls, .ppt of before 2007
        │   ├── UnreadablePage
        │   │   ├── LockedPage          a password, DRM, a document for distribution
        │   │   └── UnclearFrontMatter  what it says of its readers may be lost: nobody may read it
        │   ├── AddressesLeft           a web site has more pages than its limits let in
        │   └── PageWithoutText
        ├── EditionError
        │   ├── NoEdition               nothing was published yet
        │   ├── BrokenEdition           a file is missing or its checksum differs
        │   ├── EditionMismatch         made with another embedder or tokeniser
        │   ├── UnknownEdition          lists those there are
        │   ├── EditionRefused          a check before publishing failed: the old edition stays
        │   ├── PublishFailed           disk full, permissions …: the old edition stays
        │   └── IndexBusy               another process is indexing
        ├── ParsingUnavailable          the parsing process does not start: the old edition stays
        └── SelfTestFailed              the Korean legs do not work on this machine

Messages are templates filled from typed keyword arguments, so that every error says what is wrong *and* what to do.
"""

from __future__ import annotations

from typing import ClassVar


class ExplainedError(Exception):
    """Base of every error a person may read. Subclasses set `ko` and `en`, templates over the keyword arguments."""

    ko: ClassVar[str] = "알 수 없는 오류가 발생했습니다."
    en: ClassVar[str] = "Something unexpected went wrong."

    def __init__(self, **details: object) -> None:
        self.details = details
        super().__init__(self.en.format(**details))

    def explain(self, language: str = "ko") -> str:
        """The sentence for a person: `language` is `ko` or `en`."""
        return (self.ko if language == "ko" else self.en).format(**self.details)

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process borders (parsing workers); keyword-only construction needs its own recipe.
        return (_rebuild, (type(self), self.details))


def _rebuild(kind: type[ExplainedError], details: dict[str, object]) -> ExplainedError:
    return kind(**details)


class WikiError(ExplainedError):
    """Anything wrong with the wiki or its index."""


class GlossaryError(WikiError):
    """The company's glossary cannot be used."""


class UnreadableGlossary(GlossaryError):
    """`path`, `reason`."""

    ko = "용어집 {path}을(를) 읽을 수 없습니다: {reason}. config.toml의 [search] glossary를 확인해 주십시오."
    en = "The glossary {path} cannot be read: {reason}. Check [search] glossary in config.toml."


class BadGlossary(GlossaryError):
    """`path`, `line`, `reason`."""

    ko = "용어집 {path}의 {line}번째 줄을 쓸 수 없습니다: {reason}. 그 줄을 고쳐 주십시오. 형식은 docs/search.ko.md에 있습니다."
    en = "Line {line} of the glossary {path} cannot be used: {reason}. Correct that line; docs/search.md has the form."


class BrokenWeights(WikiError):
    """`path`, `reason`."""

    ko = "평가에서 배운 검색 가중치 {path}이(가) 손상되어 설정한 값을 씁니다: {reason}. `saseo search-weights reset`으로 지워 주십시오."
    en = "The learnt search weights {path} are damaged, so the configured ones count: {reason}. Run `saseo search-weights reset`."


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


class PageError(WikiError):
    """One page could not be used; the run records it and goes on."""


class PageTooLarge(PageError):
    """`megabytes`, `limit`."""

    ko = "파일이 너무 큽니다({megabytes:.1f} MB, 한도 {limit} MB). 나누거나 [index] max_file_mb를 올려 주십시오."
    en = "The file is too large ({megabytes:.1f} MB, limit {limit} MB). Split it or raise [index] max_file_mb."


class PageTooLong(PageError):
    """`characters`, `limit`."""

    ko = "문서의 글이 너무 깁니다({characters:,}자, 한도 {limit:,}자). 여러 문서로 나누어 주십시오."
    en = "The page's text is too long ({characters:,} characters, limit {limit:,}). Split it into several pages."


class PageTooSlow(PageError):
    """`seconds`: the limit."""

    ko = "문서를 읽는 데 {seconds:g}초가 넘게 걸려 멈추었습니다. 문서를 나누거나 [index] parse_seconds를 올려 주십시오."
    en = "Reading the page took more than {seconds:g} seconds and was stopped. Split it or raise [index] parse_seconds."


class PageTooHungry(PageError):
    """`megabytes`: the limit."""

    ko = "문서를 읽는 데 메모리가 {megabytes} MB보다 많이 필요해 멈추었습니다. 문서를 나누거나 [index] parse_memory_mb를 올려 주십시오."
    en = "Reading the page took more than {megabytes} MB of memory and was stopped. Split it or raise [index] parse_memory_mb."


class UnknownFormat(PageError):
    """`suffix`, `known`."""

    ko = "지원하지 않는 형식입니다: {suffix} (지원: {known})."
    en = "Unknown format: {suffix} (known: {known})."


class OldFormat(PageError):
    """`suffix`, `new`."""

    ko = "옛 형식의 파일이어서 읽을 수 없습니다({suffix}). 파일을 열어 {new} 형식으로 다시 저장해 주십시오."
    en = "Files of the old format {suffix} are not read. Open the file and save it as {new}."


class UnreadablePage(PageError):
    """`reason`: short, technical, without page text."""

    ko = "문서를 읽을 수 없습니다: {reason}. 파일이 손상되지 않았는지 열어 확인해 주십시오."
    en = "The page cannot be read: {reason}. Open the file to see whether it is damaged."


class LockedPage(UnreadablePage):
    """`reason`: what locks it, in a word or two of both languages."""

    ko = "잠긴 문서여서 읽을 수 없습니다({reason}). 잠금을 풀어 다시 저장해 주십시오."
    en = "The page is locked ({reason}). Unlock it and save it again."


class UnclearFrontMatter(UnreadablePage):
    """`reason`: short, technical, without page text."""

    ko = "문서 첫머리의 정보(front matter)를 이해할 수 없습니다: {reason}. 고칠 때까지 이 문서는 아무에게도 보여 주지 않습니다."
    en = "The page's front matter cannot be understood: {reason}. Nobody is shown the page until it is put right."


class PageWithoutText(PageError):
    """A scanned PDF, an empty file."""

    ko = "글자가 없는 문서입니다(스캔한 PDF이거나 빈 파일). 텍스트가 있는 파일로 바꿔 주십시오."
    en = "The page has no text (a scanned PDF or an empty file). Provide a file with text."


class AddressesLeft(PageError):
    """`count`: at least so many, `limit`: the keys that set it and their values."""

    ko = (
        "이 주소를 포함해 {count}개 이상의 주소를 읽지 않았습니다(한도 {limit}). 모두 필요하면 한도를 올리고, "
        "필요 없으면 exclude나 prefix로 줄여 주십시오."
    )
    en = (
        "At least {count} addresses, this one first, were not read (limit {limit}). If they are needed, raise the limit; "
        "if not, narrow the source with exclude or prefix."
    )


class EditionError(WikiError):
    """The index on disk cannot be used or published."""


class NoEdition(EditionError):
    """`folder`."""

    ko = "아직 색인이 없습니다. 먼저 `saseo index`를 실행해 주십시오."
    en = "There is no index yet. Run `saseo index` first."


class BrokenEdition(EditionError):
    """`edition`, `reason`."""

    ko = "색인 {edition}이(가) 손상되었습니다: {reason}. `saseo index --full`로 다시 만들어 주십시오."
    en = "Edition {edition} is damaged: {reason}. Rebuild it with `saseo index --full`."


class EditionMismatch(EditionError):
    """`edition`, `what`, `stored`, `live`."""

    ko = "색인 {edition}은(는) 다른 설정으로 만들어졌습니다({what}: {stored} → {live}). `saseo index`를 다시 실행해 주십시오."
    en = "Edition {edition} was made with another setting ({what}: {stored}, now {live}). Run `saseo index` again."


class UnknownEdition(EditionError):
    """`name`, `known`: joined."""

    ko = "색인 {name}을(를) 찾을 수 없습니다. 남아 있는 색인: {known}. `saseo editions list`로 확인해 주십시오."
    en = "There is no edition {name}. Those that are left: {known}. See `saseo editions list`."


class EditionRefused(EditionError):
    """`check`: which one; `reason`: short, without page text."""

    ko = "새 색인이 게시 전 점검에 통과하지 못했습니다({check}: {reason}). 이전 색인을 그대로 사용합니다."
    en = (
        "The new edition did not pass a check before publishing ({check}: {reason}). The previous edition stays in use."
    )


class PublishFailed(EditionError):
    """`reason`."""

    ko = "색인을 저장하지 못했습니다: {reason}. 디스크 여유 공간과 권한을 확인해 주십시오. 이전 색인은 그대로 사용됩니다."
    en = "The index could not be saved: {reason}. Check disk space and permissions. The previous edition stays in use."


class IndexBusy(EditionError):
    """`lock`."""

    ko = "다른 색인 작업이 진행 중입니다. 끝난 뒤에 다시 실행해 주십시오."
    en = "Another indexing run is in progress. Try again when it has finished."


class ParsingUnavailable(WikiError):
    """`reason`."""

    ko = "문서를 읽는 프로세스를 시작하지 못했습니다({reason}). 메모리 여유와 설치 상태를 확인해 주십시오. 이전 색인은 그대로 둡니다."
    en = "The process that reads pages did not start ({reason}). Check free memory and the installation. The previous edition stays."


class SelfTestFailed(WikiError):
    """`check`, `reason`."""

    ko = "한국어 검색 자가 점검에 실패했습니다({check}: {reason}). `saseo doctor`로 원인을 확인해 주십시오."
    en = "The Korean search self-test failed ({check}: {reason}). See `saseo doctor`."
