"""The one word a customer is told for an order, derived from its three states and the clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from shop.domain.orders import FulfilmentState, Order, PaymentState
from shop.domain.refunds import done_fen
from shop.domain.topups import TopUpState


class ShownState(StrEnum):
    """What an order is said to be; the values are the outcomes of the tool ``order_lookup``."""

    PENDING_PAYMENT = "pending_payment"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    PROCESSING = "processing"
    STUCK = "stuck"
    DELIVERED = "delivered"
    PARTIALLY_DELIVERED = "partially_delivered"
    ABNORMAL = "abnormal"
    RISK_HOLD = "risk_hold"
    FAILED = "failed"
    TOPUP_PROCESSING = "topup_processing"
    TOPUP_STUCK = "topup_stuck"
    TOPUP_DONE = "topup_done"
    REFUNDING = "refunding"
    REFUNDED = "refunded"
    PARTIALLY_REFUNDED = "partially_refunded"


_IN_WORK = frozenset({FulfilmentState.WAITING, FulfilmentState.FULFILLING})
_FULFILMENT = {
    FulfilmentState.RISK_HOLD: ShownState.RISK_HOLD,
    FulfilmentState.ABNORMAL: ShownState.ABNORMAL,
    FulfilmentState.FAILED: ShownState.FAILED,
    FulfilmentState.PARTIALLY_DELIVERED: ShownState.PARTIALLY_DELIVERED,
}
_PAYMENT = {
    PaymentState.EXPIRED: ShownState.EXPIRED,
    PaymentState.CANCELLED: ShownState.CANCELLED,
    PaymentState.DISPUTED: ShownState.ABNORMAL,
}


def shown_state(order: Order, now: datetime) -> ShownState:
    """What the order is said to be at this moment.

    An unpaid order whose hold is over reads expired before any job has run. ``stuck`` and
    ``topup_stuck``: paid, and past what was promised. A refused refund leaves no trace.
    """
    refunded_fen = done_fen(order.refunds)
    if any(refund.is_open for refund in order.refunds):
        return ShownState.REFUNDING
    if refunded_fen and refunded_fen >= order.paid_fen:
        return ShownState.REFUNDED
    if order.payment is PaymentState.PENDING:
        is_over = order.hold_until <= now
        return ShownState.EXPIRED if is_over else ShownState.PENDING_PAYMENT
    if order.payment in _PAYMENT:
        return _PAYMENT[order.payment]
    # while the rest is still being worked on, that is what the customer waits for
    if refunded_fen and order.fulfilment not in _IN_WORK:
        return ShownState.PARTIALLY_REFUNDED
    return _shown_fulfilment(order, now)


def _shown_fulfilment(order: Order, now: datetime) -> ShownState:
    if order.fulfilment in _FULFILMENT:
        return _FULFILMENT[order.fulfilment]
    topups = order.topups
    is_topup = bool(topups) and len(topups) == len(order.lines)
    if order.fulfilment not in _IN_WORK:
        return ShownState.TOPUP_DONE if is_topup else ShownState.DELIVERED
    if any(topup.state is TopUpState.FAILED for topup in topups):
        return ShownState.FAILED
    if is_topup and all(topup.state is TopUpState.SUCCEEDED for topup in topups):
        return ShownState.TOPUP_DONE
    is_late = order.paid_at is not None and now - order.paid_at > timedelta(seconds=order.promise_s)
    if is_topup:
        return ShownState.TOPUP_STUCK if is_late else ShownState.TOPUP_PROCESSING
    return ShownState.STUCK if is_late else ShownState.PROCESSING
