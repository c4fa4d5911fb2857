"""Text ↔ tokens of one loaded llama.cpp model.

Everything here only reads the model's vocabulary, which llama.cpp allows from any thread while the model computes.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Sequence
from typing import Any

from bot.writers.templates import Fragment


class Vocabulary:
    """`model`: a `llama_model *` that outlives this object."""

    def __init__(self, lib: Any, model: Any) -> None:
        self._lib = lib
        self._vocab = lib.llama_model_get_vocab(model)
        self.size: int = lib.llama_vocab_n_tokens(self._vocab)
        self._pieces: dict[int, bytes | None] = {}
        self._special_attributes = (
            lib.LLAMA_TOKEN_ATTR_CONTROL | lib.LLAMA_TOKEN_ATTR_UNKNOWN | lib.LLAMA_TOKEN_ATTR_USER_DEFINED
        )
        self.bos_text = self._text(lib.llama_vocab_bos(self._vocab))
        self.eos_text = self._text(lib.llama_vocab_eos(self._vocab))

    def piece(self, token: int) -> bytes | None:
        """The bytes of an output token (empty for control tokens); None when it ends the generation."""
        try:
            return self._pieces[token]
        except KeyError:
            found = None if self._lib.llama_vocab_is_eog(self._vocab, token) else self._bytes(token)
            self._pieces[token] = found
            return found

    def count(self, text: str) -> int:
        """Tokens of `text` as message content."""
        return len(self._tokenize(text, special=False))

    def prompt(self, fragments: Sequence[Fragment], *, add_bos: bool) -> list[int]:
        """Tokens of a prompt in which control tokens exist only where the template wrote them.

        llama.cpp cuts a text at the special tokens and tokenises the stretches between them. The same is done here, but only
        specials in the template's own fragments cut: so the result equals tokenising the whole prompt, except that control
        tokens inside people's text stay plain characters.
        """
        tokens: list[int] = []
        if add_bos and self._lib.llama_vocab_get_add_bos(self._vocab):
            tokens.append(self._lib.llama_vocab_bos(self._vocab))
        specials: set[str] = set()
        cut: list[tuple[int | None, str]] = []  # (token, "") or (None, plain text)
        plain = ""
        for fragment in fragments:
            if not fragment.ours:
                plain += fragment.text
                continue
            at = 0
            for token, text in self._specials_in(fragment.text):
                begin = fragment.text.find(text, at)
                if begin < 0:
                    continue
                specials.add(text)
                cut += [(None, plain + fragment.text[at:begin]), (token, "")]
                plain, at = "", begin + len(text)
            plain += fragment.text[at:]
        cut.append((None, plain))
        for special, text in cut:
            if special is not None:
                tokens.append(special)
            elif text:
                tokens += self._plain(text, specials)
        return tokens

    def plain(self, text: str) -> list[int]:
        """Tokens of `text` as the model itself would write it."""
        return self._tokenize(text, special=False)

    def _specials_in(self, text: str) -> list[tuple[int, str]]:
        found = []
        for token in self._tokenize(text, special=True):
            if self._is_special(token) and (name := self._text(token)):
                found.append((token, name))
        return found

    def _plain(self, text: str, specials: set[str]) -> list[int]:
        """Tokens of plain text, guaranteed free of control tokens and of the template's own markers.

        `special=False` already sees to control tokens. It does not for markers that a model's author declared as ordinary
        added tokens (some ChatML fine-tunes do), so a text with such a marker is cut inside the marker.
        """
        tokens = self._tokenize(text, special=False)
        unwanted = specials | {self._text(t) for t in set(tokens) if self._lib.llama_vocab_is_control(self._vocab, t)}
        unwanted.discard("")
        if not any(self._is_special(t) and self._text(t) in unwanted for t in set(tokens)):
            return tokens
        marker = re.compile("|".join(f"(?<={re.escape(m[0])})(?={re.escape(m[1:])})" for m in unwanted if len(m) > 1))
        safe = [t for part in marker.split(text) for t in self._tokenize(part, special=False)]
        return [t for t in safe if not (self._is_special(t) and self._text(t) in unwanted)]

    def _is_special(self, token: int) -> bool:
        return bool(self._lib.llama_vocab_get_attr(self._vocab, token) & self._special_attributes)

    def _text(self, token: int) -> str:
        if token < 0:
            return ""
        return bytes(self._lib.llama_vocab_get_text(self._vocab, token) or b"").decode("utf-8", "replace")

    def _bytes(self, token: int) -> bytes:
        room = 64
        while True:
            buffer = ctypes.create_string_buffer(room)
            written: int = self._lib.llama_token_to_piece(self._vocab, token, buffer, room, 0, False)
            if written >= 0:
                return buffer.raw[:written]
            room = -written

    def _tokenize(self, text: str, *, special: bool) -> list[int]:
        data = text.encode("utf-8", "replace")  # a lone surrogate from a chat platform must not fail the answer
        room = len(data) + 8  # a token is hardly ever less than a byte
        while True:
            buffer = (ctypes.c_int32 * room)()
            count: int = self._lib.llama_tokenize(self._vocab, data, len(data), buffer, room, False, special)
            if count >= 0:
                return buffer[:count]
            room = -count
