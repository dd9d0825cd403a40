"""What the shop sells."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from shop.domain.stock import StockBand, band_of

PRICE_STEP = Decimal("0.0001")
"""Unit prices have four decimals: wholesale cards cost fractions of a fen."""


class ProductKind(StrEnum):
    """How a product is delivered."""

    CARD = "card"
    TOPUP = "topup"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Product:
    """A product at its retail price.

    Attributes:
        nicknames: Other names that customers use.
        price: Yuan for one, at most four decimals.
        stock: Pieces that can be bought now, derived from the cards for card products; ``None``
            if there is no limit.
        promise_s: Seconds from payment in which delivery is promised.
        is_open: Whether it is on sale.
    """

    id: str
    title: str
    kind: ProductKind
    price: Decimal
    stock: int | None
    promise_s: int
    nicknames: tuple[str, ...] = ()
    min_quantity: int = 1
    max_quantity: int = 100
    region: str = ""
    how_to: str = ""
    after_sale: str = ""
    is_open: bool = True

    @property
    def stock_band(self) -> StockBand:
        """Whether there is plenty, little or nothing."""
        return band_of(self.stock)


def total_fen(unit_price: Decimal, quantity: int) -> int:
    """What a line costs, in whole fen; halves go up.

    >>> total_fen(Decimal("0.0349"), 100)
    349
    """
    return int((unit_price * quantity * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))
