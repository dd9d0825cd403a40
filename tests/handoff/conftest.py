from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from handoff.desk.desk import Desk
from handoff.desk.presence import Presence
from handoff.machine.rules import Rules
from storage.core.keyring import Keyring
from storage.storage import Storage
from tests.factories.handoff import DailyHours, ManualClock
from tests.handoff.console import Shop


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def presence(clock: ManualClock) -> Presence:
    return Presence(clock)


@pytest.fixture
def desk(clock: ManualClock, presence: Presence) -> Desk:
    return Desk(Rules(), presence=presence, hours=DailyHours(), clock=clock)


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
