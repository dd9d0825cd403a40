"""A shop's own bot on python-telegram-bot, with our relay in it: for accounts that are relayed."""

from __future__ import annotations

from telegram import Update
from telegram.ext import Application

from connectors.telegram import telegram_relay
from connectors.telegram.telegram_relay import AnyApplication

_POLL_S = 5


class ShopBot:
    """Polls the platform and hands everything over to kefu."""

    def __init__(self, api_url: str, token: str, hook_url: str, secret: str) -> None:
        builder = Application.builder().token(token).base_url(f"{api_url}/bot")
        self.application: AnyApplication = builder.build()
        self.relay = telegram_relay.install(
            self.application,
            url=hook_url,
            secret=secret,
            predicate=lambda _update: True,
            allowed_updates=Update.ALL_TYPES,
        )

    async def start(self) -> None:
        """Poll."""
        await self.application.initialize()
        await self.application.start()
        await self.relay.start()
        assert self.application.updater is not None
        await self.application.updater.start_polling(
            timeout=_POLL_S, allowed_updates=Update.ALL_TYPES
        )

    async def stop(self) -> None:
        """Poll no more."""
        assert self.application.updater is not None
        await self.application.updater.stop()
        await self.application.stop()
        await self.relay.stop()
        await self.application.shutdown()
