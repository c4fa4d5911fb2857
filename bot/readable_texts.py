"""`[web] texts`: of which questions and answers the words are shown. The one rule of the console, of gaps and of searches."""

from __future__ import annotations

from typing import Literal

Texts = Literal["all", "shared", "none"]
"""`shared`: those that only the asker saw are left out."""


def readable(texts: Texts, *, private: bool) -> bool:
    """Whether the words of a question, its answer and what was said of it are shown. `private`: only the asker saw the answer."""
    return texts == "all" or (texts == "shared" and not private)
