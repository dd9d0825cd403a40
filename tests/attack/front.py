"""The attacker's side: one address, connections from it, and a count of what came back."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from aiohttp import (
    ClientError,
    ClientSession,
    ClientTimeout,
    ClientWebSocketResponse,
    TCPConnector,
    WSMsgType,
    WSServerHandshakeError,
)

WAITS_S = 20.0
"""How long an attacker waits for one answer."""
_FAILURES = (TimeoutError, OSError, ClientError, asyncio.IncompleteReadError)


@dataclass
class Front:
    """One attack on its way.

    Attributes:
        source: The attacker's address.
        until: When it ends, on the monotonic clock.
        left: How many actions it may still take.
        came: What came back, counted: HTTP statuses, ``ws CODE`` for closed sockets,
            ``frame CODE`` for refusals inside a chat, ``reset`` and ``timeout``.
    """

    url: str
    source: str
    until: float
    left: int
    came: Counter[str] = field(default_factory=Counter)

    @property
    def address(self) -> tuple[str, int]:
        """The server's host and port."""
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        assert parts.port is not None
        return parts.hostname, parts.port

    @property
    def is_over(self) -> bool:
        """Tell whether the attack has had its time or its count."""
        return self.left <= 0 or time.monotonic() >= self.until

    def takes(self, actions: int = 1) -> bool:
        """Count actions; ``False`` where no more are allowed."""
        if self.is_over:
            return False
        self.left -= actions
        return True

    async def rests(self, seconds: float) -> None:
        """Wait, but no longer than the attack lasts."""
        await asyncio.sleep(max(0.0, min(seconds, self.until - time.monotonic())))

    @asynccontextmanager
    async def http(self) -> AsyncIterator[ClientSession]:
        """Requests from the attacker's address, any number at once."""
        connector = TCPConnector(local_addr=(self.source, 0), limit=0)
        timeout = ClientTimeout(total=WAITS_S)
        async with ClientSession(connector=connector, timeout=timeout) as session:
            yield session

    async def asks(self, http: ClientSession, method: str, path: str, **request: Any) -> int:
        """One request; its status, 0 where there was none."""
        try:
            async with http.request(method, f"{self.url}{path}", **request) as answer:
                await answer.read()
                self.came[str(answer.status)] += 1
                return answer.status
        except _FAILURES as error:
            self.failed(error)
            return 0

    async def token(self, http: ClientSession) -> str:
        """A new visitor's token; empty where none was given."""
        try:
            async with http.post(f"{self.url}/widget/visitor", json={}) as answer:
                self.came[f"visitor {answer.status}"] += 1
                return str((await answer.json())["token"]) if answer.status == 200 else ""
        except (*_FAILURES, ValueError) as error:
            self.failed(error)
            return ""

    async def chat(self, http: ClientSession, token: str, **query: str) -> Chat | None:
        """An open socket of the web chat, or ``None`` where it was refused."""
        url = f"{self.url}/widget/ws"
        try:
            socket = await http.ws_connect(url, params={"token": token, "last_seq": "0", **query})
        except WSServerHandshakeError as error:
            self.came[f"handshake {error.status}"] += 1
            return None
        except _FAILURES as error:
            self.failed(error)
            return None
        return Chat(self, socket)

    async def wire(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """A bare TCP connection, or ``None`` where it was refused."""
        host, port = self.address
        try:
            async with asyncio.timeout(WAITS_S):
                return await asyncio.open_connection(host, port, local_addr=(self.source, 0))
        except _FAILURES as error:
            self.failed(error)
            return None

    def failed(self, error: BaseException) -> None:
        """Count a request that got no answer."""
        self.came["timeout" if isinstance(error, TimeoutError) else "reset"] += 1

    async def each(self, workers: int, work: Callable[[int], Awaitable[None]]) -> None:
        """So many workers at once, each repeating its work until the attack is over."""

        async def keeps(number: int) -> None:
            while self.takes():
                await work(number)

        async with asyncio.TaskGroup() as group:
            for number in range(workers):
                group.create_task(keeps(number))


class Chat:
    """A socket of the web chat in an attacker's hand."""

    def __init__(self, front: Front, socket: ClientWebSocketResponse) -> None:
        self.socket = socket
        self._front = front
        self._reading = asyncio.create_task(self._reads())

    @property
    def is_open(self) -> bool:
        return not self.socket.closed and not self._reading.done()

    async def sends(self, raw: str | None = None, **frame: Any) -> bool:
        """A frame; ``False`` where the socket is closed."""
        if not self.is_open:
            return False
        try:
            async with asyncio.timeout(WAITS_S):
                await self.socket.send_str(raw if raw is not None else json.dumps(frame))
        except _FAILURES as error:
            self._front.failed(error)
            return False
        self._front.came["frames sent"] += 1
        return True

    async def says(self, text: str) -> bool:
        """A message; ``False`` where the socket is closed."""
        return await self.sends(type="msg", client_id=uuid4().hex, text=text)

    async def close(self) -> None:
        """Leave without a word."""
        self._reading.cancel()
        with suppress(asyncio.CancelledError, *_FAILURES):
            await self._reading
        with suppress(*_FAILURES):
            async with asyncio.timeout(1):
                await self.socket.close()

    async def _reads(self) -> None:
        async for message in self.socket:
            if message.type is WSMsgType.TEXT:
                frame = json.loads(message.data)
                if frame["type"] == "error":
                    self._front.came[f"frame {frame['code']}"] += 1
        self._front.came[f"ws {self.socket.close_code}"] += 1
