"""Customers with the chat page open: each a real visitor with a WebSocket of its own."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

from aiohttp import ClientSession, ClientWebSocketResponse, TCPConnector, WSMsgType

ANSWER_WITHIN_S = 15.0
MESSAGES_EACH = 6
"""About what a customer says; the server lets 30 through at once and then one a second."""
_OPENING_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one message; times on the monotonic clock, in seconds.

    Attributes:
        acked_at: When it was known to be stored.
        replied_at: When the first line of the answer was there.
        has_waited: The bot showed that it waits for more before it answered.
    """

    acked_at: float
    replied_at: float
    has_waited: bool


class Visitor:
    """One open page. One question at a time."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self._socket = socket
        self._asked = 0
        self.is_with_bot = True

    @property
    def has_more_to_say(self) -> bool:
        """Whether it may ask again: a handed-over customer waits for a person instead."""
        return self.is_with_bot and self._asked < MESSAGES_EACH

    async def ask(self, text: str) -> Answer:
        """Send a message and wait for the answer's first line.

        Raises:
            TimeoutError: None came.
            ConnectionError: The server closed, or refused the message.
        """
        self._asked += 1
        client_id = uuid4().hex
        async with asyncio.timeout(ANSWER_WITHIN_S):
            await self._socket.send_json({"type": "msg", "client_id": client_id, "text": text})
            acked_at, has_waited = 0.0, False
            while True:
                frame = await self._next()
                match frame["type"]:
                    case "ack" if frame["client_id"] == client_id:
                        acked_at = time.perf_counter()
                    case "typing" if frame["on"]:
                        has_waited = True
                    # lines before the acknowledgement belong to the answer before
                    case "msg" if acked_at and frame["author"] != "customer":
                        return Answer(acked_at, time.perf_counter(), has_waited)

    async def _next(self) -> dict[str, object]:
        message = await self._socket.receive()
        if message.type is not WSMsgType.TEXT:
            raise ConnectionError(f"the socket said {message.type.name} {message.data!r}")
        frame: dict[str, object] = message.json()
        if frame["type"] == "error":
            raise ConnectionError(f"the server refused: {frame['code']}")
        if frame["type"] == "state":
            self.is_with_bot = frame["state"] == "bot"
        return frame

    async def close(self) -> None:
        """Leave the page."""
        await self._socket.close()


class Pool:
    """Visitors who are ready to ask, and new ones when there are none."""

    def __init__(self, http: ClientSession, url: str) -> None:
        self._http = http
        self._url = url
        self._ready: deque[Visitor] = deque()
        self._opened: list[Visitor] = []
        self._opening = asyncio.Semaphore(_OPENING_AT_ONCE)

    async def take(self) -> Visitor:
        """A visitor who is not being answered; opened now if there is none ready."""
        return self._ready.popleft() if self._ready else await self._open()

    def give_back(self, visitor: Visitor) -> None:
        """The visitor was answered."""
        if visitor.has_more_to_say:
            self._ready.append(visitor)

    async def prepare(self, count: int) -> None:
        """Have so many ready."""
        self._ready.extend(await asyncio.gather(*(self._open() for _ in range(count))))

    async def close(self) -> None:
        """All leave."""
        await asyncio.gather(*(visitor.close() for visitor in self._opened))

    async def _open(self) -> Visitor:
        async with self._opening:
            async with self._http.post(f"{self._url}/widget/visitor", json={}) as answer:
                token = (await answer.json())["token"]
            socket = await self._http.ws_connect(
                f"{self._url}/widget/ws", params={"token": token, "last_seq": "0"}
            )
        hello = await socket.receive_json()
        assert hello["type"] == "hello", hello
        visitor = Visitor(socket)
        self._opened.append(visitor)
        return visitor


@asynccontextmanager
async def visitors(url: str, count: int) -> AsyncIterator[Pool]:
    """So many fresh visitors, connected, until the block ends; more come when they are needed."""
    async with ClientSession(connector=TCPConnector(limit=0)) as http:
        pool = Pool(http, url)
        await pool.prepare(count)
        try:
            yield pool
        finally:
            await pool.close()
