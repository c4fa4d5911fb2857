"""Whom rows name: HMAC-SHA256 of `Person.key` under a key that only this installation has, never the platform's id itself.

The key lies in `<data_dir>/privacy.key` (0600) or comes from SASEO_PRIVACY_KEY, apart from the store and from its backups: whoever has
the rows alone cannot tell whose they are, nor find out by trying every id.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from bot.errors import PrivacyKeyUnusable

VARIABLE = "SASEO_PRIVACY_KEY"
FILE = "privacy.key"
_LEAST_CHARACTERS = 32
_FORM = re.compile(r"p:[0-9a-f]{32}")


class Pseudonyms:
    """`Person.key` → how rows name the person. The same person always gets the same one."""

    def __init__(self, key: bytes) -> None:
        """`key`: a secret of at least 32 characters."""
        self._key = key

    def of(self, person: str) -> str:
        """`p:` and 32 hexadecimal characters. What is a pseudonym already, or names nobody, stays as it is."""
        if not person or is_pseudonym(person):
            return person
        return f"p:{hmac.new(self._key, person.encode(), hashlib.sha256).hexdigest()[:32]}"

    def sign(self, text: str) -> str:
        """Only who has the key can write this for `text`."""
        return hmac.new(self._key, b"report:" + text.encode(), hashlib.sha256).hexdigest()

    @property
    def mark(self) -> str:
        """Tells keys apart without telling the key: kept in the store, so that another key is noticed at the start."""
        return hmac.new(self._key, b"which key is this", hashlib.sha256).hexdigest()[:16]


def is_pseudonym(person: str) -> bool:
    """Whether this is how rows name somebody."""
    return _FORM.fullmatch(person) is not None


def open_pseudonyms(data_dir: Path, environment: Mapping[str, str] = os.environ) -> Pseudonyms:
    """With the key of the environment, else that of the file, which is made when there is none. Raises PrivacyKeyUnusable."""
    given = environment.get(VARIABLE, "").strip()
    if given:
        return _with(given, VARIABLE)
    file = data_dir / FILE
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        made = data_dir / f".{FILE}-{secrets.token_hex(4)}"
        if not file.exists():
            descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as writing:
                writing.write(secrets.token_hex(32) + "\n")
                writing.flush()
                os.fsync(writing.fileno())
            try:
                os.link(made, file)  # unlike a rename never over the key that another process has just made
            except FileExistsError:
                pass
            finally:
                made.unlink()
        return _with(file.read_text(encoding="ascii").strip(), str(file))
    except (OSError, UnicodeDecodeError) as error:
        raise PrivacyKeyUnusable(
            where=str(file), reason=getattr(error, "strerror", None) or type(error).__name__
        ) from error


def _with(key: str, where: str) -> Pseudonyms:
    if len(key) < _LEAST_CHARACTERS:
        raise PrivacyKeyUnusable(where=where, reason=f"< {_LEAST_CHARACTERS} characters")
    return Pseudonyms(key.encode())
