"""What the gate asks of a shop, whichever it is: ours, or one that existed before.

A backend gives facts; what of them may be shown is decided by ``shop.access.disclosure`` alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from pydantic import SecretStr

from shop.domain.cards import Card
from shop.domain.numbers import OrderNumber
from shop.domain.orders import Order
from shop.domain.products import Product
from shop.domain.proofs import Factor


class Operation(StrEnum):
    """What a backend may be able to do."""

    FIND_ORDER = "find_order"
    LIST_ORDERS = "list_my_orders"
    GET_DELIVERY = "get_delivery"
    CARD_STATUS = "card_status"
    SEARCH_PRODUCTS = "search_products"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What this backend can do, so that a person is offered where it cannot.

    Attributes:
        factors: Proofs that it can check.
        numbers_can_be_guessed: Fewer than 64 random bits: a number alone then shows nothing.
    """

    operations: frozenset[Operation]
    factors: frozenset[Factor]
    numbers_can_be_guessed: bool


class DeliveryKind(StrEnum):
    """What stands where the cards should be; only ``CARDS`` may be shown as cards."""

    CARDS = "cards"
    NOTHING = "nothing"
    PLACEHOLDER = "placeholder"
    SHORTAGE = "shortage"
    MANUAL_NOTE = "manual_note"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What was handed out for an order."""

    kind: DeliveryKind
    cards: tuple[SecretStr, ...]
    as_of: datetime


class ShopBackend(Protocol):
    """A shop. Each call may raise ``BackendError``."""

    def capabilities(self) -> Capabilities:
        """What it can do."""
        ...

    async def find_order(self, number: OrderNumber) -> Order | None:
        """The order, or ``None``."""
        ...

    async def password_matches(self, number: OrderNumber, password: SecretStr) -> bool:
        """Whether this is the order's query password.

        The effort is the same for a wrong password, an order without one and no order at all.
        """
        ...

    async def orders_of(self, identity: str) -> Sequence[OrderNumber]:
        """Orders that this channel identity bought, the newest first."""
        ...

    async def delivery(self, number: OrderNumber) -> Delivery:
        """The secrets that were handed out. Allocates nothing, however often it is asked."""
        ...

    async def cards_of(self, number: OrderNumber) -> Sequence[Card]:
        """The cards that an order holds, without secrets."""
        ...

    async def find_card(self, secret: SecretStr) -> Card | None:
        """The card with this secret, sold or not; ``None`` if there is none."""
        ...

    async def products(self) -> Sequence[Product]:
        """Everything that the shop sells, closed products included."""
        ...
