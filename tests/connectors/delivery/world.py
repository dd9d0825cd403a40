"""A world in which every call of delivery waits until a test lets it go on.

The event loop has the world's own time, so that what waits for a time waits for the test as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.delivery.delivery import Delivery
from connectors.delivery.outbox import Dispatch
from connectors.kit.base import BaseConnector
from connectors.messages import Capabilities, ChannelRef, Grant, SendResult, SendStatus, Unit
from tests.factories.messaging import an_address, an_outbound
from tests.factories.shop import FakeClock
from tests.fakes.outbox import MemoryOutbox

SURE = ChannelRef("sure", "one")
"""Sending the same twice shows once; messages have one unit."""
NARROW = ChannelRef("narrow", "one")
"""Sending the same twice shows twice; messages are cut, and sends are counted in windows."""
CAPABILITIES = {
    SURE: Capabilities(max_text=4000, composes=True, send_idempotent=True),
    NARROW: Capabilities(max_text=20, needs_grant=True),
}
CUSTOMERS = {"C1": SURE, "C2": SURE, "C3": NARROW}


class WorldLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is told by a clock, and which runs until nothing can go on."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock_of_world = clock
        super().__init__()

    def time(self) -> float:
        return self._clock_of_world().timestamp()

    def run_until_quiet(self) -> None:
        quiet_rounds = 0
        while quiet_rounds < 2:
            self.call_soon(self.stop)
            self.run_forever()
            quiet_rounds = 0 if self._ready else quiet_rounds + 1  # type: ignore[attr-defined]


@dataclass(eq=False)
class Call:
    """A call that waits: before it has an effect (``asked``), or before its answer arrives."""

    name: str
    future: asyncio.Future[None]
    unit: Unit | None = None
    is_asked: bool = True


@dataclass
class Wire:
    """All calls that wait, the oldest first."""

    calls: list[Call] = field(default_factory=list)

    async def wait(self, name: str, unit: Unit | None = None, *, is_asked: bool) -> None:
        call = Call(name, asyncio.get_running_loop().create_future(), unit, is_asked)
        self.calls.append(call)
        try:
            await call.future
        finally:
            self.calls.remove(call)


class SlowOutbox:
    """An outbox whose every call has its effect, and its answer, when the wire lets it."""

    def __init__(self, memory: MemoryOutbox, wire: Wire) -> None:
        self._memory = memory
        self._wire = wire

    async def _call(self, name: str, *arguments: Any, **named: Any) -> Any:
        await self._wire.wait(name, is_asked=True)
        answer = await getattr(self._memory, name)(*arguments, **named)
        await self._wire.wait(name, is_asked=False)
        return answer

    async def claim(self, now: datetime, limit: int) -> Sequence[Dispatch]:
        return await self._call("claim", now, limit)  # type: ignore[no-any-return]

    async def sent(self, ids: Sequence[str], at: datetime) -> None:
        await self._call("sent", ids, at)

    async def progressed(self, outbox_id: str, units: int) -> None:
        await self._call("progressed", outbox_id, units)

    async def grant(self, outbox_id: str, unit_id: str, now: datetime) -> Grant | None:
        return await self._call("grant", outbox_id, unit_id, now)  # type: ignore[no-any-return]

    async def hold(
        self, ids: Sequence[str], now: datetime, error: str, *, closes_window: bool
    ) -> bool:
        return await self._call("hold", ids, now, error, closes_window=closes_window)  # type: ignore[no-any-return]

    async def postpone(
        self, ids: Sequence[str], next_at: datetime, error: str, *, is_fault: bool
    ) -> None:
        await self._call("postpone", ids, next_at, error, is_fault=is_fault)

    async def fail(self, outbox_id: str, now: datetime, error: str, *, is_unknown: bool) -> None:
        await self._call("fail", outbox_id, now, error, is_unknown=is_unknown)

    async def unreachable(self, outbox_id: str, now: datetime, error: str) -> Sequence[str]:
        return await self._call("unreachable", outbox_id, now, error)  # type: ignore[no-any-return]


class SlowChannel(BaseConnector):
    """A platform that takes a unit, and answers, when the wire lets it."""

    def __init__(self, ref: ChannelRef, wire: Wire, taken: Callable[[Unit], None]) -> None:
        super().__init__(ref)
        self.capabilities = CAPABILITIES[ref]
        self._wire = wire
        self._taken = taken

    async def send(self, unit: Unit) -> SendResult:
        await self._wire.wait("send", unit, is_asked=True)
        self._taken(unit)
        await self._wire.wait("send", unit, is_asked=False)
        return SendResult(SendStatus.ACCEPTED)


class World:
    """One outbox, two channels, and the process that delivers between them.

    Attributes:
        is_alone: Whether the process holds the claim that lets it send.
    """

    def __init__(self, taken: Callable[[Unit], None]) -> None:
        self.clock = FakeClock()
        self.loop = WorldLoop(self.clock)
        self.memory = MemoryOutbox()
        self.wire = Wire()
        self.is_alone = True
        self.channels = {(ref.channel, ref.account_id): ref for ref in CAPABILITIES}
        self._taken = taken
        self._last_seq = 0
        self.start()

    def start(self) -> None:
        """A process begins: it takes what is left before anything new is said."""
        channels = {
            key: SlowChannel(ref, self.wire, self._taken) for key, ref in self.channels.items()
        }
        self.delivery = Delivery(
            SlowOutbox(self.memory, self.wire),
            channels,
            clock=self.clock,
            random=lambda: 0.5,
            may_send=lambda: self.is_alone,
        )
        self.memory.is_away = False
        self.memory.release(self.clock())
        self.is_alone = True
        self._has_begun = False
        self._process = self.loop.create_task(self._run())
        self.loop.run_until_quiet()
        while not self._has_begun:
            self.go_on(next(call for call in self.wire.calls if call.name == "claim"))

    async def _run(self) -> None:
        async with self.delivery:
            while await self.delivery.poll():
                pass
            self._has_begun = True
            await self.delivery.run()

    def die(self) -> None:
        """The process ends in the middle of whatever it does."""
        self._process.cancel()
        self.loop.run_until_quiet()

    def close(self) -> None:
        self.die()
        self.loop.close()

    def commit(self, customer: str, lengths: Sequence[int], *, is_bot: bool) -> None:
        """Messages of so many units each are stored, and handed over."""
        fresh = []
        for length in lengths:
            self._last_seq += 1
            text = "\n\n".join([f"line {self._last_seq:<7}."] * length)
            address = an_address(customer, CUSTOMERS[customer])
            outbound = an_outbound(self._last_seq, text=text, address=address)
            fresh.append(Dispatch(outbound, customer, 1))
        self.delivery.hand_over(self.memory.commit(fresh, self.clock(), is_bot=is_bot))
        self.loop.run_until_quiet()

    def customer_writes(self, customer: str, room: int) -> None:
        held = self.memory.customer_writes(customer, self.clock(), room=room)
        self.delivery.hand_over(held)
        self.loop.run_until_quiet()

    def go_on(self, call: Call, error: Exception | None = None) -> None:
        """Let a call have its effect, or its answer; or fail."""
        if error is None:
            call.future.set_result(None)
        else:
            call.future.set_exception(error)
        self.loop.run_until_quiet()

    def time_passes(self, seconds: float) -> None:
        self.clock.pass_(seconds=seconds)
        self.loop.run_until_quiet()
