"""From token bytes to clean text: whole characters only, stop strings never shown, loops noticed."""

from __future__ import annotations

import codecs
from collections.abc import Iterable


class TextStream:
    """Turns bytes that arrive in arbitrary cuts into text that can be shown at once.

    * A character is given out only when all its bytes are there (a Korean syllable is often two or three tokens). Bytes that
      can never become a character are dropped, so no U+FFFD reaches a person.
    * White space before the first word is dropped.
    * Text that may be the beginning of a stop string is held back until that is decided.
    """

    def __init__(self, stops: Iterable[str] = ()) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._longest = max((len(stop) for stop in self._stops), default=0)
        self._decoder = codecs.getincrementaldecoder("utf-8")("ignore")
        self._held = ""
        self._begun = False
        self.stopped = False
        """A stop string came. Nothing is given out any more."""

    def feed(self, data: bytes) -> str:
        """The text that `data` completes; often empty."""
        return self._advance(self._decoder.decode(data))

    def finish(self) -> str:
        """What was held back, after the last byte."""
        rest = self._advance(self._decoder.decode(b"", final=True))
        if not self.stopped:
            rest, self._held = rest + self._held, ""
        return rest

    def _advance(self, text: str) -> str:
        if self.stopped or not text:
            return ""
        if not self._begun:
            text = text.lstrip()
            if not text:
                return ""
            self._begun = True
        if not self._stops:
            return text
        self._held += text
        found = [at for stop in self._stops if (at := self._held.find(stop)) >= 0]
        if found:
            self.stopped = True
            ready, self._held = self._held[: min(found)], ""
            return ready
        keep = self._undecided()
        ready = self._held[: len(self._held) - keep]
        self._held = self._held[len(ready) :]
        return ready

    def _undecided(self) -> int:
        """Length of the longest end of the held text that begins a stop string."""
        for length in range(min(self._longest - 1, len(self._held)), 0, -1):
            end = self._held[-length:]
            if any(stop.startswith(end) for stop in self._stops):
                return length
        return 0


class LoopGuard:
    """Notices when the output only repeats itself, which small models do now and then for as long as they are let.

    A loop is a token sequence of up to `longest` tokens that has come at least three times in a row and fills at least
    `least` tokens beyond its first time; a table rule or a short list stays below that.
    """

    def __init__(self, *, longest: int = 96, least: int = 32) -> None:
        self._least = least
        self._runs = [0] * (longest + 1)  # runs[p]: for how many tokens each has equalled the one p before it
        self._tokens: list[int] = []

    def looping(self, token: int) -> bool:
        """Take the next token; True when a loop is complete."""
        tokens, runs = self._tokens, self._runs
        tokens.append(token)
        count = len(tokens)
        looped = False
        for period in range(1, min(len(runs), count)):
            if tokens[count - 1 - period] == token:
                runs[period] += 1
                if runs[period] >= self._least and runs[period] >= 2 * period:
                    looped = True
            else:
                runs[period] = 0
        return looped
