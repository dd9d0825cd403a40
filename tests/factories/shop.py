"""Orders, products and cards as tests need them, and the shop on a real database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from argon2 import PasswordHasher
from pydantic import SecretStr

from shop.access.answers import Requester
from shop.access.effects import Effect, Mail, apply_effects
from shop.access.gate import Gate
from shop.access.panel import Panel
from shop.access.settings import GateSettings
from shop.backends.embedded import EmbeddedShop
from shop.domain.cards import (
    Card,
    CheckSource,
    Redemption,
    RedemptionState,
    StockState,
)
from shop.domain.contacts import Contact
from shop.domain.masking import mask
from shop.domain.numbers import OrderNumber
from shop.domain.orders import (
    HOLD,
    FulfilmentState,
    Order,
    OrderLine,
    PaymentState,
)
from shop.domain.passwords import Passwords
from shop.domain.payments import Payment
from shop.domain.products import Product, ProductKind
from shop.domain.refunds import Refund, RefundState
from shop.domain.topups import TopUp
from storage.storage import Storage
from storage.unit_of_work import UnitOfWork

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
NUMBER = OrderNumber("DD0123456789ABCDEFGHJK")
EMAIL = "xiaoming@example.com"
PASSWORD = "kehu-8823"


class FakeClock:
    """A clock that moves when it is told to."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **time: float) -> None:
        self.now += timedelta(**time)


class CountingHasher(PasswordHasher):
    """Argon2id, as cheap as it gets, that counts its verifications."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.verifications = 0

    def verify(self, hash: str | bytes, password: str | bytes) -> Any:  # noqa: A002 - argon2's name
        self.verifications += 1
        return super().verify(hash, password)


def a_product(
    title: str = "Steam 钱包码 50元",
    *,
    id: str = "p1",  # noqa: A002 - the field's name
    kind: ProductKind = ProductKind.CARD,
    price: str = "48.80",
    stock: int | None = None,
    nicknames: tuple[str, ...] = (),
    is_open: bool = True,
) -> Product:
    return Product(
        id=id,
        title=title,
        kind=kind,
        price=Decimal(price),
        stock=stock,
        promise_s=600,
        nicknames=nicknames,
        is_open=is_open,
    )


def a_line(
    number: OrderNumber = NUMBER, *, product: Product | None = None, topup: TopUp | None = None
) -> OrderLine:
    of = product or a_product(kind=ProductKind.CARD if topup is None else ProductKind.TOPUP)
    return OrderLine(
        id=f"{number}-1",
        product_id=of.id,
        title=of.title,
        kind=of.kind,
        quantity=1,
        unit_price=of.price,
        promise_s=of.promise_s,
        topup=topup,
    )


def an_order(
    number: OrderNumber = NUMBER,
    *,
    contact: str = EMAIL,
    payment: PaymentState = PaymentState.PAID,
    fulfilment: FulfilmentState = FulfilmentState.DELIVERED,
    created_at: datetime = NOON - timedelta(minutes=5),
    paid_after: timedelta = timedelta(minutes=1),
    topup: TopUp | None = None,
    refunds: tuple[tuple[RefundState, int], ...] = (),
    identities: tuple[str, ...] = (),
    product: Product | None = None,
) -> Order:
    line = a_line(number, product=product, topup=topup)
    is_paid = payment is PaymentState.PAID
    if not is_paid:
        fulfilment = FulfilmentState.WAITING
    paid_at = created_at + paid_after
    is_delivered = fulfilment in {FulfilmentState.DELIVERED, FulfilmentState.COMPLETED}
    return Order(
        number=number,
        lines=(line,),
        contact=Contact.of(contact),
        payment=payment,
        fulfilment=fulfilment,
        created_at=created_at,
        hold_until=created_at + HOLD,
        paid_at=paid_at if is_paid else None,
        delivered_at=paid_at if is_delivered else None,
        payments=(Payment("test", f"no-{number}", line.total_fen, paid_at),) if is_paid else (),
        refunds=tuple(
            Refund(
                id=f"{number}-R{at}",
                amount_fen=amount_fen,
                state=state,
                requested_at=created_at,
                decided_by="agent",
                done_at=created_at if state is RefundState.DONE else None,
            )
            for at, (state, amount_fen) in enumerate(refunds)
        ),
        identities=identities,
    )


def a_card(
    secret: str,
    *,
    stock_state: StockState = StockState.DELIVERED,
    state: RedemptionState = RedemptionState.UNKNOWN,
    source: CheckSource | None = None,
    checked_at: datetime | None = None,
    expires_at: datetime | None = None,
    number: OrderNumber = NUMBER,
    product: Product | None = None,
) -> tuple[Card, SecretStr]:
    of = product or a_product()
    is_held = stock_state in {StockState.RESERVED, StockState.DELIVERED}
    card = Card(
        id=f"card-{sha256(secret.encode()).hexdigest()[:20]}",
        product_id=of.id,
        title=of.title,
        mask=mask(secret),
        stock_state=stock_state,
        redemption=Redemption(state, source, checked_at),
        line_id=f"{number}-1" if is_held else None,
        reserved_until=NOON + HOLD if stock_state is StockState.RESERVED else None,
        expires_at=expires_at,
    )
    return card, SecretStr(secret)


def a_requester(
    identity: str = "web:default:visitor-1",
    *,
    sources: tuple[str, ...] = ("ip:aaaa",),
    is_private: bool = True,
    turn_id: str = "turn-1",
) -> Requester:
    return Requester(identity, sources, is_private, turn_id)


@dataclass
class Shop:
    """The embedded shop on a database, with its gate."""

    units: Storage
    clock: FakeClock
    hasher: CountingHasher = field(default_factory=CountingHasher)
    mail_available: bool = True
    settings: GateSettings = field(default_factory=GateSettings)
    mails: list[Mail] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.passwords = Passwords(self.hasher)
        self.backend = EmbeddedShop(self.units, self.passwords, self.clock)
        self.panel = Panel(self.units, self.backend, self.clock)
        self.gate = self.a_gate()
        self._turns = 0

    def a_gate(self, *, mail_available: bool | None = None, **draw: Callable[[int], int]) -> Gate:
        return Gate(
            self.units,
            self.backend,
            self.clock,
            mail_available=self.mail_available if mail_available is None else mail_available,
            shop_name=lambda: "星辰点卡",
            settings=self.settings,
            **draw,
        )

    async def has(
        self,
        *orders: Order,
        password: str | None = PASSWORD,
        products: tuple[Product, ...] = (),
        cards: tuple[tuple[Card, SecretStr], ...] = (),
    ) -> None:
        """Put things into the shop; the products of orders and cards come by themselves."""
        hash_ = None if password is None else self.passwords.hash(SecretStr(password))
        known = {one.id for one in products}

        def unit(work: UnitOfWork) -> None:
            for position, product in enumerate(products):
                work.products.put(product, position=position)
            for order in orders:
                for line in order.lines:
                    if line.product_id not in known:
                        product = a_product(line.title, id=line.product_id, kind=line.kind)
                        work.products.put(product, position=0)
                work.orders.put(order, password_hash=hash_)
            for position, (card, secret) in enumerate(cards):
                work.cards.put(card, secret, position=position)

        await self.units.write(unit)

    async def commit(self, effects: tuple[Effect, ...]) -> None:
        """What a turn does with effects; mails are collected."""
        mails = await self.units.write(lambda work: apply_effects(work, effects))
        self.mails.extend(mails)

    def turn(self, requester: Requester | None = None) -> Requester:
        """The same person, one turn later."""
        self._turns += 1
        of = requester or a_requester()
        return Requester(of.identity, of.sources, of.is_private, f"turn-{self._turns}-later")
