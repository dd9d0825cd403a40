"""What agents see of a customer's orders."""

from __future__ import annotations

import json
from datetime import timedelta

from pydantic import SecretStr

from shop.domain.cards import CheckSource, RedemptionState
from shop.domain.numbers import OrderNumber
from shop.domain.refunds import RefundState
from tests.factories.shop import (
    EMAIL,
    NOON,
    NUMBER,
    PASSWORD,
    Shop,
    a_card,
    a_requester,
    an_order,
)

SECRET = "STAR-7KQ2-M8XD-41VN-9CHT"


async def _proved(shop: Shop, proof: str) -> None:
    answer = await shop.gate.order(a_requester(), NUMBER, proof=SecretStr(proof))
    await shop.commit(answer.effects)


async def test_a_proved_order_is_shown_with_masks_only(shop: Shop) -> None:
    card = a_card(SECRET, state=RedemptionState.USED, source=CheckSource.SUPPLIER, checked_at=NOON)
    await shop.has(an_order(refunds=((RefundState.REQUESTED, 100),)), cards=(card,))
    await _proved(shop, PASSWORD)

    panel = (await shop.panel.customer_panel(a_requester().identity)).as_json()

    assert panel["proofs"] == [
        {
            "order_number": "DD-01234-56789-ABCDE-FGHJK",
            "factor": "password",
            "factor_text": "查询密码",
            "proved_at": "2026-11-23T04:00:00.000Z",
        }
    ]
    assert panel["orders"] == [
        {
            "number": "DD-01234-56789-ABCDE-FGHJK",
            "product": "Steam 钱包码 50元",
            "state_text": "退款处理中",
            "payment_state": "paid",
            "fulfilment_state": "delivered",
            "amount_fen": 4880,
            "created_at": "2026-11-23T03:55:00.000Z",
            "paid_at": "2026-11-23T03:56:00.000Z",
            "delivered_at": "2026-11-23T03:56:00.000Z",
            "contact_mask": "xi••••@example.com",
            "proved": True,
            "cards": [
                {
                    "mask": "ST••••HT",
                    "stock_state_text": "已发出",
                    "redemption_text": "已使用",
                    "checked_at": "2026-11-23T04:00:00.000Z",
                }
            ],
            "refunds": [{"amount_fen": 100, "state_text": "待审核"}],
        }
    ]
    assert SECRET not in json.dumps(panel)


async def test_an_order_whose_contact_was_only_typed_shows_no_card(shop: Shop) -> None:
    await shop.has(an_order(), cards=(a_card(SECRET),))
    await _proved(shop, EMAIL)

    panel = (await shop.panel.customer_panel(a_requester().identity)).as_json()

    assert [(one["proved"], one["cards"], one["amount_fen"]) for one in panel["orders"]] == [
        (False, [], None)
    ]


async def test_a_proof_that_is_too_old_shows_no_card(shop: Shop) -> None:
    await shop.has(an_order(), cards=(a_card(SECRET),))
    await _proved(shop, PASSWORD)
    shop.clock.now += timedelta(days=2)

    panel = await shop.panel.customer_panel(a_requester().identity)

    assert [one.is_proved for one in panel.orders] == [False]
    assert panel.orders[0].cards == ()


async def test_orders_that_the_account_bought_are_there_without_a_proof(shop: Shop) -> None:
    identity = a_requester().identity
    other = OrderNumber("DD" + "7" * 20)
    await shop.has(an_order(identities=(identity,)), an_order(other))

    panel = await shop.panel.customer_panel(identity)

    assert [(one.order.number, one.is_proved) for one in panel.orders] == [(NUMBER, True)]


async def test_a_customer_who_only_named_an_order_has_an_empty_panel(shop: Shop) -> None:
    await shop.has(an_order(), cards=(a_card(SECRET),))
    answer = await shop.gate.order(a_requester(), NUMBER)
    await shop.commit(answer.effects)

    panel = await shop.panel.customer_panel(a_requester().identity)

    assert panel.as_json() == {"proofs": [], "orders": []}
