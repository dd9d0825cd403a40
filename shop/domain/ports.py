"""What the shop needs of a database, as small protocols; ``storage`` keeps them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from pydantic import SecretStr

from shop.domain.attempts import Attempt, AttemptKind
from shop.domain.cards import Card, Redemption
from shop.domain.numbers import OrderNumber
from shop.domain.orders import Order
from shop.domain.products import Product
from shop.domain.proofs import Code, Proof
from shop.domain.records import Disclosed, Resent

T = TypeVar("T")
W_co = TypeVar("W_co", covariant=True)
Clock = Callable[[], datetime]


class Products(Protocol):
    """What is sold."""

    def all(self) -> Sequence[Product]:
        """Every product with its stock, in the shop's order."""

    def put(self, product: Product, *, position: int) -> None:
        """Store a product, or change it; the stock of a card product is its cards."""


class Orders(Protocol):
    """Orders with their lines, payments, refunds and top-ups."""

    def get(self, number: OrderNumber) -> Order | None:
        """The order, or ``None``."""

    def password_hash(self, number: OrderNumber) -> str | None:
        """The hash of its query password; ``None`` if it has none or does not exist."""

    def of_identity(self, identity: str) -> Sequence[OrderNumber]:
        """Numbers of the orders that this account bought, the newest first."""

    def put(self, order: Order, *, password_hash: str | None) -> None:
        """Store an order with everything that belongs to it, or change it."""


class Cards(Protocol):
    """Cards and their sealed secrets."""

    def find(self, secret: SecretStr) -> Card | None:
        """The card with this secret, however it was spelt; ``None`` if none or several match."""

    def of_order(self, number: OrderNumber) -> Sequence[Card]:
        """The cards that an order holds, in the order of their delivery."""

    def secrets_of(self, number: OrderNumber) -> Sequence[SecretStr]:
        """The secrets that were delivered with an order, in that order."""

    def put(self, card: Card, secret: SecretStr, *, position: int = 0) -> None:
        """Store a card, or change everything but its secret."""

    def heard(self, card_id: str, redemption: Redemption) -> None:
        """Store what a check said."""


class Attempts(Protocol):
    """Who looked and tried, and when."""

    def hold(self, sources: Sequence[str], subject: str, now: datetime) -> None:
        """Let no other unit judge these sources, or this subject, until this one ends."""

    def recent(self, source: str, subject: str, since: datetime) -> Sequence[Attempt]:
        """All look-ups of a source, and its tries on one subject."""

    def on_subject(
        self, kinds: Collection[AttemptKind], source: str, subject: str, since: datetime
    ) -> Sequence[Attempt]:
        """Tries of one source on one subject; no look-ups of others."""

    def add(self, kind: AttemptKind, source: str, subject: str, at: datetime) -> int:
        """Record an attempt; its id."""

    def settle(self, ids: Sequence[int], kind: AttemptKind) -> None:
        """Say what became of tries."""

    def forget(self, before: datetime) -> int:
        """Delete what is too old to count; how many."""


class Proofs(Protocol):
    """What was proved by whom, and codes that are out."""

    def add(self, proof: Proof) -> None:
        """Store a proof; the same turn stores it once."""

    def of_identity(self, identity: str) -> Sequence[Proof]:
        """Everything that this identity ever proved, the newest first."""

    def put_code(self, code: Code) -> None:
        """Store a code, hashed, in place of the one before it."""

    def try_code(self, number: OrderNumber, identity: str, typed: SecretStr, now: datetime) -> bool:
        """Whether this is the code that is out for this identity; a try of it is used up."""

    def forget_code(self, number: OrderNumber, identity: str) -> None:
        """A code that has served is no code any more."""


class Deliveries(Protocol):
    """What was sent again, and what was shown to whom."""

    def add(self, resent: Resent) -> bool:
        """Store a resend; ``False`` if this turn stored it before."""

    def last_resend_at(self, number: OrderNumber) -> datetime | None:
        """When the cards of an order were last sent again."""

    def disclose(self, disclosed: Disclosed) -> None:
        """Store who was shown what; the same turn stores it once."""

    def disclosures(self, number: OrderNumber) -> Sequence[Disclosed]:
        """Who was shown what of an order, the oldest first."""


class ShopWork(Protocol):
    """The repositories of one transaction."""

    @property
    def products(self) -> Products:
        """What is sold."""

    @property
    def orders(self) -> Orders:
        """Orders."""

    @property
    def cards(self) -> Cards:
        """Cards."""

    @property
    def attempts(self) -> Attempts:
        """Who looked and tried."""

    @property
    def proofs(self) -> Proofs:
        """What was proved."""

    @property
    def deliveries(self) -> Deliveries:
        """What was sent again and shown."""


class Units(Protocol[W_co]):
    """Runs units of work."""

    async def write(self, unit: Callable[[W_co], T]) -> T:
        """Run a unit in a transaction; answered after the commit."""
        ...

    async def read(self, unit: Callable[[W_co], T]) -> T:
        """Run a unit that only reads, on one snapshot."""
        ...
