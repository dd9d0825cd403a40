"""How much of a product there is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

from shop.domain.cards import StockState

LOW_STOCK = 20
"""Source: Dujiao-Next's stock bands (1 to 20 is low)."""


class StockBand(StrEnum):
    """What may be told where the exact number is the shop's own business."""

    PLENTY = "in_stock"
    LOW = "low_stock"
    NONE = "sold_out"


def band_of(stock: int | None) -> StockBand:
    """The band of a number of pieces; ``None`` means no limit."""
    if stock is None or stock > LOW_STOCK:
        return StockBand.PLENTY
    return StockBand.LOW if stock > 0 else StockBand.NONE


def tally(states: Iterable[StockState]) -> dict[StockState, int]:
    """How many cards are in each state; together they are all that was ever imported."""
    counted = Counter(states)
    return {state: counted[state] for state in StockState}
