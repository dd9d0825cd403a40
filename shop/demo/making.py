"""Makes the orders and cards of the demo shop out of a seed."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from pydantic import SecretStr

from shop.demo.goods import demo_products
from shop.domain.cards import Card, Redemption, StockState
from shop.domain.contacts import Contact
from shop.domain.masking import mask
from shop.domain.numbers import ALPHABET, OrderNumber, new_number
from shop.domain.orders import (
    HOLD,
    FulfilmentState,
    Order,
    OrderLine,
    PaymentState,
)
from shop.domain.payments import Payment
from shop.domain.products import Product, ProductKind
from shop.domain.refunds import Refund, RefundState
from shop.domain.topups import TopUp

_PASSWORD_LETTERS = "abcdefghjkmnpqrstuvwxyz"  # noqa: S105 - an alphabet

SealedCard: TypeAlias = tuple[Card, SecretStr]


@dataclass(frozen=True, slots=True)
class DemoOrder:
    """An order of the demo, and what its buyer knows."""

    order: Order
    contact: str
    password: SecretStr
    cards: tuple[SealedCard, ...] = ()


class Draw:
    """Numbers that follow from a seed and a label, and look random."""

    def __init__(self, seed: bytes, label: str) -> None:
        self._seed = seed
        self._label = label
        self._drawn = 0

    def below(self, limit: int) -> int:
        """An integer in [0, limit)."""
        self._drawn += 1
        text = f"{self._label}:{self._drawn}".encode()
        return int.from_bytes(hmac.digest(self._seed, text, "sha256"), "big") % limit

    def text(self, alphabet: str, length: int) -> str:
        """Letters of an alphabet."""
        return "".join(alphabet[self.below(len(alphabet))] for _ in range(length))

    def digits(self, length: int) -> str:
        """Decimal digits."""
        return self.text("0123456789", length)

    def secret(self) -> SecretStr:
        """A card secret."""
        return SecretStr("-".join(["STAR", *(self.text(ALPHABET, 4) for _ in range(4))]))

    def password(self) -> SecretStr:
        """A query password of letters and digits."""
        return SecretStr(self.text(_PASSWORD_LETTERS, 4) + self.digits(4))


class Maker:
    """Makes the orders and cards of one seed at one start."""

    def __init__(self, seed: bytes, start: datetime) -> None:
        self._seed = seed
        self._start = start
        self.products = {product.id: product for product in demo_products()}

    def draw(self, label: str) -> Draw:
        """What follows from the seed for one thing."""
        return Draw(self._seed, label)

    def email(self, label: str) -> str:
        """An address in a domain that nobody owns."""
        return f"kehu{self.draw(f'{label}/email').digits(5)}@example.com"

    def phone(self, label: str) -> str:
        """A phone number."""
        return f"1380013{self.draw(f'{label}/phone').digits(4)}"

    def qq(self, label: str) -> str:
        """A QQ number."""
        return f"10001{self.draw(f'{label}/qq').digits(4)}"

    def order(
        self,
        situation: str,
        product_id: str,
        contact: str,
        *,
        age: timedelta,
        fulfilment: FulfilmentState | None,
        quantity: int = 1,
        topup: TopUp | None = None,
        refund: RefundState | None = None,
        cards: tuple[tuple[Redemption, datetime | None], ...] = (),
    ) -> DemoOrder:
        """An order that was made ``age`` ago and, unless ``fulfilment`` is ``None``, paid."""
        draw = self.draw(f"order/{situation}")
        number = new_number(draw.below)
        product = self.products[product_id]
        line = OrderLine(
            id=f"{number}-1",
            product_id=product.id,
            title=product.title,
            kind=product.kind,
            quantity=quantity,
            unit_price=product.price,
            promise_s=product.promise_s,
            topup=topup,
        )
        created_at = self._start - age
        # who pays takes a little while to do so
        paid_at = created_at + min(timedelta(seconds=50), age / 4)
        is_delivered = fulfilment is FulfilmentState.DELIVERED
        order = Order(
            number=number,
            lines=(line,),
            contact=Contact.of(contact),
            payment=PaymentState.PENDING if fulfilment is None else PaymentState.PAID,
            fulfilment=fulfilment or FulfilmentState.WAITING,
            created_at=created_at,
            hold_until=created_at + HOLD,
            paid_at=None if fulfilment is None else paid_at,
            delivered_at=paid_at + timedelta(seconds=4) if is_delivered else None,
            payments=()
            if fulfilment is None
            else (Payment("demo", f"demo-{number}", line.total_fen, paid_at),),
            refunds=() if refund is None else (self._refund(number, line.total_fen, refund),),
        )
        sealed = tuple(
            self._sold(order, product, at, redemption, expires_at)
            for at, (redemption, expires_at) in enumerate(cards)
        )
        return DemoOrder(order, contact, draw.password(), sealed)

    def _refund(self, number: OrderNumber, amount_fen: int, state: RefundState) -> Refund:
        asked_at = self._start - timedelta(hours=3)
        return Refund(
            id=f"{number}-R1",
            amount_fen=amount_fen,
            state=state,
            requested_at=asked_at,
            decided_by="demo",
            decided_at=asked_at + timedelta(minutes=20),
        )

    def _sold(
        self,
        order: Order,
        product: Product,
        at: int,
        redemption: Redemption,
        expires_at: datetime | None,
    ) -> SealedCard:
        secret = self.draw(f"card/{order.number}/{at}").secret()
        card = Card(
            id=f"{order.number}-C{at + 1}",
            product_id=product.id,
            title=product.title,
            mask=mask(secret.get_secret_value()),
            stock_state=StockState.DELIVERED,
            redemption=redemption,
            batch="demo",
            line_id=order.lines[0].id,
            expires_at=expires_at,
        )
        return card, secret

    def stock(self) -> tuple[SealedCard, ...]:
        """The cards that are for sale."""
        return tuple(
            self._for_sale(product, at)
            for product in self.products.values()
            if product.kind is ProductKind.CARD
            for at in range(product.stock or 0)
        )

    def _for_sale(self, product: Product, at: int) -> SealedCard:
        secret = self.draw(f"stock/{product.id}/{at}").secret()
        card = Card(
            id=f"{product.id}-{at + 1}",
            product_id=product.id,
            title=product.title,
            mask=mask(secret.get_secret_value()),
            batch="demo",
            expires_at=self._start + timedelta(days=700),
        )
        return card, secret
