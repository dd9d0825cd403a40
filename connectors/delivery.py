"""Sending what is in the outbox: in order within a conversation, side by side between them.

A commit hands its fresh messages over at once; a poll picks up what waits for a retry and what a
dead process left. One conversation is one *lane*: its messages leave one after the other, and one
that must wait holds back those behind it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from connectors.errors import ConnectorError, RateLimited, Retryable, SendError
from connectors.messages import Connector, Outbound

log = structlog.get_logger(__name__)

MAX_ATTEMPTS = 8
POLL_S = 2.0
POLL_LIMIT = 200
SEND_TIMEOUT_S = 20.0
FIRST_RETRY_S = 1.0
LONGEST_RETRY_S = 300.0


@dataclass(frozen=True, slots=True)
class Dispatch:
    """A message of the outbox that this process has taken.

    Attributes:
        attempts: Which attempt this is, from 1.
    """

    outbound: Outbound
    conversation_id: str
    attempts: int

    @property
    def lane(self) -> tuple[str, str, str]:
        """What must keep its order."""
        ref = self.outbound.address.ref
        return (ref.channel, ref.account_id, self.conversation_id)


class Outbox(Protocol):
    """What delivery needs of the outbox; each call is one transaction."""

    async def claim(self, now: datetime, limit: int) -> Sequence[Dispatch]:
        """Take what is due."""
        ...

    async def sent(self, ids: Sequence[str], at: datetime) -> None:
        """Mark as taken by the platform."""
        ...

    async def postpone(self, ids: Sequence[str], next_at: datetime, error: str) -> None:
        """Try again later."""
        ...

    async def fail(self, outbox_id: str, now: datetime, error: str, *, is_unknown: bool) -> None:
        """Give up loudly."""
        ...


def retry_delay_s(attempt: int, spread: float) -> float:
    """How long to wait after a failed attempt: 1 s doubled each time, 5 min at most.

    Args:
        attempt: Which attempt failed, from 1.
        spread: A random number in [0, 1): delays of many messages must not fall together.

    Returns:
        Seconds, between half of the step and the whole step.
    """
    step = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2.0 ** (attempt - 1))
    return step * (0.5 + spread / 2)


class Delivery:
    """Owns the outbox's way to the platforms."""

    def __init__(
        self,
        outbox: Outbox,
        connectors: Mapping[tuple[str, str], Connector],
        *,
        clock: Callable[[], datetime],
        random: Callable[[], float],
    ) -> None:
        self._outbox = outbox
        self._connectors = connectors
        self._clock = clock
        self._random = random
        self._lanes: dict[tuple[str, str, str], deque[Dispatch]] = {}
        self._blocked_until: dict[tuple[str, str, str], datetime] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._done: list[tuple[str, datetime]] = []
        self._marking: asyncio.Task[None] | None = None
        self.sent_count = 0
        self.failed_count = 0

    def hand_over(self, dispatches: Iterable[Dispatch]) -> None:
        """Take messages that were just committed; returns at once. Call it in commit order."""
        for dispatch in dispatches:
            lane = self._lanes.get(dispatch.lane)
            if lane is not None:
                lane.append(dispatch)
                continue
            self._lanes[dispatch.lane] = deque([dispatch])
            task = asyncio.create_task(self._run_lane(dispatch.lane))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def run(self) -> None:
        """Poll for what is due until cancelled."""
        while True:
            with suppress(ConnectorError):
                await self.poll()
            await asyncio.sleep(POLL_S)

    async def poll(self) -> int:
        """Take what is due once; how many were taken."""
        now = self._clock()
        for lane, until in list(self._blocked_until.items()):
            if until <= now:
                del self._blocked_until[lane]
        # what is known to be sent must not be taken again only because its mark failed
        self._start_marking()
        if self._marking is not None:
            await self._marking
        try:
            taken = await self._outbox.claim(now, POLL_LIMIT)
        except Exception as error:  # noqa: BLE001 - a database that is away must not end the poll
            log.warning("outbox_poll_failed", error=type(error).__name__)
            return 0
        sent = {outbox_id for outbox_id, _ in self._done}
        self.hand_over(one for one in taken if one.outbound.outbox_id not in sent)
        return len(taken)

    async def settle(self) -> None:
        """Wait until everything taken is sent or put back, and marked so."""
        while self._tasks or self._marking is not None:
            pending = [*self._tasks]
            if self._marking is not None:
                pending.append(self._marking)
            await asyncio.gather(*pending, return_exceptions=True)

    async def _run_lane(self, key: tuple[str, str, str]) -> None:
        lane = self._lanes[key]
        try:
            while lane:
                blocked_until = self._blocked_until.get(key)
                if blocked_until is not None:
                    await self._put_back(lane, blocked_until, "waits behind an earlier message")
                    break
                dispatch = lane[0]
                retry_at, error = await self._send(dispatch)
                if retry_at is not None:
                    self._blocked_until[key] = retry_at
                    await self._put_back(lane, retry_at, error)
                    break
                lane.popleft()
        except Exception:
            # what is left keeps its lease and is taken again by the poll
            log.exception("delivery_lane_failed", channel=key[0])
        finally:
            del self._lanes[key]

    async def _put_back(self, lane: deque[Dispatch], at: datetime, error: str) -> None:
        ids = [waiting.outbound.outbox_id for waiting in lane]
        lane.clear()
        await self._outbox.postpone(ids, at, error)

    async def _send(self, dispatch: Dispatch) -> tuple[datetime | None, str]:
        outbound = dispatch.outbound
        ref = outbound.address.ref
        connector = self._connectors.get((ref.channel, ref.account_id))
        if connector is None:
            await self._fail(dispatch, f"no connector for {ref.channel}/{ref.account_id}")
            return None, ""
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await connector.send(outbound)
        except RateLimited as error:
            return self._clock() + timedelta(seconds=error.retry_after_s), error.code
        except TimeoutError:
            return await self._after_fault(
                dispatch, connector, Retryable("timeout", "no answer", maybe_sent=True)
            )
        except Retryable as error:
            return await self._after_fault(dispatch, connector, error)
        except SendError as error:
            await self._fail(dispatch, str(error), is_unknown=error.maybe_sent)
            return None, ""
        except Exception as error:
            # a connector's bug counts as an attempt too, or it would be met again for ever
            log.exception("connector_failed", channel=ref.channel)
            return await self._after_fault(
                dispatch, connector, Retryable(type(error).__name__, "a bug", maybe_sent=True)
            )
        self._mark_sent(outbound.outbox_id)
        return None, ""

    async def _after_fault(
        self, dispatch: Dispatch, connector: Connector, error: SendError
    ) -> tuple[datetime | None, str]:
        may_repeat = not error.maybe_sent or connector.capabilities.send_idempotent
        if not may_repeat or dispatch.attempts >= MAX_ATTEMPTS:
            await self._fail(dispatch, str(error), is_unknown=error.maybe_sent)
            return None, ""
        delay = retry_delay_s(dispatch.attempts, self._random())
        return self._clock() + timedelta(seconds=delay), error.code

    async def _fail(self, dispatch: Dispatch, error: str, *, is_unknown: bool = False) -> None:
        self.failed_count += 1
        ref = dispatch.outbound.address.ref
        log.error("message_not_delivered", channel=ref.channel, error=error)
        await self._outbox.fail(
            dispatch.outbound.outbox_id, self._clock(), error, is_unknown=is_unknown
        )

    def _mark_sent(self, outbox_id: str) -> None:
        """Note a success; all that come while one mark is being written share the next."""
        self.sent_count += 1
        self._done.append((outbox_id, self._clock()))
        self._start_marking()

    def _start_marking(self) -> None:
        if self._done and self._marking is None:
            self._marking = asyncio.create_task(self._write_marks())

    async def _write_marks(self) -> None:
        marks: list[tuple[str, datetime]] = []
        try:
            while self._done:
                marks, self._done = self._done, []
                await self._outbox.sent([key for key, _ in marks], marks[-1][1])
        except Exception as error:  # noqa: BLE001 - the next poll marks them
            self._done = [*marks, *self._done]
            log.warning("outbox_mark_failed", error=type(error).__name__)
        finally:
            self._marking = None


__all__ = ["Delivery", "Dispatch", "Outbox", "retry_delay_s"]
