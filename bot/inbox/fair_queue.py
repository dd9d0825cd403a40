"""A queue that is fair to sources: whoever brings more waits for themselves, not for others. Pure.

A first-come queue gives a source with 2,000 sockets 99 places of a hundred. Here sources take
turns, and within a source its conversations do; a source that has not waited is next after one
round of those that have.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """Items that wait for one of a limited number of places.

    Args:
        places: Items that may have one at once.
        share: Places of one source. It may have more, up to half of all, while it is alone.

    >>> queue = FairQueue[str](places=8, share=1)
    >>> for item in ("a1", "a2", "a3", "b1"):
    ...     queue.add(item[0], item)
    >>> [queue.take(), queue.take(), queue.take()]
    ['a1', 'b1', None]
    >>> queue.give_back("b")
    >>> queue.take()
    'a2'
    """

    def __init__(self, *, places: int, share: int) -> None:
        self._places = places
        self._share = share
        self._waiting: OrderedDict[str, deque[T]] = OrderedDict()
        self._held: Counter[str] = Counter()
        self._count = 0

    def __len__(self) -> int:
        """Return how many wait."""
        return self._count

    @property
    def held(self) -> int:
        """Return how many have a place."""
        return self._held.total()

    def add(self, source: str, item: T) -> None:
        """Wait at the end of the source's line."""
        self._waiting.setdefault(source, deque()).append(item)
        self._count += 1

    def discard(self, source: str, item: T) -> bool:
        """Give up waiting; ``False`` for an item that does not wait (any more)."""
        line = self._waiting.get(source)
        if line is None or item not in line:
            return False
        line.remove(item)
        self._count -= 1
        if not line:
            del self._waiting[source]
        return True

    def take(self) -> T | None:
        """The next item, which has a place until ``give_back``; ``None`` if none may have one."""
        if not self._waiting or self.held >= self._places:
            return None
        # only sources that hold their share are passed over, and these are few
        source = next(
            (waiting for waiting in self._waiting if self._held[waiting] < self._share), None
        )
        if source is None:
            source = next(iter(self._waiting))
            is_alone = len(self._waiting) == 1 and self._held[source] == self.held
            if not is_alone or self._held[source] >= self._places // 2:
                return None
        line = self._waiting.pop(source)
        item = line.popleft()
        if line:
            self._waiting[source] = line  # behind the others
        self._held[source] += 1
        self._count -= 1
        return item

    def give_back(self, source: str) -> None:
        """Free the place that an item of this source had."""
        self._held[source] -= 1
        if self._held[source] <= 0:
            del self._held[source]
