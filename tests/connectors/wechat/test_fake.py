"""The fake keeps the platform's rules: what we build against it holds against WeChat."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from io import BytesIO
from typing import Any

import pytest
import xmltodict
from aiohttp import ClientSession, web
from wechatpy.client import WeChatClient
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import (
    InvalidAppIdException,
    InvalidSignatureException,
    WeChatClientException,
)
from wechatpy.utils import check_signature

from devkit.wechat import FakeWeChatOA, Rules, payloads
from devkit.wechat.envelope import signed
from devkit.wechat.people import openid_of
from devkit.wechat.platform import AES_KEY, APP_ID, APP_SECRET
from devkit.wechat.rules import UNAVAILABLE
from tests.connectors.wechat.shop_site import ShopSite, crypto, reply_xml
from tests.factories.handoff import ManualClock
from tests.factories.loop_time import time_passes_until

Json = dict[str, Any]

ENCRYPT = "2iovpwrdbG9xQ8R+S8Vsp9chqUjKOVV8s7xnKeI8Yi+ttlHMdKWtBEGgz3yChp/8DxC03vonSEZ/yqvWKieGpQ=="
SEALED = f"<xml><ToUserName>gh_1</ToUserName><Encrypt>{ENCRYPT}</Encrypt></xml>"


class Api:
    """A shop's requests, written out."""

    def __init__(self, fake: FakeWeChatOA, http: ClientSession) -> None:
        self.fake = fake
        self.http = http
        self.token = ""

    async def post(self, method: str, body: Json | bytes, token: str | None = None) -> Json:
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        params = {"access_token": self.token if token is None else token}
        url = f"{self.fake.url}/cgi-bin/{method}"
        async with self.http.post(url, params=params, data=raw) as answer:
            result: Json = json.loads(await answer.read())
            return result

    async def get(self, method: str, **params: str) -> Json:
        async with self.http.get(f"{self.fake.url}/cgi-bin/{method}", params=params) as answer:
            result: Json = json.loads(await answer.read())
            return result

    async def stable(self, *, force: bool = False) -> Json:
        return await self.post("stable_token", credentials(force_refresh=force), "")

    async def log_in(self) -> Api:
        self.token = (await self.stable())["access_token"]
        return self

    async def say(self, user: str, content: str) -> int:
        body = {"touser": openid_of(user), "msgtype": "text", "text": {"content": content}}
        code: int = (await self.post("message/custom/send", body))["errcode"]
        return code


def credentials(**more: Any) -> Json:
    return {"grant_type": "client_credential", "appid": APP_ID, "secret": APP_SECRET, **more}


@pytest.fixture
async def api(fake: FakeWeChatOA, http: ClientSession) -> Api:
    return await Api(fake, http).log_in()


def texts(fake: FakeWeChatOA, user: str) -> list[str]:
    return [shown.text for shown in fake.shown(user)]


# ---------------------------------------------------------------------- vectors


def test_the_signature_of_the_url_check_is_the_published_one() -> None:
    signature = "cb1280606383b6651d19b1fe525f375d316683d5"
    assert signed("tok", "1700000000", "nonce1") == signature
    check_signature("tok", signature, "1700000000", "nonce1")


def test_the_sealed_vector_opens_with_its_signature() -> None:
    signature = "0f9e2669921a68b8e4f5144c87334394e5d69b66"
    assert signed("tok", "1700000000", "nonce1", ENCRYPT) == signature
    plain = WeChatCrypto("tok", AES_KEY, APP_ID).decrypt_message(
        SEALED, signature, "1700000000", "nonce1"
    )
    assert plain == "<xml><a>1</a></xml>"


def test_a_tampered_seal_and_a_foreign_app_are_refused() -> None:
    signature = "0f9e2669921a68b8e4f5144c87334394e5d69b66"
    with pytest.raises(InvalidSignatureException):
        crypto().decrypt_message(SEALED.replace("2iov", "3iov"), signature, "1700000000", "nonce1")
    with pytest.raises(InvalidAppIdException):
        WeChatCrypto("tok", AES_KEY, "wx_other").decrypt_message(
            SEALED, signature, "1700000000", "nonce1"
        )


# ---------------------------------------------------------------------- pushes


@pytest.mark.parametrize("mode", ["plain", "compat", "safe"])
async def test_wechatpy_reads_a_push_in_every_mode(clock: ManualClock, mode: str) -> None:
    async with FakeWeChatOA(clock, mode=mode) as fake, ShopSite() as site:
        await fake.connect(site.url)
        key = await fake.says("alice", "卡密]]>怎么用 <b>")
    [message] = site.messages
    assert message.content == "卡密]]>怎么用 <b>"
    assert (str(message.id), message.source) == (key, openid_of("alice"))
    assert fake.pushes == [(200, "success")]


@pytest.mark.parametrize(
    ("mode", "names"),
    [
        ("safe", {"ToUserName", "Encrypt"}),
        ("compat", {"ToUserName", "Encrypt", "FromUserName", "CreateTime", "MsgType", "Content"}),
    ],
)
def test_only_the_compatible_mode_shows_plain_fields(mode: str, names: set[str]) -> None:
    fake = FakeWeChatOA(mode=mode)
    fields = {"ToUserName": "gh_1", "FromUserName": "o1", "CreateTime": 1, **payloads.text("hi")}
    query, body = fake.envelope.push(fields, 1700000000)
    assert set(xmltodict.parse(body)["xml"]) == names
    assert query["encrypt_type"] == "aes"
    assert query["openid"] == "o1"


async def test_an_address_that_does_not_echo_is_not_saved(fake: FakeWeChatOA) -> None:
    async with ShopSite() as site:
        with pytest.raises(RuntimeError, match="token验证失败"):
            await fake.connect(site.url, "another")
    assert fake.hook_url == ""


@pytest.mark.parametrize("deliveries", [1, 3, 4])
async def test_an_unanswered_message_comes_again_with_the_same_id(
    clock: ManualClock, deliveries: int
) -> None:
    async def asleep(_message: Any) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    rules = Rules(deliveries=deliveries, answer_s=3.0)
    async with FakeWeChatOA(clock, rules=rules) as fake, ShopSite(asleep) as site:
        await fake.connect(site.url)
        telling = asyncio.create_task(fake.says("alice", "在吗"))
        await time_passes_until(telling.done)
    assert len({message.id for message in site.messages}) == 1
    assert len(site.messages) == deliveries
    assert fake.pushes == [(None, "")] * deliveries
    assert texts(fake, "alice") == [UNAVAILABLE]


async def test_an_error_of_the_shop_is_tried_again_until_it_answers(fake: FakeWeChatOA) -> None:
    tries: list[Any] = []

    async def at_last(message: Any) -> web.Response:
        tries.append(message)
        if len(tries) < 3:
            return web.Response(status=500)
        return web.Response(text=crypto().encrypt_message(reply_xml(message, "来了"), "n1"))

    async with ShopSite(at_last) as site:
        await fake.connect(site.url)
        await fake.says("alice", "在吗")
    assert [status for status, _ in fake.pushes] == [500, 500, 200]
    assert texts(fake, "alice") == ["来了"]


async def test_a_message_can_be_delivered_more_often_than_asked(fake: FakeWeChatOA) -> None:
    async with ShopSite() as site:
        await fake.connect(site.url)
        key = await fake.says("alice", "在吗", times=2)
        await fake.replays(key)
    assert [str(message.id) for message in site.messages] == [key] * 3
    assert len(set(site.bodies)) == 1


Reply = Callable[[Any], str]


@pytest.mark.parametrize(
    ("mode", "reply", "seen"),
    [
        ("safe", lambda _: "success", []),
        ("safe", lambda _: "", []),
        ("safe", lambda m: crypto().encrypt_message(reply_xml(m, "你好"), "n1"), ["你好"]),
        ("plain", lambda m: reply_xml(m, "你好"), ["你好"]),
        ("compat", lambda m: reply_xml(m, "你好"), ["你好"]),
        ("safe", lambda m: reply_xml(m, "你好"), [UNAVAILABLE]),
        ("plain", lambda m: crypto().encrypt_message(reply_xml(m, "你好"), "n1"), [UNAVAILABLE]),
        ("safe", lambda m: WeChatCrypto("x", AES_KEY, APP_ID).encrypt_message(m, "n1"), None),
        ("plain", lambda _: '"success"', [UNAVAILABLE]),
        ("plain", lambda _: "<xml><MsgType>text</MsgType>", [UNAVAILABLE]),
        ("plain", lambda m: reply_xml(m, "你好").replace("gh_", "xx_"), [UNAVAILABLE]),
        ("plain", lambda m: reply_xml(m, "字" * 683), [UNAVAILABLE]),
        ("plain", lambda m: reply_xml(m, "a]]>b"), [UNAVAILABLE]),
        ("plain", lambda m: reply_xml(m, "a\x08b"), [UNAVAILABLE]),
    ],
)
async def test_a_passive_reply_is_read_as_the_mode_demands(
    clock: ManualClock, mode: str, reply: Reply, seen: list[str] | None
) -> None:
    async def answer(message: Any) -> web.Response:
        body = reply(message if seen is not None else reply_xml(message, "你好"))
        return web.Response(text=body)

    async with FakeWeChatOA(clock, mode=mode) as fake, ShopSite(answer) as site:
        await fake.connect(site.url)
        await fake.says("alice", "在吗")
    assert texts(fake, "alice") == ([UNAVAILABLE] if seen is None else seen)


async def test_passive_and_customer_service_messages_stand_in_one_list(
    fake: FakeWeChatOA, api: Api
) -> None:
    async def answer(message: Any) -> web.Response:
        return web.Response(text=crypto().encrypt_message(reply_xml(message, "第一"), "n1"))

    async with ShopSite(answer) as site:
        await fake.connect(site.url)
        await fake.says("alice", "在吗")
        assert await api.say("alice", "第二") == 0
    assert texts(fake, "alice") == ["第一", "第二"]


async def test_events_of_following_scanning_and_the_menu_are_pushed(fake: FakeWeChatOA) -> None:
    async with ShopSite() as site:
        await fake.connect(site.url)
        await fake.arrives("alice", "order")
        await fake.arrives("bob")
        await fake.scans("alice", "7")
        await fake.clicks_menu("alice", "HELP")
        await fake.leaves("alice")
    kinds = [message.event for message in site.messages]
    assert kinds == ["subscribe_scan", "subscribe", "scan", "click", "unsubscribe"]
    assert [site.messages[0].scene_id, site.messages[3].key] == ["order", "HELP"]
    assert all(message.id == 0 for message in site.messages)


async def test_media_of_customers_can_be_fetched(fake: FakeWeChatOA, api: Api) -> None:
    async with ShopSite() as site:
        await fake.connect(site.url)
        await fake.sends_media("alice", "image", b"picture", mime="image/png")
        await fake.sends_media("alice", "video", b"film")
    image, video = site.messages
    async with api.http.get(image.image) as answer:
        assert await answer.read() == b"picture"
    told = await api.get("media/get", access_token=api.token, media_id=video.media_id)
    async with api.http.get(told["video_url"]) as answer:
        assert await answer.read() == b"film"


# ---------------------------------------------------------------------- customer service


@pytest.fixture
async def site(fake: FakeWeChatOA) -> AsyncIterator[ShopSite]:
    async with ShopSite() as site:
        await fake.connect(site.url)
        yield site


@pytest.mark.usefixtures("site")
async def test_a_message_allows_five_answers_and_the_next_renews_them(
    fake: FakeWeChatOA, api: Api
) -> None:
    await fake.says("alice", "在吗")
    assert [await api.say("alice", str(n)) for n in range(6)] == [0, 0, 0, 0, 0, 45047]
    await fake.says("alice", "还在吗")
    assert await api.say("alice", "在的") == 0


@pytest.mark.usefixtures("site")
async def test_after_forty_eight_hours_the_window_is_closed(
    fake: FakeWeChatOA, api: Api, clock: ManualClock
) -> None:
    await fake.says("alice", "在吗")
    clock.advance(hours=48)
    api.token = (await api.stable())["access_token"]
    assert await api.say("alice", "在的") == 45015


@pytest.mark.parametrize("deed", ["arrives", "scans", "clicks_menu", "presses"])
@pytest.mark.usefixtures("site")
async def test_an_event_allows_three_answers_within_a_minute(
    fake: FakeWeChatOA, api: Api, clock: ManualClock, deed: str
) -> None:
    async def act() -> None:
        if deed == "presses":
            fake.person("alice").menus.append(("kf1:1", "查订单"))
            await fake.presses("alice", "查订单")
        else:
            await getattr(fake, deed)("alice", "7")

    await act()
    assert [await api.say("alice", str(n)) for n in range(4)] == [0, 0, 0, 45047]
    await act()
    clock.advance(seconds=60)
    assert await api.say("alice", "晚了") == 45015


@pytest.mark.usefixtures("site")
async def test_who_left_cannot_be_written_to(fake: FakeWeChatOA, api: Api) -> None:
    await fake.says("alice", "在吗")
    await fake.leaves("alice")
    assert await api.say("alice", "在的") == 45015
    info = await api.get("user/info", access_token=api.token, openid=openid_of("alice"))
    assert info["subscribe"] == 0


@pytest.mark.usefixtures("site")
async def test_texts_are_measured_in_bytes(fake: FakeWeChatOA, api: Api) -> None:
    await fake.says("alice", "在吗")
    assert await api.say("alice", "字" * 682 + "ab") == 0
    assert await api.say("alice", "字" * 683) == 45002
    assert await api.say("alice", " ") == 44004
    assert len(fake.shown("alice")) == 1


@pytest.mark.usefixtures("site")
async def test_escaped_json_is_shown_as_it_stands(fake: FakeWeChatOA, api: Api) -> None:
    await fake.says("alice", "在吗")
    body = {"touser": openid_of("alice"), "msgtype": "text", "text": {"content": "你\\u0041"}}
    await api.post("message/custom/send", json.dumps(body, ensure_ascii=True).encode())
    await api.post("message/custom/send", json.dumps(body, ensure_ascii=False).encode())
    assert texts(fake, "alice") == ["\\u4f60\\u0041", "你\\u0041"]


@pytest.mark.usefixtures("site")
async def test_links_show_their_label_and_other_tags_show_themselves(
    fake: FakeWeChatOA, api: Api
) -> None:
    await fake.says("alice", "在吗")
    await api.say("alice", '<a href="https://a.example/">店铺</a> <b>x</b> &lt;y&gt;')
    fake.rules.shows_entities = True
    await api.say("alice", "&lt;y&gt;")
    assert texts(fake, "alice") == ["店铺 <b>x</b> <y>", "&lt;y&gt;"]


async def test_a_pressed_menu_entry_comes_as_a_text_with_its_id(
    fake: FakeWeChatOA, api: Api, site: ShopSite
) -> None:
    await fake.says("alice", "在吗")
    entries = [{"id": "kf1:A:0", "content": "查订单"}, {"id": "kf1:A:1", "content": "人工"}]
    menu = {"head_content": "想问什么？", "list": entries, "tail_content": ""}
    body = {"touser": openid_of("alice"), "msgtype": "msgmenu", "msgmenu": menu}
    assert (await api.post("message/custom/send", body))["errcode"] == 0
    assert fake.shown("alice")[0].buttons == ("查订单", "人工")
    await fake.presses("alice", "人工")
    assert site.messages[1].content == "人工"
    assert "<bizmsgmenuid><![CDATA[kf1:A:1]]></bizmsgmenuid>" in site.bodies[1]
    with pytest.raises(LookupError):
        await fake.presses("alice", "没有")


@pytest.mark.usefixtures("site")
async def test_an_unverified_account_may_not_use_customer_service(
    fake: FakeWeChatOA, api: Api
) -> None:
    fake.api.is_verified = False
    await fake.says("alice", "在吗")
    assert await api.say("alice", "在的") == 48001
    assert (await api.post("menu/create", {"button": [{"name": "a"}]}))["errcode"] == 48001


@pytest.mark.usefixtures("site")
async def test_unknown_people_kinds_and_files_are_refused(fake: FakeWeChatOA, api: Api) -> None:
    await fake.says("alice", "在吗")
    assert await api.say("nobody", "在的") == 40003
    to = {"touser": openid_of("alice")}
    send = "message/custom/send"
    assert (await api.post(send, {**to, "msgtype": "sticker"}))["errcode"] == 40008
    image = {**to, "msgtype": "image", "image": {"media_id": "gone"}}
    assert (await api.post(send, image))["errcode"] == 40007
    assert (await api.post(send, b"{"))["errcode"] == 47001


@pytest.mark.usefixtures("site")
async def test_the_typing_state_lasts_and_needs_a_recent_message(
    fake: FakeWeChatOA, api: Api, clock: ManualClock
) -> None:
    async def show(command: str = "Typing") -> int:
        body = {"touser": openid_of("alice"), "command": command}
        code: int = (await api.post("message/custom/typing", body))["errcode"]
        return code

    await fake.says("alice", "在吗")
    assert [await show(), await show()] == [0, 45081]
    assert [await show("CancelTyping"), await show()] == [0, 0]
    clock.advance(seconds=31)
    assert [await show(), await show("Blink")] == [45080, 45072]


@pytest.mark.usefixtures("site")
async def test_files_go_up_and_are_kept_three_days(
    fake: FakeWeChatOA, api: Api, clock: ManualClock
) -> None:
    url = f"{fake.url}/cgi-bin/media/upload"
    params = {"access_token": api.token, "type": "image"}
    async with api.http.post(url, params=params, data={"media": BytesIO(b"x" * 9)}) as answer:
        media_id = json.loads(await answer.read())["media_id"]
    await fake.says("alice", "在吗")
    to = {"touser": openid_of("alice"), "msgtype": "image", "image": {"media_id": media_id}}
    assert (await api.post("message/custom/send", to))["errcode"] == 0
    assert fake.shown("alice")[0].content == b"x" * 9
    big = {"media": BytesIO(b"x" * ((10 << 20) + 1))}
    async with api.http.post(url, params=params, data=big) as answer:
        assert json.loads(await answer.read())["errcode"] == 45001
    clock.advance(days=3)
    await api.log_in()
    gone = await api.get("media/get", access_token=api.token, media_id=media_id)
    assert gone["errcode"] == 40007


# ---------------------------------------------------------------------- tokens


async def test_the_stable_call_repeats_its_token_and_a_forced_one_kills_it(api: Api) -> None:
    first = await api.stable()
    assert await api.stable() == first
    forced = await api.stable(force=True)
    assert forced["access_token"] != first["access_token"]
    assert (await api.post("menu/create", {}))["errcode"] == 40001
    assert (await api.stable(force=True))["errcode"] == 45011


async def test_the_classic_call_ends_the_token_before_it(
    fake: FakeWeChatOA, api: Api, clock: ManualClock
) -> None:
    first, _ = [(await api.get("token", **credentials()))["access_token"] for _ in range(2)]
    fake.person("alice")
    asked = {"openid": openid_of("alice"), "access_token": first}
    assert (await api.get("user/info", **asked))["subscribe"] == 1
    clock.advance(minutes=5)
    assert (await api.get("user/info", **asked))["errcode"] == 42001


async def test_tokens_expire_and_wrong_ones_are_refused(
    fake: FakeWeChatOA, api: Api, clock: ManualClock
) -> None:
    assert (await api.post("menu/create", {}, ""))["errcode"] == 41001
    assert (await api.post("menu/create", {}, "nonsense"))["errcode"] == 40014
    clock.advance(seconds=7200)
    assert (await api.post("menu/create", {}))["errcode"] == 42001
    await api.log_in()
    fake.api.tokens.taken_over()
    assert (await api.post("menu/create", {}))["errcode"] == 40001


async def test_wrong_credentials_get_no_token(api: Api) -> None:
    wrong = [{"secret": "no"}, {"appid": "wx0"}, {"grant_type": "password"}]
    codes = [(await api.post("stable_token", credentials(**w), ""))["errcode"] for w in wrong]
    assert codes == [40125, 40013, 40002]


# ---------------------------------------------------------------------- faults


async def test_an_ordered_error_carries_the_platforms_code(fake: FakeWeChatOA, api: Api) -> None:
    fake.faults.add("error", "message/custom/send", code=45009)
    fake.person("alice")
    assert await api.say("alice", "在的") == 45009
    assert await api.say("alice", "在的") == 45015
    assert fake.calls[-1].parameters["touser"] == openid_of("alice")


# ---------------------------------------------------------------------- wechatpy's own client


class ShopClient(WeChatClient):  # type: ignore[misc]
    """wechatpy's client, pointed at the fake; it would retry without end by itself."""

    def __init__(self, url: str) -> None:
        self.API_BASE_URL = f"{url}/cgi-bin/"
        super().__init__(APP_ID, APP_SECRET, timeout=5, auto_retry=False)

    def fetch_access_token(self) -> Any:
        params = credentials()
        return self._fetch_access_token(url=f"{self.API_BASE_URL}token", params=params)


@pytest.mark.usefixtures("site")
async def test_wechatpys_client_sends_fetches_and_is_refused(fake: FakeWeChatOA) -> None:
    await fake.says("alice", "在吗")
    openid = openid_of("alice")

    def use() -> int:
        client = ShopClient(fake.url)
        with client._http:
            client.message.send_text(openid, "在的 😀")
            assert client.user.get(openid)["subscribe"] == 1
            client.media.upload("image", ("a.png", b"picture", "image/png"))
            with pytest.raises(WeChatClientException) as refused:
                client.message.send_text("o" * 28, "在的")
            code: int = refused.value.errcode
            return code

    assert await asyncio.to_thread(use) == 40003
    assert texts(fake, "alice") == ["在的 😀"]
