"""Channels under test: a house in memory for one connector, or a whole server beside fakes."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from bot.app.process.steady_clock import utc_now
from bot.app.server import Started, running
from bot.app.settings import Settings
from connectors.errors import MediaGone, NotStored
from connectors.kit.account import Account
from connectors.kit.host import Host
from connectors.kit.registry import account_model, make
from connectors.media.download import Downloads
from connectors.messages import (
    Attachment,
    ChannelRef,
    Checkpoint,
    Connector,
    Inbound,
    MessageId,
    Receipt,
)
from devkit.platform import FakePlatform
from tests.factories.database import database_of


class MemorySink:
    """Implements ``connectors.messages.Sink``: keeps each message once.

    Attributes:
        is_away: While it is set nothing can be stored.
        deliveries: How many messages were offered, repeats included.
    """

    def __init__(self) -> None:
        self.messages: list[Inbound] = []
        self.checkpoints: dict[tuple[ChannelRef, str], str] = {}
        self.is_away = False
        self.deliveries = 0
        self._news = asyncio.Event()

    async def accept(
        self, messages: Sequence[Inbound], checkpoint: Checkpoint | None = None
    ) -> tuple[Receipt, ...]:
        self.deliveries += len(messages)
        self._news.set()
        if self.is_away:
            raise NotStored("the database is away")
        receipts = []
        for message in messages:
            known = {(one.address.ref, one.dedup_key) for one in self.messages}
            is_new = (message.address.ref, message.dedup_key) not in known
            if is_new:
                self.messages.append(message)
            receipts.append(
                Receipt(message.dedup_key, MessageId("M" * 26), "C", len(self.messages), is_new)
            )
        if checkpoint is not None:
            self.checkpoints[checkpoint.ref, checkpoint.name] = checkpoint.value
        return tuple(receipts)

    async def get(self, ref: ChannelRef, name: str) -> str | None:
        """``connectors.kit.host.Checkpoints``."""
        return self.checkpoints.get((ref, name))

    async def until(self, count: int, timeout_s: float = 10.0) -> list[Inbound]:
        """Wait until so many different messages are kept; all of them."""
        async with asyncio.timeout(timeout_s):
            while len(self.messages) < count:
                self._news.clear()
                await self._news.wait()
        return self.messages


class MemoryLeases:
    """Implements ``connectors.kit.host.Leases``; ``is_taken`` plays another process."""

    def __init__(self) -> None:
        self.held: set[str] = set()
        self.is_taken = False

    async def hold(self, name: str, for_s: float) -> bool:
        assert for_s > 0
        if not self.is_taken:
            self.held.add(name)
        return not self.is_taken

    async def release(self, name: str) -> None:
        self.held.discard(name)


class MemoryFiles:
    """Implements ``connectors.kit.host.Files``."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}

    async def read(self, attachment: Attachment) -> bytes:
        try:
            return self.contents[attachment.id]
        except KeyError:
            raise MediaGone("expired") from None

    def link(self, attachment: Attachment) -> str | None:
        return f"https://kefu.example.com/widget/media/{attachment.id}?sig=test"


class House:
    """What a connector under test lives in."""

    def __init__(self, host: Host, sink: MemorySink, leases: MemoryLeases) -> None:
        self.host = host
        self.sink = sink
        self.leases = leases
        self.files = host.files
        self._sites: list[web.AppRunner] = []

    def connector(self, entry: dict[str, Any]) -> Connector:
        """The connector of an entry of channels.yaml."""
        return make(an_account(entry), self.host)

    async def serve(self, connector: Connector) -> str:
        """Put the connector's routes on a free port; the base URL."""
        application = web.Application(client_max_size=8 * 1024 * 1024)
        application.add_routes(connector.routes())
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        self._sites.append(runner)
        port = free_port()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        return f"http://127.0.0.1:{port}"

    async def close(self) -> None:
        for runner in self._sites:
            await runner.cleanup()


def an_account(entry: dict[str, Any]) -> Account:
    return account_model(entry["channel"]).model_validate(entry)


@asynccontextmanager
async def a_house(
    clock: Callable[[], datetime],
    *,
    public_url: str | None = None,
    sleep: Callable[[float], Awaitable[None]] | None = None,
) -> AsyncIterator[House]:
    """A house in memory.

    Args:
        sleep: ``None``: yields to others and returns at once.
    """

    async def no_sleep(_seconds: float) -> None:
        await asyncio.sleep(0)

    sink, leases, files = MemorySink(), MemoryLeases(), MemoryFiles()
    downloads = Downloads()
    timeout = aiohttp.ClientTimeout(total=5)
    async with aiohttp.ClientSession(
        timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        host = Host(
            sink=sink,
            clock=clock,
            wall=clock,
            http=session,
            downloads=downloads,
            files=files,
            leases=leases,
            checkpoints=sink,
            sleep=sleep or no_sleep,
            random=lambda: 0.0,
            public_url=public_url,
        )
        house = House(host, sink, leases)
        try:
            yield house
        finally:
            await house.close()
            await downloads.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def kefu_beside(
    platforms: Sequence[FakePlatform],
    data: Path,
    kb: Path,
    *,
    port: int = 0,
    kefu_url: str | None = None,
    clock: Callable[[], datetime] = utc_now,
    is_demo: bool = False,
    **settings: Any,
) -> AsyncIterator[Started]:
    """A whole server whose channels are these fakes, every one of them started and connected.

    The fakes' accounts are named ``main``; several of one channel need different names.

    Args:
        kefu_url: Where the platforms push to, if not straight to the server.
    """

    async def at_once(_seconds: float) -> None:
        """Channels' paces are not kept: they are of real seconds."""

    port = port or free_port()
    async with AsyncExitStack() as stack:
        for platform in platforms:
            if not platform.url:
                await stack.enter_async_context(platform)
        # JSON is YAML
        channels = data.parent / f"channels-{port}.yaml"
        channels.write_text(
            json.dumps({"channels": [platform.account() for platform in platforms]})
        )
        chosen = {
            "data_dir": data,
            "database_url": database_of(data),
            "kb": kb,
            "port": port,
            "channels": channels,
            "public_url": f"http://127.0.0.1:{port}",
            "fragment_wait_s": 0.05,
            **settings,
        }
        started = await stack.enter_async_context(
            running(Settings(**chosen, _env_file=None), is_demo=is_demo, clock=clock, sleep=at_once)
        )
        for platform in platforms:
            pushes_to = started.url if platform.is_by_socket else kefu_url
            await platform.connect(pushes_to or started.url)
        yield started
