"""검토: the queue of training examples, one beside its passages; approve, reject, edit, and take back. Keyboard first."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar, get_args
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.errors import HiddenInConsole, NotApprovable, NotFoundInConsole
from bot.examples.example import Example, Kind, State
from bot.examples.refresh import rests_on_people
from bot.examples.review import Review, word, words
from bot.examples.workbench import Workbench
from bot.live import NO_LORA
from bot.store import audit, example_lists, examples, loras
from bot.store.cursor import Cursor
from bot.store.database import Store
from bot.store.example_lists import Line, Step, Wanted
from bot.web.page import Page, allow, done, form, form_list, origin, render, viewer
from bot.web.pages.review_shown import Shown, rests_on_hidden, shown
from bot.web.viewer import Viewer

T = TypeVar("T")
_ROWS = 30
_LONGEST_ANSWER = 4000
"""Characters of an edit: an answer is one or two sentences."""
_MOST_AT_ONCE = 100
_STEPS = 5


class Bench(Protocol):
    """Where examples are checked and decided."""

    async def run(self, work: Callable[[Workbench], T]) -> T:
        """Off the event loop."""


@dataclass(frozen=True, slots=True)
class ReviewParts:
    """What the page needs."""

    store: Store
    bench: Bench


@dataclass(frozen=True, slots=True)
class Where:
    """What a visitor looks at, as it stands in the address."""

    wanted: Wanted
    start: Cursor | None
    example: str

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Where:
        """Of a query or a form; what makes no sense is left out."""
        state: State = "approved" if given.get("state") == "approved" else "pending"
        state = "rejected" if given.get("state") == "rejected" else state
        kind = given.get("kind", "")
        wanted = Wanted(state, kind if kind in get_args(Kind) else "", given.get("lora", "")[:64])
        return cls(wanted, Cursor.read(given.get("start", "")), given.get("example", "")[:16])

    def url(self, *, start: Cursor | None = None, example: str = "") -> str:
        """With the same filter."""
        fields = {"state": self.wanted.state, "kind": self.wanted.kind, "lora": self.wanted.lora}
        fields |= {"start": str(start or ""), "example": example}
        return f"/review?{urlencode({name: value for name, value in fields.items() if value})}"


@dataclass(frozen=True, slots=True)
class Queue:
    """What the store says for one address."""

    counts: Mapping[str, int]
    lines: Sequence[Line]
    """One more than is shown, where there are more."""
    loras: Sequence[str]
    example: Example | None
    private: bool
    history: Sequence[tuple[str, str, float]]
    steps: Sequence[Step]

    @property
    def rows(self) -> Sequence[Line]:
        """That are shown."""
        return self.lines[:_ROWS]

    @property
    def more(self) -> Cursor | None:
        """Where the next page begins."""
        return Cursor(self.lines[_ROWS].made_at, self.lines[_ROWS].id) if len(self.lines) > _ROWS else None


def review(parts: ReviewParts) -> Page:
    """`GET /review`; forms: decide, edit, undo, build."""
    handlers = _Review(parts)
    return Page(
        "review",
        "/review",
        (
            Route("/review", handlers.show, methods=["GET"]),
            Route("/review/decide", handlers.decide, methods=["POST"]),
            Route("/review/edit", handlers.edit, methods=["POST"]),
            Route("/review/undo", handlers.undo, methods=["POST"]),
            Route("/review/build", handlers.build, methods=["POST"]),
        ),
        key="r",
    )


class _Review:
    def __init__(self, parts: ReviewParts) -> None:
        self._store = parts.store
        self._bench = parts.bench

    async def show(self, request: Request) -> Response:
        """The queue, and one example in full."""
        me, where = viewer(request), Where.of(request.query_params)
        queue = await self._store.run(_read, where, me.by)
        if where.example and queue.example is None:
            raise NotFoundInConsole
        example, private = queue.example, queue.private

        def look(bench: Workbench) -> tuple[Shown | None, bool]:
            return (shown(example, bench, me, private=private) if example is not None else None), bench.learning

        one, learning = await self._bench.run(look)
        ids = [line.id for line in queue.lines]
        at = ids.index(example.id) if example is not None and example.id in ids else None
        following = ids[at + 1] if at is not None and at + 1 < len(ids) else ""
        over = at == _ROWS - 1 and following  # the next one stands on the next page
        return render(
            request,
            "review/page.html",
            where=where,
            queue=queue,
            one=one,
            learning=learning,
            states=get_args(State),
            kinds=get_args(Kind),
            NO_LORA=NO_LORA,
            most=_MOST_AT_ONCE,
            readable=lambda line: _readable(me, line.from_people, private=line.private),
            previous_url=where.url(start=where.start, example=ids[at - 1]) if at else "",
            next_url=where.url(start=queue.more if over else where.start, example=following) if following else "",
            after=following or (ids[at - 1] if at else ""),
        )

    async def decide(self, request: Request) -> Response:
        """Approve or reject one or several."""
        me = allow(request, "reviewer")
        fields, ids = await form(request), await form_list(request, "id")
        where, language = Where.of(fields), me.language
        texts = request.app.state.renderer.texts
        ids = list(dict.fromkeys(ids))[:_MOST_AT_ONCE]
        back = where.url(start=where.start, example="" if where.example in ids else where.example)
        if not ids:
            return done(request, back, texts("review.none_selected", language))
        hidden = await self._hidden(me, ids)
        chosen = [one for one in ids if one not in hidden]
        if not chosen:
            raise HiddenInConsole
        desk = _desk(request, me)
        approving = fields.get("do") == "approve"
        decided = await self._bench.run(
            lambda bench: (desk(bench).approve_all if approving else desk(bench).reject_all)(chosen)
        )
        if len(ids) == 1 and decided.refused:
            raise NotApprovable(id=ids[0], reasons=words(decided.refused[ids[0]], language))
        said = [texts("review.approved" if approving else "review.rejected", language, n=len(decided.done))]
        if decided.refused:
            said.append(texts("review.refused", language, n=len(decided.refused)))
        if hidden:
            said.append(texts("review.skipped", language, n=len(hidden)))
        return done(request, back, " ".join(said))

    async def edit(self, request: Request) -> Response:
        """Another answer, and perhaps approve it."""
        me = allow(request, "reviewer")
        fields = await form(request)
        where, texts = Where.of(fields), request.app.state.renderer.texts
        example_id, answer = fields.get("id", "")[:16], fields.get("answer", "")[:_LONGEST_ANSWER]
        if await self._hidden(me, [example_id]):
            raise HiddenInConsole
        desk = _desk(request, me)
        if fields.get("do") == "approve":
            await self._bench.run(lambda bench: desk(bench).edit_and_approve(example_id, answer))
            back = where.url(start=where.start, example=where.example)
            return done(request, back, texts("review.edited_approved", me.language))
        edited = await self._bench.run(lambda bench: desk(bench).edit(example_id, answer))
        said = texts("review.edited", me.language)
        if edited.problems:
            reasons = ", ".join(word(one, me.language) for one in edited.problems)
            said = texts("review.edited_with_problems", me.language, reasons=reasons)
        return done(request, where.url(start=where.start, example=example_id), said)

    async def undo(self, request: Request) -> Response:
        """This person's last step is taken back. Raises ChangedSince."""
        me = allow(request, "reviewer")
        where, texts = Where.of(await form(request)), request.app.state.renderer.texts
        desk = _desk(request, me)
        back = await self._bench.run(lambda bench: desk(bench).undo_step())
        if not back:
            said = texts("review.nothing_to_undo", me.language)
            return done(request, where.url(start=where.start, example=where.example), said)
        # Look at where it stands now, since it may have left this list.
        there = Where(Wanted(back[0].state, where.wanted.kind, where.wanted.lora), None, "")
        return done(
            request,
            there.url(example=back[0].id),
            texts("review.undone", me.language, n=len(back)),
        )

    async def build(self, request: Request) -> Response:
        """Bring the examples up to date with what people said since."""
        me = allow(request, "reviewer")
        built = await self._bench.run(lambda bench: bench.build())
        detail = {"new": built.new, "withdrawn": built.withdrawn}
        await self._store.run(
            audit.record, by=me.by, action="example.build", detail=detail, origin=origin(request), now=time.time()
        )
        said = request.app.state.renderer.texts("review.built", me.language, n=built.new, gone=built.withdrawn)
        return done(request, "/review", said)

    async def _hidden(self, me: Viewer, ids: Sequence[str]) -> frozenset[str]:
        """Those whose words or pages are hidden from `me`, who may then not decide about them either. Unknown ones are not."""
        found = await self._store.run(_seen, ids)

        def look(bench: Workbench) -> frozenset[str]:
            return frozenset(
                example.id
                for example, private in found
                if not _readable(me, rests_on_people(example), private=private) or rests_on_hidden(example, bench, me)
            )

        return await self._bench.run(look)


def _desk(request: Request, me: Viewer) -> Callable[[Workbench], Review]:
    return lambda bench: bench.review(me.by, me.language, origin(request))


def _readable(me: Viewer, from_people: bool, *, private: bool) -> bool:
    return not from_people or me.may_read_text(private=private)


def _seen(connection: Connection, ids: Sequence[str]) -> list[tuple[Example, bool]]:
    """Each with whether its words are private; unknown ones are missing."""
    found = [examples.get(connection, one) for one in ids]
    return [(one, example_lists.is_private(connection, one.id)) for one in found if one is not None]


def _read(connection: Connection, where: Where, by: str) -> Queue:
    lines = example_lists.lines(connection, where.wanted, start=where.start, most=_ROWS + 1)
    wanted = where.example or (lines[0].id if lines else "")
    example = examples.get(connection, wanted) if wanted else None
    return Queue(
        counts=examples.counts(connection),
        lines=lines,
        loras=[one.name for one in loras.every(connection)],
        example=example,
        private=example is not None and example_lists.is_private(connection, example.id),
        history=examples.history(connection, example.id) if example is not None else [],
        steps=example_lists.steps(connection, by, most=_STEPS),
    )
