"""One kefu for all tests of a class."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.app.process import logs
from tests.conftest import ADatabase
from tests.contracts.channels.world import World, a_world
from tests.factories.database import assign


@pytest_asyncio.fixture(scope="class", loop_scope="class")
async def world(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    a_database: ADatabase,
) -> AsyncIterator[World]:
    """A kefu beside the platform of the class's mode; each test has customers of its own."""
    logs.configure("debug", "text")
    folder = tmp_path_factory.mktemp("world")
    with a_database(folder / "kefu.db") as url:
        assign(folder / "data", url)
        async with a_world(request.cls.mode, folder) as made:
            yield made
