"""Replies: within windows, once each, and refusals told apart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from connectors.errors import (
    AuthError,
    Fatal,
    RateLimited,
    Rejected,
    Retryable,
    SendError,
    Undeliverable,
    WindowClosed,
)
from connectors.messages import HealthState, InboundKind, SendStatus
from devkit.qq import SECRET, FakeQQOpen
from tests.connectors.qq.conftest import HandClock, Shop, a_file, a_shop
from tests.factories.channels import House, MemoryFiles

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 60
BUTTONS = (("kf1:A:0", "查订单"), ("kf1:A:1", "转人工"))


def files_of(shop: Shop) -> MemoryFiles:
    files = shop.house.files
    assert isinstance(files, MemoryFiles)
    return files


# ---------------------------------------------------------------- texts


async def test_a_reply_names_the_message_and_its_number(shop: Shop) -> None:
    await shop.hears()
    result = await shop.answers("您好")
    call = shop.fake.calls[-1]
    assert result.status is SendStatus.ACCEPTED
    assert result.platform_ids[0].startswith("ROBOT1.0_")
    assert call.parameters["msg_seq"] == 1
    assert call.parameters["msg_id"].startswith("ROBOT1.0_")
    assert call.headers["Authorization"].startswith("QQBot ACCESS_TOKEN")
    assert call.headers["X-Union-Appid"] == shop.fake.app_id


async def test_a_reply_in_a_group_is_addressed_to_who_asked(shop: Shop) -> None:
    await shop.hears(group="群")
    await shop.answers("订单已发货")
    (shown,) = shop.shown(group="群")
    assert shown.text == "订单已发货"
    assert shown.raw["mentioned"] == (shop.fake.user_openid("小明", "群"),)


async def test_later_parts_of_a_reply_in_a_group_do_not_call_again(shop: Shop) -> None:
    await shop.hears(group="群")
    unit = shop.unit("第二段")
    await shop.connector.send(replace(unit, id=unit.id[:-1] + "1"))
    assert shop.shown(group="群")[0].raw["mentioned"] == ()


async def test_mentions_can_be_left_out(house: House, fake: FakeQQOpen) -> None:
    async with a_shop(house, fake, mention=False) as shop:
        await shop.hears(group="群")
        await shop.answers("订单已发货")
        assert shop.shown(group="群")[0].raw["mentioned"] == ()


@pytest.mark.parametrize(
    "text", ["<b>*粗* _1_</b>", "<@A1> [CQ:at,qq=all] ]]>", "<qqbot-at-everyone />"]
)
async def test_a_text_is_shown_as_it_is(shop: Shop, text: str) -> None:
    await shop.hears(group="群")
    await shop.answers(text)
    (shown,) = shop.shown(group="群")
    assert shown.text == text
    assert len(shown.raw["mentioned"]) == 1


async def test_without_a_window_nothing_is_asked_of_the_platform(shop: Shop) -> None:
    await shop.hears()
    unit = replace(shop.unit(), grant=None)
    with pytest.raises(WindowClosed):
        await shop.connector.send(unit)
    with pytest.raises(WindowClosed):
        await shop.connector.send(replace(unit, attachment=a_file()))
    assert shop.fake.calls == []


@pytest.mark.parametrize(("group", "minutes"), [(None, 60), ("群", 5)])
async def test_after_the_window_only_the_customer_opens_it_again(
    shop: Shop, clock: HandClock, group: str | None, minutes: int
) -> None:
    await shop.hears(group=group)
    window = shop.heard[0].window
    assert window is not None
    clock.passes(minutes=minutes)
    assert window.expires_at == clock()
    with pytest.raises(WindowClosed):
        await shop.answers()


async def test_the_budget_that_we_keep_is_the_platforms(shop: Shop) -> None:
    for group in (None, "群"):
        await shop.hears(group=group)
        window = shop.heard[-1].window
        assert window is not None
        assert window.max_replies is not None
        shop.seqs = 0
        for _ in range(window.max_replies):
            await shop.answers(group or "好")
        with pytest.raises(WindowClosed):
            await shop.answers()


# ---------------------------------------------------------------- buttons


async def test_buttons_are_numbers_unless_the_bot_may_draw_them(shop: Shop) -> None:
    assert not shop.connector.capabilities.has_buttons


async def test_buttons_are_drawn_under_the_very_text(house: House, fake: FakeQQOpen) -> None:
    fake.may.keyboard = True
    async with a_shop(house, fake, buttons=True) as shop:
        await shop.hears()
        await shop.answers("*请* 选择 <@A1>\n# 1_2_3", buttons=BUTTONS)
        (shown,) = shop.shown()
        assert (shown.text, shown.buttons) == ("*请* 选择 <@A1>\n# 1_2_3", ("查订单", "转人工"))


async def test_up_to_25_buttons_fit(house: House, fake: FakeQQOpen) -> None:
    fake.may.keyboard = True
    async with a_shop(house, fake, buttons=True) as shop:
        await shop.hears()
        for count in (5, 6, 25):
            buttons = tuple((f"kf1:A:{place}", f"第{place}个") for place in range(count))
            await shop.answers("请选择", buttons=buttons)
            assert len(shop.shown()[-1].buttons) == count
        able = shop.connector.capabilities
        assert (able.max_buttons, able.max_label) == (25, 10)


async def test_refused_buttons_are_a_matter_of_format_and_not_tried_again(
    house: House, fake: FakeQQOpen
) -> None:
    async with a_shop(house, fake, buttons=True) as shop:
        await shop.hears()
        assert shop.connector.capabilities.has_buttons
        unit = shop.unit("请选择", buttons=BUTTONS)
        with pytest.raises(Rejected) as refused:
            await shop.connector.send(unit)
        assert refused.value.is_format
        assert not shop.connector.capabilities.has_buttons
        assert "按钮" in shop.connector.health().detail["buttons"]
        # the same number is free: what was refused is not counted
        await shop.connector.send(replace(unit, buttons=(), text="1. 查订单"))
        assert shop.shown()[0].text == "1. 查订单"


async def test_a_plain_text_has_no_plainer_form(shop: Shop) -> None:
    await shop.hears()
    shop.fake.faults.add("error", "users/messages", code=40034011)
    with pytest.raises(Rejected) as refused:
        await shop.answers()
    assert not refused.value.is_format


# ---------------------------------------------------------------- files


@pytest.mark.parametrize(
    ("mime", "name", "kind"),
    [
        ("image/png", "a.png", "image"),
        ("video/mp4", "a.mp4", "video"),
        ("application/pdf", "a.pdf", "file"),
        ("image/gif", "a.gif", "file"),
    ],
)
async def test_a_file_goes_out(shop: Shop, mime: str, name: str, kind: str) -> None:
    files_of(shop).contents["file1"] = PNG
    await shop.hears()
    attachment = a_file(kind=kind, mime=mime, name=name)
    await shop.answers("", attachment=attachment)
    (shown,) = shop.shown()
    assert (shown.kind, shown.content) == (kind, PNG)


async def test_a_picture_goes_to_a_group(shop: Shop) -> None:
    files_of(shop).contents["file1"] = PNG
    await shop.hears(group="群")
    await shop.answers("", attachment=a_file())
    assert shop.shown(group="群")[0].content == PNG


async def test_a_file_can_be_fetched_by_the_platform(house: House, fake: FakeQQOpen) -> None:
    async with a_shop(house, fake, send_files_by="link") as shop:
        await shop.hears()
        fake.faults.add("error", "users/files", code=850026)
        with pytest.raises(Retryable):
            await shop.answers("", attachment=a_file())
        call = next(call for call in fake.calls if call.method == "users/files")
        assert call.parameters["url"].startswith("https://kefu.example.com/")
        assert "file_data" not in call.parameters


async def test_a_file_that_is_no_longer_there_is_not_sent(shop: Shop) -> None:
    await shop.hears()
    with pytest.raises(Rejected, match="gone"):
        await shop.answers("", attachment=a_file())
    assert shop.calls("users/files") == 0


# ---------------------------------------------------------------- once, however often


@pytest.mark.parametrize("fault", ["drop_after", "garbage"])
async def test_a_reply_whose_answer_was_lost_is_sent_once(shop: Shop, fault: str) -> None:
    await shop.hears()
    shop.fake.faults.add(fault, "users/messages")
    unit = shop.unit("您好")
    with pytest.raises(Retryable) as lost:
        await shop.connector.send(unit)
    assert lost.value.maybe_sent
    result = await shop.connector.send(unit)
    assert (result.status, result.platform_ids) == (SendStatus.ACCEPTED, ())
    assert len(shop.shown()) == 1
    assert shop.connector.capabilities.send_idempotent


async def test_a_reply_that_timed_out_is_sent_once(house: House, fake: FakeQQOpen) -> None:
    async with a_shop(house, fake) as shop:
        await shop.hears()
        fake.faults.add("hang", "users/messages")
        unit = shop.unit("您好")
        # as delivery does: its own deadline ends the wait
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await shop.connector.send(unit)
        await shop.connector.send(unit)
        assert len(shop.shown()) == 1


async def test_a_platform_that_is_away_was_told_nothing(shop: Shop) -> None:
    await shop.hears()
    await shop.answers("一")  # with a token in hand
    await shop.fake.stop()
    with pytest.raises(Retryable):
        await shop.answers("二")  # on a connection that was open: nobody knows
    with pytest.raises(Retryable) as away:
        await shop.answers("二")
    assert not away.value.maybe_sent
    assert shop.connector.health().state is HealthState.DEGRADED


async def test_a_message_under_review_is_pending_and_its_refusal_is_told(shop: Shop) -> None:
    shop.fake.may.audited.add("赔")
    await shop.hears()
    unit = shop.unit("我们赔您")
    result = await shop.connector.send(unit)
    assert result.status is SendStatus.PENDING_AUDIT
    await shop.fake.reviews(result.platform_ids[0], passes=False)
    told = shop.heard[-1]
    assert (told.kind, told.reference) == (InboundKind.DELIVERY_FAILED, unit.id)
    assert told.address == unit.address


# ---------------------------------------------------------------- refusals


async def test_who_left_cannot_be_reached(shop: Shop) -> None:
    await shop.hears()
    unit = shop.unit()
    await shop.fake.leaves("小明")
    with pytest.raises(Undeliverable):
        await shop.connector.send(unit)


async def test_a_group_without_the_bot_cannot_be_reached(shop: Shop) -> None:
    await shop.hears(group="群")
    unit = shop.unit()
    await shop.fake.group_changes("群", "群主", "GROUP_DEL_ROBOT")
    with pytest.raises(Undeliverable):
        await shop.connector.send(unit)


@pytest.mark.parametrize(
    ("text", "code"), [("敏感词", "1100101"), ("https://a.example/x", "304003")]
)
async def test_words_that_are_refused_are_not_a_matter_of_format(
    shop: Shop, text: str, code: str
) -> None:
    shop.fake.may.sensitive.add("敏感词")
    await shop.hears()
    with pytest.raises(Rejected) as refused:
        await shop.answers(text)
    assert (refused.value.code, refused.value.is_format) == (code, False)


async def test_the_time_to_wait_is_the_platforms(shop: Shop) -> None:
    await shop.hears()
    shop.fake.faults.add(
        "error", "users/messages", code=1100100, fields={"status": 429, "Retry-After": 17}
    )
    with pytest.raises(RateLimited) as limited:
        await shop.answers()
    assert (limited.value.retry_after_s, limited.value.is_account) == (17, False)
    shop.fake.faults.add("status", "users/messages", status=429)
    with pytest.raises(RateLimited) as limited:
        await shop.answers()
    assert (limited.value.retry_after_s, limited.value.is_account) == (10, True)


async def test_a_server_fault_is_tried_again_later(shop: Shop) -> None:
    await shop.hears()
    shop.fake.faults.add("status", "users/messages", status=502)
    unit = shop.unit()
    with pytest.raises(Retryable):
        await shop.connector.send(unit)
    assert shop.connector.health().state is HealthState.DEGRADED
    await shop.connector.send(unit)
    assert shop.connector.health().state is HealthState.UP
    assert shop.connector.health().last_outbound_ok_at == shop.fake.clock()


@pytest.mark.parametrize("code", [11252, 11263, 11281, 304082])
async def test_a_passing_fault_is_repeated_exactly_once(shop: Shop, code: int) -> None:
    await shop.hears()
    shop.fake.faults.add("error", "users/messages", code=code)
    await shop.answers()
    assert shop.calls("users/messages") == 2
    shop.fake.faults.add("error", "users/messages", code=code, times=2)
    with pytest.raises(Retryable):
        await shop.answers()
    assert shop.calls("users/messages") == 4


async def test_a_banned_bot_is_down_and_says_so(shop: Shop) -> None:
    await shop.hears()
    shop.fake.faults.add("error", "users/messages", code=11265, fields={"status": 403})
    with pytest.raises(Fatal):
        await shop.answers()
    health = shop.connector.health()
    assert health.state is HealthState.DOWN
    assert "封禁" in (health.last_error or "")


# ---------------------------------------------------------------- tokens


async def test_one_token_serves_many(shop: Shop, clock: HandClock) -> None:
    await shop.hears()
    await shop.answers("一")
    await shop.answers("二")
    assert shop.calls("token") == 1
    clock.passes(seconds=7151)
    await shop.hears()
    shop.seqs = 0
    await shop.answers("三")
    assert shop.calls("token") == 2


async def test_ten_sends_with_an_expired_token_fetch_one(shop: Shop) -> None:
    await shop.hears()
    await shop.answers("先")
    shop.fake.revokes_tokens()
    shop.fake.may.replies["users"] = 20
    units = [shop.unit(str(number)) for number in range(10)]
    await asyncio.gather(*(shop.connector.send(unit) for unit in units))
    assert shop.calls("token") == 2
    assert len(shop.shown()) == 11


async def test_a_token_that_is_always_refused_is_not_asked_for_without_end(shop: Shop) -> None:
    await shop.hears()
    shop.fake.faults.add("error", "users/messages", code=11243, fields={"status": 401}, times=99)
    with pytest.raises(AuthError):
        await shop.answers()
    assert (shop.calls("users/messages"), shop.calls("token")) == (2, 2)
    health = shop.connector.health()
    assert health.state is HealthState.DOWN
    assert "AppSecret" in (health.last_error or "")


async def test_a_refusal_without_a_code_is_the_tokens_as_well(shop: Shop) -> None:
    await shop.hears()
    shop.fake.faults.add("status", "users/messages", status=401, body="")
    await shop.answers()
    assert shop.calls("token") == 2


@pytest.mark.parametrize("code", [11243, 11244])
@pytest.mark.parametrize("status", [200, 401, 500])
async def test_a_refused_token_is_replaced_whatever_the_status(
    shop: Shop, code: int, status: int
) -> None:
    await shop.hears()
    shop.fake.faults.add("error", "users/messages", code=code, fields={"status": status})
    await shop.answers()
    assert (shop.calls("token"), len(shop.shown())) == (2, 1)


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        ('{"code": 11298, "err_code": 40099999, "message": "x"}', Fatal, "11298"),
        ('{"code": 7, "err_code": 40034005, "message": "x"}', WindowClosed, "40034005"),
        ('{"err_code": 40034128, "message": "x", "trace_id": "t"}', WindowClosed, "40034128"),
        ('{"code": 304003, "message": "x"}', Rejected, "304003"),
        ('{"code": 8, "err_code": 9}', Rejected, "9"),
        ('{"code": "304003"}', Rejected, "http-400"),
    ],
)
async def test_the_code_that_we_know_counts(
    shop: Shop, body: str, kind: type[SendError], code: str
) -> None:
    await shop.hears()
    shop.fake.faults.add("status", "users/messages", status=400, body=body)
    with pytest.raises(kind) as refused:
        await shop.answers()
    assert refused.value.code == code


async def test_a_server_that_is_not_listed_is_told_where_to_list_it(shop: Shop) -> None:
    body = '{"code": 11298, "err_code": 40023002, "message": "接口访问源IP不在白名单"}'
    shop.fake.faults.add("status", "users/@me", status=401, body=body)
    found = await shop.connector.check()
    assert (found.is_reachable, found.is_authorised) == (True, False)
    assert "IP 白名单" in found.advice[0]
    assert shop.calls("token") == 1


@pytest.mark.parametrize(
    ("order", "kind"),
    [
        (lambda fake: fake.faults.add("error", "token", code=100016), AuthError),
        (lambda fake: fake.faults.add("error", "token", code=100001), RateLimited),
        (lambda fake: fake.faults.add("error", "token", code=1), Retryable),
        (lambda fake: fake.faults.add("status", "token", status=502), Retryable),
        (lambda fake: fake.faults.add("status", "token", status=429), RateLimited),
        (lambda fake: fake.faults.add("garbage", "token"), Retryable),
        (lambda fake: fake.faults.add("drop_before", "token"), Retryable),
    ],
)
async def test_without_a_token_nothing_was_sent(
    shop: Shop, order: Callable[[FakeQQOpen], Any], kind: type[SendError]
) -> None:
    await shop.hears()
    order(shop.fake)
    with pytest.raises(kind) as refused:
        await shop.answers()
    assert not refused.value.maybe_sent
    assert shop.calls("users/messages") == 0


async def test_who_stops_waiting_for_a_token_leaves_it_to_the_others(shop: Shop) -> None:
    await shop.hears()
    gate = shop.fake.faults.add("delay", "token", seconds=0.05)
    first = asyncio.create_task(shop.answers("一"))
    second = asyncio.create_task(shop.answers("二"))
    await shop.fake.until(lambda: gate in shop.fake.faults.used)
    first.cancel()
    await second
    assert shop.calls("token") == 1
    assert [one.text for one in shop.shown()] == ["二"]


async def test_no_error_names_a_secret_or_a_customer(shop: Shop) -> None:
    await shop.hears("我的手机号")
    openid = shop.fake.user_openid("小明")
    texts = []
    for kind in ("drop_before", "drop_after", "garbage", "status", "error"):
        for method in ("token", "users/messages"):
            shop.fake.revokes_tokens()
            shop.fake.faults.add(kind, method, code=11243 if kind == "error" else 0, times=3)
            with pytest.raises(SendError) as refused:
                await shop.answers("卡密 ABC")
            shop.fake.faults.clear()
            texts.append(repr(refused.value) + str(refused.value.__cause__))
    for hidden in (SECRET, openid, "ACCESS_TOKEN", "ABC", "127.0.0.1"):
        assert hidden not in "".join(texts)


# ---------------------------------------------------------------- health and check


async def test_wrong_credentials_show_before_a_customer_writes(
    house: House, fake: FakeQQOpen
) -> None:
    fake.webhook.secret = "w" * 32  # the address is saved with the wrong one as well
    async with a_shop(house, fake, secret="w" * 32) as shop:
        await shop.connector.start()
        await shop.settles()
        health = shop.connector.health()
        assert health.state is HealthState.DOWN
        assert "AppSecret" in (health.last_error or "")
        assert shop.calls("token") == len(fake.calls) == 1


async def test_a_platform_that_is_away_at_the_start_is_asked_again(shop: Shop) -> None:
    shop.fake.faults.add("status", "users/@me", status=503, times=2)
    await shop.connector.start()
    await shop.settles()
    assert shop.connector.health().state is HealthState.UP
    assert shop.calls("users/@me") == 3


async def test_a_stop_ends_what_was_begun(shop: Shop) -> None:
    shop.fake.faults.add("hang", "token")
    await shop.connector.start()
    await shop.fake.until(lambda: shop.calls("token") == 1)
    async with asyncio.timeout(2):
        await shop.connector.stop()
    assert shop.connector.health().state is HealthState.STARTING


async def test_check_tells_the_name_and_the_address_to_save(shop: Shop) -> None:
    found = await shop.connector.check()
    assert (found.is_reachable, found.is_authorised, found.name) == (True, True, "点卡小助手")
    assert found.webhook == "https://kefu.example.com/hooks/qq/main"
    assert found.advice == ()


async def test_check_tells_wrong_credentials(house: House, fake: FakeQQOpen) -> None:
    found = await house.connector({**fake.account(), "secret": "w" * 32}).check()
    assert (found.is_reachable, found.is_authorised) == (True, False)
    assert "AppSecret" in found.advice[0]


async def test_check_tells_that_nobody_is_there(house: House, fake: FakeQQOpen) -> None:
    entry = fake.account()
    await fake.stop()
    found = await house.connector(entry).check()
    assert (found.is_reachable, found.is_authorised) == (False, None)
    assert "网络" in found.advice[0]


@pytest.mark.parametrize(
    ("url", "hints"),
    [
        (None, ["公网地址"]),
        ("http://kefu.example.com", ["https"]),
        ("https://kefu.example.com:9000", ["端口"]),
        ("https://kefu.example.com:8443", []),
    ],
)
async def test_check_tells_what_qq_would_not_call(
    house: House, fake: FakeQQOpen, url: str | None, hints: list[str]
) -> None:
    house.host = replace(house.host, public_url=url)
    found = await house.connector(fake.account()).check()
    assert len(found.advice) == len(hints)
    assert all(hint in said for hint, said in zip(hints, found.advice, strict=True))
