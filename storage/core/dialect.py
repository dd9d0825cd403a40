"""Differences between SQLite and PostgreSQL; there are none elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import Insert, ReturningInsert


@cache
def _insert_or_ignore(table: Table, dialect: str) -> ReturningInsert[Any]:
    key = next(iter(table.primary_key.columns))
    if dialect == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing().returning(key)
    return sqlite.insert(table).on_conflict_do_nothing().returning(key)


@cache
def _upsert(table: Table, dialect: str, keys: tuple[str, ...], columns: tuple[str, ...]) -> Insert:
    changed = [name for name in columns if name not in keys]
    if dialect == "postgresql":
        statement = postgresql.insert(table)
        return statement.on_conflict_do_update(
            index_elements=list(keys), set_={name: statement.excluded[name] for name in changed}
        )
    lite = sqlite.insert(table)
    return lite.on_conflict_do_update(
        index_elements=list(keys), set_={name: lite.excluded[name] for name in changed}
    )


def insert_or_ignore(connection: Connection, table: Table, row: Mapping[str, Any]) -> bool:
    """Insert a row; ``False`` if one with the same unique key was there already."""
    return insert_new(connection, table, row) is not None


def insert_new(connection: Connection, table: Table, row: Mapping[str, Any]) -> Any:
    """Insert a row; its primary key, or ``None`` if one with the same unique key was there."""
    # a row comes back only where one was inserted; rowcount means different things to the drivers
    statement = _insert_or_ignore(table, connection.dialect.name)
    return connection.execute(statement, dict(row)).scalar()


def upsert(
    connection: Connection, table: Table, row: Mapping[str, Any], *, keys: Sequence[str]
) -> None:
    """Insert a row, or change the one whose unique ``keys`` are the same."""
    statement = _upsert(table, connection.dialect.name, tuple(keys), tuple(row))
    connection.execute(statement, dict(row))


def for_update(connection: Connection, statement: Select[Any]) -> Select[Any]:
    """Hold the selected rows until the transaction ends.

    SQLite has one writer at a time, so every write transaction holds everything already.
    """
    return statement.with_for_update() if connection.dialect.name == "postgresql" else statement
