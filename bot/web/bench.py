"""The workbench of examples over the edition that serves, for the console: on threads of its own, since checking is work for Kiwi."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from bot.examples.workbench import Workbench
    from knowledge.search import SearchIndex

T = TypeVar("T")
_THREADS = 2
"""So that who looks at an example does not wait for a whole build."""


class ServingBench:
    """Made when first asked for, and again when another edition serves."""

    def __init__(self, make: Callable[[SearchIndex], Workbench], index: Callable[[], SearchIndex]) -> None:
        """`make`: reads every passage of the index once; `index`: what serves now."""
        self._make = make
        self._index = index
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="bench")
        self._lock = threading.Lock()
        self._kept: tuple[str, Workbench] | None = None

    async def run(self, work: Callable[[Workbench], T]) -> T:
        """`work`, off the event loop. Raises what it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: work(self._bench()))

    def _bench(self) -> Workbench:
        index = self._index()
        with self._lock:
            if self._kept is None or self._kept[0] != index.name:
                self._kept = (index.name, self._make(index))
            return self._kept[1]
