"""The parsing process with parsers that do what the page says (parsers.py), and what tests look at afterwards."""

from __future__ import annotations

import os

import pytest

from knowledge.errors import PageError
from knowledge.page import Document
from knowledge.parsing import ParsingProcess


class Misbehaving:
    """Asks a `ParsingProcess(parser="tests.fakes.parsers:obey")`."""

    def __init__(self, parsing: ParsingProcess) -> None:
        self.parsing = parsing

    def text(self, says: str) -> str:
        """The text of the page that says so."""
        return text_of(self.parsing.parse(says.encode(), "a.md"))

    def error(self, says: str) -> PageError:
        """What becomes of the page that says so."""
        with pytest.raises(PageError) as caught:
            self.parsing.parse(says.encode(), "a.md")
        return caught.value


def text_of(document: Document) -> str:
    """All blocks, a line each."""
    return "\n".join(block.text for section in document.sections for block in section.blocks)


def is_gone(pid: int) -> bool:
    """Neither running nor a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False
