"""One answer on its way to the stream of the page that asked."""

from __future__ import annotations

from adapters.web.streams import Stream
from bot.conversation import Reply
from bot.web.chat import Ended, Said, Written


class WebDelivery:
    """See bot.platforms.Delivery. `stream` None: the page belongs to a process that is gone, so nobody reads here."""

    def __init__(self, stream: Stream | None, reference: str) -> None:
        self._stream = stream
        self._reference = reference

    async def status(self, text: str) -> None:
        """See bot.platforms.Delivery."""
        if self._stream is not None:
            self._stream.add(Said(text))

    async def write(self, text: str) -> None:
        """See bot.platforms.Delivery."""
        if self._stream is not None:
            self._stream.add(Written(text))

    async def finish(self, reply: Reply) -> str:
        """See bot.platforms.Delivery. The page takes it from the stream whenever it reads."""
        if self._stream is not None:
            self._stream.add(Ended(reply))
        return self._reference

    async def find(self) -> str | None:
        """Nobody reads what an earlier process was asked: as if it stood there, so the question ends without a second answer."""
        return self._reference if self._stream is None or self._stream.ended else None

    async def leave(self) -> None:
        """Nothing is shown by itself here."""
