from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.messages import Address, Inbound, InboundKind, PeerKind
from connectors.telegram.mapping import Mapper
from tests.connectors.telegram.conftest import FIXTURES, REF, payload

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MAPPER = Mapper(REF, 110201543, "star_card_bot")
MESSAGE, BUTTON, OTHER = InboundKind.MESSAGE, InboundKind.BUTTON, InboundKind.OTHER


def only(name: str) -> Inbound:
    [found] = MAPPER.inbounds(payload(name), NOW)
    return found


@pytest.mark.parametrize(
    ("name", "kind", "text", "is_unreadable", "media"),
    [
        ("text", MESSAGE, "付了款没收到卡密", False, []),
        ("command", MESSAGE, "/help", False, []),
        ("forwarded", MESSAGE, "转发的", False, []),
        ("reply", MESSAGE, "这张用不了", False, []),
        ("start", InboundKind.ARRIVAL, "order_A100", False, []),
        ("photo", MESSAGE, "付款截图", False, ["image"]),
        ("album", MESSAGE, "", False, ["image"]),
        ("document", MESSAGE, "", False, ["file"]),
        ("voice", MESSAGE, "", False, ["voice"]),
        ("audio", MESSAGE, "", False, ["file"]),
        ("video", MESSAGE, "看视频", False, ["video"]),
        ("video_note", MESSAGE, "", False, ["video"]),
        ("animation", MESSAGE, "", False, ["video"]),
        ("sticker", MESSAGE, "👍", False, []),
        ("sticker_without_emoji", MESSAGE, "🙂", False, []),
        ("dice", MESSAGE, "[骰子] 🎲 4", True, []),
        ("location", MESSAGE, "[位置] 31.23042, 121.47370", True, []),
        ("venue", MESSAGE, "[位置] 人民广场 黄浦区", True, []),
        ("contact", MESSAGE, "[名片] 老王", True, []),
        ("poll", MESSAGE, "[投票] 哪个好", True, []),
        ("unknown_content", MESSAGE, "[暂不支持的消息]", True, []),
        ("edited", InboundKind.EDIT, "付了款没收到卡密，订单A100", False, []),
        ("callback", BUTTON, "转人工", False, []),
        ("callback_old_message", BUTTON, "", False, []),
        ("blocked", InboundKind.DEPARTURE, "", False, []),
        ("group_mention", MESSAGE, "😀 点卡还有货吗", False, []),
        ("group_text_mention", MESSAGE, "在吗", False, []),
        ("group_reply", MESSAGE, "还是不行", False, []),
        ("group_command", MESSAGE, "/stock 点卡", False, []),
        ("group_caption", MESSAGE, "看图", False, ["image"]),
    ],
)
def test_an_update_says_what_the_customer_did(
    name: str, kind: InboundKind, text: str, *, is_unreadable: bool, media: list[str]
) -> None:
    found = only(name)
    assert (found.kind, found.text, found.is_unreadable) == (kind, text, is_unreadable)
    assert [one.kind for one in found.media] == media
    assert found.window is None
    assert found.address.user_id == "987654321"


@pytest.mark.parametrize(
    "name", ["group_chatter", "group_mention_of_another", "group_other_bot", "unblocked"]
)
def test_what_is_not_for_us_is_not_even_kept(name: str) -> None:
    assert MAPPER.inbounds(payload(name), NOW) == ()


@pytest.mark.parametrize(
    "name",
    [
        *("unknown_kind", "channel_post", "pinned", "group_upgraded", "removed_from_group"),
        *("callback_of_the_shop", "callback_inline"),
    ],
)
def test_what_is_not_understood_is_kept_as_it_came(name: str) -> None:
    if name == "group_upgraded":  # said in a group, to nobody
        assert MAPPER.inbounds(payload(name), NOW) == ()
        return
    found = only(name)
    assert found.kind is OTHER
    assert found.raw is not None
    assert json.loads(found.raw) == payload(name)


def test_a_message_is_known_by_bot_and_update_over_every_redelivery() -> None:
    found = only("text")
    assert found.dedup_key == f"110201543:{payload('text')['update_id']}"
    assert found == only("text")
    assert found.platform_time == datetime.fromtimestamp(1795420800, UTC)
    assert (found.person_name, found.locale) == ("小林 L", "zh")


def test_in_a_group_the_chat_is_the_peer_and_the_member_the_user() -> None:
    assert only("group_mention").address == Address(
        REF, "-1001700000001", "987654321", PeerKind.GROUP
    )
    assert only("text").address == Address(REF, "987654321", "987654321")


def test_a_photo_is_taken_in_its_largest_size() -> None:
    [media] = only("photo").media
    assert media.handle == {"file_id": "AgACAgUAAxkBAAIFVWdy"}
    assert media.size == 98041


def test_a_file_keeps_its_name_and_kind() -> None:
    [media] = only("document").media
    assert (media.name, media.mime, media.size) == ("小票.pdf", "application/pdf", 20480)


def test_a_press_gives_back_its_token() -> None:
    assert only("callback").button_token == "kf1:01JABCDEFGHJKMNPQRSTVWXYZ0:1"
    assert only("callback_old_message").button_token == "kf1:01JABCDEFGHJKMNPQRSTVWXYZ0:1"


def test_an_edit_names_the_message_and_has_no_files() -> None:
    assert only("edited").reference == "1365"
    moving = {"update_id": 1, "edited_message": payload("location")["message"]}
    assert MAPPER.inbounds(moving, NOW) == ()


def test_without_a_name_of_ours_only_answers_and_links_to_us_count_in_groups() -> None:
    nameless = Mapper(REF, 110201543)
    assert nameless.inbounds(payload("group_mention"), NOW) == ()
    assert len(nameless.inbounds(payload("group_reply"), NOW)) == 1
    assert len(nameless.inbounds(payload("group_text_mention"), NOW)) == 1


def test_an_app_in_another_language_says_nothing_of_the_customers() -> None:
    update = payload("text")
    update["message"]["from"]["language_code"] = "en"
    assert MAPPER.inbounds(update, NOW)[0].locale is None


def test_what_no_database_can_keep_is_left_out() -> None:
    update = payload("text")
    update["message"]["text"] = "a\0b\ud83d"
    update["message"]["from"]["first_name"] = "\ud83d\u202e小林"
    [found] = MAPPER.inbounds(update, NOW)
    assert found.text == "ab?"
    assert found.person_name is not None
    found.person_name.encode()


def damaged(update: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The update with each part of it missing, emptied, or of another type."""
    for path in list(paths(update)):
        values: tuple[Any, ...] = (None, "", 7, [], {}, "drop")
        for value in values:
            copy = deepcopy(update)
            parent: Any = copy
            for key in path[:-1]:
                parent = parent[key]
            if value == "drop" and isinstance(parent, dict):
                del parent[path[-1]]
            else:
                parent[path[-1]] = value
            yield copy


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    children = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in children:
        yield (*path, key)
        if isinstance(child, dict | list):
            yield from paths(child, (*path, key))


@pytest.mark.parametrize("name", sorted(one.stem for one in FIXTURES.glob("*.json")))
def test_no_damage_to_an_update_stops_those_behind_it(name: str) -> None:
    for update in damaged(payload(name)):
        for found in MAPPER.inbounds(update, NOW):
            assert len(found.dedup_key) <= 160
            assert isinstance(found.text, str)
            assert isinstance(found.address.peer_id, str)
            found.text.encode()
