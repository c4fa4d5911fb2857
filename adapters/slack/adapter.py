"""The Slack adapter: starts, stops, and hands out deliveries. What happens with a payload stands in listeners.py."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import aiohttp

from adapters.slack import admin_texts, connect, log, web
from adapters.slack.budget import MinuteBudget, Pace
from adapters.slack.delivery import SlackDelivery, Tools
from adapters.slack.http_mode import HttpMode
from adapters.slack.intake import Intake
from adapters.slack.kit import Kit
from adapters.slack.listeners import Handlers
from adapters.slack.people import Directory
from adapters.slack.socket_mode import PING_SECONDS, STUCK_SECONDS, SocketMode
from adapters.slack.target import Target
from adapters.slack.tasks import Tasks
from adapters.slack.tokens import SlackTokens
from adapters.slack.waiting import REFRESH_SECONDS
from bot.conversation import Health
from bot.errors import AdapterError
from bot.messages import Language
from bot.platforms import Desk, Remember
from bot.settings import SlackSettings

__all__ = ["SlackAdapter", "SlackTokens", "Timing"]

_APPENDS_PER_MINUTE = 90
"""chat.appendStream is of Tier 4, 100 and more a minute."""
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. `ping`, `stuck`: see socket_mode.py; `refresh`: of a status; `pace`: between two appends to a stream; `post`: between two
    posts into a channel;
    `connect`: until all connections stand; `drain`: for listeners under way when intake stops; `call`: one request."""

    ping: float = PING_SECONDS
    stuck: float = STUCK_SECONDS
    refresh: float = REFRESH_SECONDS
    pace: float = 1.0
    post: float = 1.0
    connect: float = 30.0
    drain: float = 5.0
    call: float = 30.0


class SlackAdapter:
    """See bot.platforms.Adapter. Everything that belongs to one running connection is made by `start`."""

    name = "slack"

    def __init__(
        self,
        settings: SlackSettings,
        tokens: SlackTokens,
        desk: Desk,
        *,
        language: Language,
        timing: Timing | None = None,
    ) -> None:
        """`language`: of what the operator reads."""
        self._settings = settings
        self._tokens = tokens
        self._desk = desk
        self._language = language
        self._timing = timing or Timing()
        self._intake = Intake()
        self._tasks = Tasks()
        self._session: aiohttp.ClientSession | None = None
        self._tools: Tools | None = None
        self._socket: SocketMode | None = None
        self._http: HttpMode | None = None
        self._revoked = ""

    @property
    def port(self) -> int:
        """Of the HTTP server, once started in HTTP mode; 0 otherwise."""
        return self._http.port if self._http is not None else 0

    async def start(self) -> None:
        """Sign in and take events. Raises AdapterError with what to do; nothing stays open then."""
        try:
            await self._start()
        except BaseException:
            await self.close()
            raise

    async def stop_intake(self) -> None:
        """Events that come now are left to Slack, which delivers them again; what was taken is finished first."""
        self._intake.shut()
        if not await self._intake.drained(self._timing.drain):
            log.event(_logger, logging.WARNING, "slack_listeners_left")
        if self._socket is not None:
            await self._socket.close()

    async def drained(self, seconds: float) -> bool:
        """Wait until every event that was taken has been handled. False: some are still under way."""
        return await self._intake.drained(seconds)

    async def close(self) -> None:
        """End everything."""
        await self.stop_intake()
        if self._http is not None:
            await self._http.close()
        if self._tools is not None:
            self._tools.clients.shut()
        await self._tasks.cancel()
        if self._session is not None:
            await self._session.close()
        self._tools = None

    def delivery(self, question_id: str, reply_to: str, draft: str, remember: Remember) -> SlackDelivery:
        """See bot.platforms.Adapter. Raises AdapterError before `start` and after `close`."""
        if self._tools is None:
            raise AdapterError(platform="Slack", reason="not started", remedy="")
        return SlackDelivery(question_id, Target.parse(reply_to), draft, remember, self._tools)

    def health(self) -> Health:
        """From memory."""
        last = self._intake.last_event_seconds
        if self._revoked:
            return Health(connected=False, detail=self._revoked, last_event_seconds=last)
        if self._socket is not None:
            up, of = self._socket.connected, self._socket.connections
            return Health(connected=up > 0, detail=f"sockets {up}/{of}", last_event_seconds=last)
        return Health(connected=self._http is not None, detail="http", last_event_seconds=last)

    async def _start(self) -> None:
        # A start that failed has shut the gate, and the service tries again with this same adapter.
        self._intake, self._socket, self._http = Intake(), None, None
        self._check_tokens()
        base_url = self._settings.api_base_url
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self._timing.call))
        clients = web.Clients.make(self._tokens.bot, base_url, self._session)
        workspace = await connect.sign_in(clients, base_url, self._language)
        self._tools = Tools(
            clients=clients,
            workspace=workspace,
            tasks=self._tasks,
            starts=MinuteBudget(self._settings.streams_per_minute),
            appends=MinuteBudget(_APPENDS_PER_MINUTE),
            posts=Pace(self._timing.post),
            streaming=self._settings.streaming,
            refresh=self._timing.refresh,
            pace=self._timing.pace,
        )
        app = connect.bolt_app(self._tokens.bot, clients.promises, workspace)
        kit = Kit(self._desk, clients, workspace, Directory(clients.courtesies, workspace.team, self._tasks))
        Handlers(kit, self._intake, self._settings.suggested_prompts, self._end).register(app)
        if self._settings.mode == "http":
            self._http = HttpMode(
                app,
                self._tokens.signing_secret,
                self._intake,
                host=self._settings.host,
                port=self._settings.port,
            )
            await self._listen(self._http)
        else:
            self._socket = SocketMode(
                app,
                self._tokens.app,
                clients.promises,
                self._intake,
                connections=self._settings.connections,
                ping=self._timing.ping,
                stuck=self._timing.stuck,
            )
            await self._connect(self._socket)
        log.event(_logger, logging.INFO, "slack_started", mode=self._settings.mode, team=workspace.team)

    async def _connect(self, socket: SocketMode) -> None:
        try:
            await socket.open(self._timing.connect)
        except web.REFUSALS as error:
            raise connect.explained(error, self._settings.api_base_url, self._language, socket=True) from None

    async def _listen(self, http: HttpMode) -> None:
        try:
            await http.open()
        except OSError as error:
            remedy = admin_texts.port_taken(self._settings.host, self._settings.port, self._language)
            raise AdapterError(platform="Slack", reason=error.strerror or "", remedy=remedy) from error

    def _check_tokens(self) -> None:
        """Before any call: what is plainly missing."""
        for there, reason, remedy in (
            (self._tokens.bot, "SLACK_BOT_TOKEN", admin_texts.reinstall),
            (self._settings.mode == "http" or self._tokens.app, "SLACK_APP_TOKEN", admin_texts.app_token),
            (
                self._settings.mode == "socket" or self._tokens.signing_secret,
                "SLACK_SIGNING_SECRET",
                admin_texts.signing_secret,
            ),
        ):
            if not there:
                missing = admin_texts.missing(reason, self._language)
                raise AdapterError(platform="Slack", reason=missing, remedy=remedy(self._language))

    def _end(self, event: str) -> None:
        """The app was removed from the workspace: nothing will work until somebody installs it again."""
        self._revoked = event
        log.event(_logger, logging.ERROR, "slack_installation_ended", reason=event)
