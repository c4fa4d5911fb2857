"""robots.txt: what a site asks of those who read it by machine (RFC 9309)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin

from knowledge.sources.web.client import Unanswered, Wanted, WebClient

if TYPE_CHECKING:
    from protego import Protego

_MOST_BYTES = 512 * 1024


class Robots:
    """`rules`: None where the site asks for nothing. `agent`: our name."""

    def __init__(self, rules: Protego | None, agent: str) -> None:
        self._rules = rules
        self._agent = agent

    def allows(self, url: str) -> bool:
        """Whether `url` may be asked for."""
        return self._rules is None or self._rules.can_fetch(url, self._agent)

    @property
    def delay(self) -> float:
        """Seconds that should lie between two requests; 0 if it does not say."""
        wish = None if self._rules is None else self._rules.crawl_delay(self._agent)
        return wish if wish is not None else 0.0


def read_robots(client: WebClient, url: str, agent: str) -> Robots:
    """Of the site that `url` is on. Raises Unanswered where the server cannot say: then nothing may be asked for.

    A missing file (any 4xx) allows everything.
    """
    from protego import Protego

    answer = client.get(urljoin(url, "/robots.txt"), Wanted(_MOST_BYTES))
    if answer.status >= 500 or answer.status == 429:
        raise Unanswered(f"robots.txt: {answer.phrase}")
    text = (answer.body or b"").decode("utf-8-sig", "replace")
    return Robots(Protego.parse(text) if text.strip() else None, agent)
