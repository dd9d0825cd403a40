"""Engines: what each database needs said at connecting, and how long it is waited for."""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import NullPool

from handoff.errors import StorageUnavailable
from storage.core.odd_values import refuse_odd_values
from storage.core.patience import Patience

BUSY_S = 5
"""How long SQLite waits for another process that writes."""
MIGRATION_S = 1800.0
"""One statement of a migration: on a large table it may well take minutes."""


def engine_for(url: str, patience: Patience | None = None) -> Engine:
    """An engine for serving.

    Args:
        patience: How long calls may take; ``None`` for the usual.

    Raises:
        StorageUnavailable: The address is no database address, or its driver is not installed.
    """
    return _engine(url, patience or Patience(), is_serving=True)


def engine_for_migrations(url: str) -> Engine:
    """An engine whose statements may take long.

    Raises:
        StorageUnavailable: As with ``engine_for``.
    """
    return _engine(url, Patience(MIGRATION_S), is_serving=False)


def _engine(address: str, patience: Patience, *, is_serving: bool) -> Engine:
    try:
        url = make_url(address)
        kind = url.get_backend_name()
        if kind == "sqlite":
            return _guarded(_sqlite_engine(address))
        if url.drivername == "postgresql+psycopg":
            # imported where it is used: it takes longer than most commands run
            from storage.core.postgres import postgres_engine  # noqa: PLC0415

            return _guarded(postgres_engine(url, patience, is_serving=is_serving))
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise StorageUnavailable(
            f"KEFU_DATABASE_URL cannot be used: {error}; "
            "PostgreSQL is written postgresql+psycopg://…"
        ) from error
    raise StorageUnavailable(
        f"KEFU_DATABASE_URL names {url.drivername}: kefu runs on SQLite (sqlite:///…) and "
        "PostgreSQL (postgresql+psycopg://…) only"
    )


def _guarded(engine: Engine) -> Engine:
    refuse_odd_values(engine)
    return engine


def _sqlite_engine(url: str) -> Engine:
    engine = create_engine(
        url,
        poolclass=NullPool,
        # error texts must not carry what customers wrote
        hide_parameters=True,
        connect_args={"check_same_thread": False, "timeout": BUSY_S},
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        # the driver's own transaction handling breaks savepoints; we say BEGIN ourselves
        connection.isolation_level = None
        try:
            cursor = connection.cursor()
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=FULL")
            cursor.execute("PRAGMA foreign_keys=ON")
            cursor.execute("PRAGMA temp_store=MEMORY")
            cursor.close()
        except sqlite3.Error as error:
            # what a listener raises is not translated: a full disk, a file that is no database
            raise OperationalError("PRAGMA", None, error) from error

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        is_reader = connection.get_execution_options().get("is_reader", False)
        connection.exec_driver_sql("BEGIN" if is_reader else "BEGIN IMMEDIATE")

    return engine
