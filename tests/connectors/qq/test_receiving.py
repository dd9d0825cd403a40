"""The webhook: stored before it is acknowledged, and only if it is QQ's."""

from __future__ import annotations

import asyncio
import json
from io import BytesIO
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from connectors.errors import MediaBusy, MediaGone, NotStored
from connectors.messages import HealthState, InboundKind, PeerKind
from devkit.qq import SECRET, FakeQQOpen
from tests.connectors.qq.conftest import HandClock, Shop, a_shop, payload
from tests.factories.channels import House

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 60


async def post(shop: Shop, body: bytes, headers: dict[str, str]) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{shop.url}/hooks/qq/main", data=BytesIO(body), headers=headers) as answer,
    ):
        text = await answer.text()
        return answer.status, json.loads(text) if text else None


def signed(shop: Shop, body: bytes) -> dict[str, str]:
    return shop.fake.webhook.headers(body, shop.fake.clock())


async def test_a_message_is_stored_and_acknowledged(shop: Shop) -> None:
    await shop.hears("付了款没收到卡密")
    assert [one.text for one in shop.heard] == ["付了款没收到卡密"]
    assert shop.fake.pushes == [(200, '{"op": 12, "d": 0}')]
    assert shop.connector.health().last_inbound_at == shop.fake.clock()


async def test_a_message_told_three_times_is_one(shop: Shop) -> None:
    message = await shop.fake.says("小明", "在吗", times=2)
    await shop.fake.replays(message)
    assert shop.sink.deliveries == 3
    assert len(shop.heard) == 1


async def test_what_cannot_be_stored_is_brought_again(shop: Shop) -> None:
    shop.sink.is_away = True
    shop.fake.webhook.max_deliveries = 1
    message = await shop.fake.says("小明", "在吗")
    assert shop.fake.pushes == [(200, '{"op": 12, "d": 1}')]
    shop.sink.is_away = False
    await shop.fake.replays(message)
    assert [one.text for one in shop.heard] == ["在吗"]


async def test_the_platform_tries_again_by_itself(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept, failures = shop.sink.accept, [NotStored("away"), NotStored("away")]

    async def flaky(*arguments: Any) -> Any:
        if failures:
            raise failures.pop()
        return await accept(*arguments)

    monkeypatch.setattr(shop.sink, "accept", flaky)
    await shop.hears()
    assert [json.loads(body)["d"] for _, body in shop.fake.pushes] == [1, 1, 0]
    assert len(shop.heard) == 1


async def test_a_group_is_heard_when_it_mentions_the_bot(shop: Shop) -> None:
    await shop.fake.says("小明", "吃了吗", group="群", mentions=False)
    shop.fake.reads_all = True
    await shop.fake.says("小明", "吃了吗", group="群", mentions=False)
    await shop.fake.says("小明", "查订单", group="群")
    (heard,) = shop.heard
    assert (heard.text, heard.address.kind) == ("查订单", PeerKind.GROUP)
    assert all(status == 200 for status, _ in shop.fake.pushes)


# ---------------------------------------------------------------- what is not QQ's


async def test_a_forged_or_altered_event_is_not_stored(shop: Shop, clock: HandClock) -> None:
    body = json.dumps(payload("c2c_text"), ensure_ascii=False).encode()
    good = signed(shop, body)
    clock.passes(minutes=11)
    stale, _ = await post(shop, body, good)
    fresh = signed(shop, body)
    altered, _ = await post(shop, body.replace("付".encode(), b"x"), fresh)
    longer, _ = await post(shop, body + b" ", fresh)
    foreign, _ = await post(shop, body, {**fresh, "X-Bot-Appid": "2"})
    unsigned, _ = await post(shop, body, {"X-Bot-Appid": shop.fake.app_id})
    assert [stale, altered, longer, foreign, unsigned] == [401] * 5
    assert shop.sink.deliveries == 0


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"\xff\xfe\x00", b'{"op":"x"}'])
async def test_garbage_is_refused_and_the_bot_lives_on(shop: Shop, body: bytes) -> None:
    assert (await post(shop, body, signed(shop, body)))[0] == 400
    assert (await post(shop, body, {}))[0] == 400
    await shop.hears()
    assert len(shop.heard) == 1


async def test_what_is_too_large_is_refused_unread(shop: Shop) -> None:
    body = b"x" * (1024 * 1024 + 1)
    assert (await post(shop, body, signed(shop, body)))[0] == 413
    assert shop.sink.deliveries == 0


async def test_a_large_body_without_a_length_is_refused_too(shop: Shop) -> None:
    async def endless() -> Any:
        for _ in range(40):
            yield b"x" * 32 * 1024

    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{shop.url}/hooks/qq/main", data=endless()) as answer,
    ):
        assert answer.status == 413


async def test_a_heartbeat_is_answered(shop: Shop) -> None:
    body = json.dumps(payload("heartbeat")).encode()
    assert await post(shop, body, signed(shop, body)) == (200, {"op": 11, "d": 251})


# ---------------------------------------------------------------- the check of the address


@pytest.mark.parametrize("is_signed", [True, False])
async def test_the_owner_can_save_the_address(
    house: House, fake: FakeQQOpen, *, is_signed: bool
) -> None:
    fake.webhook.signs_check = is_signed
    async with a_shop(house, fake) as shop:
        assert len(fake.webhook.bodies) == 1
        await shop.hears()
        assert len(shop.heard) == 1


async def test_once_events_come_a_check_must_be_signed(shop: Shop) -> None:
    await shop.hears()
    shop.fake.webhook.signs_check = False
    with pytest.raises(ConnectionError):
        await shop.fake.connect(shop.url)
    shop.fake.webhook.signs_check = True
    await shop.fake.connect(shop.url)


async def test_a_check_with_a_token_that_looks_like_json_is_refused(shop: Shop) -> None:
    stamp = str(int(shop.fake.clock().timestamp()))
    event = {"op": 13, "d": {"plain_token": '{"op":0}', "event_ts": stamp}}
    body = json.dumps(event).encode()
    status, answer = await post(shop, body, {"X-Bot-Appid": shop.fake.app_id})
    assert (status, answer) == (403, None)


# ---------------------------------------------------------------- events


async def test_arrivals_and_departures(shop: Shop) -> None:
    await shop.fake.arrives("小明", "order-7")
    await shop.fake.leaves("小明")
    kinds = [(one.kind, one.text) for one in shop.heard]
    assert kinds == [(InboundKind.ARRIVAL, "order-7"), (InboundKind.DEPARTURE, "")]


async def test_an_arrival_can_be_greeted(shop: Shop) -> None:
    await shop.fake.arrives("小明")
    await shop.answers("欢迎光临")
    assert [one.text for one in shop.shown()] == ["欢迎光临"]


async def test_a_kind_of_event_from_tomorrow_is_kept_and_skipped(shop: Shop) -> None:
    await shop.fake.pushes_unknown()
    (heard,) = shop.heard
    assert heard.kind is InboundKind.OTHER
    assert shop.fake.pushes[-1][0] == 200


async def test_a_press_is_stored_and_the_wheel_stops(house: House, fake: FakeQQOpen) -> None:
    fake.may.keyboard = True
    async with a_shop(house, fake, buttons=True) as shop:
        await shop.hears()
        await shop.answers("请选择", buttons=(("kf1:A:0", "查订单"), ("kf1:A:1", "转人工")))
        press = await fake.presses("小明", "转人工", times=2)
        assert [one.button_token for one in shop.heard[1:]] == ["kf1:A:1"]
        await fake.until(lambda: fake.state.acknowledged[press] == 0)
        await shop.answers("马上来")
        assert shop.shown()[-1].text == "马上来"


async def test_a_press_that_is_replayed_makes_us_call_nobody(
    house: House, fake: FakeQQOpen
) -> None:
    fake.may.keyboard = True
    async with a_shop(house, fake, buttons=True) as shop:
        await shop.hears()
        await shop.answers("请选择", buttons=(("kf1:A:0", "查订单"), ("kf1:A:1", "转人工")))
        press = await fake.presses("小明", "转人工")
        await fake.until(lambda: fake.state.acknowledged[press] == 0)
        for _ in range(5):
            await fake.replays(press)
        asked = [call for call in fake.calls if call.method == "interactions"]
        assert len(asked) == 1
        assert len(shop.heard) == 2


async def test_a_press_is_acknowledged_to_the_webhook_at_once(
    house: House, fake: FakeQQOpen
) -> None:
    fake.may.keyboard = True
    async with a_shop(house, fake, buttons=True) as shop:
        await shop.hears()
        await shop.answers("请选择", buttons=(("kf1:A:0", "查订单"),))
        fake.faults.add("hang", "interactions")
        async with asyncio.timeout(2):
            await fake.presses("小明", "查订单")
        assert fake.pushes[-1][0] == 200


async def test_a_press_that_cannot_be_acknowledged_is_stored_all_the_same(
    house: House, fake: FakeQQOpen
) -> None:
    fake.may.keyboard = True
    async with a_shop(house, fake, buttons=True) as shop:
        await shop.hears()
        await shop.answers("请选择", buttons=(("kf1:A:0", "查订单"),))
        fake.faults.add("status", "interactions", status=500)
        await fake.presses("小明", "查订单")
        await fake.until(lambda: len(fake.faults.used) == 1)
        assert shop.heard[-1].kind is InboundKind.BUTTON


# ---------------------------------------------------------------- files


@pytest.mark.parametrize("kind", ["image", "voice", "video", "file"])
async def test_a_file_is_fetched_from_where_the_message_says(shop: Shop, kind: str) -> None:
    await shop.fake.sends_media("小明", kind, PNG, name="a.png")
    (media,) = shop.heard[0].media
    assert media.kind == kind
    assert await shop.connector.fetch(media, 1000) == PNG


async def test_a_file_too_large_or_gone_is_not_had(shop: Shop) -> None:
    await shop.fake.sends_media("小明", "image", PNG)
    (media,) = shop.heard[0].media
    with pytest.raises(MediaGone, match="too_large"):
        await shop.connector.fetch(media, 10)
    shop.fake.faults.add("status", "media", status=500)
    with pytest.raises(MediaBusy):
        await shop.connector.fetch(media, 1000)
    shop.fake.state.served.clear()
    with pytest.raises(MediaGone, match="expired"):
        await shop.connector.fetch(media, 1000)


async def test_an_address_inside_our_network_is_not_asked(house: House, fake: FakeQQOpen) -> None:
    async with a_shop(house, fake, private_media=[]) as shop:
        await fake.sends_media("小明", "image", PNG)
        (media,) = shop.heard[0].media
        with pytest.raises(MediaGone, match="refused"):
            await shop.connector.fetch(media, 1000)
        assert shop.calls("media") == 0


# ---------------------------------------------------------------- logs


async def test_no_secret_and_no_customer_is_logged(shop: Shop) -> None:
    with capture_logs() as logs:
        await shop.hears("我的手机号13800000000")
        shop.sink.is_away = True
        await shop.hears("我的手机号13800000000")
        await post(shop, b"{", {})
        await post(shop, b"{}", signed(shop, b""))
    openid = shop.fake.user_openid("小明")
    assert logs
    for hidden in (SECRET, openid, "13800000000"):
        assert hidden not in repr(logs)


async def test_health_says_nothing_is_wrong_when_nothing_is(shop: Shop) -> None:
    await shop.connector.start()
    await shop.settles()
    assert shop.connector.health().state is HealthState.UP
    assert shop.connector.health().last_error is None
