"""A OneBot implementation's WebSocket: it dials kefu, or waits for kefu to dial."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import aiohttp
from aiohttp import ClientWebSocketResponse, WSMsgType, web

from devkit.onebot.profiles import Profile

Wire = ClientWebSocketResponse | web.WebSocketResponse


class Wires:
    """The open connection, dialled again whenever it ends.

    Args:
        on_frame: Told of each action that comes in.
        on_open: Told when a connection is there.
    """

    def __init__(
        self,
        profile: Profile,
        self_id: str,
        token: str,
        *,
        on_frame: Callable[[Mapping[str, Any]], Coroutine[Any, Any, None]],
        on_open: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        self._profile = profile
        self._self_id = self_id
        self._token = token
        self._on_frame = on_frame
        self._on_open = on_open
        self._session: aiohttp.ClientSession | None = None
        self._dialling: asyncio.Task[None] | None = None
        self._actions: set[asyncio.Task[None]] = set()
        self.wire: Wire | None = None
        self.opened = 0
        self.refused: list[int] = []
        self.close_codes: list[int | None] = []
        self.is_dialling = True

    def headers(self) -> dict[str, str]:
        """Of the handshake."""
        made = {"X-Self-ID": self._self_id, "User-Agent": self._profile.agent}
        if self._profile.role is not None:
            made["X-Client-Role"] = self._profile.role
        if self._token or self._profile.sends_empty_bearer:
            made["Authorization"] = f"Bearer {self._token}"
        return made

    async def dial(self, url: str) -> None:
        """Keep a connection to kefu; returns when the first is there, or was refused."""
        await self._hang_up()
        self._session = aiohttp.ClientSession()
        self.is_dialling = True
        first = asyncio.Event()
        self._dialling = asyncio.create_task(self._keep(url, first))
        await first.wait()

    async def _keep(self, url: str, first: asyncio.Event) -> None:
        assert self._session is not None
        while self.is_dialling:
            try:
                async with self._session.ws_connect(
                    url, headers=self.headers(), max_msg_size=0
                ) as wire:
                    await self.serve(wire, first)
            except aiohttp.WSServerHandshakeError as error:
                self.refused.append(error.status)
                first.set()
                return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)  # real ones wait five seconds

    async def serve(self, wire: Wire, first: asyncio.Event | None = None) -> None:
        """Use a connection until it ends."""
        self.wire = wire
        self.opened += 1
        await self._on_open()
        if first is not None:
            first.set()
        async for message in wire:
            if message.type is not WSMsgType.TEXT:
                break
            task = asyncio.create_task(self._on_frame(json.loads(message.data)))
            self._actions.add(task)
            task.add_done_callback(self._actions.discard)
        self.close_codes.append(wire.close_code)
        if self.wire is wire:
            self.wire = None

    async def push(self, frame: Mapping[str, Any] | str) -> bool:
        """Send a frame; ``False`` while nothing is connected: nobody will send it again."""
        wire = self.wire
        if wire is None or wire.closed:
            return False
        raw = frame if isinstance(frame, str) else json.dumps(frame, ensure_ascii=False)
        try:
            await wire.send_str(raw)
        except (ConnectionError, RuntimeError):
            return False
        return True

    async def cut(self) -> None:
        """The connection breaks."""
        wire, self.wire = self.wire, None
        if wire is not None:
            await wire.close(code=1001)

    async def close(self) -> None:
        """No more connections."""
        await self._hang_up()

    async def _hang_up(self) -> None:
        self.is_dialling = False
        await self.cut()
        for task in (*self._actions, *([self._dialling] if self._dialling else [])):
            task.cancel()
        if self._dialling is not None:
            await asyncio.gather(self._dialling, *self._actions, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
