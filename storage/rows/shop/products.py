"""Products and how many there are of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from shop.domain.cards import StockState
from shop.domain.products import Product, ProductKind
from storage.core.dialect import upsert
from storage.core.keyring import Keyring
from storage.tables.shop import cards, products

_AVAILABLE = (
    select(cards.c.product_id, func.count().label("available"))
    .where(cards.c.stock_state == StockState.AVAILABLE.value)
    .group_by(cards.c.product_id)
    .subquery()
)
_ALL = (
    select(products, _AVAILABLE.c.available)
    .join(_AVAILABLE, _AVAILABLE.c.product_id == products.c.id, isouter=True)
    .order_by(products.c.position, products.c.id)
)
_PLAIN = (
    "id",
    "title",
    "price",
    "promise_s",
    "min_quantity",
    "max_quantity",
    "region",
    "how_to",
    "after_sale",
    "is_open",
)


class ProductRows:
    """Implements ``shop.domain.ports.Products``."""

    def __init__(self, connection: Connection, keyring: Keyring) -> None:  # noqa: ARG002 - one shape for all repositories
        self._connection = connection

    def all(self) -> Sequence[Product]:
        """Every product with its stock, in the shop's order."""
        return [_product(row) for row in self._connection.execute(_ALL).mappings()]  # type: ignore[arg-type]

    def put(self, product: Product, *, position: int) -> None:
        """Store a product, or change it; the stock of a card product is its cards."""
        is_counted = product.kind is ProductKind.CARD
        upsert(
            self._connection,
            products,
            {
                **{name: getattr(product, name) for name in _PLAIN},
                "position": position,
                "nicknames": list(product.nicknames),
                "kind": product.kind.value,
                "stock": None if is_counted else product.stock,
            },
            keys=["id"],
        )


def _product(row: Mapping[str, Any]) -> Product:
    kind = ProductKind(row["kind"])
    return Product(
        **{name: row[name] for name in _PLAIN},
        nicknames=tuple(row["nicknames"]),
        kind=kind,
        stock=(row["available"] or 0) if kind is ProductKind.CARD else row["stock"],
    )
