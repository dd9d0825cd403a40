"""A demo shop in which every situation can be tried, made from a seed.

The same seed gives the same numbers, passwords and secrets; times are relative to the start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from pydantic import SecretStr

from shop.demo.making import DemoOrder, Maker, SealedCard
from shop.domain.cards import CheckSource, Redemption, RedemptionState
from shop.domain.masking import mask
from shop.domain.numbers import OrderNumber, show_number
from shop.domain.orders import FulfilmentState, Order
from shop.domain.passwords import Passwords
from shop.domain.ports import (
    Cards,
    Orders,
    Products,
    Units,
)
from shop.domain.products import Product
from shop.domain.refunds import RefundState
from shop.domain.topups import TopUp, TopUpState

_RENEW_HOLD_BELOW = timedelta(minutes=4)
_LIVE = ("unpaid", "processing", "topup_processing")
"""Orders whose state would turn while the demo runs."""


@dataclass(frozen=True, slots=True)
class DemoCard:
    """A card to paste; ``order`` is ``None`` where the shop never had it."""

    secret: SecretStr
    order: OrderNumber | None


@dataclass(frozen=True, slots=True)
class DemoShop:
    """Everything that is planted.

    Attributes:
        orders: By situation.
        cards: By redemption state.
        stock: Cards that nobody bought yet.
    """

    seed: bytes
    products: tuple[Product, ...]
    orders: Mapping[str, DemoOrder]
    cards: Mapping[str, DemoCard]
    stock: tuple[SealedCard, ...]

    def as_json(self) -> dict[str, Any]:
        """What ``kefu shop demo --json`` prints. Holds secrets: the demo's own."""
        return {
            "orders": {
                situation: {
                    "number": show_number(one.order.number),
                    "product": one.order.lines[0].title,
                    "contact": one.contact,
                    "query_password": one.password.get_secret_value(),
                    "cards": [secret.get_secret_value() for _, secret in one.cards],
                }
                for situation, one in self.orders.items()
            },
            "cards": {
                state: {
                    "secret": one.secret.get_secret_value(),
                    "order": None if one.order is None else show_number(one.order),
                }
                for state, one in self.cards.items()
            },
            "products": [
                {
                    "name": product.title,
                    "nicknames": list(product.nicknames),
                    "price": str(product.price),
                    "stock": product.stock,
                }
                for product in self.products
            ],
        }


def demo_shop(seed: bytes, start: datetime) -> DemoShop:
    """The demo of a seed.

    Args:
        start: Aware UTC; every time in the shop is reckoned from it.
    """
    make = Maker(seed, start)
    orders = _orders(make, start)
    delivered, refunding, other = (
        orders[name] for name in ("delivered", "refunding", "other_customer")
    )
    cards = {
        "unused": DemoCard(delivered.cards[0][1], delivered.order.number),
        "used": DemoCard(delivered.cards[1][1], delivered.order.number),
        "expired": DemoCard(refunding.cards[0][1], refunding.order.number),
        "other_customer": DemoCard(other.cards[0][1], other.order.number),
        "unknown": DemoCard(make.draw("card/unknown").secret(), None),
    }
    return DemoShop(seed, tuple(make.products.values()), orders, cards, make.stock())


def _orders(make: Maker, start: datetime) -> dict[str, DemoOrder]:
    two_years = start + timedelta(days=730)

    def heard(state: RedemptionState) -> Redemption:
        return Redemption(state, CheckSource.SUPPLIER, start, "demo")

    def charging(account: str, state: TopUpState, age: timedelta) -> TopUp:
        return TopUp(SecretStr(account), mask(account), state, start - age + timedelta(seconds=5))

    soon, late = timedelta(minutes=6), timedelta(hours=5)
    return {
        "delivered": make.order(
            "delivered",
            "demo-steam-50",
            make.email("delivered"),
            age=timedelta(hours=3),
            fulfilment=FulfilmentState.DELIVERED,
            quantity=2,
            cards=(
                (heard(RedemptionState.UNUSED), two_years),
                (heard(RedemptionState.USED), two_years),
            ),
        ),
        "processing": make.order(
            "processing",
            "demo-tencent-video-month",
            make.phone("processing"),
            age=timedelta(minutes=4),
            fulfilment=FulfilmentState.FULFILLING,
        ),
        "stuck": make.order(
            "stuck",
            "demo-netease-30",
            make.email("stuck"),
            age=timedelta(hours=2),
            fulfilment=FulfilmentState.FULFILLING,
        ),
        "unpaid": make.order(
            "unpaid",
            "demo-steam-100",
            make.email("unpaid"),
            age=timedelta(minutes=1),
            fulfilment=None,
        ),
        "unpaid_expired": make.order(
            "unpaid_expired",
            "demo-qcoin-100",
            make.qq("unpaid_expired"),
            age=timedelta(minutes=40),
            fulfilment=None,
        ),
        "topup_processing": make.order(
            "topup_processing",
            "demo-wangzhe-500",
            make.email("topup_processing"),
            age=soon,
            fulfilment=FulfilmentState.FULFILLING,
            topup=charging(make.qq("topup_processing"), TopUpState.PROCESSING, soon),
        ),
        "topup_stuck": make.order(
            "topup_stuck",
            "demo-phone-100",
            make.phone("topup_stuck"),
            age=late,
            fulfilment=FulfilmentState.FULFILLING,
            topup=charging(make.phone("topup_stuck"), TopUpState.UNKNOWN, late),
        ),
        "refunding": make.order(
            "refunding",
            "demo-iqiyi-month",
            make.email("refunding"),
            age=timedelta(days=20),
            fulfilment=FulfilmentState.DELIVERED,
            refund=RefundState.PROCESSING,
            cards=((Redemption(), start - timedelta(days=1)),),
        ),
        "other_customer": make.order(
            "other_customer",
            "demo-steam-50",
            make.email("other_customer"),
            age=timedelta(days=2),
            fulfilment=FulfilmentState.DELIVERED,
            cards=((Redemption(), two_years),),
        ),
    }


class DemoWork(Protocol):
    """The repositories that the demo is planted in."""

    @property
    def products(self) -> Products:
        """What is sold."""

    @property
    def orders(self) -> Orders:
        """Orders."""

    @property
    def cards(self) -> Cards:
        """Cards."""


async def plant(units: Units[DemoWork], demo: DemoShop, passwords: Passwords) -> None:
    """Put the demo into the shop, or set it back to its start; may be repeated at every start."""
    numbers = [one.order.number for one in demo.orders.values()]
    known: dict[OrderNumber, str | None] = await units.read(
        lambda work: {number: work.orders.password_hash(number) for number in numbers}
    )
    hashes: dict[OrderNumber, str] = {}
    for one in demo.orders.values():
        # of one seed a number always has the same password: hashing it anew would only cost time
        stored = known[one.order.number]
        if stored is None:
            stored = await asyncio.to_thread(passwords.hash, one.password)
        hashes[one.order.number] = stored

    def unit(work: DemoWork) -> None:
        for position, product in enumerate(demo.products):
            work.products.put(product, position=position)
        for one in demo.orders.values():
            work.orders.put(one.order, password_hash=hashes[one.order.number])
            for position, (card, secret) in enumerate(one.cards):
                work.cards.put(card, secret, position=position)
        for position, (card, secret) in enumerate(demo.stock):
            work.cards.put(card, secret, position=position)

    await units.write(unit)


async def renew(units: Units[DemoWork], demo: DemoShop, now: datetime) -> None:
    """Keep what would run out while the demo runs: the unpaid order, the promises, the checks."""
    fresh = demo_shop(demo.seed, now)

    def unit(work: DemoWork) -> None:
        for name in _LIVE:
            order = fresh.orders[name].order
            stored = work.orders.get(order.number)
            if stored is not None and _runs_out(stored, now):
                work.orders.put(order, password_hash=work.orders.password_hash(order.number))
        for one in fresh.orders.values():
            for card, _ in one.cards:
                if card.redemption.source is not None:
                    work.cards.heard(card.id, card.redemption)

    await units.write(unit)


def _runs_out(order: Order, now: datetime) -> bool:
    if order.paid_at is None:
        return order.hold_until - now < _RENEW_HOLD_BELOW
    return now - order.paid_at > timedelta(seconds=order.promise_s) / 2
