"""Going back goes to what answered before, two steps when it is done twice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.releases.past import answering_since, before, standing
from bot.store.releases import Action, Release


def rows(*steps: tuple[Action, str]) -> list[Release]:
    return [Release(n, "b", lora, action, "auto", float(n)) for n, (action, lora) in enumerate(steps, start=1)]


def everything(_: str) -> bool:
    return True


def test_nothing_was_before_the_first() -> None:
    assert standing([], "none") == ["none"]
    assert before([], "none", everything) is None


def test_two_rollbacks_go_back_two_steps() -> None:
    history = rows(("promote", "a"), ("promote", "b"), ("promote", "c"))
    assert before(history, "none", everything) == "b"
    history += rows(("rollback", "b"))
    assert before(history, "none", everything) == "a"
    history += rows(("watch", "a"))
    assert before(history, "none", everything) == "none"
    history += rows(("rollback", "none"))
    assert before(history, "none", everything) is None


def test_after_going_back_the_next_promotion_stands_on_what_was_left() -> None:
    history = rows(("promote", "a"), ("promote", "b"), ("rollback", "a"), ("promote", "c"))
    assert standing(history, "starter") == ["starter", "a", "c"]
    assert before(history, "starter", everything) == "a"


def test_going_back_to_what_came_with_an_earlier_version_leaves_nothing_before_it() -> None:
    history = rows(("promote", "a"), ("rollback", "starter-1"), ("promote", "b"))
    assert standing(history, "starter-2") == ["starter-1", "b"]


def test_what_may_not_answer_is_passed_over() -> None:
    history = rows(("promote", "a"), ("promote", "b"), ("promote", "a"), ("promote", "c"))
    assert before(history, "none", lambda name: name != "a") == "b"
    assert before(history[:3], "none", lambda name: name != "b") == "none"


def test_a_canary_changes_nothing_of_what_was_before() -> None:
    history = rows(("promote", "a"), ("promote", "b"), ("canary", "b"), ("rollback", "b"))
    assert standing(history, "none") == ["none", "a", "b"]


def test_what_answers_has_done_so_since_it_was_promoted_canaries_aside() -> None:
    history = rows(("promote", "a"), ("promote", "b"), ("canary", "b"), ("rollback", "b"))
    assert answering_since(history) == 2.0
    assert answering_since([]) == 0.0


@given(st.lists(st.one_of(st.sampled_from("abc"), st.just("<")), max_size=30))
def test_going_back_is_the_inverse_of_promoting(steps: list[str]) -> None:
    """Against a plain stack."""
    history: list[Release] = []
    stack = ["none"]
    for step in steps:
        if step == "<":
            to = before(history, "none", everything)
            assert to == (stack[-2] if len(stack) > 1 else None)
            if to is None:
                continue
            stack.pop()
            history += rows(("rollback", to))
        elif step != stack[-1]:
            stack.append(step)
            history += rows(("promote", step))
        assert standing(history, "none") == stack
