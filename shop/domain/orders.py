"""Orders: what was bought, whether it is paid, whether it was delivered, each by itself.

Three things that shops mix into one status are kept apart here: payment, fulfilment and refunds.
What a customer is told is derived from them and the clock (``shop.domain.shown_state``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from shop.domain.contacts import Contact
from shop.domain.numbers import OrderNumber
from shop.domain.payments import Payment, PaymentRecordState
from shop.domain.products import ProductKind, total_fen
from shop.domain.refunds import Refund
from shop.domain.topups import TopUp
from shop.errors import IllegalMove

HOLD = timedelta(minutes=15)
"""How long stock is held for an unpaid order. Source: Dujiao-Next's default."""


class PaymentState(StrEnum):
    """Where the money is.

    ``DISPUTED``: money came that does not fit (another amount, or too late); a person decides.
    """

    PENDING = "pending"
    PAID = "paid"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    DISPUTED = "disputed"


class FulfilmentState(StrEnum):
    """Where the goods are."""

    WAITING = "waiting"
    RISK_HOLD = "risk_hold"
    FULFILLING = "fulfilling"
    PARTIALLY_DELIVERED = "partially_delivered"
    DELIVERED = "delivered"
    COMPLETED = "completed"
    ABNORMAL = "abnormal"
    FAILED = "failed"


_F = FulfilmentState
MOVES = {
    _F.WAITING: frozenset({_F.RISK_HOLD, _F.FULFILLING, _F.ABNORMAL}),
    _F.RISK_HOLD: frozenset({_F.FULFILLING, _F.ABNORMAL, _F.FAILED}),
    _F.FULFILLING: frozenset({_F.PARTIALLY_DELIVERED, _F.DELIVERED, _F.ABNORMAL, _F.FAILED}),
    _F.PARTIALLY_DELIVERED: frozenset({_F.DELIVERED, _F.COMPLETED}),
    _F.ABNORMAL: frozenset({_F.FULFILLING, _F.PARTIALLY_DELIVERED, _F.DELIVERED, _F.FAILED}),
    _F.DELIVERED: frozenset({_F.COMPLETED}),
    _F.COMPLETED: frozenset[FulfilmentState](),
    _F.FAILED: frozenset[FulfilmentState](),
}


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One product of an order, at the price of that day.

    Attributes:
        unit_price: Yuan for one, four decimals.
        promise_s: Seconds from payment in which delivery was promised.
    """

    id: str
    product_id: str
    title: str
    kind: ProductKind
    quantity: int
    unit_price: Decimal
    promise_s: int
    topup: TopUp | None = None

    @property
    def total_fen(self) -> int:
        """What the line costs, in fen."""
        return total_fen(self.unit_price, self.quantity)


@dataclass(frozen=True, slots=True)
class Order:
    """An order. Its query password and its cards' secrets are not in it.

    Attributes:
        hold_until: Until when it can be paid.
        identities: Channel identities of the account that bought it (``channel:account:user``).
        version: Counts up with every change stored.
    """

    number: OrderNumber
    lines: tuple[OrderLine, ...]
    contact: Contact
    payment: PaymentState
    fulfilment: FulfilmentState
    created_at: datetime
    hold_until: datetime
    paid_at: datetime | None = None
    delivered_at: datetime | None = None
    discount_fen: int = 0
    payments: tuple[Payment, ...] = ()
    refunds: tuple[Refund, ...] = ()
    identities: tuple[str, ...] = ()
    version: int = 1

    @property
    def total_fen(self) -> int:
        """What is to be paid, in fen: the lines less the discount, never below 0."""
        return max(0, sum(line.total_fen for line in self.lines) - self.discount_fen)

    @property
    def paid_fen(self) -> int:
        """What came in and was not sent back at once, in fen."""
        return sum(
            payment.amount_fen
            for payment in self.payments
            if payment.state is PaymentRecordState.RECEIVED
        )

    @property
    def topups(self) -> tuple[TopUp, ...]:
        """The accounts that are charged."""
        return tuple(line.topup for line in self.lines if line.topup is not None)

    @property
    def promise_s(self) -> int:
        """Seconds from payment in which all of it was promised."""
        return max((line.promise_s for line in self.lines), default=0)

    @property
    def title(self) -> str:
        """The products' names in one line."""
        return "、".join(
            line.title if line.quantity == 1 else f"{line.title} ×{line.quantity}"
            for line in self.lines
        )


def paid(order: Order, payment: Payment, *, now: datetime) -> Order:
    """The order after a payment notice.

    A notice that is told twice changes nothing. Money that is too late or of another amount is
    recorded, nothing is delivered for it, and a person decides. A second payment of a paid order
    is recorded only.
    """
    known = {(one.provider, one.provider_no) for one in order.payments}
    if (payment.provider, payment.provider_no) in known:
        return order
    received = replace(order, payments=(*order.payments, payment))
    if order.payment in {PaymentState.PAID, PaymentState.DISPUTED}:
        return received
    is_in_time = order.payment is PaymentState.PENDING and now < order.hold_until
    if not is_in_time or payment.amount_fen != order.total_fen:
        return replace(received, payment=PaymentState.DISPUTED)
    return replace(
        received,
        payment=PaymentState.PAID,
        paid_at=payment.paid_at,
        fulfilment=FulfilmentState.FULFILLING,
    )


def expired(order: Order, *, now: datetime) -> Order:
    """The order once its time to pay is over; any other order as it was."""
    if order.payment is PaymentState.PENDING and order.hold_until <= now:
        return replace(order, payment=PaymentState.EXPIRED)
    return order


def cancelled(order: Order) -> Order:
    """The unpaid order, given up by its buyer.

    Raises:
        IllegalMove: It is paid, or over.
    """
    if order.payment is not PaymentState.PENDING:
        raise IllegalMove(f"an order whose payment is {order.payment} cannot be cancelled")
    return replace(order, payment=PaymentState.CANCELLED)


def advanced(order: Order, to: FulfilmentState, *, now: datetime) -> Order:
    """The paid order one step on; told the same twice, it stays as it was.

    Raises:
        IllegalMove: It is not paid, or the step would take something back.
    """
    if to is order.fulfilment:
        return order
    if order.payment is not PaymentState.PAID:
        raise IllegalMove(f"nothing is delivered while the payment is {order.payment}")
    if to not in MOVES[order.fulfilment]:
        raise IllegalMove(f"an order that is {order.fulfilment} cannot become {to}")
    is_delivery = to in {_F.DELIVERED, _F.COMPLETED} and order.delivered_at is None
    return replace(order, fulfilment=to, delivered_at=now if is_delivery else order.delivered_at)
