"""Honest visitors: twenty people who ask once a second, and what they wait for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from statistics import median
from typing import Any
from uuid import uuid4

from aiohttp import (
    ClientError,
    ClientSession,
    ClientTimeout,
    ClientWebSocketResponse,
    CookieJar,
    TCPConnector,
    WSMsgType,
)

from tests.attack.target import ADMIN_PASSWORD

VISITORS = 20
PATIENCE_S = 30.0
"""A customer who hears nothing for so long has not been answered."""
NEWCOMER_EVERY_S = 1.0
LOG_IN_EVERY_S = 3.0
QUESTIONS = ("可以用支付宝吗？", "你们几点下班？", "卡密怎么用？")
"""Each has an answer in the shipped knowledge base and in the small one."""

Frame = dict[str, Any]


@dataclass
class Tally:
    """What honest people met.

    Attributes:
        replies_s: From the moment at which a message was meant to be sent to its answer.
        newcomers_s: From a page's first request to the answer of its first question.
        log_ins_s: An agent's log-in.
        refused: What honest people were refused, in words; empty where nobody was.
        reconnects: Connections of theirs that the server ended.
    """

    replies_s: list[float] = field(default_factory=list)
    newcomers_s: list[float] = field(default_factory=list)
    log_ins_s: list[float] = field(default_factory=list)
    asked: int = 0
    refused: list[str] = field(default_factory=list)
    reconnects: int = 0

    @property
    def lost(self) -> int:
        """Messages that got no answer."""
        return self.asked - len(self.replies_s)

    def add(self, other: Tally) -> None:
        """Take another stretch of time into this one."""
        self.replies_s += other.replies_s
        self.newcomers_s += other.newcomers_s
        self.log_ins_s += other.log_ins_s
        self.asked += other.asked
        self.refused += other.refused
        self.reconnects += other.reconnects


def share(times_s: list[float], part: float) -> float:
    """The time within which this share was done, in seconds; NaN where nothing was."""
    ranked = sorted(times_s)
    return ranked[min(len(ranked) - 1, int(part * len(ranked)))] if ranked else float("nan")


def middle(times_s: list[float]) -> float:
    """The median in seconds; NaN where there is nothing."""
    return median(times_s) if times_s else float("nan")


class Visitor:
    """One open chat page with an address of its own; comes back when the line breaks."""

    def __init__(self, url: str, address: str) -> None:
        self._url = url
        connector = TCPConnector(local_addr=(address, 0))
        self._http = ClientSession(connector=connector, timeout=ClientTimeout(total=PATIENCE_S))
        self._socket: ClientWebSocketResponse | None = None
        self._token = ""
        self._seq = 0
        self.reconnects = 0

    async def open(self) -> None:
        """Open the page.

        Raises:
            ConnectionError: It was refused.
            TimeoutError: It never came.
        """
        async with asyncio.timeout(PATIENCE_S):
            async with self._http.post(
                f"{self._url}/widget/visitor", json={"token": self._token}
            ) as answer:
                if answer.status != 200:
                    raise ConnectionError(f"/widget/visitor said {answer.status}")
                self._token = (await answer.json())["token"]
            query = {"token": self._token, "last_seq": str(self._seq)}
            self._socket = await self._http.ws_connect(f"{self._url}/widget/ws", params=query)
            while (await self._next())["type"] != "hello":
                pass

    async def close(self) -> None:
        """Leave."""
        if self._socket is not None:
            # a server that is busy never says goodbye
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._socket.close()
        await self._http.close()

    async def ask(self, text: str) -> None:
        """Ask, and wait for the answer's first line.

        Raises:
            TimeoutError: None came.
            ConnectionError: The server refused the message.
        """
        client_id = uuid4().hex
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    await self._asks(client_id, text)
                except (ConnectionResetError, ClientError):
                    self.reconnects += 1
                    await self.open()
                else:
                    return

    async def _asks(self, client_id: str, text: str) -> None:
        assert self._socket is not None
        await self._socket.send_json({"type": "msg", "client_id": client_id, "text": text})
        mine = 0
        while True:
            frame = await self._next()
            match frame["type"]:
                case "ack" if frame["client_id"] == client_id:
                    mine = frame["seq"]
                case "error":
                    raise ConnectionError(f"a message was refused: {frame['code']}")
                # a line before the acknowledgement belongs to the answer before
                case "msg" if mine and frame["author"] != "customer" and frame["seq"] > mine:
                    return

    async def _next(self) -> Frame:
        assert self._socket is not None
        message = await self._socket.receive()
        if message.type is not WSMsgType.TEXT:
            raise ConnectionResetError(f"the socket closed with {self._socket.close_code}")
        frame: Frame = message.json()
        self._seq = max(self._seq, int(frame.get("seq") or 0))
        return frame


class Crowd:
    """The twenty, those who come anew, and an agent; each in a network of their own."""

    def __init__(self, url: str, visitors: list[Visitor], agent: ClientSession) -> None:
        self._url = url
        self._visitors = visitors
        self._agent = agent
        self._addresses = (f"127.{2 + number // 250}.{number % 250}.1" for number in count())
        self._rounds = 0

    async def chat(self, seconds: float, is_over: Callable[[], bool] = lambda: False) -> Tally:
        """Everybody asks once a second.

        Args:
            seconds: For so long.
            is_over: When to end before; everybody asks at least once.
        """
        tally = Tally()
        started = time.perf_counter()

        def ends() -> bool:
            return time.perf_counter() - started > seconds or is_over()

        async with asyncio.TaskGroup() as group:
            for number, visitor in enumerate(self._visitors):
                first = started + number / len(self._visitors)
                group.create_task(self._chats(visitor, first, int(seconds), tally, is_over))
            group.create_task(self._newcomers(tally, ends))
            group.create_task(self._logs_in(tally, ends))
        tally.reconnects = sum(visitor.reconnects for visitor in self._visitors)
        for visitor in self._visitors:
            visitor.reconnects = 0
        self._rounds += 1
        return tally

    async def _chats(
        self,
        visitor: Visitor,
        first: float,
        messages: int,
        tally: Tally,
        is_over: Callable[[], bool],
    ) -> None:
        """One visitor; a time counts from when the message was meant to be sent."""
        for number in range(messages):
            if number and is_over():
                return
            meant_at = first + number
            await asyncio.sleep(max(0.0, meant_at - time.perf_counter()))
            tally.asked += 1
            try:
                await visitor.ask(QUESTIONS[(number + self._rounds) % len(QUESTIONS)])
            except (TimeoutError, OSError, ClientError) as error:
                tally.refused.append(f"visitor: {type(error).__name__} {error}")
                with suppress(TimeoutError, OSError, ClientError):
                    await visitor.open()
            else:
                tally.replies_s.append(time.perf_counter() - meant_at)

    async def _newcomers(self, tally: Tally, is_over: Callable[[], bool]) -> None:
        """Somebody new opens the chat each second, and asks one thing."""
        async with asyncio.TaskGroup() as group:
            while not is_over():
                group.create_task(self._newcomer(tally))
                await asyncio.sleep(NEWCOMER_EVERY_S)

    async def _newcomer(self, tally: Tally) -> None:
        visitor = Visitor(self._url, next(self._addresses))
        started = time.perf_counter()
        try:
            await visitor.open()
            await visitor.ask(QUESTIONS[0])
        except (TimeoutError, OSError, ClientError) as error:
            tally.refused.append(f"newcomer: {type(error).__name__} {error}")
        else:
            tally.newcomers_s.append(time.perf_counter() - started)
        finally:
            await visitor.close()

    async def _logs_in(self, tally: Tally, is_over: Callable[[], bool]) -> None:
        """The agent logs in every few seconds, in a browser that was logged in before."""
        while not is_over():
            started = time.perf_counter()
            log_in = {"username": "admin", "password": ADMIN_PASSWORD}
            try:
                async with self._agent.post(f"{self._url}/api/v1/session", json=log_in) as answer:
                    if answer.status != 200:
                        tally.refused.append(f"agent: log-in said {answer.status}")
            except (TimeoutError, OSError, ClientError) as error:
                tally.refused.append(f"agent: {type(error).__name__} {error}")
            else:
                tally.log_ins_s.append(time.perf_counter() - started)
            await asyncio.sleep(LOG_IN_EVERY_S)


@asynccontextmanager
async def crowd(url: str, visitors: int = VISITORS) -> AsyncIterator[Crowd]:
    """So many honest visitors with their pages open, until the block ends."""
    async with AsyncExitStack() as stack:
        people = [Visitor(url, f"127.1.{number}.1") for number in range(visitors)]
        for person in people:
            stack.push_async_callback(person.close)
            await person.open()
            # the first question of all is dearer than any other
            await person.ask(QUESTIONS[0])
        # an address is no host's name: cookies of addresses are kept where one says so
        agent = ClientSession(
            connector=TCPConnector(local_addr=("127.250.0.1", 0)),
            timeout=ClientTimeout(total=PATIENCE_S),
            cookie_jar=CookieJar(unsafe=True),
        )
        yield Crowd(url, people, await stack.enter_async_context(agent))
