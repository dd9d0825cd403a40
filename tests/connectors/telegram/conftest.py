from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiohttp import web
from aiohttp.test_utils import TestServer
from telegram.ext import Application, ApplicationBuilder

from connectors.delivery.rendering import render
from connectors.messages import (
    Address,
    Attachment,
    ChannelRef,
    InboundKind,
    MessageId,
    Outbound,
    PeerKind,
    SendResult,
    Unit,
)
from connectors.telegram.account import TelegramAccount
from connectors.telegram.connector import TelegramConnector
from devkit.telegram import FakeTelegram
from tests.factories.channels import House, MemoryFiles, a_house

REF = ChannelRef("telegram", "main")
FIXTURES = Path(__file__).parents[2] / "fixtures" / "telegram"


def payload(name: str) -> dict[str, Any]:
    """An update of the platform's."""
    found: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
    return found


class HandClock:
    """A clock that stands until it is moved; who sleeps by it wakes when it has come so far.

    Attributes:
        slept: What was slept for, in seconds.
    """

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
        self.slept: list[float] = []
        self._sleepers: list[tuple[datetime, asyncio.Event]] = []

    def __call__(self) -> datetime:
        return self.now

    def passes(self, **span: float) -> None:
        self.now += timedelta(**span)
        for until, woken in self._sleepers:
            if until <= self.now:
                woken.set()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        woken = asyncio.Event()
        self._sleepers.append((self.now + timedelta(seconds=seconds), woken))
        await woken.wait()

    async def wakes_somebody(self) -> None:
        """Wait until somebody sleeps, and let so much time pass that they wake."""
        await until(lambda: any(not woken.is_set() for _, woken in self._sleepers))
        wake_at = max(at for at, woken in self._sleepers if not woken.is_set())
        self.passes(seconds=(wake_at - self.now).total_seconds())


async def until(is_so: Callable[[], object], timeout_s: float = 10.0) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(timeout_s):
        while not is_so():  # noqa: ASYNC110 - many things may make it so, and none waits
            await asyncio.sleep(0)


class Stand:
    """A connector, its fake platform and the house around them."""

    def __init__(self, fake: FakeTelegram, clock: HandClock, house: House) -> None:
        self.fake = fake
        self.clock = clock
        self.house = house
        self.sink = house.sink
        self.connector: TelegramConnector
        self._numbers = iter(range(1000))

    def makes(self, **settings: Any) -> TelegramConnector:
        """A connector of the fake's account."""
        account = TelegramAccount.model_validate({**self.fake.account(), **settings})
        self.connector = TelegramConnector(account, self.house.host)
        return self.connector

    async def serves(self, **settings: Any) -> str:
        """Run one behind its own webhook address; the base URL."""
        url = await self.house.serve(self.makes(**settings))
        self.connector._host = replace(self.house.host, public_url=url)
        await self.connector.start()
        return url

    async def starts(self, **settings: Any) -> None:
        """Run one."""
        await self.makes(**settings).start()

    @property
    def texts(self) -> list[str]:
        return [one.text for one in self.sink.messages]

    @property
    def kinds(self) -> list[InboundKind]:
        return [one.kind for one in self.sink.messages]

    def outbound(self, user: str, text: str, *, group: str | None = None, **more: Any) -> Outbound:
        user_id = str(self.fake.state.user_id(user))
        peer_id = user_id if group is None else str(self.fake.state.group(group).id)
        kind = PeerKind.PRIVATE if group is None else PeerKind.GROUP
        return Outbound(
            outbox_id=f"01JABCDEFGHJKMNPQRSTVW{next(self._numbers):04d}",
            address=Address(REF, peer_id, user_id, kind),
            message_id=MessageId("01JABCDEFGHJKMNPQRSTVWXYZ0"),
            seq=1,
            text=text,
            author="bot",
            at=self.clock(),
            **more,
        )

    async def says(self, user: str, text: str, **more: Any) -> SendResult:
        """Send a whole message as delivery does, cut and rendered."""
        outbound = self.outbound(user, text, **more)
        results = [
            await self.connector.send(unit)
            for unit in render(outbound, self.connector.capabilities)
        ]
        return results[-1]

    async def sends_file(self, user: str, content: bytes, **about: Any) -> SendResult:
        attachment = Attachment(id="f" * 22, size=len(content), **about)
        assert isinstance(self.house.files, MemoryFiles)
        self.house.files.contents[attachment.id] = content
        unit = Unit("01JABCDEFGHJKMNPQRSTVW-0", self.outbound(user, ""), attachment=attachment)
        return await self.connector.send(unit)


class Receiver:
    """A webhook that answers what the test says, and keeps what it was told.

    Attributes:
        answers: (status, body, headers) of the next answers; 200 when there are none left.
        gate: Cleared, it makes every call wait.
    """

    def __init__(self) -> None:
        self.updates: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.answers: list[tuple[int, str, dict[str, str]]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.url = ""
        self._news = asyncio.Event()

    def refuses(self, status: int, times: int = 1, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers += [(status, "", named)] * times

    async def take(self, request: web.Request) -> web.Response:
        self.headers.append(dict(request.headers))
        self.updates.append(json.loads(await request.read()))
        self._news.set()
        await self.gate.wait()
        status, body, headers = self.answers.pop(0) if self.answers else (200, "", {})
        return web.Response(status=status, text=body, headers=headers)

    @property
    def texts(self) -> list[str]:
        return [one["message"]["text"] for one in self.updates if "message" in one]

    async def until(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.updates) < count:
                self._news.clear()
                await self._news.wait()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def fake(clock: HandClock) -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram(clock) as running:
        yield running


@pytest.fixture
async def stand(fake: FakeTelegram, clock: HandClock) -> AsyncIterator[Stand]:
    async with a_house(clock, sleep=clock.sleep) as house:
        found = Stand(fake, clock, house)
        found.makes()
        yield found
        await found.connector.stop()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver()
    app = web.Application()
    app.router.add_post("/hook", found.take)
    async with TestServer(app) as server:
        found.url = str(server.make_url("/hook"))
        yield found
        found.gate.set()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def aiogram_bot(fake: FakeTelegram) -> AsyncIterator[Bot]:
    session = AiohttpSession(api=TelegramAPIServer.from_base(fake.url), timeout=2)
    yield Bot(fake.token, session=session)
    if session._session is not None:  # its own close() sleeps
        await session._session.close()


def an_application(fake: FakeTelegram) -> ApplicationBuilder[Any, Any, Any, Any, Any, Any]:
    """A shop's bot, pointed at the fake."""
    builder = Application.builder().token(fake.token)
    return builder.base_url(f"{fake.url}/bot").base_file_url(f"{fake.url}/file/bot")
