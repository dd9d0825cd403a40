"""Money that came in for an order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class PaymentRecordState(StrEnum):
    """What became of one payment."""

    RECEIVED = "received"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment as its provider told it.

    Attributes:
        provider_no: The provider's own number; one number of one provider counts once.
        amount_fen: What came, in fen; may differ from what was asked.
    """

    provider: str
    provider_no: str
    amount_fen: int
    paid_at: datetime
    state: PaymentRecordState = PaymentRecordState.RECEIVED
