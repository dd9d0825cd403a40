"""Names that platforms give to people and messages: kept whole, told apart, or nobody's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.kit.payload import MAX_ID_CHARS, MAX_KEY_CHARS, bounded_name, clean, id_of
from connectors.messages import ChannelRef, Inbound, InboundKind
from connectors.onebot import mapping as onebot
from connectors.telegram import mapping as telegram
from connectors.wecom import mapping as wecom

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
REF = ChannelRef("any", "main")
LONG = "7" * 500
Json = Mapping[str, Any]


def from_onebot(user: object, message: object) -> Inbound | None:
    event = {
        "post_type": "message",
        "message_type": "private",
        "sub_type": "friend",
        "user_id": user,
        "message_id": message,
        "time": 1760000000,
        "message": "在吗",
        "sender": {"nickname": "小明\0"},
    }
    return onebot.Mapper(REF, "1", lambda *_: False).inbound(event, NOW)


def from_wecom(user: object, message: object) -> Inbound | None:
    item = {
        "msgtype": "text",
        "text": {"content": "在吗"},
        "origin": 3,
        "external_userid": user,
        "open_kfid": "wk",
        "msgid": message,
        "send_time": 1760000000,
    }
    hours = timedelta(hours=48)
    (found,) = wecom.Mapper(REF, "wk", hours, 5, timedelta(seconds=20)).inbounds(item, NOW)
    return found


MAPPERS: tuple[Callable[[object, object], Inbound | None], ...] = (from_onebot, from_wecom)


@pytest.mark.parametrize("mapped", MAPPERS)
def test_messages_whose_long_names_begin_alike_are_two(
    mapped: Callable[[object, object], Inbound | None],
) -> None:
    one, other = mapped("u", f"{LONG}1"), mapped("u", f"{LONG}2")
    assert one is not None
    assert other is not None
    assert one.dedup_key != other.dedup_key
    assert max(len(one.dedup_key), len(other.dedup_key)) <= MAX_KEY_CHARS


@pytest.mark.parametrize("user", [LONG, "u\0", "\ud800", " ", ""])
@pytest.mark.parametrize("mapped", MAPPERS)
def test_who_has_a_name_that_cannot_be_kept_is_nobody(
    mapped: Callable[[object, object], Inbound | None], user: str
) -> None:
    found = mapped(user, "m")
    assert found is None or found.kind is InboundKind.OTHER


def test_a_number_longer_than_any_id_is_kept_as_an_odd_update() -> None:
    who = {"id": 10**400, "first_name": "小明"}
    message = {"message_id": 1, "date": 1, "text": "在吗", "from": who}
    update = {"update_id": 1, "message": {**message, "chat": {"id": 10**400, "type": "private"}}}
    (found,) = telegram.Mapper(REF, 42, "shop_bot").inbounds(update, NOW)
    assert found.kind is InboundKind.OTHER


@given(st.text(max_size=400), st.text(max_size=400))
def test_bounded_names_stay_apart_and_are_bounded_once(one: str, other: str) -> None:
    first, second = (bounded_name(text, MAX_KEY_CHARS) for text in (one, other))
    assert (first == second) is (clean(one) == clean(other))
    assert bounded_name(first, MAX_KEY_CHARS) == first
    assert len(first) <= MAX_KEY_CHARS


@given(st.one_of(st.text(max_size=300), st.integers(), st.booleans(), st.none(), st.floats()))
def test_an_id_is_kept_as_it_is_or_not_at_all(value: object) -> None:
    assert id_of(value) in {str(value), ""}
    assert len(id_of(value)) <= MAX_ID_CHARS
