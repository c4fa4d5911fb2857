"""The loopback Discord: what exists there, and what a test may do to it. See the package's docstring."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

from aiohttp import web

from tests.fakes.discord import account_routes, channel_routes, interaction_routes
from tests.fakes.discord import gateway as gw
from tests.fakes.discord.faults import Fault, Faults, RateLimits
from tests.fakes.discord.records import Request, Violation
from tests.fakes.discord.rest import Rest
from tests.fakes.discord.world import World

T = TypeVar("T")
_PRIVILEGED = {  # intent → the application flag that a small bot gets for it (docs: application, flags)
    gw.GUILD_PRESENCES: 1 << 13,
    gw.GUILD_MEMBERS: 1 << 15,
    gw.MESSAGE_CONTENT: 1 << 19,
}


class DiscordServer(World):
    """A Discord for one bot. `async with DiscordServer() as server:`, then point the bot at its two URLs."""

    def __init__(self, *, message_content: bool = False, members: bool = False, bot_name: str = "사서") -> None:
        super().__init__(message_content=message_content, members=members, bot_name=bot_name)
        self.requests: list[Request] = []
        self.violations: list[Violation] = []
        self.faults = Faults()
        self.rate_limits = RateLimits()
        self.gateway = gw.Gateway(self)
        self.identify_budget = 1000
        self.expired_token_code = 50027
        """How a webhook of more than 15 minutes is refused: 50027 (401) or 10015 (404)."""
        self.port = 0
        self._changed = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> DiscordServer:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def start(self) -> None:
        """Listen on a free port of 127.0.0.1."""
        rest = Rest(self, [*account_routes.ROUTES, *channel_routes.ROUTES, *interaction_routes.ROUTES])
        app = web.Application(client_max_size=30 * 1024 * 1024)
        app.router.add_get("/gateway", self.gateway.handle)
        app.router.add_get("/gateway/", self.gateway.handle)
        app.router.add_get(r"/attachments/{id:\d+}", self._file)
        app.router.add_route("*", "/api/v10/{path:.*}", rest.handle)
        self._runner = web.AppRunner(app, shutdown_timeout=1.0, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        """Stop listening and close every connection."""
        await self.gateway.shut()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def api_base_url(self) -> str:
        """For `[discord] api_base_url`."""
        return f"http://127.0.0.1:{self.port}/api/v10"

    @property
    def gateway_url(self) -> str:
        """For `[discord] gateway_url`."""
        return f"ws://127.0.0.1:{self.port}/gateway"

    @property
    def application_flags(self) -> int:
        """The privileged intents that the portal allows."""
        return sum(flag for intent, flag in _PRIVILEGED.items() if self.allowed_intents & intent)

    async def _file(self, request: web.Request) -> web.Response:
        data = self.files.get(int(request.match_info["id"]))
        return web.Response(status=404) if data is None else web.Response(body=data)

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass at Discord, not at the bot."""
        self.clock.advance(seconds)

    def fault(self, method: str, route_part: str, **what: Any) -> Fault:
        """Plan a fault for requests whose path holds `route_part`; see `faults.Fault` for what can go wrong."""
        fault = Fault(method, route_part, **what)
        self.faults.add(fault)
        return fault

    def violated(self, where: str, detail: str) -> None:
        """Write down what a correct bot never does."""
        self.violations.append(Violation(where, detail))

    def calls(self, method: str, route_part: str) -> list[Request]:
        """The requests so far of one kind."""
        return [r for r in self.requests if r.method == method and route_part in r.path]

    @property
    def invalid_requests(self) -> int:
        """Those answered with 401, 403 or 429. Discord bans the address of a bot after 10,000 in 10 minutes."""
        return sum(request.status in (401, 403, 429) for request in self.requests)

    def changed(self) -> None:
        """Something happened: look again, whoever waits."""
        self._changed.set()

    async def wait_for(self, predicate: Callable[[], T], timeout: float = 40.0, what: str = "") -> T:
        """The predicate's value once it is true. Raises AssertionError when it takes longer than `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while not (value := predicate()):
            left = deadline - time.monotonic()
            if left <= 0:
                latest = ", ".join(f"{r.method} {r.path} → {r.status}" for r in self.requests[-6:])
                raise AssertionError(f"Waited {timeout} s for {what or 'a condition'}. Latest requests: {latest}")
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), min(left, 0.05))  # the bot's own state may change unseen
            except TimeoutError:
                continue
        return value

    async def ready(self, timeout: float = 40.0) -> None:
        """Wait until a bot is identified or resumed."""
        await self.wait_for(lambda: self.gateway.connected, timeout, "a connected bot")
