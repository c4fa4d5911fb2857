"""물어보기: the console's own chat. Sentences arrive as server-sent events; without JavaScript the form waits for the whole answer.

Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from bot import texts
from bot.conversation import Direction, Receipt, Reply, VoteReceipt
from bot.web.chat import Chat, ChatEvent, Ended, Said
from bot.web.page import Page, form, form_list, render, viewer
from bot.web.viewer import Viewer

_MOST_TURNS = 10
_STOP_SECONDS = 2.0
_LONGEST_SECONDS = 600.0
"""That a form without JavaScript waits for its answer; a visitor who left is not noticed before."""
_LONGEST = 2000
"""Characters of a question; more is no question."""


def ask(chat: Chat) -> Page:
    """The page."""
    handlers = _Ask(chat)
    return Page(
        "ask",
        "/ask",
        (
            Route("/ask", handlers.show, methods=["GET"]),
            Route("/ask", handlers.ask, methods=["POST"]),
            Route("/ask/stream/{stream}", handlers.stream, methods=["GET"]),
            Route("/ask/vote", handlers.vote, methods=["POST"]),
        ),
        key="a",
    )


class _Ask:
    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    async def show(self, request: Request) -> Response:
        """An empty conversation."""
        return _page(request, [])

    async def ask(self, request: Request) -> Response:
        """With JavaScript: JSON with the stream's id. Without: the page with the answer on it."""
        one = viewer(request)
        fields = await form(request)
        turns = tuple(turn[:_LONGEST] for turn in await form_list(request, "turn"))[-_MOST_TURNS:]
        text = fields.get("text", "").strip()[:_LONGEST]
        if not text:
            return _page(request, [], problem="ask.empty", turns=turns)
        key = fields.get("key") or secrets.token_hex(16)
        receipt, stream = await self._chat.ask(one, text, turns, key)
        if "application/json" in request.headers.get("accept", ""):
            return JSONResponse({"stream": stream})
        # What "그만" stopped says so itself, where it was asked; else its own answer comes at once.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS if receipt is Receipt.STOPPED else _LONGEST_SECONDS):
                async for _, event in self._chat.events(one, stream, 0):
                    if isinstance(event, Ended):
                        return _page(request, [(text, event.reply)], turns=(*turns, text))
        return _page(request, [], turns=turns)

    async def stream(self, request: Request) -> Response:
        """The events of one question, from the one after `Last-Event-ID` on."""
        one = viewer(request)
        told = request.headers.get("last-event-id", "0")
        after = int(told) if told.isascii() and told.isdecimal() and len(told) < 10 else 0
        events = self._chat.events(one, request.path_params["stream"], after)
        return StreamingResponse(
            _as_events(request, one, events),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    async def vote(self, request: Request) -> Response:
        """A thumb, and why."""
        fields = await form(request)
        direction: Direction = "up" if fields.get("direction") == "up" else "down"
        receipt = await self._chat.vote(
            viewer(request), fields.get("answer", ""), direction, "", fields.get("correction", "").strip()[:_LONGEST]
        )
        key = "ask.not_voted" if receipt is VoteReceipt.UNKNOWN else "ask.voted"
        return render(request, "ask/voted.html", key=key)


async def _as_events(request: Request, one: Viewer, events: AsyncIterator[tuple[int, ChatEvent]]) -> AsyncIterator[str]:
    async for number, event in events:
        yield _as_event(request, one, number, event)


def _as_event(request: Request, one: Viewer, number: int, event: ChatEvent) -> str:
    if isinstance(event, Ended):
        kind, data = "ended", {"html": request.app.state.renderer.html(one, "ask/answer.html", shown(event.reply, one))}
    elif isinstance(event, Said):
        kind, data = "said", {"text": event.text}
    else:
        kind, data = "written", {"text": event.text}
    # One line: JSON has no line breaks of its own.
    return f"id: {number}\nevent: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def shown(reply: Reply, one: Viewer) -> dict[str, object]:
    """What the template of an answer needs."""
    return {"reply": reply, "answer": reply.answer, "by_ai": texts.generated_by_ai(one.language)}


def _page(
    request: Request, exchanges: list[tuple[str, Reply]], *, problem: str = "", turns: tuple[str, ...] = ()
) -> Response:
    return render(
        request,
        "ask/page.html",
        exchanges=[(text, shown(reply, viewer(request))) for text, reply in exchanges],
        problem=problem,
        turns=turns,
        key=secrets.token_hex(16),
    )
