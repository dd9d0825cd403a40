"""What the console shows of a customer's orders: those that were proved, and masks only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shop.access.wording import (
    FACTOR_TEXTS,
    REDEMPTION_TEXTS,
    REFUND_TEXTS,
    SHOWN_STATE_TEXTS,
    STOCK_STATE_TEXTS,
)
from shop.backends.base import ShopBackend
from shop.domain.cards import Card, redemption_to_tell
from shop.domain.numbers import OrderNumber, show_number
from shop.domain.orders import Order
from shop.domain.ports import Clock, ShopWork, Units
from shop.domain.proofs import Level, Proof
from shop.domain.shown_state import shown_state

_MOST_ORDERS = 20


@dataclass(frozen=True, slots=True)
class PanelOrder:
    """One order beside a conversation.

    Attributes:
        is_proved: Its ownership is proved now; only then are there (masked) cards and an amount.
    """

    order: Order
    is_proved: bool
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class CustomerPanel:
    """Proofs, newest first, and the orders they are of. Holds no secret that could be shown."""

    proofs: tuple[Proof, ...]
    orders: tuple[PanelOrder, ...]
    as_of: datetime

    def as_json(self) -> dict[str, Any]:
        """The parts ``proofs`` and ``orders`` of the console's customer."""
        return {
            "proofs": [
                {
                    "order_number": show_number(proof.number),
                    "factor": proof.factor.value,
                    "factor_text": FACTOR_TEXTS[proof.factor],
                    "proved_at": _iso(proof.proved_at),
                }
                for proof in self.proofs
            ],
            "orders": [_order_json(one, self.as_of) for one in self.orders],
        }


class Panel:
    """Reads the customer panel for agents."""

    def __init__(
        self,
        units: Units[ShopWork],
        backend: ShopBackend,
        clock: Clock,
        *,
        proofs_last: timedelta = timedelta(hours=24),
    ) -> None:
        self._units = units
        self._backend = backend
        self._clock = clock
        self._proofs_last = proofs_last

    async def customer_panel(self, identity: str) -> CustomerPanel:
        """What this identity proved, and the orders that it proved or bought.

        Raises:
            BackendError: The shop does not answer.
        """
        now = self._clock()
        proofs = await self._units.read(lambda work: tuple(work.proofs.of_identity(identity)))
        bound = await self._backend.orders_of(identity)
        numbers = dict.fromkeys([*(proof.number for proof in proofs), *bound])
        owned = {*bound, *self._proved_now(proofs, now)}
        orders = [
            await self._panel_order(number, is_proved=number in owned)
            for number in list(numbers)[:_MOST_ORDERS]
        ]
        return CustomerPanel(proofs, tuple(one for one in orders if one is not None), now)

    def _proved_now(self, proofs: Iterable[Proof], now: datetime) -> set[OrderNumber]:
        return {
            proof.number
            for proof in proofs
            if proof.level >= Level.OWNER and proof.proved_at >= now - self._proofs_last
        }

    async def _panel_order(self, number: OrderNumber, *, is_proved: bool) -> PanelOrder | None:
        order = await self._backend.find_order(number)
        if order is None:
            return None
        cards = await self._backend.cards_of(number) if is_proved else ()
        return PanelOrder(order, is_proved, tuple(cards))


def _order_json(one: PanelOrder, now: datetime) -> dict[str, Any]:
    order = one.order
    return {
        "number": show_number(order.number),
        "product": order.title,
        "state_text": SHOWN_STATE_TEXTS[shown_state(order, now)],
        "payment_state": order.payment.value,
        "fulfilment_state": order.fulfilment.value,
        "amount_fen": order.total_fen if one.is_proved else None,
        "created_at": _iso(order.created_at),
        "paid_at": _iso(order.paid_at),
        "delivered_at": _iso(order.delivered_at),
        "contact_mask": order.contact.mask,
        "proved": one.is_proved,
        "cards": [
            {
                "mask": card.mask,
                "stock_state_text": STOCK_STATE_TEXTS[card.stock_state],
                "redemption_text": REDEMPTION_TEXTS[redemption_to_tell(card, now)],
                "checked_at": _iso(card.redemption.checked_at),
            }
            for card in one.cards
        ],
        "refunds": [
            {"amount_fen": refund.amount_fen, "state_text": REFUND_TEXTS[refund.state]}
            for refund in (order.refunds if one.is_proved else ())
        ],
    }


def _iso(at: datetime | None) -> str | None:
    if at is None:
        return None
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
