"""The root key in the database, and rotating the keys that everything is sealed by."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Table, inspect, select, update
from sqlalchemy.exc import DBAPIError

from storage.core.dialect import insert_or_ignore
from storage.core.engine import engine_for_migrations
from storage.core.errors import translate
from storage.core.keyring import Keyring
from storage.tables import handoff, messaging, shop
from storage.tables.base import metadata
from storage.tables.messaging import keys

_ALL = (handoff, messaging, shop)  # imported so that the metadata knows them
_ROOT = "root"
_ROOT_BYTES = 32


def is_sealed(url: str) -> bool:
    """Tell whether anything in a database is sealed: its root is, from the first start on.

    Raises:
        StorageUnavailable: It cannot be read.
    """
    with _transaction(url) as connection:
        if not inspect(connection).has_table(keys.name):
            return False
        return connection.execute(select(keys.c.purpose).limit(1)).scalar() is not None


def rooted(url: str, keyring: Keyring) -> Keyring:
    """The keyring with this database's root key, which is made at the first start.

    Args:
        url: A database whose tables are up to date.

    Raises:
        KeyringError: The root was sealed by a key that is not in the keyring: it is the wrong key
            for this data, told before anything is served.
        StorageUnavailable: The database cannot be read or written.
    """
    with _transaction(url) as connection:
        is_root = keys.c.purpose == _ROOT
        sealed = connection.execute(select(keys.c.sealed).where(is_root)).scalar()
        if sealed is None:
            made = keyring.seal(secrets.token_hex(_ROOT_BYTES))
            insert_or_ignore(connection, keys, {"purpose": _ROOT, "sealed": made})
            # another first start may have been faster
            sealed = connection.execute(select(keys.c.sealed).where(is_root)).scalar_one()
    return keyring.with_root(bytes.fromhex(keyring.open(sealed)))


def reseal_all(url: str, keyring: Keyring) -> int:
    """Seal every sealed value by the newest key, in one transaction; how many there were.

    Raises:
        KeyringError: Some value opens with none of the keys; nothing was changed.
        StorageUnavailable: The database cannot be written; nothing was changed.
    """
    with _transaction(url) as connection:
        return sum(
            _reseal(connection, table, column.name, keyring)
            for table in metadata.sorted_tables
            for column in table.columns
            if column.info.get("sealed")
        )


@contextmanager
def _transaction(url: str) -> Iterator[Connection]:
    engine = engine_for_migrations(url)  # sealing everything anew takes its time
    try:
        with engine.begin() as connection:
            yield connection
    except DBAPIError as error:
        raise translate(error) from error
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
