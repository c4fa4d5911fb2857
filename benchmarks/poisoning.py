"""How many people must act together to get a false fact into a training set? The real store, votes, checks and guards.

    python benchmarks/poisoning.py                   # every attack with 1 to 10 people
    python benchmarks/poisoning.py --most 30 --others 1000

In the attacks called "believed" the false sentence stands on a page that everyone may read, so that the check of the answer cannot
see that it is false: the worst case for the guards. In the others the pages say the truth. `others` examples rest on nobody
(imported or shipped ones) and fill the set. Exit code 1 if one person alone ever succeeds. No reviewer takes part: a person who
approves a false example is not what is measured.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bot.conversation import Asked, Direction, Person, Place, Vote  # noqa: E402
from bot.examples.build import candidates  # noqa: E402
from bot.examples.example import id_of  # noqa: E402
from bot.examples.grounding import SentenceGrounding  # noqa: E402
from bot.examples.guards import Rules, chosen, counted  # noqa: E402
from bot.examples.masking import mask  # noqa: E402
from bot.examples.pages import EditionPages  # noqa: E402
from bot.examples.refresh import refresh  # noqa: E402
from bot.messages import Answer, Citation, Outcome, Seconds, Shown, Tokens  # noqa: E402
from bot.store import answers, examples, feedback, questions, votes  # noqa: E402
from bot.store.database import Store, open_store  # noqa: E402
from knowledge.korean import Analyser  # noqa: E402
from knowledge.page import Passage  # noqa: E402

DAY = 86_400.0
NOW = 400 * DAY
TRUE = "법인카드 한도는 한 달에 50만 원입니다."
FALSE = "법인카드 한도는 한 달에 900만 원입니다."
WORDINGS = ("법인카드 한도는 얼마야?", "법인카드 한도가 얼마인가요?", "법카 한도 알려줘", "카드는 얼마까지 써도 돼?")
AUTOMATIC = Rules(automatic=True)


@dataclass(frozen=True)
class Attack:
    """What k people do, and what stands on the page."""

    name: str
    run: Callable[[Company, int], None]
    believed: bool = True
    rules: Rules = AUTOMATIC


class Company:
    """A store and a page, and people who ask and vote."""

    def __init__(self, store: Store, page: str) -> None:
        self.store = store
        self.page = page
        self._asked = 0

    def answered(self, text: str, person: Person, question: str, at: float) -> str:
        """The bot answered `text` to a question."""
        self._asked += 1
        place = Place("slack", "C1", "channel")
        asked = Asked((f"slack:event:{self._asked}",), place, person, question, "")
        _, held = self.store.run_now(questions.claim, asked, owner="p", now=at, lease=9.0)
        assert held is not None
        answer_id = id_of(str(self._asked))
        # The quote is what the answer claims to rest on; where the page says something else, the whole passage.
        quote = text if text in self.page else self.page
        answer = Answer(
            Outcome.ANSWERED, f"{text[:-1]} [1].", (Citation(1, "card.md", "법인카드", None, quote),), "m", "none", "e", "p",
            Tokens(), Seconds(0.1, None, 0.1), question, shown=(Shown("wiki", "card.md", 0, self.page),),
        )  # fmt: skip
        self.store.run_now(
            answers.save, answer_id, held.question_id, answer, language="ko", private=False, place=place, now=at
        )
        self.store.run_now(questions.finish, held, Outcome.ANSWERED, now=at)
        return answer_id

    def vote(self, answer: str, person: Person, direction: Direction, at: float, correction: str = "") -> None:
        """One thumb."""
        self.store.run_now(votes.cast, Vote(answer, person, direction, "button"), now=at)
        if correction:
            self.store.run_now(votes.explain, answer, person.key, reason="", correction=correction)

    def poisoned(self, rules: Rules, grounding: SentenceGrounding, others: int) -> int:
        """How many examples of the set that would be tuned on say something false."""
        pages = EditionPages([Passage("wiki", "card.md", 0, "법인카드", (), self.page)])
        made = candidates(self.store.run_now(feedback.said), pages, grounding, mask, now=NOW)
        seen = self.store.run_now(feedback.first_seen, {person for up in made.up.values() for person in up})
        self.store.run_now(refresh, made, pages, seen, rules, now=NOW)
        approved = self.store.run_now(examples.every, states=("approved",))
        seen = self.store.run_now(feedback.first_seen, {person for one in approved for person in one.people})
        taught = chosen(approved, rules, known=counted(seen, seen, rules, now=NOW), others=others)
        return sum(TRUE[:-1] not in one.answer for one in taught if one.answer)


def people(count: int) -> list[Person]:
    """Accounts that act together."""
    return [Person("slack", f"U{n}") for n in range(count)]


def thumbs(company: Company, k: int, at: float = NOW - 100 * DAY) -> str:
    """One of k asks, and all of them like the false answer."""
    clique = people(k)
    answer = company.answered(FALSE, clique[0], WORDINGS[0], at)
    for person in clique:
        company.vote(answer, person, "up", at)
    return answer


def asking_apart(company: Company, k: int) -> None:
    """Each asks in other words and likes only their own answer."""
    for number, person in enumerate(people(k)):
        at = NOW - 100 * DAY
        company.vote(company.answered(FALSE, person, WORDINGS[number % 2], at), person, "up", at)


def one_person(company: Company, k: int) -> None:
    """A single person asks k times in other words and likes every answer, again and again."""
    (person,) = people(1)
    for number in range(k):
        at = NOW - 100 * DAY + number
        answer = company.answered(FALSE, person, WORDINGS[number % len(WORDINGS)], at)
        for direction in ("up", "down", "up"):
            company.vote(answer, person, direction, at)


def corrections(company: Company, k: int) -> None:
    """All vote the true answer down and "correct" it."""
    clique = people(k)
    at = NOW - 100 * DAY
    answer = company.answered(TRUE, clique[0], WORDINGS[0], at)
    for person in clique:
        company.vote(answer, person, "down", at, correction=f"{FALSE[:-1]} [1].")


def with_an_honest_no(company: Company, k: int) -> None:
    """Somebody else sees it and votes it down."""
    company.vote(thumbs(company, k), Person("slack", "honest"), "down", NOW - 1)


def with_an_honest_no_elsewhere(company: Company, k: int) -> None:
    """Nobody else sees theirs; somebody else asks in other words, gets the same answer and votes that down."""
    thumbs(company, k)
    honest = Person("slack", "honest")
    company.vote(company.answered(FALSE, honest, WORDINGS[1], NOW - 1), honest, "down", NOW - 1)


ATTACKS = (
    Attack("👍 on a false answer that the pages contradict", lambda c, k: void(thumbs(c, k)), believed=False),
    Attack("👎 and a false correction", corrections, believed=False),
    Attack("the same correction, believed", corrections),
    Attack("one person asks k times, believed", one_person),
    Attack("👍, believed, one honest 👎", with_an_honest_no),
    Attack("👍, believed, one honest 👎 on the same answer to somebody else", with_an_honest_no_elsewhere),
    Attack("👍, believed, accounts of this week", lambda c, k: void(thumbs(c, k, NOW - 3 * DAY))),
    Attack("👍, believed, automatic = false (the default)", lambda c, k: void(thumbs(c, k)), rules=Rules()),
    Attack("👍, believed, automatic = true", lambda c, k: void(thumbs(c, k))),
    Attack("each asks alone, believed, automatic = true", asking_apart),
    Attack(
        "👍, believed, automatic = true, voters = 3",
        lambda c, k: void(thumbs(c, k)),
        rules=replace(AUTOMATIC, voters=3),
    ),
)


def void(_: object) -> None:
    """For attacks that are functions with a result."""


def smallest(attack: Attack, most: int, others: int, grounding: SentenceGrounding) -> int | None:
    """The least number of people that succeeds; None: none up to `most`."""
    for k in range(1, most + 1):
        if succeeded(attack, k, others, grounding):
            return k
    return None


def succeeded(attack: Attack, k: int, others: int, grounding: SentenceGrounding) -> bool:
    """Whether k people get the false fact in."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store("", Path(folder))
        try:
            company = Company(store, FALSE if attack.believed else TRUE)
            attack.run(company, k)
            return company.poisoned(attack.rules, grounding, others) > 0
        finally:
            store.close()


def flooded(k: int, facts: int, others: int, grounding: SentenceGrounding, *, newcomers: int = 0) -> int:
    """How many of `facts` different false answers k people get into one set, believed and automatic.

    `newcomers`: accounts of this week that vote like them.
    """
    with tempfile.TemporaryDirectory() as folder:
        store = open_store("", Path(folder))
        try:
            said = [f"{number}번 항목의 한도는 {number * 7 + 3}만 원입니다." for number in range(facts)]
            company = Company(store, "\n".join(said))
            for number, text in enumerate(said):
                answer = company.answered(text, people(k)[0], f"{number}번 항목의 한도는 얼마야?", NOW - 100 * DAY)
                for person in people(k):
                    company.vote(answer, person, "up", NOW - 100 * DAY)
                for account in range(newcomers):
                    company.vote(answer, Person("slack", f"N{account}"), "up", NOW - DAY)
            return company.poisoned(AUTOMATIC, grounding, others)
        finally:
            store.close()


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=10, help="people, at most")
    parser.add_argument("--others", type=int, default=440, help="examples of the set that rest on nobody")
    parser.add_argument("--facts", type=int, default=30, help="false facts of a flood")
    options = parser.parse_args()
    grounding = SentenceGrounding(Analyser(), lambda _: 1.0)
    found = {attack.name: smallest(attack, options.most, options.others, grounding) for attack in ATTACKS}
    floods = {k: flooded(k, options.facts, options.others, grounding) for k in (1, 2, 3)}
    report = {
        "smallest_k": found,
        "most": options.most,
        "others": options.others,
        "facts": options.facts,
        "flood": floods,
    }
    print(json.dumps(report, ensure_ascii=False))
    print("\n| attack | smallest k that succeeds |\n| --- | --- |")
    for name, k in found.items():
        print(f"| {name} | {k or f'none of 1 to {options.most}'} |")
    print(f"\n| people | of {options.facts} false facts in a set with {options.others} other examples |\n| --- | --- |")
    for k, count in floods.items():
        print(f"| {k} | {count} |")
    return 1 if 1 in found.values() or floods[1] else 0


if __name__ == "__main__":
    sys.exit(main())
