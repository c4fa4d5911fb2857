"""Which addresses may become links."""

from __future__ import annotations

from urllib.parse import quote, urlsplit, urlunsplit

LONGEST = 2_000
"""Characters. Slack refuses button urls beyond 3,000 and Discord a message beyond 2,000."""

# All of RFC 3986's characters that mean nothing to a Markdown or mention parser. Encoded although legal: `*` `(` `)` (Markdown),
# `@` (`/@everyone` in a path pings on Discord), `;` (ends an entity), `[` `]`, `!`, `'`. `%` is dealt with apart.
_PATH = "/:%+,=$-._~"
_QUERY = _PATH + "?&"


def safe_url(url: str | None) -> str | None:
    """`url` as it may stand inside a link, or None.

    Only absolute http(s) with a host, without credentials, control characters, blanks or backslashes. What a Markdown or mention
    parser could take for its own comes back percent-encoded, which names the same page; the result passes unchanged through here.
    """
    if not url or len(url) > LONGEST or "\\" in url or any(one.isspace() or not one.isprintable() for one in url):
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc:
            return None
        host = host.encode("idna").decode("ascii")
    except ValueError:  # UnicodeError too: no such port, no such host
        return None
    if not all(one.isascii() and (one.isalnum() or one in ".-_") for one in host):
        return None  # also an IPv6 address, whose brackets would end the link's text
    netloc = host if port is None else f"{host}:{port}"
    path, query, fragment = (
        _encoded(parts.path, _PATH),
        _encoded(parts.query, _QUERY),
        _encoded(parts.fragment, _QUERY),
    )
    safe = urlunsplit((parts.scheme, netloc, path, query, fragment))
    return safe if len(safe) <= LONGEST else None


def _encoded(part: str, keep: str) -> str:
    """Percent-encode; what is encoded already stays, a `%` that encodes nothing becomes `%25`."""
    pieces = quote(part, safe=keep).split("%")
    return pieces[0] + "".join(
        ("%" if len(one) >= 2 and all(c in "0123456789abcdefABCDEF" for c in one[:2]) else "%25") + one
        for one in pieces[1:]
    )
