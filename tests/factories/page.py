"""A customer's open chat page, as the server sees it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

Frame = dict[str, Any]
WITHIN_S = 10.0


class Page:
    """One WebSocket; keeps every frame that came."""

    def __init__(self, socket: ClientWebSocketResponse, token: str, visitor_id: str) -> None:
        self.socket = socket
        self.token = token
        self.visitor_id = visitor_id
        self.frames: list[Frame] = []

    async def send(self, **frame: Any) -> None:
        await self.socket.send_json(frame)

    async def says(self, text: str, client_id: str | None = None, **more: Any) -> str:
        """Send a message, not waiting for anything; its client_id."""
        client_id = client_id or uuid4().hex
        await self.send(type="msg", client_id=client_id, text=text, **more)
        return client_id

    async def asks(self, text: str, **more: Any) -> str:
        """Send a message and read the answer's first line."""
        client_id = await self.says(text, **more)
        ack = await self.until(lambda frame: frame.get("client_id") == client_id)
        assert ack["type"] == "ack", ack
        answer = await self.until(
            lambda frame: frame["type"] == "msg" and frame["author"] != "customer"
        )
        return str(answer["text"])

    async def until(self, matches: Callable[[Frame], bool], within_s: float = WITHIN_S) -> Frame:
        """The next frame that matches; those before it are kept in ``frames``."""
        async with asyncio.timeout(within_s):
            while True:
                message = await self.socket.receive()
                assert message.type is WSMsgType.TEXT, (message, self.socket.close_code)
                frame: Frame = message.json()
                self.frames.append(frame)
                if matches(frame):
                    return frame

    async def of_type(self, kind: str) -> Frame:
        return await self.until(lambda frame: frame["type"] == kind)

    async def closed(self) -> int | None:
        """Read to the end; the code that the server closed with."""
        async with asyncio.timeout(WITHIN_S):
            async for message in self.socket:
                self.frames.append(message.json())
        return self.socket.close_code


async def new_token(http: ClientSession, url: str, token: str | None = None) -> tuple[str, str]:
    """A visitor's token and id; a valid old token keeps the visitor."""
    async with http.post(f"{url}/widget/visitor", json={"token": token or ""}) as answer:
        assert answer.status == 200
        body = await answer.json()
        return body["token"], body["visitor_id"]


@asynccontextmanager
async def opened_page(
    url: str, *, token: str | None = None, last_seq: int = 0
) -> AsyncIterator[Page]:
    """A page that has said hello; a new visitor's unless it has a token."""
    async with ClientSession() as http:
        token, visitor_id = await new_token(http, url, token)
        query = {"token": token, "last_seq": str(last_seq)}
        async with http.ws_connect(f"{url}/widget/ws", params=query) as socket:
            page = Page(socket, token, visitor_id)
            await page.of_type("hello")
            yield page
