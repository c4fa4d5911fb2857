"""Why a page could not be read."""

from __future__ import annotations

from knowledge.errors.base import WikiError


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


class ClosedPage(PageError):
    """`reason`: what the source answered, in a word or two. It is there, but no longer for us."""

    ko = (
        "출처가 이 문서를 더 이상 보여 주지 않습니다({reason}). 다시 읽을 수 있을 때까지 아무에게도 보여 주지 않습니다."
    )
    en = "The source no longer shows us this page ({reason}). Nobody is shown it until it can be read again."


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


class ParsingUnavailable(WikiError):
    """`reason`."""

    ko = "문서를 읽는 프로세스를 시작하지 못했습니다({reason}). 메모리 여유와 설치 상태를 확인해 주십시오. 이전 색인은 그대로 둡니다."
    en = "The process that reads pages did not start ({reason}). Check free memory and the installation. The previous edition stays."
