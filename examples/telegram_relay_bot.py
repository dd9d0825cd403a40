"""A shop's own Telegram bot on python-telegram-bot that leaves customer service to kefu.

Copy connectors/telegram/telegram_relay.py next to this file, then:

    pip install "python-telegram-bot>=21"
    TELEGRAM_TOKEN=… KEFU_URL=https://kefu.example.com/hooks/telegram/main KEFU_SECRET=… \
        python telegram_relay_bot.py

In kefu's channels.yaml the account has ``updates: relayed``, the same token, and KEFU_SECRET as its
``webhook_secret``.
"""

from __future__ import annotations

import logging
import os
from typing import Any

import telegram_relay  # the copy next to this file
from telegram import Update
from telegram.ext import Application, CommandHandler, ContextTypes


async def buy(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
    """What the shop's bot did before, it still does."""
    if update.message is not None:
        await update.message.reply_text("请到 https://shop.example.com 下单，付款后自动发卡。")


def build(
    token: str, kefu_url: str, kefu_secret: str, *, api_url: str = "https://api.telegram.org"
) -> Application[Any, Any, Any, Any, Any, Any]:
    """The shop's application, with the relay installed last."""
    builder = Application.builder().token(token)
    application = builder.base_url(f"{api_url}/bot").base_file_url(f"{api_url}/file/bot").build()
    application.add_handler(CommandHandler("buy", buy))
    telegram_relay.install(
        application,
        url=kefu_url,
        secret=kefu_secret,
        mode="unhandled",
        allowed_updates=Update.ALL_TYPES,
    )
    return application


def main() -> None:
    """Run until Ctrl-C."""
    logging.basicConfig(level=logging.INFO)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # its lines hold the token
    application = build(
        os.environ["TELEGRAM_TOKEN"],
        os.environ["KEFU_URL"],
        os.environ["KEFU_SECRET"],
        api_url=os.environ.get("TELEGRAM_API_URL", "https://api.telegram.org"),
    )
    application.run_polling(allowed_updates=Update.ALL_TYPES)


if __name__ == "__main__":
    main()
