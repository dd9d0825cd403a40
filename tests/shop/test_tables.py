"""Legal states and uniqueness hold in the tables as well, whatever the code does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, Table, update
from sqlalchemy.exc import IntegrityError

from handoff.errors import Conflict
from shop.domain.attempts import AttemptKind
from shop.domain.numbers import OrderNumber
from shop.errors import BackendError, ErrorCode
from storage.tables import shop as tables
from tests.factories.shop import NOON, NUMBER, Shop, a_card, a_requester, an_order

OTHER = OrderNumber("DD" + "7" * 20)


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (tables.orders, {"payment_state": "perhaps"}),
        (tables.orders, {"fulfilment_state": "perhaps"}),
        (tables.orders, {"payment_state": "pending"}),
        (tables.orders, {"paid_at": None}),
        (tables.orders, {"delivered_at": None}),
        (tables.orders, {"total_fen": -1}),
        (tables.orders, {"password_hash": ""}),
        (tables.order_lines, {"quantity": 0}),
        (tables.payments, {"amount_fen": -1}),
        (tables.cards, {"stock_state": "available"}),
        (tables.cards, {"stock_state": "reserved"}),
        (tables.cards, {"line_id": None}),
        (tables.cards, {"redemption_state": "used"}),
        (tables.cards, {"redemption_state": "sold"}),
        (tables.products, {"stock": 5}),
        (tables.products, {"max_quantity": 0}),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
async def test_an_illegal_state_cannot_be_stored(
    shop: Shop, engine: Engine, table: Table, values: Mapping[str, Any]
) -> None:
    await shop.has(an_order(), cards=(a_card("STAR-7KQ2-M8XD"),))

    with engine.connect() as connection, pytest.raises(IntegrityError):
        connection.execute(update(table).values(**values))


async def test_one_payment_number_of_a_provider_counts_for_one_order(shop: Shop) -> None:
    order = an_order()
    await shop.has(order)
    thief = replace(an_order(OTHER), payments=order.payments)

    with pytest.raises(BackendError) as refused:
        await shop.has(thief)

    assert refused.value.code is ErrorCode.CONFLICT
    assert await shop.backend.find_order(OTHER) is None


async def test_the_same_secret_is_not_imported_twice(shop: Shop) -> None:
    card, secret = a_card("STAR-7KQ2-M8XD")
    await shop.has(an_order(), cards=((card, secret),))

    with pytest.raises(Conflict):
        await shop.has(cards=((replace(card, id="again"), secret),))


async def test_an_order_is_read_as_it_was_stored(shop: Shop) -> None:
    order = an_order(identities=("web:default:a", "web:default:b"))
    await shop.has(order)

    assert await shop.backend.find_order(NUMBER) == order


async def test_storing_an_order_twice_stores_it_once(shop: Shop) -> None:
    await shop.has(an_order())
    changed = replace(an_order(), version=2)
    await shop.has(changed)

    assert await shop.backend.find_order(NUMBER) == changed


async def test_old_attempts_are_forgotten_and_those_that_count_are_kept(shop: Shop) -> None:
    await shop.has(an_order())
    await shop.gate.order(a_requester(), NUMBER, proof=SecretStr("guess"))
    shop.clock.pass_(hours=1)
    kept = await shop.gate.forget_old_attempts()
    shop.clock.pass_(hours=2)
    gone = await shop.gate.forget_old_attempts()

    rest = await shop.units.read(
        lambda work: work.attempts.recent("ip:aaaa", "any", NOON - timedelta(days=1))
    )

    assert kept == 0
    assert gone == 5  # a look and a try for each of two sources, and a try of anybody
    assert rest == []


async def test_tries_on_one_order_are_not_counted_for_another(shop: Shop) -> None:
    def add(work: Any) -> None:
        work.attempts.add(AttemptKind.TRY, "s", "order:A", NOON)

    await shop.units.write(add)

    since = NOON - timedelta(hours=1)
    of_a = await shop.units.read(lambda work: work.attempts.recent("s", "order:A", since))
    of_b = await shop.units.read(lambda work: work.attempts.recent("s", "order:B", since))

    assert (len(of_a), len(of_b)) == (1, 0)
