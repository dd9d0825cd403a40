"""Sending what is in the outbox: in order within a conversation, side by side between them.

A commit hands its fresh messages over at once; a poll claims what waits for a retry and what a dead
process left. Each conversation is a lane (``connectors.delivery.lane``); here messages are claimed
and given to their lanes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Self

import structlog

from connectors.delivery.lane import Lane
from connectors.delivery.marks import Marks
from connectors.delivery.outbox import AccountKey, Dispatch, LaneKey, Outbox
from connectors.delivery.sender import Sender
from connectors.errors import ConnectorError
from connectors.messages import Connector

log = structlog.get_logger(__name__)

POLL_S = 2.0
SHORTEST_POLL_S = 0.2
CLAIM_LIMIT = 200


class Delivery:
    """Owns the outbox's way to the platforms, while it is entered.

    Args:
        sleep: Waits for a channel's pace.
        may_send: Whether this process is still the one that sends. While it is not, what it has
            taken is let go, and taken again once the lease has run out.

    Attributes:
        failed_count: How many messages were given up since the start.
    """

    def __init__(
        self,
        outbox: Outbox,
        connectors: Mapping[AccountKey, Connector],
        *,
        clock: Callable[[], datetime],
        random: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        may_send: Callable[[], bool] = lambda: True,
    ) -> None:
        self._outbox = outbox
        self._clock = clock
        self._may_send = may_send
        self._tasks = asyncio.TaskGroup()
        self._sender = Sender(outbox, connectors, clock=clock, random=random, sleep=sleep)
        self._marks = Marks(outbox, self._tasks, clock)
        self._lanes: dict[LaneKey, Lane] = {}
        self._woken = asyncio.Event()
        self._is_open = False
        self.failed_count = 0

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._is_open = True
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_open = False
        for task in self._running():
            task.cancel()
        await self._tasks.__aexit__(None, None, None)

    @property
    def sent_count(self) -> int:
        """Return the number of messages sent since the start."""
        return self._marks.sent_count

    def hand_over(self, dispatches: Iterable[Dispatch]) -> None:
        """Take messages that were just committed; returns at once. Call it in commit order."""
        if not self._is_open:  # they keep their lease, and wait for the next start
            return
        for dispatch in dispatches:
            lane = self._lanes.get(dispatch.lane)
            if lane is None:
                lane = self._lanes[dispatch.lane] = self._new_lane(dispatch.lane)
            lane.append(dispatch)

    def wake(self) -> None:
        """Poll soon instead of at the next round: something became due by a commit."""
        self._woken.set()

    def resume(self) -> None:
        """Go on: this process may send again, and the outbox has what was let go as due."""
        now = self._clock()
        for lane in self._lanes.values():
            lane.resume(now)
        self._woken.set()

    async def run(self) -> None:
        """Poll for what is due until cancelled."""
        while True:
            with suppress(ConnectorError):
                await self.poll()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._until_next_poll_s()):
                    await self._woken.wait()
            self._woken.clear()

    async def poll(self) -> int:
        """Take what is due once; return how many messages were taken."""
        self._forget_idle_lanes()
        if not self._may_send():
            return 0
        await self._let_lanes_put_back()
        for lane in self._lanes.values():
            lane.poll_begins()
        now = self._clock()
        # what is known to be sent is not sent again only because its mark failed, or comes later
        self._marks.write_soon()
        known = self._marks.unwritten
        taken, is_all = await self._claim(now)
        # in one go with handing over: in between, what comes fresh would overtake what waited
        if is_all and not self._end_past_waits(now):
            self._woken.set()
        # what is on its way still, though its lease is over
        known = known.union(
            self._marks.unwritten, *(lane.dealt_with for lane in self._lanes.values())
        )
        self.hand_over(one for one in taken if one.outbound.outbox_id not in known)
        return len(taken)

    async def settle(self) -> None:
        """Wait until everything taken is sent or put back, and marked so."""
        while running := self._running():
            await asyncio.wait(running)

    async def stop(self, grace_s: float) -> None:
        """Let what is on its way arrive; the rest keeps its lease, and waits for the next start."""
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await self.settle()

    # ------------------------------------------------------------------ claiming

    async def _let_lanes_put_back(self) -> None:
        """Wait a while for lanes that put back: what they still write would be overtaken."""
        tasks = [lane.task for lane in self._lanes.values() if lane.waits_until and lane.task]
        if tasks:
            await asyncio.wait(tasks, timeout=POLL_S)

    async def _claim(self, now: datetime) -> tuple[list[Dispatch], bool]:
        """Claim all that is due; whether that is all: what were left would be overtaken."""
        taken: list[Dispatch] = []
        try:
            while page := await self._outbox.claim(now, CLAIM_LIMIT):
                taken.extend(page)
        except Exception as error:  # noqa: BLE001 - a database that is away must not end the poll
            log.warning("outbox_poll_failed", error=type(error).__name__)
            return taken, False
        return taken, True

    def _end_past_waits(self, now: datetime) -> bool:
        """Open the lanes whose wait is over; whether that is all of them."""
        self._sender.end_past_pauses(now)
        are_open = [lane.end_past_wait(now) for lane in self._lanes.values()]
        return all(are_open)

    def _until_next_poll_s(self) -> float:
        """Sooner where a wait ends sooner: nobody waits for a retry longer than it needs."""
        waits = [lane.waits_until for lane in self._lanes.values() if lane.waits_until]
        if not waits:
            return POLL_S
        return min(POLL_S, max(SHORTEST_POLL_S, (min(waits) - self._clock()).total_seconds()))

    # ------------------------------------------------------------------ lanes

    def _new_lane(self, key: LaneKey) -> Lane:
        return Lane(
            self._outbox,
            self._sender,
            self._sender.account(key[:2]),
            self._marks,
            tasks=self._tasks,
            clock=self._clock,
            may_send=self._may_send,
            on_failed=self._count_failed,
        )

    def _count_failed(self) -> None:
        self.failed_count += 1

    def _forget_idle_lanes(self) -> None:
        self._lanes = {key: lane for key, lane in self._lanes.items() if not lane.is_idle}

    def _running(self) -> list[asyncio.Task[None]]:
        tasks = [lane.task for lane in self._lanes.values()]
        return [task for task in (*tasks, self._marks.task) if task is not None]


__all__ = ["Delivery"]
