"""What answered before what answers now. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.store.releases import Release

BACK = ("rollback", "watch", "mark")
"""Actions that take away what answers."""


def standing(history: Sequence[Release], default: str) -> list[str]:
    """What was promoted, one upon the other; the last answers now. Going back takes away what lies above.

    `default` answers before the first release: a shipped LoRA's name, or `none`. So two rollbacks go back two steps, not there and back.
    """
    stack = [default]
    for row in history:
        if row.lora == stack[-1]:
            continue
        if row.action not in BACK:
            stack.append(row.lora)
        elif row.lora in stack:
            del stack[len(stack) - stack[::-1].index(row.lora) :]
        else:  # what answered before the first release then: another one came with that version
            stack = [row.lora]
    return stack


def before(history: Sequence[Release], default: str, usable: Callable[[str], bool]) -> str | None:
    """The nearest earlier one that may answer; None when there is none."""
    stack = standing(history, default)
    return next((name for name in reversed(stack[:-1]) if name != stack[-1] and usable(name)), None)


def answering_since(history: Sequence[Release]) -> float:
    """When what answers now began to (seconds since the epoch); 0 when it always did."""
    since = 0.0
    for row in reversed(history):
        if row.lora != history[-1].lora:
            break
        since = row.at
    return since
