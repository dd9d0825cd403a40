"""Every kind of message that Telegram has reads the same, whichever way it comes in."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import telegram
from aiogram.types import Message as AiogramMessage
from aiogram.types import Update as AiogramUpdate

from connectors.messages import ChannelRef, Inbound, InboundKind
from connectors.telegram.content import BESIDE, KNOWN
from connectors.telegram.mapping import Mapper
from connectors.telegram.telegram_relay import body_of
from tests.factories import telegram as kinds
from tests.factories.telegram import an_update

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MAPPER = Mapper(ChannelRef("telegram", "main"), kinds.BOT_ID, "star_bot")
ALL = sorted(kinds.values())
pytestmark = pytest.mark.filterwarnings("ignore::telegram.warnings.PTBDeprecationWarning")


def fields_of_libraries() -> set[str]:
    """Fields of a message that python-telegram-bot and aiogram know."""
    theirs = {
        *(name for name in telegram.Message.__slots__ if not name.startswith("_")),
        *telegram.MaybeInaccessibleMessage.__slots__,
    }
    ours = {field.alias or name for name, field in AiogramMessage.model_fields.items()}
    return (theirs - {"from_user"}) | ours


def heard(update: dict[str, Any]) -> tuple[Inbound, ...]:
    """What came in; how a payload looks that nobody understands is not compared."""
    return tuple(replace(one, raw=None) for one in MAPPER.inbounds(update, NOW))


def by_python_telegram_bot(update: dict[str, Any]) -> dict[str, Any]:
    """The update as a shop's own bot hands it on: flags that are not set are written out."""
    told: dict[str, Any] = json.loads(body_of(telegram.Update.de_json(update, None)))
    return told


def by_aiogram(update: dict[str, Any]) -> dict[str, Any]:
    """The update as a program on aiogram would hand it on, everything that is null included."""
    read = AiogramUpdate.model_validate(update)
    told: dict[str, Any] = read.model_dump(mode="json", by_alias=True)
    return told


def test_every_field_of_a_message_is_known_here_and_has_a_sample() -> None:
    theirs = fields_of_libraries()
    assert theirs - set(ALL) == set(), "these fields have no sample"
    assert theirs - KNOWN - BESIDE == set(), "these fields have no word"
    assert KNOWN.isdisjoint(BESIDE)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("text", [None, "卡密不对"])
def test_a_message_reads_the_same_by_polling_and_by_relay(name: str, text: str | None) -> None:
    fields = {name: kinds.values()[name]}
    if text is not None and name in kinds.BESIDE:
        fields = {"text": text, **fields}
    update = an_update(**fields)
    assert heard(by_python_telegram_bot(update)) == heard(update)


@pytest.mark.parametrize("name", ALL)
def test_fields_that_are_null_or_false_say_nothing(name: str) -> None:
    update = an_update(**{name: kinds.values()[name]})
    nothing: tuple[Any, ...] = (None, False, "", [])
    for absent in nothing:
        beside = dict.fromkeys(fields_of_libraries() - {name}, absent)
        told = an_update(**{**beside, **update["message"]})
        told |= {"edited_message": absent, "callback_query": absent}
        assert heard(told) == heard(update)


@pytest.mark.parametrize("name", sorted(kinds.SAID))
def test_what_was_said_is_the_line(name: str) -> None:
    value, line = kinds.SAID[name]
    [found] = heard(an_update(**{name: value}))
    assert (found.kind, found.text, found.is_unreadable) == (InboundKind.MESSAGE, line, False)


@pytest.mark.parametrize("name", sorted(kinds.FILES))
def test_a_file_is_fetched_by_its_id_and_its_caption_is_the_line(name: str) -> None:
    value, kind, file_id = kinds.FILES[name]
    [found] = heard(an_update(**{name: value, "caption": "这张用不了"}))
    assert (found.text, found.is_unreadable) == ("这张用不了", False)
    assert [(one.kind, one.handle["file_id"]) for one in found.media] == [(kind, file_id)]


@pytest.mark.parametrize("name", sorted(kinds.FILES))
def test_a_file_without_an_id_is_named_at_least(name: str) -> None:
    value, *_ = kinds.FILES[name]
    bare: Any = [{"width": 1}] if isinstance(value, list) else {"duration": 5}
    [found] = heard(an_update(**{name: bare}))
    assert found.kind is InboundKind.MESSAGE
    assert found.text.startswith("[")
    assert found.is_unreadable


@pytest.mark.parametrize("name", sorted(kinds.DESCRIBED))
def test_what_only_a_person_can_read_is_named_with_the_words_in_it(name: str) -> None:
    value, line = kinds.DESCRIBED[name]
    [found] = heard(an_update(**{name: value}))
    assert (found.kind, found.text, found.is_unreadable) == (InboundKind.MESSAGE, line, True)


@pytest.mark.parametrize("name", sorted(kinds.TOLD))
def test_a_service_message_is_kept_and_not_answered(name: str) -> None:
    [found] = heard(an_update(**{name: kinds.TOLD[name]}))
    assert found.kind is InboundKind.OTHER


def test_a_kind_of_next_year_is_named_with_the_words_in_it() -> None:
    hologram = {"title": "全息图", "file": {"file_id": "x"}, "lines": [{"text": "看这里"}]}
    [found] = heard(an_update(hologram=hologram))
    assert (found.text, found.is_unreadable) == ("[暂不支持的消息] 全息图 看这里", True)


@pytest.mark.parametrize("absent", [None, False, "", []])
def test_a_message_of_nothing_is_no_empty_line(absent: Any) -> None:
    [found] = heard(an_update(text=absent, photo=absent))
    assert (found.text, found.is_unreadable) == ("[暂不支持的消息]", True)


@pytest.mark.parametrize("kind", ["callback_query", "my_chat_member", "edited_message"])
def test_other_updates_read_the_same_by_polling_and_by_relay(kind: str) -> None:
    message = an_update(text="卡密不对")["message"]
    member = {"user": BOT_MEMBER, "status": "kicked", "until_date": 0}
    told: dict[str, Any] = {
        "callback_query": {
            "id": "q",
            "from": kinds.USER,
            "chat_instance": "c",
            "data": "kf1:01JABCDEFGHJKMNPQRSTVWXYZ0:1",
            "message": {"message_id": 4, "date": 0, "chat": kinds.CHAT},
        },
        "my_chat_member": {
            "chat": kinds.CHAT,
            "from": kinds.USER,
            "date": kinds.AT,
            "old_chat_member": {"user": BOT_MEMBER, "status": "member"},
            "new_chat_member": member,
        },
        "edited_message": {**message, "edit_date": kinds.AT + 9},
    }
    update = {"update_id": 8, kind: told[kind]}
    assert heard(by_python_telegram_bot(update)) == heard(update)
    assert [one.kind for one in heard(update)] != [InboundKind.OTHER]


BOT_MEMBER = kinds.BOT


@pytest.mark.parametrize(
    "fields",
    [
        {"is_automatic_forward": True},
        {"from": {"id": 777000, "is_bot": False, "first_name": "Telegram"}},
        {"from": {"id": 1087968824, "is_bot": True, "first_name": "Group"}},
        {"from": {"id": 136817688, "is_bot": True, "first_name": "Channel"}},
        {"sender_chat": {"id": -100777, "type": "channel", "title": "上新频道"}},
    ],
)
@pytest.mark.parametrize("chat", [kinds.CHAT, {"id": -1001, "type": "supergroup", "title": "群"}])
def test_who_is_no_person_is_not_answered(fields: dict[str, Any], chat: dict[str, Any]) -> None:
    named = {"type": "mention", "offset": 0, "length": 9}
    update = an_update(text="@star_bot 上新了", entities=[named], chat=chat, **fields)
    assert heard(update) == ()
    assert heard(by_python_telegram_bot(update)) == ()


def test_what_a_person_picked_from_an_inline_bot_is_theirs() -> None:
    [found] = heard(an_update(text="搜到的", via_bot={**kinds.BOT, "id": 5}))
    assert found.text == "搜到的"


_ANSWERED = {"message_id": 11, "date": kinds.AT, "chat": kinds.CHAT, "from": kinds.BOT}
_ORIGIN = {"type": "hidden_user", "date": kinds.AT, "sender_user_name": "甲"}


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"reply_to_message": {**_ANSWERED, "text": "您的订单已发货"}}, "您的订单已发货"),
        (
            {
                "reply_to_message": {**_ANSWERED, "text": "您的订单已发货"},
                "quote": {"text": "已发货", "position": 4},
            },
            "已发货",
        ),
        (
            {"reply_to_message": {**_ANSWERED, "photo": kinds.FILES["photo"][0], "caption": "看"}},
            "[图片] 看",
        ),
        (
            {"reply_to_message": {**_ANSWERED, "poll": kinds.values()["poll"]}},
            "[投票] 要哪种卡 月卡 季卡",
        ),
        ({"external_reply": {"origin": _ORIGIN, "photo": kinds.FILES["photo"][0]}}, "[图片]"),
        ({"reply_to_story": {"chat": kinds.CHAT, "id": 3}}, "[动态]"),
        (
            {
                "reply_to_message": {
                    **_ANSWERED,
                    "forum_topic_created": {"name": "x", "icon_color": 1},
                }
            },
            "",
        ),
        ({}, ""),
    ],
)
def test_what_a_message_answers_goes_along(fields: dict[str, Any], line: str) -> None:
    update = an_update(text="这个呢", **fields)
    [found] = heard(update)
    assert (found.text, found.quoted) == ("这个呢", line)
    assert heard(by_python_telegram_bot(update)) == (found,)


@pytest.mark.parametrize(
    ("payload", "meant"),
    [
        ("order_A100", "order_A100"),
        ("6K6i5Y2VQS0xMDA", "订单A-100"),
        ("QS0xMDA", "A-100"),
        ("%E8%AE%A2%E5%8D%95", "订单"),
        ("%25E8%E8%AE%A2", "%E8订"),
        ("DDABCDEFGHJKMNPQRSTVWX", "DDABCDEFGHJKMNPQRSTVWX"),
        ("%ZZ", "%ZZ"),
        ("", ""),
    ],
)
def test_a_start_link_is_decoded_once(payload: str, meant: str) -> None:
    [found] = heard(an_update(text=f"/start {payload}".strip()))
    assert (found.kind, found.text) == (InboundKind.ARRIVAL, meant)


@pytest.mark.parametrize("name", ["text", "photo", "rich_message", "checklist", "location"])
def test_a_message_reads_the_same_through_aiogram(name: str) -> None:
    update = an_update(**{name: kinds.values()[name]})
    assert heard(by_aiogram(update)) == heard(update)
