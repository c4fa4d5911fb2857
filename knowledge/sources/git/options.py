"""The keys of a `[[sources]]` table of kind "git"."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

_SCP = re.compile(r"(?:[\w.-]+@)?[\w.-]+:(?!//)\S+")  # git@git.example.com:team/wiki.git
_LINK_PARTS = frozenset({"branch", "commit", "path"})


@dataclass(frozen=True, slots=True)
class GitOptions:
    """`path` (a clone or bare repository on this machine) or `url` (https, ssh, file): one of them.

    `branch`: empty means the repository's own default. `subfolder`: read only what is below it. `web_url`: how pages are
    linked, with {branch}, {commit} and {path}. `token_env`: the environment variable with the token for an https URL.
    """

    path: Path | None = None
    url: str = ""
    branch: str = ""
    subfolder: str = ""
    web_url: str = ""
    token_env: str = ""

    def __post_init__(self) -> None:
        """Raises ValueError: the settings then name the table."""
        if (self.path is None) == (not self.url):
            raise ValueError("give either path or url")
        if self.url:
            _check_url(self.url, secret=bool(self.token_env))
        elif self.token_env:
            raise ValueError("token_env belongs to a url, not to a path")
        if re.search(r"^-|[\s\x00-\x1f~^:?*\[\\]|\.\.|@\{", self.branch):
            raise ValueError("branch is not the name of a branch")
        if ".." in self.subfolder.replace("\\", "/").split("/"):
            raise ValueError("subfolder must stay inside the repository")
        if self.web_url:
            _check_template(self.web_url)


def _check_url(url: str, *, secret: bool) -> None:
    if _SCP.fullmatch(url) and not url.startswith("-"):
        if secret:
            raise ValueError("token_env works with https only; ssh uses its key")
        return
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http", "ssh", "file") or re.search(r"[\s\x00-\x1f]", url):
        raise ValueError("url must begin with https://, ssh:// or file://")
    if parts.scheme != "file" and (not parts.hostname or parts.hostname.startswith("-")):
        raise ValueError("url names no host")
    if parts.password is not None:
        raise ValueError("url must not hold a password or token: name the variable that holds it in token_env")
    loopback = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if secret and parts.scheme != "https" and not (parts.scheme == "http" and loopback):
        raise ValueError("token_env works with https only")


def _check_template(template: str) -> None:
    fields = {field for _, field, _, _ in string.Formatter().parse(template) if field is not None}
    if not fields <= _LINK_PARTS or "path" not in fields:
        raise ValueError("web_url is written with {path} and, if wanted, {branch} and {commit}")
    if urlsplit(template).scheme not in ("http", "https"):
        raise ValueError("web_url must begin with https:// or http://")
