"""The outbox as delivery uses it: the messages it takes, and what it tells of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from connectors.messages import Grant, Outbound

AccountKey = tuple[str, str]
"""Channel and account."""
LaneKey = tuple[str, str, str]
"""Channel, account and conversation."""
LEASE = timedelta(seconds=30)
"""How long what was taken belongs to whoever took it; as the outbox gives it."""


@dataclass(frozen=True, slots=True)
class Dispatch:
    """A message of the outbox that this process has taken.

    Attributes:
        attempts: Which attempt this is, from 1.
        progress: How many of its units the platform has taken already.
    """

    outbound: Outbound
    conversation_id: str
    attempts: int
    progress: int = 0

    @property
    def lane(self) -> LaneKey:
        """The lane in which its order is kept."""
        ref = self.outbound.address.ref
        return (ref.channel, ref.account_id, self.conversation_id)


class Outbox(Protocol):
    """The outbox that delivery sends from; each call is one transaction."""

    async def claim(self, now: datetime, limit: int) -> Sequence[Dispatch]:
        """Take what is due, of so many conversations at most; all that is due of each."""
        ...

    async def sent(self, ids: Sequence[str], at: datetime) -> None:
        """Mark messages as taken by the platform."""
        ...

    async def progressed(self, outbox_id: str, units: int) -> None:
        """Note that so many units of a message are taken: they are not sent again."""
        ...

    async def grant(self, outbox_id: str, unit_id: str, now: datetime) -> Grant | None:
        """Give leave to send a unit; the same at every retry. ``None``: no window is open."""
        ...

    async def hold(
        self, ids: Sequence[str], now: datetime, error: str, *, closes_window: bool
    ) -> bool:
        """Keep messages until the customer writes again.

        Returns:
            Whether they are kept; ``False``: the customer has just written.
        """
        ...

    async def postpone(
        self, ids: Sequence[str], next_at: datetime, error: str, *, is_fault: bool
    ) -> None:
        """Try again later.

        Args:
            is_fault: An attempt failed; else it does not count as one.
        """
        ...

    async def fail(self, outbox_id: str, now: datetime, error: str, *, is_unknown: bool) -> None:
        """Give up loudly."""
        ...

    async def unreachable(self, outbox_id: str, now: datetime, error: str) -> Sequence[str]:
        """Give up on everything that waits for this customer: they left or blocked us.

        Returns:
            The messages that were given up, this one among them.
        """
        ...
