"""A repository elsewhere → the newest commit of a branch in a bare, shallow repository of our own."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from knowledge.errors import BranchNotFound, SourceDenied, SourceError, SourceUnreachable
from knowledge.sources.git.program import Git, GitFailed

_FETCH_SECONDS = 1800.0
_TIP = "refs/saseo/tip"
_DENIED = re.compile(
    r"authentication failed|could not read (?:username|password)|permission denied|access denied|not authorized"
    r"|host key verification failed|returned error: 40[13]|repository (?:.{0,200} )?not found|dubious ownership",
    re.IGNORECASE,
)
_NO_BRANCH = re.compile(r"couldn't find remote ref", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Tip:
    """The newest commit of a branch. `git`: where it can be read."""

    git: Git
    commit: str
    branch: str


class Remote:
    """`url` as in the settings; `home`: where the repository of our own is kept between runs."""

    def __init__(self, source: str, url: str, token: str | None, home: Path) -> None:
        self._source = source
        self._url = url
        self._folder = home / "repository.git"
        self._git = Git(self._folder, protocols=_protocols(url), url=url, token=token)

    @property
    def address(self) -> str:
        """Without the user's name."""
        return re.sub(r"(://)[^/@]*@", r"\1", self._url)

    def fetch(self, branch: str) -> Tip:
        """Raises SourceUnreachable, SourceDenied or BranchNotFound."""
        self._prepare()
        try:
            wanted, branch, commit = self._newest(branch)
            if self._kept() != commit:
                self._download(wanted)
            return Tip(self._git, commit, branch)
        except GitFailed as error:
            raise self._explained(error, branch) from error

    def _newest(self, branch: str) -> tuple[str, str, str]:
        """What to ask for, the branch's name, and its newest commit."""
        wanted = f"refs/heads/{branch}" if branch else "HEAD"
        listing = self._git.run("ls-remote", "--symref", "--", self._url, wanted, seconds=_FETCH_SECONDS).decode()
        name, commit = branch, ""
        for line in listing.splitlines():
            value, _, ref = line.partition("\t")
            if ref == wanted and value.startswith("ref: refs/heads/"):
                name = value.removeprefix("ref: refs/heads/")
            elif ref == wanted:
                commit = value
        if not re.fullmatch("[0-9a-f]{40,64}", commit):
            raise BranchNotFound(name=self._source, branch=branch or "HEAD", address=self.address)
        return wanted, name or commit, commit

    def _kept(self) -> str:
        try:
            return self._git.run("rev-parse", "--verify", "--quiet", f"{_TIP}^{{commit}}").decode().strip()
        except GitFailed:
            return ""

    def _download(self, wanted: str) -> None:
        """A run that was killed leaves locks and half a pack behind; then the repository is made anew once."""
        asked = ("fetch", "--quiet", "--depth=1", "--no-tags", "--force", "--", self._url, f"+{wanted}:{_TIP}")
        try:
            self._git.run(*asked, seconds=_FETCH_SECONDS)
        except GitFailed as error:
            if not re.search(
                r"\.lock'?: File exists|unable to (?:create|read)|corrupt|bad object|shallow", error.words
            ):
                raise
            shutil.rmtree(self._folder, ignore_errors=True)
            self._prepare()
            self._git.run(*asked, seconds=_FETCH_SECONDS)

    def _prepare(self) -> None:
        if (self._folder / "HEAD").is_file():
            return
        self._folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(mode=0o700)
        try:
            self._git.run("init", "--quiet", "--bare", "--template=", ".")
        except GitFailed as error:
            raise SourceUnreachable(name=self._source, address=self.address, reason=error.reason) from error

    def _explained(self, error: GitFailed, branch: str) -> SourceError:
        if _NO_BRANCH.search(error.words):
            return BranchNotFound(name=self._source, branch=branch or "HEAD", address=self.address)
        kind = SourceDenied if _DENIED.search(error.words) else SourceUnreachable
        return kind(name=self._source, address=self.address, reason=error.reason)


def _protocols(url: str) -> str:
    return "file" if urlsplit(url).scheme == "file" else "https:http:ssh"
