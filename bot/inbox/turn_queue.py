"""Places for turns: so many at once, fairly shared, and not too many of one customer in a row.

Everything that waits here is stored already: waiting loses nothing, and a restart finds it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.inbox.fair_queue import FairQueue
from connectors.kit.rate import Rate, SharedLimit
from connectors.messages import Address, PeerKind
from handoff.model.conversation import ConversationId

TURNS_AT_ONCE = 32
"""Turns share one core: more of them would not end sooner, and tools that are slow wait apart."""
SHARE = 4
CONVERSATION_PACE = Rate(30, 1)
SOURCE_PACE = Rate(100, 10)
SHORTEST_WAIT_S = 0.01
"""A wait that is too small to move the clock would be waited for ever."""
TERMINAL = "terminal"


@dataclass(frozen=True, slots=True)
class Origin:
    """The customer of a turn, as the queue tells them apart.

    Attributes:
        source: The network behind a page, the group, or the person on a platform.
        is_paced: ``False`` where nobody could be flooding: the owner's own terminal.
    """

    conversation_id: ConversationId
    source: str
    is_paced: bool = True

    @classmethod
    def of(
        cls, conversation_id: ConversationId, address: Address, sources: tuple[str, ...]
    ) -> Origin:
        """Return the origin of a message.

        Args:
            sources: Its throttle keys beside the identity, the exact one first.
        """
        is_paced = address.ref.channel != TERMINAL
        return cls(conversation_id, source_of(address, sources), is_paced)


def source_of(address: Address, sources: tuple[str, ...]) -> str:
    """Return the network behind a page, or the group or the person on a platform."""
    if sources:
        return sources[0]
    if address.kind is PeerKind.GROUP:
        return f"{address.ref.channel}:{address.ref.account_id}:group:{address.peer_id}"
    return address.identity


class TurnQueue:
    """Gives turns their places.

    Args:
        now_s: Monotonic.
        sleep: Waits for the pace.
    """

    def __init__(
        self,
        *,
        now_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        places: int = TURNS_AT_ONCE,
        share: int = SHARE,
    ) -> None:
        self._now_s = now_s
        self._sleep = sleep
        self._queue: FairQueue[asyncio.Future[None]] = FairQueue(places=places, share=share)
        self._pace = SharedLimit(visitor=CONVERSATION_PACE, source=SOURCE_PACE)

    def __len__(self) -> int:
        """Count the turns that wait for a place."""
        return len(self._queue)

    async def paced(self, origin: Origin) -> bool:
        """Wait until the customer, or a whole group of them, may have another turn.

        A flood of messages is stored as it comes and answered in a few turns that take many.
        """
        has_waited = False
        while origin.is_paced:
            wait_s = self._pace.wait_s(origin.conversation_id, (origin.source,), self._now_s())
            if wait_s == 0:
                break
            has_waited = True
            await self._sleep(max(wait_s, SHORTEST_WAIT_S))
        return has_waited

    @asynccontextmanager
    async def place(self, origin: Origin) -> AsyncIterator[Place]:
        """Hold a place for the length of the block."""
        place = Place(self._queue, origin.source)
        await place.enter()
        try:
            yield place
        finally:
            place.leave()


class Place:
    """One turn's place; it can be given up for a while."""

    def __init__(self, queue: FairQueue[asyncio.Future[None]], source: str) -> None:
        self._queue = queue
        self._source = source
        self._is_held = False

    async def enter(self) -> None:
        """Wait for a place."""
        admitted = asyncio.get_running_loop().create_future()
        self._queue.add(self._source, admitted)
        self._admit()
        try:
            if not admitted.done():
                await admitted
        except asyncio.CancelledError:
            if not self._queue.discard(self._source, admitted):
                self._queue.give_back(self._source)  # it was given in this very moment
                self._admit()
            raise
        self._is_held = True

    def leave(self) -> None:
        """Let the next one in."""
        if self._is_held:
            self._is_held = False
            self._queue.give_back(self._source)
            self._admit()

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        """Wait for something without keeping the place from others."""
        self.leave()
        try:
            yield
        finally:
            await self.enter()

    def _admit(self) -> None:
        while (admitted := self._queue.take()) is not None:
            if not admitted.done():  # else it was cancelled, and gives its place back itself
                admitted.set_result(None)


__all__ = ["Origin", "Place", "TurnQueue", "source_of"]
