"""Who may see which passages of one edition: computed once per reader, then only looked up."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from knowledge.page import Passage

MOST_KEPT = 256
"""Views kept, least recently used dropped first: one byte per passage each."""

_FIRST = 4
"""Of many passages the reader may nearly always see one of the first."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What one reader may see. `mask`: one bool per passage; `everything`: all true; `bits`: for FAISS, least bit first."""

    mask: NDArray[np.bool_]
    count: int
    everything: bool
    bits: NDArray[np.uint8]

    @classmethod
    def of(cls, mask: NDArray[np.bool_]) -> View:
        """From the mask alone."""
        count = int(mask.sum())
        return cls(mask, count, count == len(mask), np.packbits(mask, bitorder="little"))

    def holds(self, numbers: NDArray[np.integer]) -> bool:
        """Whether the reader may see any of these passages."""
        if self.everything or not len(numbers):
            return bool(len(numbers))
        # One by one: the first is mostly one of theirs, and a single look costs far less than taking many out at once.
        if any(self.mask[number] for number in numbers[:_FIRST].tolist()):
            return True
        return bool(self.mask[numbers[_FIRST:]].any())

    def held(self, numbers: NDArray[np.integer]) -> int:
        """How many of these passages the reader may see."""
        return len(numbers) if self.everything else int(self.mask[numbers].sum())


class Readers:
    """The views of one edition. Thread-safe."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._audiences = list(dict.fromkeys(passage.audience for passage in passages))
        numbers = {audience: i for i, audience in enumerate(self._audiences)}
        self._audience_of = np.array([numbers[p.audience] for p in passages], dtype=np.int64)
        self._source_of = np.array([p.source for p in passages], dtype=np.str_)
        self._views: OrderedDict[tuple[tuple[bool, ...], frozenset[str]], View] = OrderedDict()
        self._lock = Lock()

    def view(self, reader: frozenset[str], sources: frozenset[str] = frozenset()) -> View:
        """`sources`: names of the only sources; empty for all. Readers whom the same audiences admit share a view."""
        admitted = tuple(audience.admits(reader) for audience in self._audiences)
        key = (admitted, sources)
        with self._lock:
            if key in self._views:
                self._views.move_to_end(key)
                return self._views[key]
        mask = np.array(admitted, dtype=np.bool_)[self._audience_of]
        if sources:
            mask = mask & np.isin(self._source_of, sorted(sources))
        view = View.of(mask)
        with self._lock:
            self._views[key] = view
            while len(self._views) > MOST_KEPT:
                self._views.popitem(last=False)
        return view
