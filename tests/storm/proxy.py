"""A proxy that lets later requests overtake: what the open internet does to webhooks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

DELAY_S = 0.15
_HOP = frozenset({"host", "content-length", "transfer-encoding", "connection", "keep-alive"})


class OvertakingProxy:
    """Forwards to kefu; a request that is chosen is held back while others pass."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._slow = 0
        self.target = ""
        self.url = ""

    def slow_next(self) -> None:
        """Hold the next request back."""
        self._slow += 1

    async def forward(self, request: web.Request) -> web.Response:
        """Pass one request on, and its answer back."""
        body = await request.read()
        if self._slow > 0:
            self._slow -= 1
            await asyncio.sleep(DELAY_S)
        headers = {key: value for key, value in request.headers.items() if key.lower() not in _HOP}
        async with self._session.request(
            request.method, f"{self.target}{request.path_qs}", data=body, headers=headers
        ) as answer:
            return web.Response(
                status=answer.status,
                body=await answer.read(),
                content_type=answer.content_type,
            )


@asynccontextmanager
async def overtaking_proxy(port: int) -> AsyncIterator[OvertakingProxy]:
    """A proxy on this port."""
    async with aiohttp.ClientSession() as session:
        proxy = OvertakingProxy(session)
        application = web.Application(client_max_size=8 * 1024 * 1024)
        application.router.add_route("*", "/{path:.*}", proxy.forward)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        proxy.url = f"http://127.0.0.1:{port}"
        try:
            yield proxy
        finally:
            await runner.cleanup()
