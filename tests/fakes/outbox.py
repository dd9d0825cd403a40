"""An outbox in memory, and a channel that can be told how to fail."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from connectors.delivery import Dispatch
from connectors.errors import NotStored
from connectors.messages import (
    Address,
    Capabilities,
    ChannelRef,
    Health,
    HealthState,
    Outbound,
    SendResult,
    SendStatus,
)

LEASE = timedelta(seconds=30)


@dataclass
class Row:
    dispatch: Dispatch
    next_at: datetime
    state: str = "pending"
    error: str | None = None


class MemoryOutbox:
    """Implements ``connectors.delivery.Outbox``.

    Attributes:
        is_away: While it is set, every call fails: a database that cannot be written.
    """

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.is_away = False

    def commit(self, dispatches: Iterable[Dispatch], now: datetime) -> list[Dispatch]:
        """New rows, leased to whoever committed them."""
        fresh = list(dispatches)
        for one in fresh:
            self.rows[one.outbound.outbox_id] = Row(one, now + LEASE)
        return fresh

    def _check(self) -> None:
        if self.is_away:
            raise NotStored("the database is away")

    async def claim(self, now: datetime, limit: int) -> Sequence[Dispatch]:
        self._check()
        taken = []
        blocked: set[str] = set()
        for row in sorted(self.rows.values(), key=lambda row: row.dispatch.outbound.seq):
            lane = row.dispatch.conversation_id
            if row.state != "pending" or lane in blocked:
                continue
            if row.next_at > now:
                blocked.add(lane)
                continue
            row.next_at = now + LEASE
            row.dispatch = replace(row.dispatch, attempts=row.dispatch.attempts + 1)
            taken.append(row.dispatch)
        return taken[:limit]

    async def sent(self, ids: Sequence[str], at: datetime) -> None:
        assert at.tzinfo is not None
        self._check()
        for key in ids:
            self.rows[key].state = "sent"

    async def postpone(self, ids: Sequence[str], next_at: datetime, error: str) -> None:
        self._check()
        for key in ids:
            self.rows[key].next_at, self.rows[key].error = next_at, error

    async def fail(self, outbox_id: str, now: datetime, error: str, *, is_unknown: bool) -> None:
        assert now.tzinfo is not None
        self._check()
        row = self.rows[outbox_id]
        row.state, row.error = "unknown" if is_unknown else "failed", error

    def states(self) -> list[str]:
        return [row.state for row in self.rows.values()]


class FlakyChannel:
    """A channel that raises what it is told to, and keeps what it took."""

    def __init__(self, ref: ChannelRef, *, is_idempotent: bool = True) -> None:
        self.ref = ref
        self.capabilities = Capabilities(
            max_text=4000,
            text_unit="chars",
            has_buttons=True,
            has_images=True,
            has_typing=False,
            send_idempotent=is_idempotent,
            redelivers=False,
        )
        self.taken: list[str] = []
        self.faults: list[Exception | None] = []
        self.before: Callable[[Outbound], None] = lambda _message: None

    def health(self) -> Health:
        return Health(HealthState.UP)

    async def send(self, message: Outbound) -> SendResult:
        self.before(message)
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            raise fault
        self.taken.append(message.outbox_id)
        return SendResult(SendStatus.ACCEPTED)

    async def typing(self, address: Address, author: str, *, is_on: bool) -> None:
        raise NotImplementedError
