from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from connectors.errors import (
    AuthError,
    MediaBusy,
    MediaGone,
    RateLimited,
    Retryable,
    SendError,
)
from connectors.wecom.api import ApiOptions, WecomApi
from devkit.wecom import FakeWeComKF
from devkit.wecom.platform import CORP_ID, SECRET
from tests.connectors.wecom.conftest import HandClock


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def api(fake: FakeWeComKF, clock: HandClock, http: aiohttp.ClientSession) -> WecomApi:
    return an_api(fake, clock, http)


def an_api(
    fake: FakeWeComKF, clock: HandClock, http: aiohttp.ClientSession, secret: str = SECRET
) -> WecomApi:
    options = ApiOptions(fake.url, CORP_ID, SecretStr(secret), timeout_s=5)
    return WecomApi(options, http, clock=clock, sleep=clock.sleep)


def methods(fake: FakeWeComKF) -> list[str]:
    return [call.method for call in fake.calls]


async def names(api: WecomApi) -> dict[str, Any]:
    return await api.call("kf/customer/batchget", {"external_userid_list": ["wmming"]})


async def test_ten_calls_at_once_fetch_one_token(api: WecomApi, fake: FakeWeComKF) -> None:
    await asyncio.gather(*(names(api) for _ in range(10)))
    assert methods(fake).count("gettoken") == 1


async def test_a_token_is_renewed_five_minutes_before_its_end(
    api: WecomApi, fake: FakeWeComKF, clock: HandClock
) -> None:
    await names(api)
    clock.passes(seconds=7200 - 301)
    await names(api)
    assert methods(fake).count("gettoken") == 1
    clock.passes(seconds=2)
    await names(api)
    assert methods(fake).count("gettoken") == 2


async def test_a_revoked_token_is_replaced_once_for_all_who_met_it(
    api: WecomApi, fake: FakeWeComKF
) -> None:
    await names(api)
    fake.revokes_tokens()
    await asyncio.gather(*(names(api) for _ in range(10)))
    assert methods(fake).count("gettoken") == 2


@pytest.mark.parametrize("code", [40001, 40014, 42001])
async def test_a_token_that_is_always_refused_is_tried_twice(
    api: WecomApi, fake: FakeWeComKF, code: int
) -> None:
    fake.faults.add("error", "kf/customer/batchget", code=code, times=99)
    with pytest.raises(AuthError):
        await names(api)
    assert methods(fake).count("kf/customer/batchget") == 2
    assert methods(fake).count("gettoken") == 2


async def test_a_wrong_secret_is_asked_for_once(
    fake: FakeWeComKF, clock: HandClock, http: aiohttp.ClientSession
) -> None:
    with pytest.raises(AuthError) as caught:
        await names(an_api(fake, clock, http, "wrong"))
    assert caught.value.code == "40001"
    assert methods(fake) == ["gettoken"]


async def test_busy_is_tried_three_times_in_all(
    api: WecomApi, fake: FakeWeComKF, clock: HandClock
) -> None:
    await fake.says("ming", "在吗")
    fake.faults.add("error", "kf/customer/batchget", code=-1, times=2)
    assert (await names(api))["errcode"] == 0
    assert clock.slept == [0.5, 1.0]
    fake.faults.add("error", "kf/customer/batchget", code=-1, times=3)
    with pytest.raises(Retryable):
        await names(api)
    assert methods(fake).count("kf/customer/batchget") == 6


async def test_too_often_is_not_tried_again_at_once(api: WecomApi, fake: FakeWeComKF) -> None:
    fake.faults.add("error", "kf/customer/batchget", code=45009)
    with pytest.raises(RateLimited):
        await names(api)
    assert methods(fake).count("kf/customer/batchget") == 1


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "status", "status": 502}, "http-502"),
        ({"kind": "status", "status": 200, "body": "<html>"}, "garbage"),
        ({"kind": "status", "status": 302}, "http-302"),
        ({"kind": "garbage"}, "garbage"),
        ({"kind": "drop_before"}, "network"),
        ({"kind": "drop_after"}, "network"),
    ],
)
async def test_what_is_no_answer_may_have_been_done(
    api: WecomApi, fake: FakeWeComKF, fault: dict[str, Any], code: str
) -> None:
    fake.faults.add(method="kf/customer/batchget", **fault)
    with pytest.raises(Retryable) as caught:
        await names(api)
    assert (caught.value.code, caught.value.maybe_sent) == (code, True)


async def test_a_hanging_platform_is_given_up(
    fake: FakeWeComKF, clock: HandClock, http: aiohttp.ClientSession
) -> None:
    options = ApiOptions(fake.url, CORP_ID, SecretStr(SECRET), timeout_s=0.05)
    fake.faults.add("hang", "kf/customer/batchget")
    with pytest.raises(Retryable) as caught:
        await names(WecomApi(options, http, clock=clock, sleep=clock.sleep))
    assert (caught.value.code, caught.value.maybe_sent) == ("timeout", True)


async def test_what_was_never_sent_is_known_to_be_not(fake: FakeWeComKF, clock: HandClock) -> None:
    no_reuse = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=no_reuse) as http:
        api = an_api(fake, clock, http)
        await names(api)
        await fake.stop()
        with pytest.raises(Retryable) as caught:
            await names(api)
    assert caught.value.maybe_sent is False


async def test_without_a_token_nothing_was_sent(api: WecomApi, fake: FakeWeComKF) -> None:
    fake.faults.add("status", "gettoken", status=502)
    with pytest.raises(Retryable) as caught:
        await names(api)
    assert caught.value.maybe_sent is False


async def test_no_error_names_a_secret_a_token_or_a_customer(
    api: WecomApi, fake: FakeWeComKF
) -> None:
    await names(api)
    (token,) = fake.state.access_tokens
    for fault in ("drop_after", "status", "garbage", None):
        if fault:
            fake.faults.add(fault, "kf/send_msg")
        body = {"touser": "wmsecretcustomer", "open_kfid": fake.open_kfid}
        with pytest.raises(SendError) as caught:
            await api.call("kf/send_msg", body)
        # what a log prints with it: an error of the library below may name the address
        told = "".join(traceback.format_exception(caught.value))
        for secret in (SECRET, token, "wmsecretcustomer", "aiohttp.client_exceptions"):
            assert secret not in told


async def test_words_travel_unescaped(api: WecomApi, fake: FakeWeComKF) -> None:
    await fake.says("ming", "在吗")
    text = '卡密 <b>A&B</b> "引号" 😀'
    about = {"touser": "wmming", "open_kfid": fake.open_kfid, "msgtype": "text"}
    await api.call("kf/send_msg", {**about, "text": {"content": text}})
    assert [one.text for one in fake.shown("ming")] == [text]


async def test_files_go_up_and_come_down(api: WecomApi, fake: FakeWeComKF) -> None:
    picture = b"\x89PNG\r\n\x1a\n" + bytes(100)
    media_id = await api.upload("image", picture, name="卡密.png", mime="image/png")
    assert fake.state.media[media_id].name == "卡密.png"
    assert await api.download(media_id, 1000) == picture


async def test_a_file_of_json_is_a_file(api: WecomApi, fake: FakeWeComKF) -> None:
    content = b'{"errcode": 40014}'
    await fake.sends_media("ming", "file", content, name="a.json", mime="application/json")
    (media_id,) = fake.state.media
    assert await api.download(media_id, 1000) == content


async def test_files_that_are_gone_too_large_or_not_to_be_had_now(
    api: WecomApi, fake: FakeWeComKF, clock: HandClock
) -> None:
    await fake.sends_media("ming", "image", bytes(5000))
    (media_id,) = fake.state.media
    with pytest.raises(MediaGone) as caught:
        await api.download(media_id, 4999)
    assert caught.value.code == "too_large"
    fake.faults.add("status", "media/get", status=503)
    with pytest.raises(MediaBusy):
        await api.download(media_id, 5000)
    clock.passes(days=3, seconds=1)
    with pytest.raises(MediaGone) as caught:
        await api.download(media_id, 5000)
    assert caught.value.code == "expired"
