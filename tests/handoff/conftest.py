from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from ulid import ULID

import storage.tables.handoff
import storage.tables.messaging
from handoff.desk import Desk
from handoff.presence import Presence
from handoff.rules import Rules
from storage.keyring import Keyring
from storage.storage import Storage, engine_for
from storage.tables.base import metadata
from tests.factories.handoff import DailyHours, ManualClock
from tests.handoff.console import Shop

assert storage.tables.handoff
assert storage.tables.messaging

POSTGRES = os.environ.get(
    "KEFU_TEST_POSTGRES_URL", "postgresql+psycopg://root@127.0.0.1:5432/test?connect_timeout=2"
)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def presence(clock: ManualClock) -> Presence:
    return Presence(clock)


@pytest.fixture
def desk(clock: ManualClock, presence: Presence) -> Desk:
    return Desk(Rules(), presence=presence, hours=DailyHours(), clock=clock)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database with all tables, on SQLite and, where a server runs, on PostgreSQL."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'kefu.db'}"
        engine = engine_for(url)
        metadata.create_all(engine)
        engine.dispose()
        yield url
        return
    schema = f"test_{str(ULID()).lower()}"
    admin = create_engine(POSTGRES)
    try:
        with admin.begin() as connection:
            connection.execute(text(f"create schema {schema}"))
    except OperationalError:
        pytest.skip("no PostgreSQL server; set KEFU_TEST_POSTGRES_URL")
    url = f"{POSTGRES}&options=-csearch_path%3D{schema}"
    engine = engine_for(url)
    metadata.create_all(engine)
    engine.dispose()
    yield url
    with admin.begin() as connection:
        connection.execute(text(f"drop schema {schema} cascade"))
    admin.dispose()


@pytest.fixture
async def database(database_url: str, clock: ManualClock) -> AsyncIterator[Storage]:
    keyring = Keyring([Keyring.new_key()])
    async with Storage.open(database_url, keyring=keyring, clock=clock) as opened:
        yield opened


@pytest.fixture
async def shop(
    database: Storage, desk: Desk, clock: ManualClock, tmp_path: Path
) -> AsyncIterator[Shop]:
    opened = Shop(database, desk, clock, tmp_path / "media")
    await opened.open()
    yield opened
    await opened.close()
