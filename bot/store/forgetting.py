"""A person is erased: what they asked and said goes, and with it every example that rests on it. One transaction.

What is left of their deeds (a colleague called, an example approved, a channel's settings changed) names nobody. Their words in files
are the caller's business (bot/privacy/rights.py).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, delete, select, update

from bot.conversation import Place
from bot.store import facts, jobs, loras, personal, privacy, web_accounts
from bot.store.personal import Personal
from bot.store.schema import (
    answers,
    escalations,
    example_changes,
    examples,
    exports,
    gap_events,
    gap_questions,
    gaps,
    job_runs,
    job_switches,
    places,
    questions,
    releases,
    traces,
    vote_changes,
    votes,
)
from bot.store.schema import facts as facts_table

REASON = "forgotten"
"""Of the mark on a LoRA; it names nobody."""
REASONS = frozenset({REASON, "an example it has seen was forgotten meanwhile"})
"""And how older versions marked one that was in training meanwhile: the files of all of them go."""
TUNE = "tune"
"""The job that makes a LoRA (jobs/registry.py)."""
ERASED = "erased"
"""Stands where a name stood."""

_DEEDS = (
    escalations.c.called_by,
    places.c.changed_by,
    releases.c.by,
    job_runs.c.asked_by,
    job_switches.c.by,
    examples.c.decided_by,
    example_changes.c.by,
    example_changes.c.by_before,
    gap_events.c.by,
    gaps.c.assigned,
)
_DIRECTS = "discord:directs"
"""The adapter's list of direct conversations that it looks into after a pause (adapters/discord/catching_up.py)."""
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What went."""

    examples: tuple[str, ...]
    """Ids, sorted: whoever learnt from one of them has to learn anew."""
    questions: int
    """With their answers, and what others said of those."""
    votes: int
    resolutions: int
    loras: tuple[str, ...] = ()
    """That learnt from one of the examples."""
    others: int = 0
    """Questions of others in the same conversations, whose searches leaned on this person's words."""
    open: int = 0
    """Questions of theirs that are being answered right now: the nightly `retention` takes them."""


def forget(
    connection: Connection,
    person: str,
    *,
    asked_by: str,
    now: float,
    raw: str = "",
    before: float | None = None,
    pseudonym: Callable[[str], str] = lambda key: key,
) -> Forgotten:
    """Erase `person` (as rows name them), and see that they do not come back from a backup.

    `raw`: their `Person.key`, where it is known; `pseudonym` finds them among contacts and accounts of the console otherwise.
    `before`: only what was asked and said up to then, after a restore.
    LoRAs that learnt from what goes are marked, and a tuning run without it is due.
    """
    theirs = personal.of_person(connection, person, before=before)
    found = counted(connection, theirs, now=now)
    for name in found.loras:
        loras.mark(connection, name, REASON, now=now)
    if found.loras:
        jobs.ask(connection, TUNE, by=asked_by, now=now)
    _among(connection, examples.c.id, found.examples)
    _forget_gaps(connection, theirs.ids("questions"))
    _forget_shared(connection, theirs.ids("answers"))
    _forget_directs(connection, theirs, pseudonym)
    _unlean(connection, theirs.others)
    _unname_gaps(connection, theirs.others)
    said = [row["answer"] for row in theirs.tables["votes"]]
    for at in range(0, len(said), _BATCH):
        connection.execute(delete(votes).where(votes.c.person == person, votes.c.answer.in_(said[at : at + _BATCH])))
    _among(connection, vote_changes.c.id, [row["id"] for row in theirs.tables["vote_changes"]])
    done = [row["id"] for row in theirs.tables["questions"] if not _held(row, now)]
    _among(connection, questions.c.id, done)  # their answers, traces, votes and calls go with them
    for row in theirs.tables["escalations"]:
        mine = escalations.c.id == row["id"]
        if row["resolved_by"] == person:
            gone = {"resolved_by": ERASED, "resolution": "", "consent": False}
            connection.execute(update(escalations).where(mine).values(**gone))
        if row["called_by"] == person:
            connection.execute(update(escalations).where(mine).values(called_by=ERASED, tell=""))
    if before is None:
        for deed in _DEEDS:
            for name in {person, raw} - {""}:
                connection.execute(update(deed.table).where(deed == name).values({deed.name: ERASED}))
    called = _call_no_more(connection, person, pseudonym)
    resolved = [row["answer"] for row in theirs.tables["escalations"] if row["resolved_by"] == person]
    _undraft_gaps(connection, [*called, *resolved])
    connection.execute(
        delete(exports).where(exports.c.person == person)
    )  # a file with others in it is still to be found
    if (account := web_accounts.of_person(connection, person, pseudonym, before=before)) is not None:
        connection.execute(update(gaps).where(gaps.c.assigned == account.name).values(assigned=""))
        web_accounts.remove(connection, account.name)
    privacy.forget_wishes(connection, person)
    if before is None:
        privacy.bury(connection, person, now=now)
    return found


def forget_questions(connection: Connection, ids: Sequence[str]) -> None:
    """These questions with their answers, traces, votes and calls; a gap that has no others goes with them."""
    found: list[str] = []
    touched: set[str] = set()
    for at in range(0, len(ids), _BATCH):
        some = list(ids[at : at + _BATCH])
        found += connection.execute(select(answers.c.id).where(answers.c.question.in_(some))).scalars()
        touched.update(
            connection.execute(select(gap_questions.c.gap).where(gap_questions.c.question.in_(some))).scalars()
        )
    _forget_shared(connection, found)
    _among(connection, questions.c.id, ids)
    for gap in sorted(touched):
        _drop_if_empty(connection, gap)


def counted(connection: Connection, theirs: Personal, *, now: float) -> Forgotten:
    """What `forget` would take of this, taking nothing."""
    gone = theirs.ids("examples")
    held = sum(_held(row, now) for row in theirs.tables["questions"])
    return Forgotten(
        tuple(gone),
        theirs.count("questions") - held,
        theirs.count("votes"),
        sum(row["resolved_by"] == theirs.person for row in theirs.tables["escalations"]),
        tuple(loras.loras_that_saw(connection, gone)),
        len(theirs.others),
        held,
    )


def _held(row: dict[str, object], now: float) -> bool:
    """Somebody is answering it right now; one that nobody holds is never going to be."""
    return row["state"] == "open" and float(str(row["claimed_until"])) > now


def _forget_gaps(connection: Connection, gone: Sequence[str]) -> None:
    """A gap's names and draft are made from its questions; one that has no others goes whole."""
    touched: set[str] = set()
    for at in range(0, len(gone), _BATCH):
        some = gap_questions.c.question.in_(gone[at : at + _BATCH])
        touched.update(connection.execute(select(gap_questions.c.gap).where(some)).scalars())
        connection.execute(delete(gap_questions).where(some))
    for gap in sorted(touched):
        if not _drop_if_empty(connection, gap):
            blank = dict.fromkeys(("name", "named", "draft", "open_name"), "")
            connection.execute(update(gaps).where(gaps.c.id == gap).values(**blank))


def _drop_if_empty(connection: Connection, gap: str) -> bool:
    if connection.execute(select(gap_questions.c.question).where(gap_questions.c.gap == gap)).first() is not None:
        return False
    connection.execute(delete(gaps).where(gaps.c.id == gap))
    return True


def _unname_gaps(connection: Connection, others: Sequence[str]) -> None:
    """Names and draft of a gap, and the vector of a question, may be made of words that it leant on: the next run makes them anew."""
    for at in range(0, len(others), _BATCH):
        some = gap_questions.c.question.in_(others[at : at + _BATCH])
        held = select(gap_questions.c.gap).where(some)
        connection.execute(update(gap_questions).where(some).values(vector=None, embedder=""))
        blank = dict.fromkeys(("name", "named", "draft", "open_name"), "")
        connection.execute(update(gaps).where(gaps.c.id.in_(held)).values(**blank))


def _undraft_gaps(connection: Connection, answer_ids: Sequence[str]) -> None:
    """A draft names whom its questions called, and quotes what they answered (bot/gaps/drafting.py)."""
    for at in range(0, len(answer_ids), _BATCH):
        held = (
            select(gap_questions.c.gap)
            .join(answers, answers.c.question == gap_questions.c.question)
            .where(answers.c.id.in_(answer_ids[at : at + _BATCH]))
        )
        connection.execute(update(gaps).where(gaps.c.id.in_(held)).values(draft=""))


def _forget_shared(connection: Connection, answer_ids: Sequence[str]) -> None:
    """That these answers were shown to a channel, which adapters remember."""
    _among(
        connection, facts_table.c.key, [f"{name}:shared:{one}" for one in answer_ids for name in ("slack", "discord")]
    )


def _forget_directs(connection: Connection, theirs: Personal, pseudonym: Callable[[str], str]) -> None:
    """The direct conversations that adapters look into."""
    platform = _DIRECTS.partition(":")[0]
    held = {row["conversation"] for row in theirs.tables["questions"] if row["place"] == ""}
    known = (facts.get(connection, _DIRECTS) or "").split()
    left = [one for one in known if Place(platform, pseudonym(f"{platform}:{one}"), "direct").conversation not in held]
    if len(left) < len(known):
        facts.put(connection, _DIRECTS, " ".join(left))


def _unlean(connection: Connection, others: Sequence[str]) -> None:
    """What others asked stays; how it was searched for, which held words of this person's, goes."""
    _among(connection, traces.c.question, others)
    for at in range(0, len(others), _BATCH):
        rows = connection.execute(
            select(answers.c.id, answers.c.answer, questions.c.text)
            .join(questions, questions.c.id == answers.c.question)
            .where(questions.c.id.in_(others[at : at + _BATCH]))
        ).all()
        for row in rows:
            own = {**row.answer, "condensed": row.text, "leaned": False}
            connection.execute(update(answers).where(answers.c.id == row.id).values(answer=own))


def _call_no_more(connection: Connection, person: str, pseudonym: Callable[[str], str]) -> list[str]:
    """Take them out of the contacts of calls, and of those that an admin set from chat. config.toml is a person's to change.

    Ids of the answers that they were called for.
    """

    def is_theirs(platform: str, contact: str) -> bool:
        return pseudonym(f"{platform}:{contact.removeprefix('user:')}") == person

    rows = connection.execute(
        select(escalations.c.id, escalations.c.answer, escalations.c.contacts, questions.c.platform)
        .join(answers, answers.c.id == escalations.c.answer)
        .join(questions, questions.c.id == answers.c.question)
    ).all()
    called = []
    for row in rows:
        left = [one for one in row.contacts if not is_theirs(row.platform, one)]
        if left != list(row.contacts):
            called.append(row.answer)
            connection.execute(update(escalations).where(escalations.c.id == row.id).values(contacts=left))
    for place in connection.execute(select(places)).all():
        contacts = str(place.changes.get("contacts", ""))
        kept = [one for one in contacts.replace(",", " ").split() if not is_theirs(place.platform, one)]
        if len(kept) < len(contacts.replace(",", " ").split()):
            changes = {**place.changes, "contacts": ", ".join(kept)}
            changes = {name: value for name, value in changes.items() if value}
            here = (places.c.platform == place.platform, places.c.place == place.place)
            connection.execute(update(places).where(*here).values(changes=changes))
    return called


def _among(connection: Connection, column: Column[Any], values: Collection[Any]) -> None:
    """Delete the rows whose `column` has one of these values."""
    listed = list(values)
    for at in range(0, len(listed), _BATCH):
        connection.execute(delete(column.table).where(column.in_(listed[at : at + _BATCH])))
