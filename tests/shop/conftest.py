"""A shop on SQLite and one on PostgreSQL; every test that asks for ``shop`` runs on both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import Engine

from storage.core.engine import engine_for
from storage.core.keyring import Keyring
from storage.storage import Storage
from tests.factories.shop import FakeClock, Shop


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A connection of our own, to look at what was really stored."""
    made = engine_for(database_url)
    yield made
    made.dispose()


@pytest.fixture
async def shop(database_url: str) -> AsyncIterator[Shop]:
    clock = FakeClock()
    keyring = Keyring([Keyring.new_key()])
    async with Storage.open(database_url, keyring=keyring, clock=clock) as storage:
        yield Shop(storage, clock)
