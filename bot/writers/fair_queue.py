"""A bounded queue that is fair to people: round-robin over askers, first come first served within one asker."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class FairQueue(Generic[Item]):
    """Not thread-safe: its owner holds a lock. All operations cost at most one step per waiting asker."""

    def __init__(self) -> None:
        self._lines: OrderedDict[str, deque[Item]] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def waiting(self, asker: str) -> int:
        """How many items of one asker wait."""
        return len(self._lines.get(asker, ()))

    def put(self, asker: str, item: Item) -> None:
        """Append to the asker's line; a new asker is served after those already waiting."""
        self._lines.setdefault(asker, deque()).append(item)
        self._size += 1

    def take(self) -> Item:
        """The next item; its asker moves to the back. Raises IndexError when empty."""
        if not self._lines:
            raise IndexError("empty")
        asker, line = self._lines.popitem(last=False)
        item = line.popleft()
        if line:
            self._lines[asker] = line
        self._size -= 1
        return item

    def remove(self, asker: str, item: Item) -> bool:
        """Take out one waiting item; False when it does not wait (any more)."""
        line = self._lines.get(asker)
        if line is None or item not in line:
            return False
        line.remove(item)
        if not line:
            del self._lines[asker]
        self._size -= 1
        return True

    def position(self, asker: str, item: Item) -> int:
        """How many items are taken up to and including this one (1 = next); 0 when it does not wait."""
        line = self._lines.get(asker)
        if line is None or item not in line:
            return 0
        index = line.index(item)
        before, passed_self = index, False
        for other, theirs in self._lines.items():
            if other == asker:
                passed_self = True
            else:
                # Someone ahead of us in the round is served once more than we have been when our turn comes.
                before += min(len(theirs), index if passed_self else index + 1)
        return before + 1

    def drain(self) -> list[Item]:
        """Empty the queue; what waited, in the order it would have been served."""
        return [self.take() for _ in range(self._size)]
