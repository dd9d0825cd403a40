"""Every webhook keeps its door."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime

import pytest
import pytest_asyncio

from devkit.telegram import FakeTelegram
from devkit.telegram.pusher import SECRET_HEADER
from handoff.model.transcript import Author
from tests.conftest import ADatabase
from tests.contracts.channels import test_app, test_qq, test_telegram, test_wechat, test_wecom
from tests.contracts.channels.cases import case
from tests.contracts.channels.doors import DoorContract, House, a_house_with_a_gate
from tests.factories.database import assign
from tests.storm.storm import TOPICS, answer_of

pytestmark = pytest.mark.asyncio(loop_scope="class")

ENCRYPT = b"<Encrypt><![CDATA["


@pytest_asyncio.fixture(scope="class", loop_scope="class")
async def house(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    a_database: ADatabase,
) -> AsyncIterator[House]:
    """A kefu behind a gate, for the tests of a class."""
    folder = tmp_path_factory.mktemp("doors")
    with a_database(folder / "kefu.db") as url:
        assign(folder / "data", url)
        async with a_house_with_a_gate(request.cls.mode, folder) as made:
            yield made


class TestTelegram(DoorContract):
    mode = test_telegram.TestWebhook.mode
    proof = SECRET_HEADER
    good_for_s = None

    def is_ready(self, platform: FakeTelegram) -> bool:
        return platform.pusher.webhook is not None


class TestWeChatPlain(DoorContract):
    mode = test_wechat.TestPlain.mode
    proof = asks_first = "signature"

    @case(3)
    async def test_a_signature_that_was_used_brings_nothing_else(self, house: House) -> None:
        user, push = await self._held_back(house, TOPICS[4])
        assert (await house.gate.knocks(push))[0] == 200
        words, others = TOPICS[4].encode(), TOPICS[5].encode()
        forged = replace(
            push, body=push.body.replace(words, others).replace(b"<MsgId>", b"<MsgId>9")
        )
        assert forged.body != push.body
        assert (await house.gate.knocks(forged))[0] == 403
        assert (await house.gate.knocks(push))[0] == 200
        await house.world.reads(user, answer_of(TOPICS[4]))
        assert await house.world.said_by(user, Author.CUSTOMER) == [TOPICS[4]]


class TestWeChatCompatible(DoorContract):
    mode = test_wechat.TestCompatible.mode
    proof = "msg_signature"
    seals = ENCRYPT
    asks_first = "signature"

    @case(3)
    async def test_what_stands_unsealed_beside_the_seal_is_not_read(self, house: House) -> None:
        user, push = await self._held_back(house, TOPICS[4])
        words = TOPICS[4].encode()
        assert words in push.body
        await house.gate.knocks(replace(push, body=push.body.replace(words, TOPICS[5].encode())))
        await house.world.reads(user, answer_of(TOPICS[4]))
        assert await house.world.said_by(user, Author.CUSTOMER) == [TOPICS[4]]


class TestWeChatSafe(DoorContract):
    mode = test_wechat.TestSafe.mode
    proof = "msg_signature"
    seals = ENCRYPT
    asks_first = "signature"


class TestWeCom(DoorContract):
    mode = test_wecom.TestCustomerService.mode
    proof = asks_first = "msg_signature"
    seals = ENCRYPT

    def has_read(self, house: House, since: datetime) -> bool:
        """Its reader reads when it starts, and whenever it is told to."""
        reader = next(one for key, one in house.world.parts.connectors.items() if "wecom" in key)
        read_at = reader.health().detail.get("last_poll_ok_at")
        return isinstance(read_at, datetime) and read_at > since


class TestQQ(DoorContract):
    mode = replace(test_qq.TestWebhook.mode, name="")  # the door is the same with buttons
    proof = asks_first = "X-Signature-Ed25519"
    seals = b'"content":"'
    good_for_s = 600.0


class TestApp(DoorContract):
    mode = test_app.TestApp.mode
    proof = "X-Kefu-Signature"
    seals = b'"text": "'
    largest_mb = 8
