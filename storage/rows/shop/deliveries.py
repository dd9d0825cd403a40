"""What was sent again, and the audit of who was shown what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select

from shop.domain.numbers import OrderNumber
from shop.domain.proofs import Level
from shop.domain.records import Disclosed, Resent, Shown
from storage.core.dialect import insert_or_ignore
from storage.core.keyring import Keyring
from storage.tables.shop import deliveries, disclosures

_LAST = select(func.max(deliveries.c.at)).where(
    deliveries.c.order_number == bindparam("number"), deliveries.c.cause == "resend"
)
_OF_ORDER = (
    select(disclosures)
    .where(disclosures.c.order_number == bindparam("number"))
    .order_by(disclosures.c.at, disclosures.c.turn_id, disclosures.c.what)
)


class DeliveryRows:
    """Implements ``shop.domain.ports.Deliveries``."""

    def __init__(self, connection: Connection, keyring: Keyring) -> None:  # noqa: ARG002 - one shape for all repositories
        self._connection = connection

    def add(self, resent: Resent) -> bool:
        """Store a resend; ``False`` if this turn stored it before."""
        row = {
            "turn_id": resent.turn_id,
            "order_number": resent.number,
            "channel": resent.channel.value,
            "cause": "resend",
            "identity": resent.identity,
            "target_mask": resent.target_mask,
            "at": resent.at,
        }
        return insert_or_ignore(self._connection, deliveries, row)

    def last_resend_at(self, number: OrderNumber) -> datetime | None:
        """When the cards of an order were last sent again."""
        found: datetime | None = self._connection.execute(_LAST, {"number": number}).scalar()
        return found

    def disclose(self, disclosed: Disclosed) -> None:
        """Store who was shown what; the same turn stores it once."""
        row = {
            "turn_id": disclosed.turn_id,
            "order_number": disclosed.number,
            "what": disclosed.what.value,
            "level": int(disclosed.level),
            "identity": disclosed.identity,
            "cards": disclosed.cards,
            "at": disclosed.at,
        }
        insert_or_ignore(self._connection, disclosures, row)

    def disclosures(self, number: OrderNumber) -> Sequence[Disclosed]:
        """Who was shown what of an order, the oldest first."""
        rows = self._connection.execute(_OF_ORDER, {"number": number})
        return [
            Disclosed(
                number=OrderNumber(row.order_number),
                identity=row.identity,
                level=Level(row.level),
                what=Shown(row.what),
                cards=row.cards,
                at=row.at,
                turn_id=row.turn_id,
            )
            for row in rows
        ]
