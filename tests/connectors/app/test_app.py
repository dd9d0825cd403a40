"""The shop's own app: only what it signed comes in, and what goes out arrives once."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from connectors.app import openapi, signing
from connectors.app.connector import AppConnector
from connectors.errors import (
    AuthError,
    BadWebhook,
    MediaGone,
    RateLimited,
    Rejected,
    Retryable,
    SendError,
    Undeliverable,
)
from connectors.messages import Address, Attachment, ChannelRef, InboundKind, Unit
from devkit.app import FakeShopApp
from devkit.app.platform import SECRET
from tests.factories.channels import House, a_house, kefu_beside
from tests.factories.messaging import an_outbound
from tests.factories.server import SMALL_KB
from tests.factories.shop import NOON, FakeClock

ROOT = Path(__file__).parent.parent.parent.parent
APP = ChannelRef("app", "main")
KEY = SecretStr(SECRET)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def app(clock: FakeClock) -> AsyncIterator[FakeShopApp]:
    async with FakeShopApp(clock) as made:
        assert isinstance(made, FakeShopApp)
        yield made


@pytest.fixture
async def house(clock: FakeClock) -> AsyncIterator[House]:
    async with a_house(clock, public_url="https://kefu.example.com") as made:
        yield made


@pytest.fixture
async def connector(house: House, app: FakeShopApp) -> AppConnector:
    made = house.connector({**app.account(), "max_body_mb": 1})
    assert isinstance(made, AppConnector)
    await app.connect(await house.serve(made))
    return made


def a_unit(text: str = "您好", *, key: str = "O1-0", **more: Any) -> Unit:
    outbound = an_outbound(address=Address(APP, "u1", "u1"), text=text)
    return Unit(key, outbound, text=text, **more)


# ---------------------------------------------------------------------- in


async def test_what_a_customer_says_comes_in_with_who_they_are(
    connector: AppConnector, app: FakeShopApp, house: House
) -> None:
    app.contacts["u1"] = ["me@example.com"]
    await app.says("u1", "在吗")
    (message,) = house.sink.messages
    assert (message.text, message.person_name) == ("在吗", "u1")
    assert message.contacts == ("me@example.com",)
    assert message.address == Address(connector.ref, "u1", "u1")
    assert "me@example.com" not in repr(message)


async def test_a_message_that_is_sent_again_is_told_to_be_known(
    connector: AppConnector, app: FakeShopApp, house: House
) -> None:
    assert connector.ref == APP
    key = await app.says("u1", "在吗")
    await app.replays(key)
    assert len(house.sink.messages) == 1
    assert [json.loads(body)["duplicate"] for _, body in app.pushes] == [False, True]


async def test_what_could_not_be_stored_is_not_taken_and_comes_again(
    connector: AppConnector, app: FakeShopApp, house: House
) -> None:
    assert connector.ref == APP
    house.sink.is_away = True
    await app.says("u1", "在吗")
    assert [status for status, _ in app.pushes] == [503, 503, 503]
    house.sink.is_away = False
    await app.replays("a1")
    assert len(house.sink.messages) == 1


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"secret": "another-secret-of-16"}, 401),
        ({"skew_s": 301}, 401),
        ({"skew_s": -301}, 401),
        ({"skew_s": 299}, 202),
        ({"body": b'{"id": "2"}'}, 401),
        ({"timestamp": "soon"}, 401),
        ({"timestamp": "٣"}, 401),
    ],
)
async def test_only_what_the_shop_signed_just_now_is_taken(  # noqa: PLR0917 - fixtures
    connector: AppConnector,
    app: FakeShopApp,
    house: House,
    clock: FakeClock,
    change: dict[str, Any],
    status: int,
) -> None:
    assert connector.ref == APP
    body = json.dumps({"id": "1", "user": {"id": "u1"}, "text": "在吗"}).encode()
    at = clock() + timedelta(seconds=change.get("skew_s", 0))
    headers = signing.headers(SecretStr(change.get("secret", SECRET)), body, at)
    if "timestamp" in change:
        headers[signing.TIMESTAMP] = change["timestamp"]
        headers[signing.SIGNATURE] = signing.signature(KEY, change["timestamp"], body)
    async with (
        aiohttp.ClientSession() as session,
        session.post(app._hook, data=change.get("body", body), headers=headers) as answer,
    ):
        assert answer.status == status
        told = await answer.json()
        assert SECRET not in json.dumps(told)
    assert len(house.sink.messages) == (status == 202)


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"not json", 400, "JSON"),
        (b'"text"', 400, "JSON"),
        (b'{"id": "1"}', 400, "user"),
        (b'{"id": "", "user": {"id": "u"}}', 400, "id"),
        (b'{"id": "1", "user": {"id": "u"}, "type": "dance"}', 400, "type"),
        (b"[" * 100_000, 400, "JSON"),
        (b"\xff\xfe", 400, "JSON"),
        (b" " * (1024 * 1024 + 1), 413, "1 MB"),
    ],
)
async def test_what_cannot_be_read_is_refused_with_what_to_do(  # noqa: PLR0917 - fixtures
    connector: AppConnector,
    app: FakeShopApp,
    house: House,
    clock: FakeClock,
    body: bytes,
    status: int,
    says: str,
) -> None:
    assert connector.ref == APP
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            app._hook, data=io.BytesIO(body), headers=signing.headers(KEY, body, clock())
        ) as answer,
    ):
        assert answer.status == status
        told = await answer.json()
        assert told["error"] in {"bad_request", "too_large"}
        assert says in told["message"]
    assert house.sink.messages == []


async def test_both_secrets_count_while_one_replaces_the_other(
    house: House, app: FakeShopApp
) -> None:
    entry = {**app.account(), "secret": "the-new-secret-of-ours", "old_secret": SECRET}
    await app.connect(await house.serve(house.connector(entry)))
    await app.says("u1", "旧的也行")
    app.secret = "the-new-secret-of-ours"
    await app.says("u1", "新的也行")
    assert [status for status, _ in app.pushes] == [202, 202]


async def test_coming_leaving_and_pressing_are_told_apart(
    connector: AppConnector, app: FakeShopApp, house: House
) -> None:
    await app.arrives("u1", "DD-1")
    await connector.send(a_unit("选一个", buttons=(("kf1:x:0", "查订单"),)))
    await app.presses("u1", "查订单")
    await app.leaves("u1")
    kinds = [one.kind for one in house.sink.messages]
    assert kinds == [InboundKind.ARRIVAL, InboundKind.BUTTON, InboundKind.DEPARTURE]
    assert house.sink.messages[0].text == "DD-1"
    assert house.sink.messages[1].button_token == "kf1:x:0"


async def test_a_file_inside_a_message_is_fetched_from_it(
    connector: AppConnector, app: FakeShopApp, house: House
) -> None:
    await app.sends_media("u1", "image", b"picture", name="a.png")
    ((media,),) = [one.media for one in house.sink.messages]
    assert await connector.fetch(media, 100) == b"picture"
    with pytest.raises(MediaGone, match="too_large"):
        await connector.fetch(media, 2)
    with pytest.raises(MediaGone, match="refused"):
        await connector.fetch(replace(media, handle={"data": "!!"}), 100)


# ---------------------------------------------------------------------- out


async def test_a_message_goes_out_signed_with_its_buttons_and_files(
    connector: AppConnector, app: FakeShopApp
) -> None:
    await connector.send(a_unit("选一个", buttons=(("kf1:x:0", "查订单"),)))
    picture = Attachment("p" * 32, "image", "image/png", 3, "a.png")
    await connector.send(replace(a_unit("", key="O2-0"), attachment=picture))
    text, file = [call.parameters for call in app.calls]
    assert app.refused == []
    assert (text["text"], text["user"], text["author"]) == ("选一个", {"id": "u1"}, "bot")
    assert text["buttons"] == [{"token": "kf1:x:0", "label": "查订单"}]
    assert file["attachments"][0]["url"].startswith("https://kefu.example.com/widget/media/")


async def test_a_repeated_unit_is_shown_once(connector: AppConnector, app: FakeShopApp) -> None:
    app.faults.add("drop_after")
    with pytest.raises(Retryable) as caught:
        await connector.send(a_unit())
    assert caught.value.maybe_sent
    await connector.send(a_unit())
    assert [line.text for line in app.shown("u1")] == ["您好"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, AuthError),
        (403, AuthError),
        (410, Undeliverable),
        (422, Rejected),
        (302, Rejected),
        (409, Retryable),
        (500, Retryable),
        (503, Retryable),
    ],
)
async def test_what_the_apps_server_says_decides_what_is_done(
    connector: AppConnector, app: FakeShopApp, status: int, kind: type[SendError]
) -> None:
    app.faults.add("error", code=status)
    with pytest.raises(kind) as caught:
        await connector.send(a_unit())
    assert type(caught.value) is kind
    assert SECRET not in str(caught.value)


async def test_a_server_that_names_a_time_to_wait_is_heard(
    connector: AppConnector, app: FakeShopApp
) -> None:
    app.faults.add("error", code=429, fields={"Retry-After": "7"})
    with pytest.raises(RateLimited) as caught:
        await connector.send(a_unit())
    assert caught.value.retry_after_s == 7


async def test_typing_is_told_to_an_app_that_wants_to_know(
    connector: AppConnector, app: FakeShopApp
) -> None:
    await connector.typing(Address(APP, "u1", "u1"), "bot", is_on=True)
    app.faults.add("error", code=500)
    await connector.typing(Address(APP, "u1", "u1"), "bot", is_on=True)
    assert app.sees_typing == ["u1"]


# ---------------------------------------------------------------------- signatures, documents


def test_the_signature_of_the_manuals_example_is_the_one_that_openssl_gives() -> None:
    made = signing.signature(SecretStr("0123456789abcdef"), "1760000000", b'{"id":"1"}')
    # printf '1760000000.{"id":"1"}' | openssl dgst -sha256 -hmac 0123456789abcdef
    assert made == "v1=454c7c368e9b12b7b0584322a082907e119e103e0acf71d723c66c1a802e7cdc"
    assert made in (ROOT / "docs/channels/app.md").read_text(encoding="utf-8")


@given(st.binary(max_size=200), st.binary(max_size=200), st.text(min_size=1, max_size=20))
def test_a_signature_fits_its_body_its_time_and_its_secret_alone(
    body: bytes, other: bytes, secret: str
) -> None:
    headers = signing.headers(SecretStr(secret), body, NOON)
    signing.verify([SecretStr(secret)], headers, body, NOON, max_skew_s=300)
    if other != body:
        with pytest.raises(BadWebhook):
            signing.verify([SecretStr(secret)], headers, other, NOON, max_skew_s=300)
    with pytest.raises(BadWebhook):
        signing.verify([SecretStr(secret + "x")], headers, body, NOON, max_skew_s=300)


def test_the_document_names_what_the_code_takes_and_sends() -> None:
    document = openapi.document()
    assert document["openapi"] == "3.1.0"
    schemas = document["components"]["schemas"]
    assert {"MessageIn", "MessageOut", "TakenOut", "ErrorOut"} <= set(schemas)
    assert "VERIFIED" in schemas["UserIn"]["properties"]["contacts"]["description"]


async def test_the_example_talks_to_a_whole_kefu(data_folder: Path) -> None:
    async with (
        FakeShopApp() as app,
        kefu_beside([app], data_folder, SMALL_KB) as started,
    ):
        script = str(ROOT / "examples" / "app_client.py")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, script, started.url, "main", SECRET, "支持微信付款吗"),
            stdout=asyncio.subprocess.PIPE,
        )
        told, _ = await process.communicate()
        assert told.startswith(b"202")
        (line,) = await app.until_shown("u42", 1)
        assert "支付宝" in line.text
