"""Answers of a web API with one value in them replaced by another: what a bug, an upgrade or a hostile server may send."""

from __future__ import annotations

import copy
import json
from typing import Any

from tests.fakes.http_api import HttpApi, Reply, Request

ODDITIES: list[Any] = [
    *(None, True, 0, -1, 10**30, 1.5, "", "x", "../../admin", "\ud800", "0001-01-01T00:00:00Z"),
    *([], {}, [None], [[]], {"type": "x"}, [{"id": 5}]),
]


class Misanswering:
    """While entered, the `nth` answer of `api` (modulo the answers there are) has its `place`-th value replaced."""

    def __init__(self, api: HttpApi, nth: int, place: int, value: Any) -> None:
        self._api = api
        self._nth = nth
        self._place = place
        self._value = value
        self._count = 0
        self._answer = api.answer

    def __enter__(self) -> None:
        self._api.answer = self._mutated  # type: ignore[method-assign]

    def __exit__(self, *_: object) -> None:
        self._api.answer = self._answer  # type: ignore[method-assign]

    def _mutated(self, request: Request) -> Reply:
        reply = self._answer(request)
        self._count += 1
        if self._count - 1 != self._nth:
            return reply
        body = copy.deepcopy(json.loads(json.dumps(reply.body)))
        places = list(_places(body))
        if not places:
            return Reply(reply.status, self._value, reply.headers)
        holder, key = places[self._place % len(places)]
        holder[key] = self._value
        return Reply(reply.status, body, reply.headers)


def _places(value: Any) -> Any:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        yield value, key
        yield from _places(inner)
