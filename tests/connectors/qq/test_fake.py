"""The fake keeps the platform's rules."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from devkit.qq import APP_ID, SECRET, FakeQQOpen
from devkit.qq.rules import displayed
from devkit.qq.webhook import signature
from tests.connectors.qq.conftest import HandClock

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 60
VECTOR = (
    "87befc99c42c651b3aac0278e71ada338433ae26fcb24307bdc5ad38c1adc2d0"
    "1bcfcadc0842edac85e85205028a1132afe09280305f13aa6909ffc2d652c706"
)
Answer = tuple[int, dict[str, Any]]


class Bot:
    """A bot without kefu: an API client, and a webhook that answers as it is told."""

    def __init__(self, fake: FakeQQOpen, http: aiohttp.ClientSession) -> None:
        self.fake = fake
        self.http = http
        self.heard: list[dict[str, Any]] = []
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[web.Response] = []

    async def hook(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.requests.append((dict(request.headers), body))
        event = json.loads(body)
        if event["op"] == 13:
            d = event["d"]
            signed = signature(SECRET, d["event_ts"], d["plain_token"].encode())
            return web.json_response({"plain_token": d["plain_token"], "signature": signed})
        self.heard.append(event)
        return self.answers.pop(0) if self.answers else web.json_response({"op": 12, "d": 0})

    async def token(self, secret: str = SECRET) -> dict[str, Any]:
        url = self.fake.url + "/app/getAppAccessToken"
        async with self.http.post(url, json={"appId": APP_ID, "clientSecret": secret}) as answer:
            assert answer.status == 200
            found: dict[str, Any] = await answer.json()
            return found

    async def call(self, method: str, path: str, body: Any = None, token: str = "") -> Answer:
        token = token or (await self.token())["access_token"]
        headers = {"Authorization": f"QQBot {token}", "X-Union-Appid": APP_ID}
        async with self.http.request(
            method, self.fake.url + path, json=body, headers=headers
        ) as answer:
            return answer.status, await answer.json()

    async def send(self, user: str, *, group: str | None = None, **body: Any) -> Answer:
        scope, openid = self.fake.peer(user, group)
        whole = {"msg_type": 0, "content": "您好", **body}
        return await self.call("POST", f"/v2/{scope}/{openid}/messages", whole)

    async def upload(self, scope: str, openid: str, **body: Any) -> Answer:
        return await self.call("POST", f"/v2/{scope}/{openid}/files", body)


@pytest.fixture
async def bot(fake: FakeQQOpen) -> AsyncIterator[Bot]:
    async with aiohttp.ClientSession() as http:
        found = Bot(fake, http)
        app = web.Application()
        app.router.add_post("/hooks/qq/main", found.hook)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        server: Any = site._server
        await fake.connect(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        yield found
        await runner.cleanup()


def test_signatures_match_the_documented_vector() -> None:
    assert signature("DG5g3B4j9X2KOErG", "1725442341", b"Arq0D5A61EgUu4OxUvOp") == VECTOR


# ---------------------------------------------------------------- tokens


async def test_a_token_stays_the_same_until_its_last_minute(bot: Bot, clock: HandClock) -> None:
    first = await bot.token()
    clock.passes(seconds=7100)
    again = await bot.token()
    clock.passes(seconds=50)
    new = await bot.token()
    assert (first["expires_in"], again["expires_in"]) == ("7200", "100")
    assert again["access_token"] == first["access_token"] != new["access_token"]
    for token in (first["access_token"], new["access_token"]):
        assert (await bot.call("GET", "/users/@me", token=token))[0] == 200
    clock.passes(seconds=51)
    status, body = await bot.call("GET", "/users/@me", token=first["access_token"])
    assert (status, body["code"]) == (500, 11244)


async def test_wrong_credentials_are_told_with_status_200(bot: Bot) -> None:
    assert (await bot.token("wrong"))["code"] == 100016


async def test_a_fault_of_the_token_service_is_told_with_status_200(bot: Bot) -> None:
    bot.fake.faults.add("error", "token", code=100001)
    assert (await bot.token()) == {"code": 100001, "message": "error"}


# ---------------------------------------------------------------- windows, quotas, dedupe


async def test_a_private_message_is_answered_four_times(bot: Bot) -> None:
    message = await bot.fake.says("小明", "在吗")
    answers = [await bot.send("小明", msg_id=message, msg_seq=seq) for seq in range(1, 6)]
    assert [status for status, _ in answers] == [200, 200, 200, 200, 400]
    assert answers[-1][1]["err_code"] == 40034128
    assert len(bot.fake.shown("小明")) == 4


async def test_the_same_seq_of_a_message_is_refused_the_second_time(bot: Bot) -> None:
    message = await bot.fake.says("小明", "在吗")
    await bot.send("小明", msg_id=message)
    _, body = await bot.send("小明", msg_id=message, msg_seq=1)
    assert body["code"] == 40054005
    assert len(bot.fake.shown("小明")) == 1


@pytest.mark.parametrize(("group", "open_min", "closed_min"), [(None, 59, 1), ("群", 4, 1)])
async def test_a_window_closes(
    bot: Bot, clock: HandClock, group: str | None, open_min: int, closed_min: int
) -> None:
    message = await bot.fake.says("小明", "在吗", group=group)
    clock.passes(minutes=open_min)
    assert (await bot.send("小明", group=group, msg_id=message, msg_seq=1))[0] == 200
    clock.passes(minutes=closed_min)
    _, body = await bot.send("小明", group=group, msg_id=message, msg_seq=2)
    assert body["code"] == 40034005


async def test_a_message_of_somebody_else_cannot_be_answered(bot: Bot) -> None:
    message = await bot.fake.says("小明", "在吗")
    assert (await bot.send("小红", msg_id=message))[1]["code"] == 40034024
    assert (await bot.send("小明", event_id=message))[1]["code"] == 40034025


async def test_a_message_out_of_the_blue_needs_permission(bot: Bot) -> None:
    assert (await bot.send("小明"))[1]["code"] == 40034105
    bot.fake.may.active_push = True
    assert (await bot.send("小明"))[0] == 200
    await bot.fake.pushes_allowed("小明", allowed=False)
    assert (await bot.send("小明"))[1]["code"] == 40034105


async def test_some_events_can_be_answered_and_some_cannot(bot: Bot) -> None:
    arrival = await bot.fake.arrives("小明")
    refusal = await bot.fake.pushes_allowed("小明", allowed=False)
    assert (await bot.send("小明", event_id=arrival))[0] == 200
    assert (await bot.send("小明", event_id=refusal))[1]["code"] == 40034027


# ---------------------------------------------------------------- content


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"content": " "}, 50006),
        ({"content": "去 https://evil.example/x 看"}, 304003),
        ({"content": "敏感词"}, 1100101),
        ({"content": "字" * 2001}, 40054007),
        ({"msg_type": 2, "content": "", "markdown": {"content": "# 好"}}, 50056),
        ({"msg_type": 5}, 340069),
        ({"msg_type": 7, "content": " ", "media": {"file_info": "nope"}}, 304080),
    ],
)
async def test_content_is_refused(bot: Bot, body: dict[str, Any], code: int) -> None:
    bot.fake.may.sensitive.add("敏感词")
    bot.fake.may.markdown = False
    message = await bot.fake.says("小明", "在吗")
    assert (await bot.send("小明", msg_id=message, **body))[1]["code"] == code


async def test_a_listed_host_may_be_named(bot: Bot) -> None:
    bot.fake.may.url_hosts.add("shop.example.com")
    message = await bot.fake.says("小明", "网址?")
    status, _ = await bot.send("小明", msg_id=message, content="https://shop.example.com/x")
    assert status == 200


def keyboard(*labels: str) -> dict[str, Any]:
    buttons = [
        {
            "id": str(place),
            "render_data": {"label": label, "visited_label": label, "style": 1},
            "action": {"type": 1, "permission": {"type": 2}, "data": f"kf1:{place}"},
        }
        for place, label in enumerate(labels)
    ]
    return {"content": {"rows": [{"buttons": [one]} for one in buttons]}}


async def test_buttons_need_permission_and_keep_to_their_limits(bot: Bot) -> None:
    message = await bot.fake.says("小明", "在吗")
    body: dict[str, Any] = {"msg_type": 2, "content": "", "markdown": {"content": "请选择"}}
    codes = []
    for permitted, labels in [
        (False, ["查订单"]),
        (True, ["一个长得超过十个字的标签"]),
        (True, list("123456")),
        (True, ["查订单"]),
    ]:
        bot.fake.may.keyboard = permitted
        _, answer = await bot.send("小明", msg_id=message, keyboard=keyboard(*labels), **body)
        codes.append(answer.get("code"))
    assert codes == [304037, 305007, 40034029, None]
    assert bot.fake.shown("小明")[0].buttons == ("查订单",)


async def test_what_needs_a_review_is_shown_after_it(bot: Bot) -> None:
    bot.fake.may.audited.add("赔")
    message = await bot.fake.says("小明", "怎么办")
    status, body = await bot.send("小明", msg_id=message, content="我们赔您")
    audit_id = body["data"]["message_audit"]["audit_id"]
    assert (status, body["code"]) == (202, 304024)
    assert bot.fake.shown("小明") == []
    await bot.fake.reviews(audit_id, passes=True)
    assert bot.fake.shown("小明")[0].text == "我们赔您"


def test_the_app_draws_mentions_and_markup() -> None:
    assert displayed('<qqbot-at-user id="A" /> 您好', is_markdown=False) == ("您好", ("A",))
    assert (
        displayed("看 <\u200bqqbot-at-user> *1*", is_markdown=False)[0] == "看 <qqbot-at-user> *1*"
    )
    assert displayed(r"**粗** \*1\*", is_markdown=True)[0] == "粗 *1*"


# ---------------------------------------------------------------- files, recall


async def test_a_file_is_uploaded_and_sent_in_its_own_scope_for_a_while(
    bot: Bot, clock: HandClock
) -> None:
    message = await bot.fake.says("小明", "发图")
    scope, openid = bot.fake.peer("小明")
    data = base64.b64encode(PNG).decode()
    _, file = await bot.upload(scope, openid, file_type=1, file_data=data, srv_send_msg=False)
    media: dict[str, Any] = {
        "msg_type": 7,
        "content": " ",
        "media": {"file_info": file["file_info"]},
    }
    assert (await bot.send("小明", msg_id=message, **media))[0] == 200
    assert bot.fake.shown("小明")[0].content == PNG
    in_group = await bot.fake.says("小明", "发图", group="群")
    _, refused = await bot.send("小明", group="群", msg_id=in_group, **media)
    clock.passes(seconds=301)
    _, expired = await bot.send("小明", msg_id=message, msg_seq=2, **media)
    assert (refused["code"], expired["code"]) == (304080, 304080)


async def test_what_is_no_picture_is_not_taken_as_one(bot: Bot) -> None:
    data = base64.b64encode(b"GIF89a").decode()
    _, body = await bot.upload(*bot.fake.peer("小明"), file_type=1, file_data=data)
    assert body["code"] == 850019


async def test_a_file_is_fetched_from_an_address(bot: Bot) -> None:
    await bot.fake.sends_media("小明", "image", PNG)
    url = bot.heard[0]["d"]["attachments"][0]["url"]
    status, _ = await bot.upload(*bot.fake.peer("小明"), file_type=1, url=url)
    _, missing = await bot.upload(*bot.fake.peer("小明"), file_type=1, url=url + "x")
    assert (status, missing["code"]) == (200, 850026)


async def test_a_message_is_recalled_within_two_minutes(bot: Bot, clock: HandClock) -> None:
    message = await bot.fake.says("小明", "在吗")
    _, first = await bot.send("小明", msg_id=message)
    _, second = await bot.send("小明", msg_id=message, msg_seq=2)
    path = "/v2/users/{}/messages/{}"
    openid = bot.fake.peer("小明")[1]
    assert (await bot.call("DELETE", path.format(openid, first["id"])))[0] == 200
    clock.passes(seconds=121)
    _, late = await bot.call("DELETE", path.format(openid, second["id"]))
    assert late["code"] == 40064004
    assert len(bot.fake.shown("小明")) == 1


# ---------------------------------------------------------------- the webhook


async def test_every_push_is_signed(bot: Bot) -> None:
    await bot.fake.says("小明", "在吗")
    headers, body = bot.requests[-1]
    assert headers["X-Bot-Appid"] == APP_ID
    assert headers["User-Agent"] == "QQBot-Callback"
    timestamp = headers["X-Signature-Timestamp"]
    assert headers["X-Signature-Ed25519"] == signature(SECRET, timestamp, body)


async def test_an_address_that_cannot_sign_is_not_saved(bot: Bot, fake: FakeQQOpen) -> None:
    with pytest.raises(ConnectionError):
        await fake.connect(fake.url)
    assert bot.heard == []


async def test_what_was_not_accepted_comes_again(bot: Bot) -> None:
    bot.answers = [web.json_response({"op": 12, "d": 1}), web.Response(status=500)]
    await bot.fake.says("小明", "在吗")
    assert [status for status, _ in bot.fake.pushes] == [200, 500, 200]
    assert bot.heard[0] == bot.heard[1] == bot.heard[2]


async def test_a_push_is_given_up_after_some_tries(bot: Bot) -> None:
    bot.fake.webhook.max_deliveries = 2
    bot.answers = [web.Response(status=500) for _ in range(3)]
    await bot.fake.says("小明", "在吗")
    assert len(bot.fake.pushes) == 2


async def test_a_message_told_twice_is_the_very_same(bot: Bot, clock: HandClock) -> None:
    message = await bot.fake.says("小明", "在吗", times=2)
    clock.passes(hours=1)
    await bot.fake.replays(message)
    assert bot.heard[0] == bot.heard[1] == bot.heard[2]
    stamps = [headers["X-Signature-Timestamp"] for headers, _ in bot.requests[-3:]]
    assert stamps[0] == stamps[1] != stamps[2]


async def test_a_press_waits_for_its_acknowledgement(bot: Bot) -> None:
    bot.fake.may.keyboard = True
    message = await bot.fake.says("小明", "在吗")
    body: dict[str, Any] = {"msg_type": 2, "content": "", "markdown": {"content": "请选择"}}
    await bot.send("小明", msg_id=message, keyboard=keyboard("查订单", "转人工"), **body)
    press = await bot.fake.presses("小明", "转人工")
    event = bot.heard[-1]
    assert event["d"]["data"]["resolved"]["button_data"] == "kf1:1"
    assert bot.fake.state.acknowledged[press] is None
    await bot.call("PUT", f"/interactions/{press}", {"code": 0})
    assert bot.fake.state.acknowledged[press] == 0
    assert (await bot.send("小明", event_id=event["id"]))[0] == 200


async def test_only_mentions_of_the_bot_are_pushed_unless_it_reads_all(bot: Bot) -> None:
    await bot.fake.says("小明", "吃了吗", group="群", mentions=False)
    await bot.fake.says("小明", "查订单", group="群")
    bot.fake.reads_all = True
    await bot.fake.says("小明", "吃了吗", group="群", mentions=False)
    kinds = [(event["t"], event["d"]["content"]) for event in bot.heard]
    assert kinds == [("GROUP_AT_MESSAGE_CREATE", " 查订单"), ("GROUP_MESSAGE_CREATE", "吃了吗")]


async def test_a_customer_is_somebody_else_in_a_group(bot: Bot) -> None:
    await bot.fake.says("小明", "一")
    await bot.fake.says("小明", "二", group="群")
    authors = [event["d"]["author"] for event in bot.heard]
    assert authors[0]["user_openid"] != authors[1]["member_openid"]


async def test_who_left_cannot_be_written_to_until_they_are_back(bot: Bot) -> None:
    message = await bot.fake.says("小明", "在吗")
    await bot.fake.leaves("小明")
    assert (await bot.send("小明", msg_id=message))[1]["code"] == 40054004
    await bot.fake.arrives("小明", "order-7")
    assert bot.heard[-1]["d"]["scene_param"] == "order-7"
    assert (await bot.send("小明", msg_id=message))[0] == 200


async def test_a_group_that_removed_the_bot_cannot_be_written_to(bot: Bot) -> None:
    message = await bot.fake.says("小明", "在吗", group="群")
    await bot.fake.group_changes("群", "群主", "GROUP_DEL_ROBOT")
    assert (await bot.send("小明", group="群", msg_id=message))[1]["code"] == 40054003


async def test_a_lost_answer_is_a_sent_message(bot: Bot) -> None:
    message = await bot.fake.says("小明", "在吗")
    bot.fake.faults.add("drop_after", "users/messages")
    with pytest.raises(aiohttp.ClientError):
        await bot.send("小明", msg_id=message)
    assert (await bot.send("小明", msg_id=message))[1]["code"] == 40054005
    assert len(bot.fake.shown("小明")) == 1
