from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import ClientSession, TCPConnector
from pydantic import SecretStr

from connectors.errors import (
    AuthError,
    Fatal,
    MediaBusy,
    MediaGone,
    RateLimited,
    Retryable,
    SendError,
)
from connectors.wechat.api import ApiOptions, WechatApi
from devkit.wechat import FakeWeChatOA
from devkit.wechat.people import openid_of
from devkit.wechat.platform import APP_ID, APP_SECRET
from tests.factories.handoff import ManualClock

SEND = "message/custom/send"


def an_api(fake: FakeWeChatOA, http: ClientSession, **options: Any) -> WechatApi:
    chosen: dict[str, Any] = {"app_secret": SecretStr(APP_SECRET), "timeout_s": 2.0, **options}
    return WechatApi(ApiOptions(fake.url, APP_ID, **chosen), http, clock=fake.clock)


@pytest.fixture
async def api(fake: FakeWeChatOA, http: ClientSession) -> WechatApi:
    person = fake.person("alice")
    person.allow("message", 100, fake.clock(), fake.rules.message_window * 10)
    return an_api(fake, http)


def to_alice(text: str) -> dict[str, Any]:
    return {"touser": openid_of("alice"), "msgtype": "text", "text": {"content": text}}


def count(fake: FakeWeChatOA, method: str) -> int:
    return sum(call.method == method for call in fake.calls)


def texts(fake: FakeWeChatOA) -> list[str]:
    return [shown.text for shown in fake.shown("alice")]


async def test_customers_read_chinese_and_emoji_as_they_are(
    fake: FakeWeChatOA, api: WechatApi
) -> None:
    await api.call(SEND, to_alice("您的卡密：A\\u0042 😀\n\t完"))
    assert texts(fake) == ["您的卡密：A\\u0042 😀\n\t完"]


# ---------------------------------------------------------------------- the access token


async def test_ten_sends_at_once_share_one_token(fake: FakeWeChatOA, api: WechatApi) -> None:
    await asyncio.gather(*(api.call(SEND, to_alice(str(n))) for n in range(10)))
    assert count(fake, "stable_token") == 1


async def test_ten_sends_with_an_expired_token_fetch_one_new(
    fake: FakeWeChatOA, api: WechatApi
) -> None:
    await api.log_in()
    fake.api.tokens.expire()
    await asyncio.gather(*(api.call(SEND, to_alice(str(n))) for n in range(10)))
    assert sorted(texts(fake)) == sorted(map(str, range(10)))
    assert count(fake, "stable_token") == 2


@pytest.mark.parametrize("token_call", ["stable_token", "token"])
async def test_a_token_is_renewed_five_minutes_before_its_end(
    fake: FakeWeChatOA, http: ClientSession, clock: ManualClock, token_call: str
) -> None:
    api = an_api(fake, http, token_call=token_call)
    await api.log_in()
    clock.advance(seconds=6899)
    await api.log_in()
    assert count(fake, token_call) == 1
    clock.advance(seconds=1)
    await api.log_in()
    await api.log_in()
    assert count(fake, token_call) == 2


async def test_an_early_renewal_that_fails_is_not_noticed(
    fake: FakeWeChatOA, api: WechatApi, clock: ManualClock
) -> None:
    await api.log_in()
    clock.advance(seconds=6950)
    fake.faults.add("status", "stable_token", status=502)
    await api.call(SEND, to_alice("好"))
    assert texts(fake) == ["好"]


async def test_a_token_that_another_program_replaced_is_fetched_again(
    fake: FakeWeChatOA, api: WechatApi
) -> None:
    await api.log_in()
    fake.api.tokens.taken_over()
    await api.call(SEND, to_alice("好"))
    assert texts(fake) == ["好"]
    assert not any(call.parameters.get("force_refresh") for call in fake.calls)


async def test_a_token_that_the_platform_repeats_and_refuses_is_forced_once(
    fake: FakeWeChatOA, api: WechatApi
) -> None:
    fake.faults.add("error", SEND, code=40001)
    await api.call(SEND, to_alice("好"))
    forced = [
        call.parameters["force_refresh"]
        for call in fake.calls
        if "force_refresh" in call.parameters
    ]
    assert forced == [False, False, True]
    assert texts(fake) == ["好"]


@pytest.mark.parametrize("code", [40001, 40014, 42001])
async def test_a_token_that_is_never_taken_ends_in_an_error(
    fake: FakeWeChatOA, api: WechatApi, code: int
) -> None:
    fake.faults.add("error", SEND, code=code, times=1000)
    for _ in range(3):
        with pytest.raises(AuthError):
            await api.call(SEND, to_alice("好"))
    assert count(fake, SEND) <= 6
    assert count(fake, "stable_token") <= 9


@pytest.mark.parametrize(
    ("options", "code"),
    [({"app_secret": SecretStr("wrong" * 6)}, "40125"), ({}, "40164")],
)
async def test_wrong_credentials_are_told_apart_and_not_told(
    fake: FakeWeChatOA, http: ClientSession, options: dict[str, Any], code: str
) -> None:
    if not options:
        fake.faults.add("error", "stable_token", code=40164)
    api = an_api(fake, http, **options)
    with pytest.raises((AuthError, Fatal)) as refused:
        await api.log_in()
    assert refused.value.code == code
    assert api.refused_ip == ("203.0.113.7" if code == "40164" else "")
    assert "wrongwrong" not in str(refused.value)


# ---------------------------------------------------------------------- faults


@pytest.mark.parametrize(
    ("fault", "maybe_sent"),
    [
        ({"kind": "drop_before"}, True),
        ({"kind": "drop_after"}, True),
        ({"kind": "garbage"}, True),
        ({"kind": "hang"}, True),
        ({"kind": "status", "status": 502}, False),
        ({"kind": "status", "status": 503, "body": "{}"}, False),
        ({"kind": "error", "code": -1}, False),
    ],
)
async def test_a_fault_says_whether_the_message_may_be_there(
    fake: FakeWeChatOA, http: ClientSession, api: WechatApi, fault: dict[str, Any], maybe_sent: bool
) -> None:
    api = an_api(fake, http, timeout_s=0.2)
    await api.log_in()
    kind = fault.pop("kind")
    fake.faults.add(kind, SEND, **fault)
    with pytest.raises(Retryable) as failed:
        await api.call(SEND, to_alice("好"))
    assert failed.value.maybe_sent is maybe_sent
    assert count(fake, SEND) == 1


async def test_nothing_was_sent_where_nobody_listens(fake: FakeWeChatOA) -> None:
    async with ClientSession(connector=TCPConnector(force_close=True)) as http:
        api = an_api(fake, http)
        await api.log_in()
        await fake.stop()
        with pytest.raises(Retryable) as failed:
            await api.call(SEND, to_alice("好"))
    assert failed.value.code == "network"
    assert not failed.value.maybe_sent


async def test_nothing_was_sent_where_there_was_no_token(
    fake: FakeWeChatOA, api: WechatApi
) -> None:
    fake.faults.add("drop_after", "stable_token")
    with pytest.raises(Retryable) as failed:
        await api.call(SEND, to_alice("好"))
    assert not failed.value.maybe_sent


async def test_a_redirect_is_not_followed_with_the_token(
    fake: FakeWeChatOA, api: WechatApi
) -> None:
    fake.faults.add("status", SEND, status=302)
    with pytest.raises(Retryable):
        await api.call(SEND, to_alice("好"))
    assert count(fake, SEND) == 1


async def test_too_many_requests_of_a_proxy_are_a_limit(fake: FakeWeChatOA, api: WechatApi) -> None:
    fake.faults.add("status", SEND, status=429)
    with pytest.raises(RateLimited) as limited:
        await api.call(SEND, to_alice("好"))
    assert limited.value.retry_after_s == 60.0


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "error", "code": 40001, "times": 9},
        {"kind": "error", "code": 87014},
        {"kind": "error", "code": 45009},
        {"kind": "error", "code": 48001},
        {"kind": "drop_after"},
        {"kind": "hang"},
        {"kind": "garbage"},
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 404},
    ],
)
async def test_no_error_tells_a_secret_a_customer_or_the_message(
    fake: FakeWeChatOA, http: ClientSession, api: WechatApi, fault: dict[str, Any]
) -> None:
    api = an_api(fake, http, timeout_s=0.2)
    fake.faults.add(fault.pop("kind"), SEND, **fault)
    with pytest.raises(SendError) as failed:
        await api.call(SEND, to_alice("您的卡密 ABCD"))
    told = f"{failed.value} {failed.value!r} {failed.value.__cause__!r} {failed.value.args}"
    secrets = [*fake.api.tokens.handed_out, APP_SECRET, openid_of("alice"), "ABCD", fake.url]
    assert not [one for one in secrets if one in told]
    assert failed.value.__suppress_context__ or failed.value.__context__ is None


# ---------------------------------------------------------------------- files


async def test_a_file_goes_up_and_comes_down(fake: FakeWeChatOA, api: WechatApi) -> None:
    media_id = await api.upload("image", b"picture", name="image.png", mime="image/png")
    assert fake.api.media[media_id].content == b"picture"
    assert await api.download(media_id, 100) == b"picture"


async def test_a_failed_upload_was_never_shown(fake: FakeWeChatOA, api: WechatApi) -> None:
    fake.faults.add("drop_after", "media/upload")
    with pytest.raises(Retryable) as failed:
        await api.upload("image", b"picture", name="image.png", mime="image/png")
    assert not failed.value.maybe_sent


async def test_of_a_video_the_address_is_told(fake: FakeWeChatOA, api: WechatApi) -> None:
    media = fake.api.keep("video", "a.mp4", "video/mp4", b"film")
    assert await api.download(media.media_id, 100) == f"{fake.url}/video/{media.media_id}"


async def test_large_and_old_files_are_gone(
    fake: FakeWeChatOA, api: WechatApi, clock: ManualClock
) -> None:
    media = fake.api.keep("image", "a.png", "image/png", b"x" * 200)
    with pytest.raises(MediaGone, match="too_large"):
        await api.download(media.media_id, 199)
    clock.advance(days=3)
    with pytest.raises(MediaGone, match="expired"):
        await api.download(media.media_id, 200)


async def test_a_file_that_is_not_given_now_may_be_given_later(
    fake: FakeWeChatOA, api: WechatApi
) -> None:
    media = fake.api.keep("image", "a.png", "image/png", b"x")
    fake.faults.add("status", "media/get", status=502)
    with pytest.raises(MediaBusy):
        await api.download(media.media_id, 100)
    assert await api.download(media.media_id, 100) == b"x"


async def test_a_file_that_may_not_be_fetched_is_not_asked_for_again(
    fake: FakeWeChatOA, api: WechatApi
) -> None:
    fake.faults.add("error", "media/get", code=48001)
    with pytest.raises(MediaGone, match="refused"):
        await api.download("m", 100)
