"""HTTP mode: a small server that takes what Slack signed, and nothing else.

The signature is HMAC-SHA256 over `v0:<timestamp>:<raw body>` with a window of five minutes (docs.slack.dev, verifying
requests from Slack). Bolt answers 500 to a timestamp that is no number and logs the body of a forged request, so the check
stands here, in front of it.
"""

from __future__ import annotations

import logging

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.signature import SignatureVerifier

from adapters.slack import log
from adapters.slack.intake import Intake
from adapters.slack.taking import take

PATH = "/slack/events"
_MOST_BYTES = 1024 * 1024
_logger = logging.getLogger(__name__)


class HttpMode:
    """One path for events, commands and interactivity."""

    def __init__(self, app: AsyncApp, signing_secret: str, intake: Intake, *, host: str, port: int) -> None:
        self._app = app
        self._verifier = SignatureVerifier(signing_secret)
        self._intake = intake
        self._host = host
        self._port = port
        self._runner: web.AppRunner | None = None

    @property
    def port(self) -> int:
        """Where it listens; the system's choice when 0 was asked for."""
        if self._runner is None or not self._runner.addresses:
            return self._port
        return int(self._runner.addresses[0][1])

    async def open(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        application = web.Application(client_max_size=_MOST_BYTES)
        application.router.add_post(PATH, self._take)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=2.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()

    async def close(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _take(self, request: web.Request) -> web.Response:
        raw = await request.read()
        if not self._signed(raw, request):
            log.event(_logger, logging.WARNING, "slack_signature_wrong")
            return web.json_response({"error": "invalid request"}, status=401)
        self._intake.heard()
        if not self._intake.takes:
            return web.json_response({"error": "try again"}, status=503)  # Slack delivers it again
        found = AsyncBoltRequest(body=raw.decode("utf-8"), query=request.query_string, headers=dict(request.headers))
        return await to_aiohttp_response(await take(self._app, found, self._intake))

    def _signed(self, raw: bytes, request: web.Request) -> bool:
        timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
        signature = request.headers.get("X-Slack-Signature", "")
        if not (timestamp.isascii() and timestamp.isdigit() and signature.isascii()):
            return False
        try:
            return self._verifier.is_valid(raw, timestamp, signature)
        except (ValueError, TypeError):  # a number too long to be one, or a body that is not UTF-8
            return False
