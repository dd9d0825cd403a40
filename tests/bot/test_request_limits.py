"""A source that asks for more than its share is served more slowly; nobody else is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import ClientSession, web

from bot.app.http.network import Network
from bot.app.http.request_limits import HOLD_S, HOOK_HOLD_S, RequestLimits
from connectors.kit.rate import Rate

BURST = 5
RATE = Rate(BURST, 1)


@dataclass
class Server:
    """A server with a pace; its clock moves by what is held."""

    url: str = ""
    now_s: float = 0.0
    held_s: list[float] = field(default_factory=list)

    async def hold(self, seconds: float) -> None:
        self.held_s.append(seconds)
        await asyncio.sleep(0)

    async def asks(self, path: str, source: str, times: int = 1) -> list[int]:
        """Ask one after the other; the answers' statuses."""
        async with ClientSession(headers={"X-Forwarded-For": source}) as http:
            statuses = []
            for _ in range(times):
                async with http.post(self.url + path) as answer:
                    statuses.append(answer.status)
            return statuses


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()

    async def right(_request: web.Request) -> web.Response:
        return web.Response()

    async def wrong(_request: web.Request) -> web.Response:
        raise web.HTTPUnauthorized

    application = web.Application()
    network = Network(b"k" * 32, trusted_proxies=1)
    limits = RequestLimits(network, rate=RATE, now_s=lambda: made.now_s, sleep=made.hold)
    limits.mount(application)
    application.add_routes(
        [web.post("/", right), web.post("/hooks/right", right), web.post("/hooks/wrong", wrong)]
    )
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


async def test_an_ordinary_burst_is_served_at_once(server: Server) -> None:
    assert await server.asks("/", "203.0.113.1", BURST) == [200] * BURST
    assert server.held_s == []


async def test_more_than_that_waits_for_its_turn_and_is_refused_at_last(server: Server) -> None:
    statuses = await server.asks("/", "203.0.113.1", BURST + 8)
    assert statuses == [200] * (BURST + int(HOLD_S)) + [429] * 3
    assert server.held_s == sorted(server.held_s)
    # a refusal is held as long as any: at once, it would be another flood
    assert server.held_s[-3:] == [HOLD_S] * 3


async def test_another_source_waits_for_nobody(server: Server) -> None:
    await server.asks("/", "203.0.113.1", BURST + 8)
    server.held_s.clear()
    assert await server.asks("/", "198.51.100.1", BURST) == [200] * BURST
    assert server.held_s == []


async def test_who_waits_long_enough_is_served_at_once_again(server: Server) -> None:
    await server.asks("/", "203.0.113.1", BURST + 8)
    server.held_s.clear()
    server.now_s += BURST + HOLD_S + 1
    assert await server.asks("/", "203.0.113.1") == [200]
    assert server.held_s == []


async def test_what_a_platform_signs_is_never_held(server: Server) -> None:
    assert await server.asks("/hooks/right", "203.0.113.1", 50) == [200] * 50
    assert server.held_s == []


async def test_a_forged_webhook_is_held_but_never_refused_by_the_pace(server: Server) -> None:
    assert await server.asks("/hooks/wrong", "203.0.113.1", 6) == [401] * 6
    assert server.held_s
    assert max(server.held_s) <= HOOK_HOLD_S
