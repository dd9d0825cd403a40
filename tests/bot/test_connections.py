"""Connections that dawdle are closed; those that are many, too; those that work are left alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from socket import create_server

import pytest
from aiohttp import ClientSession, web

from bot.app.http.connections import AWAY_S, Connections, Deadlines, Site
from bot.app.http.middleware import Rim
from bot.app.http.network import Network

DEADLINES = Deadlines()
HEAD = b"GET / HTTP/1.1\r\nHost: a\r\n"
BODY_HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"
LARGE = 32 * 1024 * 1024


@dataclass
class Server:
    """A server that echoes how much it read, and a clock that the test moves."""

    port: int = 0
    now_s: float = 0.0
    began: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    connections: Connections = field(init=False)
    streams: list[asyncio.StreamWriter] = field(default_factory=list)

    async def connect(
        self, first: bytes = b""
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1024)
        self.streams.append(writer)
        if first:
            writer.write(first)
            await writer.drain()
        await self.settle()
        return reader, writer

    async def settle(self) -> None:
        """Let what is on its way on this machine arrive."""
        for _ in range(20):
            await asyncio.sleep(0.002)  # a socket has no other way to tell

    def leave(self) -> None:
        """Close what was connected."""
        for writer in self.streams:
            writer.close()

    async def after(self, seconds: float, *, late: int) -> None:
        """Let time pass, and sweep: so many are late, once all that was sent has arrived."""
        await self.settle()
        self.now_s += seconds
        swept = self.connections.sweep()
        async with asyncio.timeout(5):
            while swept < late:
                await self.settle()
                swept += self.connections.sweep()
        assert swept == late


async def is_closed(reader: asyncio.StreamReader) -> bool:
    async with asyncio.timeout(5):
        try:
            return await reader.read(64) == b""
        except ConnectionError:
            return True


async def answered(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(5):
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split()[0])
        return await reader.readexactly(length)


async def started(server: Server, stack: AsyncExitStack, **limits: int) -> Server:
    server.connections = Connections(monotonic=lambda: server.now_s, **limits)  # type: ignore[arg-type]

    async def read(request: web.Request) -> web.StreamResponse:
        server.began.release()
        return web.Response(text=str(len(await request.read())))

    async def large(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"x" * LARGE)

    async def socket(request: web.Request) -> web.StreamResponse:
        wire = web.WebSocketResponse()
        await wire.prepare(request)
        async for frame in wire:
            await wire.send_str(str(frame.data))
        return wire

    app = web.Application(client_max_size=2**30)
    Rim(Network(b"k" * 32), server.connections, None).mount(app)
    app.add_routes([web.route("*", "/", read), web.get("/large", large), web.get("/ws", socket)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    stack.callback(server.leave)
    listener = create_server(("127.0.0.1", 0))
    server.port = listener.getsockname()[1]
    await Site(runner, listener, server.connections).start()
    return server


@pytest.fixture
async def runners() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
async def server(runners: AsyncExitStack) -> Server:
    return await started(Server(), runners)


async def test_a_head_that_does_not_come_is_not_waited_for(server: Server) -> None:
    silent, _ = await server.connect()
    dripping, writer = await server.connect(HEAD)
    await server.after(DEADLINES.head_s - 1, late=0)
    writer.write(b"X-One-More: header\r\n")
    await server.after(1, late=2)
    assert await is_closed(silent)
    assert await is_closed(dripping)
    assert len(server.connections) == 0


async def test_a_body_that_drips_is_not_waited_for(server: Server) -> None:
    reader, writer = await server.connect(BODY_HEAD)
    await server.began.acquire()
    for _ in range(int(DEADLINES.body_s) - 1):
        writer.write(b"x")
        await server.after(1, late=0)
    await server.after(2, late=1)
    assert await is_closed(reader)


async def test_a_slow_but_steady_upload_is_let_through(server: Server) -> None:
    """1 MB at 40 KB/s, as on a bad mobile network."""
    reader, writer = await server.connect(BODY_HEAD)
    for _ in range(25):
        writer.write(b"x" * 40_000)
        await writer.drain()
        await server.after(1, late=0)
    assert await answered(reader) == b"1000000"


async def test_a_connection_may_idle_between_requests_and_then_not_drip(server: Server) -> None:
    reader, writer = await server.connect(HEAD + b"\r\n")
    assert await answered(reader) == b"0"
    await server.after(DEADLINES.idle_s - 1, late=0)
    writer.write(HEAD)
    await server.after(DEADLINES.head_s - 1, late=0)
    writer.write(b"\r\n")
    assert await answered(reader) == b"0"
    writer.write(b"G")
    await server.after(DEADLINES.head_s, late=1)
    assert await is_closed(reader)


async def test_an_answer_that_nobody_reads_is_given_up(server: Server) -> None:
    await server.connect(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
    await server.after(DEADLINES.unread_s - 1, late=0)
    await server.after(1, late=1)
    await server.settle()
    assert len(server.connections) == 0


async def test_a_quiet_websocket_lives_as_long_as_it_likes(server: Server) -> None:
    async with (
        ClientSession() as http,
        http.ws_connect(f"http://127.0.0.1:{server.port}/ws") as wire,
    ):
        for _ in range(3):
            await server.after(1_000, late=0)
            await wire.send_str("still here")
            assert await wire.receive_str() == "still here"


async def test_one_source_cannot_have_all_connections(runners: AsyncExitStack) -> None:
    server = await started(Server(), runners, of_one=3)
    held = [await server.connect() for _ in range(3)]
    refused, _ = await server.connect(HEAD + b"\r\n")
    held[0][1].close()
    await server.settle()
    reader, _ = await server.connect(HEAD + b"\r\n")
    assert await answered(reader) == b"0"
    await server.after(AWAY_S, late=0)
    assert await is_closed(refused)


async def test_one_too_many_is_left_unread_for_a_while_and_bounded(
    runners: AsyncExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.app.http.connections.AWAY_OF_ONE", 2)
    server = await started(Server(), runners, of_one=1)
    await server.connect()
    left = [(await server.connect(HEAD + b"\r\n"))[0] for _ in range(2)]
    past_all, _ = await server.connect()
    assert await is_closed(past_all)
    assert not any(reader.at_eof() for reader in left)
    await server.after(AWAY_S - 1, late=0)
    assert not any(reader.at_eof() for reader in left)
    await server.after(1, late=0)
    assert [await is_closed(reader) for reader in left] == [True, True]


async def test_at_the_limit_the_longest_idle_one_makes_room(runners: AsyncExitStack) -> None:
    server = await started(Server(), runners, at_most=3)
    busy, busy_writer = await server.connect(BODY_HEAD)
    await server.began.acquire()
    oldest, _ = await server.connect()
    server.now_s += 1
    await server.connect(HEAD)
    server.now_s += 1
    reader, _ = await server.connect(HEAD + b"\r\n")

    assert await answered(reader) == b"0"
    assert await is_closed(oldest)
    busy_writer.write(b"x" * 1_000_000)
    assert await answered(busy) == b"1000000"


async def test_where_all_are_at_work_a_new_one_is_refused(runners: AsyncExitStack) -> None:
    server = await started(Server(), runners, at_most=2)
    for _ in range(2):
        await server.connect(BODY_HEAD)
        await server.began.acquire()
    refused, _ = await server.connect(HEAD + b"\r\n")
    assert await is_closed(refused)
