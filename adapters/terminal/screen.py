"""What the person at the terminal sees: text as it comes, and one passing line that says what is happening."""

from __future__ import annotations

from typing import TextIO

_ERASE, _DIM, _PLAIN = "\r\x1b[2K", "\x1b[2m", "\x1b[0m"


class Screen:
    """Prints to one stream. Every method raises what the stream raises: OSError when nobody reads, ValueError for its encoding."""

    def __init__(self, out: TextIO, *, transient: bool) -> None:
        """`transient`: `out` is a terminal, whose last line may be written over."""
        self._out = out
        self._transient = transient
        self._passing = False
        self._inside_line = False

    def status(self, text: str) -> None:
        """Until anything else is printed. Shown neither in a pipe nor in the middle of an answer."""
        if self._transient and not self._inside_line:
            self._print(f"{_ERASE}{_DIM}{text}{_PLAIN}")
            self._passing = True

    def write(self, text: str) -> None:
        """Go on where the last text ended."""
        if text:
            self._print((_ERASE if self._passing else "") + text)
            self._passing = False
            self._inside_line = not text.endswith("\n")

    def line(self, text: str) -> None:
        """A whole line of its own."""
        self.fresh_line()
        self.write(text + "\n")

    def fresh_line(self) -> None:
        """What comes next begins a line."""
        if self._inside_line:
            self.write("\n")

    def _print(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()
