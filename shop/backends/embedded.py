"""The shop that comes with kefu, in the same database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from pydantic import SecretStr

from shop.backends.base import Capabilities, Delivery, DeliveryKind, Operation
from shop.domain.cards import Card
from shop.domain.numbers import OrderNumber
from shop.domain.orders import Order
from shop.domain.passwords import Passwords
from shop.domain.ports import Clock, ShopWork, Units
from shop.domain.products import Product
from shop.domain.proofs import Factor

_HASHES_AT_ONCE = 2
"""Each takes 19 MiB and a core for some 30 ms; more at once would only be slower and fatter."""


class EmbeddedShop:
    """Implements ``ShopBackend`` over our own tables."""

    def __init__(self, units: Units[ShopWork], passwords: Passwords, clock: Clock) -> None:
        self._units = units
        self._passwords = passwords
        self._clock = clock
        self._hashing = asyncio.Semaphore(_HASHES_AT_ONCE)

    def capabilities(self) -> Capabilities:
        """Everything that there is so far; our numbers have 100 random bits."""
        return Capabilities(
            operations=frozenset(Operation),
            factors=frozenset({Factor.PASSWORD, Factor.CONTACT, Factor.CODE, Factor.ACCOUNT}),
            numbers_can_be_guessed=False,
        )

    async def find_order(self, number: OrderNumber) -> Order | None:
        """The order, or ``None``."""
        return await self._units.read(lambda work: work.orders.get(number))

    async def password_matches(self, number: OrderNumber, password: SecretStr) -> bool:
        """Whether this is the order's query password; one slow hash in every case."""
        stored = await self._units.read(lambda work: work.orders.password_hash(number))
        async with self._hashing:
            return await asyncio.to_thread(self._passwords.matches, stored, password)

    async def orders_of(self, identity: str) -> Sequence[OrderNumber]:
        """Orders that this channel identity bought, the newest first."""
        return await self._units.read(lambda work: work.orders.of_identity(identity))

    async def delivery(self, number: OrderNumber) -> Delivery:
        """The secrets that were handed out."""
        cards = await self._units.read(lambda work: work.cards.secrets_of(number))
        kind = DeliveryKind.CARDS if cards else DeliveryKind.NOTHING
        return Delivery(kind, tuple(cards), self._clock())

    async def cards_of(self, number: OrderNumber) -> Sequence[Card]:
        """The cards that an order holds, without secrets."""
        return await self._units.read(lambda work: work.cards.of_order(number))

    async def find_card(self, secret: SecretStr) -> Card | None:
        """The card with this secret, sold or not."""
        return await self._units.read(lambda work: work.cards.find(secret))

    async def products(self) -> Sequence[Product]:
        """Everything that the shop sells."""
        return await self._units.read(lambda work: work.products.all())
