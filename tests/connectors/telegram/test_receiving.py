from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta
from io import BytesIO
from typing import Any

import aiohttp
import pytest

from connectors.messages import Button, Checkpoint, HealthState, Inbound, InboundKind, Receipt
from connectors.telegram.connector import SECRET_HEADER
from devkit.telegram import FakeTelegram
from devkit.telegram.platform import SECRET
from tests.connectors.telegram.conftest import REF, HandClock, Stand, payload, until

KINDS = ["message", "edited_message", "callback_query", "my_chat_member"]


def polls(stand: Stand) -> int:
    return sum(call.method == "getUpdates" for call in stand.fake.calls)


def answered(fake: FakeTelegram) -> list[int]:
    return [len(query.answers) for query in fake.state.queries.values()]


# ---------------------------------------------------------------------- polling


async def test_what_customers_write_is_stored_in_order_and_acknowledged(stand: Stand) -> None:
    await stand.starts()
    for number in range(20):
        await stand.fake.says("小林", f"第{number}条")
    await stand.sink.until(20)
    await until(lambda: not stand.fake.updates.waiting)
    assert stand.texts == [f"第{number}条" for number in range(20)]
    assert stand.connector.health().state is HealthState.UP
    assert stand.fake.updates.allowed == KINDS


async def test_the_same_update_three_times_is_one_message(stand: Stand) -> None:
    await stand.starts()
    key = await stand.fake.says("小林", "在吗", times=3)
    await stand.fake.says("小林", "还在吗")
    await stand.sink.until(2)
    await stand.fake.replays(key)
    await stand.fake.says("小林", "好吧")
    await stand.sink.until(3)
    assert stand.texts == ["在吗", "还在吗", "好吧"]
    assert stand.sink.deliveries >= 6


async def test_what_cannot_be_stored_is_not_acknowledged(stand: Stand, clock: HandClock) -> None:
    stand.sink.is_away = True
    await stand.starts()
    await stand.fake.says("小林", "在吗")
    await until(lambda: stand.connector.health().state is HealthState.DEGRADED)
    assert len(stand.fake.updates.waiting) == 1
    stand.sink.is_away = False
    await clock.wakes_somebody()
    await stand.sink.until(1)
    await until(lambda: stand.connector.health().state is HealthState.UP)


async def test_a_restart_goes_on_where_it_was_and_loses_nothing(stand: Stand) -> None:
    await stand.starts()
    key = await stand.fake.says("小林", "一")
    await stand.sink.until(1)
    await stand.connector.stop()
    await stand.fake.says("小林", "二")
    assert stand.sink.checkpoints[REF, "offset"] == str(int(key) + 1)
    await stand.starts()
    await stand.sink.until(2)
    assert stand.texts == ["一", "二"]


async def test_numbers_that_start_anew_are_followed(stand: Stand) -> None:
    await stand.starts()
    await stand.fake.says("小林", "一")
    await until(lambda: not stand.fake.updates.waiting)
    stand.fake.updates.next_id = 1200
    for text in ("二", "三"):
        await stand.fake.says("小林", text)
    await stand.sink.until(3)
    await until(lambda: not stand.fake.updates.waiting)
    assert stand.texts == ["一", "二", "三"]


async def test_only_one_process_polls(stand: Stand, clock: HandClock) -> None:
    stand.house.leases.is_taken = True
    await stand.starts()
    await until(lambda: "另一个 kefu" in (stand.connector.health().last_error or ""))
    assert polls(stand) == 0
    stand.house.leases.is_taken = False
    await clock.wakes_somebody()
    await until(lambda: stand.connector.health().state is HealthState.UP or polls(stand))
    assert stand.house.leases.held == {"telegram:110201543"}
    await stand.connector.stop()
    assert stand.house.leases.held == set()


async def test_a_second_poller_degrades_then_fails_and_leaves_no_trace(
    stand: Stand, clock: HandClock
) -> None:
    stand.fake.faults.add("error", "getUpdates", code=409, times=1000)
    await stand.starts()
    await until(lambda: stand.connector.health().state is HealthState.DEGRADED)
    assert "别的程序" in (stand.connector.health().last_error or "")
    began = clock()
    while clock() - began < timedelta(seconds=60):
        assert stand.connector.health().state is HealthState.DEGRADED
        await clock.wakes_somebody()
    await until(lambda: stand.connector.health().state is HealthState.DOWN)
    stand.fake.faults.clear()
    await clock.wakes_somebody()
    await stand.fake.says("小林", "在吗")
    await stand.sink.until(1)
    assert stand.connector.health().state is HealthState.UP


async def test_a_webhook_of_ours_is_taken_away_when_we_poll(stand: Stand) -> None:
    stand.fake.pusher.webhook = None
    await stand.connector._api.set_webhook("https://old.example.com/hooks/telegram/main")
    await stand.fake.says("小林", "在吗")
    await stand.starts()
    await stand.sink.until(1)
    assert stand.fake.pusher.webhook is None


async def test_a_foreign_webhook_is_left_alone_unless_the_admin_says_so(
    stand: Stand,
) -> None:
    await stand.connector._api.set_webhook("https://shop.example.com/bot")
    await stand.starts()
    await until(lambda: stand.connector.health().state is HealthState.DOWN)
    assert "replace_webhook" in (stand.connector.health().last_error or "")
    assert stand.fake.pusher.webhook is not None
    await stand.connector.stop()
    await stand.starts(replace_webhook=True)
    await stand.fake.says("小林", "在吗")
    await stand.sink.until(1)
    assert stand.fake.pusher.webhook is None


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 502},
        {"kind": "error", "code": 500},
        {"kind": "drop_before"},
        {"kind": "garbage"},
        {"kind": "error", "code": 429, "fields": {"retry_after": 3}},
    ],
)
async def test_passing_trouble_is_shown_and_passes(
    stand: Stand, clock: HandClock, fault: dict[str, Any]
) -> None:
    stand.fake.faults.add(method="getUpdates", times=3, **fault)
    await stand.fake.says("小林", "在吗")
    await stand.starts()
    for failures in range(3):
        await until(lambda n=failures: len(clock.slept) > n)  # type: ignore[misc]
        assert stand.connector.health().state is HealthState.DEGRADED
        await clock.wakes_somebody()
    await stand.sink.until(1)
    assert stand.connector.health().state is HealthState.UP
    assert clock.slept == sorted(clock.slept)
    if "fields" in fault:
        assert clock.slept == [3.0] * 3


async def test_a_revoked_token_is_shown_and_asked_about_rarely(
    stand: Stand, clock: HandClock
) -> None:
    stand.fake.token = "110201543:" + "B" * 35
    await stand.starts(token="110201543:" + "C" * 35)
    await until(lambda: clock.slept)
    health = stand.connector.health()
    assert health.state is HealthState.DOWN
    assert "BotFather" in (health.last_error or "")
    assert len(stand.fake.calls) == 1
    assert clock.slept[0] >= 30


async def test_sends_that_succeed_do_not_hide_that_nothing_comes_in(
    stand: Stand, clock: HandClock
) -> None:
    stand.fake.faults.add("error", "getUpdates", code=409, times=1000)
    await stand.fake.arrives("小林")
    await stand.starts()
    await until(lambda: clock.slept)
    await stand.says("小林", "您好")
    assert stand.connector.health().state is HealthState.DEGRADED
    assert "别的程序" in (stand.connector.health().last_error or "")


async def test_a_message_that_a_bug_cannot_store_does_not_keep_back_the_rest(
    stand: Stand, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = stand.sink.accept

    async def fails(
        messages: Sequence[Inbound], checkpoint: Checkpoint | None = None
    ) -> tuple[Receipt, ...]:
        if any(one.text == "毒药" for one in messages):
            raise RuntimeError("a bug")
        return await store(messages, checkpoint)

    monkeypatch.setattr(stand.sink, "accept", fails)
    for text in ("一", "毒药", "二"):
        await stand.fake.says("小林", text)
    await stand.starts()
    for _ in range(3):
        await clock.wakes_somebody()
    await stand.sink.until(2)
    assert stand.texts == ["一", "二"]


async def test_a_press_is_answered_once_it_is_stored_and_a_late_one_is_no_trouble(
    stand: Stand, clock: HandClock
) -> None:
    await stand.fake.arrives("小林")
    await stand.says("小林", "要做什么？", buttons=(Button("a", "查订单"),))
    await stand.fake.presses("小林", "查订单", times=2)
    clock.passes(seconds=100)  # the platform has forgotten it already
    await stand.fake.presses("小林", "查订单")
    await stand.starts()
    await stand.sink.until(3)
    await until(lambda: answered(stand.fake) == [0, 1])
    assert stand.kinds == [InboundKind.ARRIVAL, InboundKind.BUTTON, InboundKind.BUTTON]
    assert stand.sink.messages[1].button_token == "kf1:01JABCDEFGHJKMNPQRSTVWXYZ0:0"


async def test_a_poll_that_never_ends_is_seen_within_a_minute(
    stand: Stand, clock: HandClock
) -> None:
    await stand.starts()
    await stand.fake.says("小林", "在吗")
    await until(lambda: stand.sink.messages and not stand.fake.updates.waiting)
    clock.passes(seconds=79)
    assert stand.connector.health().state is HealthState.UP
    clock.passes(seconds=2)
    assert stand.connector.health().state is HealthState.DEGRADED
    await stand.fake.says("小林", "还在吗")
    await until(lambda: stand.connector.health().state is HealthState.UP)


async def test_a_poller_that_died_is_seen_at_once(stand: Stand) -> None:
    await stand.starts()
    task = stand.connector._receiving
    assert task is not None
    task.cancel()
    await until(task.done)
    assert stand.connector.health().state is HealthState.DOWN


async def test_start_block_and_return_are_told(stand: Stand) -> None:
    await stand.starts()
    await stand.fake.arrives("小林", "order_A100")
    await stand.fake.leaves("小林")
    await stand.fake.arrives("小林")
    await stand.sink.until(3)
    assert stand.kinds == [InboundKind.ARRIVAL, InboundKind.DEPARTURE, InboundKind.ARRIVAL]
    assert stand.sink.messages[0].text == "order_A100"


async def test_in_a_group_only_what_is_said_to_us_is_heard_and_answered_to_who_asked(
    stand: Stand,
) -> None:
    await stand.starts()
    await stand.fake.says("小林", "大家好", group="星辰群", mentions=False)
    await stand.fake.says("小林", "点卡还有吗", group="星辰群")
    await stand.sink.until(1)
    assert stand.texts == ["点卡还有吗"]
    await until(lambda: not stand.fake.updates.waiting)
    await stand.says("小林", "有的", group="星辰群")
    await stand.says("小周", "您也好", group="星辰群")
    first, second = stand.fake.shown("", group="星辰群")
    asked = stand.fake.updates.everything[max(stand.fake.updates.everything)].update
    assert first.raw["reply_to_message"]["message_id"] == asked["message"]["message_id"]
    assert second.text == "@您 您也好"
    assert second.raw["entities"][0]["user"]["id"] == stand.fake.state.user_id("小周")


async def test_nothing_secret_is_logged(
    stand: Stand, clock: HandClock, capsys: pytest.CaptureFixture[str]
) -> None:
    stand.fake.faults.add("drop_before", times=2)
    stand.fake.faults.add("status", status=502, times=2)
    await stand.fake.says("小林", "卡密 XYZ-123")
    await stand.fake.happens("crystal_ball", {"sees": "XYZ-123"})
    await stand.starts()
    for _ in range(4):
        await clock.wakes_somebody()
    await stand.sink.until(2)
    await stand.connector.stop()
    said = capsys.readouterr()
    for secret in (stand.fake.token, "XYZ-123", str(stand.fake.state.user_id("小林"))):
        assert secret not in said.out + said.err


# ---------------------------------------------------------------------- webhook


@pytest.fixture
async def hooked(fake: FakeTelegram, stand: Stand) -> Stand:
    """Running, with its webhook set."""
    fake.mode = "webhook"
    await stand.serves()
    await until(lambda: fake.pusher.webhook is not None)
    await until(lambda: stand.connector.health().state is HealthState.UP)
    return stand


async def test_the_webhook_is_set_with_a_secret_and_updates_come_by_it(hooked: Stand) -> None:
    hook = hooked.fake.pusher.webhook
    assert hook is not None
    assert hook.url.endswith("/hooks/telegram/main")
    assert hook.secret == SECRET
    await hooked.fake.says("小林", "在吗", times=3)
    assert hooked.texts == ["在吗"]
    assert [status for status, _ in hooked.fake.pushes] == [200] * 3
    assert hooked.fake.updates.allowed == KINDS


async def test_two_deliveries_at_once_are_one_message(hooked: Stand) -> None:
    key = await hooked.fake.says("小林", "在吗")
    await asyncio.gather(*(hooked.fake.replays(key) for _ in range(5)))
    assert hooked.texts == ["在吗"]


async def test_what_cannot_be_stored_is_refused_and_comes_again(hooked: Stand) -> None:
    hooked.sink.is_away = True
    await hooked.fake.says("小林", "一")
    assert {status for status, _ in hooked.fake.pushes} == {503}
    assert hooked.fake.pusher.waits == [2.0] * 4  # as we asked
    hooked.sink.is_away = False
    await hooked.fake.says("小林", "二")
    assert hooked.texts == ["一", "二"]


async def push(stand: Stand, body: bytes, **headers: str) -> int:
    hook = stand.fake.pusher.webhook
    assert hook is not None
    sent = {SECRET_HEADER: hook.secret, **headers}
    async with (
        aiohttp.ClientSession() as http,
        http.post(hook.url, data=BytesIO(body), headers=sent) as answer,
    ):
        return answer.status


async def test_a_wrong_or_missing_secret_is_refused_and_nothing_is_stored(hooked: Stand) -> None:
    body = json.dumps(payload("text")).encode()
    for secret in ("", "wrong", SECRET[:-1], SECRET.upper()):
        assert await push(hooked, body, **{SECRET_HEADER: secret}) == 401
    assert hooked.sink.deliveries == 0
    assert await push(hooked, body) == 200
    assert hooked.texts == ["付了款没收到卡密"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"not json", 400),
        (b"[]", 400),
        (b"{}", 400),
        (b'{"update_id": "1"}', 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 400),
        (b"x" * (1024 * 1024 + 1), 413),
        (b'{"update_id": 1}', 200),
    ],
)
async def test_garbage_is_refused_and_the_process_lives(
    hooked: Stand, body: bytes, status: int
) -> None:
    assert await push(hooked, body) == status
    await hooked.fake.says("小林", "在吗")
    assert "在吗" in hooked.texts


async def test_every_kind_of_update_is_taken(hooked: Stand) -> None:
    for name in ("photo", "callback", "blocked", "unknown_kind", "group_chatter", "pinned"):
        assert await push(hooked, json.dumps(payload(name)).encode()) == 200
    assert hooked.kinds == [
        InboundKind.MESSAGE,
        InboundKind.BUTTON,
        InboundKind.DEPARTURE,
        InboundKind.OTHER,
        InboundKind.OTHER,
    ]


async def test_a_webhook_that_somebody_took_is_fetched_back_only_if_it_was_removed(
    hooked: Stand, clock: HandClock
) -> None:
    hooked.fake.pusher.webhook = None
    await clock.wakes_somebody()
    await until(lambda: hooked.fake.pusher.webhook is not None)
    hook = hooked.fake.pusher.webhook
    assert hook is not None
    hook.url = "https://shop.example.com/bot"
    await clock.wakes_somebody()
    await until(lambda: hooked.connector.health().state is HealthState.DOWN)
    assert "replace_webhook" in (hooked.connector.health().last_error or "")
    assert hook.url == "https://shop.example.com/bot"


async def test_what_telegram_says_of_its_tries_is_shown(hooked: Stand, clock: HandClock) -> None:
    hooked.sink.is_away = True
    await hooked.fake.says("小林", "一")
    await clock.wakes_somebody()
    await until(lambda: hooked.connector.health().state is HealthState.DEGRADED)
    assert "503" in (hooked.connector.health().last_error or "")
    hooked.sink.is_away = False
    await hooked.fake.redelivers()
    clock.passes(seconds=1)
    await clock.wakes_somebody()
    await until(lambda: hooked.connector.health().state is HealthState.UP)


async def test_without_a_public_address_there_can_be_no_webhook(stand: Stand) -> None:
    await stand.starts(updates="webhook")
    await until(lambda: stand.connector.health().state is HealthState.DOWN)
    assert "KEFU_PUBLIC_URL" in (stand.connector.health().last_error or "")


async def test_a_webhook_that_telegram_does_not_like_is_told(stand: Stand) -> None:
    stand.fake.faults.add(
        "error", "setWebhook", code=400, fields={"description": "bad webhook: IP address"}
    )
    await stand.serves(updates="webhook")
    await until(lambda: stand.connector.health().state is HealthState.DOWN)
    assert "https" in (stand.connector.health().last_error or "")


async def test_a_group_waits_until_the_bots_name_is_known(stand: Stand, clock: HandClock) -> None:
    stand.fake.faults.add("status", "getMe", status=502)
    url = await stand.serves(updates="relayed", webhook_secret=SECRET)
    await until(lambda: clock.slept)
    body = json.dumps(payload("group_mention")).encode()
    headers = {SECRET_HEADER: SECRET}
    async with aiohttp.ClientSession(headers=headers) as http:
        async with http.post(f"{url}/hooks/telegram/main", data=body) as answer:
            assert answer.status == 503
        await clock.wakes_somebody()
        await until(lambda: stand.connector.health().state is HealthState.UP)
        async with http.post(f"{url}/hooks/telegram/main", data=body) as answer:
            assert answer.status == 200
    assert stand.texts == ["😀 点卡还有货吗"]


async def test_stopping_ends_everything_and_keeps_the_webhook(hooked: Stand) -> None:
    await hooked.connector.stop()
    await hooked.connector.stop()
    assert hooked.fake.pusher.webhook is not None
    assert hooked.connector._receiving is None


# ---------------------------------------------------------------------- relayed


async def test_a_shops_own_bot_brings_its_customers_and_kefu_answers_them_itself(
    stand: Stand,
) -> None:
    stand.fake.mode = "relayed"
    await stand.fake.connect(await stand.serves())
    await stand.fake.arrives("小林", "order_A100")
    await stand.fake.says("小林", "没收到卡密", times=2)
    await stand.fake.says("小林", "在吗", group="星辰群")
    await stand.sink.until(3)
    await stand.says("小林", "马上看", buttons=(Button("a", "查订单"),))
    await stand.fake.presses("小林", "查订单")
    await stand.fake.leaves("小林")
    await stand.sink.until(5)
    assert stand.texts == ["order_A100", "没收到卡密", "在吗", "查订单", ""]
    assert stand.kinds[3:] == [InboundKind.BUTTON, InboundKind.DEPARTURE]
    assert stand.sink.messages[0].person_name == "小林 测试"
    await until(lambda: answered(stand.fake) == [1])
    assert stand.fake.pusher.webhook is None
    assert stand.connector.capabilities.loses_before_us
    assert stand.connector.health().state is HealthState.UP


async def test_a_relay_keeps_what_kefu_cannot_store_and_brings_it_again(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.telegram.telegram_relay.LONGEST_RETRY_S", 0.001)
    stand.fake.mode = "relayed"
    stand.sink.is_away = True
    await stand.fake.connect(await stand.serves())
    for text in ("一", "二"):
        await stand.fake.says("小林", text)
    await until(lambda: stand.sink.deliveries)
    stand.sink.is_away = False
    await stand.sink.until(2)
    assert stand.texts == ["一", "二"]
