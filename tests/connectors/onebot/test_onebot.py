"""QQ by OneBot: who may connect, what is heard, and what becomes of what is sent."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from pydantic import ValidationError
from yarl import URL

from connectors.errors import AuthError, MediaGone, Rejected, Retryable, SendError
from connectors.messages import (
    Address,
    Attachment,
    ChannelRef,
    HealthState,
    InboundKind,
    PeerKind,
    Unit,
)
from connectors.onebot import segments
from connectors.onebot.account import OneBotAccount
from devkit.onebot import FakeOneBot
from devkit.onebot.platform import SELF_ID, TOKEN
from tests.connectors.onebot.conftest import Line
from tests.factories.channels import House
from tests.factories.messaging import an_outbound
from tests.factories.shop import FakeClock

BOT = ChannelRef("onebot", "main")


def to(fake: FakeOneBot, user: str, group: str | None = None) -> Address:
    number = str(fake.number(user))
    if group is None:
        return Address(BOT, number, number)
    return Address(BOT, str(fake.group_number(group)), number, PeerKind.GROUP)


def a_unit(address: Address, text: str = "您好", *, key: str = "O1-0", **more: Any) -> Unit:
    return Unit(key, an_outbound(address=address, text=text), text=text, **more)


# ---------------------------------------------------------------------- who may connect


@pytest.mark.parametrize(
    ("token", "self_id", "status"),
    [("", SELF_ID, 401), ("wrong-token", SELF_ID, 403), (TOKEN, "10001", 403)],
)
async def test_only_who_knows_the_token_may_connect(
    line: Line, token: str, self_id: str, status: int
) -> None:
    fake = await line.dials(token=token, self_id=self_id)
    assert fake.wires.refused == [status]
    assert line.house.sink.messages == []


@pytest.mark.parametrize("profile", ["napcat", "llonebot", "lagrange", "gocq"])
async def test_every_implementation_is_understood(line: Line, profile: str) -> None:
    fake = await line.dials(profile=profile)
    await fake.says("小明", "付了款 [没] 收到&卡密")
    (message,) = await line.house.sink.until(1)
    assert message.text == "付了款 [没] 收到&卡密"
    assert message.person_name == "小明"
    assert message.address == to(fake, "小明")


async def test_a_token_may_stand_in_the_address_too(line: Line) -> None:
    url = f"{line.url}/onebot/v11/ws?access_token={TOKEN}"
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url, headers={"X-Self-ID": SELF_ID}) as wire,
    ):
        assert not wire.closed


NO_TOKENS = {
    "nothing": {},
    "an empty bearer, as NapCat sends it": {"Authorization": "Bearer "},
    "a bearer of blanks": {"Authorization": "Bearer    "},
    "another token": {"Authorization": "Bearer another-token-0123456789"},
    "the token and more": {"Authorization": f"Bearer {TOKEN}x"},
    "half of the token": {"Authorization": f"Bearer {TOKEN[:-1]}"},
    "another scheme": {"Authorization": f"Basic {TOKEN}"},
    "words": {"Authorization": "Bearer 暗号暗号暗号暗号暗号暗号暗号暗号"},
    "a proxy's word": {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1"},
    "a page in the owner's browser": {"Origin": "http://127.0.0.1:8000"},
}


@pytest.mark.parametrize("headers", NO_TOKENS.values(), ids=NO_TOKENS)
async def test_a_stranger_behind_a_local_proxy_displaces_nobody(
    line: Line, qq: FakeOneBot, headers: dict[str, str]
) -> None:
    async with aiohttp.ClientSession(headers={"X-Self-ID": SELF_ID, **headers}) as stranger:
        for query in ("", "?access_token=", "?access_token=%FF%FE", "?access_token=%E6%9A%97"):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await stranger.ws_connect(f"{line.url}/onebot/v11/ws{query}")
            assert refused.value.status in {401, 403}
    await line.connector.send(a_unit(to(qq, "小明")))
    assert [one.text for one in qq.shown("小明")] == ["您好"]
    assert qq.wires.opened == 1
    assert line.connector.health().state is HealthState.UP


@pytest.mark.parametrize(
    "given", [b"\xff\xfe", b"\xe6\x9a", b"\xed\xa0\x80", b"\xc3\xa9" * 9, b"~" * 4000]
)
async def test_a_token_of_any_bytes_is_refused_and_no_error(line: Line, given: bytes) -> None:
    url = URL(line.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(
        b"GET /onebot/v11/ws HTTP/1.1\r\nHost: kefu\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        b"X-Self-ID: " + SELF_ID.encode() + b"\r\nAuthorization: Bearer " + given + b"\r\n\r\n"
    )
    status = int((await reader.readline()).split()[1])
    writer.close()
    await writer.wait_closed()
    assert status == 403


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_an_account_without_a_token_is_none(mode: str) -> None:
    entry = {"self_id": SELF_ID, "mode": mode, "url": "ws://127.0.0.1:3001"}
    with pytest.raises(ValidationError, match="access_token"):
        OneBotAccount.model_validate(entry)
    for empty in ("", "  ", None):
        with pytest.raises(ValidationError, match="access_token"):
            OneBotAccount.model_validate({**entry, "access_token": empty})


async def test_the_newest_connection_wins(line: Line, qq: FakeOneBot) -> None:
    qq.wires.is_dialling = False
    newer = await line.dials()
    await qq.until(lambda: qq.wires.close_codes == [4001] or bool(qq.wires.close_codes))
    await line.connector.send(a_unit(to(newer, "小明")))
    assert [one.text for one in newer.shown("小明")] == ["您好"]
    assert qq.shown("小明") == []


async def test_a_forward_connection_is_dialled_again(house: House, clock: FakeClock) -> None:
    async with FakeOneBot(clock, mode="forward") as fake:
        assert isinstance(fake, FakeOneBot)
        connector = house.connector(fake.account())
        await connector.start()
        await fake.until(lambda: fake.wires.opened == 1)
        await fake.wires.cut()
        await fake.until(lambda: fake.wires.opened == 2)
        await fake.says("小明", "又通了")
        assert (await house.sink.until(1))[0].text == "又通了"
        await connector.stop()


async def test_a_forward_connection_with_a_wrong_token_is_down_and_says_so(
    house: House, clock: FakeClock
) -> None:
    async with FakeOneBot(clock, mode="forward") as fake:
        connector = house.connector({**fake.account(), "access_token": "another-token-0123456789"})
        check = await connector.check()
        assert (check.is_reachable, check.is_authorised) == (True, False)


# ---------------------------------------------------------------------- what is heard


async def test_garbage_on_the_socket_is_skipped(line: Line, qq: FakeOneBot) -> None:
    for frame in ("not json", "[]", "{}", '{"post_type": 7}', '{"post_type": "message"}', "[" * 9):
        await qq.wires.push(frame)
    await qq.says("小明", "还在")
    messages = await line.house.sink.until(1)
    await line.connector._events.join()
    assert [one.text for one in messages if one.kind is InboundKind.MESSAGE] == ["还在"]


async def test_in_a_group_only_a_mention_of_us_is_heard(line: Line, qq: FakeOneBot) -> None:
    await qq.says("小明", "随便聊聊", group="买家群", mentions=False)
    await qq.says("小明", "怎么买", group="买家群")
    await qq.says("小红", "私聊")
    messages = await line.house.sink.until(2)
    assert [one.text for one in messages] == ["怎么买", "私聊"]
    assert messages[0].address == to(qq, "小明", "买家群")


async def test_an_answer_in_a_group_mentions_who_asked(line: Line, qq: FakeOneBot) -> None:
    await line.connector.send(a_unit(to(qq, "小明", "买家群")))
    (shown,) = qq.shown("", group="买家群")
    assert shown.text == f"@{qq.number('小明')} 您好"


async def test_what_a_customer_typed_is_never_a_command(line: Line, qq: FakeOneBot) -> None:
    await line.connector.send(a_unit(to(qq, "小明"), "[CQ:at,qq=all] &#91;"))
    assert [one.text for one in qq.shown("小明")] == ["[CQ:at,qq=all] &#91;"]


async def test_our_own_messages_are_not_heard_and_those_from_the_phone_are(
    line: Line, qq: FakeOneBot
) -> None:
    await line.connector.send(a_unit(to(qq, "小明"), "机器人说的"))
    echo = qq._event(
        "message_sent",
        message_type="private",
        target_id=qq.number("小明"),
        message_id=1,
        message=[{"type": "text", "data": {"text": "机器人说的"}}],
    )
    await qq.wires.push(echo)
    await qq.native_reply("小明", "我来处理")
    (message,) = await line.house.sink.until(1)
    assert (message.kind, message.text) == (InboundKind.NATIVE_REPLY, "我来处理")


async def test_somebody_met_in_a_group_is_answered_through_it(line: Line, qq: FakeOneBot) -> None:
    event = qq._event(
        "message",
        message_type="private",
        sub_type="group",
        message_id=5,
        user_id=qq.number("路人"),
        sender={"group_id": qq.group_number("买家群"), "nickname": "路人"},
        message=[{"type": "text", "data": {"text": "在吗"}}],
    )
    await qq.wires.push(event)
    (message,) = await line.house.sink.until(1)
    await line.connector.send(a_unit(message.address))
    (call,) = qq.calls
    assert call.parameters["group_id"] == qq.group_number("买家群")
    assert message.address.user_id == str(qq.number("路人"))


async def test_new_friends_arrive_and_requests_are_taken_where_the_admin_says_so(
    house: House, clock: FakeClock
) -> None:
    line = await Line(house, clock, accept_friends=True).opened()
    qq = await line.dials()
    flag = await qq.asks_to_be_friends("小明")
    await qq.until(lambda: qq.requests[flag])
    await qq.arrives("小明")
    (message,) = await house.sink.until(1)
    assert message.kind is InboundKind.ARRIVAL
    await line.close()


async def test_what_was_said_while_nobody_was_connected_is_asked_for(
    line: Line, qq: FakeOneBot
) -> None:
    await qq.says("小明", "在吗")
    await line.house.sink.until(1)
    await qq.wires.cut()
    await qq.says("小明", "没人吗")
    messages = await line.house.sink.until(2)
    assert [one.text for one in messages] == ["在吗", "没人吗"]


async def test_who_first_writes_while_nobody_is_connected_is_found(
    line: Line, qq: FakeOneBot
) -> None:
    await qq.wires.cut()
    await qq.says("小红", "付了钱没收到卡")
    (message,) = await line.house.sink.until(1)
    assert message.text == "付了钱没收到卡"


async def test_who_wrote_before_is_asked_where_no_contacts_can_be_listed(line: Line) -> None:
    fake = await line.dials(profile="llonebot")
    await fake.says("小明", "在吗")
    await line.house.sink.until(1)
    await fake.wires.cut()
    await fake.says("小明", "没人吗")
    assert [one.text for one in await line.house.sink.until(2)] == ["在吗", "没人吗"]


async def test_what_was_said_before_the_start_is_asked_for_from_where_it_was_stored(
    house: House, clock: FakeClock
) -> None:
    before = FakeOneBot(clock)
    await before.says("小明", "上周的话")
    clock.pass_(days=7)
    house.sink.checkpoints[BOT, "heard"] = clock().isoformat()
    await before.says("小明", "在吗")
    clock.pass_(hours=1)
    line = await Line(house, clock).opened()
    line.fakes.append(before)
    await before.start()
    await before.connect(line.url)
    (message,) = await house.sink.until(1)
    assert message.text == "在吗"
    await line.close()


async def test_an_account_that_is_new_here_is_not_asked_for_its_past(
    house: House, clock: FakeClock
) -> None:
    before = FakeOneBot(clock)
    await before.says("小明", "旧话")
    line = await Line(house, clock).opened()
    line.fakes.append(before)
    await before.start()
    await before.connect(line.url)
    await before.says("小明", "新话")
    (message,) = await house.sink.until(1)
    assert message.text == "新话"
    assert not [one for one in before.calls if "history" in one.method]
    await line.close()


async def test_what_cannot_be_stored_is_kept_until_it_can(line: Line, qq: FakeOneBot) -> None:
    line.house.sink.is_away = True
    await qq.says("小明", "一")
    await qq.says("小明", "二")
    line.house.sink.is_away = False
    assert [one.text for one in await line.house.sink.until(2)] == ["一", "二"]


@pytest.mark.parametrize(
    ("part", "text", "unreadable"),
    [
        ({"type": "face", "data": {"id": 178}}, "🙂", False),
        ({"type": "location", "data": {"title": "人民广场"}}, "[位置] 人民广场", True),
        ({"type": "json", "data": {"data": "{}"}}, "[卡片]", True),
        ({"type": "at", "data": {"qq": "all"}}, "@全体成员", False),
        ({"type": "tomorrow", "data": {"x": 1}}, "[其他消息]", True),
    ],
)
async def test_what_is_no_text_is_described(
    line: Line, qq: FakeOneBot, part: dict[str, Any], text: str, unreadable: bool
) -> None:
    await qq._tells("小明", [part])
    (message,) = await line.house.sink.until(1)
    assert (message.text, message.is_unreadable) == (text, unreadable)


async def test_an_unknown_event_is_kept_and_skipped(line: Line, qq: FakeOneBot) -> None:
    await qq.wires.push(qq._event("notice", notice_type="from_tomorrow", user_id=1))
    (message,) = await line.house.sink.until(1)
    assert message.kind is InboundKind.OTHER
    assert message.raw is not None
    assert json.loads(message.raw)["notice_type"] == "from_tomorrow"


# ---------------------------------------------------------------------- what is sent


@pytest.mark.parametrize(
    ("kind", "more", "error", "maybe_sent"),
    [
        ("status", {}, Retryable, False),
        ("timeout", {}, Retryable, True),
        ("silent", {}, Retryable, True),
        ("hang", {}, Retryable, True),
        ("garbage", {}, Retryable, True),
        ("wrong_echo", {}, Retryable, True),
        ("drop_after", {}, Retryable, True),
        ("error", {"code": 1404}, Rejected, False),
        ("error", {"code": 1400}, Rejected, False),
        ("error", {"code": 1403}, AuthError, False),
    ],
)
async def test_a_failure_says_what_helps(  # noqa: PLR0917 - fixtures
    line: Line,
    qq: FakeOneBot,
    kind: str,
    more: dict[str, Any],
    error: type[SendError],
    maybe_sent: bool,
) -> None:
    qq.faults.add(kind, **more)
    with pytest.raises(error) as caught:
        await line.connector.send(a_unit(to(qq, "小明")))
    assert caught.value.maybe_sent is maybe_sent
    assert str(qq.number("小明")) not in str(caught.value)


async def test_a_plain_failure_is_tried_once_more_and_no_more(line: Line, qq: FakeOneBot) -> None:
    qq.faults.add("status", times=2)
    with pytest.raises(Retryable):
        await line.connector.send(a_unit(to(qq, "小明")))
    with pytest.raises(Rejected):
        await line.connector.send(a_unit(to(qq, "小明")))


async def test_an_answer_to_somebody_else_is_dropped(line: Line, qq: FakeOneBot) -> None:
    qq.faults.add("late")
    with pytest.raises(Retryable):
        await line.connector.send(a_unit(to(qq, "小明"), "一"))
    await line.connector.send(a_unit(to(qq, "小明"), "二"))
    link = line.connector._link
    assert link is not None
    assert link.foreign == 1
    assert line.house.sink.messages == []


async def test_an_event_between_an_action_and_its_answer_is_no_answer(
    line: Line, qq: FakeOneBot
) -> None:
    qq.faults.add("noisy")
    result = await line.connector.send(a_unit(to(qq, "小明")))
    assert result.platform_ids
    assert (await line.house.sink.until(1))[0].text == "插一句"


async def test_an_outcome_that_nobody_will_tell_counts_as_taken(line: Line, qq: FakeOneBot) -> None:
    qq.faults.add("async")
    result = await line.connector.send(a_unit(to(qq, "小明")))
    assert result.status == "pending_audit"


async def test_a_half_dead_socket_is_closed(line: Line, qq: FakeOneBot) -> None:
    qq.faults.add("hang", times=3)
    for number in range(3):
        with pytest.raises(Retryable):
            await line.connector.send(a_unit(to(qq, "小明"), key=f"O{number}-0"))
    await qq.until(lambda: qq.wires.opened == 2)
    await line.connector.send(a_unit(to(qq, "小明")))
    assert [one.text for one in qq.shown("小明")] == ["您好"]


async def test_without_a_connection_nothing_was_sent(line: Line, qq: FakeOneBot) -> None:
    await qq.wires.close()
    await qq.until(lambda: line.connector._link is None)
    with pytest.raises(Retryable) as caught:
        await line.connector.send(a_unit(to(qq, "小明")))
    assert not caught.value.maybe_sent


async def test_files_go_out_as_what_qq_shows_and_come_back(
    line: Line, qq: FakeOneBot, house: House
) -> None:
    for kind in ("image", "voice", "video", "file"):
        file = Attachment(f"{kind:a<32}", kind, "x/y", 3, f"{kind}.bin")
        house.files.contents[file.id] = kind.encode()  # type: ignore[attr-defined]
        await line.connector.send(a_unit(to(qq, "小明"), "", attachment=file))
    assert [(one.kind, one.content) for one in qq.shown("小明")] == [
        (kind, kind.encode()) for kind in ("image", "voice", "video", "file")
    ]
    await qq.sends_media("小明", "image", b"picture")
    await qq.sends_media("小明", "voice", b"#!SILK")
    messages = await house.sink.until(2)
    contents = [await line.connector.fetch(one.media[0], 100) for one in messages]
    assert contents == [b"picture", b"#!SILK"]
    qq.files.clear()
    with pytest.raises(MediaGone, match="expired"):
        await line.connector.fetch(messages[0].media[0], 100)


async def test_typing_is_asked_for_until_an_implementation_says_that_it_cannot(
    line: Line,
) -> None:
    fake = await line.dials(profile="llonebot")
    assert line.connector.capabilities.has_typing
    await line.connector.typing(to(fake, "小明"), "bot", is_on=True)
    assert not line.connector.capabilities.has_typing


async def test_who_says_nothing_to_what_is_not_known_there_is_not_taken_for_dead(
    line: Line, qq: FakeOneBot
) -> None:
    qq.faults.add("hang", "set_input_status", times=99)
    for _ in range(5):
        await line.connector.typing(to(qq, "小明"), "bot", is_on=True)
    assert [one.method for one in qq.calls].count("set_input_status") == 2
    await line.connector.send(a_unit(to(qq, "小明")))
    assert [one.text for one in qq.shown("小明")] == ["您好"]
    assert line.connector.health().state is HealthState.UP


# ---------------------------------------------------------------------- quotes


async def test_what_a_message_answers_is_asked_for(line: Line, qq: FakeOneBot) -> None:
    number = await qq.says("小明", "Steam 钱包码多少钱")
    parts = [{"type": "reply", "data": {"id": number}}, segments.text("这个呢")]
    await qq._tells("小明", parts)
    _, found = await line.house.sink.until(2)
    assert (found.text, found.quoted) == ("这个呢", "Steam 钱包码多少钱")


async def test_what_nobody_tells_about_a_message_holds_nothing_up(
    line: Line, qq: FakeOneBot
) -> None:
    qq.faults.add("hang", "get_msg")
    for text in ("一", "二"):
        await qq._tells("小明", [{"type": "reply", "data": {"id": "5"}}, segments.text(text)])
    found = await line.house.sink.until(2)
    assert [(one.text, one.quoted) for one in found] == [("一", ""), ("二", "")]
    # who gave no answer once is not asked again
    assert [one.method for one in qq.calls].count("get_msg") == 1


# ---------------------------------------------------------------------- health


async def test_an_account_that_is_offline_is_told(line: Line, qq: FakeOneBot) -> None:
    await qq.beats()
    await qq.beats(online=False)
    await _until(lambda: line.connector.health().state is HealthState.DOWN)
    assert "重新登录" in (line.connector.health().last_error or "")
    await qq.beats()
    await _until(lambda: line.connector.health().state is HealthState.UP)


async def test_heartbeats_that_stop_are_seen(line: Line, qq: FakeOneBot, clock: FakeClock) -> None:
    await qq.beats(interval_ms=30_000)
    await _until(lambda: line.connector._last_beat_at is not None)
    clock.pass_(seconds=89)
    assert line.connector.health().state is HealthState.UP
    clock.pass_(seconds=2)
    assert line.connector.health().state is HealthState.DEGRADED


async def test_nobody_connected_is_no_health(line: Line) -> None:
    health = line.connector.health()
    assert (health.state, health.last_error) == (HealthState.DEGRADED, "还没有 QQ 连上来")


async def _until(is_so: Any) -> None:
    async with asyncio.timeout(5):
        while not is_so():  # noqa: ASYNC110 - a frame is on its way through a real socket
            await asyncio.sleep(0.01)
