from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from wechatpy.enterprise.crypto import WeChatCrypto

from devkit.wecom import FakeWeComKF, rules
from devkit.wecom.platform import (
    AES_KEY,
    CALLBACK_TOKEN,
    CORP_ID,
    SECRET,
)
from tests.connectors.wecom.conftest import HandClock

Json = dict[str, Any]


class Client:
    """Calls the API as plainly as can be."""

    def __init__(self, http: aiohttp.ClientSession, fake: FakeWeComKF) -> None:
        self._http = http
        self._fake = fake
        self.token = ""

    async def gettoken(self, secret: str = SECRET) -> Json:
        query = {"corpid": CORP_ID, "corpsecret": secret}
        async with self._http.get(f"{self._fake.url}/cgi-bin/gettoken", params=query) as answer:
            return dict(await answer.json())

    async def post(self, method: str, **body: Any) -> Json:
        if not self.token:
            self.token = str((await self.gettoken())["access_token"])
        url = f"{self._fake.url}/cgi-bin/{method}"
        async with self._http.post(
            url, params={"access_token": self.token}, data=json.dumps(body, ensure_ascii=False)
        ) as answer:
            return dict(await answer.json())

    async def sends(self, user: str, text: str = "您好", **more: Any) -> Json:
        about = {"touser": self._fake.external_userid(user), "open_kfid": self._fake.open_kfid}
        return await self.post(
            "kf/send_msg", **about, msgtype="text", text={"content": text}, **more
        )

    async def menu(self, user: str, **menu: Any) -> Json:
        about = {"touser": self._fake.external_userid(user), "open_kfid": self._fake.open_kfid}
        return await self.post("kf/send_msg", **about, msgtype="msgmenu", msgmenu=menu)

    async def trans(self, user: str, state: int, servicer: str = "") -> Json:
        return await self.post(
            "kf/service_state/trans",
            open_kfid=self._fake.open_kfid,
            external_userid=self._fake.external_userid(user),
            service_state=state,
            servicer_userid=servicer,
        )

    async def reads(self, **query: Any) -> Json:
        token = list(self._fake.state.callback_tokens)[-1]
        return await self.post("kf/sync_msg", **{"token": token, **query})


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def client(http: aiohttp.ClientSession, fake: FakeWeComKF) -> Client:
    return Client(http, fake)


class Receiver:
    """The other end of the callback URL."""

    def __init__(self) -> None:
        self.crypto = WeChatCrypto(CALLBACK_TOKEN, AES_KEY, CORP_ID)
        self.notices: list[str] = []
        self.statuses: list[int] = []

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/hooks/wecom/main", self._verify)
        app.router.add_post("/hooks/wecom/main", self._take)
        return app

    async def _verify(self, request: web.Request) -> web.Response:
        query = request.query
        plain = self.crypto.check_signature(
            query["msg_signature"], query["timestamp"], query["nonce"], query["echostr"]
        )
        return web.Response(text=plain)

    async def _take(self, request: web.Request) -> web.Response:
        query = request.query
        xml = self.crypto.decrypt_message(
            await request.text(), query["msg_signature"], query["timestamp"], query["nonce"]
        )
        self.notices.append(xml)
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)


@pytest.fixture
async def receiver(fake: FakeWeComKF) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    async with TestServer(receiver.application()) as server:
        await fake.connect(str(server.make_url("")).rstrip("/"))
        yield receiver


# ---------------------------------------------------------------------- tokens


async def test_the_token_stays_the_same_until_it_ends(client: Client, clock: HandClock) -> None:
    first = await client.gettoken()
    clock.passes(minutes=119)
    second = await client.gettoken()
    assert second["access_token"] == first["access_token"]
    assert (first["expires_in"], second["expires_in"]) == (7200, 60)
    clock.passes(minutes=1)
    third = await client.gettoken()
    assert third["access_token"] != first["access_token"]


async def test_tokens_are_refused_by_their_own_codes(
    client: Client, fake: FakeWeComKF, clock: HandClock
) -> None:
    assert (await client.gettoken("wrong"))["errcode"] == 40001
    await fake.says("ming", "在吗")
    assert (await client.sends("ming"))["errcode"] == 0
    clock.passes(hours=2)
    assert (await client.sends("ming"))["errcode"] == 42001
    fake.revokes_tokens()
    assert (await client.sends("ming"))["errcode"] == 40014


# ---------------------------------------------------------------------- reading


async def test_a_page_ends_where_the_next_begins(client: Client, fake: FakeWeComKF) -> None:
    for number in range(5):
        await fake.says("ming", f"第{number}句")
    fake.page_size = 2
    cursor, pages = "", []
    while True:
        page = await client.reads(cursor=cursor)
        pages.append([item["text"]["content"] for item in page["msg_list"]])
        cursor = page["next_cursor"]
        if not page["has_more"]:
            break
    assert pages == [["第0句", "第1句"], ["第2句", "第3句"], ["第4句"]]
    assert (await client.reads(cursor=cursor))["msg_list"] == []


async def test_an_empty_page_may_still_have_more(client: Client, fake: FakeWeComKF) -> None:
    await fake.says("ming", "在吗")
    fake.empty_pages = 1
    first = await client.reads()
    assert (first["msg_list"], first["has_more"]) == ([], 1)
    second = await client.reads(cursor=first["next_cursor"])
    assert [item["text"]["content"] for item in second["msg_list"]] == ["在吗"]


async def test_what_is_older_than_three_days_is_gone(
    client: Client, fake: FakeWeComKF, clock: HandClock
) -> None:
    await fake.says("ming", "旧的")
    clock.passes(days=3, seconds=1)
    await fake.says("ming", "新的")
    page = await client.reads()
    assert [item["text"]["content"] for item in page["msg_list"]] == ["新的"]


async def test_a_callback_token_is_good_for_ten_minutes(
    client: Client, fake: FakeWeComKF, clock: HandClock
) -> None:
    await fake.says("ming", "在吗")
    clock.passes(minutes=10)
    assert (await client.reads())["errcode"] == 0
    clock.passes(seconds=1)
    assert (await client.reads())["errcode"] == 95007


async def test_without_a_callback_token_reading_is_slow(
    client: Client, fake: FakeWeComKF, clock: HandClock
) -> None:
    fake.tokenless_per_minute = 1
    assert (await client.post("kf/sync_msg"))["errcode"] == 0
    assert (await client.post("kf/sync_msg"))["errcode"] == 45009
    clock.passes(minutes=1)
    assert (await client.post("kf/sync_msg"))["errcode"] == 0


async def test_what_the_api_sent_is_not_in_the_log(client: Client, fake: FakeWeComKF) -> None:
    await fake.says("ming", "在吗")
    await client.sends("ming", "在的")
    await fake.native_reply("ming", "我来啦")
    page = await client.reads()
    origins = [(item["origin"], item["msgtype"]) for item in page["msg_list"]]
    assert origins == [(3, "text"), (4, "event"), (5, "text")]


# ---------------------------------------------------------------------- sending


async def test_five_answers_are_taken_and_the_next_message_allows_five_more(
    client: Client, fake: FakeWeComKF
) -> None:
    await fake.says("ming", "在吗")
    codes = [(await client.sends("ming"))["errcode"] for _ in range(6)]
    assert codes == [0, 0, 0, 0, 0, 95001]
    await fake.says("ming", "还在吗")
    assert (await client.sends("ming"))["errcode"] == 0
    assert len(fake.shown("ming")) == 6


async def test_after_two_days_of_silence_nothing_is_taken(
    client: Client, fake: FakeWeComKF, clock: HandClock
) -> None:
    await fake.says("ming", "在吗")
    clock.passes(hours=48, seconds=1)
    assert (await client.sends("ming"))["errcode"] == 95002


async def test_nobody_is_written_to_who_never_wrote(client: Client, fake: FakeWeComKF) -> None:
    await fake.arrives("ming")
    assert (await client.sends("ming"))["errcode"] == 95002
    assert (await client.sends("stranger"))["errcode"] == 40096


@pytest.mark.parametrize("state", [2, 3])
async def test_while_a_person_has_the_session_the_api_is_silent(
    client: Client, fake: FakeWeComKF, state: int
) -> None:
    await fake.says("ming", "在吗")
    await client.trans("ming", state, "zhangsan")
    assert (await client.sends("ming"))["errcode"] == 95018


async def test_a_msgid_is_taken_once(client: Client, fake: FakeWeComKF) -> None:
    await fake.says("ming", "在吗")
    assert (await client.sends("ming", msgid="01J_a-b"))["msgid"] == "01J_a-b"
    assert (await client.sends("ming", msgid="01J_a-b"))["errcode"] == fake.repeated_msgid_code
    assert (await client.sends("ming", msgid="x" * 33))["errcode"] == 40058
    assert (await client.sends("ming", msgid="点"))["errcode"] == 40058
    assert len(fake.shown("ming")) == 1


async def test_a_refused_msgid_may_be_used_again(client: Client, fake: FakeWeComKF) -> None:
    await fake.says("ming", "在吗")
    await client.trans("ming", 2)
    assert (await client.sends("ming", msgid="one"))["errcode"] == 95018
    await fake.ends_natively("ming")
    await fake.says("ming", "再问一下")
    assert (await client.sends("ming", msgid="one"))["errcode"] == 0


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("卡" * 682 + "ab", 0),
        ("卡" * 683, 45002),
        ("x" * 2048, 0),
        ("x" * 2049, 45002),
        ("😀" * 512, 0),
        ("😀" * 512 + "x", 45002),
        ("", 44004),
    ],
)
async def test_texts_are_measured_in_bytes(
    client: Client, fake: FakeWeComKF, text: str, code: int
) -> None:
    await fake.says("ming", "在吗")
    assert (await client.sends("ming", text))["errcode"] == code


def click(content: str, key: str = "1") -> Json:
    return {"type": "click", "click": {"id": key, "content": content}}


@pytest.mark.parametrize(
    ("menu", "code"),
    [
        ({"head_content": "请选择", "list": [click("查订单")]}, 0),
        ({"head_content": "x" * 1025, "list": [click("查订单")]}, 40058),
        ({"tail_content": "x" * 1025, "list": [click("查订单")]}, 40058),
        ({"head_content": "请选择", "list": [click(str(n)) for n in range(11)]}, 95008),
        ({"head_content": "请选择", "list": [click("x" * 129)]}, 40058),
        ({"head_content": "请选择", "list": [click("查订单", "x" * 65)]}, 40058),
        ({"head_content": "请选择", "list": [{"type": "dance", "dance": {}}]}, 95009),
    ],
)
async def test_menus_have_their_own_limits(
    client: Client, fake: FakeWeComKF, menu: Json, code: int
) -> None:
    await fake.says("ming", "在吗")
    assert (await client.menu("ming", **menu))["errcode"] == code
    assert bool(fake.shown("ming")) is (code == 0)


async def test_a_menu_press_arrives_as_a_text_with_the_items_id(
    client: Client, fake: FakeWeComKF
) -> None:
    await fake.says("ming", "在吗")
    await client.menu("ming", head_content="请选择", list=[click("查订单", "order")])
    await fake.presses("ming", "查订单")
    last = (await client.reads())["msg_list"][-1]
    assert last["text"] == {"content": "查订单", "menu_id": "order"}


async def test_escaped_characters_are_refused(
    http: aiohttp.ClientSession, client: Client, fake: FakeWeComKF
) -> None:
    await fake.says("ming", "在吗")
    client.token = str((await client.gettoken())["access_token"])
    url = f"{fake.url}/cgi-bin/kf/send_msg?access_token={client.token}"
    async with http.post(url, json={"text": {"content": "您好"}}) as answer:
        assert (await answer.json())["errcode"] == 40033


async def test_a_taken_message_may_fail_later_by_event(client: Client, fake: FakeWeComKF) -> None:
    await fake.says("ming", "在吗")
    fake.state.fail_later.append(rules.OVER_5)
    assert (await client.sends("ming", msgid="vain"))["errcode"] == 0
    await fake.until(lambda: len(fake.state.log) == 2)
    told = (await client.reads())["msg_list"][-1]
    assert (told["event"]["event_type"], told["event"]["fail_msgid"]) == ("msg_send_fail", "vain")
    assert told["event"]["fail_type"] == 6
    assert fake.shown("ming") == []


async def test_who_refuses_the_account_is_told_by_event(client: Client, fake: FakeWeComKF) -> None:
    await fake.says("ming", "别再发了")
    await fake.leaves("ming")
    assert (await client.sends("ming"))["errcode"] == 0
    await fake.until(lambda: len(fake.state.log) == 2)
    assert (await client.reads())["msg_list"][-1]["event"]["fail_type"] == 10


# ---------------------------------------------------------------------- states and codes


@pytest.mark.parametrize(
    ("way", "codes"),
    [
        ([1, 2, 3, 4], [0, 0, 0, 0]),
        ([3, 3, 4, 1], [0, 0, 0, 95013]),
        ([2, 1], [0, 95018]),
        ([1, 4], [0, 95018]),
        ([9], [40058]),
    ],
)
async def test_sessions_move_as_the_matrix_says(
    client: Client, fake: FakeWeComKF, way: list[int], codes: list[int]
) -> None:
    await fake.says("ming", "在吗")
    got = [(await client.trans("ming", state, "zhangsan"))["errcode"] for state in way]
    assert got == codes


async def test_only_who_is_on_duty_is_given_a_session(client: Client, fake: FakeWeComKF) -> None:
    await fake.says("ming", "在吗")
    assert (await client.trans("ming", 3, "lisi"))["errcode"] == 95014
    assert (await client.trans("ming", 3, "zhangsan"))["errcode"] == 0
    about = {"open_kfid": fake.open_kfid, "external_userid": "wmming"}
    state = await client.post("kf/service_state/get", **about)
    assert (state["service_state"], state["servicer_userid"]) == (3, "zhangsan")


async def test_a_message_after_the_end_begins_anew(client: Client, fake: FakeWeComKF) -> None:
    await fake.says("ming", "在吗")
    await fake.native_reply("ming", "在的")
    await fake.ends_natively("ming")
    assert (await client.sends("ming"))["errcode"] == 95018
    await fake.says("ming", "又来了")
    assert (await client.sends("ming"))["errcode"] == 0


async def welcome_code(client: Client, fake: FakeWeComKF) -> str:
    await fake.arrives("ming", "shop=1")
    event = (await client.reads())["msg_list"][-1]["event"]
    assert (event["event_type"], event["scene_param"]) == ("enter_session", "shop=1")
    return str(event.get("welcome_code", ""))


async def greets(client: Client, code: str) -> int:
    answer = await client.post(
        "kf/send_msg_on_event", code=code, msgtype="text", text={"content": "欢迎光临"}
    )
    return int(answer["errcode"])


async def test_a_welcome_is_said_once_and_within_twenty_seconds(
    client: Client, fake: FakeWeComKF, clock: HandClock
) -> None:
    late = await welcome_code(client, fake)
    clock.passes(seconds=21)
    assert await greets(client, late) == rules.BAD_EVENT_CODE
    code = await welcome_code(client, fake)
    assert [await greets(client, code), await greets(client, code)] == [0, rules.BAD_EVENT_CODE]
    assert [one.text for one in fake.shown("ming")] == ["欢迎光临"]


async def test_who_was_welcomed_or_wrote_lately_gets_no_welcome_code(
    client: Client, fake: FakeWeComKF, clock: HandClock
) -> None:
    assert await greets(client, await welcome_code(client, fake)) == 0
    assert await welcome_code(client, fake) == ""
    clock.passes(hours=49)
    client.token = ""
    assert await welcome_code(client, fake) != ""
    await fake.says("ming", "在吗")
    assert await welcome_code(client, fake) == ""


async def test_a_code_of_the_pool_is_good_in_the_pool_only(
    client: Client, fake: FakeWeComKF
) -> None:
    await fake.says("ming", "转人工")
    code = (await client.trans("ming", 2))["msg_code"]
    await fake.native_reply("ming", "我来啦")
    assert await greets(client, code) == rules.BAD_EVENT_CODE


# ---------------------------------------------------------------------- files and customers


async def test_a_picture_travels_both_ways(
    http: aiohttp.ClientSession, client: Client, fake: FakeWeComKF, clock: HandClock
) -> None:
    picture = b"\x89PNG\r\n\x1a\n" + bytes(32)
    await fake.sends_media("ming", "image", picture, mime="image/png")
    media_id = (await client.reads())["msg_list"][0]["image"]["media_id"]
    query = {"access_token": client.token, "media_id": media_id}
    async with http.get(f"{fake.url}/cgi-bin/media/get", params=query) as answer:
        assert (answer.content_type, await answer.read()) == ("image/png", picture)

    form = aiohttp.FormData()
    form.add_field("media", picture, filename="a.png", content_type="image/png")
    query = {"access_token": client.token, "type": "image"}
    async with http.post(f"{fake.url}/cgi-bin/media/upload", params=query, data=form) as answer:
        uploaded = (await answer.json())["media_id"]
    about = {"touser": "wmming", "open_kfid": fake.open_kfid, "msgtype": "image"}
    sent = await client.post("kf/send_msg", **about, image={"media_id": uploaded})
    assert sent["errcode"] == 0
    assert [(one.kind, one.content) for one in fake.shown("ming")] == [("image", picture)]
    clock.passes(days=3, seconds=1)
    client.token = ""
    await fake.says("ming", "再看一下")
    again = await client.post("kf/send_msg", **about, image={"media_id": uploaded})
    assert again["errcode"] == 40007


async def test_customers_are_known_by_name(client: Client, fake: FakeWeComKF) -> None:
    await fake.says("ming", "在吗")
    ids = ["wmming", "wmnobody"]
    answer = await client.post("kf/customer/batchget", external_userid_list=ids)
    assert [one["nickname"] for one in answer["customer_list"]] == ["ming"]
    assert answer["invalid_external_userid"] == ["wmnobody"]


# ---------------------------------------------------------------------- notices


async def test_a_notice_tells_the_account_and_a_token_but_no_message(
    receiver: Receiver, fake: FakeWeComKF
) -> None:
    await fake.says("ming", "卡密是 ABCD")
    (notice,) = receiver.notices
    (token,) = fake.state.callback_tokens
    for part in ("kf_msg_or_event", fake.open_kfid, token):
        assert f"<![CDATA[{part}]]>" in notice
    assert "ABCD" not in notice
    assert fake.pushes == [(200, "")]


async def test_a_notice_is_tried_three_times_and_given_up(
    receiver: Receiver, fake: FakeWeComKF
) -> None:
    receiver.statuses = [500, 500, 200]
    await fake.says("ming", "在吗")
    assert [status for status, _ in fake.pushes] == [500, 500, 200]
    receiver.statuses = [500] * 4
    await fake.says("ming", "在吗")
    assert len(receiver.notices) == 6


async def test_notices_get_lost_doubled_or_late_by_order(
    receiver: Receiver, fake: FakeWeComKF
) -> None:
    for kind, count in (("lost", 0), ("twice", 2), ("late", 2)):
        fake.faults.add(kind, "callback")
        await fake.says("ming", kind)
        assert len(receiver.notices) == count
    await fake.deliver_late()
    assert len(receiver.notices) == 3
    assert len(fake.state.log) == 3


async def test_one_message_delivered_thrice_keeps_its_name(
    receiver: Receiver, client: Client, fake: FakeWeComKF
) -> None:
    msgid = await fake.says("ming", "在吗", times=3)
    await fake.replays(msgid)
    page = await client.reads()
    assert [item["msgid"] for item in page["msg_list"]] == [msgid] * 4
    assert len(receiver.notices) == 4


async def test_a_url_that_cannot_decrypt_is_not_saved(fake: FakeWeComKF) -> None:
    receiver = Receiver()
    receiver.crypto = WeChatCrypto(CALLBACK_TOKEN, "B" * 43, CORP_ID)
    async with TestServer(receiver.application()) as server:
        with pytest.raises(ConnectionError):
            await fake.connect(str(server.make_url("")).rstrip("/"))


@pytest.mark.parametrize("code", [-1, 42001, 95001, 95018])
async def test_any_error_can_be_ordered(client: Client, fake: FakeWeComKF, code: int) -> None:
    await fake.says("ming", "在吗")
    fake.faults.add("error", "kf/send_msg", code=code)
    assert (await client.sends("ming"))["errcode"] == code
    assert fake.shown("ming") == []
    assert (await client.sends("ming"))["errcode"] == 0
