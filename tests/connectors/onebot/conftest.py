"""A connector for a QQ account on a port, and an implementation that can dial it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from connectors.onebot.connector import OneBotConnector
from devkit.onebot import FakeOneBot
from tests.factories.channels import House, a_house, free_port
from tests.factories.shop import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def house(clock: FakeClock) -> AsyncIterator[House]:
    async with a_house(clock) as made:
        yield made


class Line:
    """A connector on a port, and an implementation that can dial it."""

    def __init__(self, house: House, clock: FakeClock, **entry: Any) -> None:
        self.house = house
        self.clock = clock
        self.entry = entry
        self.fakes: list[FakeOneBot] = []

    async def opened(self) -> Line:
        first = FakeOneBot(self.clock)
        self.port = free_port()  # where the first one's files will lie
        files = {"private_media": [f"127.0.0.1:{self.port}"]}
        about = {**first.account(), "action_timeout_s": 0.3, **files, **self.entry}
        made = self.house.connector(about)
        assert isinstance(made, OneBotConnector)
        self.connector = made
        self.url = await self.house.serve(made)
        await made.start()
        return self

    async def dials(self, **options: Any) -> FakeOneBot:
        fake = FakeOneBot(self.clock, **options)
        await fake.start(0 if self.fakes else self.port)
        self.fakes.append(fake)
        await fake.connect(self.url)
        return fake

    async def close(self) -> None:
        await self.connector.stop()
        for fake in self.fakes:
            await fake.stop()


@pytest.fixture
async def line(house: House, clock: FakeClock) -> AsyncIterator[Line]:
    made = await Line(house, clock).opened()
    yield made
    await made.close()


@pytest.fixture
async def qq(line: Line) -> FakeOneBot:
    return await line.dials()
