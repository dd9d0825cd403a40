"""Cards: the secret sealed, three keyed hashes to find it by, a mask to show."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Connection, bindparam, or_, select, update

from shop.domain.cards import (
    Card,
    CheckSource,
    Redemption,
    RedemptionState,
    StockState,
    fold_loosely,
    fold_secret,
)
from shop.domain.numbers import OrderNumber
from storage.core.dialect import upsert
from storage.core.keyring import Keyring
from storage.tables.shop import cards, order_lines, products

_COLUMNS = select(
    cards.c.id,
    cards.c.product_id,
    products.c.title,
    cards.c.mask,
    cards.c.stock_state,
    cards.c.redemption_state,
    cards.c.redemption_source,
    cards.c.redemption_checked_at,
    cards.c.redemption_evidence,
    cards.c.batch,
    cards.c.line_id,
    cards.c.reserved_until,
    cards.c.expires_at,
    cards.c.exact_blind,
    cards.c.folded_blind,
).join(products, products.c.id == cards.c.product_id)
# one query whatever is found, so that its time does not tell a card in stock from none
_FIND = _COLUMNS.where(
    or_(
        cards.c.exact_blind == bindparam("exact"),
        cards.c.folded_blind == bindparam("folded"),
        cards.c.loose_blind == bindparam("loose"),
    )
).limit(20)
_OF_ORDER = (
    _COLUMNS.join(order_lines, order_lines.c.id == cards.c.line_id)
    .where(order_lines.c.order_number == bindparam("number"))
    .order_by(order_lines.c.position, cards.c.position, cards.c.id)
)
_SECRETS = (
    select(cards.c.secret_sealed)
    .join(order_lines, order_lines.c.id == cards.c.line_id)
    .where(
        order_lines.c.order_number == bindparam("number"),
        cards.c.stock_state == StockState.DELIVERED.value,
    )
    .order_by(order_lines.c.position, cards.c.position, cards.c.id)
)


class CardRows:
    """Implements ``shop.domain.ports.Cards``."""

    def __init__(self, connection: Connection, keyring: Keyring) -> None:
        self._connection = connection
        self._keyring = keyring

    def find(self, secret: SecretStr) -> Card | None:
        """The card with this secret, however it was spelt; ``None`` if none or several match."""
        blinds = self._blinds(secret)
        rows = self._connection.execute(_FIND, blinds).mappings().all()
        # the most exact spelling wins; of equals the only one that was sold
        for fits in (
            [row for row in rows if row["exact_blind"] == blinds["exact"]],
            [row for row in rows if row["folded_blind"] == blinds["folded"]],
            rows,
        ):
            if len(fits) > 1:
                fits = [row for row in fits if row["stock_state"] == StockState.DELIVERED.value]  # noqa: PLW2901 - narrowed
            if len(fits) == 1:
                return _card(fits[0])  # type: ignore[arg-type]
        return None

    def of_order(self, number: OrderNumber) -> Sequence[Card]:
        """The cards that an order holds, in the order of their delivery."""
        rows = self._connection.execute(_OF_ORDER, {"number": number}).mappings()
        return [_card(row) for row in rows]  # type: ignore[arg-type]

    def secrets_of(self, number: OrderNumber) -> Sequence[SecretStr]:
        """The secrets that were delivered with an order, in that order."""
        sealed = self._connection.execute(_SECRETS, {"number": number}).scalars()
        return [SecretStr(self._keyring.open(blob)) for blob in sealed]

    def put(self, card: Card, secret: SecretStr, *, position: int = 0) -> None:
        """Store a card, or change everything but its secret.

        Raises:
            IntegrityError: Another card has this very secret; ``storage`` makes it a ``Conflict``.
        """
        blinds = self._blinds(secret)
        upsert(
            self._connection,
            cards,
            {
                "id": card.id,
                "product_id": card.product_id,
                "position": position,
                "batch": card.batch,
                "secret_sealed": self._keyring.seal(secret.get_secret_value()),
                "exact_blind": blinds["exact"],
                "folded_blind": blinds["folded"],
                "loose_blind": blinds["loose"],
                "mask": card.mask,
                "stock_state": card.stock_state.value,
                "line_id": card.line_id,
                "reserved_until": card.reserved_until,
                "expires_at": card.expires_at,
                **_redemption_values(card.redemption),
            },
            keys=["id"],
        )

    def heard(self, card_id: str, redemption: Redemption) -> None:
        """Store what a check said."""
        self._connection.execute(
            update(cards).where(cards.c.id == card_id), _redemption_values(redemption)
        )

    def _blinds(self, secret: SecretStr) -> dict[str, bytes]:
        text = secret.get_secret_value()
        exact = unicodedata.normalize("NFC", text.strip())
        return {
            "exact": self._keyring.blind(exact, "card-exact"),
            "folded": self._keyring.blind(fold_secret(text), "card-folded"),
            "loose": self._keyring.blind(fold_loosely(text), "card-loose"),
        }


def _redemption_values(redemption: Redemption) -> dict[str, Any]:
    return {
        "redemption_state": redemption.state.value,
        "redemption_source": redemption.source.value if redemption.source else None,
        "redemption_checked_at": redemption.checked_at,
        "redemption_evidence": redemption.evidence,
    }


def _card(row: Mapping[str, Any]) -> Card:
    source = row["redemption_source"]
    return Card(
        id=row["id"],
        product_id=row["product_id"],
        title=row["title"],
        mask=row["mask"],
        stock_state=StockState(row["stock_state"]),
        redemption=Redemption(
            RedemptionState(row["redemption_state"]),
            CheckSource(source) if source else None,
            row["redemption_checked_at"],
            row["redemption_evidence"],
        ),
        batch=row["batch"],
        line_id=row["line_id"],
        reserved_until=row["reserved_until"],
        expires_at=row["expires_at"],
    )
