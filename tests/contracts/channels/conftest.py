"""One kefu for all tests of a class."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot import logs
from tests.contracts.channels.world import World, a_world


@pytest_asyncio.fixture(scope="class", loop_scope="class")
async def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """A kefu beside the platform of the class's mode; each test has customers of its own."""
    logs.configure("debug", "text")
    async with a_world(request.cls.mode, tmp_path_factory.mktemp("world")) as made:
        yield made
