"""HTTP mode: the fake posts signed requests to the bot's request URL and takes a 200 within three seconds as the acknowledgement."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlencode, urlsplit

import aiohttp

from tests.fakes.slack.delivery import COMMANDS, EVENTS, Attempt, Failure
from tests.fakes.slack.records import JSON, Ack

JSON_TYPE = "application/json"
FORM_TYPE = "application/x-www-form-urlencoded"


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """`X-Slack-Signature`, version v0: HMAC-SHA256 over `v0:<timestamp>:<raw body>`."""
    return "v0=" + hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()


class HttpMode:
    """Posts to `url`, signed with `secret`."""

    def __init__(self, url: str, secret: str, acks: list[Ack], changed: Callable[[], None]) -> None:
        self.url = url
        self.secret = secret
        self._acks = acks
        self._changed = changed
        self._session: aiohttp.ClientSession | None = None

    async def post(
        self, body: bytes, content_type: str, headers: Mapping[str, str] | None = None, *, signed: bool = True
    ) -> tuple[int, str]:
        """One raw request; returns status and text. `headers` override the signature's, for tests of forgeries."""
        all_headers = self._headers(body, content_type) if signed else {"Content-Type": content_type}
        all_headers |= headers or {}
        if self._session is None:
            self._session = aiohttp.ClientSession(trust_env=False)
        async with self._session.post(self.url, data=body, headers=all_headers) as response:
            return response.status, await response.text()

    async def verify_url(self) -> bool:
        """Send `url_verification`, as when the URL is entered in the app's settings; whether the challenge came back."""
        challenge = secrets.token_hex(16)
        body = json.dumps({"type": "url_verification", "challenge": challenge, "token": "unused"}).encode()
        status, text = await self.post(body, JSON_TYPE)
        return status == 200 and challenge in text

    async def send(self, attempt: Attempt, seconds: float) -> Ack | Failure:
        """One signed POST. 2xx acknowledges; `X-Slack-No-Retry: 1` on anything else ends the attempts."""
        body, content_type = _encode(attempt)
        headers = self._headers(body, content_type)
        if attempt.number:
            headers |= {"X-Slack-Retry-Num": str(attempt.number), "X-Slack-Retry-Reason": attempt.reason}
        started = time.monotonic()
        if self._session is None:
            self._session = aiohttp.ClientSession(trust_env=False)
        timeout = aiohttp.ClientTimeout(total=seconds)
        try:
            async with self._session.post(self.url, data=body, headers=headers, timeout=timeout) as response:
                text = await response.text()
                if response.status >= 300:
                    return Failure("http_error", final=response.headers.get("X-Slack-No-Retry") == "1")
        except TimeoutError:
            return Failure("http_timeout")
        except aiohttp.ClientError:
            return Failure("connection_failed")
        ack = Ack("", attempt.kind, attempt.name, attempt.number, time.monotonic() - started, False, _payload(text))
        self._acks.append(ack)
        self._changed()
        return ack

    def _headers(self, body: bytes, content_type: str) -> dict[str, str]:
        timestamp = str(int(time.time()))
        return {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(self.secret, timestamp, body),
        }

    async def ready(self, seconds: float) -> None:
        """Wait until the port answers, at most so long."""
        end = time.monotonic() + seconds
        target = urlsplit(self.url)
        while time.monotonic() < end:
            try:
                _, writer = await asyncio.open_connection(target.hostname, target.port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return

    async def close(self) -> None:
        """Close the client session."""
        if self._session is not None:
            await self._session.close()


def _encode(attempt: Attempt) -> tuple[bytes, str]:
    if attempt.kind == EVENTS:
        return json.dumps(attempt.payload).encode(), JSON_TYPE
    fields = attempt.payload if attempt.kind == COMMANDS else {"payload": json.dumps(attempt.payload)}
    return urlencode(fields).encode(), FORM_TYPE


def _payload(text: str) -> JSON | None:
    if not text:
        return None
    try:
        payload = json.loads(text)
    except ValueError:
        return {"text": text}
    return payload if isinstance(payload, dict) and payload else None
