"""A fact of the wiki that a question can be asked about. Frozen data only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from knowledge.page import Passage

FactKind = Literal["number", "cell", "rows", "faq", "steps", "who", "yes_no"]
"""`number`: a quantity in a sentence. `cell`: one cell of a table; `rows`: the same column of two rows. `faq`: a question that
the page itself answers. `steps`: how something is done. `who`: a team, role or place. `yes_no`: whether something may be."""


@dataclass(frozen=True, slots=True)
class Fact:
    """What may be asked, and what the passage says to it. Sentences are in 합니다체 and without a full stop."""

    kind: FactKind
    passage: Passage
    lines: tuple[str, ...]
    """Of the passage, word for word: what must be shown for the answer to rest on it."""
    asking: str
    """A statement with a question word where the answer stands ("두물은 몇 층에 있습니다"); for `faq` the page's own question."""
    answer: tuple[str, ...]
    """One sentence or two."""
    value: str = ""
    """What the question word stands for, as written; empty where the whole sentence is the answer."""
    topic: str = ""
    """Put in front when the question alone would not say what it is about ("국내 출장")."""
    brief: str = ""
    """The question in a few words ("두물 몇 층"); empty: there is no natural one."""
