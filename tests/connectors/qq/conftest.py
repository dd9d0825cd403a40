from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.messages import Address, Attachment, Grant, Inbound, MessageId, Outbound, Unit
from connectors.qq.connector import QQConnector
from devkit.platform import Shown
from devkit.qq import FakeQQOpen
from tests.factories.channels import House, MemorySink, a_house

FIXTURES = Path(__file__).parents[2] / "fixtures" / "qq"
OUTBOX_ID = "01JABCDEFGHJKMNPQRSTVWXYZ0"


def payload(name: str) -> dict[str, Any]:
    """A payload of the platform's."""
    found: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
    return found


class HandClock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def passes(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass
class Shop:
    """A bot's connector, served, beside the fake that knows its address."""

    house: House
    fake: FakeQQOpen
    connector: QQConnector
    url: str
    seqs: int = 0

    @property
    def sink(self) -> MemorySink:
        return self.house.sink

    @property
    def heard(self) -> list[Inbound]:
        return self.sink.messages

    async def hears(
        self, text: str = "在吗", *, user: str = "小明", group: str | None = None
    ) -> None:
        await self.fake.says(user, text, group=group)

    async def settles(self) -> None:
        """Wait for what the connector does beside."""
        await asyncio.gather(*self.connector._background)

    def unit(self, text: str = "您好", **fields: Any) -> Unit:
        """An answer to the newest thing that happened; each with the next number."""
        window = self.heard[-1].window
        assert window is not None
        self.seqs += 1
        unit = a_unit(self.heard[-1].address, text, Grant(window.data, self.seqs))
        return replace(unit, **fields)

    async def answers(self, text: str = "您好", **fields: Any) -> Any:
        return await self.connector.send(self.unit(text, **fields))

    def shown(self, user: str = "小明", *, group: str | None = None) -> list[Shown]:
        return self.fake.shown(user, group=group)

    def calls(self, method: str) -> int:
        return sum(call.method == method for call in self.fake.calls)


def a_unit(address: Address, text: str, grant: Grant | None) -> Unit:
    outbound = Outbound(
        outbox_id=OUTBOX_ID,
        address=address,
        message_id=MessageId(OUTBOX_ID),
        seq=1,
        text=text,
        author="bot",
        at=datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
    )
    return Unit(f"{OUTBOX_ID}-0", outbound, text=text, grant=grant)


def a_file(kind: str = "image", mime: str = "image/png", name: str = "a.png") -> Attachment:
    return Attachment(id="file1", kind=kind, mime=mime, size=10, name=name)


@asynccontextmanager
async def a_shop(house: House, fake: FakeQQOpen, **fields: Any) -> AsyncIterator[Shop]:
    """A served connector; ``fields`` are those of its entry in channels.yaml."""
    connector = house.connector({**fake.account(), **fields})
    assert isinstance(connector, QQConnector)
    url = await house.serve(connector)
    await fake.connect(url)
    try:
        yield Shop(house, fake, connector, url)
    finally:
        await connector.stop()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def fake(clock: HandClock) -> AsyncIterator[FakeQQOpen]:
    async with FakeQQOpen(clock) as running:
        yield running


@pytest.fixture
async def house(clock: HandClock) -> AsyncIterator[House]:
    async with a_house(clock, public_url="https://kefu.example.com") as found:
        yield found


@pytest.fixture
async def shop(house: House, fake: FakeQQOpen) -> AsyncIterator[Shop]:
    async with a_shop(house, fake) as found:
        yield found
