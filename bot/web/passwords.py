"""Passwords of the console → Argon2id hashes (RFC 9106), with argon2-cffi's defaults. Slow on purpose: call off the event loop."""

from __future__ import annotations

LEAST = 10
"""Characters."""


def hashed(password: str) -> str:
    """For the store."""
    from argon2 import PasswordHasher

    return PasswordHasher().hash(password)


def right(stored: str, password: str) -> bool:
    """Whether it is the password. An empty `stored` costs the same time and is wrong: the clock does not tell which names exist."""
    from argon2 import PasswordHasher
    from argon2.exceptions import InvalidHashError, VerificationError

    hasher = PasswordHasher()
    try:
        return hasher.verify(stored or _nobody(), password) and bool(stored)
    except (VerificationError, InvalidHashError):
        return False


def _nobody() -> str:
    """A hash that no password has, with the default parameters."""
    salt, digest = "c2FzZW9zYXNlb3Nhc2Vv", "A" * 43
    return f"$argon2id$v=19$m=65536,t=3,p=4${salt}${digest}"
