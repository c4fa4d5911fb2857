"""Questions as people mistype them, drawn with a fixed seed: for measuring what the search forgives.

- `slips`: a wrong, missing, shifted or swapped key in the longest word of Hangul, and in every fourth other one of three syllables or more
- `joined`: no spaces · `torn`: a space inside the longest word
- `layout`: the longest word of Hangul syllables typed with the keyboard in English
"""

from __future__ import annotations

import random
from typing import Literal, get_args

from knowledge.keyboard import is_hangul, keys_of, typed

Mistake = Literal["slips", "joined", "torn", "layout"]
MISTAKES: tuple[Mistake, ...] = get_args(Mistake)

_NEIGHBOURS = {
    key: row[max(0, i - 1) : i] + row[i + 1 : i + 2]
    for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm")
    for i, key in enumerate(row)
}


def mistyped(question: str, mistake: Mistake, drawn: random.Random) -> str:
    """The question with the mistake in it; as it is where there is no word for one."""
    if mistake == "joined":
        return "".join(question.split())
    words = question.split()
    hangul = [i for i, word in enumerate(words) if is_hangul(word.rstrip("?.!,")) and len(word) > 1]
    if not hangul:
        return question
    longest = max(hangul, key=lambda i: len(words[i]))
    for i in hangul:
        word = words[i].rstrip("?.!,")
        rest = words[i][len(word) :]
        if mistake == "slips" and (i == longest or (len(word) > 2 and drawn.random() < 0.25)):
            words[i] = _slipped(word, drawn) + rest
        elif i == longest and mistake == "torn":
            at = drawn.randrange(1, len(word))
            words[i] = f"{word[:at]} {word[at:]}{rest}"
        elif i == longest and mistake == "layout":
            words[i] = keys_of(word) + rest
    return " ".join(words)


def _slipped(word: str, drawn: random.Random) -> str:
    """One slip of the keys that leaves whole syllables; after twenty tries the word as it is."""
    keys = keys_of(word)
    for _ in range(20):
        at = drawn.randrange(len(keys))
        other = {
            "wrong": keys[:at] + drawn.choice(_NEIGHBOURS.get(keys[at].lower()) or keys[at]) + keys[at + 1 :],
            "missing": keys[:at] + keys[at + 1 :],
            "shifted": keys[:at] + keys[at].swapcase() + keys[at + 1 :],
            "swapped": keys[:at] + keys[at + 1 : at + 2] + keys[at] + keys[at + 2 :],
        }[drawn.choice(("wrong", "missing", "shifted", "swapped"))]
        slipped = typed(other)
        if is_hangul(slipped) and slipped != word:
            return slipped
    return word
