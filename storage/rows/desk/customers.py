"""Customers and the channel identities that are theirs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, bindparam, select, update
from ulid import ULID

from connectors.messages import Address
from handoff.model.conversation import CustomerId
from storage.core.keyring import Keyring
from storage.tables.messaging import customers, identities

# Statements are built once: building one costs more than running it on SQLite.
_OF_ADDRESS = select(identities.c.customer_id).where(
    identities.c.channel == bindparam("channel"),
    identities.c.account_id == bindparam("account"),
    identities.c.user_id == bindparam("user"),
)
_INSERT = customers.insert()
_INSERT_IDENTITY = identities.insert()


class CustomerRows:
    """Implements ``handoff.model.ports.Customers``."""

    def __init__(self, connection: Connection, keyring: Keyring) -> None:
        self._connection = connection
        self._keyring = keyring

    def of_address(self, address: Address, now: datetime, name: str) -> CustomerId:
        """The customer behind a channel identity, made at the first message."""
        found = self._connection.execute(
            _OF_ADDRESS,
            {
                "channel": address.ref.channel,
                "account": address.ref.account_id,
                "user": address.user_id,
            },
        ).scalar()
        if found is not None:
            return CustomerId(found)
        key = str(ULID())
        self._connection.execute(_INSERT, {"id": key, "name": name, "created_at": now})
        self._connection.execute(
            _INSERT_IDENTITY,
            {
                "id": str(ULID()),
                "customer_id": key,
                "channel": address.ref.channel,
                "account_id": address.ref.account_id,
                "user_id": address.user_id,
            },
        )
        return CustomerId(key)

    def rename(self, customer_id: CustomerId, name: str) -> None:
        """What the channel calls them now."""
        self._connection.execute(
            update(customers).where(customers.c.id == customer_id).values(name=name[:80])
        )

    def vouch(self, address: Address, contacts: Sequence[str]) -> None:
        """Keep the contacts that the shop itself vouches for; the newest word counts."""
        self._connection.execute(
            update(identities)
            .where(*_is_identity(address))
            .values(contacts=self._keyring.seal(json.dumps(list(contacts))))
        )

    def vouched(self, address: Address) -> tuple[str, ...]:
        """Contacts that the shop vouches for."""
        sealed = self._connection.execute(
            select(identities.c.contacts).where(*_is_identity(address))
        ).scalar()
        return () if sealed is None else tuple(json.loads(self._keyring.open(sealed)))

    def name(self, customer_id: CustomerId) -> str:
        """A name to show."""
        return self.names([customer_id])[customer_id]

    def names(self, customer_ids: Sequence[CustomerId]) -> dict[CustomerId, str]:
        """Names of several."""
        rows = self._connection.execute(
            select(customers.c.id, customers.c.name).where(customers.c.id.in_(customer_ids))
        )
        return {CustomerId(key): name for key, name in rows}

    def first_seen_at(self, customer_id: CustomerId) -> datetime:
        """When the first message came."""
        statement = select(customers.c.created_at).where(customers.c.id == customer_id)
        found: datetime = self._connection.execute(statement).scalar_one()
        return found


def _is_identity(address: Address) -> tuple[ColumnElement[bool], ...]:
    return (
        identities.c.channel == address.ref.channel,
        identities.c.account_id == address.ref.account_id,
        identities.c.user_id == address.user_id,
    )
