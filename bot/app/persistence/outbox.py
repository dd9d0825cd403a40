"""The outbox of the database, as delivery asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from connectors.delivery.outbox import Dispatch
from connectors.messages import Grant
from storage.storage import Storage
from storage.unit_of_work import UnitOfWork


class StoredOutbox:
    """Implements ``connectors.delivery.outbox.Outbox``: each call is one unit of work."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def claim(self, now: datetime, limit: int) -> Sequence[Dispatch]:
        """Take what is due."""
        return await self._storage.write(lambda work: work.outbox.claim(now, limit))

    async def sent(self, ids: Sequence[str], at: datetime) -> None:
        """Mark as taken by the platform."""
        await self._storage.write(lambda work: work.outbox.sent(ids, at))

    async def progressed(self, outbox_id: str, units: int) -> None:
        """Note that so many units of a message are taken."""
        await self._storage.write(lambda work: work.outbox.progressed(outbox_id, units))

    async def grant(self, outbox_id: str, unit_id: str, now: datetime) -> Grant | None:
        """Leave to send a unit."""
        return await self._storage.write(lambda work: work.outbox.grant(outbox_id, unit_id, now))

    async def hold(
        self, ids: Sequence[str], now: datetime, error: str, *, closes_window: bool
    ) -> bool:
        """Keep messages until the customer writes again; whether they are kept."""

        def unit(work: UnitOfWork) -> bool:
            return work.outbox.hold(ids, now, error, closes_window=closes_window)

        return await self._storage.write(unit)

    async def unreachable(self, outbox_id: str, now: datetime, error: str) -> Sequence[str]:
        """Give up on everything that waits for this customer; return what was given up."""
        return await self._storage.write(
            lambda work: work.outbox.unreachable(outbox_id, now, error)
        )

    async def postpone(
        self, ids: Sequence[str], next_at: datetime, error: str, *, is_fault: bool
    ) -> None:
        """Try again later."""

        def unit(work: UnitOfWork) -> None:
            work.outbox.postpone(ids, next_at, error, is_fault=is_fault)

        await self._storage.write(unit)

    async def fail(self, outbox_id: str, now: datetime, error: str, *, is_unknown: bool) -> None:
        """Give up loudly."""

        def unit(work: UnitOfWork) -> None:
            work.outbox.fail(outbox_id, now, error, is_unknown=is_unknown)

        await self._storage.write(unit)
