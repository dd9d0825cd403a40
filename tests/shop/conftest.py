"""A shop on SQLite and one on PostgreSQL; every test that asks for ``shop`` runs on both."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError

from storage.keyring import Keyring
from storage.storage import Storage, engine_for
from storage.tables import shop as tables
from storage.tables.base import metadata
from tests.factories.shop import FakeClock, Shop

POSTGRES_URL = os.environ.get(
    "KEFU_TEST_POSTGRES_URL", "postgresql+psycopg://root@127.0.0.1:5432/test"
)
TABLES = [table for table in metadata.sorted_tables if getattr(tables, table.name, None) is table]


def _schema_engine(schema: str) -> Engine:
    return engine_for(f"{POSTGRES_URL}?options=-csearch_path%3D{schema}")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Engine]:
    """An engine whose tables live in a schema of this test process alone."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    schema = f"kefu_shop_{os.getpid()}"
    admin = create_engine(POSTGRES_URL, connect_args={"connect_timeout": 2})
    try:
        with admin.begin() as connection:
            connection.execute(text(f"CREATE SCHEMA {schema}"))
    except OperationalError:
        admin.dispose()
        pytest.skip(f"no PostgreSQL server answers at {admin.url.render_as_string()}")
    engine = _schema_engine(schema)
    metadata.create_all(engine, tables=TABLES)
    yield engine
    engine.dispose()
    with admin.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    admin.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "sqlite":
        made = engine_for(f"sqlite:///{tmp_path / 'shop.db'}")
        metadata.create_all(made, tables=TABLES)
        yield made
        made.dispose()
        return
    shared: Engine = request.getfixturevalue("postgres")
    names = ", ".join(table.name for table in TABLES)
    with shared.begin() as connection:
        connection.execute(text(f"TRUNCATE {names} CASCADE"))
    yield shared


@pytest.fixture
async def shop(engine: Engine) -> AsyncIterator[Shop]:
    clock = FakeClock()
    url = engine.url.render_as_string(hide_password=False)
    keyring = Keyring([Keyring.new_key()])
    async with Storage.open(url, keyring=keyring, clock=clock) as storage:
        yield Shop(storage, clock)
