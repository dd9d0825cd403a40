from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.messages import Inbound, InboundKind
from connectors.wecom.mapping import Mapper
from tests.connectors.wecom.conftest import REF

FIXTURES = Path(__file__).parents[2] / "fixtures" / "wecom"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
CUSTOMER = "wmAJ2GCAAAme1XQRC-NI-q0_ZM9ukoAw"
OPEN_KFID = "wkAJ2GCAAASSm4_FhToWMFea0xAFfd3Q"
MAPPER = Mapper(
    REF,
    OPEN_KFID,
    window=timedelta(hours=48),
    replies_per_message=5,
    welcome=timedelta(seconds=20),
)


def page(name: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = json.loads((FIXTURES / name).read_text())["msg_list"]
    return items


def mapped(name: str, place: int) -> tuple[Inbound, ...]:
    return MAPPER.inbounds(page(name)[place], NOW)


def message(place: int) -> Inbound:
    (inbound,) = mapped("sync_messages.json", place)
    return inbound


def event(msgid: str) -> tuple[Inbound, ...]:
    found = next(item for item in page("sync_events.json") if item["msgid"] == msgid)
    return MAPPER.inbounds(found, NOW)


def test_a_text_opens_a_window_of_two_days_and_five_answers() -> None:
    inbound = message(0)
    assert (inbound.kind, inbound.text) == (InboundKind.MESSAGE, "付了款没收到卡密")
    assert inbound.dedup_key == "from_msgid_4622416642169452483"
    assert (inbound.address.peer_id, inbound.address.user_id) == (CUSTOMER, CUSTOMER)
    assert inbound.platform_time == datetime.fromtimestamp(1615478585, UTC)
    window = inbound.window
    assert window is not None
    assert (window.key, window.max_replies, window.replaces) == (inbound.dedup_key, 5, True)
    assert window.expires_at == inbound.platform_time + timedelta(hours=48)


def test_a_press_of_our_menu_is_a_button_and_opens_a_window() -> None:
    inbound = message(1)
    assert (inbound.kind, inbound.text) == (InboundKind.BUTTON, "查订单")
    assert inbound.button_token == "kf1:01JABCDEFGHJKMNPQRSTVWXYZ0:0"
    assert inbound.window is not None


def an_entry(kind: str, part: Any, **more: Any) -> dict[str, Any]:
    return {
        "msgid": "m1",
        "open_kfid": OPEN_KFID,
        "external_userid": CUSTOMER,
        "send_time": 1615478585,
        "origin": 3,
        "msgtype": kind,
        kind: part,
        **more,
    }


PASSED_ON = [
    {"sender_name": "甲", "msgtype": "text", "msg_content": '{"text":{"content":"卡用不了"}}'},
    {"sender_name": "乙", "msgtype": "image", "msg_content": '{"image":{}}'},
    {"sender_name": "丙", "msgtype": "text", "msg_content": "{broken"},
]


@pytest.mark.parametrize(
    ("kind", "part", "line"),
    [
        ("note", {}, "[笔记]"),
        ("meeting", None, "[会议]"),
        ("business_card", {"userid": "x", "name": "小张"}, "[名片] 小张"),
        ("channels_shop_order", {"product_titles": "月卡"}, "[视频号订单] 月卡"),
        (
            "merged_msg",
            {"title": "记录", "item": PASSED_ON},
            "[聊天记录] 记录 甲：卡用不了 乙：[图片] 丙：{broken",
        ),
        ("hologram", {"title": "全息图", "rows": [{"text": "看"}]}, "[其他消息] 全息图 看"),
        ("image", {"media_id": ""}, "[图片]"),
        ("file", {"filename": "单.pdf"}, "[文件] 单.pdf"),
        ("text", {"content": ""}, "[空消息]"),
        ("text", {}, "[空消息]"),
    ],
)
def test_what_only_a_person_can_read_is_named_with_the_words_in_it(
    kind: str, part: Any, line: str
) -> None:
    (inbound,) = MAPPER.inbounds(an_entry(kind, part), NOW)
    found = (inbound.kind, inbound.text, inbound.is_unreadable)
    assert found == (InboundKind.MESSAGE, line, True)
    assert inbound.window is not None


def test_flags_that_are_null_or_false_say_nothing() -> None:
    bare = an_entry("text", {"content": "在吗"})
    told = an_entry(
        "text", {"content": "在吗", "menu_id": None}, event=None, image={}, servicer_userid=""
    )
    assert MAPPER.inbounds(told, NOW) == MAPPER.inbounds(bare, NOW)


@pytest.mark.parametrize("origin", [4, 9])
def test_what_the_system_writes_is_nobodys_message(origin: int) -> None:
    (inbound,) = MAPPER.inbounds(an_entry("text", {"content": "会话开始"}, origin=origin), NOW)
    assert inbound.kind is InboundKind.OTHER


@pytest.mark.parametrize(
    ("written", "meant"),
    [("%E8%AE%A2%E5%8D%95", "订单"), ("%25E8", "%E8"), ("100%", "100%"), ("order-7", "order-7")],
)
def test_what_a_link_carries_is_decoded_once(written: str, meant: str) -> None:
    entered = {
        "event_type": "enter_session",
        "open_kfid": OPEN_KFID,
        "external_userid": CUSTOMER,
        "welcome_code": "w",
        "scene_param": written,
    }
    (inbound,) = MAPPER.inbounds(an_entry("event", entered), NOW)
    assert (inbound.kind, inbound.text) == (InboundKind.ARRIVAL, meant)


def test_a_press_of_another_menu_is_a_message() -> None:
    inbound = message(2)
    assert (inbound.kind, inbound.text) == (InboundKind.MESSAGE, "满意")
    assert inbound.button_token is None


@pytest.mark.parametrize(("place", "kind"), [(3, "image"), (4, "voice"), (5, "video"), (6, "file")])
def test_files_are_fetched_later_by_their_media_id(place: int, kind: str) -> None:
    inbound = message(place)
    (media,) = inbound.media
    assert (inbound.kind, media.kind, inbound.text) == (InboundKind.MESSAGE, kind, "")
    assert str(media.handle["media_id"]).startswith("2iSLeVyqzk4eX0IB5kTi9Ljfa2rt9dwfq5WKRQ4Nvvg")


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (7, "[位置] 广州国际媒体港 广东省广州市海珠区"),
        (8, "[链接] 充值教程 三步完成 https://example.com/how"),
        (9, "[名片]"),
        (10, "[小程序] 点卡小店"),
        (11, "[视频号] 星辰点卡 新品上架"),
        (12, "[聊天记录] 群聊的聊天记录 阿明：在吗"),
        (13, "[其他消息]"),
    ],
)
def test_cards_are_described_and_still_open_a_window(place: int, text: str) -> None:
    inbound = message(place)
    assert (inbound.kind, inbound.text) == (InboundKind.MESSAGE, text)
    assert inbound.is_unreadable
    assert inbound.window is not None


def test_what_a_person_wrote_in_wecom_is_a_native_reply_and_opens_no_window() -> None:
    inbound = message(14)
    assert (inbound.kind, inbound.text) == (InboundKind.NATIVE_REPLY, "您好，我来帮您看")
    assert inbound.address.peer_id == CUSTOMER
    assert inbound.detail == "企业微信"
    assert inbound.window is None


def test_a_picture_that_a_person_sent_is_told_in_words() -> None:
    item = {**page("sync_messages.json")[3], "origin": 5, "servicer_userid": "zhangsan"}
    (inbound,) = MAPPER.inbounds(item, NOW)
    assert (inbound.kind, inbound.text, inbound.media) == (InboundKind.NATIVE_REPLY, "[图片]", ())


def test_who_may_be_welcomed_arrives_with_one_send_of_twenty_seconds() -> None:
    (inbound,) = event("event_enter_with_welcome")
    assert (inbound.kind, inbound.text) == (InboundKind.ARRIVAL, "order=TM2026")
    window = inbound.window
    assert window is not None
    assert (window.data, window.max_replies) == ({"welcome_code": "aaaaaa"}, 1)
    assert window.replaces is False
    assert window.expires_at == datetime.fromtimestamp(1615478620, UTC)


def test_who_opens_the_chat_again_is_not_greeted_again() -> None:
    (inbound,) = event("event_enter_again")
    assert inbound.kind is InboundKind.OTHER


def test_a_failed_delivery_names_the_unit_and_the_reason() -> None:
    (inbound,) = event("event_fail_over_5")
    assert inbound.kind is InboundKind.DELIVERY_FAILED
    assert inbound.reference == "01JABCDEFGHJKMNPQRSTVWXYZ0-0"
    assert inbound.detail == "顾客说一次话最多能回 5 条，已经超过"


def test_who_refused_our_message_has_left_as_well() -> None:
    failed, left = event("event_fail_refused")
    assert (failed.kind, failed.detail) == (InboundKind.DELIVERY_FAILED, "顾客拒收了消息")
    assert (left.kind, left.address.peer_id) == (InboundKind.DEPARTURE, CUSTOMER)
    assert failed.dedup_key != left.dedup_key


def test_people_take_sessions_and_end_them() -> None:
    (taken,) = event("event_taken")
    (ended,) = event("event_ended")
    assert (taken.kind, taken.text) == (InboundKind.NATIVE_REPLY, "（接待了这位顾客）")
    assert taken.detail == "企业微信"
    assert ended.kind is InboundKind.NATIVE_END
    assert taken.address == ended.address


def test_a_message_taken_back_is_named_by_its_key() -> None:
    (inbound,) = event("event_recalled")
    assert (inbound.kind, inbound.reference) == (InboundKind.RECALL, message(0).dedup_key)


@pytest.mark.parametrize(
    "msgid",
    [
        "event_servicer_recalled",
        "event_reject_switch",
        "event_servicer_status",
        "event_of_tomorrow",
    ],
)
def test_other_events_are_kept_as_they_came(msgid: str) -> None:
    (inbound,) = event(msgid)
    assert inbound.kind is InboundKind.OTHER
    assert inbound.raw is not None
    assert json.loads(inbound.raw)["msgid"] == msgid


def test_another_accounts_entries_are_nobodys() -> None:
    item = {**page("sync_messages.json")[0], "open_kfid": "wkOther"}
    assert MAPPER.inbounds(item, NOW) == ()


def test_what_a_database_cannot_keep_is_cleaned() -> None:
    item = {**page("sync_messages.json")[0], "text": {"content": "卡\ud800密\0在"}}
    (inbound,) = MAPPER.inbounds(item, NOW)
    assert inbound.text == "卡?密在"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
FIELDS = ["msgid", "msgtype", "send_time", "text", "image", "event", "external_userid", "origin"]


@given(
    st.sampled_from(page("sync_messages.json") + page("sync_events.json")),
    st.sampled_from(FIELDS),
    json_values,
)
@example(page("sync_messages.json")[0], "send_time", 1 << 57)
@example(page("sync_messages.json")[0], "send_time", 253402300799)
def test_no_entry_stops_those_behind_it(item: dict[str, Any], field: str, value: Any) -> None:
    for inbound in MAPPER.inbounds({**item, field: value}, NOW):
        assert 0 < len(inbound.dedup_key) <= 160
        assert isinstance(inbound.text, str)
        assert (inbound.text + inbound.dedup_key).encode()


@given(json_values)
def test_no_event_stops_those_behind_it(value: Any) -> None:
    kinds = [one["event"] for one in page("sync_events.json")]
    for body in kinds:
        for field in body:
            item = {**page("sync_events.json")[0], "event": {**body, field: value}}
            for inbound in MAPPER.inbounds(item, NOW):
                assert inbound.dedup_key
