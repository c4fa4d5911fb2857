"""What people said becomes examples with the exact parts of the prompt."""

from __future__ import annotations

from dataclasses import replace

from bot import prompts
from bot.conversation import Person
from bot.examples.build import Candidates, candidates
from bot.messages import Citation, Outcome, Shown
from bot.store import escalations
from bot.store.database import Store
from bot.store.feedback import first_seen, said
from tests.bot.examples.rows import (
    KIM,
    LEAVE,
    LEE,
    NOW,
    PARK,
    VPN,
    FakeGrounding,
    FakePages,
    answer,
    answered,
    mask,
    vote,
)


def built(store: Store, *closed: str) -> Candidates:
    return candidates(store.run_now(said), FakePages(*closed), FakeGrounding(), mask, now=NOW)


def test_a_question_that_the_prompt_cut_gives_no_example(store: Store) -> None:
    # The cut goes through the number, and of half a number no mask knows what it is.
    text = f"{'연차 ' * 163}010-1234-5678"
    vote(store, answered(store, "1", text=text), LEE, "down", correction=f"{VPN} [1]")
    made = built(store)
    assert (made.examples, made.skipped["too_long"]) == ([], 1)


def test_a_liked_answer_is_taught_with_the_marks_of_its_prompt(store: Store) -> None:
    name = answered(store, "1")
    for person in (KIM, LEE):
        vote(store, name, person)
    (one,) = built(store).examples
    assert (one.kind, one.question, one.state) == ("liked", "연차는 며칠입니까?", "pending")
    assert one.answer == f"{LEAVE} [2]"  # source 1 of the message was passage 2 of the prompt
    assert [(each.context, each.text) for each in one.passages] == [("VPN", VPN), ("연차", LEAVE)]
    assert (one.model, one.lora, one.edition, one.prompt) == ("m", "l", "e", "p")
    assert (one.asker, one.people, one.origins, one.problems) == (KIM.key, (KIM.key, LEE.key), (name,), ())


def test_a_thumb_down_teaches_nothing_but_what_not_to_write(store: Store) -> None:
    vote(store, answered(store, "1"), KIM, "down")
    (one,) = built(store).examples
    assert (one.kind, one.answer, one.rejected) == ("disliked", "", f"{LEAVE} [2]")


def test_a_correction_pairs_with_the_rejected_answer_and_is_checked(store: Store) -> None:
    vote(store, answered(store, "1"), LEE, "down", correction=f"{VPN} [2]")  # as the message numbers its sources
    vote(store, answered(store, "2", text="다른 질문"), PARK, "down", correction="연차는 30일입니다.")
    made = {(one.kind, one.people): one for one in built(store).examples}
    good, bad = made["corrected", (LEE.key,)], made["corrected", (PARK.key,)]
    assert (good.answer, good.rejected, good.problems) == (f"{VPN} [1]", f"{LEAVE} [2]", ())
    assert bad.problems == ("support",)


def test_a_resolution_counts_only_with_consent(store: Store) -> None:
    for name, consent in (("1", True), ("2", False)):
        called = store.run_now(escalations.call, answered(store, name), ["U5"], caller=KIM.key, now=12.0)
        assert called is not None
        store.run_now(escalations.resolve, called, PARK.key, answer=LEAVE, consent=consent, now=13.0)
    (one,) = built(store).examples
    assert (one.kind, one.people, one.answer) == ("resolved", (PARK.key,), f"{LEAVE} [2]")


def test_a_withdrawn_vote_is_no_vote(store: Store) -> None:
    name = answered(store, "1")
    vote(store, name, KIM)
    vote(store, name, KIM, None)
    assert built(store).examples == []


def test_an_answer_over_a_page_that_not_everyone_may_read_is_left_out(store: Store) -> None:
    vote(store, answered(store, "1"), KIM)
    made = built(store, "VPN.md")  # shown, though not cited
    assert (made.examples, made.skipped["page_gone"]) == ([], 1)


def test_quotes_outdated_pages_and_answers_without_passages_are_left_out(store: Store) -> None:
    for name, made in (
        ("1", answer(model="extractive")),
        ("2", answer(notes=("outdated",))),
        ("3", answer(shown=())),
        ("4", answer(citations=(Citation(1, "연차.md", "연차", None, "다른 문장"),))),
        ("5", answer(outcome=Outcome.FAILED)),
    ):
        vote(store, answered(store, name, made), KIM)
    got = built(store)
    assert got.examples == []
    assert got.skipped == {"extractive": 1, "outdated": 1, "no_passages": 1, "no_place": 2}


def test_a_liked_abstention_becomes_the_refusal_of_the_prompt(store: Store) -> None:
    vote(store, answered(store, "1", answer("찾지 못했습니다.", outcome=Outcome.ABSTAINED, citations=())), KIM)
    (one,) = built(store).examples
    assert one.answer == prompts.REFUSAL


def test_a_follow_up_is_asked_as_it_was_searched(store: Store) -> None:
    vote(store, answered(store, "1", answer(condensed="연차 그럼 신청은?"), text="그럼   신청은?"), KIM)
    vote(store, answered(store, "2", answer(condensed="띄어쓰기 고침"), text="띄어쓰기고침"), KIM)
    slip = answer(condensed="법인카드 그럼 초과하면 어떻게 해?", leaned=True)  # the search mends what was mistyped
    vote(store, answered(store, "3", slip, text="그럼 초가하면 어떻게 해?"), KIM)
    made = {(one.question, one.condensed) for one in built(store).examples}
    assert made == {
        ("연차 그럼 신청은?", "연차 그럼 신청은?"),
        ("띄어쓰기고침", "띄어쓰기 고침"),
        ("법인카드 그럼 초과하면 어떻게 해?", "법인카드 그럼 초과하면 어떻게 해?"),
    }


def test_personal_data_is_hidden_everywhere(store: Store) -> None:
    number = "010-1234-5678"
    text = f"문의는 {number}입니다."
    made = answer(
        f"{text} [1]",
        condensed=number,
        citations=(Citation(1, "a.md", "a", None, text),),
        shown=(Shown("wiki", "a.md", 0, text),),
    )
    name = answered(store, "1", made, text=f"{number}는 누구입니까?")
    vote(store, name, KIM, "down", correction=f"{number}가 아닙니다.")
    vote(store, name, LEE)
    examples = built(store).examples
    assert {one.kind for one in examples} == {"liked", "disliked", "corrected"}
    assert number not in repr(examples)
    assert repr(examples).count("[전화번호]") == 3 * 3 + 4  # question, condensed, passage; two answers, two rejected


def test_the_same_question_and_answer_asked_by_many_is_one_example_with_all_their_votes(store: Store) -> None:
    for number, (person, text) in enumerate([(KIM, "연차는 며칠입니까?"), (LEE, "연차는 며칠입니까"), (PARK, "VPN?")]):
        vote(store, answered(store, str(number), text=text, person=person, now=10.0 + number), person)
    vote(store, answered(store, "other", text="연차는 며칠입니까?", now=20.0), PARK, "down")
    made = built(store)
    liked = [one for one in made.examples if one.kind == "liked"]
    assert [(len(one.origins), one.people) for one in liked] == [(2, (KIM.key, LEE.key)), (1, (PARK.key,))]
    assert made.up[liked[0].id] == (KIM.key, LEE.key)
    assert [made.down[one.id] for one in liked] == [(PARK.key,)] * 2  # all three heard the same words


def test_a_thumb_down_counts_wherever_the_bot_said_the_same_but_not_for_another_answer(store: Store) -> None:
    vote(store, answered(store, "1"), KIM)
    other = Shown("wiki", "또.md", 0, f"다른 문서입니다. {LEAVE}")
    elsewhere = answer(shown=(other,), citations=(Citation(1, "또.md", "또", None, LEAVE),))
    vote(store, answered(store, "2", elsewhere, text="쉬는 날이 얼마나 되나요?"), PARK, "down")
    vpn = answer(f"{VPN} [1]", citations=(Citation(1, "VPN.md", "VPN", None, VPN),))
    vote(store, answered(store, "4", vpn), LEE, "down")
    made = built(store)
    (liked,) = (one for one in made.examples if one.kind == "liked")
    assert made.down[liked.id] == (PARK.key,)


def test_two_answers_to_one_question_stay_two_examples(store: Store) -> None:
    """Else votes for the true one would stand for the false one, which shares nearly all its letters."""
    for name, text in (("1", "연차는 1년에 15일을 줍니다."), ("2", "연차는 1년에 16일을 줍니다.")):
        made = answer(f"{text} [1]")
        shown = Shown("wiki", "연차.md", 0, "연차는 1년에 15일을 줍니다. 연차는 1년에 16일을 줍니다.")
        cited = replace(made.citations[0], quote=text)
        vote(store, answered(store, name, replace(made, shown=(shown,), citations=(cited,))), Person("slack", name))
    assert [len(one.people) for one in built(store).examples] == [1, 1]


def test_first_seen_is_the_first_question_or_vote(store: Store) -> None:
    name = answered(store, "1", now=50.0)
    vote(store, name, KIM, now=60.0)
    vote(store, name, LEE, now=70.0)
    vote(store, name, LEE, "down", now=80.0)
    assert store.run_now(first_seen, [KIM.key, LEE.key, PARK.key]) == {KIM.key: 50.0, LEE.key: 70.0}
