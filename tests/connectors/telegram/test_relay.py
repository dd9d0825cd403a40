"""A shop's own python-telegram-bot application hands its customers over to kefu."""

from __future__ import annotations

import ast
import asyncio
import logging
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from telegram import Update
from telegram.ext import (
    ChatMemberHandler,
    CommandHandler,
    ConversationHandler,
    MessageHandler,
    filters,
)

from connectors.telegram import telegram_relay
from connectors.telegram.telegram_relay import AnyApplication, Relay
from devkit.telegram import FakeTelegram
from tests.connectors.telegram.conftest import Receiver, an_application, payload

SECRET = "relay_secret-0123456789"


class Shop:
    """A bot that a shop runs already."""

    def __init__(self, fake: FakeTelegram, receiver: Receiver) -> None:
        self.app: AnyApplication = an_application(fake).build()
        self.heard: list[str] = []
        self._receiver = receiver
        self._numbers = iter(range(1, 1000))

    def installs(self, **more: Any) -> Relay:
        settings = {"url": self._receiver.url, "secret": SECRET, "wait_s": 5.0, **more}
        return telegram_relay.install(self.app, **settings)

    async def hears(self, update: Update, _context: Any) -> None:
        message = update.effective_message
        self.heard.append((message.text or "") if message else "")

    def answers_commands(self, *names: str) -> None:
        self.app.add_handler(CommandHandler(list(names), self.hears))

    @asynccontextmanager
    async def running(self, relay: Relay) -> AsyncIterator[None]:
        async with self.app:
            await relay.start()
            yield
            await relay.stop()

    async def gets(self, name: str) -> None:
        update = Update.de_json(payload(name), self.app.bot)
        await self.app.process_update(update)

    async def gets_text(self, text: str) -> None:
        told = payload("command" if text.startswith("/") else "text")
        told["update_id"] = next(self._numbers)
        told["message"]["text"] = text
        if "entities" in told["message"]:
            told["message"]["entities"][0]["length"] = len(text.split(maxsplit=1)[0])
        await self.app.process_update(Update.de_json(told, self.app.bot))


@pytest.fixture
def shop(fake: FakeTelegram, receiver: Receiver) -> Shop:
    return Shop(fake, receiver)


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telegram_relay, "FIRST_RETRY_S", 0.001)
    monkeypatch.setattr(telegram_relay, "LONGEST_RETRY_S", 0.002)


def test_the_module_can_be_copied_alone() -> None:
    tree = ast.parse(Path(telegram_relay.__file__).read_text(encoding="utf-8"))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [one.name for one in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    foreign = imported - {"__future__", "asyncio", "collections", "contextlib", "json", "logging"}
    assert foreign == {"datetime", "httpx", "telegram", "random", "re", "typing", "urllib"}


@pytest.mark.parametrize(
    "name",
    [
        *("text", "start", "photo", "voice", "sticker", "location", "edited"),
        *("callback", "callback_old_message", "blocked", "unblocked"),
    ],
)
async def test_an_update_arrives_as_telegram_wrote_it_and_with_the_secret(
    shop: Shop, receiver: Receiver, name: str
) -> None:
    relay = shop.installs()
    async with shop.running(relay):
        await shop.gets(name)
    [told] = receiver.updates
    assert receiver.headers[0]["X-Telegram-Bot-Api-Secret-Token"] == SECRET
    assert told["update_id"] == payload(name)["update_id"]
    kind = next(key for key in told if key != "update_id")
    original = payload(name)[kind]
    for key in ("from", "text", "caption", "date", "edit_date", "data", "id", "entities"):
        assert told[kind].get(key) == original.get(key)
    assert relay.relayed == 1


@pytest.mark.parametrize(
    "name", ["callback_of_the_shop", "group_mention", "removed_from_group", "channel_post"]
)
async def test_what_is_not_kefus_stays_with_the_shop(
    shop: Shop, receiver: Receiver, name: str
) -> None:
    relay = shop.installs()
    async with shop.running(relay):
        await shop.gets(name)
    assert receiver.updates == []


async def test_a_predicate_decides_instead(shop: Shop, receiver: Receiver) -> None:
    relay = shop.installs(
        predicate=lambda update: bool(update.message and "客服" in (update.message.text or ""))
    )
    async with shop.running(relay):
        await shop.gets_text("买一张")
        await shop.gets_text("找客服")
        await shop.gets("callback")
    assert receiver.texts == ["找客服"]
    assert "callback_query" in receiver.updates[-1]


async def test_by_default_the_shops_commands_are_its_own_and_the_rest_is_heard_by_both(
    shop: Shop, receiver: Receiver
) -> None:
    shop.answers_commands("buy", "Price")
    shop.app.add_handler(
        ConversationHandler([CommandHandler("order", shop.hears)], {1: []}, []), group=1
    )
    relay = shop.installs()
    shop.app.add_handler(MessageHandler(filters.TEXT & ~filters.COMMAND, shop.hears), group=2)
    async with shop.running(relay):
        for text in ("/buy 1", "/price@star_card_bot", "/order", "/help", "在吗"):
            await shop.gets_text(text)
    assert receiver.texts == ["/help", "在吗"]
    assert "在吗" in shop.heard


async def test_unhandled_takes_only_what_the_shop_leaves_even_if_added_later(
    shop: Shop, receiver: Receiver
) -> None:
    relay = shop.installs(mode="unhandled")
    shop.answers_commands("buy")
    shop.app.add_handler(MessageHandler(filters.Regex("^买"), shop.hears))
    async with shop.running(relay):
        for text in ("/buy", "买一张", "没收到卡密"):
            await shop.gets_text(text)
    assert shop.heard == ["/buy", "买一张"]
    assert receiver.texts == ["没收到卡密"]


async def test_exclusive_takes_all_but_the_shops_buttons_and_a_block_is_heard_by_both(
    shop: Shop, receiver: Receiver
) -> None:
    shop.answers_commands("buy")
    blocked: list[Update] = []

    async def note(update: Update, _context: Any) -> None:
        blocked.append(update)

    shop.app.add_handler(ChatMemberHandler(note, ChatMemberHandler.MY_CHAT_MEMBER))
    relay = shop.installs(mode="exclusive")
    async with shop.running(relay):
        await shop.gets_text("/buy")
        await shop.gets("callback_of_the_shop")
        await shop.gets("blocked")
    assert shop.heard == []
    assert [next(key for key in one if key != "update_id") for one in receiver.updates] == [
        "message",
        "my_chat_member",
    ]
    assert len(blocked) == 1


async def test_the_handler_returns_only_when_kefu_has_stored_it(
    shop: Shop, receiver: Receiver
) -> None:
    receiver.gate.clear()
    relay = shop.installs()
    async with shop.running(relay):
        processing = asyncio.create_task(shop.gets_text("在吗"))
        await receiver.until(1)
        assert not processing.done()
        receiver.gate.set()
        await processing
        assert relay.queued == 0


async def test_a_slow_kefu_holds_the_shop_up_for_a_moment_only_and_gets_it_all_in_order(
    shop: Shop, receiver: Receiver
) -> None:
    receiver.gate.clear()
    relay = shop.installs(wait_s=0.0)
    async with shop.running(relay):
        for number in range(5):
            await shop.gets_text(f"第{number}条")
        assert relay.queued == 5
        receiver.gate.set()
    assert receiver.texts == [f"第{number}条" for number in range(5)]
    assert (relay.relayed, relay.dropped) == (5, 0)


@pytest.mark.parametrize("status", [500, 503, 429, 401, 404])
async def test_what_kefu_refuses_for_now_is_tried_again_in_order(
    shop: Shop, receiver: Receiver, status: int
) -> None:
    receiver.refuses(status, times=3, Retry_After="1")
    relay = shop.installs()
    async with shop.running(relay):
        await shop.gets_text("一")
        await shop.gets_text("二")
        await receiver.until(5)
    assert receiver.texts == ["一", "一", "一", "一", "二"]
    assert (relay.relayed, relay.dropped) == (2, 0)


async def test_while_kefu_is_away_the_shop_does_not_wait_at_all(
    shop: Shop, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telegram_relay, "STOP_GRACE_S", 0.01)
    monkeypatch.setattr(telegram_relay, "FIRST_RETRY_S", 60.0)
    monkeypatch.setattr(telegram_relay, "LONGEST_RETRY_S", 60.0)
    receiver.refuses(503)
    relay = shop.installs(wait_s=3600.0)
    async with shop.running(relay), asyncio.timeout(5):
        for text in ("一", "二", "三"):
            await shop.gets_text(text)
        assert relay.queued == 3
    assert relay.dropped == 3


async def test_what_kefu_can_never_read_is_dropped_and_counted(
    shop: Shop, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.refuses(400)
    relay = shop.installs()
    async with shop.running(relay):
        await shop.gets_text("坏的")
        await shop.gets_text("好的")
    assert receiver.texts == ["坏的", "好的"]
    assert (relay.relayed, relay.dropped) == (1, 1)
    assert "坏的" not in caplog.text
    assert SECRET not in caplog.text


async def test_a_full_queue_drops_its_oldest(
    shop: Shop, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telegram_relay, "MAX_QUEUED", 2)
    receiver.gate.clear()
    relay = shop.installs(wait_s=0.0)
    async with shop.running(relay):
        await shop.gets_text("一")
        await receiver.until(1)
        for text in ("二", "三", "四"):
            await shop.gets_text(text)
        receiver.gate.set()
    assert receiver.texts == ["一", "三", "四"]
    assert relay.dropped == 2


async def test_it_starts_by_itself_where_nobody_started_it(shop: Shop, receiver: Receiver) -> None:
    relay = shop.installs()
    async with shop.app:
        await shop.gets_text("在吗")
        await relay.stop()
        await relay.stop()
    assert receiver.texts == ["在吗"]


def test_what_cannot_be_right_is_said_at_once(shop: Shop) -> None:
    with pytest.raises(ValueError, match="url"):
        shop.installs(url="kefu.example.com/hooks")
    with pytest.raises(ValueError, match="secret"):
        shop.installs(secret="有空格 的")
    with pytest.raises(ValueError, match="mode"):
        shop.installs(mode="all")


def test_missing_updates_and_objects_in_buttons_are_warned_about(
    fake: FakeTelegram, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    shop = Shop(fake, receiver)
    shop.installs(allowed_updates=["message", "edited_message", "my_chat_member"])
    assert "leaves out callback_query" in caplog.text
    caplog.clear()
    shop.installs(allowed_updates=Update.ALL_TYPES)
    assert caplog.text == ""


async def test_run_polling_starts_and_stops_the_relay_and_keeps_the_shops_own_hooks(
    fake: FakeTelegram, receiver: Receiver
) -> None:
    shop = Shop(fake, receiver)
    ran: list[str] = []

    def hook(name: str) -> Any:
        async def note(_app: Any) -> None:
            ran.append(name)

        return note

    shop.app.post_init = hook("init")
    shop.app.post_stop = hook("stop")
    shop.app.post_shutdown = hook("shutdown")

    async def quit_(_update: Update, _context: Any) -> None:
        shop.app.stop_running()

    shop.app.add_handler(CommandHandler("quit", quit_))
    relay = shop.installs()

    def run() -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        shop.app.run_polling(stop_signals=None, timeout=1)
        asyncio.set_event_loop(None)

    polling = asyncio.create_task(asyncio.to_thread(run))
    await fake.says("小林", "没收到卡密")
    await fake.says("小林", "/quit")
    await polling
    assert ran == ["init", "stop", "shutdown"]
    assert receiver.texts == ["没收到卡密"]
    assert relay.relayed == 1


async def test_the_example_runs_beside_a_copy_of_the_module(
    fake: FakeTelegram, receiver: Receiver, tmp_path: Path
) -> None:
    root = Path(telegram_relay.__file__).parents[2]
    for source in (Path(telegram_relay.__file__), root / "examples" / "telegram_relay_bot.py"):
        shutil.copy(source, tmp_path)
    bot = await asyncio.create_subprocess_exec(
        sys.executable,
        "telegram_relay_bot.py",
        cwd=tmp_path,
        env={
            "TELEGRAM_TOKEN": fake.token,
            "TELEGRAM_API_URL": fake.url,
            "KEFU_URL": receiver.url,
            "KEFU_SECRET": SECRET,
        },
        stderr=asyncio.subprocess.PIPE,
    )
    await fake.says("小林", "/buy")
    await fake.says("小林", "没收到卡密")
    await receiver.until(1)
    assert "下单" in (await fake.until_shown("小林", 1))[0].text
    assert receiver.texts == ["没收到卡密"]
    bot.send_signal(signal.SIGINT)
    _, said = await bot.communicate()
    assert bot.returncode == 0
    assert fake.token.encode() not in said
