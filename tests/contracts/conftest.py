"""A storage on SQLite and one on PostgreSQL; every test that asks for ``storage`` runs on both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from storage.aftermath import Aftermath
from storage.keyring import Keyring
from storage.schema import upgrade
from storage.storage import Storage, engine_for
from storage.tables.base import metadata
from tests.factories.shop import FakeClock


@pytest.fixture(scope="session")
def migrated_postgres_url(postgres_url: str) -> str:
    upgrade(postgres_url)
    return postgres_url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database whose tables were made by the migrations, and are empty."""
    if request.param == "sqlite":
        address = f"sqlite:///{tmp_path / 'kefu.db'}"
        upgrade(address)
        return address
    address = str(request.getfixturevalue("migrated_postgres_url"))
    engine = engine_for(address)
    names = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
    engine.dispose()
    return address


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
def told() -> list[Aftermath]:
    """What commits left to do, in the order in which it was told."""
    return []


@pytest.fixture
async def storage(
    url: str, clock: Callable[[], object], keyring: Keyring, told: list[Aftermath]
) -> AsyncIterator[Storage]:
    async with Storage.open(
        url,
        keyring=keyring,
        clock=clock,  # type: ignore[arg-type]
        on_commit=told.append,
    ) as opened:
        yield opened
