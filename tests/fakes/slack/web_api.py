"""The door of the Web API: reads a request, checks token, arguments, scopes, limits and faults, and calls the method."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.fakes.slack.faults import Fault, Faults, RateLimits
from tests.fakes.slack.records import JSON, Call, SlackError, Violation
from tests.fakes.slack.state import Channel, Workspace

METHODS: dict[str, JSON] = json.loads((Path(__file__).parent / "data" / "methods.json").read_text(encoding="utf-8"))
"""Per method: args, required, scopes, tier. Source: data/README.md."""

_JSON_ARGUMENTS = ("blocks", "attachments", "metadata", "view", "chunks", "prompts", "loading_messages")
_EVERYWHERE = {"team_id"}  # bolt's per-request client of slack_sdk adds it to every call
_SCOPE_NAMES = {"public": "channels", "private": "groups", "im": "im", "mpim": "mpim"}


@dataclass(slots=True)
class Tokens:
    """What the app authenticates with and what it was granted."""

    bot: str
    app: str
    scopes: set[str]
    withheld: set[str]
    """Scopes taken away on purpose: refusing them is no violation."""


Handler = Callable[[JSON], JSON]


class WebApi:
    """Dispatches to `handlers` (method → function of its arguments)."""

    def __init__(
        self,
        workspace: Workspace,
        tokens: Tokens,
        handlers: Mapping[str, Handler],
        calls: list[Call],
        violations: list[Violation],
        changed: Callable[[], None],
    ) -> None:
        self.faults = Faults()
        self.limits = RateLimits()
        self._workspace = workspace
        self._tokens = tokens
        self._handlers = handlers
        self._calls = calls
        self._violations = violations
        self._changed = changed

    @property
    def methods(self) -> frozenset[str]:
        """Those that can be called."""
        return frozenset(self._handlers)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """`/api/<method>`, GET or POST, arguments as form, JSON or query."""
        method = request.match_info["method"]
        args, token = await _read(request)
        call = Call(method, args, time.monotonic())
        self._calls.append(call)
        self._changed()
        fault = self.faults.take(method)
        if fault is not None and fault.delay:
            await asyncio.sleep(fault.delay)
        tier = str(METHODS.get(method, {}).get("tier", "special"))
        wait = self.limits.wait(method, tier, str(args.get("channel", "")))
        if wait is not None:
            return self._answer(call, {"ok": False, "error": "ratelimited"}, 429, {"Retry-After": str(wait)})
        if fault is not None and fault.refuses:
            if fault.applied:
                self._run(call, token)
            return self._fail(call, request, fault)
        body = self._run(call, token)
        if fault is not None and fault.late:
            self._changed()
            await asyncio.sleep(fault.late)
        # Slack names the granted scopes with every answer to a known token (docs.slack.dev, web API responses).
        granted = ",".join(sorted(self._tokens.scopes - self._tokens.withheld))
        return self._answer(call, body, headers={"x-oauth-scopes": granted} if token == self._tokens.bot else None)

    def _run(self, call: Call, token: str) -> JSON:
        try:
            self._check(call, token)
            return {"ok": True} | self._handlers[call.method](call.args)
        except SlackError as error:
            if error.violation:
                self._violations.append(Violation(call.method, error.code, error.detail))
            body: JSON = {"ok": False, "error": error.code} | error.extra
            if error.detail:
                body.setdefault("response_metadata", {"messages": [f"[ERROR] {error.detail}"]})
            return body

    def _check(self, call: Call, token: str) -> None:
        facts = METHODS.get(call.method)
        if facts is None or call.method not in self._handlers:
            raise SlackError("unknown_method", call.method, violation=True)
        needs_app_token = call.method == "apps.connections.open"
        if not token:
            raise SlackError("not_authed", violation=True)
        if token != (self._tokens.app if needs_app_token else self._tokens.bot):
            other = token in (self._tokens.app, self._tokens.bot)
            raise SlackError("not_allowed_token_type" if other else "invalid_auth")
        unknown = sorted(set(call.args) - set(facts["args"]) - _EVERYWHERE)
        if unknown:
            raise SlackError("invalid_arguments", f"unknown arguments: {', '.join(unknown)}", violation=True)
        missing = [name for name in facts["required"] if call.args.get(name) in (None, "")]
        if call.method == "assistant.threads.setStatus" and call.args.get("status") == "":
            missing.remove("status")  # an empty status clears it
        if missing:
            raise SlackError("invalid_arguments", f"missing required field: {', '.join(missing)}", violation=True)
        for scope in [] if needs_app_token else facts["scopes"]:
            self._check_scope(scope, call)

    def _check_scope(self, scope: str, call: Call) -> None:
        if "{kind}" in scope:
            channel = self._workspace.channels.get(str(call.args.get("channel")))
            if channel is None:
                raise SlackError("channel_not_found")
            scope = channel_scope(scope, channel)
        if scope not in self._tokens.scopes or scope in self._tokens.withheld:
            provided = ",".join(sorted(self._tokens.scopes - self._tokens.withheld))
            violation = scope not in self._tokens.withheld
            raise SlackError(
                "missing_scope", scope if violation else "", violation=violation, needed=scope, provided=provided
            )

    def _fail(self, call: Call, request: web.Request, fault: Fault) -> web.StreamResponse:
        if fault.drop_connection:
            call.error, call.answered = "dropped", True
            self._changed()
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        if fault.error is not None:
            return self._answer(call, {"ok": False, "error": fault.error})
        assert fault.status is not None
        if fault.status == 429:
            headers = {"Retry-After": str(1 if fault.retry_after is None else fault.retry_after)}
            return self._answer(call, {"ok": False, "error": "ratelimited"}, 429, headers)
        call.error, call.answered = f"http_{fault.status}", True
        self._changed()
        return web.Response(status=fault.status, text="fault")

    def _answer(
        self, call: Call, body: JSON, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> web.StreamResponse:
        call.response = body
        call.error = "" if body["ok"] else str(body["error"])
        call.answered = True
        self._changed()
        return web.json_response(body, status=status, headers=headers)


def channel_scope(scope: str, channel: Channel) -> str:
    """`{kind}:history` → `channels:history`, `groups:history` or `im:history`."""
    return scope.replace("{kind}", _SCOPE_NAMES[channel.kind])


async def _read(request: web.Request) -> tuple[JSON, str]:
    """The arguments, wherever they stand, and the token."""
    args: JSON = dict(request.query)
    if request.method == "POST" and request.can_read_body:
        if request.content_type == "application/json":
            body = await request.json()
            args |= body if isinstance(body, dict) else {}
        else:
            args |= {key: value for key, value in (await request.post()).items() if isinstance(value, str)}
    for name in _JSON_ARGUMENTS:
        if isinstance(args.get(name), str):
            args[name] = _parsed(args[name])
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    in_args = str(args.pop("token", ""))
    return args, token if scheme == "Bearer" and token else in_args


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def truthy(value: Any) -> bool:
    """A boolean argument, which forms and queries carry as `1`/`0` or `true`/`false`."""
    return str(value).lower() in ("1", "true")
