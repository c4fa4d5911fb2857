"""Every decision about what answers, on the record: promote, try, roll back, mark, delete. For commands, jobs and the console alike."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from sqlalchemy import Connection

from bot.errors import (
    AnswersAlready,
    EvaluationNotPassed,
    LoraError,
    LoraKept,
    MarkedLora,
    NotEvaluated,
    NothingToRollBack,
    OutdatedEvaluation,
    PlainBaseNotEvaluated,
    ReasonMissing,
    ReleasedMeanwhile,
    ReleasePinned,
    RolledBackBefore,
    UnknownLora,
)
from bot.live import NO_LORA
from bot.loras.shelf import LoraShelf, ShelvedLora
from bot.releases import past
from bot.releases.choosing import AUTO, Choosing
from bot.store import audit, loras, releases
from bot.store.database import Store
from bot.store.loras import LoraRecord
from bot.store.releases import Action, Release

AUTOMATIC = "auto"
"""`by` of what a job decided by rule."""
_log = logging.getLogger(__name__)
Barrier = NotEvaluated | EvaluationNotPassed | OutdatedEvaluation | RolledBackBefore
"""What stands against promoting, and can be overruled with a reason."""
BARRIERS = (NotEvaluated, EvaluationNotPassed, OutdatedEvaluation, RolledBackBefore)


@dataclass(frozen=True, slots=True)
class Releases:
    """Over one store, one shelf and one served base. Methods raise StoreError besides what they say.

    Those with a `connection` work inside a transaction that has called `bot.store.releases.hold`.
    """

    store: Store
    shelf: LoraShelf
    choosing: Choosing
    clock: Callable[[], float]

    @property
    def base(self) -> str:
        """SHA-256 of the served GGUF."""
        return self.choosing.base()

    def take_in(self, result: Path, learnt: Iterable[str] = (), *, run: str = "") -> ShelvedLora:
        """Put a finished tuning run's result on the shelf and on record. Doing it again gives the same LoRA.

        `learnt`: ids of the examples that it has seen. Raises `BrokenLora`, `ShelfNotWritable`.
        """
        now = self.clock()
        # Answers are stamped with a deleted LoRA's name, and its record says that it must not answer: the name is not given twice.
        gone = [one.name for one in self.store.run_now(loras.every) if one.deleted_at is not None]
        lora = self.shelf.take_in(result, now=now, taken=gone)
        self.store.run_now(loras.add, record_of(lora, run=run, made_at=now), learnt)
        _log.info(json.dumps({"event": "lora_taken_in", "lora": lora.name, "run": run}))
        return lora

    def recorded(self, name: str) -> LoraRecord:
        """The record of a LoRA on the shelf, made now when it has none (a shipped one, or one copied by hand).

        Raises `UnknownLora`, `BrokenLora`.
        """
        return self.store.run_now(_recorded, self.shelf.card(name))

    def promote(
        self,
        name: str,
        *,
        by: str,
        share: float | None = None,
        overrule: bool = False,
        reason: str = "",
        origin: str = "",
    ) -> Release:
        """Let a LoRA answer (or `none`, the plain base); with `share` only that part of the conversations (a canary).

        `origin`: where from, on record.

        It must have passed its latest evaluation against what answers now, by today's base and prompt, and the watch must not have
        rolled it back before, unless a person overrules that with a reason.
        Raises a `ReleaseError` or a `LoraError`; then nothing has changed.
        """
        self._demand_auto()
        if share is not None and not 0 < share < 1:
            raise ValueError("share must be above 0 and below 1")
        if overrule and not reason.strip():
            raise ReasonMissing
        shelved = self.shelf.get(name, self.base) if name != NO_LORA else None

        def decide(connection: Connection) -> Release:
            releases.hold(connection)
            if shelved is not None:
                _demand_usable(_recorded(connection, shelved))
            history = releases.history(connection, self.base)
            current, *trying = self._present(connection, history)
            wanted = [name, "", 0.0] if share is None else [current, name, share]
            if wanted == [current, *trying] or (share is not None and name == current):
                raise AnswersAlready(name=name)
            verdict, barrier = self._barrier(connection, history, name, current)
            if barrier is not None and not overrule:
                raise barrier
            done = releases.add(
                connection,
                self.base,
                current if share is not None else name,
                "canary" if share is not None else "promote",
                by=by,
                now=self.clock(),
                canary=name if share is not None else "",
                share=share or 0.0,
                evaluation=verdict,
                overruled=barrier is not None,
                reason=reason,
            )
            return _audited(connection, done, origin)

        return _logged(self.store.run_now(decide))

    def barrier(self, name: str) -> Barrier | None:
        """What stands against promoting it now and can be overruled with a reason; None: nothing does. Raises StoreError."""

        def read(connection: Connection) -> Barrier | None:
            history = releases.history(connection, self.base)
            return self._barrier(connection, history, name, self._present(connection, history)[0])[1]

        return self.store.run_now(read)

    def rollback(self, *, by: str, reason: str = "", origin: str = "", seen: int | None = None) -> Release:
        """End the canary if there is one; else go back to what answered before. Raises `NothingToRollBack`, `ReleasePinned`.

        `seen`: id of the newest release when this was decided, 0 where there was none. If it is not the newest any more, what
        would be taken back is something else than was meant: raises `ReleasedMeanwhile`. None: whatever answers now is meant.
        """
        self._demand_auto()

        def decide(connection: Connection) -> Release:
            releases.hold(connection)
            if seen is not None:
                newest = releases.newest(connection, self.base)
                if seen != (newest.id if newest is not None else 0):
                    raise ReleasedMeanwhile
            return _audited(connection, self.back(connection, "rollback", by=by, reason=reason), origin)

        return _logged(self.store.run_now(decide))

    def mark(self, name: str, reason: str, *, by: str) -> list[Release]:
        """It must not answer any more: a person's examples are to be forgotten, say. Where it does, what answered before takes over, or
        the plain base; these releases are returned. Its samples go, too: they are people's words. Raises `UnknownLora`,
        `ShelfNotWritable` (then it is marked).
        """
        if self.store.run_now(loras.get, name) is None:
            self.recorded(name)

        def decide(connection: Connection) -> list[Release]:
            releases.hold(connection)
            loras.mark(connection, name, reason, now=self.clock())
            told = {"by": by, "reason": f"{name}: {reason}"}
            now = self.clock()
            audit.record(connection, by=audit.auditor(by), action="lora.mark", subject=name, now=now)
            return [self._without(connection, row, name, **told) for row in _answering(connection, name)]

        done = [_logged(one) for one in self.store.run_now(decide)]
        self.shelf.forget_samples(name)
        return done

    def withdraw(self, name: str, reason: str, *, by: str) -> None:
        """It never answers, and its weights go at once; if they cannot, the nightly `retention` finds the mark and tries again.

        Raises as `mark`.
        """
        self.mark(name, reason, by=by)
        with suppress(LoraError):
            self.delete(name, by=by)

    def delete(self, name: str, *, by: str, origin: str = "") -> None:
        """Remove the files; the record stays. Raises `LoraKept` when it answers now or came with Saseo, `UnknownLora`."""
        shelved = self.shelf.card(name)
        if shelved.shipped or name == self.choosing.setting:
            raise LoraKept(name=name)

        def decide(connection: Connection) -> None:
            releases.hold(connection)
            if _answering(connection, name):
                raise LoraKept(name=name)
            _recorded(connection, shelved)
            now = self.clock()
            if loras.delete(connection, name, now=now):
                who = audit.auditor(by)
                audit.record(connection, by=who, action="lora.delete", subject=name, origin=origin, now=now)

        self.store.run_now(decide)
        self.shelf.delete(name)
        _log.info(json.dumps({"event": "lora_deleted", "lora": name, "by": by}))

    def back(self, connection: Connection, action: Action, *, by: str, reason: str) -> Release:
        """See `rollback`."""
        history = releases.history(connection, self.base)
        to = history[-1].lora if history and history[-1].canary else self.before(connection, history)
        if to is None:
            raise NothingToRollBack
        return releases.add(connection, self.base, to, action, by=by, now=self.clock(), reason=reason)

    def before(self, connection: Connection, history: Sequence[Release]) -> str | None:
        """What rolling back would let answer, canaries aside: a name, `none`, or None when there is nothing earlier.

        By the records: a LoRA whose files another machine has may answer. What came with an earlier version and was never recorded is gone.
        """
        unusable = loras.unusable(connection)
        shelved = {one.name for one in self.shelf.every()}
        known = (shelved | {one.name for one in loras.every(connection)}) - unusable.keys()
        served = not history or history[-1].base == self.base
        default = self.choosing.default(unusable) if served else NO_LORA
        return past.before(history, default, lambda name: name == NO_LORA or name in known)

    def _demand_auto(self) -> None:
        if self.choosing.setting != AUTO:
            raise ReleasePinned(value=self.choosing.setting)

    def _present(self, connection: Connection, history: Sequence[Release]) -> tuple[str, str, float]:
        """What answers, the canary, its share."""
        if history:
            return history[-1].lora, history[-1].canary, history[-1].share
        return self.choosing.default(loras.unusable(connection)), "", 0.0

    def _barrier(
        self, connection: Connection, history: Sequence[Release], name: str, current: str
    ) -> tuple[str, Barrier | None]:
        """Id of the verdict that counts, and what stands against promoting."""
        if name == current:  # only the canary beside it ends
            return "", None
        verdict = loras.latest_evaluation(connection, name, current)
        if verdict is None:
            missing = PlainBaseNotEvaluated if name == NO_LORA else NotEvaluated
            return "", missing(name=name, against=current)
        # Another edition is other pages, which come every day; with another prompt or base it is another writer that was judged.
        if verdict.made_with != (self.base, self.choosing.prompt):
            return verdict.id, OutdatedEvaluation(name=name, evaluation=verdict.id)
        if not verdict.passed:
            return verdict.id, EvaluationNotPassed(name=name, evaluation=verdict.id)
        for watched, row in pairwise(history):
            if row.action == "watch" and name == (watched.canary or watched.lora):
                return verdict.id, RolledBackBefore(name=name, reason=row.reason)
        return verdict.id, None

    def _without(self, connection: Connection, row: Release, name: str, *, by: str, reason: str) -> Release:
        """What answers once `name`, of the newest release `row`, must not."""
        lora, canary, share = row.lora, row.canary, row.share
        if canary == name:
            canary, share = "", 0.0
        if lora == name:
            lora = self.before(connection, releases.history(connection, row.base)) or NO_LORA
        if canary == lora:
            canary, share = "", 0.0
        now = self.clock()
        return releases.add(
            connection, row.base, lora, "mark", by=by, now=now, canary=canary, share=share, reason=reason
        )


def record_of(lora: ShelvedLora, *, run: str = "", made_at: float | None = None) -> LoraRecord:
    """What is recorded of a LoRA on the shelf."""
    return LoraRecord(
        name=lora.name,
        base=lora.base_sha256,
        base_name=lora.base_name,
        prompt=lora.prompt,
        sha256=lora.sha256,
        card=lora.card,
        run=run,
        made_at=lora.made_at if made_at is None else made_at,
    )


def _recorded(connection: Connection, shelved: ShelvedLora) -> LoraRecord:
    record = record_of(shelved)
    loras.add(connection, record)
    return loras.get(connection, shelved.name) or record


def _demand_usable(record: LoraRecord) -> None:
    if record.marked:
        raise MarkedLora(name=record.name, reason=record.marked)
    if record.deleted_at is not None:
        raise UnknownLora(name=record.name, hint="")


def _answering(connection: Connection, name: str) -> list[Release]:
    """The newest releases, of whatever base, by which it answers: for all or as a canary."""
    newest = (releases.newest(connection, base) for base in releases.bases(connection))
    return [row for row in newest if row is not None and name in (row.lora, row.canary)]


def _audited(connection: Connection, release: Release, origin: str) -> Release:
    """On the record of what people decided; the reason, which is a text, stands in the release's row."""
    detail = {"release": release.id, "answers": release.lora, "share": release.share, "overruled": release.overruled}
    who = {"by": audit.auditor(release.by), "subject": release.canary or release.lora, "origin": origin}
    audit.record(connection, action=f"lora.{release.action}", detail=detail, now=release.at, **who)
    return release


def _logged(release: Release) -> Release:
    told = {name: getattr(release, name) for name in ("action", "lora", "canary", "share", "overruled")}
    _log.info(json.dumps({"event": "released", **told}))
    return release
