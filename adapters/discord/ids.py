"""The ids that buttons and forms carry (at most 100 characters). They hold keys of the store, never text or a person.

A button must work in a process that did not post it, so its id is all the state there is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

ANSWER = r"(?P<answer>[0-9a-f]{16})"
VOTE = rf"saseo:vote:{ANSWER}:(?P<question>[0-9a-z]{{1,32}}):(?P<direction>up|down)"
CALL = rf"saseo:call:{ANSWER}:(?P<stage>ask|now)"
SHARE = rf"saseo:share:{ANSWER}"
SOLVE = r"saseo:solve:(?P<escalation>[0-9a-f]{16})"
WHY_FORM = rf"saseo:why:{ANSWER}"
SOLVE_FORM = r"saseo:solved:(?P<escalation>[0-9a-f]{16})"


def vote(answer: str, question: str, direction: str) -> str:
    """A thumb's id. It also marks the message as the finished answer to `question`."""
    return f"saseo:vote:{answer}:{question}:{direction}"


def call(answer: str, stage: str) -> str:
    """`ask`: warn first that a private question becomes public; `now`: call."""
    return f"saseo:call:{answer}:{stage}"


def share(answer: str) -> str:
    """The button under a private answer."""
    return f"saseo:share:{answer}"


def solve(escalation: str) -> str:
    """The button under a call for help."""
    return f"saseo:solve:{escalation}"


def why_form(answer: str) -> str:
    """The form after a thumb down."""
    return f"saseo:why:{answer}"


def solve_form(escalation: str) -> str:
    """The form behind `solve`."""
    return f"saseo:solved:{escalation}"


def carried(components: Any) -> Iterator[str]:
    """Every custom id in a message's components, however deep."""
    for component in components:
        own = getattr(component, "custom_id", None)
        if own:
            yield own
        yield from carried(getattr(component, "children", ()))


def answers(components: Any, question: str) -> bool:
    """Whether a message with these components is the finished answer to `question`."""
    return any(f":{question}:" in one for one in carried(components) if one.startswith("saseo:vote:"))


def shows(components: Any, answer: str) -> bool:
    """Whether a message with these components shows `answer` to be rated: in reply to its question, or shared."""
    return any(one.startswith(f"saseo:vote:{answer}:") for one in carried(components))
