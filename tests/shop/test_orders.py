"""What may become of an order, and what it is said to be."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from shop.domain import orders, refunds, topups
from shop.domain.orders import FulfilmentState, Order, PaymentState
from shop.domain.payments import Payment
from shop.domain.products import total_fen
from shop.domain.refunds import Refund, RefundState
from shop.domain.shown_state import ShownState, shown_state
from shop.domain.topups import TopUp, TopUpState
from shop.errors import IllegalMove, RefundTooHigh
from tests.factories.shop import NOON, a_line, an_order

UNPAID = an_order(payment=PaymentState.PENDING, created_at=NOON)


def _notice(provider_no: str = "1", amount_fen: int = 4880) -> Payment:
    return Payment("alipay", provider_no, amount_fen, NOON)


def test_the_right_amount_in_time_pays_the_order() -> None:
    order = orders.paid(UNPAID, _notice(), now=NOON + timedelta(minutes=14))

    assert order.payment is PaymentState.PAID
    assert order.fulfilment is FulfilmentState.FULFILLING
    assert order.paid_fen == 4880


def test_a_payment_told_fifty_times_counts_once() -> None:
    order = UNPAID
    for _ in range(50):
        order = orders.paid(order, _notice(), now=NOON)

    assert order.paid_fen == 4880


@pytest.mark.parametrize(
    ("order", "late_min", "amount_fen"),
    [
        (UNPAID, 15, 4880),
        (UNPAID, 1, 4879),
        (replace(UNPAID, payment=PaymentState.EXPIRED), 1, 4880),
        (replace(UNPAID, payment=PaymentState.CANCELLED), 1, 4880),
    ],
)
def test_money_that_does_not_fit_is_kept_and_waits_for_a_person(
    order: Order, late_min: int, amount_fen: int
) -> None:
    after = orders.paid(
        order, _notice(amount_fen=amount_fen), now=NOON + timedelta(minutes=late_min)
    )

    assert after.payment is PaymentState.DISPUTED
    assert after.fulfilment is FulfilmentState.WAITING
    assert after.paid_fen == amount_fen
    assert shown_state(after, NOON) is ShownState.ABNORMAL


def test_a_second_payment_is_money_and_nothing_else() -> None:
    order = an_order()
    after = orders.paid(order, _notice("2"), now=NOON)

    assert replace(after, payments=order.payments) == order
    assert after.paid_fen == 2 * 4880


def test_an_unpaid_order_expires_when_its_hold_is_over_and_a_paid_one_never() -> None:
    over = NOON + timedelta(minutes=15)

    assert orders.expired(UNPAID, now=over - timedelta(seconds=1)) is UNPAID
    assert orders.expired(UNPAID, now=over).payment is PaymentState.EXPIRED
    assert orders.expired(an_order(), now=over).payment is PaymentState.PAID


@given(st.lists(st.sampled_from(FulfilmentState), max_size=12))
def test_nothing_takes_a_delivery_back(steps: list[FulfilmentState]) -> None:
    order = an_order(fulfilment=FulfilmentState.FULFILLING)
    was_delivered = False
    for step in steps:
        try:
            order = orders.advanced(order, step, now=NOON)
        except IllegalMove:
            continue
        done = order.fulfilment in {FulfilmentState.DELIVERED, FulfilmentState.COMPLETED}
        assert done or not was_delivered
        was_delivered = was_delivered or done
    assert not was_delivered or order.delivered_at == NOON


def test_an_unpaid_order_is_not_fulfilled_and_a_paid_one_not_cancelled() -> None:
    with pytest.raises(IllegalMove):
        orders.advanced(UNPAID, FulfilmentState.FULFILLING, now=NOON)
    with pytest.raises(IllegalMove):
        orders.cancelled(an_order())


@given(
    st.decimals(min_value=0, max_value=10_000, places=4), st.integers(min_value=1, max_value=999)
)
def test_a_line_is_rounded_once_to_whole_fen(price: Decimal, quantity: int) -> None:
    exact = price * quantity * 100

    assert abs(total_fen(price, quantity) - exact) <= Decimal("0.5")


def test_the_total_is_the_lines_less_the_discount_and_never_below_zero() -> None:
    two = replace(an_order(), lines=(a_line(), a_line()), discount_fen=60)

    assert two.total_fen == 2 * 4880 - 60
    assert replace(two, discount_fen=10**9).total_fen == 0


# ---------------------------------------------------------------------------------- shown state


def _topup(state: TopUpState) -> TopUp:
    return TopUp(SecretStr("10001000"), "10••••00", state, NOON)


@pytest.mark.parametrize(
    ("order", "shown"),
    [
        (UNPAID, ShownState.PENDING_PAYMENT),
        (an_order(payment=PaymentState.EXPIRED), ShownState.EXPIRED),
        (an_order(payment=PaymentState.CANCELLED), ShownState.CANCELLED),
        (an_order(fulfilment=FulfilmentState.FULFILLING), ShownState.PROCESSING),
        (an_order(fulfilment=FulfilmentState.RISK_HOLD), ShownState.RISK_HOLD),
        (an_order(fulfilment=FulfilmentState.ABNORMAL), ShownState.ABNORMAL),
        (an_order(fulfilment=FulfilmentState.FAILED), ShownState.FAILED),
        (
            an_order(fulfilment=FulfilmentState.PARTIALLY_DELIVERED),
            ShownState.PARTIALLY_DELIVERED,
        ),
        (an_order(), ShownState.DELIVERED),
        (an_order(fulfilment=FulfilmentState.COMPLETED), ShownState.DELIVERED),
        (an_order(topup=_topup(TopUpState.SUCCEEDED)), ShownState.TOPUP_DONE),
        (
            an_order(fulfilment=FulfilmentState.FULFILLING, topup=_topup(TopUpState.UNKNOWN)),
            ShownState.TOPUP_PROCESSING,
        ),
        (
            an_order(fulfilment=FulfilmentState.FULFILLING, topup=_topup(TopUpState.FAILED)),
            ShownState.FAILED,
        ),
        (an_order(refunds=((RefundState.PROCESSING, 4880),)), ShownState.REFUNDING),
        (an_order(refunds=((RefundState.DONE, 4880),)), ShownState.REFUNDED),
        (an_order(refunds=((RefundState.DONE, 100),)), ShownState.PARTIALLY_REFUNDED),
        (an_order(refunds=((RefundState.REFUSED, 4880),)), ShownState.DELIVERED),
        (an_order(refunds=((RefundState.FAILED, 4880),)), ShownState.DELIVERED),
        (
            an_order(fulfilment=FulfilmentState.FULFILLING, refunds=((RefundState.DONE, 9),)),
            ShownState.PROCESSING,
        ),
    ],
)
def test_an_order_is_said_to_be(order: Order, shown: ShownState) -> None:
    assert shown_state(order, NOON) is shown


@pytest.mark.parametrize(
    ("topup", "before", "after"),
    [
        (None, ShownState.PROCESSING, ShownState.STUCK),
        (
            _topup(TopUpState.UNKNOWN),
            ShownState.TOPUP_PROCESSING,
            ShownState.TOPUP_STUCK,
        ),
    ],
)
def test_past_its_promise_a_paid_order_is_stuck_and_not_failed(
    topup: TopUp | None, before: ShownState, after: ShownState
) -> None:
    order = an_order(fulfilment=FulfilmentState.FULFILLING, topup=topup, created_at=NOON)
    assert order.paid_at is not None
    promised = order.paid_at + timedelta(seconds=600)

    assert shown_state(order, promised) is before
    assert shown_state(order, promised + timedelta(seconds=1)) is after


# ------------------------------------------------------------------------- refunds and top-ups


def _refund(amount_fen: int, state: RefundState = RefundState.REQUESTED) -> Refund:
    return Refund("r", amount_fen, state, NOON)


@given(st.lists(st.integers(min_value=1, max_value=6000), max_size=8))
def test_refunds_never_exceed_what_was_paid(amounts: list[int]) -> None:
    known: tuple[Refund, ...] = ()
    for amount_fen in amounts:
        try:
            known = refunds.requested(_refund(amount_fen), known, paid_fen=4880)
        except RefundTooHigh:
            continue

    assert sum(refund.amount_fen for refund in known) <= 4880


def test_a_refused_refund_leaves_room_for_another() -> None:
    refused = refunds.moved(_refund(4880), RefundState.REFUSED, by="agent", now=NOON)

    assert (refused.decided_by, refused.decided_at) == ("agent", NOON)
    assert len(refunds.requested(_refund(4880), (refused,), paid_fen=4880)) == 2


def test_a_refund_that_is_done_stays_done() -> None:
    done = _refund(1, RefundState.DONE)

    for state in RefundState:
        with pytest.raises(IllegalMove):
            refunds.moved(done, state, by="agent", now=NOON)


def test_unknown_is_no_final_word_of_a_top_up() -> None:
    unknown = topups.moved(_topup(TopUpState.SUBMITTED), TopUpState.UNKNOWN, now=NOON)

    assert unknown.is_undecided
    assert unknown.finished_at is None
    assert topups.moved(unknown, TopUpState.SUCCEEDED, now=NOON).finished_at == NOON


@pytest.mark.parametrize("final", [TopUpState.SUCCEEDED, TopUpState.FAILED])
def test_a_late_word_does_not_change_a_top_up_that_is_over(final: TopUpState) -> None:
    over = topups.moved(_topup(TopUpState.PROCESSING), final, now=NOON)

    assert topups.moved(over, final, now=NOON + timedelta(days=1)) == over
    with pytest.raises(IllegalMove):
        topups.moved(over, TopUpState.PROCESSING, now=NOON)
