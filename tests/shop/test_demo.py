"""The demo shop: every situation that a newcomer wants to try."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from pydantic import SecretStr

from shop.access.answers import Requester
from shop.demo.seeding import (
    DemoShop,
    demo_shop,
    plant,
    renew,
)
from shop.domain.numbers import read_number
from tests.factories.shop import NOON, Shop, a_requester

SEED = b"a seed of the data folder"
STATES = {
    "delivered": "delivered",
    "processing": "processing",
    "stuck": "stuck",
    "unpaid": "pending_payment",
    "unpaid_expired": "expired",
    "topup_processing": "topup_processing",
    "topup_stuck": "topup_stuck",
    "refunding": "refunding",
    "other_customer": "delivered",
}
CARDS = {
    "unused": "unused",
    "used": "used",
    "expired": "expired",
    "other_customer": "unknown",
    "unknown": "not_ours",
}


def _someone(name: str) -> Requester:
    return a_requester(f"web:default:{name}", sources=())


async def _planted(shop: Shop) -> DemoShop:
    demo = demo_shop(SEED, shop.clock())
    await plant(shop.units, demo, shop.passwords)
    return demo


def test_the_same_seed_gives_the_same_shop_at_any_start() -> None:
    one = demo_shop(SEED, NOON).as_json()
    later = demo_shop(SEED, NOON + timedelta(days=3)).as_json()
    other = demo_shop(b"another", NOON).as_json()

    assert one == later
    assert one["orders"]["delivered"]["number"] != other["orders"]["delivered"]["number"]


def test_what_is_printed_has_every_situation() -> None:
    printed = json.loads(json.dumps(demo_shop(SEED, NOON).as_json()))

    assert set(printed) == {"orders", "cards", "products"}
    assert set(printed["orders"]) == set(STATES)
    assert set(printed["cards"]) == set(CARDS)
    assert all(
        set(order) == {"number", "product", "contact", "query_password", "cards"}
        for order in printed["orders"].values()
    )
    assert all(set(card) == {"secret", "order"} for card in printed["cards"].values())
    assert all(
        set(product) == {"name", "nicknames", "price", "stock"} for product in printed["products"]
    )
    assert printed["cards"]["unknown"]["order"] is None


@pytest.mark.parametrize("starts", [1, 2])
async def test_every_situation_is_what_it_says_after_each_start(shop: Shop, starts: int) -> None:
    for _ in range(starts):
        demo = await _planted(shop)
        shop.clock.pass_(days=1)
    await plant(shop.units, demo_shop(SEED, shop.clock()), shop.passwords)
    printed = demo.as_json()

    seen = {
        name: await shop.gate.order(
            _someone(name), one["number"], proof=SecretStr(one["query_password"])
        )
        for name, one in printed["orders"].items()
    }

    assert {name: answer.outcome.value for name, answer in seen.items()} == STATES
    for name, answer in seen.items():
        assert answer.view is not None
        shown = [card.get_secret_value() for card in answer.view.cards]
        assert shown == printed["orders"][name]["cards"]


async def test_every_card_says_what_it_should(shop: Shop) -> None:
    printed = (await _planted(shop)).as_json()

    seen = {
        name: (await shop.gate.card(_someone(name), SecretStr(one["secret"]))).outcome.value
        for name, one in printed["cards"].items()
    }

    assert seen == CARDS


async def test_every_contact_proves_its_order(shop: Shop) -> None:
    printed = (await _planted(shop)).as_json()

    for name, one in printed["orders"].items():
        answer = await shop.gate.order(
            _someone(name), one["number"], proof=SecretStr(one["contact"])
        )
        assert answer.factor is not None, name


async def test_the_stock_is_as_printed(shop: Shop) -> None:
    printed = (await _planted(shop)).as_json()

    products = await shop.backend.products()

    assert [(one.title, one.stock) for one in products] == [
        (one["name"], one["stock"]) for one in printed["products"]
    ]


async def test_a_renewed_demo_stays_as_it_was_for_days(shop: Shop) -> None:
    demo = await _planted(shop)
    printed = demo.as_json()
    for hours in (0, 1, 30):
        # a minute is how often it is renewed; the longest pause between two of these is hours
        shop.clock.pass_(hours=hours)
        for _ in range(20):
            shop.clock.pass_(minutes=1)
            await renew(shop.units, demo, shop.clock())

        for name in ("unpaid", "processing", "topup_processing"):
            number = read_number(printed["orders"][name]["number"])
            answer = await shop.gate.order(_someone(f"{name}{hours}"), number)
            assert answer.outcome.value == STATES[name]
        for name in ("unused", "used"):
            secret = SecretStr(printed["cards"][name]["secret"])
            card = await shop.gate.card(_someone(f"{name}{hours}"), secret)
            assert card.outcome.value == name
