"""Reading calls to Slack's Web API: patient with its limits, every page of an answer or an error, errors as short codes."""

from __future__ import annotations

import http.client
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from knowledge.sources.paced import checked_address, is_this_machine

if TYPE_CHECKING:
    from slack_sdk.http_retry.request import HttpRequest
    from slack_sdk.http_retry.response import HttpResponse
    from slack_sdk.http_retry.state import RetryState
    from slack_sdk.web import WebClient

JSON = dict[str, Any]

_PER_PAGE = 200
"""What Slack recommends at most."""
_MOST_PAGES = 10_000
_LONGEST_PAUSE = 300
"""Seconds; Slack asks for up to 60. A server that asks for more is given up for this run."""
_ATTEMPTS = 8
_GIVE_UP_AFTER = 3
"""Calls in a row without any answer, after which no other is made: a thousand threads must not each wait."""


class SlackFailure(Exception):
    """A call that brought nothing. `code`: Slack's, or `http_5xx`, `unreachable`, `cut_off`; holds no text of anybody."""

    def __init__(self, code: str, needed: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.needed = needed
        """The scope that is missing."""


class SlackReader:
    """Synchronous, for an indexing run. Waits out rate limits (`Retry-After`), repeats what failed on the way."""

    def __init__(self, token: str, base_url: str) -> None:
        self.address = checked_address(base_url)
        self._token = token
        self._made: WebClient | None = None
        self._silent = 0

    def call(self, method: str, **arguments: str | int) -> JSON:
        """The answer of `method`. Raises SlackFailure."""
        from slack_sdk.errors import SlackApiError, SlackClientError

        if self._silent >= _GIVE_UP_AFTER:
            raise SlackFailure("unreachable")
        try:
            answer = self._client().api_call(method, http_verb="GET", params=arguments).data
        except SlackApiError as error:
            self._silent = 0
            # Not chained: its text holds the whole answer.
            raise _refusal(error.response) from None
        except (SlackClientError, OSError, http.client.HTTPException, ValueError):
            self._silent += 1
            raise SlackFailure("unreachable") from None
        self._silent = 0
        if not isinstance(answer, dict):
            raise SlackFailure("no_json")
        return answer

    def messages(self, method: str, **arguments: str | int) -> Iterator[JSON]:
        """The messages of every page. Raises SlackFailure where one is missing: half a list must not pass for a whole one."""
        cursor = ""
        for _ in range(_MOST_PAGES):
            more = {"cursor": cursor} if cursor else {}
            answer = self.call(method, limit=_PER_PAGE, **arguments, **more)
            messages = answer.get("messages")
            if not isinstance(messages, list):
                raise SlackFailure("cut_off")
            yield from (one for one in messages if isinstance(one, dict))
            before, cursor = cursor, str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor and not answer.get("has_more"):
                return
            if cursor in ("", before):
                break
        raise SlackFailure("cut_off")

    def _client(self) -> WebClient:
        if self._made is None:
            from slack_sdk.http_retry.builtin_handlers import ConnectionErrorRetryHandler, ServerErrorRetryHandler
            from slack_sdk.web import WebClient

            # The SDK prints whole answers at DEBUG, so its logger starts higher and is nobody else's.
            logger = logging.Logger(f"{__name__}.sdk", level=logging.CRITICAL)
            handlers = [_rate_limits(), ConnectionErrorRetryHandler(3), ServerErrorRetryHandler(3)]
            self._made = WebClient(self._token, self.address, logger=logger, retry_handlers=handlers)
            if is_this_machine(urlsplit(self.address).hostname or ""):
                self._made.proxy = None
        return self._made


def _rate_limits() -> Any:
    from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler

    class Patient(RateLimitErrorRetryHandler):
        """As the SDK's, but a pause without reason is not waited out."""

        def _can_retry(
            self,
            *,
            state: RetryState,
            request: HttpRequest,
            response: HttpResponse | None = None,
            error: Exception | None = None,
        ) -> bool:
            if response is None or response.status_code != 429:
                return False
            asked = next((value for name, value in response.headers.items() if name.lower() == "retry-after"), ["1"])
            return str(asked[0]).isdigit() and int(asked[0]) <= _LONGEST_PAUSE

    return Patient(max_retry_count=_ATTEMPTS)


def _refusal(response: Any) -> SlackFailure:
    status = getattr(response, "status_code", 0)
    data = getattr(response, "data", None)
    if isinstance(status, int) and status >= 500:
        return SlackFailure("http_5xx")
    told = data if isinstance(data, dict) else {}
    code = told.get("error")
    # A code is a word; anything else may be a page of a proxy.
    known = isinstance(code, str) and code.replace("_", "").isalnum() and len(code) < 60
    return SlackFailure(str(code) if known else f"http_{status}", str(told.get("needed") or "")[:60])
