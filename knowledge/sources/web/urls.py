"""Addresses of pages: one spelling for each, which of them belong to a site, and how a person reads them."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote_to_bytes, urljoin, urlsplit, urlunsplit

_MOST_CHARACTERS = 2000
_MOST_SEGMENTS = 24
_MOST_PARAMETERS = 12
_MOST_REPEATS = 3
_PORTS = {"http": 80, "https": 443}
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PATH_SAFE = "%/:@!$&'()*+,;=-._~"
_QUERY_SAFE = _PATH_SAFE + "?"
_SESSION_IN_PATH = re.compile(r";(?:jsessionid|sid)=[^/;]*", re.IGNORECASE)
_TRACKING = re.compile(r"utm_\w+|fbclid|gclid|msclkid|_ga", re.IGNORECASE)
_SESSION = re.compile(r"(?:php|asp)?_?sess(?:ion)?_?(?:id)?\w*|jsessionid|aspsessionid\w*|sid|cftoken", re.IGNORECASE)
_RANDOM = re.compile(r"(?=(?:\D*\d){4})[0-9A-Za-z]{16,}")
_DOING = frozenset({"action", "do", "cmd", "mode", "op"})
_DEEDS = frozenset(
    "edit delete remove create new move rename rollback revert undo protect watch unwatch login logout signin signout "
    "register history diff upload print purge raw export subscribe unsubscribe reply vote search submit".split()
)
_LAST_DEEDS = frozenset("login logout signin signout log-in log-out sign-in sign-out logoff register".split())
_NO_DOCUMENTS = frozenset(
    ".png .jpg .jpeg .gif .webp .svg .ico .bmp .tif .tiff .css .js .mjs .map .json .woff .woff2 .ttf .otf .eot .mp3 .mp4 "
    ".m4a .m4v .avi .mov .webm .wav .ogg .zip .gz .tgz .tar .7z .rar .exe .msi .dmg .iso .apk .rss .atom".split()
)


def normal(address: str, base: str | None = None) -> str | None:
    """The one spelling of `address` (a link on the page `base`); None for what is no web address.

    Lower-case host in ASCII (IDNA), no default port, user or fragment, `.` and `..` resolved, percent-encoding only where
    it is needed and in upper case, session numbers and tracking parameters left out. Idempotent.
    """
    address = re.sub(r"[\t\r\n]", "", address).strip("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0e\x0f \x1f")
    try:
        head, mark, query = address.partition("?")
        joined = head.replace("\\", "/") + mark + query
        parts = urlsplit(urljoin(base, joined) if base is not None else joined)
        port = parts.port
    except ValueError:
        return None
    scheme, host = parts.scheme.lower(), _host(parts.hostname)
    if scheme not in _PORTS or host is None or parts.username is not None or parts.password is not None or port == 0:
        return None
    place = host if port in (None, _PORTS[scheme]) else f"{host}:{port}"
    path = _without_dots(_encoded(_SESSION_IN_PATH.sub("", parts.path), _PATH_SAFE))
    normalised = urlunsplit((scheme, place, path, _query(parts.query), ""))
    return normalised if len(normalised) <= _MOST_CHARACTERS else None


def _host(host: str | None) -> str | None:
    if not host:
        return None
    host = unicodedata.normalize("NFC", host).rstrip(".").lower()
    if ":" in host:
        return f"[{host}]" if re.fullmatch(r"[0-9a-f:.]+", host) else None
    try:
        host = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    return host if re.fullmatch(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*", host) else None


def _encoded(text: str, safe: str) -> str:
    """`text` with each character percent-encoded exactly if it has to be. A stray `%` is encoded, too."""
    text = re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", text)

    def spelt(escape: re.Match[str]) -> str:
        char = chr(int(escape[1], 16))
        return char if char in _UNRESERVED else escape[0].upper()

    return quote(_ESCAPE.sub(spelt, text), safe=safe, errors="replace")


def _without_dots(path: str) -> str:
    """RFC 3986, 5.2.4, for an absolute path."""
    kept: list[str] = []
    segments = path.split("/")[1:] if path.startswith("/") else path.split("/")
    for number, segment in enumerate(segments):
        last = number == len(segments) - 1
        if segment == "..":
            kept = kept[:-1]
        elif segment != ".":
            kept.append(segment)
            continue
        if last:
            kept.append("")
    return "/" + "/".join(kept)


def _query(query: str) -> str:
    """In the order in which it was written: some servers mind it."""
    kept = []
    for part in query.split("&"):
        name, _, value = part.partition("=")
        session = _SESSION.fullmatch(name) and _RANDOM.fullmatch(value)
        if part and not _TRACKING.fullmatch(name) and not session:
            kept.append(_encoded(part, _QUERY_SAFE))
    return "&".join(kept)


def origin(url: str) -> str:
    """Scheme, host and port of a normal address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def sorted_query(url: str) -> str:
    """`url` with its parameters in order: what is the same page however it was linked."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query="&".join(sorted(parts.query.split("&")))))


@dataclass(frozen=True, slots=True)
class Scope:
    """All addresses that begin with `prefix`, a normal address that ends in `/`."""

    prefix: str

    @classmethod
    def of(cls, url: str, prefix: str) -> Scope:
        """`prefix` as in the settings; empty: the folder that the page `url` is in."""
        parts = urlsplit(prefix or url)
        path = parts.path if prefix and parts.path.endswith("/") else parts.path.rpartition("/")[0] + "/"
        if prefix and not parts.path.endswith("/"):
            path = parts.path + "/"
        return cls(urlunsplit((parts.scheme, parts.netloc, path, "", "")))

    def contains(self, url: str) -> bool:
        """`url`: a normal address. The prefix without its last slash counts, too."""
        return url.startswith(self.prefix) or url.partition("?")[0] == self.prefix[:-1]

    def readable(self, url: str) -> str:
        """The address below the prefix as a person would write it: decoded, NFC. A folder's own page is its `index`, so that
        patterns such as `hr/**` mean it, too."""
        path, mark, query = url[len(self.prefix) :].partition("?")
        segments = [_readable(segment, keep="/") for segment in path.split("/")]
        if not segments[-1]:
            segments[-1] = "index"
        return "/".join(segments) + mark + _readable(query.replace("+", " "), keep="")


def _readable(text: str, keep: str) -> str:
    """Percent-encoding undone: UTF-8, else CP949 as old Korean servers have it, else as it is."""
    raw = unquote_to_bytes(text)
    for encoding in ("utf-8", "cp949"):
        try:
            plain = unicodedata.normalize("NFC", raw.decode(encoding))
        except UnicodeDecodeError:
            continue
        return "".join(quote(char, safe="") if not char.isprintable() or char in keep else char for char in plain)
    return text


def worth_asking(url: str) -> bool:
    """Whether a normal address may be a page to read: not an image or archive, not a deed (log out, edit, delete: a link
    is followed with GET, but not every server means GET to be harmless), not one of endlessly many."""
    parts = urlsplit(url)
    segments = [segment for segment in parts.path.split("/") if segment]
    parameters = parse_qsl(parts.query, keep_blank_values=True)
    if len(segments) > _MOST_SEGMENTS or len(parameters) > _MOST_PARAMETERS:
        return False
    if segments:
        # A relative link on a page that answers under every path: /a/b/a/b/a/b…
        if max(Counter(segments).values()) > _MOST_REPEATS:
            return False
        last = segments[-1].lower()
        dot = last.rfind(".")
        if last in _LAST_DEEDS or (dot >= 0 and last[dot:] in _NO_DOCUMENTS):
            return False
    return not any(name.lower() in _DOING and value.lower() in _DEEDS for name, value in parameters)
