"""The files of one branch of a git repository: on this machine, or fetched from a URL."""

from __future__ import annotations

import datetime as dt
import functools
import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from knowledge.errors import (
    BranchNotFound,
    GitMissing,
    NotARepository,
    SourceNotFound,
    SubfolderNotFound,
    TokenMissing,
)
from knowledge.page import Audience
from knowledge.sources.base import SourceFile
from knowledge.sources.git.dates import LastChanges
from knowledge.sources.git.options import GitOptions
from knowledge.sources.git.program import Git, GitFailed
from knowledge.sources.git.remote import Remote, Tip
from knowledge.sources.git.repository import Blob, Contents, blobs
from knowledge.sources.kinds import SourceConfig
from knowledge.sources.listing import Selection, unreadable


class GitSource:
    """Every known file of the branch's newest commit, without a checkout; what is not committed is not read.

    A file's version is its blob's hash, so an unchanged one is not even read again. Symbolic links and submodules are
    skipped. `path` of a page counts from `subfolder`.
    """

    def __init__(self, config: SourceConfig, options: GitOptions) -> None:
        self.name = config.name
        self.audience: Audience = config.audience
        self._options = options
        self._home = config.home
        self._selection = Selection(config.include, config.exclude)
        self._changes = LastChanges(config.home / "dates.json")

    def files(self) -> Iterator[SourceFile]:
        """Raises GitMissing, TokenMissing, SourceNotFound, NotARepository, BranchNotFound, SubfolderNotFound,
        SourceUnreachable or SourceDenied at once."""
        if not Git.installed():
            raise GitMissing(name=self.name)
        tip = self._tip()
        try:
            wanted = list(self._wanted(tip))
            days = self._changes.of(tip.git, tip.commit, [blob for _, blob in wanted])
        except GitFailed as error:
            raise NotARepository(name=self.name, path=self._options.path or self._options.url) from error
        return self._listed(wanted, tip, days)

    def _listed(self, wanted: list[tuple[str, Blob]], tip: Tip, days: dict[str, dt.date]) -> Iterator[SourceFile]:
        contents = Contents(tip.git)
        seen: set[str] = set()
        for path, blob in wanted:
            if path in seen:
                yield unreadable(path, "another file has the same name in another Unicode form")
                continue
            seen.add(path)
            yield SourceFile(
                path,
                url=self._link(blob, tip),
                modified=days.get(blob.path),
                size=blob.size,
                read=functools.partial(contents.read, blob.sha),
                version=blob.sha,
            )

    def _wanted(self, tip: Tip) -> Iterator[tuple[str, Blob]]:
        below = unicodedata.normalize("NFC", self._options.subfolder.replace("\\", "/")).strip("/")
        prefix = f"{below}/" if below else ""
        found = False
        for blob in sorted(blobs(tip.git, tip.commit), key=lambda blob: (blob.path, blob.name)):
            if not blob.path.startswith(prefix):
                continue
            found = True
            path = blob.path[len(prefix) :]
            if self._selection.wants(path):
                yield path, blob
        if prefix and not found:
            raise SubfolderNotFound(name=self.name, subfolder=below)

    def _tip(self) -> Tip:
        if self._options.path is None:
            return Remote(self.name, self._options.url, self._token(), self._home).fetch(self._options.branch)
        return self._local(self._options.path)

    def _token(self) -> str | None:
        if not self._options.token_env:
            return None
        token = os.environ.get(self._options.token_env, "").strip()
        if not token:
            raise TokenMissing(name=self.name, variable=self._options.token_env)
        return token

    def _local(self, path: Path) -> Tip:
        try:
            folder = path.resolve(strict=True)
            os.scandir(folder).close()
        except (OSError, RuntimeError) as error:
            raise SourceNotFound(name=self.name, path=path) from error
        git = Git(folder)
        try:
            git.run("rev-parse", "--git-dir")
        except GitFailed as error:
            raise NotARepository(name=self.name, path=path) from error
        branch = self._options.branch
        for ref in (f"refs/heads/{branch}", f"refs/remotes/origin/{branch}") if branch else ("HEAD",):
            try:
                commit = git.run("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}").decode().strip()
            except GitFailed:
                continue
            return Tip(git, commit, branch or _current(git) or commit)
        raise BranchNotFound(name=self.name, branch=branch or "HEAD", address=path)

    def _link(self, blob: Blob, tip: Tip) -> str | None:
        template = self._options.web_url
        if not template:
            return None
        return template.format(branch=quote(tip.branch, safe="/"), commit=tip.commit, path=quote(blob.name))


def _current(git: Git) -> str:
    """The branch that HEAD names; empty where it names a commit."""
    try:
        return git.run("symbolic-ref", "--quiet", "--short", "HEAD").decode().strip()
    except GitFailed:
        return ""
