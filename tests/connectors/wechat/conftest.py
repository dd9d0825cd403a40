from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from devkit.wechat import FakeWeChatOA
from tests.factories.channels import House, a_house
from tests.factories.handoff import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def fake(clock: ManualClock) -> AsyncIterator[FakeWeChatOA]:
    async with FakeWeChatOA(clock) as platform:
        yield platform


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


@pytest.fixture
async def house(clock: ManualClock) -> AsyncIterator[House]:
    async with a_house(clock, public_url="https://kefu.example.com") as house:
        yield house
