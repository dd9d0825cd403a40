"""An outbox in memory, and a channel that can be told how to fail."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from connectors.delivery.after_error import LONGEST_WAIT_S
from connectors.delivery.outbox import LEASE, Dispatch
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

HELD = datetime(9999, 1, 1, tzinfo=UTC)
STALE_AFTER = timedelta(minutes=30)


@dataclass
class Row:
    """A message of the outbox.

    Attributes:
        epoch: Of the bot's messages: the owner's number when it was said.
        grants: By unit: the window that it was counted in, and the leave.
    """

    dispatch: Dispatch
    next_at: datetime
    created_at: datetime
    epoch: int | None = None
    state: str = "pending"
    error: str | None = None
    grants: dict[str, tuple[Window, Grant]] = field(default_factory=dict)

    @property
    def seq(self) -> int:
        return self.dispatch.outbound.seq

    @property
    def is_held(self) -> bool:
        return self.state == "pending" and self.next_at == HELD

    def is_behind(self, other: Row) -> bool:
        """Whether it leaves after another message of its conversation."""
        return self.dispatch.lane == other.dispatch.lane and self.seq > other.seq


@dataclass(eq=False)
class Window:
    number: int
    limit: int
    used: int = 0
    is_closed: bool = False

    @property
    def room(self) -> int:
        return 0 if self.is_closed else self.limit - self.used


class MemoryOutbox:
    """Implements ``connectors.delivery.outbox.Outbox`` as ``storage.rows.messages.outbox`` does.

    Attributes:
        is_away: While it is set, every call fails: a database that cannot be written.
        before_holding: Happens after a refused send, and before its message is held.
    """

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.is_away = False
        self.before_holding: Callable[[], None] = lambda: None
        self.epochs: defaultdict[str, int] = defaultdict(int)
        self._windows: defaultdict[str, list[Window]] = defaultdict(list)

    # ------------------------------------------------------------------ what others commit

    def commit(
        self, dispatches: Iterable[Dispatch], now: datetime, *, is_bot: bool = False
    ) -> list[Dispatch]:
        """New rows, leased to whoever committed them."""
        fresh = list(dispatches)
        for one in fresh:
            epoch = self.epochs[one.conversation_id] if is_bot else None
            self.rows[one.outbound.outbox_id] = Row(one, now + LEASE, now, epoch)
        return fresh

    def customer_writes(self, conversation_id: str, now: datetime, *, room: int) -> list[Dispatch]:
        """Open a window; what was held is taken in the same unit, unless it is stale."""
        for window in self._windows[conversation_id]:
            window.is_closed = True
        self._windows[conversation_id].append(Window(len(self._windows[conversation_id]), room))
        held = [row for row in self._pending(conversation_id) if row.is_held]
        for row in held:
            is_stale = row.epoch is not None and now - row.created_at > STALE_AFTER
            if is_stale or self._has_another_owner(row):
                row.state = "cancelled"
        return [self._take(row, now) for row in held if row.state == "pending"]

    def room(self, conversation_id: str) -> int:
        return sum(window.room for window in self._windows[conversation_id])

    def release(self, now: datetime) -> None:
        """All leases are over: nobody else is at work."""
        for row in self.rows.values():
            if row.state == "pending" and row.next_at != HELD:
                row.next_at = now

    # ------------------------------------------------------------------ Outbox

    async def claim(self, now: datetime, limit: int) -> Sequence[Dispatch]:
        self._check()
        for row in self._pending():
            if now + timedelta(seconds=LONGEST_WAIT_S) < row.next_at < HELD:
                row.next_at = now
        for row in self._pending():
            if row.next_at <= now and any(map(row.is_behind, self._held())):
                row.next_at = HELD
        waiting = [row for row in self._pending() if row.next_at > now]
        due = [
            row
            for row in self._pending()
            if row.next_at <= now and not any(map(row.is_behind, waiting))
        ]
        lanes = list(dict.fromkeys(row.dispatch.conversation_id for row in due))[:limit]
        due = [row for row in due if row.dispatch.conversation_id in lanes]
        for row in due:
            if self._has_another_owner(row):
                row.state = "cancelled"
        return [self._take(row, now) for row in due if row.state == "pending"]

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
        row = self.rows[outbox_id]
        if unit_id not in row.grants:
            window = self._with_room(row.dispatch.conversation_id)
            if window is None:
                return None
            window.used += 1
            row.grants[unit_id] = (window, Grant({"window": window.number}, window.used))
        return row.grants[unit_id][1]

    async def hold(
        self, ids: Sequence[str], now: datetime, error: str, *, closes_window: bool
    ) -> bool:
        assert now.tzinfo is not None
        self._check()
        conversation_id = self.rows[ids[0]].dispatch.conversation_id
        if closes_window:
            refused = [window.number for window, _ in self.rows[ids[0]].grants.values()]
            for window in self._windows[conversation_id]:
                if not refused or window.number <= max(refused):
                    window.is_closed = True
        for key in ids:
            self.rows[key].grants.clear()
        self.before_holding()
        if self._with_room(conversation_id) is not None:
            return False
        for key in ids:
            self._postpone(self.rows[key], HELD, error, is_fault=False)
        return True

    async def postpone(
        self, ids: Sequence[str], next_at: datetime, error: str, *, is_fault: bool
    ) -> None:
        self._check()
        for key in ids:
            self._postpone(self.rows[key], next_at, error, is_fault=is_fault)

    async def fail(self, outbox_id: str, now: datetime, error: str, *, is_unknown: bool) -> None:
        assert now.tzinfo is not None
        self._check()
        row = self.rows[outbox_id]
        row.state, row.error = "unknown" if is_unknown else "failed", error

    async def unreachable(self, outbox_id: str, now: datetime, error: str) -> Sequence[str]:
        lane = self.rows[outbox_id].dispatch.lane
        waiting = [key for key, row in self.rows.items() if row.dispatch.lane == lane]
        given_up = [key for key in waiting if self.rows[key].state == "pending"]
        for key in given_up:
            await self.fail(key, now, error, is_unknown=False)
        return given_up

    # ------------------------------------------------------------------ what a test sees

    def states(self) -> list[str]:
        return [row.state for row in self.rows.values()]

    # ------------------------------------------------------------------ inside

    def _check(self) -> None:
        if self.is_away:
            raise NotStored("the database is away")

    def _pending(self, conversation_id: str | None = None) -> list[Row]:
        rows = sorted(self.rows.values(), key=lambda row: (row.created_at, row.seq))
        return [
            row
            for row in rows
            if row.state == "pending" and conversation_id in {None, row.dispatch.conversation_id}
        ]

    def _held(self) -> list[Row]:
        return [row for row in self._pending() if row.is_held]

    def _has_another_owner(self, row: Row) -> bool:
        return row.epoch not in {None, self.epochs[row.dispatch.conversation_id]}

    def _with_room(self, conversation_id: str) -> Window | None:
        windows = self._windows[conversation_id]
        return next((window for window in reversed(windows) if window.room > 0), None)

    def _take(self, row: Row, now: datetime) -> Dispatch:
        row.next_at = now + LEASE
        row.dispatch = replace(row.dispatch, attempts=row.dispatch.attempts + 1)
        return row.dispatch

    def _postpone(self, row: Row, next_at: datetime, error: str, *, is_fault: bool) -> None:
        row.next_at, row.error = next_at, error
        attempts = row.dispatch.attempts - (not is_fault)
        row.dispatch = replace(row.dispatch, attempts=attempts)


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
