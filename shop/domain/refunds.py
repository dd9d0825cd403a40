"""Refunds: apart from the order's own state, so that a refused one leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shop.errors import IllegalMove, RefundTooHigh


class RefundState(StrEnum):
    """How far a refund has come."""

    REQUESTED = "requested"
    APPROVED = "approved"
    PROCESSING = "processing"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


OPEN = frozenset({RefundState.REQUESTED, RefundState.APPROVED, RefundState.PROCESSING})
MOVES = {
    RefundState.REQUESTED: frozenset({RefundState.APPROVED, RefundState.REFUSED}),
    RefundState.APPROVED: frozenset({RefundState.PROCESSING, RefundState.DONE, RefundState.FAILED}),
    RefundState.PROCESSING: frozenset({RefundState.DONE, RefundState.FAILED}),
    RefundState.FAILED: frozenset({RefundState.PROCESSING}),
    RefundState.DONE: frozenset[RefundState](),
    RefundState.REFUSED: frozenset[RefundState](),
}


@dataclass(frozen=True, slots=True)
class Refund:
    """Money that goes back, wholly or in part.

    Attributes:
        amount_fen: More than 0.
        decided_by: The person or rule that approved or refused; ``None`` while nobody has.
    """

    id: str
    amount_fen: int
    state: RefundState
    requested_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    done_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether something is still to come of it."""
        return self.state in OPEN


def moved(refund: Refund, to: RefundState, *, by: str, now: datetime) -> Refund:
    """The refund after a decision or a step of the payment provider.

    Raises:
        IllegalMove: This state cannot follow.
    """
    if to not in MOVES[refund.state]:
        raise IllegalMove(f"a refund that is {refund.state} cannot become {to}")
    if to in {RefundState.APPROVED, RefundState.REFUSED}:
        return replace(refund, state=to, decided_by=by, decided_at=now)
    return replace(refund, state=to, done_at=now if to is RefundState.DONE else None)


def done_fen(refunds: Iterable[Refund]) -> int:
    """What has gone back, in fen."""
    return sum(refund.amount_fen for refund in refunds if refund.state is RefundState.DONE)


def requested(refund: Refund, others: Iterable[Refund], *, paid_fen: int) -> tuple[Refund, ...]:
    """The order's refunds with one more.

    Raises:
        RefundTooHigh: Open and done refunds together would exceed what was paid.
        ValueError: The amount is not positive.
    """
    if refund.amount_fen <= 0:
        raise ValueError("a refund is more than 0 fen")
    known = tuple(others)
    bound = sum(
        other.amount_fen for other in known if other.is_open or other.state is RefundState.DONE
    )
    if bound + refund.amount_fen > paid_fen:
        raise RefundTooHigh(f"{bound + refund.amount_fen} fen of {paid_fen} paid")
    return (*known, refund)
