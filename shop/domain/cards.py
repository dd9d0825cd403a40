"""Cards (卡密): whether one was sold, and, apart from it, whether it was redeemed.

No shop knows by itself whether a buyer redeemed a card. So the redemption state has a source and a
time of its own, and without them nothing is said.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shop.domain.folding import until_stable
from shop.errors import IllegalMove

LONGEST_SECRET = 500
FRESH = timedelta(minutes=10)
"""How old a check may be for a statement to rest on it."""
_CLOCK_SKEW = timedelta(minutes=1)


class StockState(StrEnum):
    """Where a card is in the shop's hands."""

    AVAILABLE = "available"
    RESERVED = "reserved"
    DELIVERED = "delivered"
    QUARANTINED = "quarantined"
    VOID = "void"


#: Delivered is final: a secret that was shown is burnt, even if the order is refunded.
MOVES = {
    StockState.AVAILABLE: frozenset({StockState.RESERVED, StockState.QUARANTINED, StockState.VOID}),
    StockState.RESERVED: frozenset(
        {StockState.AVAILABLE, StockState.DELIVERED, StockState.QUARANTINED}
    ),
    StockState.QUARANTINED: frozenset({StockState.AVAILABLE, StockState.VOID}),
    StockState.DELIVERED: frozenset[StockState](),
    StockState.VOID: frozenset[StockState](),
}


class RedemptionState(StrEnum):
    """What the customer means by 卡密状态."""

    UNKNOWN = "unknown"
    UNUSED = "unused"
    USED = "used"
    EXPIRED = "expired"
    INVALID = "invalid"
    FROZEN = "frozen"


class CheckSource(StrEnum):
    """Who said so, the weakest first."""

    BUYER = "buyer"
    STAFF = "staff"
    VERDICT = "verdict"
    SUPPLIER = "supplier"
    ISSUER = "issuer"


_STRONG = frozenset({CheckSource.SUPPLIER, CheckSource.ISSUER})


@dataclass(frozen=True, slots=True)
class Redemption:
    """What was last heard of a card's redemption.

    Attributes:
        source: ``None`` as long as nobody checked.
        evidence: Id of what proves it; never the proof itself.
    """

    state: RedemptionState = RedemptionState.UNKNOWN
    source: CheckSource | None = None
    checked_at: datetime | None = None
    evidence: str | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """A card without its secret, which leaves the storage only for its proved owner.

    Attributes:
        title: The product's.
        mask: What may be shown of the secret.
        line_id: The order line that holds it; set exactly while reserved or delivered.
        reserved_until: Set exactly while reserved.
    """

    id: str
    product_id: str
    title: str
    mask: str
    stock_state: StockState = StockState.AVAILABLE
    redemption: Redemption = Redemption()
    batch: str = ""
    line_id: str | None = None
    reserved_until: datetime | None = None
    expires_at: datetime | None = None

    @property
    def is_sold(self) -> bool:
        """Whether a buyer was given it."""
        return self.stock_state is StockState.DELIVERED


def _move(card: Card, to: StockState) -> None:
    if to not in MOVES[card.stock_state]:
        raise IllegalMove(f"a card that is {card.stock_state} cannot become {to}")


def reserved(card: Card, line_id: str, *, until: datetime) -> Card:
    """The card held for an unpaid order line.

    Raises:
        IllegalMove: It is not available.
    """
    _move(card, StockState.RESERVED)
    return replace(card, stock_state=StockState.RESERVED, line_id=line_id, reserved_until=until)


def delivered(card: Card, *, now: datetime) -> Card:
    """The card handed to the buyer it was reserved for.

    Raises:
        IllegalMove: It is not reserved, or the reservation is over.
    """
    _move(card, StockState.DELIVERED)
    if card.reserved_until is None or card.reserved_until <= now:
        raise IllegalMove("the reservation of this card is over")
    return replace(card, stock_state=StockState.DELIVERED, reserved_until=None)


def released(card: Card, to: StockState = StockState.AVAILABLE) -> Card:
    """The card back in stock, set aside, or written off.

    Raises:
        IllegalMove: It was delivered, or this state cannot follow.
    """
    if to in {StockState.RESERVED, StockState.DELIVERED}:
        raise IllegalMove(f"a card is not released into {to}")
    _move(card, to)
    return replace(card, stock_state=to, line_id=None, reserved_until=None)


def redemption_to_tell(card: Card, now: datetime) -> RedemptionState:
    """What may be said of the card's redemption at this moment.

    Whether it was sold has no part in it. A word of the issuer's or a supplier's own query counts
    for ten minutes; without one only a date of expiry that has passed can be told.
    """
    heard = card.redemption
    is_fresh = (
        heard.checked_at is not None and -_CLOCK_SKEW < now - heard.checked_at < FRESH
    ) and heard.source in _STRONG
    has_expired = card.expires_at is not None and card.expires_at <= now
    if has_expired and not (is_fresh and heard.state is RedemptionState.USED):
        return RedemptionState.EXPIRED
    return heard.state if is_fresh else RedemptionState.UNKNOWN


_SEPARATORS = re.compile(r"[\s\-‐‑‒–—―−_]+")
_LOOSE = str.maketrans("OIL", "011")


def fold_secret(text: str) -> str:
    """A card secret as it is compared: width, case, spaces and dashes do not count.

    >>> fold_secret(" star－7kq2 m8xd ")
    'STAR7KQ2M8XD'
    """
    return until_stable(
        lambda one: _SEPARATORS.sub("", unicodedata.normalize("NFKC", one).upper()), text
    )


def fold_loosely(text: str) -> str:
    """Folded further for secrets read off a picture: O is 0, I and L are 1.

    >>> fold_loosely("STAR-IOL2")
    'STAR1012'
    """
    return until_stable(lambda one: fold_secret(one).translate(_LOOSE), text)
