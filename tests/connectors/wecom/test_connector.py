from __future__ import annotations

import io
import logging
from typing import Any

import aiohttp
import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestServer

from connectors.errors import (
    AuthError,
    Fatal,
    MediaGone,
    RateLimited,
    Rejected,
    Retryable,
    SendError,
    Undeliverable,
    WindowClosed,
)
from connectors.kit.registry import make
from connectors.media.http import MAX_WEBHOOK_BYTES
from connectors.messages import (
    Attachment,
    HealthState,
    InboundKind,
    MediaHandle,
    SendStatus,
)
from connectors.wecom.account import WecomAccount
from connectors.wecom.connector import WecomConnector
from devkit.wecom import FakeWeComKF, rules
from devkit.wecom.platform import AES_KEY, CALLBACK_TOKEN, SECRET
from tests.connectors.wecom.conftest import HandClock, Stand, a_grant

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(64)
BUTTONS = (("kf1:01JABCDEFGHJKMNPQRSTVWXYZ0:0", "查订单"), ("kf1:x:1", "转人工"))


def test_the_registry_makes_it(stand: Stand, fake: FakeWeComKF) -> None:
    account = WecomAccount.model_validate(fake.account())
    assert isinstance(make(account, stand.host), WecomConnector)


def test_what_it_can_do_comes_from_the_account(stand: Stand) -> None:
    able = stand.a_connector(max_text_bytes=600, max_menu_items=4).capabilities
    assert (able.max_text, able.text_unit, able.max_buttons) == (600, "bytes", 4)
    assert (able.send_idempotent, able.needs_grant, able.redelivers) == (True, True, True)


# ---------------------------------------------------------------------- sending


async def test_a_text_is_sent_under_its_own_id(stand: Stand, fake: FakeWeComKF) -> None:
    await fake.says("ming", "在吗")
    unit = stand.unit("ming", "在的，<b>您说</b> & [CQ:at,qq=all] ]]>")
    result = await stand.connector.send(unit)
    assert (result.status, result.platform_ids) == (SendStatus.ACCEPTED, (unit.id,))
    assert stand.seen("ming") == [unit.text]
    assert stand.connector.health().state is HealthState.UP


async def test_buttons_become_a_menu_and_a_press_comes_back(
    stand: Stand, fake: FakeWeComKF
) -> None:
    await stand.serve()
    await fake.says("ming", "在吗")
    await stand.sends("ming", "请选择", buttons=BUTTONS)
    assert fake.shown("ming")[-1].buttons == ("查订单", "转人工")
    await fake.presses("ming", "查订单")
    await stand.until(lambda: bool(stand.sink.of_kind(InboundKind.BUTTON)))
    (press,) = stand.sink.of_kind(InboundKind.BUTTON)
    assert press.button_token == BUTTONS[0][0]


async def test_a_text_too_long_for_a_menu_asks_for_numbers(stand: Stand, fake: FakeWeComKF) -> None:
    await fake.says("ming", "在吗")
    await stand.sends("ming", "x" * 1024, buttons=BUTTONS)
    with pytest.raises(Rejected) as caught:
        await stand.sends("ming", "x" * 1025, buttons=BUTTONS)
    assert caught.value.is_format


@pytest.mark.parametrize(
    ("attachment", "shown"),
    [
        (Attachment("f1", "image", "image/png", 72, "卡密.png"), "卡密.png"),
        (Attachment("f1", "image", "image/webp", 72, "截图"), "截图.webp"),
        (Attachment("f1", "file", "application/pdf", 72, 'a"b/../c.pdf'), "ab..c.pdf"),
        (Attachment("f1", "file", "application/pdf", 72), "file"),
    ],
)
async def test_files_are_uploaded_and_sent(
    stand: Stand, fake: FakeWeComKF, attachment: Attachment, shown: str
) -> None:
    await fake.says("ming", "发张图")
    stand.files.contents["f1"] = PICTURE
    await stand.sends("ming", "", attachment=attachment)
    (seen,) = fake.shown("ming")
    assert (seen.content, seen.text) == (PICTURE, shown)
    # what is no PNG or JPEG is no picture for WeCom, and goes as a file
    assert seen.kind == ("image" if attachment.mime == "image/png" else "file")


async def test_a_file_that_is_gone_or_too_large_is_rejected(
    stand: Stand, fake: FakeWeComKF
) -> None:
    await fake.says("ming", "发张图")
    stand.files.contents["big"] = bytes((20 << 20) + 1)
    for key, code in (("gone", "gone"), ("big", "too_large")):
        with pytest.raises(Rejected) as caught:
            await stand.sends("ming", "", attachment=Attachment(key, "file", "a/b", 1))
        assert caught.value.code == code
    assert fake.shown("ming") == []


async def test_the_sixth_answer_waits_for_the_customer(stand: Stand, fake: FakeWeComKF) -> None:
    await fake.says("ming", "在吗")
    for _ in range(5):
        await stand.sends("ming")
    with pytest.raises(WindowClosed) as caught:
        await stand.sends("ming")
    assert caught.value.code == "95001"


async def test_after_two_days_and_while_a_person_has_it_we_wait_for_the_customer(
    stand: Stand, fake: FakeWeComKF, clock: HandClock
) -> None:
    await fake.says("ming", "转人工")
    await fake.native_reply("ming", "我来")
    with pytest.raises(WindowClosed) as caught:
        await stand.sends("ming")
    assert caught.value.code == "95018"
    clock.passes(hours=49)
    with pytest.raises(WindowClosed) as caught:
        await stand.sends("ming")
    assert caught.value.code == "95002"


@pytest.mark.parametrize(
    ("code", "kind", "state"),
    [
        (-1, Retryable, HealthState.DEGRADED),
        (45009, RateLimited, HealthState.STARTING),
        (40014, AuthError, HealthState.DOWN),
        (95000, Fatal, HealthState.DOWN),
        (95018, WindowClosed, HealthState.STARTING),
        (40096, Undeliverable, HealthState.STARTING),
        (45002, Rejected, HealthState.STARTING),
    ],
)
async def test_refusals_are_told_apart_and_show_in_the_health(
    stand: Stand, fake: FakeWeComKF, code: int, kind: type[SendError], state: HealthState
) -> None:
    await fake.says("ming", "在吗")
    fake.faults.add("error", "kf/send_msg", code=code, times=9)
    with pytest.raises(kind):
        await stand.sends("ming")
    assert stand.connector.health().state is state


# ---------------------------------------------------------------------- repeats


@pytest.mark.parametrize("fault", ["drop_after", "garbage"])
async def test_after_a_lost_answer_the_same_again_shows_once(
    stand: Stand, fake: FakeWeComKF, fault: str
) -> None:
    connector = stand.a_connector(repeated_msgid_codes=[])
    await fake.says("ming", "在吗")
    unit = stand.unit("ming", "卡密是 ABCD")
    fake.faults.add(fault, "kf/send_msg")
    with pytest.raises(Retryable) as caught:
        await connector.send(unit)
    assert caught.value.maybe_sent
    result = await connector.send(unit)
    assert result.platform_ids == (unit.id,)
    assert stand.seen("ming") == ["卡密是 ABCD"]
    assert connector.health().detail == {"repeated_msgid_code": str(rules.REPEATED_MSGID)}


async def test_after_a_restart_the_configured_code_tells_of_a_repeat(
    stand: Stand, fake: FakeWeComKF
) -> None:
    await fake.says("ming", "在吗")
    unit = stand.unit("ming")
    await stand.connector.send(unit)
    await stand.a_connector().send(unit)
    with pytest.raises(Rejected) as caught:
        await stand.a_connector(repeated_msgid_codes=[]).send(unit)
    assert caught.value.code == str(rules.REPEATED_MSGID)
    assert len(stand.seen("ming")) == 1


async def test_a_repeat_met_while_the_system_is_busy_counts_as_sent(
    stand: Stand, fake: FakeWeComKF
) -> None:
    connector = stand.a_connector(repeated_msgid_codes=[])
    await fake.says("ming", "在吗")
    unit = stand.unit("ming")
    fake.state.sent_msgids.add(unit.id)
    fake.faults.add("error", "kf/send_msg", code=-1)
    assert (await connector.send(unit)).platform_ids == (unit.id,)


async def test_a_known_refusal_after_a_lost_answer_is_a_refusal(
    stand: Stand, fake: FakeWeComKF
) -> None:
    await fake.says("ming", "在吗")
    unit = stand.unit("ming")
    fake.faults.add("drop_before", "kf/send_msg")
    with pytest.raises(Retryable):
        await stand.connector.send(unit)
    fake.faults.add("error", "kf/send_msg", code=45002)
    with pytest.raises(Rejected):
        await stand.connector.send(unit)


# ---------------------------------------------------------------------- welcomes


async def a_welcome(stand: Stand, fake: FakeWeComKF) -> dict[str, Any]:
    await stand.serve()
    await fake.arrives("ming", "from=menu")
    await stand.until(lambda: bool(stand.sink.of_kind(InboundKind.ARRIVAL)))
    (arrival,) = stand.sink.of_kind(InboundKind.ARRIVAL)
    assert arrival.text == "from=menu"
    assert arrival.window is not None
    return dict(arrival.window.data)


async def test_who_arrives_is_welcomed_with_a_menu_before_having_written(
    stand: Stand, fake: FakeWeComKF
) -> None:
    grant = a_grant(**await a_welcome(stand, fake))
    await stand.sends("ming", "欢迎光临", buttons=BUTTONS, grant=grant)
    (seen,) = fake.shown("ming")
    assert (seen.text, seen.buttons) == ("欢迎光临", ("查订单", "转人工"))


async def test_a_welcome_that_comes_too_late_is_let_be(
    stand: Stand, fake: FakeWeComKF, clock: HandClock
) -> None:
    grant = a_grant(**await a_welcome(stand, fake))
    clock.passes(seconds=21)
    with pytest.raises(WindowClosed):
        await stand.sends("ming", "欢迎光临", grant=grant)
    assert fake.shown("ming") == []


async def test_a_welcome_is_not_said_twice(stand: Stand, fake: FakeWeComKF) -> None:
    unit = stand.unit("ming", "欢迎光临", grant=a_grant(**await a_welcome(stand, fake)))
    fake.faults.add("drop_after", "kf/send_msg_on_event")
    with pytest.raises(Retryable):
        await stand.connector.send(unit)
    await stand.connector.send(unit)
    assert stand.seen("ming") == ["欢迎光临"]


# ---------------------------------------------------------------------- failures and files


async def test_a_failure_by_event_names_the_unit(stand: Stand, fake: FakeWeComKF) -> None:
    await stand.serve()
    await fake.says("ming", "在吗")
    fake.state.fail_later.append(rules.SESSION_CLOSED)
    unit = stand.unit("ming")
    await stand.connector.send(unit)
    await stand.until(lambda: bool(stand.sink.of_kind(InboundKind.DELIVERY_FAILED)))
    (failed,) = stand.sink.of_kind(InboundKind.DELIVERY_FAILED)
    assert (failed.reference, failed.detail) == (unit.id, "会话已经关闭")


async def test_who_refuses_us_has_left(stand: Stand, fake: FakeWeComKF) -> None:
    await stand.serve()
    await fake.says("ming", "别再发了")
    await fake.leaves("ming")
    await stand.sends("ming")
    await stand.until(lambda: bool(stand.sink.of_kind(InboundKind.DEPARTURE)))
    (left,) = stand.sink.of_kind(InboundKind.DEPARTURE)
    assert left.address.peer_id == "wmming"


async def test_a_customers_picture_is_fetched(stand: Stand, fake: FakeWeComKF) -> None:
    await stand.serve()
    await fake.sends_media("ming", "image", PICTURE, mime="image/png")
    await stand.until(lambda: bool(stand.sink.stored))
    ((media,),) = [one.media for one in stand.sink.stored.values()]
    assert await stand.connector.fetch(media, 1000) == PICTURE
    with pytest.raises(MediaGone):
        await stand.connector.fetch(media, 10)
    with pytest.raises(MediaGone):
        await stand.connector.fetch(MediaHandle("image", {}), 10)


# ---------------------------------------------------------------------- notices


async def hooked(stand: Stand) -> TestServer:
    app = web.Application()
    app.add_routes(stand.connector.routes())
    server = TestServer(app)
    await server.start_server()
    return server


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"hello", 400), (b"x" * (MAX_WEBHOOK_BYTES + 1), 413)],
)
async def test_garbage_is_refused_and_the_next_notice_is_taken(
    stand: Stand, fake: FakeWeComKF, body: bytes, status: int
) -> None:
    await stand.serve()
    sent = io.BytesIO(body)
    async with aiohttp.ClientSession() as http, http.post(fake.callbacks.url, data=sent) as answer:
        assert answer.status == status
    await fake.says("ming", "在吗")
    await stand.until_stored("在吗")


async def test_a_forged_notice_starts_no_reading(stand: Stand, fake: FakeWeComKF) -> None:
    server = await hooked(stand)
    query, body = fake.callbacks.sealed("<xml></xml>", stand.clock())
    query["msg_signature"] = "0" * 40
    async with aiohttp.ClientSession() as http:
        url = server.make_url("/hooks/wecom/main")
        async with http.post(url, params=query, data=body) as answer:
            assert answer.status == 403
        async with http.get(url, params={**query, "echostr": "x"}) as answer:
            assert answer.status == 403
            assert await answer.text() == ""
    await server.close()
    assert fake.calls == []


# ---------------------------------------------------------------------- checks and secrets


async def test_a_check_of_what_is_right_has_no_advice(stand: Stand) -> None:
    check = await stand.connector.check()
    assert (check.is_reachable, check.is_authorised, check.name) == (True, True, "星辰点卡")
    assert check.webhook == "https://kefu.example.com/hooks/wecom/main"
    assert check.advice == ()


@pytest.mark.parametrize(
    ("settings", "is_authorised", "advice"),
    [
        ({"secret": "w" * 43}, False, "Secret 不对"),
        ({"corp_id": "wwwrong"}, False, "企业 ID 不对"),
        ({"open_kfid": "wkOther"}, True, "没有找到客服账号 wkOther"),
        ({"api_url": "http://127.0.0.1:9"}, None, "连不上企业微信"),
    ],
)
async def test_a_check_says_what_to_do(
    stand: Stand, settings: dict[str, Any], is_authorised: bool | None, advice: str
) -> None:
    check = await stand.a_connector(**settings).check()
    assert check.is_authorised is is_authorised
    assert advice in check.advice[0]


async def test_a_check_finds_untrusted_addresses_and_unmanaged_accounts(
    stand: Stand, fake: FakeWeComKF
) -> None:
    fake.faults.add("error", "kf/account/list", code=60020)
    assert "企业可信 IP" in (await stand.connector.check()).advice[0]
    fake.is_managed = False
    assert "通过 API 管理" in (await stand.connector.check()).advice[0]


async def test_no_secret_and_no_customer_is_ever_logged(
    stand: Stand, fake: FakeWeComKF, caplog: pytest.LogCaptureFixture
) -> None:
    out = io.StringIO()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(out))
    caplog.set_level(logging.DEBUG)
    try:
        await stand.serve()
        stand.sink.is_down = True
        fake.faults.add("status", "kf/customer/batchget")
        await fake.says("ming", "卡密是 QWERTY")
        await stand.until(lambda: stand.connector.health().state is HealthState.DEGRADED)
        for code in (40014, 95018, 40096):
            fake.faults.add("error", "kf/send_msg", code=code, times=2)
            with pytest.raises(SendError):
                await stand.sends("ming", "卡密是 QWERTY")
            fake.faults.clear()
        with pytest.raises(Undeliverable):
            await stand.sends("stranger")
    finally:
        structlog.reset_defaults()
    told = out.getvalue() + caplog.text + repr(stand.connector.health())
    assert "wecom_not_read" in told
    tokens = [*fake.state.access_tokens, *fake.state.callback_tokens]
    for secret in (SECRET, AES_KEY, CALLBACK_TOKEN, "wmming", "wmstranger", "QWERTY", *tokens):
        assert secret not in told
