"""The fake refuses, repeats and forgets as the real Bot API does, to both libraries alike."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
import telegram
import telegram.error as ptb
from aiogram import Bot
from aiogram import exceptions as aio
from aiogram.types import BufferedInputFile, InlineKeyboardButton, InlineKeyboardMarkup

from devkit.telegram import FakeTelegram
from tests.connectors.telegram.conftest import HandClock, Receiver, an_application

PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)


async def an_id(fake: FakeTelegram, user: str = "小林") -> int:
    """A customer who has started the bot."""
    await fake.arrives(user)
    return fake.state.user_id(user)


async def ask(
    http: aiohttp.ClientSession, fake: FakeTelegram, method: str, **values: Any
) -> dict[str, Any]:
    """Call a method as plainly as can be."""
    async with http.post(f"{fake.url}/bot{fake.token}/{method}", json=values) as answer:
        return dict(await answer.json())


def keyboard(data: str = "kf1:x", label: str = "查订单") -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(
        inline_keyboard=[[InlineKeyboardButton(text=label, callback_data=data)]]
    )


# ---------------------------------------------------------------------- calls


@pytest.mark.parametrize("method", ["getMe", "getme", "GETME"])
@pytest.mark.parametrize("way", ["query", "form", "json"])
async def test_names_of_methods_have_no_case_and_parameters_come_in_any_way(
    http: aiohttp.ClientSession, fake: FakeTelegram, method: str, way: str
) -> None:
    url = f"{fake.url}/bot{fake.token}/{method}"
    sent: dict[str, Any] = {"query": {"params": {"a": "1"}}, "form": {"data": {"a": "1"}}}.get(
        way, {"json": {"a": "1"}}
    )
    async with http.post(url, **sent) as answer:
        assert (await answer.json())["result"]["username"] == "star_card_bot"
    assert fake.calls[-1].method == "getMe"
    assert fake.calls[-1].parameters == {"a": "1"}


async def test_a_wrong_token_is_unauthorised_and_what_is_no_token_is_not_found(
    http: aiohttp.ClientSession, fake: FakeTelegram
) -> None:
    for token, code in (("1:wrong", 401), ("wrong", 404)):
        async with http.post(f"{fake.url}/bot{token}/getMe") as answer:
            assert answer.status == code
            assert (await answer.json())["error_code"] == code
    assert (await ask(http, fake, "getMoney"))["description"] == "Not Found: method not found"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"text": ""}, "message text is empty"),
        ({"text": "  \n"}, "message text is empty"),
        ({"text": "好" * 4097}, "message is too long"),
        ({"text": "😀" * 2049}, "message is too long"),
        ({"text": "<b>粗", "parse_mode": "HTML"}, "can't parse entities"),
        ({"text": "1 < 2", "parse_mode": "HTML"}, "can't parse entities"),
        ({"text": "<font>x</font>", "parse_mode": "HTML"}, 'Unsupported start tag "font"'),
        ({"text": "<b><i>x</b></i>", "parse_mode": "HTML"}, "Unmatched end tag"),
        ({"text": "x</b>", "parse_mode": "HTML"}, "Unexpected end tag"),
        ({"text": "x", "parse_mode": "latex"}, "unsupported parse_mode"),
        ({"text": "x", "chat_id": 5}, "chat not found"),
        ({"text": "x", "chat_id": ""}, "chat_id is empty"),
        ({"text": "x", "reply_parameters": {"message_id": 9}}, "message to be replied not found"),
        (
            {"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "a"}]]}},
            "Text buttons are unallowed",
        ),
        (
            {
                "text": "x",
                "reply_markup": {"inline_keyboard": [[{"text": "a", "callback_data": "b" * 65}]]},
            },
            "BUTTON_DATA_INVALID",
        ),
        (
            {
                "text": "x",
                "reply_markup": {
                    "inline_keyboard": [[{"text": "a", "callback_data": "b"}] for _ in range(101)]
                },
            },
            "reply markup is too long",
        ),
    ],
)
async def test_a_message_that_breaks_a_rule_is_refused(
    http: aiohttp.ClientSession, fake: FakeTelegram, asked: dict[str, Any], words: str
) -> None:
    fake.state.last_message_id = 0
    chat_id = await an_id(fake)
    fake.state.last_message_id = 0
    answer = await ask(http, fake, "sendMessage", **{"chat_id": chat_id, **asked})
    assert answer["error_code"] == 400
    assert words in answer["description"]
    assert fake.shown("小林") == []


async def test_html_is_shown_as_text_with_entities_counted_in_utf16(
    fake: FakeTelegram, aiogram_bot: Bot
) -> None:
    chat_id = await an_id(fake)
    sent = await aiogram_bot.send_message(
        chat_id, "😀 <b>卡密</b>：<code>A&lt;1&gt;&amp;</code>", parse_mode="HTML"
    )
    assert sent.text == "😀 卡密：A<1>&"
    found = [(one.type, one.offset, one.length) for one in sent.entities or []]
    assert found == [("bold", 3, 2), ("code", 6, 5)]
    assert [one.text for one in fake.shown("小林")] == ["😀 卡密：A<1>&"]


async def test_4096_units_after_parsing_are_not_too_long(
    fake: FakeTelegram, aiogram_bot: Bot
) -> None:
    chat_id = await an_id(fake)
    await aiogram_bot.send_message(chat_id, "&lt;" * 4096, parse_mode="HTML")
    assert fake.shown("小林")[0].text == "<" * 4096


async def test_who_has_never_started_has_blocked_or_is_gone_cannot_be_reached(
    fake: FakeTelegram, aiogram_bot: Bot
) -> None:
    fake.state.private("路人")
    with pytest.raises(aio.TelegramForbiddenError, match="can't initiate"):
        await aiogram_bot.send_message(fake.state.user_id("路人"), "您好")
    chat_id = await an_id(fake)
    await fake.leaves("小林")
    with pytest.raises(aio.TelegramForbiddenError, match="blocked"):
        await aiogram_bot.send_message(chat_id, "您好")
    await fake.arrives("小林")
    await aiogram_bot.send_message(chat_id, "您好")
    fake.state.deactivated.add(chat_id)
    with pytest.raises(aio.TelegramForbiddenError, match="deactivated"):
        await aiogram_bot.send_message(chat_id, "您好")


async def test_editing_changes_what_is_seen_and_the_same_again_is_not_modified(
    fake: FakeTelegram, aiogram_bot: Bot
) -> None:
    chat_id = await an_id(fake)
    sent = await aiogram_bot.send_message(chat_id, "查询中", reply_markup=keyboard())
    await aiogram_bot.edit_message_text("查到了", chat_id=chat_id, message_id=sent.message_id)
    assert [(one.text, one.buttons) for one in fake.shown("小林")] == [("查到了", ())]
    with pytest.raises(aio.TelegramBadRequest, match="message is not modified"):
        await aiogram_bot.edit_message_text("查到了", chat_id=chat_id, message_id=sent.message_id)
    with pytest.raises(aio.TelegramBadRequest, match="message to edit not found"):
        await aiogram_bot.edit_message_text("查到了", chat_id=chat_id, message_id=5)


async def test_files_go_out_by_both_libraries_and_come_back_by_id(
    fake: FakeTelegram, aiogram_bot: Bot
) -> None:
    chat_id = await an_id(fake)
    sent = await aiogram_bot.send_photo(chat_id, BufferedInputFile(PNG, "a.png"), caption="图")
    async with telegram.Bot(fake.token, base_url=f"{fake.url}/bot") as bot:
        await bot.send_document(chat_id, b"receipt", filename="小票.txt")
        await bot.send_voice(chat_id, b"OggS")
        assert sent.photo is not None
        await bot.send_photo(chat_id, sent.photo[-1].file_id)
    seen = [(one.kind, one.text, one.content) for one in fake.shown("小林")]
    assert seen == [
        ("image", "图", PNG),
        ("file", "", b"receipt"),
        ("voice", "", b"OggS"),
        ("image", "", PNG),
    ]


async def test_what_is_no_picture_too_large_or_unwelcome_is_refused(
    fake: FakeTelegram, aiogram_bot: Bot
) -> None:
    chat_id = await an_id(fake)
    with pytest.raises(aio.TelegramBadRequest, match="IMAGE_PROCESS_FAILED"):
        await aiogram_bot.send_photo(chat_id, BufferedInputFile(b"text", "a.png"))
    with pytest.raises(aio.TelegramBadRequest, match="caption is too long"):
        await aiogram_bot.send_photo(chat_id, BufferedInputFile(PNG, "a.png"), caption="长" * 1025)
    with pytest.raises(aio.TelegramEntityTooLarge):
        await aiogram_bot.send_document(chat_id, BufferedInputFile(bytes((50 << 20) + 1), "a"))
    fake.api.forbids_voice = True
    with pytest.raises(aio.TelegramBadRequest, match="VOICE_MESSAGES_FORBIDDEN"):
        await aiogram_bot.send_voice(chat_id, BufferedInputFile(b"OggS", "a.ogg"))


async def test_a_file_is_loaded_for_an_hour_and_only_up_to_20_mb(
    fake: FakeTelegram, aiogram_bot: Bot, clock: HandClock, http: aiohttp.ClientSession
) -> None:
    await fake.sends_media("小林", "image", PNG)
    [update] = await aiogram_bot.get_updates()
    assert update.message is not None
    assert update.message.photo is not None
    found = await aiogram_bot.get_file(update.message.photo[-1].file_id)
    url = f"{fake.url}/file/bot{fake.token}/{found.file_path}"
    async with http.get(url) as answer:
        assert await answer.read() == PNG
    clock.passes(minutes=61)
    async with http.get(url) as answer:
        assert answer.status == 404
    for stored in fake.state.files.values():
        stored.size = (20 << 20) + 1
    with pytest.raises(aio.TelegramBadRequest, match="file is too big"):
        await aiogram_bot.get_file(update.message.photo[-1].file_id)


async def test_a_pressed_button_is_answered_once_and_in_time(
    fake: FakeTelegram, aiogram_bot: Bot, clock: HandClock
) -> None:
    chat_id = await an_id(fake)
    await aiogram_bot.send_message(chat_id, "要做什么？", reply_markup=keyboard())
    assert fake.shown("小林")[-1].buttons == ("查订单",)
    await fake.presses("小林", "查订单")
    query = (await aiogram_bot.get_updates())[-1].callback_query
    assert query is not None
    assert query.data == "kf1:x"
    await aiogram_bot.answer_callback_query(query.id)
    with pytest.raises(aio.TelegramBadRequest, match="query is too old"):
        await aiogram_bot.answer_callback_query(query.id)
    await fake.presses("小林", "查订单")
    query = (await aiogram_bot.get_updates(offset=-1))[-1].callback_query
    assert query is not None
    clock.passes(minutes=2)
    with pytest.raises(aio.TelegramBadRequest, match="query is too old"):
        await aiogram_bot.answer_callback_query(query.id)


async def test_a_chat_action_is_noted_and_an_unknown_one_refused(
    fake: FakeTelegram, aiogram_bot: Bot
) -> None:
    chat_id = await an_id(fake)
    await aiogram_bot.send_chat_action(chat_id, "typing")
    assert [(one[0], one[1]) for one in fake.state.typing] == [(chat_id, "typing")]
    with pytest.raises(aio.TelegramBadRequest, match="wrong parameter action"):
        await aiogram_bot.send_chat_action(chat_id, "dancing")


async def test_an_upgraded_group_names_its_new_id(fake: FakeTelegram, aiogram_bot: Bot) -> None:
    await fake.says("小林", "在吗", group="星辰群")
    old = fake.state.group("星辰群").id
    new = fake.migrates("星辰群")
    with pytest.raises(aio.TelegramMigrateToChat) as caught:
        await aiogram_bot.send_message(old, "在的")
    assert caught.value.migrate_to_chat_id == new
    await aiogram_bot.send_message(new, "在的")
    assert [one.text for one in fake.shown("", group="星辰群")] == ["在的"]


# ---------------------------------------------------------------------- polling


async def test_an_update_comes_again_until_a_later_offset_is_asked_for(
    fake: FakeTelegram, aiogram_bot: Bot, clock: HandClock
) -> None:
    for text in ("一", "二", "三"):
        await fake.says("小林", text)
    first = await aiogram_bot.get_updates()
    clock.passes(seconds=1)
    assert [one.update_id for one in await aiogram_bot.get_updates()] == [
        one.update_id for one in first
    ]
    left = await aiogram_bot.get_updates(offset=first[1].update_id)
    assert [one.message.text for one in left if one.message] == ["二", "三"]
    clock.passes(seconds=4)
    again = await aiogram_bot.get_updates(offset=0, limit=1)
    assert [one.message.text for one in again if one.message] == ["二"]


async def test_a_negative_offset_forgets_all_but_the_newest(
    fake: FakeTelegram, aiogram_bot: Bot
) -> None:
    for text in ("一", "二", "三"):
        await fake.says("小林", text)
    newest = await aiogram_bot.get_updates(offset=-1)
    assert [one.message.text for one in newest if one.message] == ["三"]
    assert len(fake.updates.waiting) == 1


async def test_asking_hastily_from_the_same_place_gives_one_update_and_a_wait(
    fake: FakeTelegram, aiogram_bot: Bot, clock: HandClock
) -> None:
    for text in ("一", "二"):
        await fake.says("小林", text)
    assert len(await aiogram_bot.get_updates(offset=5)) == 2
    assert len(await aiogram_bot.get_updates(offset=5)) == 1
    assert fake.updates.holds == [3.0]
    clock.passes(seconds=5)
    assert len(await aiogram_bot.get_updates(offset=5)) == 2


async def test_a_long_poll_ends_with_the_first_update(fake: FakeTelegram, aiogram_bot: Bot) -> None:
    poll = asyncio.create_task(aiogram_bot.get_updates(timeout=30))
    await fake.until(lambda: any(call.method == "getUpdates" for call in fake.calls))
    await fake.says("小林", "在吗")
    assert [one.message.text for one in await poll if one.message] == ["在吗"]


async def test_a_second_poller_ends_the_first_ones_poll_with_409(
    fake: FakeTelegram, aiogram_bot: Bot
) -> None:
    first = asyncio.create_task(aiogram_bot.get_updates(timeout=30))
    await fake.until(lambda: any(call.method == "getUpdates" for call in fake.calls))
    second = asyncio.create_task(aiogram_bot.get_updates(timeout=30))
    with pytest.raises(aio.TelegramConflictError, match="terminated by other getUpdates"):
        await first
    await fake.says("小林", "在吗")
    assert len(await second) == 1


async def test_a_message_waits_for_a_day_and_a_press_for_150_seconds(
    fake: FakeTelegram, aiogram_bot: Bot, clock: HandClock
) -> None:
    chat_id = await an_id(fake)
    await aiogram_bot.send_message(chat_id, "要做什么？", reply_markup=keyboard())
    await fake.presses("小林", "查订单")
    clock.passes(seconds=151)
    assert [one.event_type for one in await aiogram_bot.get_updates()] == ["message"]
    clock.passes(hours=24)
    assert await aiogram_bot.get_updates(offset=1) == []
    assert len(fake.updates.dropped) == 2


async def test_an_update_that_is_replayed_comes_whatever_the_offset(
    fake: FakeTelegram, aiogram_bot: Bot
) -> None:
    key = await fake.says("小林", "在吗", times=2)
    assert [str(one.update_id) for one in await aiogram_bot.get_updates()] == [key, key]
    assert await aiogram_bot.get_updates(offset=int(key) + 1) == []
    await fake.replays(key)
    replayed = await aiogram_bot.get_updates(offset=int(key) + 2)
    assert [str(one.update_id) for one in replayed] == [key]


async def test_after_a_new_start_of_the_numbers_an_old_offset_hides_nothing(
    fake: FakeTelegram, aiogram_bot: Bot
) -> None:
    old = int(await fake.says("小林", "在吗"))
    await aiogram_bot.get_updates(offset=old + 1)
    fake.updates.next_id = 1200
    await fake.says("小林", "还在吗")
    [update] = await aiogram_bot.get_updates(offset=old + 1)
    assert update.update_id == 1200


async def test_only_kinds_that_were_asked_for_are_told(
    fake: FakeTelegram, aiogram_bot: Bot
) -> None:
    await aiogram_bot.get_updates(allowed_updates=["message"])
    await fake.leaves("小林")
    key = await fake.says("小林", "在吗")
    assert [str(one.update_id) for one in await aiogram_bot.get_updates()] == [key]


async def test_with_privacy_on_a_bot_hears_commands_and_replies_in_groups_and_no_mention(
    fake: FakeTelegram, aiogram_bot: Bot
) -> None:
    fake.api.has_privacy = True
    assert (await aiogram_bot.me()).can_read_all_group_messages is False
    await fake.says("小林", "在吗", group="星辰群")
    await fake.sends("小林", group="星辰群", text="/stock@star_card_bot")
    sent = await aiogram_bot.send_message(fake.state.group("星辰群").id, "有货")
    reply = {"message_id": sent.message_id, "from": {"id": fake.api.me()["id"], "is_bot": True}}
    await fake.sends("小林", group="星辰群", text="来一张", reply_to_message=reply)
    told = [call["message"]["text"] for call in (one.update for one in fake.updates.waiting)]
    assert told == ["/stock@star_card_bot", "来一张"]


# ---------------------------------------------------------------------- webhook


async def test_updates_are_pushed_with_the_secret_and_polling_is_refused(
    fake: FakeTelegram, aiogram_bot: Bot, receiver: Receiver
) -> None:
    await fake.says("小林", "等着的")
    await aiogram_bot.set_webhook(receiver.url, secret_token="s3cret_-")
    await receiver.until(1)
    await fake.says("小林", "在吗")
    assert receiver.texts == ["等着的", "在吗"]
    assert {one["X-Telegram-Bot-Api-Secret-Token"] for one in receiver.headers} == {"s3cret_-"}
    assert [status for status, _ in fake.pushes] == [200, 200]
    with pytest.raises(aio.TelegramConflictError, match="webhook is active"):
        await aiogram_bot.get_updates()
    await aiogram_bot.delete_webhook()
    assert await aiogram_bot.get_updates() == []


async def test_setting_a_webhook_ends_a_pending_poll(
    fake: FakeTelegram, aiogram_bot: Bot, receiver: Receiver
) -> None:
    poll = asyncio.create_task(aiogram_bot.get_updates(timeout=30))
    await fake.until(lambda: any(call.method == "getUpdates" for call in fake.calls))
    await aiogram_bot.set_webhook(receiver.url)
    with pytest.raises(aio.TelegramConflictError):
        await poll


@pytest.mark.parametrize("secret", ["a" * 257, "空", "a b", "a:b"])
async def test_a_secret_of_other_characters_or_too_long_is_refused(
    fake: FakeTelegram, aiogram_bot: Bot, secret: str
) -> None:
    with pytest.raises(aio.TelegramBadRequest, match="secret token"):
        await aiogram_bot.set_webhook("https://kefu.example.com/hook", secret_token=secret)
    assert fake.pusher.webhook is None


@pytest.mark.parametrize("url", ["http://kefu.example.com/x", "https://kefu.example.com:9000/x"])
async def test_a_webhook_needs_https_and_one_of_four_ports(aiogram_bot: Bot, url: str) -> None:
    with pytest.raises(aio.TelegramBadRequest, match="bad webhook"):
        await aiogram_bot.set_webhook(url)


async def test_a_refused_update_comes_again_and_holds_back_its_chat_alone(
    fake: FakeTelegram, aiogram_bot: Bot, receiver: Receiver
) -> None:
    await aiogram_bot.set_webhook(receiver.url)
    receiver.refuses(500, times=fake.pusher.tries)
    await fake.says("小林", "一")
    assert [status for status, _ in fake.pushes] == [500] * 5
    assert fake.pusher.waits == [0.0, 2.0, 4.0, 8.0]
    await fake.says("小周", "别人")
    info = await aiogram_bot.get_webhook_info()
    assert info.pending_update_count == 1
    assert info.last_error_message == "Wrong response from the webhook: 500"
    await fake.says("小林", "二")
    assert receiver.texts[5:] == ["别人", "一", "二"]


async def test_retry_after_is_honoured_up_to_an_hour(
    fake: FakeTelegram, aiogram_bot: Bot, receiver: Receiver
) -> None:
    await aiogram_bot.set_webhook(receiver.url)
    receiver.refuses(503, Retry_After="7")
    receiver.refuses(503, Retry_After="99999")
    await fake.says("小林", "在吗")
    assert fake.pusher.waits == [7.0, 3600.0]
    assert receiver.texts == ["在吗"] * 3


async def test_a_webhook_that_is_gone_for_23_hours_is_taken_away(
    fake: FakeTelegram, aiogram_bot: Bot, receiver: Receiver, clock: HandClock
) -> None:
    await aiogram_bot.set_webhook(receiver.url)
    receiver.refuses(410, times=10)
    await fake.says("小林", "在吗")
    clock.passes(hours=22)
    await fake.redelivers()
    assert (await aiogram_bot.get_webhook_info()).url == receiver.url
    receiver.refuses(410, times=10)
    clock.passes(hours=1, minutes=30)
    await fake.redelivers()
    assert (await aiogram_bot.get_webhook_info()).url == ""


async def test_a_press_does_not_wait_behind_a_message_of_the_same_chat(
    fake: FakeTelegram, aiogram_bot: Bot, receiver: Receiver
) -> None:
    chat_id = await an_id(fake)
    await aiogram_bot.send_message(chat_id, "要做什么？", reply_markup=keyboard())
    await aiogram_bot.set_webhook(receiver.url, drop_pending_updates=True)
    receiver.refuses(500, times=fake.pusher.tries)
    await fake.says("小林", "在吗")
    await fake.presses("小林", "查订单", times=2)
    queries = [one["callback_query"]["id"] for one in receiver.updates if "callback_query" in one]
    assert len(queries) == 2
    assert len(set(queries)) == 1


async def test_a_call_in_a_webhooks_answer_is_done_and_nobody_is_told(
    fake: FakeTelegram, aiogram_bot: Bot, receiver: Receiver
) -> None:
    chat_id = await an_id(fake)
    await aiogram_bot.set_webhook(receiver.url, drop_pending_updates=True)
    for call in (
        {"method": "sendMessage", "chat_id": chat_id, "text": "在的"},
        {"method": "sendMessage", "chat_id": chat_id, "text": ""},
        {"method": "deleteWebhook"},
    ):
        receiver.answers.append((200, json.dumps(call), {}))
        await fake.says("小林", "在吗")
    assert [one.text for one in fake.shown("小林")] == ["在的"]
    assert fake.pusher.webhook is not None


# ---------------------------------------------------------------------- errors, as both see them


async def failure(call: Callable[[], Awaitable[object]]) -> Exception:
    try:
        await call()
    except Exception as error:  # noqa: BLE001 - the kind is what is asked for
        return error
    raise AssertionError("nothing was raised")


RETRY = {"kind": "error", "code": 429, "fields": {"retry_after": 7}}
TABLE: list[tuple[str, dict[str, Any], type[Exception], type[Exception]]] = [
    ("too many", RETRY, aio.TelegramRetryAfter, ptb.RetryAfter),
    ("blocked", {"kind": "error", "code": 403}, aio.TelegramForbiddenError, ptb.Forbidden),
    ("bad", {"kind": "error", "code": 400}, aio.TelegramBadRequest, ptb.BadRequest),
    ("token", {"kind": "error", "code": 401}, aio.TelegramUnauthorizedError, ptb.InvalidToken),
    ("no method", {"kind": "error", "code": 404}, aio.TelegramNotFound, ptb.InvalidToken),
    ("conflict", {"kind": "error", "code": 409}, aio.TelegramConflictError, ptb.Conflict),
    ("large", {"kind": "error", "code": 413}, aio.TelegramEntityTooLarge, ptb.NetworkError),
    (
        "restart",
        {"kind": "error", "code": 500, "fields": {"description": "restart"}},
        aio.RestartingTelegram,
        ptb.NetworkError,
    ),
    ("proxy", {"kind": "status", "status": 502}, aio.ClientDecodeError, ptb.NetworkError),
    ("half", {"kind": "garbage"}, aio.ClientDecodeError, ptb.TelegramError),
    ("dropped", {"kind": "drop_before"}, aio.TelegramNetworkError, ptb.NetworkError),
    ("silent", {"kind": "hang"}, aio.TelegramNetworkError, ptb.TimedOut),
    (
        "migrated",
        {"kind": "error", "code": 400, "fields": {"migrate_to_chat_id": -100}},
        aio.TelegramMigrateToChat,
        ptb.ChatMigrated,
    ),
]


@pytest.mark.parametrize("row", TABLE, ids=[row[0] for row in TABLE])
async def test_both_libraries_raise_what_their_tables_say(
    fake: FakeTelegram,
    aiogram_bot: Bot,
    row: tuple[str, dict[str, Any], type[Exception], type[Exception]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, fault, of_aiogram, of_ptb = row
    chat_id = await an_id(fake)
    monkeypatch.setenv("PTB_TIMEDELTA", "1")  # without it, reading retry_after warns
    fake.faults.add(method="sendMessage", **fault)
    seen = await failure(lambda: aiogram_bot.send_message(chat_id, "您好", request_timeout=1))
    assert type(seen) is of_aiogram
    fake.faults.clear()
    async with telegram.Bot(fake.token, base_url=f"{fake.url}/bot") as bot:
        fake.faults.add(method="sendMessage", **fault)
        seen = await failure(lambda: bot.send_message(chat_id, "您好", read_timeout=0.3))
    assert isinstance(seen, of_ptb)
    if isinstance(seen, ptb.RetryAfter):
        assert seen.retry_after == timedelta(seconds=7)


# ---------------------------------------------------------------------- a shop's own bot


async def test_a_python_telegram_bot_application_polls_the_fake(fake: FakeTelegram) -> None:
    heard: list[str] = []
    app = an_application(fake).build()

    async def hear(update: telegram.Update, _context: Any) -> None:
        assert update.message is not None
        heard.append(update.message.text or "")
        await update.message.reply_text("在的")

    app.add_handler(telegram.ext.MessageHandler(telegram.ext.filters.TEXT, hear))
    async with app:
        await app.start()
        assert app.updater is not None
        await app.updater.start_polling(timeout=5)
        await fake.says("小林", "在吗")
        await fake.until_shown("小林", 1)
        await app.updater.stop()
        await app.stop()
    assert heard == ["在吗"]
