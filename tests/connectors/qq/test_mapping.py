"""From the platform's payloads to what happened."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.messages import Address, ChannelRef, Inbound, InboundKind, MediaHandle, PeerKind
from connectors.qq.mapping import Mapper, Windows
from connectors.qq.webhook import Envelope, read_envelope
from tests.connectors.qq.conftest import payload

REF = ChannelRef("qq", "main")
USER = "E4F4AEA33253A2797FB897C50B81D7ED"
GROUP = "C9F778FE6ADF9D1D1DBE395BF744A33A"
PRIVATE = Address(REF, USER, USER)
IN_GROUP = Address(REF, GROUP, USER, PeerKind.GROUP)
THEN = datetime(2023, 11, 6, 5, 37, 18, tzinfo=UTC)
NOW = THEN + timedelta(seconds=2)
MESSAGE_ID = "ROBOT1.0_.b6nx.CVryAO0nR58RXuU6SC.m92gc19j02qKqdm8ek!"
GROUP_MESSAGE_ID = "ROBOT1.0_eBIyWnxpmSu6uLQ7u7fU0eGloKGYg4eEa737vRyKnMCgyZjKi7JLYkQ9B0VapbiY"
WINDOWS = Windows(timedelta(minutes=60), 4, timedelta(minutes=5), 5)
WAITING = {"aud-1": ("01JABCDEFGHJKMNPQRSTVWXYZ0-0", PRIVATE)}


def envelope(found: dict[str, Any]) -> Envelope:
    return read_envelope(json.dumps(found).encode())


def mapped(found: dict[str, Any], now: datetime = NOW) -> Inbound | None:
    return Mapper(REF, WINDOWS, WAITING.get).inbound(envelope(found), now)


def heard(name: str, now: datetime = NOW, **changes: Any) -> Inbound:
    found = payload(name)
    found["d"].update(changes)
    inbound = mapped(found, now)
    assert inbound is not None
    return inbound


# ---------------------------------------------------------------- messages


def test_a_private_message() -> None:
    inbound = heard("c2c_text")
    assert (inbound.kind, inbound.text, inbound.address) == (
        InboundKind.MESSAGE,
        "付了款没收到卡密",
        PRIVATE,
    )
    assert inbound.dedup_key == f"m:{MESSAGE_ID}"
    assert inbound.platform_time == THEN
    assert inbound.received_at == NOW
    window = inbound.window
    assert window is not None
    assert dict(window.data) == {"msg_id": MESSAGE_ID}
    assert window.expires_at == THEN + timedelta(minutes=60)
    assert (window.max_replies, window.replaces) == (4, False)


def test_a_mention_in_a_group() -> None:
    inbound = heard("group_at")
    assert (inbound.text, inbound.address) == ("我的订单呢", IN_GROUP)
    window = inbound.window
    assert window is not None
    assert window.expires_at == THEN + timedelta(minutes=5)
    assert window.max_replies == 5


def test_a_bot_that_reads_all_hears_what_mentions_it() -> None:
    inbound = heard("group_all_mentioned")
    assert inbound.text == "我的订单呢 @小红 也想知道"
    assert inbound.person_name == "小明"


def test_the_same_message_told_as_two_kinds_of_event_is_one() -> None:
    assert heard("group_at").dedup_key == heard("group_all_mentioned").dedup_key


@pytest.mark.parametrize("name", ["group_all_chatter", "group_other_bot"])
def test_chatter_and_other_bots_are_not_for_us(name: str) -> None:
    assert mapped(payload(name)) is None


@pytest.mark.parametrize(("name", "text"), [("c2c_face", "卡密呢😭"), ("c2c_sticker", "❓")])
def test_faces_and_stickers_are_emoji(name: str, text: str) -> None:
    inbound = heard(name)
    assert (inbound.text, inbound.is_unreadable) == (text, False)


def test_a_picture() -> None:
    inbound = heard("c2c_image")
    url = "https://multimedia.nt.qq.com.cn/download?appid=1406&fileid=abc&rkey=xyz"
    assert inbound.text == ""
    assert inbound.media == (
        MediaHandle("image", {"url": url}, "6A3051F3.jpg", "image/jpeg", 183276),
    )
    assert "rkey" not in repr(inbound)


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("gchat.qpic.cn/qmeetpic/1/2/0", "https://gchat.qpic.cn/qmeetpic/1/2/0"),
        ("//gchat.qpic.cn/1", "https://gchat.qpic.cn/1"),
        ("http://gchat.qpic.cn/1", "http://gchat.qpic.cn/1"),
        ("gchat.qpic.cn/1?from=http://x", "https://gchat.qpic.cn/1?from=http://x"),
    ],
)
def test_an_address_gets_the_scheme_that_it_lacks(url: str, whole: str) -> None:
    inbound = heard("c2c_image", attachments=[{"content_type": "image/png", "url": url}])
    assert inbound.media[0].handle == {"url": whole}


def test_a_voice_message_is_what_was_heard_and_its_sound() -> None:
    inbound = heard("c2c_voice")
    assert inbound.text == "我的卡密用不了"
    (voice,) = inbound.media
    assert (voice.kind, voice.mime) == ("voice", "audio/wav")
    assert voice.handle["url"] == "https://multimedia.nt.qq.com.cn/voice.wav?rkey=1"


def test_files_come_with_the_words_around_them() -> None:
    inbound = heard("c2c_file")
    assert inbound.text == "看这个"
    assert [(one.kind, one.name) for one in inbound.media] == [
        ("file", "订单.pdf"),
        ("video", "v.mp4"),
    ]


def test_a_quote_is_its_own_words() -> None:
    found = heard("c2c_quote")
    assert (found.text, found.quoted) == ("这个多少钱", "Q币100元")
    picture = [{"attachments": [{"content_type": "image/png", "url": "https://a.example/1"}]}]
    assert heard("c2c_quote", msg_elements=picture).quoted == "[图片]"
    assert heard("c2c_quote", msg_elements=None).quoted == ""


def test_a_card_is_described_and_marked_as_unreadable() -> None:
    inbound = heard("c2c_card")
    assert (inbound.text, inbound.is_unreadable) == ("[位置] 深圳市南山区 腾讯大厦", True)
    assert heard("c2c_card", ark_data={"prompt": "好物分享"}).text == "[卡片] 好物分享"
    assert heard("c2c_card", ark_data=None).text == "[卡片]"


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"embed": {"title": "新品", "prompt": "上新"}}, "[卡片] 上新"),
        ({"embeds": [{"title": "新品", "fields": [{"name": "月卡"}]}]}, "[卡片] 新品 月卡"),
        ({"markdown": {"content": "# 说明"}}, "[卡片] # 说明"),
        ({"keyboard": {"content": {"rows": [{"label": "查单"}]}}}, "[按钮] 查单"),
        ({"attachments": [{"content_type": "image/png", "url": ""}]}, "[图片]"),
        ({"attachments": [{"content_type": "file", "filename": "单.pdf"}]}, "[文件] 单.pdf"),
        ({"msg_elements": [{"content": "甲"}, {"content": "乙"}]}, "[聊天记录] 甲 乙"),
        ({"message_type": 2}, "[富文本消息]"),
        ({"message_type": 99}, "[看不到的消息]"),
        ({"attachments": None, "ark_data": False}, "[看不到的消息]"),
    ],
)
def test_what_only_a_person_can_read_is_named_with_the_words_in_it(
    changes: dict[str, Any], line: str
) -> None:
    inbound = heard("c2c_text", content=" ", **changes)
    assert (inbound.kind, inbound.text, inbound.is_unreadable) == (InboundKind.MESSAGE, line, True)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("%E8%AE%A2%E5%8D%95", "订单"), ("%25E8", "%E8"), ("100%", "100%")],
)
def test_what_a_link_carries_is_decoded_once(written: str, meant: str) -> None:
    assert heard("friend_add_with_payload", scene_param=written).text == meant


def test_another_bot_is_not_answered_in_private_either() -> None:
    told = payload("c2c_text")
    told["d"]["author"]["bot"] = True
    assert mapped(told) is None


def test_a_message_without_an_id_is_seen_and_told_from_others() -> None:
    def nameless(text: str) -> Inbound:
        told = payload("c2c_text")
        told["id"] = ""
        told["d"] |= {"id": "", "content": text}
        found = mapped(told)
        assert found is not None
        return found

    first, second = nameless("在吗"), nameless("卡密呢")
    assert (first.kind, first.text) == (InboundKind.MESSAGE, "在吗")
    assert first.dedup_key != second.dedup_key
    assert first.dedup_key == nameless("在吗").dedup_key
    assert first.window is None


def test_flags_that_are_null_or_false_say_nothing() -> None:
    told = payload("c2c_text")
    told["d"] |= {"attachments": None, "ark_data": None, "mentions": [], "embeds": False}
    assert mapped(told) == heard("c2c_text")


def test_half_a_character_is_replaced() -> None:
    assert heard("c2c_text", content="卡密\ud83d呢", id="x\ud83d").text == "卡密\ufffd呢"


def test_a_message_without_any_content_is_marked_as_unreadable() -> None:
    inbound = heard("c2c_text", content="")
    assert (inbound.text, inbound.is_unreadable) == ("[看不到的消息]", True)


# ---------------------------------------------------------------- events


def test_an_arrival_opens_a_window_by_its_event() -> None:
    inbound = heard("friend_add_with_payload")
    event_id = "FRIEND_ADD:701d1cfb-46cd-4979-9a01-1031819c2e4c"
    assert (inbound.kind, inbound.text, inbound.address) == (
        InboundKind.ARRIVAL,
        "order-7",
        PRIVATE,
    )
    assert inbound.dedup_key == f"e:{event_id}"
    assert inbound.window is not None
    assert dict(inbound.window.data) == {"event_id": event_id}
    assert inbound.platform_time == datetime.fromtimestamp(1699240365, UTC)


@pytest.mark.parametrize(
    ("name", "kind", "address", "opens"),
    [
        ("friend_add", InboundKind.ARRIVAL, PRIVATE, True),
        ("friend_del", InboundKind.DEPARTURE, PRIVATE, False),
        ("c2c_msg_reject", InboundKind.OTHER, PRIVATE, False),
        ("c2c_msg_receive", InboundKind.OTHER, PRIVATE, True),
        ("group_add_robot", InboundKind.ARRIVAL, IN_GROUP, True),
        ("group_del_robot", InboundKind.DEPARTURE, IN_GROUP, False),
        ("group_msg_reject", InboundKind.OTHER, IN_GROUP, False),
        ("group_msg_receive", InboundKind.OTHER, IN_GROUP, True),
        ("interaction_c2c", InboundKind.BUTTON, PRIVATE, True),
        ("interaction_group", InboundKind.BUTTON, IN_GROUP, True),
    ],
)
def test_events(name: str, kind: InboundKind, address: Address, opens: bool) -> None:
    inbound = heard(name)
    assert (inbound.kind, inbound.address) == (kind, address)
    assert (inbound.window is not None) == opens
    assert inbound.dedup_key.startswith("e:")
    assert (inbound.raw is not None) == (kind is InboundKind.OTHER)


def test_agents_read_why_nobody_can_be_reached() -> None:
    assert heard("friend_del").detail == "顾客删除了机器人，暂时发不出消息"
    assert heard("group_del_robot").detail == "机器人被移出了这个群，暂时发不出消息"


def test_a_press_names_the_button_and_is_answered_by_its_event() -> None:
    inbound = heard("interaction_c2c")
    assert inbound.button_token == "kf1:01JABCDEFGHJKMNPQRSTVWXYZ0:1"
    assert inbound.window is not None
    # the interaction's own id, d.id, would be refused (40034025)
    assert inbound.window.data["event_id"].startswith("INTERACTION_CREATE:")


def test_a_rejected_review_names_the_unit() -> None:
    inbound = heard("audit_reject")
    assert inbound.kind is InboundKind.DELIVERY_FAILED
    assert inbound.reference == "01JABCDEFGHJKMNPQRSTVWXYZ0-0"
    assert inbound.detail == "QQ 的人工审核没有通过这条消息"


@pytest.mark.parametrize("name", ["unknown", "interaction_menu", "audit_pass"])
def test_what_we_do_not_know_is_kept_and_belongs_to_nobody(name: str) -> None:
    inbound = heard(name)
    assert (inbound.kind, inbound.address.peer_id) == (InboundKind.OTHER, "")
    assert json.loads(inbound.raw or b"") == payload(name)


def test_an_event_without_an_id_is_known_by_its_body() -> None:
    found = payload("unknown")
    del found["id"]
    first, again = mapped(found), mapped(found)
    found["d"]["steps"] = []
    other = mapped(found)
    assert first is not None
    assert again is not None
    assert other is not None
    assert first.dedup_key == again.dedup_key != other.dedup_key


def test_a_key_is_never_too_long() -> None:
    assert len(heard("c2c_text", id="x" * 500).dedup_key) <= 160


def test_deliveries_that_overtook_each_other_can_be_sorted() -> None:
    early = heard("c2c_text", timestamp="2023-11-06T13:37:18+08:00").order_hint
    late = heard("c2c_text", now=NOW, timestamp="2023-11-06T13:37:19+08:00").order_hint
    event = heard("friend_add").order_hint
    assert event is not None
    assert early is not None
    assert late is not None
    assert event < early < late


@pytest.mark.parametrize(
    "timestamp", ["2023-11-06T13:37:18+08:00", 1699249038, "1699249038", 1699249038000]
)
def test_every_form_of_a_time_is_read(timestamp: object) -> None:
    assert heard("c2c_text", timestamp=timestamp).platform_time == THEN


@pytest.mark.parametrize("timestamp", ["", None, "soon", "2023-11-06T13:37:18", 10**30, [], {}])
def test_a_time_that_cannot_be_read_is_now(timestamp: object) -> None:
    assert heard("c2c_text", timestamp=timestamp).platform_time == NOW


def test_a_clock_ahead_of_ours_opens_no_longer_window() -> None:
    inbound = heard("c2c_text", now=THEN - timedelta(seconds=40))
    assert inbound.window is not None
    assert inbound.window.expires_at == THEN + timedelta(minutes=60, seconds=-40)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2)
    ),
    max_leaves=4,
)
NAMES = [
    "c2c_text", "c2c_voice", "c2c_card", "group_at", "group_all_mentioned", "friend_add",
    "group_add_robot", "interaction_c2c", "interaction_group", "audit_reject",
]  # fmt: skip


@given(st.sampled_from(NAMES), st.data())
def test_no_payload_is_an_error(name: str, data: st.DataObject) -> None:
    found = payload(name)
    field = data.draw(st.sampled_from([*sorted(found["d"]), "attachments", "mentions", "d"]))
    if field == "d":
        found["d"] = data.draw(JSON)
    else:
        found["d"][field] = data.draw(JSON)
    inbound = mapped(found)
    assert inbound is None or inbound.dedup_key
