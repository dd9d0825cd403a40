from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from connectors.errors import MediaGone, NotStored
from connectors.kit.host import Host
from connectors.media.download import Downloads
from connectors.messages import (
    Address,
    Attachment,
    ChannelRef,
    Checkpoint,
    Grant,
    Inbound,
    InboundKind,
    MessageId,
    Outbound,
    Receipt,
    Unit,
)
from connectors.wecom.account import WecomAccount
from connectors.wecom.connector import WecomConnector
from devkit.wecom import FakeWeComKF

REF = ChannelRef("wecom", "main")


class HandClock:
    """A clock that stands until it is moved; who sleeps by it wakes when it has come so far."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
        self.slept: list[float] = []
        self.on_sleep: Callable[[], None] = lambda: None
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
        self.on_sleep()
        # a breath between two tries is not what a test waits for
        if seconds > 2:
            woken = asyncio.Event()
            self._sleepers.append((self.now + timedelta(seconds=seconds), woken))
            await woken.wait()
        await asyncio.sleep(0)


class MemorySink:
    """Keeps each message once, and the place after it; away while ``is_down``."""

    def __init__(self) -> None:
        self.stored: dict[str, Inbound] = {}
        self.checkpoints: dict[str, str] = {}
        self.batches: list[int] = []
        self.is_down = False
        self.tries = 0
        self.on_accept: Callable[[], None] = lambda: None

    async def accept(
        self, messages: Sequence[Inbound], checkpoint: Checkpoint | None = None
    ) -> tuple[Receipt, ...]:
        self.tries += 1
        self.on_accept()
        if self.is_down:
            raise NotStored("the database is away")
        self.batches.append(len(messages))
        for message in messages:
            self.stored.setdefault(message.dedup_key, message)
        if checkpoint is not None:
            self.checkpoints[checkpoint.name] = checkpoint.value
        self.on_accept()
        return ()

    async def get(self, ref: ChannelRef, name: str) -> str | None:
        assert ref == REF
        return self.checkpoints.get(name)

    @property
    def texts(self) -> list[str]:
        kinds = {InboundKind.MESSAGE, InboundKind.BUTTON}
        return [one.text for one in self.stored.values() if one.kind in kinds]

    def of_kind(self, kind: InboundKind) -> list[Inbound]:
        return [one for one in self.stored.values() if one.kind is kind]


class OneLease:
    """One process; another has it while ``is_taken``."""

    def __init__(self) -> None:
        self.is_taken = False

    async def hold(self, name: str, for_s: float) -> bool:
        assert name == "wecom:main"
        assert for_s > 0
        return not self.is_taken

    async def release(self, name: str) -> None:
        assert name == "wecom:main"


class MemoryFiles:
    """Files to send, by id."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}

    async def read(self, attachment: Attachment) -> bytes:
        if attachment.id not in self.contents:
            raise MediaGone("expired")
        return self.contents[attachment.id]

    def link(self, attachment: Attachment) -> str | None:
        return f"https://kefu.example.com/{attachment.id}"


class Stand:
    """A connector, its fake platform and what is around them."""

    def __init__(self, fake: FakeWeComKF, clock: HandClock, http: aiohttp.ClientSession) -> None:
        self.fake = fake
        self.clock = clock
        self.sink = MemorySink()
        self.sink.on_accept = fake.changed
        clock.on_sleep = fake.changed
        self.lease = OneLease()
        self.files = MemoryFiles()
        self.host = Host(
            sink=self.sink,
            clock=clock,
            wall=clock,
            http=http,
            downloads=Downloads(),
            files=self.files,
            leases=self.lease,
            checkpoints=self.sink,
            sleep=clock.sleep,
            random=lambda: 0.5,
            public_url="https://kefu.example.com",
        )
        self.connector = self.a_connector()
        self._server: TestServer | None = None
        self._numbers = iter(range(1000))

    def a_connector(self, **settings: Any) -> WecomConnector:
        account = WecomAccount.model_validate({**self.fake.account(), **settings})
        return WecomConnector(account, self.host)

    async def serve(self) -> None:
        """Take notices, as the running service does, and read."""
        app = web.Application()
        app.add_routes(self.connector.routes())
        self._server = TestServer(app)
        await self._server.start_server()
        await self.fake.connect(str(self._server.make_url("")).rstrip("/"))
        await self.connector.start()
        await self.until(lambda: 180.0 in self.clock.slept)

    async def close(self) -> None:
        await self.connector.stop()
        await self.host.downloads.close()
        if self._server is not None:
            await self._server.close()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so; looked at when anything is stored, asked or slept for."""
        await self.fake.until(is_so)

    async def until_stored(self, *texts: str) -> None:
        await self.until(lambda: set(texts) <= set(self.sink.texts))

    def unit(self, user: str, text: str = "您好", **more: Any) -> Unit:
        customer = self.fake.external_userid(user)
        number = next(self._numbers)
        outbound = Outbound(
            outbox_id=f"01JABCDEFGHJKMNPQRSTVW{number:04d}",
            address=Address(REF, customer, customer),
            message_id=MessageId("01JABCDEFGHJKMNPQRSTVWXYZ0"),
            seq=1,
            text=text,
            author="bot",
            at=self.clock(),
        )
        return Unit(f"{outbound.outbox_id}-0", outbound, text=text, **more)

    async def sends(self, user: str, text: str = "您好", **more: Any) -> None:
        await self.connector.send(self.unit(user, text, **more))

    def seen(self, user: str) -> list[str]:
        return [one.text for one in self.fake.shown(user)]


def a_grant(**data: Any) -> Grant:
    return Grant(data, 1)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def fake(clock: HandClock) -> AsyncIterator[FakeWeComKF]:
    async with FakeWeComKF(clock) as running:
        yield running


@pytest.fixture
async def stand(fake: FakeWeComKF, clock: HandClock) -> AsyncIterator[Stand]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        stand = Stand(fake, clock, http)
        yield stand
        await stand.close()
