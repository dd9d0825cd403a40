"""The root key in the database, and rotating the keys that everything is sealed by."""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy import Connection, Table, select, update

from storage.dialect import insert_or_ignore
from storage.keyring import Keyring
from storage.storage import engine_for
from storage.tables import handoff, messaging, shop
from storage.tables.base import metadata
from storage.tables.messaging import keys

_ALL = (handoff, messaging, shop)  # imported so that the metadata knows them
_ROOT = "root"
_ROOT_BYTES = 32


def rooted(url: str, keyring: Keyring) -> Keyring:
    """The keyring with this database's root key, which is made at the first start.

    Args:
        url: A database whose tables are up to date.

    Raises:
        KeyringError: The root was sealed by a key that is not in the keyring: it is the wrong key
            for this data, told before anything is served.
    """
    engine = engine_for(url)
    try:
        with engine.begin() as connection:
            made = keyring.seal(secrets.token_hex(_ROOT_BYTES))
            insert_or_ignore(connection, keys, {"purpose": _ROOT, "sealed": made})
            sealed = connection.execute(
                select(keys.c.sealed).where(keys.c.purpose == _ROOT)
            ).scalar_one()
        return keyring.with_root(bytes.fromhex(keyring.open(sealed)))
    finally:
        engine.dispose()


def reseal_all(url: str, keyring: Keyring) -> int:
    """Seal every sealed value by the newest key, in one transaction; how many there were.

    Raises:
        KeyringError: Some value opens with none of the keys; nothing was changed.
    """
    engine = engine_for(url)
    try:
        with engine.begin() as connection:
            return sum(
                _reseal(connection, table, column.name, keyring)
                for table in metadata.sorted_tables
                for column in table.columns
                if column.info.get("sealed")
            )
    finally:
        engine.dispose()


def _reseal(connection: Connection, table: Table, name: str, keyring: Keyring) -> int:
    column = table.c[name]
    primary = list(table.primary_key.columns)
    rows: list[Any] = list(connection.execute(select(*primary, column).where(column.is_not(None))))
    for *key, blob in rows:
        is_row = [part == value for part, value in zip(primary, key, strict=True)]
        connection.execute(update(table).where(*is_row), {name: keyring.resealed(blob)})
    return len(rows)
