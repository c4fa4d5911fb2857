"""Pieces of text as the writer makes them → whole sentences, as soon as each is certainly complete."""

from __future__ import annotations

import re

# A full stop after a digit is a date or a list number; a mark such as [1] may follow the full stop and belongs to it.
_END = re.compile(r"(?<![\d\s])[.!?。…]+[\"'”’)]*(?:\s*\[\d{1,2}(?:\s*,\s*\d{1,2})*\])*(?=\s+[^\s\[])|\n+")


class SentenceStream:
    """Feed pieces, take sentences. `rest` is what is left when the writer has ended."""

    def __init__(self) -> None:
        self._buffer = ""

    def feed(self, piece: str) -> list[str]:
        """Sentences that `piece` completed."""
        self._buffer += piece
        done: list[str] = []
        while (match := _END.search(self._buffer)) is not None:
            sentence = self._buffer[: match.end()].strip()
            self._buffer = self._buffer[match.end() :]
            if sentence:
                done.append(sentence)
        return done

    @property
    def rest(self) -> str:
        """The unfinished end."""
        return self._buffer.strip()
