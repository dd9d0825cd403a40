"""The live list's WebSocket: from the feed to one browser."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress

import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from connectors.kit.rate import Rate
from handoff.console.api.errors import ApiError
from handoff.console.api.frames import LiveFrame
from handoff.console.api.routing import Call, Route
from handoff.console.api.security import Security
from handoff.console.live import Listener, LiveFeed
from handoff.console.models import LiveQuery
from handoff.desk.presence import Presence

log = structlog.get_logger(__name__)

LOGGED_OUT = 4401
MAX_FRAME_BYTES = 4_096
HEARTBEAT_S = 20.0
FRAMES = Rate(burst=60, per_s=10)
_LOGGED_OUT_FRAME = '{"type":"logged_out"}'


class LiveApi:
    """Serves ``/live``."""

    def __init__(self, feed: LiveFeed, security: Security, presence: Presence) -> None:
        self._feed = feed
        self._security = security
        self._presence = presence

    def routes(self) -> list[Route]:
        """The routes of this noun."""
        return [
            Route(
                "GET",
                "/live",
                self.live,
                "Follow what changes, from a cursor on",
                # a browser cannot read a 401 to its WebSocket: it is told in a frame
                needs=None,
                query=LiveQuery,
                answer=LiveFrame,
                status=101,
                errors=(403, 422),
            )
        ]

    async def live(self, call: Call) -> web.StreamResponse:
        """Hold a connection until either side ends it."""
        request = call.request
        if not self._security.is_same_origin(request):
            raise ApiError(403, "wrong_origin", "请从本站的页面操作")
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=MAX_FRAME_BYTES)
        if not socket.can_prepare(request):
            raise ApiError(422, "invalid", "这个地址只接受 WebSocket 连接")
        login = await self._security.login_of(request)
        await socket.prepare(request)
        if login is None:
            await _say_logged_out(socket)
            return socket
        listener = Listener(login.agent, login.session.token_hash)
        self._presence.connected(login.agent.id, login.agent.name)
        try:
            await self._feed.join(listener, call.query(LiveQuery).cursor)
            await _serve(socket, listener)
        finally:
            self._feed.leave(listener)
            self._presence.disconnected(login.agent.id)
        return socket


async def _serve(socket: web.WebSocketResponse, listener: Listener) -> None:
    """Send and receive side by side; whichever ends first ends the other."""
    async with asyncio.TaskGroup() as both:
        sides = {
            both.create_task(_send(socket, listener)),
            both.create_task(_receive(socket, listener)),
        }
        await asyncio.wait(sides, return_when=asyncio.FIRST_COMPLETED)
        for side in sides:
            side.cancel()
    if listener.is_logged_out:
        await _say_logged_out(socket)
    elif not socket.closed:
        await socket.close(code=WSCloseCode.TRY_AGAIN_LATER)


async def _send(socket: web.WebSocketResponse, listener: Listener) -> None:
    with suppress(ConnectionError):  # the browser went away: the receiver sees it as well
        while (frame := await listener.frames.get()) is not None:
            await socket.send_str(frame)


async def _receive(socket: web.WebSocketResponse, listener: Listener) -> None:
    loop = asyncio.get_running_loop()
    frames = FRAMES.bucket(loop.time())
    async for message in socket:
        if not frames.take(loop.time()):
            log.warning("live_socket_floods", agent_id=listener.agent.id)
            return
        if message.type is WSMsgType.TEXT and _is_ping(message.data):
            listener.send('{"type":"pong"}')


def _is_ping(text: str) -> bool:
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(frame, dict) and frame.get("type") == "ping"


async def _say_logged_out(socket: web.WebSocketResponse) -> None:
    with suppress(ConnectionError):
        await socket.send_str(_LOGGED_OUT_FRAME)
    await socket.close(code=LOGGED_OUT, message=b"logged out")
