from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.errors import BadWebhook
from connectors.messages import ChannelRef, Inbound, InboundKind, MediaHandle
from connectors.wechat.callback import read
from connectors.wechat.mapping import UNSUPPORTED, Mapper

FIXTURES = Path(__file__).parents[2] / "fixtures" / "wechat"
OPENID = "oAbCdEfGhIjKlMnOpQrStUvWxYz1"
AT = datetime.fromtimestamp(1700000000, UTC)
NOW = AT + timedelta(seconds=2)
MAPPER = Mapper(ChannelRef("wechat", "main"), menu={"HELP": "怎么用"})


def mapped(name: str, mapper: Mapper = MAPPER) -> Inbound:
    return of_xml((FIXTURES / f"{name}.xml").read_text(encoding="utf-8"), mapper)


def of_xml(xml: str, mapper: Mapper = MAPPER) -> Inbound:
    return mapper.inbound(read(xml), xml, NOW)


def test_a_text_is_a_message_of_its_sender() -> None:
    inbound = mapped("text")
    assert (inbound.kind, inbound.text) == (InboundKind.MESSAGE, "付了款没收到卡密 /::D")
    assert (inbound.address.peer_id, inbound.address.user_id) == (OPENID, OPENID)
    assert (inbound.dedup_key, inbound.platform_time) == ("m:24012345678901234", AT)


@pytest.mark.parametrize("number", ["9" * 400, str(2**63), "-7"])
def test_a_number_that_is_none_of_the_platforms_names_nothing_and_sorts_nothing(
    number: str,
) -> None:
    xml = (FIXTURES / "text.xml").read_text(encoding="utf-8")
    inbound = of_xml(xml.replace("24012345678901234", number))
    assert inbound.text == "付了款没收到卡密 /::D"
    assert inbound.dedup_key.startswith(f"e:{OPENID}:")
    assert inbound.order_hint == f"1700000000-{0:020d}"


def test_a_message_may_be_answered_five_times_within_two_days() -> None:
    window = mapped("text").window
    assert window is not None
    assert (window.max_replies, window.expires_at) == (5, AT + timedelta(hours=48))
    assert window.replaces


@pytest.mark.parametrize("name", ["text_from_menu", "subscribe", "scan", "click"])
def test_an_event_may_be_answered_three_times_within_a_minute_beside_what_is_left(
    name: str,
) -> None:
    window = mapped(name).window
    assert window is not None
    assert (window.max_replies, window.expires_at) == (3, AT + timedelta(minutes=1))
    assert not window.replaces


def test_a_tap_on_a_message_menu_is_a_button() -> None:
    inbound = mapped("text_from_menu")
    assert inbound.kind is InboundKind.BUTTON
    assert inbound.button_token == "kf1:01JABCDEFGHJKMNPQRSTVWXYZ0:1"
    assert inbound.text == "查订单"


def test_a_tap_on_somebody_elses_menu_is_what_stands_on_it() -> None:
    xml = (FIXTURES / "text_from_menu.xml").read_text(encoding="utf-8")
    inbound = of_xml(xml.replace("kf1:01JABCDEFGHJKMNPQRSTVWXYZ0:1", "101"))
    assert (inbound.kind, inbound.text) == (InboundKind.MESSAGE, "查订单")


def test_a_picture_can_be_fetched_by_id_or_address() -> None:
    [media] = mapped("image").media
    assert media.kind == "image"
    assert media.handle == {
        "media_id": "image-media-id",
        "url": "http://mmbiz.qpic.cn/mmbiz_jpg/abc/0",
    }


def test_a_voice_is_what_the_platform_heard_and_the_recording() -> None:
    inbound = mapped("voice")
    assert inbound.text == "卡密怎么用。"
    assert inbound.media == (
        MediaHandle("voice", {"media_id": "voice-media-id"}, mime="audio/amr"),
    )
    assert mapped("voice_without_recognition").text == ""


@pytest.mark.parametrize("name", ["video", "shortvideo"])
def test_videos_are_videos(name: str) -> None:
    assert [one.kind for one in mapped(name).media] == ["video"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("location", "[位置] 广州市海珠区"),
        ("link", "[链接] 商品页 百元点卡 https://shop.example/card/1"),
        ("miniprogrampage", "[小程序] 我的订单"),
        ("file", "[文件] 付款截图.pdf"),
        ("unsupported", UNSUPPORTED),
    ],
)
def test_what_nobody_can_read_is_described(name: str, text: str) -> None:
    inbound = mapped(name)
    assert (inbound.kind, inbound.text) == (InboundKind.MESSAGE, text)
    assert inbound.is_unreadable
    assert inbound.window is not None


def a_push(kind: str, fields: str, number: str = "<MsgId>24012345678901299</MsgId>") -> Inbound:
    return of_xml(
        f"<xml><ToUserName>gh_1</ToUserName><FromUserName>{OPENID}</FromUserName>"
        f"<CreateTime>1700000000</CreateTime><MsgType>{kind}</MsgType>{fields}{number}</xml>"
    )


@pytest.mark.parametrize(
    ("kind", "fields", "line"),
    [
        ("hologram", "<Title>全息图</Title>", "[暂不支持的消息] 全息图"),
        ("hologram", "<A><Title>全息图</Title></A>", "[暂不支持的消息] 全息图"),
        ("hologram", "", UNSUPPORTED),
        ("text", "<Content></Content>", "[空消息]"),
        ("text", "<Content>  </Content>", "[空消息]"),
        ("text", "", "[空消息]"),
        ("image", "<MediaId></MediaId>", "[图片]"),
        ("voice", "", "[语音]"),
        ("shortvideo", "", "[视频]"),
        ("location", "", "[位置]"),
        ("link", "<Description>三步完成</Description>", "[链接] 三步完成"),
    ],
)
@pytest.mark.parametrize("number", ["<MsgId>24012345678901299</MsgId>", "<MsgId></MsgId>", ""])
def test_no_message_is_an_empty_line(kind: str, fields: str, line: str, number: str) -> None:
    inbound = a_push(kind, fields, number)
    found = (inbound.kind, inbound.text, inbound.is_unreadable)
    assert found == (InboundKind.MESSAGE, line, True)
    assert inbound.window is not None


def test_two_texts_of_one_second_without_a_number_are_two_and_a_redelivery_is_one() -> None:
    first = a_push("text", "<Content>在吗</Content>", "")
    second = a_push("text", "<Content>卡密呢</Content>", "")
    again = a_push("text", "<Content>在吗</Content>", "")
    assert first.dedup_key != second.dedup_key
    assert first.dedup_key == again.dedup_key


def test_what_a_scanned_code_carries_is_decoded_once() -> None:
    fields = "<Event>SCAN</Event><EventKey>%E8%AE%A2%25</EventKey>"
    found = a_push("event", fields, "")
    assert (found.kind, found.text) == (InboundKind.ARRIVAL, "订%")


def test_the_platforms_own_words_for_a_sticker_are_nothing_to_answer() -> None:
    xml = (FIXTURES / "text.xml").read_text(encoding="utf-8")
    assert of_xml(xml.replace("付了款没收到卡密 /::D", UNSUPPORTED)).is_unreadable


@pytest.mark.parametrize(
    ("name", "kind", "text"),
    [
        ("subscribe", InboundKind.ARRIVAL, ""),
        ("subscribe_scan", InboundKind.ARRIVAL, "order-1"),
        ("scan", InboundKind.ARRIVAL, "order-1"),
        ("unsubscribe", InboundKind.DEPARTURE, ""),
        ("click", InboundKind.MESSAGE, "怎么用"),
    ],
)
def test_events_say_what_happened(name: str, kind: InboundKind, text: str) -> None:
    inbound = mapped(name)
    assert (inbound.kind, inbound.text) == (kind, text)


def test_a_menu_key_without_an_entry_is_taken_as_said() -> None:
    assert mapped("click", Mapper(ChannelRef("wechat", "main"))).text == "HELP"


@pytest.mark.parametrize(
    "name",
    ["view", "location_event", "templatesendjobfinish", "kf_create_session", "unknown_event"],
)
def test_other_events_are_kept_and_open_nothing(name: str) -> None:
    inbound = mapped(name)
    assert inbound.kind is InboundKind.OTHER
    assert inbound.raw == (FIXTURES / f"{name}.xml").read_bytes()
    assert inbound.window is None


def test_every_fixture_has_a_key_of_its_own_that_fits() -> None:
    names = [path.stem for path in FIXTURES.glob("*.xml")]
    keys = {mapped(name).dedup_key for name in names}
    with_id = [name for name in names if "<MsgId>" in (FIXTURES / f"{name}.xml").read_text()]
    # the fixtures of messages share one id; each event is its own
    assert len(keys) == len(names) - len(with_id) + 1
    assert max(map(len, keys)) <= 160


def test_messages_sort_as_the_platform_numbered_them() -> None:
    xml = (FIXTURES / "text.xml").read_text(encoding="utf-8")
    first = of_xml(xml)
    second = of_xml(xml.replace("24012345678901234", "24012345678901235"))
    later = of_xml(xml.replace("1700000000", "1700000001"))
    hints = [inbound.order_hint or "" for inbound in (first, second, later)]
    assert hints == sorted(hints)
    assert len(set(hints)) == 3


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f"<FromUserName><![CDATA[{OPENID}]]></FromUserName>", ""),
        ("<CreateTime>1700000000</CreateTime>", ""),
        ("1700000000", "soon"),
        ("1700000000", "9" * 30),
        ("24012345678901234", "x"),
    ],
)
def test_a_push_without_sender_or_time_is_refused(old: str, new: str) -> None:
    xml = (FIXTURES / "text.xml").read_text(encoding="utf-8")
    with pytest.raises(BadWebhook):
        of_xml(xml.replace(old, new))
