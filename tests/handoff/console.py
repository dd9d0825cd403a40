"""A console's server on a real port with a real database, and the browsers that use it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import ClientSession, ClientWebSocketResponse, CookieJar, WSMsgType, web
from aiohttp.test_utils import TestServer

from bot.inbox.accept import Intake
from bot.sealing.finder import find_secrets
from connectors.delivery.sender import NO_WINDOW
from connectors.kit.registry import TITLES
from connectors.media.store import MediaStore
from connectors.messages import Address, HealthState, Inbound, MessageId
from handoff.auth.agents import Agent, Role
from handoff.console.api.application import ConsoleApi
from handoff.console.api.frames import LiveFrame
from handoff.console.models import ChannelOut, KbStatus, StatusOut
from handoff.desk.desk import Desk
from handoff.errors import PanelUnavailable, StorageUnavailable
from handoff.machine.events import HandoffRequested, Reason
from handoff.model.conversation import Conversation
from handoff.model.transcript import Message
from storage.storage import Storage
from storage.unit_of_work import UnitOfWork
from tests.factories.handoff import (
    NOON,
    PASSWORD,
    ManualClock,
    an_agent,
    customer_writes,
    the_password_hash,
)

T = TypeVar("T")
MAX_FILE_BYTES = 1024 * 1024


class HeardTyping:
    """Notes who was shown as typing."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []

    async def typing(self, address: Address, author: str, *, is_on: bool) -> None:
        if is_on:
            self.heard.append((address.user_id, author))


class ShopPanel:
    """A shop's panel with one proved order, or one that does not answer."""

    is_down = False

    async def panel(self, identity: str) -> Mapping[str, Any]:
        if self.is_down:
            raise PanelUnavailable("the shop does not answer")
        proof = {
            "order_number": "DD-1",
            "factor": "query_password",
            "factor_text": "查询密码",
            "proved_at": "2026-11-23T03:00:00.000Z",
        }
        order = {
            "number": "DD-1",
            "product": "星辰月卡",
            "state_text": "已发货",
            "payment_state": "paid",
            "fulfilment_state": "delivered",
            "amount_fen": 3_000,
            "created_at": "2026-11-23T02:00:00.000Z",
            "paid_at": None,
            "delivered_at": None,
            "contact_mask": identity[:3] + "••",
            "proved": True,
            "cards": [
                {
                    "mask": "ST••••HT",
                    "stock_state_text": "已售出",
                    "redemption_text": "未使用",
                    "checked_at": None,
                }
            ],
            "refunds": [],
        }
        return {"proofs": [proof], "orders": [order]}


def a_channel(channel: str = "telegram", account: str = "main", **more: Any) -> ChannelOut:
    """An account that is well and sends pictures."""
    values: dict[str, Any] = {
        "channel_title": TITLES[channel],
        "state": HealthState.UP,
        "sends": ["image"],
        "has_budget": False,
        "figures": [],
    }
    return ChannelOut(channel=channel, account=account, **{**values, **more})


class BreakableDatabase:
    """A database whose disk can be full."""

    def __init__(self, database: Storage) -> None:
        self._database = database
        self.is_full = False

    async def write(self, unit: Callable[[UnitOfWork], T]) -> T:
        if self.is_full:
            raise StorageUnavailable("database or disk is full")
        return await self._database.write(unit)

    async def read(self, unit: Callable[[UnitOfWork], T]) -> T:
        return await self._database.read(unit)


class Shop:
    """The server under test and what surrounds it."""

    def __init__(
        self, database: Storage, desk: Desk, clock: ManualClock, media_folder: Path
    ) -> None:
        self.database = database
        self.desk = desk
        self.clock = clock
        self.typing = HeardTyping()
        self.panel = ShopPanel()
        self.channels = [a_channel("web", "shop")]
        self.disk = BreakableDatabase(database)
        self.media = MediaStore(media_folder)
        self.api = ConsoleApi(
            self.disk,
            desk=desk,
            clock=clock,
            media=self.media,
            panel=self.panel,
            typing=self.typing,
            status=lambda: StatusOut(
                kb=KbStatus(ok=True, loaded_at=NOON, intents=50, phrases=400),
                connectors=[],
                version="0.1.0",
            ),
            channels=lambda: self.channels,
            find_secrets=_find_secrets,
            version="0.1.0",
            sources_of=self.sources_of,
            device_key=b"d" * 32,
            live_poll_s=0.05,
            session_check_s=0.05,
            left_check_s=0.05,
            max_file_bytes=MAX_FILE_BYTES,
        )
        self.port = 0
        self._stack = AsyncExitStack()

    def sources_of(self, request: web.Request) -> tuple[str, str]:
        """As the test says who asks, the address and the network around it."""
        address = request.headers.get("X-Test-Address", "192.0.2.1")
        return address, address.rpartition(".")[0]

    async def open(self) -> None:
        app = web.Application()
        app.add_subapp("/api/v1", self.api.application())
        server = TestServer(app)
        await server.start_server()
        self._stack.push_async_callback(server.close)
        assert server.port is not None
        self.port = server.port

    async def close(self) -> None:
        await self._stack.aclose()

    async def hires(self, username: str, role: Role = Role.AGENT, name: str = "") -> Agent:
        agent = an_agent(username, role, name)
        await self.database.write(lambda work: work.agents.add(agent, the_password_hash()))
        return agent

    async def browser(self) -> Browser:
        session = ClientSession(f"http://127.0.0.1:{self.port}", cookie_jar=CookieJar(unsafe=True))
        await self._stack.enter_async_context(session)
        return Browser(self, session)

    async def logged_in(
        self, username: str, role: Role = Role.AGENT, name: str = ""
    ) -> tuple[Browser, Agent]:
        agent = await self.hires(username, role, name)
        browser = await self.browser()
        answer = await browser.post("/session", username=username, password=PASSWORD)
        browser.csrf = answer["csrf_token"]
        return browser, agent

    async def customer_does(self, *messages: Inbound) -> str:
        """Take in what a connector would give; the conversation, if it was words."""
        intake = Intake(
            self.database,
            desk=self.desk,
            find_secrets=find_secrets,
            on_stored=lambda _stored: None,
        )
        receipts = await intake.accept(messages)
        self.api.feed.wake()
        return receipts[-1].conversation_id if receipts else ""

    async def deliver(self, message_id: str) -> None:
        """Send what is due, as delivery would: with the window's leave, or it waits for one."""
        now = self.clock.advance(minutes=10)

        def unit(work: UnitOfWork) -> None:
            due = {one.outbound.message_id: one for one in work.outbox.claim(now, 50)}
            key = due.pop(MessageId(message_id)).outbound.outbox_id
            gone = [one.outbound.outbox_id for one in due.values()]
            if work.outbox.grant(key, f"{key}-0", now) is None:
                work.outbox.hold([key], now, NO_WINDOW, closes_window=False)
            else:
                gone.append(key)
            if gone:
                work.outbox.sent(gone, now)

        await self.database.write(unit)
        self.api.feed.wake()

    async def customer_says(
        self, text: str, visitor: str = "v-1a2b", **event: Any
    ) -> tuple[Conversation, Message]:
        def unit(work: UnitOfWork) -> tuple[Conversation, Message]:
            return customer_writes(work, self.desk, self.clock(), text, visitor, **event)

        done = await self.database.write(unit)
        self.api.feed.wake()
        return done

    async def waits_for_a_person(self, visitor: str = "v-1a2b") -> Conversation:
        conversation, _ = await self.customer_says("转人工", visitor)

        def unit(work: UnitOfWork) -> Conversation:
            asked = HandoffRequested(Reason.ASKED, summary={"wanted": "退款", "tried": ["查订单"]})
            return self.desk.handle(work, work.conversations.lock(conversation.id), asked)

        waiting = await self.database.write(unit)
        self.api.feed.wake()
        return waiting

    async def transcript(self, conversation: Conversation) -> list[Message]:
        return list(
            await self.database.read(lambda work: work.messages.after(conversation.id, 0, 500))
        )


class Browser:
    """A logged-in console, without its pixels."""

    def __init__(self, shop: Shop, session: ClientSession) -> None:
        self.shop = shop
        self.session = session
        self.csrf = ""

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        data: Any = None,
    ) -> tuple[int, Any]:
        sent = {"X-CSRF-Token": self.csrf} if headers is None else dict(headers)
        async with self.session.request(
            method, "/api/v1" + path, json=body, data=data, headers=sent
        ) as response:
            is_json = response.content_type == "application/json"
            return response.status, await (response.json() if is_json else response.read())

    async def get(self, path: str) -> Any:
        status, answer = await self.ask("GET", path)
        assert status == 200, answer
        return answer

    async def post(self, path: str, **body: Any) -> Any:
        status, answer = await self.ask("POST", path, body)
        assert status < 300, answer
        return answer

    async def live(self, cursor: int | None = None) -> Live:
        query = "" if cursor is None else f"?cursor={cursor}"
        return Live(await self.session.ws_connect(f"/api/v1/live{query}"))


class Live:
    """A console's live connection; forgets nothing that it was told."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.socket = socket
        self.frames: list[dict[str, Any]] = []
        self.cursor = 0

    async def next(self, kind: str) -> dict[str, Any]:
        """The next frame of this kind; others are kept too."""
        async with asyncio.timeout(5):
            while True:
                message = await self.socket.receive()
                assert message.type is WSMsgType.TEXT, message
                frame: dict[str, Any] = message.json()
                assert LiveFrame.model_validate(frame).model_dump(mode="json") == frame
                self.frames.append(frame)
                self.cursor = frame.get("cursor", self.cursor)
                if frame["type"] == kind:
                    return frame

    async def until_message(self, message_id: str) -> None:
        """Read on until this message was told."""
        while message_id not in self.messages():
            await self.next("update")

    def messages(self) -> list[str]:
        """Every message that was told of as added, in order."""
        return [
            event["message_id"]
            for frame in self.frames
            if frame["type"] == "update"
            for event in frame["events"]
            if event["kind"] == "message_added"
        ]


def _find_secrets(text: str) -> list[tuple[int, int, str]]:
    start = text.find("STAR-")
    return [] if start < 0 else [(start, start + 24, "card")]
