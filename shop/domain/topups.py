"""Top-ups (直充): an account is charged instead of a card being handed out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from pydantic import SecretStr

from shop.domain.masking import mask
from shop.errors import IllegalMove


class TopUpState(StrEnum):
    """What the supplier said of it last."""

    SUBMITTED = "submitted"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"


_UNDECIDED = frozenset({TopUpState.SUBMITTED, TopUpState.PROCESSING, TopUpState.UNKNOWN})
MOVES = {
    TopUpState.SUBMITTED: frozenset(TopUpState) - {TopUpState.SUBMITTED},
    TopUpState.PROCESSING: frozenset({TopUpState.SUCCEEDED, TopUpState.FAILED, TopUpState.UNKNOWN}),
    TopUpState.UNKNOWN: frozenset({TopUpState.PROCESSING, TopUpState.SUCCEEDED, TopUpState.FAILED}),
    TopUpState.SUCCEEDED: frozenset[TopUpState](),
    TopUpState.FAILED: frozenset[TopUpState](),
}


@dataclass(frozen=True, slots=True)
class TopUp:
    """The charging of one account.

    Attributes:
        account: What is charged: a game id, a phone number.
        account_mask: What may be shown of it.
        region: Server or zone; ``""`` where there is none.
    """

    account: SecretStr
    account_mask: str
    state: TopUpState
    submitted_at: datetime
    region: str = ""
    finished_at: datetime | None = None

    @classmethod
    def submitted(cls, account: str, *, at: datetime, region: str = "") -> TopUp:
        """A top-up that was just handed to the supplier."""
        return cls(SecretStr(account), mask(account), TopUpState.SUBMITTED, at, region)

    @property
    def is_undecided(self) -> bool:
        """Whether the supplier has not given its final word. Unknown is never failed."""
        return self.state in _UNDECIDED


def moved(topup: TopUp, to: TopUpState, *, now: datetime) -> TopUp:
    """The top-up after the supplier's word; the same word again changes nothing.

    Raises:
        IllegalMove: A final word was given before, or this one is out of order.
    """
    if to is topup.state:
        return topup
    if to not in MOVES[topup.state]:
        raise IllegalMove(f"a top-up that is {topup.state} cannot become {to}")
    return replace(topup, state=to, finished_at=None if to in _UNDECIDED else now)
