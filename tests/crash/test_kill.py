"""``kill -9`` in the middle of a busy hour: nothing is lost, nothing is answered twice."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp import ClientError, ClientSession, ClientWebSocketResponse, WSMsgType

from storage.core.engine import engine_for
from tests.factories.database import address_of
from tests.factories.page import new_token
from tests.factories.process import KefuProcess, eventually
from tests.factories.server import SMALL_KB

CUSTOMERS = 50
MESSAGES_EACH = 10
KILLED_AFTER = (90, 230, 380)
"""How many messages are acknowledged when the process is killed."""
UNACKED_AT_ONCE = 3
SAYINGS = (
    "可以用支付宝吗？",
    "你们几点下班？",
    "卡密怎么用？",
    "这个，",
    "支持微信付款吗？",
    "今天天气怎么样？",
    "周末有人值班吗？",
    "在哪里输入卡密？",
    "我的订单到哪一步了？",
    "可以刷信用卡吗？",
)


@dataclass
class Customer:
    """Says ten things, over however many connections it takes, and remembers what came."""

    number: int
    url: str
    on_ack: Callable[[], None]
    token: str = ""
    last_seq: int = 0
    acked: dict[str, int] = field(default_factory=dict)
    heard: Counter[int] = field(default_factory=Counter)
    socket: ClientWebSocketResponse | None = None

    @property
    def to_say(self) -> list[tuple[str, str]]:
        """(client_id, text) of everything, in order."""
        return [
            (f"{self.number}-{turn}", SAYINGS[(self.number + turn) % len(SAYINGS)])
            for turn in range(MESSAGES_EACH)
        ]

    async def connected(self, http: ClientSession) -> None:
        """Serve one connection until it breaks."""
        query = {"token": self.token, "last_seq": str(self.last_seq)}
        # customers come from networks of their own, as the proxy in front tells
        headers = {"X-Forwarded-For": f"10.{self.number}.0.1"}
        url = f"{self.url}/widget/ws"
        async with http.ws_connect(url, params=query, headers=headers) as socket:
            self.socket = socket
            sent: set[str] = set()
            await self._say_more(sent)
            async for message in socket:
                assert message.type is WSMsgType.TEXT
                self._read(message.json())
                await self._say_more(sent)

    async def _say_more(self, sent: set[str]) -> None:
        """Keep a few messages on their way; what was not acknowledged goes out again first."""
        assert self.socket is not None
        for client_id, text in self.to_say:
            if client_id in self.acked or client_id in sent:
                continue
            if len(sent - self.acked.keys()) >= UNACKED_AT_ONCE:
                return
            sent.add(client_id)
            await self.socket.send_json({"type": "msg", "client_id": client_id, "text": text})

    def _read(self, frame: dict[str, Any]) -> None:
        assert frame["type"] != "error", frame
        if frame["type"] == "ack":
            self.last_seq = max(self.last_seq, frame["seq"])
            if frame["client_id"] not in self.acked:
                self.acked[frame["client_id"]] = frame["seq"]
                self.on_ack()
        if frame["type"] == "msg":
            assert frame["seq"] > self.last_seq, "a line came out of order"
            self.last_seq = frame["seq"]
            if frame["author"] == "customer":
                # stored before the kill, and never acknowledged on that connection
                self.acked.setdefault(frame["client_id"], frame["seq"])
                self.on_ack()
            else:
                self.heard[frame["seq"]] += 1


class Crowd:
    """Fifty customers who do not give up."""

    def __init__(self, url: str) -> None:
        self.is_up = asyncio.Event()
        self._changed = asyncio.Event()
        self.customers = [Customer(number, url, self._changed.set) for number in range(CUSTOMERS)]
        self._url = url

    @property
    def acked(self) -> int:
        return sum(len(customer.acked) for customer in self.customers)

    async def until_acked(self, count: int) -> None:
        async with asyncio.timeout(60):
            while self.acked < count:
                self._changed.clear()
                await self._changed.wait()

    async def chat(self) -> None:
        """Everybody chats, and comes back whenever the server does; ends by being cancelled."""
        await self.is_up.wait()
        async with ClientSession() as http, asyncio.TaskGroup() as chatting:
            for customer in self.customers:
                customer.token, _ = await new_token(http, self._url)
            for customer in self.customers:
                chatting.create_task(self._one(http, customer))

    async def _one(self, http: ClientSession, customer: Customer) -> None:
        while True:
            await self.is_up.wait()
            with suppress(ClientError, ConnectionError):
                await customer.connected(http)
            # a connection ends at a kill only: the next one is tried when the server is up again
            await asyncio.sleep(0)


def rows(data: Path, query: str) -> list[tuple[Any, ...]]:
    """Contents of the database, seen from outside the process."""
    engine = engine_for(address_of(data))
    try:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(query))]
    finally:
        engine.dispose()


@pytest.fixture
def process(data_folder: Path) -> KefuProcess:
    return KefuProcess(data_folder, SMALL_KB, KEFU_FRAGMENT_WAIT_S="0.2", KEFU_TRUSTED_PROXIES="1")


async def test_three_kills_among_500_messages_lose_nothing_and_double_nothing(
    process: KefuProcess,
) -> None:
    crowd = Crowd(process.url)
    try:
        # a group: a customer who sees something wrong ends the test at once
        async with asyncio.TaskGroup() as group:
            chatting = group.create_task(crowd.chat())
            interrupted = await kill_three_times(process, crowd)
            chatting.cancel()
    finally:
        await process.stop()
    assert interrupted > 0, "no kill hit anything in the middle"
    check_inbound(process.data, crowd)
    check_turns(process.data)
    check_replies(process.data, crowd)


async def kill_three_times(process: KefuProcess, crowd: Crowd) -> int:
    """Until everybody has said everything and heard every answer; how much the kills broke off."""
    interrupted = 0
    await process.start()
    crowd.is_up.set()
    for count in KILLED_AFTER:
        await crowd.until_acked(count)
        crowd.is_up.clear()
        await process.kill()
        interrupted += len(rows(process.data, "select id from inbound where turn_id is null"))
        await process.start()
        crowd.is_up.set()
    await crowd.until_acked(CUSTOMERS * MESSAGES_EACH)
    await eventually(
        lambda: left_over(process.data),
        until=lambda left: left == (0, 0),
        what="the end of messages without a turn, and of replies unsent,",
    )
    await eventually(lambda: all_is_heard(process.data, crowd), what="every reply's arrival")
    return interrupted


async def left_over(data: Path) -> tuple[int, int]:
    """How many messages wait for their turn, and how many replies to be sent."""
    ((waiting,),) = rows(data, "select count(*) from inbound where turn_id is null")
    ((unsent,),) = rows(data, "select count(*) from outbox where state = 'pending'")
    return waiting, unsent


def transcript(data: Path) -> dict[int, set[int]]:
    """Places of what each customer should have heard, by the customer's number."""
    found: dict[int, set[int]] = {number: set() for number in range(CUSTOMERS)}
    numbers = {
        conversation: int(str(dedup_key).rpartition(":")[2].partition("-")[0])
        for conversation, dedup_key in rows(data, "select conversation_id, dedup_key from inbound")
    }
    said = "select conversation_id, seq from messages where author <> 'customer'"
    for conversation, seq in rows(data, said):
        found[numbers[conversation]].add(seq)
    return found


async def all_is_heard(data: Path, crowd: Crowd) -> bool:
    said = transcript(data)
    return all(set(one.heard) >= said[one.number] for one in crowd.customers)


def check_inbound(data: Path, crowd: Crowd) -> None:
    """Each message is stored once, and where its acknowledgement said."""
    stored = rows(
        data,
        "select dedup_key, seq, text from inbound join messages on messages.id = message_id",
    )
    assert len(stored) == CUSTOMERS * MESSAGES_EACH
    seqs = {str(key).rpartition(":")[2]: (seq, text) for key, seq, text in stored}
    for customer in crowd.customers:
        for client_id, text in customer.to_say:
            assert seqs[client_id] == (customer.acked[client_id], text)
    (own_lines,) = rows(data, "select count(*) from messages where author = 'customer'")
    assert own_lines == (CUSTOMERS * MESSAGES_EACH,)


def check_turns(data: Path) -> None:
    """Each message belongs to one turn that exists, each turn deals with a message."""
    assert rows(data, "select id from inbound where turn_id not in (select id from turns)") == []
    assert rows(data, "select id from turns where id not in (select turn_id from inbound)") == []
    # a turn that is not silent has said something: no answer got lost between deciding and saying
    mute = rows(
        data,
        "select id, reasons from turns where id not in"
        " (select turn_id from messages where turn_id is not null)",
    )
    assert [number for number, reasons in mute if not may_say_nothing(reasons)] == []


def may_say_nothing(reasons: str | dict[str, Any]) -> bool:
    """Tell whether a turn was decided to be silent, or to call a person: that is no turn's line.

    JSON is text on SQLite alone.
    """
    decided = json.loads(reasons) if isinstance(reasons, str) else reasons
    return not {"silent", "handoff"}.isdisjoint(decided["actions"])


@pytest.mark.parametrize(
    ("actions", "is_silent"),
    [(["silent"], True), (["answer"], False), (["tool:silent_mode"], False), (["handoff"], True)],
)
def test_only_a_turn_that_was_decided_to_be_silent_may_say_nothing(
    actions: list[str], *, is_silent: bool
) -> None:
    reasons = {"actions": actions, "candidates": ["silent"]}
    assert may_say_nothing(reasons) is is_silent
    assert may_say_nothing(json.dumps(reasons)) is is_silent


def check_replies(data: Path, crowd: Crowd) -> None:
    """Each reply that the transcript holds was heard once by its customer, and no other."""
    said = transcript(data)
    for customer in crowd.customers:
        assert customer.heard == Counter(said[customer.number])
    assert rows(data, "select id from outbox where state <> 'sent'") == []
