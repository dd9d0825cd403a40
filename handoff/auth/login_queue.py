"""A short queue in front of expensive work: fair between sources, and full rather than long.

While it is more than half full the newest are served first: under a flood the oldest have given up,
and a queue served in order would be late for everybody.

Source: adaptive LIFO (B. Maurer, "Fail at Scale", ACM Queue 13(8), 2015).
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from handoff.errors import HandoffError


class QueueFull(HandoffError):
    """Too many wait already.

    Attributes:
        retry_after_s: When it is worth asking again.
    """

    def __init__(self, retry_after_s: float) -> None:
        super().__init__("too many wait already")
        self.retry_after_s = retry_after_s


class LoginQueue:
    """Lets in so many at once; sources that wait take turns, however many of each there are.

    Args:
        at_once: How many work side by side.
        waiting: How many may wait. Whoever comes when so many wait takes the place of the source
            that has the most waiting, or, if all have as few, of the one that waited longest.
        waiting_of_one: How many of one source may wait.
        retry_after_s: What those who are turned away are told.
        rests: How long a place stays empty after a turn, in lengths of that turn: with 3.0 the work
            takes a quarter of a core at most, however many ask for it.
        now_s: Monotonic.
        later: Calls back after so many seconds; ``None`` for the running loop's.
    """

    def __init__(
        self,
        *,
        at_once: int = 1,
        waiting: int = 16,
        waiting_of_one: int = 4,
        retry_after_s: float = 3.0,
        rests: float = 0.0,
        now_s: Callable[[], float] = time.monotonic,
        later: Callable[[float, Callable[[], None]], object] | None = None,
    ) -> None:
        self._rests = rests
        self._now_s = now_s
        self._later = later
        self._free = at_once
        self._waiting = waiting
        self._waiting_of_one = waiting_of_one
        self._retry_after_s = retry_after_s
        # the order of the keys is the order of turns
        self._queues: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    def __len__(self) -> int:
        """Return how many wait."""
        return sum(len(queue) for queue in self._queues.values())

    @asynccontextmanager
    async def turn(self, source: str) -> AsyncIterator[None]:
        """Wait for one's turn, and have it until the block ends.

        Raises:
            QueueFull: There is no room to wait in.
        """
        await self._enter(source)
        began_s = self._now_s()
        try:
            yield
        finally:
            self._rest(self._rests * (self._now_s() - began_s))

    def _rest(self, seconds: float) -> None:
        """Give the place to the next one after a rest."""
        if seconds <= 0:
            self._leave()
            return
        later = self._later or asyncio.get_running_loop().call_later
        later(seconds, self._leave)

    async def _enter(self, source: str) -> None:
        if self._free > 0 and not self._queues:
            self._free -= 1
            return
        place = self._queue_up(source)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled() and place.exception() is None:
                self._leave()  # the turn came as its owner went
            else:
                self._drop(source, place)
            raise

    def _queue_up(self, source: str) -> asyncio.Future[None]:
        mine = self._queues.get(source, ())
        if len(mine) >= self._waiting_of_one:
            raise QueueFull(self._retry_after_s)
        if len(self) >= self._waiting:
            self._make_room()
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(source, deque()).append(place)
        return place

    def _make_room(self) -> None:
        """Turn one away: the newest of the source with the most, the oldest of equals."""
        longest = max(self._queues, key=lambda source: len(self._queues[source]))
        queue = self._queues[longest]
        queue.pop().set_exception(QueueFull(self._retry_after_s))
        if not queue:
            del self._queues[longest]

    def _drop(self, source: str, place: asyncio.Future[None]) -> None:
        queue = self._queues.get(source)
        if queue is not None and place in queue:
            queue.remove(place)
            if not queue:
                del self._queues[source]

    def _leave(self) -> None:
        while self._queues:
            is_flooded = 2 * len(self) > self._waiting
            source, queue = self._queues.popitem(last=is_flooded)
            place = queue.popleft()
            if queue:
                self._queues[source] = queue
                # its next one waits until all others had a turn
                self._queues.move_to_end(source, last=not is_flooded)
            if not place.done():
                place.set_result(None)
                return
        self._free += 1
