"""The keys of a `[[sources]]` table of kind "web"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from knowledge.sources.web.urls import Scope, normal

_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]*")


@dataclass(frozen=True, slots=True)
class WebOptions:
    """`url`: where the crawl begins. `sitemap`: the address of a sitemap; its pages are read instead of following links.

    `prefix`: addresses outside it are never asked for; empty: the folder of `url`. `max_pages`: addresses asked for in one
    run, `max_depth`: links between the start and a page. `max_minutes`, `max_total_mb`: of one run; `max_file_mb`: of a page.
    `allow_private`: the site may have an address of the company's own network. `token_env`: the environment variable that
    holds a token; `auth`: how it is sent ("bearer", "basic" for user:password, or the name of a header).
    """

    url: str
    sitemap: str = ""
    prefix: str = ""
    max_pages: int = 2000
    max_depth: int = 10
    max_minutes: float = 60.0
    max_file_mb: int = 50
    max_total_mb: int = 2000
    requests_per_second: float = 2.0
    allow_private: bool = False
    user_agent: str = "SaseoBot"
    token_env: str = ""
    auth: str = "bearer"

    def __post_init__(self) -> None:
        """Raises ValueError: the settings then name the table."""
        for name, address in (("url", self.url), ("sitemap", self.sitemap), ("prefix", self.prefix)):
            if address or name == "url":
                _check_address(name, address)
        if not self.scope.contains(self.start):
            raise ValueError("url must lie below prefix")
        for name in ("max_pages", "max_minutes", "max_file_mb", "max_total_mb", "requests_per_second"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0")
        if self.max_depth < 0:
            raise ValueError("max_depth must not be negative")
        if not re.fullmatch(r"[!-~][ -~]*", self.user_agent):
            raise ValueError("user_agent must be plain ASCII")
        if not _HEADER.fullmatch(self.auth):
            raise ValueError('auth must be "bearer", "basic" or the name of a header')
        if self.token_env:
            for address in (self.url, self.prefix):
                parts = urlsplit(address)
                if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
                    raise ValueError("token_env works with https only")

    @property
    def start(self) -> str:
        """`url` in its one spelling."""
        return normal(self.url) or self.url

    @property
    def scope(self) -> Scope:
        """What belongs to the site."""
        return Scope.of(self.start, normal(self.prefix) or "")


def _check_address(name: str, address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{name} must begin with https:// or http://")
    if normal(address) is None and parts.username is None:
        raise ValueError(f"{name} is not a valid address")
    if parts.username is not None or parts.password is not None:
        raise ValueError(f"{name} must not hold a user or password: name the variable that holds them in token_env")
