"""What OneBot implementations send, in the line that agents and the bot read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.kit.standins import EMPTY
from connectors.messages import ChannelRef, Inbound, InboundKind
from connectors.onebot.mapping import Mapper

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SELF, USER, GROUP = "2854196310", 10000001, 700000001
MAPPER = Mapper(ChannelRef("onebot", "main"), SELF, lambda *_: False)


def an_event(message: Any, **more: Any) -> dict[str, Any]:
    return {
        "post_type": "message",
        "message_type": "private",
        "sub_type": "friend",
        "time": 1795420800,
        "self_id": int(SELF),
        "user_id": USER,
        "message_id": 77,
        "sender": {"user_id": USER, "nickname": "小明"},
        "message": message,
        **more,
    }


def heard(message: Any, **more: Any) -> Inbound:
    found = MAPPER.inbound(an_event(message, **more), NOW)
    assert found is not None
    return found


def a_part(kind: str, **data: Any) -> dict[str, Any]:
    return {"type": kind, "data": data}


CARD = (
    '{"app":"com.tencent.miniapp_01","prompt":"[QQ小程序]点卡商城",'
    '"meta":{"detail_1":{"title":"点卡商城","desc":"月卡九折"}}}'
)
XML = (
    '<msg brief="[分享] 新品"><item><title>季卡 &amp; 年卡</title>'
    "<summary>今晚开售</summary></item></msg>"
)
NODES = [
    a_part("node", user_id="1", nickname="甲", content=[a_part("text", text="卡用不了")]),
    a_part("node", nickname="乙", content="[CQ:image,file=x.png]换一张"),
]


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ([a_part("flash_file", title="截图.zip", file_set_id="x")], "[闪传文件] 截图.zip"),
        ([a_part("flashtransfer", fileSetId="x")], "[闪传文件]"),
        ([a_part("onlinefile", fileName="a.rar", isDir=False)], "[在线文件] a.rar"),
        ([a_part("miniapp", data=CARD)], "[QQ小程序] 点卡商城 月卡九折"),
        ([a_part("json", data=CARD)], "[QQ小程序] 点卡商城 月卡九折"),
        ([a_part("json", data={"prompt": "新品", "meta": {}})], "[卡片] 新品"),
        ([a_part("json", data="{broken")], "[卡片]"),
        ([a_part("xml", data=XML)], "[分享] 新品 季卡 & 年卡 今晚开售"),
        ([a_part("poke", type="1", id="-1")], "[戳一戳]"),
        ([a_part("shake")], "[窗口抖动]"),
        ([a_part("dice", result=5)], "[骰子] 5"),
        ([a_part("rps", result="1")], "[猜拳]"),
        (
            [a_part("keyboard", rows=[{"buttons": [{"render_data": {"label": "查单"}}]}])],
            "[按钮] 查单",
        ),
        (NODES, "[聊天记录] 甲：卡用不了 乙：[图片]换一张"),
        ([a_part("forward", id="f", content=NODES)], "[聊天记录] 甲：卡用不了 乙：[图片]换一张"),
        (
            [
                a_part(
                    "forward",
                    content=[
                        {"sender": {"nickname": "丙"}, "message": [a_part("text", text="好")]}
                    ],
                )
            ],
            "[聊天记录] 丙：好",
        ),
        ([a_part("forward", id="f")], "[聊天记录]"),
        ([a_part("location", lat="1", lon="2", title="东门", content="一路")], "[位置] 东门 一路"),
        ([a_part("share", url="https://a.example", title="新品")], "[链接] 新品 https://a.example"),
        ([a_part("contact", type="qq", id="10001")], "[名片] 10001"),
        ([a_part("music", type="custom", title="歌")], "[音乐] 歌"),
        ([a_part("redbag", title="恭喜发财")], "[红包] 恭喜发财"),
        ([a_part("hologram", title="全息图")], "[其他消息] 全息图"),
        ([a_part("hologram")], "[其他消息]"),
        ([a_part("reply", id="5")], "[引用消息]"),
        ([], EMPTY),
        ("", EMPTY),
        (None, EMPTY),
        ([a_part("text", text="")], EMPTY),
        ([a_part("text", text="  ")], EMPTY),
        ([{"type": "text", "data": None}], EMPTY),
    ],
)
def test_what_only_a_person_can_read_is_named_with_the_words_in_it(message: Any, line: str) -> None:
    found = heard(message)
    assert (found.kind, found.text, found.is_unreadable) == (InboundKind.MESSAGE, line, True)


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ([a_part("markdown", content="订单 **A-100** 没到账")], "订单 **A-100** 没到账"),
        (
            [a_part("text", text="看这个"), a_part("json", data=CARD)],
            "看这个[QQ小程序] 点卡商城 月卡九折",
        ),
        ([{"type": "text", "text": "平铺的写法"}], "平铺的写法"),
        ([a_part("face", id="178")], "🙂"),
        ([a_part("mface", emoji_id="x", summary="[捂脸]")], "🙂"),
        ([a_part("at", qq=SELF)], ""),
        ([a_part("reply", id="5"), a_part("text", text="这个呢")], "这个呢"),
        ("[CQ:reply,id=5]这个呢", "这个呢"),
    ],
)
def test_words_are_the_line(message: Any, line: str) -> None:
    found = heard(message)
    assert (found.text, found.is_unreadable) == (line, False)


def test_where_the_message_is_missing_the_raw_one_is_read() -> None:
    assert heard(None, raw_message="卡密不对&#91;急&#93;").text == "卡密不对[急]"


@pytest.mark.parametrize("sticker", [{"sub_type": 1}, {"emoji_id": "e"}, {"is_emoji": True}])
def test_a_sticker_is_a_face_and_its_picture_is_kept(sticker: dict[str, Any]) -> None:
    found = heard([a_part("image", file="x.gif", url="https://a.example/x.gif", **sticker)])
    assert (found.text, found.is_unreadable, len(found.media)) == ("🙂", False, 1)


def test_flags_that_are_null_or_false_say_nothing() -> None:
    message = [a_part("text", text="在")]
    told = an_event(message, anonymous=None, group_id=None, raw=False, sub_type="friend")
    assert MAPPER.inbound(told, NOW) == MAPPER.inbound(an_event(message), NOW)


@pytest.mark.parametrize(
    "more",
    [
        {"anonymous": {"id": 1, "name": "匿名", "flag": "x"}, "sub_type": "anonymous"},
        {"sub_type": "notice"},
        {"user_id": int(SELF)},
    ],
)
def test_who_is_no_person_is_not_answered(more: dict[str, Any]) -> None:
    called = [a_part("at", qq=SELF), a_part("text", text="上新了")]
    told = an_event(called, message_type="group", group_id=GROUP, **more)
    assert MAPPER.inbound(told, NOW) is None


@pytest.mark.parametrize("missing", [{"message_id": None}, {"message_id": "", "time": None}])
def test_texts_of_one_second_without_an_id_are_told_by_what_they_say(
    missing: dict[str, Any],
) -> None:
    first, second = heard("在吗", **missing), heard("卡密呢", **missing)
    assert first.dedup_key != second.dedup_key
    assert first.dedup_key == heard("在吗", **missing).dedup_key
    assert len(first.dedup_key) <= 160


def test_a_file_that_a_notice_tells_of_is_a_message() -> None:
    told = {
        "post_type": "notice",
        "notice_type": "offline_file",
        "time": 1795420800,
        "user_id": USER,
        "file": {"name": "单.pdf", "size": 2048, "url": "https://a.example/1"},
    }
    found = MAPPER.inbound(told, NOW)
    assert found is not None
    assert (found.kind, found.address.user_id) == (InboundKind.MESSAGE, str(USER))
    [media] = found.media
    assert (media.kind, media.name, media.size) == ("file", "单.pdf", 2048)


def test_what_is_passed_on_in_what_was_passed_on_ends_somewhere() -> None:
    inner: list[dict[str, Any]] = [a_part("text", text="底")]
    for _ in range(40):
        inner = [a_part("forward", content=[{"sender": {"nickname": "甲"}, "message": inner}])]
    assert heard(inner).text.startswith("[聊天记录]")
