"""What can go wrong with a wiki, one file for each branch.

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
        │   ├── ReadersNotTold          an export without restrictions where one with them was read before
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
        │   ├── ClosedPage              there, but no longer for us: nobody may read it as it was, either
        │   ├── AddressesLeft           a web site has more pages than its limits let in
        │   └── PageWithoutText
        ├── EditionError
        │   ├── NoEdition               nothing was published yet
        │   ├── BrokenEdition           a file is missing or its checksum differs
        │   ├── EditionMismatch         made with another embedder or tokeniser
        │   ├── UnknownEdition          lists those there are
        │   ├── EditionRefused          a check before publishing failed: the old edition stays
        │   ├── PagesReopened           going back would open pages again that were narrowed or deleted since
        │   ├── PublishFailed           disk full, permissions …: the old edition stays
        │   └── IndexBusy               another process is indexing
        ├── ParsingUnavailable          the parsing process does not start: the old edition stays
        └── SelfTestFailed              the Korean legs do not work on this machine

Messages are templates filled from typed keyword arguments, so that every error says what is wrong *and* what to do.
"""

from __future__ import annotations

from knowledge.errors.base import ExplainedError, WikiError
from knowledge.errors.editions import (
    BrokenEdition,
    EditionError,
    EditionMismatch,
    EditionRefused,
    IndexBusy,
    NoEdition,
    PagesReopened,
    PublishFailed,
    UnknownEdition,
)
from knowledge.errors.pages import (
    AddressesLeft,
    ClosedPage,
    LockedPage,
    OldFormat,
    PageError,
    PageTooHungry,
    PageTooLarge,
    PageTooLong,
    PageTooSlow,
    PageWithoutText,
    ParsingUnavailable,
    UnclearFrontMatter,
    UnknownFormat,
    UnreadablePage,
)
from knowledge.errors.search import BadGlossary, BrokenWeights, GlossaryError, SelfTestFailed, UnreadableGlossary
from knowledge.errors.sources import (
    AddressForbidden,
    BranchNotFound,
    BrokenExport,
    ChannelNotReadable,
    EmptyExport,
    EmptyWiki,
    EncryptedExport,
    ExportNotFound,
    GitMissing,
    NotARepository,
    ReadersNotTold,
    SourceDenied,
    SourceError,
    SourceFailed,
    SourceNotFound,
    SourcePartNotFound,
    SourceShrank,
    SourceUnreachable,
    SubfolderNotFound,
    TokenMissing,
    UnknownSource,
    UnknownSourceKind,
    WrongExport,
)

__all__ = [
    "AddressForbidden",
    "AddressesLeft",
    "BadGlossary",
    "BranchNotFound",
    "BrokenEdition",
    "BrokenExport",
    "BrokenWeights",
    "ChannelNotReadable",
    "ClosedPage",
    "EditionError",
    "EditionMismatch",
    "EditionRefused",
    "EmptyExport",
    "EmptyWiki",
    "EncryptedExport",
    "ExplainedError",
    "ExportNotFound",
    "GitMissing",
    "GlossaryError",
    "IndexBusy",
    "LockedPage",
    "NoEdition",
    "NotARepository",
    "OldFormat",
    "PageError",
    "PageTooHungry",
    "PageTooLarge",
    "PageTooLong",
    "PageTooSlow",
    "PageWithoutText",
    "PagesReopened",
    "ParsingUnavailable",
    "PublishFailed",
    "ReadersNotTold",
    "SelfTestFailed",
    "SourceDenied",
    "SourceError",
    "SourceFailed",
    "SourceNotFound",
    "SourcePartNotFound",
    "SourceShrank",
    "SourceUnreachable",
    "SubfolderNotFound",
    "TokenMissing",
    "UnclearFrontMatter",
    "UnknownEdition",
    "UnknownFormat",
    "UnknownSource",
    "UnknownSourceKind",
    "UnreadableGlossary",
    "UnreadablePage",
    "WikiError",
    "WrongExport",
]
