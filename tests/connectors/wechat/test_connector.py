"""The connector beside the fake platform, as both would meet in a shop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from connectors.errors import (
    AuthError,
    Fatal,
    MediaGone,
    Rejected,
    Retryable,
    Undeliverable,
    WindowClosed,
)
from connectors.messages import (
    Address,
    Attachment,
    HealthState,
    InboundKind,
    MediaHandle,
    MessageId,
    Outbound,
    SendStatus,
    Unit,
    button_token,
)
from connectors.wechat.connector import WechatConnector
from devkit.platform import Call
from devkit.wechat import FakeWeChatOA, Rules, payloads
from devkit.wechat.people import openid_of
from devkit.wechat.platform import APP_SECRET
from devkit.wechat.rules import UNAVAILABLE
from tests.factories.channels import House
from tests.factories.handoff import ManualClock
from tests.factories.loop_time import time_passes_until

SEND = "message/custom/send"
TYPING = "message/custom/typing"


def made(house: House, fake: FakeWeChatOA, **more: Any) -> WechatConnector:
    connector = house.connector({**fake.account(), **more})
    assert isinstance(connector, WechatConnector)
    return connector


@pytest.fixture
async def connector(house: House, fake: FakeWeChatOA) -> AsyncIterator[WechatConnector]:
    connector = made(house, fake)
    await fake.connect(await house.serve(connector))
    yield connector
    await connector.stop()


def a_unit(
    connector: WechatConnector,
    text: str = "在的",
    *,
    user: str = "alice",
    buttons: tuple[tuple[str, str], ...] = (),
    attachment: Attachment | None = None,
) -> Unit:
    openid = openid_of(user)
    outbound = Outbound(
        "01JOUT",
        Address(connector.ref, openid, openid),
        MessageId("01JABCDEFGHJKMNPQRSTVWXYZ0"),
        1,
        text,
        "bot",
        ManualClock().now,
    )
    return Unit("01JOUT-0", outbound, text=text, buttons=buttons, attachment=attachment)


def texts(fake: FakeWeChatOA, user: str = "alice") -> list[str]:
    return [shown.text for shown in fake.shown(user)]


def sent(fake: FakeWeChatOA, method: str) -> list[Call]:
    return [call for call in fake.calls if call.method == method]


# ---------------------------------------------------------------------- pushes


@pytest.mark.parametrize("mode", ["plain", "compat", "safe"])
async def test_a_message_is_stored_before_the_platform_is_told(
    clock: ManualClock, house: House, mode: str
) -> None:
    async with FakeWeChatOA(clock, mode=mode) as fake:
        await fake.connect(await house.serve(made(house, fake)))
        key = await fake.says("alice", "付了款没收到卡密")
        [inbound] = house.sink.messages
        assert (inbound.text, inbound.dedup_key) == ("付了款没收到卡密", f"m:{key}")
        assert fake.pushes == [(200, "success")]


@pytest.mark.usefixtures("connector")
async def test_a_redelivered_message_is_one_message(fake: FakeWeChatOA, house: House) -> None:
    key = await fake.says("alice", "在吗", times=2)
    await asyncio.gather(fake.replays(key), fake.replays(key))
    assert house.sink.deliveries == 4
    assert [inbound.text for inbound in house.sink.messages] == ["在吗"]


@pytest.mark.usefixtures("connector")
async def test_a_message_that_cannot_be_stored_is_not_acknowledged(
    fake: FakeWeChatOA, house: House
) -> None:
    house.sink.is_away = True
    key = await fake.says("alice", "在吗")
    assert [status for status, _ in fake.pushes] == [503, 503, 503]
    house.sink.is_away = False
    await fake.replays(key)
    assert [inbound.text for inbound in house.sink.messages] == ["在吗"]


Change = Callable[[dict[str, str], str], tuple[dict[str, str], str]]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda query, body: ({**query, "msg_signature": "0" * 40}, body), 403),
        (
            lambda query, body: (query, body.replace("<Encrypt><![CDATA[", "<Encrypt><![CDATA[A")),
            403,
        ),
        (
            lambda query, body: ({**query, "timestamp": str(int(query["timestamp"]) - 301)}, body),
            403,
        ),
        (lambda query, _: (query, "<xml>"), 400),
        (lambda query, _: (query, ""), 400),
        (lambda query, _: (query, "x" * (1024 * 1024 + 1)), 413),
        (lambda _, body: ({}, body), 400),
    ],
)
async def test_what_is_not_the_platforms_is_refused_and_not_stored(
    fake: FakeWeChatOA, house: House, connector: WechatConnector, change: Change, status: int
) -> None:
    fields: dict[str, str | int] = {
        "FromUserName": "oMallory",
        "ToUserName": "gh_1",
        "CreateTime": 1,
        "MsgId": 1,
    }
    now = int(fake.clock().timestamp())
    query, body = change(*fake.envelope.push({**fields, **payloads.text("退款")}, now))
    async with (
        aiohttp.ClientSession() as http,
        http.post(fake.hook_url, params=query, data=BytesIO(body.encode())) as answer,
    ):
        assert answer.status == status
        assert await answer.text() == ""
    assert house.sink.deliveries == 0
    await fake.says("alice", "在吗")
    assert connector.health().last_inbound_at == fake.clock()


@pytest.mark.usefixtures("connector")
async def test_following_and_leaving_are_told(fake: FakeWeChatOA, house: House) -> None:
    await fake.arrives("alice", "order-1")
    await fake.leaves("alice")
    await fake.arrives("alice")
    kinds = [inbound.kind for inbound in house.sink.messages]
    assert kinds == [InboundKind.ARRIVAL, InboundKind.DEPARTURE, InboundKind.ARRIVAL]
    assert house.sink.messages[0].text == "order-1"


@pytest.mark.usefixtures("connector")
async def test_an_event_that_comes_twice_is_one(fake: FakeWeChatOA, house: House) -> None:
    await fake.clicks_menu("alice", "查订单", times=3)
    await fake.clicks_menu("alice", "怎么用")
    assert [inbound.text for inbound in house.sink.messages] == ["查订单", "怎么用"]


@pytest.mark.usefixtures("connector")
async def test_what_nobody_knows_is_kept_and_skipped(fake: FakeWeChatOA, house: House) -> None:
    await fake.happens("alice", payloads.event("subscribe_msg_popup_event", Novelty="1"))
    [inbound] = house.sink.messages
    assert inbound.kind is InboundKind.OTHER
    assert b"Novelty" in (inbound.raw or b"")
    assert fake.pushes == [(200, "success")]


# ---------------------------------------------------------------------- sending


async def test_an_answer_is_shown(fake: FakeWeChatOA, connector: WechatConnector) -> None:
    await fake.says("alice", "在吗")
    result = await connector.send(a_unit(connector, "在的 😀\n第二行"))
    assert result.status is SendStatus.ACCEPTED
    assert texts(fake) == ["在的 😀\n第二行"]
    assert connector.health().state is HealthState.UP
    assert connector.health().last_outbound_ok_at == fake.clock()


@pytest.mark.parametrize("shows_entities", [False, True])
async def test_what_customers_typed_is_shown_literally(
    fake: FakeWeChatOA, connector: WechatConnector, shows_entities: bool
) -> None:
    fake.rules.shows_entities = shows_entities
    await fake.says("alice", "在吗")
    text = "<b>粗</b> [CQ:at,qq=all] ]]> A&B *_`~"
    await connector.send(a_unit(connector, text))
    await connector.send(a_unit(connector, '<a href="http://x.example">领奖</a>'))
    assert texts(fake) == [text, '＜a href="http://x.example">领奖＜/a>']


async def test_the_longest_text_is_taken(fake: FakeWeChatOA, connector: WechatConnector) -> None:
    await fake.says("alice", "在吗")
    able = connector.capabilities
    assert able.text_unit == "bytes"
    labels = tuple((f"kf1:A:{n}", "查" * (able.max_label // 3)) for n in range(4))
    text = ("字" * able.max_text)[: able.max_text // 3]
    await connector.send(a_unit(connector, text, buttons=labels))
    assert texts(fake) == [text]


async def test_a_pressed_button_comes_back_with_its_token(
    fake: FakeWeChatOA, house: House, connector: WechatConnector
) -> None:
    await fake.says("alice", "在吗")
    tokens = [button_token(MessageId("01JABCDEFGHJKMNPQRSTVWXYZ0"), n) for n in range(2)]
    buttons = ((tokens[0], "查订单"), (tokens[1], "转人工"))
    await connector.send(a_unit(connector, "您想问？", buttons=buttons))
    assert fake.shown("alice")[0].buttons == ("查订单", "转人工")
    await fake.presses("alice", "转人工", times=2)
    assert [one.button_token for one in house.sink.messages] == [None, tokens[1]]


async def test_menus_that_are_refused_become_numbers_from_then_on(
    fake: FakeWeChatOA, connector: WechatConnector
) -> None:
    await fake.says("alice", "在吗")
    fake.faults.add("error", SEND, code=40008)
    assert connector.capabilities.has_buttons
    with pytest.raises(Rejected) as refused:
        await connector.send(a_unit(connector, "您想问？", buttons=(("kf1:A:0", "查订单"),)))
    assert refused.value.is_format
    assert not connector.capabilities.has_buttons


async def test_six_messages_and_two_days_close_the_window(
    fake: FakeWeChatOA, connector: WechatConnector, clock: ManualClock
) -> None:
    await fake.says("alice", "在吗")
    for _ in range(5):
        await connector.send(a_unit(connector))
    with pytest.raises(WindowClosed, match="45047"):
        await connector.send(a_unit(connector))
    await fake.says("alice", "还在吗")
    clock.advance(hours=49)
    with pytest.raises(WindowClosed, match="45015"):
        await connector.send(a_unit(connector))
    assert connector.health().state is HealthState.UP


async def test_windows_are_told_as_the_platform_counts(
    fake: FakeWeChatOA, house: House, connector: WechatConnector
) -> None:
    await fake.says("alice", "在吗")
    await fake.clicks_menu("alice", "HELP")
    said, clicked = (inbound.window for inbound in house.sink.messages)
    now = fake.clock()
    assert said is not None
    assert clicked is not None
    assert (said.max_replies, said.expires_at) == (5, now + timedelta(hours=48))
    assert (clicked.max_replies, clicked.expires_at) == (3, now + timedelta(minutes=1))
    assert connector.capabilities.needs_grant


@pytest.mark.parametrize("code", [40003, 43004, 43019, 48002])
async def test_who_does_not_take_messages_is_undeliverable(
    fake: FakeWeChatOA, connector: WechatConnector, code: int
) -> None:
    fake.faults.add("error", SEND, code=code)
    with pytest.raises(Undeliverable):
        await connector.send(a_unit(connector))
    assert connector.health().state is not HealthState.DOWN


async def test_an_account_without_permission_goes_down_and_says_what_to_do(
    fake: FakeWeChatOA, connector: WechatConnector
) -> None:
    await fake.says("alice", "在吗")
    fake.api.is_verified = False
    with pytest.raises(Fatal, match="48001"):
        await connector.send(a_unit(connector))
    health = connector.health()
    assert health.state is HealthState.DOWN
    assert "passive" in (health.last_error or "")


async def test_a_fault_degrades_and_a_success_heals(
    fake: FakeWeChatOA, connector: WechatConnector
) -> None:
    await fake.says("alice", "在吗")
    fake.faults.add("status", SEND, status=502)
    with pytest.raises(Retryable):
        await connector.send(a_unit(connector))
    assert connector.health().state is HealthState.DEGRADED
    await connector.send(a_unit(connector))
    assert connector.health().state is HealthState.UP
    assert connector.health().last_error is None


# ---------------------------------------------------------------------- files


async def test_a_picture_goes_out(
    fake: FakeWeChatOA, house: House, connector: WechatConnector
) -> None:
    await fake.says("alice", "在吗")
    picture = Attachment("A1", "image", "image/png", 7, name="教程.png")
    house.files.contents["A1"] = b"picture"  # type: ignore[attr-defined]
    await connector.send(a_unit(connector, "", attachment=picture))
    assert [(one.kind, one.content) for one in fake.shown("alice")] == [("image", b"picture")]


async def test_a_file_that_is_gone_is_not_sent(
    fake: FakeWeChatOA, connector: WechatConnector
) -> None:
    await fake.says("alice", "在吗")
    picture = Attachment("A1", "image", "image/png", 7)
    with pytest.raises(Rejected, match="gone"):
        await connector.send(a_unit(connector, "", attachment=picture))
    assert fake.shown("alice") == []


@pytest.mark.parametrize("kind", ["image", "voice", "video"])
async def test_a_customers_file_is_fetched(
    fake: FakeWeChatOA, house: House, connector: WechatConnector, kind: str
) -> None:
    await fake.sends_media("alice", kind, b"content of " + kind.encode())
    [media] = house.sink.messages[0].media
    assert media.kind == kind
    assert await connector.fetch(media, 100) == b"content of " + kind.encode()


async def test_a_picture_is_fetched_by_its_address_where_the_call_fails(
    fake: FakeWeChatOA, house: House, connector: WechatConnector
) -> None:
    await fake.sends_media("alice", "image", b"picture")
    [media] = house.sink.messages[0].media
    fake.faults.add("error", "media/get", code=48001)
    assert await connector.fetch(media, 100) == b"picture"


async def test_addresses_inside_our_network_are_not_fetched(
    fake: FakeWeChatOA, house: House
) -> None:
    connector = made(house, fake, private_media=[])
    media = MediaHandle("image", {"url": f"{fake.url}/pic/x"})
    with pytest.raises(MediaGone, match="refused"):
        await connector.fetch(media, 100)


@pytest.mark.parametrize("max_bytes", [3, 0])
async def test_a_file_that_is_too_large_is_not_fetched(
    fake: FakeWeChatOA, house: House, connector: WechatConnector, max_bytes: int
) -> None:
    await fake.sends_media("alice", "image", b"picture")
    with pytest.raises(MediaGone, match="too_large"):
        await connector.fetch(house.sink.messages[0].media[0], max_bytes)


# ---------------------------------------------------------------------- typing


async def test_the_dots_are_asked_for_once_in_fifteen_seconds(
    fake: FakeWeChatOA, connector: WechatConnector, clock: ManualClock
) -> None:
    await fake.says("alice", "在吗")
    address = a_unit(connector).address
    for _ in range(3):
        await connector.typing(address, "bot", is_on=True)
    assert len(sent(fake, TYPING)) == 1
    clock.advance(seconds=15)
    await connector.typing(address, "bot", is_on=True)
    await connector.typing(address, "bot", is_on=False)
    await connector.typing(address, "bot", is_on=False)
    commands = [call.parameters["command"] for call in sent(fake, TYPING)]
    assert commands == ["Typing", "Typing", "CancelTyping"]


async def test_dots_that_fail_are_nobodys_business(
    fake: FakeWeChatOA, connector: WechatConnector, clock: ManualClock
) -> None:
    await fake.says("alice", "在吗")
    clock.advance(minutes=1)
    await connector.typing(a_unit(connector).address, "bot", is_on=True)
    assert fake.person("alice").typing_until is None
    assert connector.health().state is HealthState.STARTING


# ---------------------------------------------------------------------- life and checks


async def test_a_start_sees_whether_the_credentials_are_right(
    fake: FakeWeChatOA, house: House
) -> None:
    good, bad = made(house, fake), made(house, fake, app_secret="0" * 32)
    await good.start()
    await bad.start()
    await fake.until(lambda: len(sent(fake, "stable_token")) == 2)
    while HealthState.STARTING in {good.health().state, bad.health().state}:  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert (good.health().state, bad.health().state) == (HealthState.UP, HealthState.DOWN)
    assert "AppSecret" in (bad.health().last_error or "")
    await good.stop()
    await bad.stop()


async def test_a_stop_does_not_wait_for_a_platform_that_hangs(
    fake: FakeWeChatOA, house: House
) -> None:
    fake.faults.add("hang", "stable_token")
    connector = made(house, fake)
    await connector.start()
    await fake.until(lambda: bool(sent(fake, "stable_token")))
    await connector.stop()
    assert connector.health().state is HealthState.STARTING


async def test_a_check_finds_nothing_to_advise_where_all_is_well(
    fake: FakeWeChatOA, house: House
) -> None:
    check = await made(house, fake).check()
    assert (check.is_reachable, check.is_authorised, check.advice) == (True, True, ())
    assert check.webhook == "https://kefu.example.com/hooks/wechat/main"
    assert fake.shown("alice") == []


@pytest.mark.parametrize(
    ("fault", "findings", "word"),
    [
        ({"kind": "error", "method": "stable_token", "code": 40125}, (True, False), "AppSecret"),
        ({"kind": "error", "method": "stable_token", "code": 40164}, (True, False), "203.0.113.7"),
        ({"kind": "drop_before", "method": "stable_token"}, (False, None), "网络"),
        ({"kind": "error", "method": TYPING, "code": 48001}, (True, True), "passive"),
    ],
)
async def test_a_check_says_what_to_do(
    fake: FakeWeChatOA,
    house: House,
    fault: dict[str, Any],
    findings: tuple[bool, bool | None],
    word: str,
) -> None:
    fake.faults.add(fault.pop("kind"), **fault)
    check = await made(house, fake).check()
    assert (check.is_reachable, check.is_authorised) == findings
    assert word in "".join(check.advice)


async def test_no_secret_and_no_customer_stands_in_the_log(
    fake: FakeWeChatOA, house: House, connector: WechatConnector
) -> None:
    with capture_logs() as logs:
        await fake.says("alice", "在吗")
        async with aiohttp.ClientSession() as http:
            query = {"timestamp": "1", "nonce": "n", "signature": "x", "openid": openid_of("alice")}
            await http.post(fake.hook_url, params=query, data=b"<xml>")
        for code in (40001, 45015, 48001):
            fake.faults.add("error", SEND, code=code, times=2)
            with pytest.raises((AuthError, WindowClosed, Fatal)):
                await connector.send(a_unit(connector, "您的卡密 ABCD"))
            fake.faults.clear()
        fake.faults.add("hang", "nothing")
        await connector.typing(a_unit(connector).address, "bot", is_on=True)
    told = f"{logs} {connector.health()}"
    secrets = [*fake.api.tokens.handed_out, APP_SECRET, openid_of("alice"), "ABCD"]
    assert logs
    assert not [one for one in secrets if one in told]
    assert house.sink.messages


# ---------------------------------------------------------------------- passive replies

PASSIVE = Rules(answer_s=3.0)


@pytest.fixture
async def passive(clock: ManualClock) -> AsyncIterator[FakeWeChatOA]:
    async with FakeWeChatOA(clock, is_verified=False, rules=PASSIVE) as fake:
        yield fake


async def served(house: House, fake: FakeWeChatOA) -> WechatConnector:
    connector = made(house, fake)
    await fake.connect(await house.serve(connector))
    return connector


@pytest.mark.parametrize("mode", ["plain", "compat", "safe"])
@pytest.mark.parametrize("missed", [0, 1, 2])
async def test_a_slow_answer_is_given_on_a_later_delivery_of_the_same_message(
    clock: ManualClock, house: House, mode: str, missed: int
) -> None:
    async with FakeWeChatOA(clock, mode=mode, is_verified=False, rules=PASSIVE) as fake:
        connector = await served(house, fake)

        async def answer() -> None:
            await house.sink.until(1)
            await time_passes_until(lambda: len(fake.pushes) == missed)
            await connector.send(a_unit(connector, "在的 ]]> 😀"))

        await asyncio.gather(fake.says("alice", "在吗"), answer())
        assert texts(fake) == ["在的 ]]> 😀"]
        assert [status for status, _ in fake.pushes] == [None] * missed + [200]
        assert len(house.sink.messages) == 1
        await connector.stop()


async def test_an_answer_that_comes_too_late_waits_for_the_next_message(
    passive: FakeWeChatOA, house: House
) -> None:
    connector = await served(house, passive)
    telling = asyncio.create_task(passive.says("alice", "在吗"))
    await time_passes_until(telling.done)
    with pytest.raises(WindowClosed):
        await connector.send(a_unit(connector, "在的"))

    async def again() -> None:
        await house.sink.until(2)
        await connector.send(a_unit(connector, "在的"))

    await asyncio.gather(passive.says("alice", "1"), again())
    [told, answer] = texts(passive)
    assert "再随便发一个字" in told
    assert answer == "在的"
    await connector.stop()


async def test_nobody_who_is_slow_makes_another_wait(passive: FakeWeChatOA, house: House) -> None:
    connector = await served(house, passive)

    async def for_bob() -> None:
        await house.sink.until(2)
        await connector.send(a_unit(connector, "鲍勃您好", user="bob"))

    alice = asyncio.create_task(passive.says("alice", "在吗"))
    await asyncio.gather(passive.says("bob", "你好"), for_bob())
    assert texts(passive, "bob") == ["鲍勃您好"]
    await time_passes_until(alice.done)
    assert texts(passive, "alice") != [UNAVAILABLE]
    await connector.stop()


async def test_passive_accounts_say_so(passive: FakeWeChatOA, house: House) -> None:
    connector = await served(house, passive)
    await connector.start()
    able = connector.capabilities
    assert (able.has_buttons, able.has_typing, able.sends) == (False, False, frozenset())
    assert connector.health().state is HealthState.UP
    await connector.typing(a_unit(connector).address, "bot", is_on=True)
    assert passive.calls == []
    with pytest.raises(WindowClosed):
        await connector.send(a_unit(connector))
    await connector.stop()


async def test_leaving_and_unknown_events_are_not_held(passive: FakeWeChatOA, house: House) -> None:
    await served(house, passive)
    await passive.leaves("alice")
    await passive.happens("alice", payloads.event("VIEW", "https://shop.example/"))
    assert passive.pushes == [(200, "success")] * 2


async def test_a_message_that_is_held_when_we_stop_is_delivered_again(
    passive: FakeWeChatOA, house: House
) -> None:
    connector = await served(house, passive)
    telling = asyncio.create_task(passive.says("alice", "在吗"))
    await house.sink.until(1)
    await connector.stop()
    await telling
    assert passive.pushes[0] == (503, "")
