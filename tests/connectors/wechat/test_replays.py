"""In plain mode a signature vouches for no body: one that was recorded brings nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession

from connectors.errors import NotStored
from connectors.messages import ChannelRef
from devkit.wechat import FakeWeChatOA, payloads
from devkit.wechat.envelope import Envelope
from devkit.wechat.platform import (
    AES_KEY,
    APP_ID,
    ORIGINAL_ID,
    TOKEN,
)
from tests.connectors.wechat.test_connector import made
from tests.factories.channels import House
from tests.factories.handoff import ManualClock

PLAIN = Envelope(TOKEN, AES_KEY, APP_ID, "plain")


def fields(text: str, key: int = 7, user: str = "oAlice") -> dict[str, Any]:
    about = {"ToUserName": ORIGINAL_ID, "FromUserName": user, "CreateTime": 1, "MsgId": key}
    return {**about, **payloads.text(text)}


class Door:
    """A connector in plain mode, which can be started anew."""

    def __init__(
        self, house: House, clock: ManualClock, http: ClientSession, fake: FakeWeChatOA
    ) -> None:
        self.house = house
        self.fake = fake
        self.clock = clock
        self.http = http
        self.url = ""

    async def starts(self) -> None:
        connector = made(self.house, self.fake)
        self.url = f"{await self.house.serve(connector)}/hooks/wechat/main"

    def pushed(self, text: str, key: int = 7) -> tuple[dict[str, str], bytes]:
        query, body = PLAIN.push(fields(text, key), int(self.clock.now.timestamp()))
        return query, body.encode()

    async def knocks(self, query: dict[str, str], body: bytes) -> int:
        async with self.http.post(self.url, params=query, data=body) as answer:
            return answer.status

    @property
    def heard(self) -> list[str]:
        return [one.text for one in self.house.sink.messages]


@pytest.fixture
async def door(house: House, clock: ManualClock, http: ClientSession) -> AsyncIterator[Door]:
    async with FakeWeChatOA(clock, mode="plain") as fake:
        found = Door(house, clock, http, fake)
        await found.starts()
        yield found


async def test_a_recorded_signature_brings_no_other_body(door: Door) -> None:
    query, body = door.pushed("在吗")
    assert await door.knocks(query, body) == 200
    _, forged = door.pushed("把卡密发给我", key=8)
    assert await door.knocks(query, forged) == 403
    assert await door.knocks({**query, "nonce": query["nonce"]}, forged) == 403
    assert door.heard == ["在吗"]


async def test_the_platforms_own_repeat_is_taken_once_and_told_so(door: Door) -> None:
    query, body = door.pushed("在吗")
    statuses = await asyncio.gather(*(door.knocks(query, body) for _ in range(4)))
    again, _ = door.pushed("在吗")  # signed anew
    assert again != query
    assert [*statuses, await door.knocks(again, body)] == [200] * 5
    assert door.heard == ["在吗"]


async def test_a_restart_forgets_no_signature(door: Door) -> None:
    query, body = door.pushed("在吗")
    assert await door.knocks(query, body) == 200
    await door.starts()
    _, forged = door.pushed("把卡密发给我", key=8)
    assert await door.knocks(query, forged) == 403
    assert await door.knocks(query, body) == 200
    assert door.heard == ["在吗"]


async def test_garbage_does_not_use_up_the_signature_of_a_message(door: Door) -> None:
    query, body = door.pushed("在吗")
    for garbage in (b"", b"<xml>", b"<xml/>", b"\xff"):
        assert await door.knocks(query, garbage) == 400
    assert await door.knocks(query, body) == 200
    assert door.heard == ["在吗"]


async def test_two_bodies_at_once_under_one_signature_are_one_message(door: Door) -> None:
    query, body = door.pushed("在吗")
    _, other = door.pushed("把卡密发给我", key=8)
    statuses = await asyncio.gather(door.knocks(query, body), door.knocks(query, other))
    assert sorted(statuses) == [200, 403]
    assert len(door.heard) == 1


async def test_a_recorded_question_of_the_platform_brings_no_message(door: Door) -> None:
    query = PLAIN.query(int(door.clock.now.timestamp()))
    async with door.http.get(door.url, params={**query, "echostr": "5161239"}) as answer:
        assert await answer.text() == "5161239"
    _, body = door.pushed("把卡密发给我")
    assert await door.knocks(query, body) == 403
    async with door.http.get(door.url, params={**query, "echostr": "other"}) as answer:
        assert answer.status == 403
    assert door.heard == []


async def test_a_push_that_could_not_be_stored_is_taken_when_it_comes_again(door: Door) -> None:
    query, body = door.pushed("在吗")
    door.house.sink.is_away = True
    assert await door.knocks(query, body) == 503
    door.house.sink.is_away = False
    assert await door.knocks(query, body) == 200
    assert door.heard == ["在吗"]


async def test_where_nobody_can_tell_what_came_before_the_platform_has_to_call_again(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    query, body = door.pushed("在吗")

    async def away(_ref: ChannelRef, _name: str) -> str | None:
        raise NotStored("the database is away")

    with monkeypatch.context() as patched:
        patched.setattr(door.house.sink, "get", away)
        assert await door.knocks(query, body) == 503
    assert await door.knocks(query, body) == 200


async def test_what_is_remembered_is_no_more_than_the_window_needs(door: Door) -> None:
    for number in range(30):
        query, body = door.pushed("在吗", key=number)
        assert await door.knocks(query, body) == 200
        door.clock.advance(seconds=60)
    assert len(door.heard) == 30
    assert len(door.house.sink.checkpoints) <= 30


@pytest.mark.parametrize("echo", ["<script>", "a b", "秘密", "a\r\nSet-Cookie: x=1", "x" * 300])
async def test_nothing_but_a_short_token_is_repeated_to_who_asks(door: Door, echo: str) -> None:
    query = PLAIN.query(int(door.clock.now.timestamp()))
    async with door.http.get(door.url, params={**query, "echostr": echo}) as answer:
        assert answer.status == 400
        assert await answer.text() == ""


@pytest.mark.parametrize("mode", ["plain", "safe"])
async def test_check_warns_of_plain_mode_alone(house: House, clock: ManualClock, mode: str) -> None:
    async with FakeWeChatOA(clock, mode=mode) as fake:
        found = await made(house, fake).check()
    assert any("安全模式" in line for line in found.advice) is (mode == "plain")
