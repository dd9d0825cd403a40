"""A storage on SQLite and one on PostgreSQL; every test that asks for ``storage`` runs on both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from sqlalchemy import Engine

from storage.core.after_commit import AfterCommit
from storage.core.engine import engine_for
from storage.core.keyring import Keyring
from storage.storage import Storage
from tests.factories.shop import FakeClock


@pytest.fixture
def url(database_url: str) -> str:
    """A database whose tables were made by the migrations, and are empty."""
    return database_url


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """A connection of our own, to look at what was really stored."""
    made = engine_for(url)
    yield made
    made.dispose()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def keyring() -> Keyring:
    return Keyring([Keyring.new_key()])


@pytest.fixture
def told() -> list[AfterCommit]:
    """What commits left to do, in the order in which it was told."""
    return []


@pytest.fixture
async def storage(
    url: str, clock: Callable[[], object], keyring: Keyring, told: list[AfterCommit]
) -> AsyncIterator[Storage]:
    async with Storage.open(
        url,
        keyring=keyring,
        clock=clock,  # type: ignore[arg-type]
        on_commit=told.append,
    ) as opened:
        yield opened
