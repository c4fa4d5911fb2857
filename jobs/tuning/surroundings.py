"""What the training loop needs of the world. Tests put their own here."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

Sink = Callable[[dict[str, object]], None]
"""Takes one line of progress: an object with `event`."""

_LOOK_AGAIN = 0.5
"""Seconds, while training makes way."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Clock, memory, who listens, and who wants something."""

    tell: Sink = lambda line: None
    stop: Callable[[], bool] = lambda: False
    """Asked before every pass through the model: true saves and leaves."""
    busy: Callable[[], bool] = lambda: False
    """Asked before every pass, too: while true, training waits, because people do (`jobs.tuning.pause`)."""
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    memory_mb: Callable[[], float] = lambda: 0.0
    """Used, in MiB."""
    free_mb: Callable[[], float | None] = lambda: None
    """What may still be taken, in MiB; None: nobody knows."""

    def make_way(self) -> float:
        """Wait while somebody is waiting, or until somebody wants to stop; how many seconds that took."""
        if not self.busy():
            return 0.0
        began = self.clock()
        self.tell({"event": "paused"})
        while self.busy() and not self.stop():
            self.sleep(_LOOK_AGAIN)
        waited = self.clock() - began
        self.tell({"event": "resumed", "seconds": round(waited, 1)})
        return waited
