"""The web chat by itself: real sockets, a shop in memory, and a clock that tests move."""

# ruff: noqa: ARG002 - fakes take what the protocols give them

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, web
from aiohttp.test_utils import TestServer

from connectors.errors import NotStored
from connectors.media.store import BadFile, MediaStore
from connectors.messages import (
    Address,
    Attachment,
    ChannelRef,
    Checkpoint,
    Inbound,
    MessageId,
    Outbound,
    Receipt,
)
from connectors.web.admission import Admission, WebLimits
from connectors.web.chat import Greeting, WebChat
from connectors.web.connector import WebConnector
from connectors.web.hub import ChatState, Hub
from connectors.web.routes import WebRoutes
from connectors.web.tokens import TokenSigner
from tests.factories.messaging import WEB
from tests.factories.shop import NOON

WITHIN_S = 10.0
HOME = "10.0.0.1"


class EmptyLog:
    """Implements ``connectors.web.hub.ChatLog``: nothing was said yet; counts who asks."""

    def __init__(self) -> None:
        self.reads = 0

    async def after(
        self, ref: ChannelRef, visitor_id: str, seq: int, limit: int
    ) -> Sequence[Outbound]:
        self.reads += 1
        return ()

    async def before(
        self, ref: ChannelRef, visitor_id: str, seq: int, limit: int
    ) -> Sequence[Outbound]:
        self.reads += 1
        return ()

    async def state(self, ref: ChannelRef, visitor_id: str) -> ChatState:
        self.reads += 1
        return ChatState()

    async def button_label(
        self, ref: ChannelRef, visitor_id: str, message_id: str, button: str
    ) -> str | None:
        self.reads += 1
        return None


class KeepingSink:
    """Implements ``connectors.messages.Sink``; keeps what it was given."""

    def __init__(self) -> None:
        self.messages: list[Inbound] = []
        self.is_full = False

    async def accept(
        self, messages: Sequence[Inbound], checkpoint: Checkpoint | None = None
    ) -> tuple[Receipt, ...]:
        if self.is_full:
            raise NotStored("full")
        self.messages += messages
        count = len(self.messages)
        return tuple(
            Receipt(one.dedup_key, MessageId(f"M{count}"), "C1", count, is_new=True)
            for one in messages
        )


class Chat:
    """The web chat on a port of its own.

    Attributes:
        now_s: The clock of its limits.
        typed: Who was shown as typing.
    """

    def __init__(self, media: Path, limits: WebLimits) -> None:
        self.now_s = 0.0
        self.log = EmptyLog()
        self.sink = KeepingSink()
        self.typed: list[Address] = []
        self.files: dict[str, Attachment] = {}
        self.wanted: list[tuple[str, tuple[str, ...], int]] = []
        self.refusal: str | None = None
        hub = Hub()
        self.chat = WebChat(
            connector=WebConnector(WEB, hub, self.log, lambda: NOON),
            hub=hub,
            chat_log=self.log,
            sink=self.sink,
            signer=TokenSigner(b"k" * 32),
            media=MediaStore(media),
            clock=lambda: NOON,
            greeting=lambda _locale: Greeting("星辰点卡", "", True, "您好", ()),
            attachment_of=self._attachment_of,
            make_room=self._make_room,
            add_attachment=self._add_attachment,
            on_typing=self._on_typing,
            origins=(),
            sources_of=_sources_of,
            admission=Admission(limits, now_s=lambda: self.now_s),
        )
        self.url = ""
        self.http: ClientSession | None = None

    async def _attachment_of(self, key: str, owner: str) -> Attachment | None:
        return self.files.get(key)

    async def _make_room(self, owner: str, sources: Sequence[str], size: int) -> None:
        self.wanted.append((owner, tuple(sources), size))
        if self.refusal is not None:
            raise BadFile(self.refusal)

    async def _add_attachment(
        self, attachment: Attachment, owner: str, sources: Sequence[str]
    ) -> None:
        if self.sink.is_full:
            raise NotStored("full")
        self.files[attachment.id] = attachment

    async def _on_typing(self, address: Address) -> None:
        self.typed.append(address)

    def token(self, visitor: str) -> str:
        return self.chat.signer.renew(visitor, WEB.account_id, NOON)[0]

    @asynccontextmanager
    async def page(self, visitor: str = "v1", source: str = HOME) -> AsyncIterator[OpenPage]:
        """An open page; raises ``WSServerHandshakeError`` where it is refused."""
        assert self.http is not None
        async with self.http.ws_connect(
            f"{self.url}/widget/ws",
            params={"token": self.token(visitor)},
            headers={"X-Source": source},
            autoping=False,
        ) as socket:
            page = OpenPage(socket)
            assert (await page.next())["type"] == "hello"
            yield page


class OpenPage:
    """A page that has said hello."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.socket = socket
        self._sent = 0

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(WITHIN_S):
            return dict(await self.socket.receive_json())

    async def says(self, text: str = "在吗") -> dict[str, Any]:
        """What comes of a message: its acknowledgement or an error."""
        self._sent += 1
        await self.socket.send_json(
            {"type": "msg", "client_id": f"c{id(self)}-{self._sent}", "text": text}
        )
        return await self.next()


def _sources_of(request: web.Request) -> tuple[str, ...]:
    source = request.headers.get("X-Source", HOME)
    return (f"ip:{source}", f"net:{source.rpartition('.')[0]}")


@asynccontextmanager
async def opened(media: Path, limits: WebLimits | None = None) -> AsyncIterator[Chat]:
    """A web chat with these limits, answering."""
    chat = Chat(media, limits or WebLimits())
    application = web.Application()
    application.add_routes(WebRoutes(chat.chat).routes())
    async with TestServer(application) as server, ClientSession() as http:
        chat.url = str(server.make_url("")).rstrip("/")
        chat.http = http
        yield chat


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Chat]:
    async with opened(tmp_path / "media") as started:
        yield started
