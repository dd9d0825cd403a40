"""An outbox in memory, and a channel that can be told how to fail."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from connectors.delivery.delivery import Dispatch
from connectors.errors import NotStored
from connectors.kit.base import BaseConnector
from connectors.messages import (
    Capabilities,
    ChannelRef,
    Grant,
    Outbound,
    SendResult,
    SendStatus,
    Unit,
)

LEASE = timedelta(seconds=30)
HELD = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass
class Row:
    dispatch: Dispatch
    next_at: datetime
    state: str = "pending"
    error: str | None = None


class MemoryOutbox:
    """Implements ``connectors.delivery.delivery.Outbox``.

    Attributes:
        is_away: While it is set, every call fails: a database that cannot be written.
        room: How many sends the open reply window still holds.
        before_holding: Happens after a refused send, and before its message is held.
    """

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.is_away = False
        self.room = 0
        self.before_holding: Callable[[], None] = lambda: None
        self.grants: dict[str, Grant] = {}

    def commit(self, dispatches: Iterable[Dispatch], now: datetime) -> list[Dispatch]:
        """New rows, leased to whoever committed them."""
        fresh = list(dispatches)
        for one in fresh:
            self.rows[one.outbound.outbox_id] = Row(one, now + LEASE)
        return fresh

    def release(self, now: datetime) -> None:
        """All leases are over."""
        for row in self.rows.values():
            if row.state == "pending" and row.next_at != HELD:
                row.next_at = now

    def _check(self) -> None:
        if self.is_away:
            raise NotStored("the database is away")

    async def claim(self, now: datetime, limit: int) -> Sequence[Dispatch]:
        self._check()
        taken: list[Dispatch] = []
        blocked: set[str] = set()
        for row in sorted(self.rows.values(), key=lambda row: row.dispatch.outbound.seq):
            lane = row.dispatch.conversation_id
            if row.state != "pending" or lane in blocked:
                continue
            is_new = lane not in {one.conversation_id for one in taken}
            if row.next_at > now or (is_new and len({one.lane for one in taken}) == limit):
                blocked.add(lane)
                continue
            row.next_at = now + LEASE
            row.dispatch = replace(row.dispatch, attempts=row.dispatch.attempts + 1)
            taken.append(row.dispatch)
        return taken

    async def sent(self, ids: Sequence[str], at: datetime) -> None:
        assert at.tzinfo is not None
        self._check()
        for key in ids:
            self.rows[key].state = "sent"

    async def progressed(self, outbox_id: str, units: int) -> None:
        self._check()
        row = self.rows[outbox_id]
        row.dispatch = replace(row.dispatch, progress=units)

    async def grant(self, outbox_id: str, unit_id: str, now: datetime) -> Grant | None:
        assert now.tzinfo is not None
        self._check()
        if unit_id not in self.grants:
            if self.room <= 0:
                return None
            self.room -= 1
            self.grants[unit_id] = Grant({"of": outbox_id}, len(self.grants) + 1)
        return self.grants[unit_id]

    async def hold(
        self, ids: Sequence[str], now: datetime, error: str, *, closes_window: bool
    ) -> bool:
        assert now.tzinfo is not None
        self._check()
        for key in ids:
            for unit_id in [one for one, grant in self.grants.items() if grant.data["of"] == key]:
                del self.grants[unit_id]
        if closes_window:
            self.room = 0
        self.before_holding()
        if self.room > 0:
            return False
        for key in ids:
            self.rows[key].next_at, self.rows[key].error = HELD, error
        return True

    async def unreachable(self, outbox_id: str, now: datetime, error: str) -> None:
        await self.fail(outbox_id, now, error, is_unknown=False)

    async def postpone(
        self, ids: Sequence[str], next_at: datetime, error: str, *, is_fault: bool
    ) -> None:
        self._check()
        for key in ids:
            row = self.rows[key]
            row.next_at, row.error = next_at, error
            attempts = row.dispatch.attempts - (not is_fault)
            row.dispatch = replace(row.dispatch, attempts=attempts)

    async def fail(self, outbox_id: str, now: datetime, error: str, *, is_unknown: bool) -> None:
        assert now.tzinfo is not None
        self._check()
        row = self.rows[outbox_id]
        row.state, row.error = "unknown" if is_unknown else "failed", error

    def states(self) -> list[str]:
        return [row.state for row in self.rows.values()]


class FlakyChannel(BaseConnector):
    """A channel that raises what it is told to, and keeps what it took."""

    capabilities: Capabilities

    def __init__(self, ref: ChannelRef, *, is_idempotent: bool = True) -> None:
        super().__init__(ref)
        self.capabilities = Capabilities(
            max_text=4000, composes=True, send_idempotent=is_idempotent
        )
        self.taken: list[str] = []
        self.units: list[Unit] = []
        self.faults: list[Exception | None] = []
        self.before: Callable[[Outbound], None] = lambda _message: None

    async def send(self, unit: Unit) -> SendResult:
        message = unit.outbound
        self.before(message)
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            raise fault
        self.taken.append(message.outbox_id)
        self.units.append(unit)
        return SendResult(SendStatus.ACCEPTED)
