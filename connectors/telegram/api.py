"""The Bot API as one bot uses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import aiohttp
from aiogram import Bot
from aiogram.client.telegram import TelegramAPIServer
from aiogram.methods import (
    AnswerCallbackQuery,
    DeleteWebhook,
    GetFile,
    GetMe,
    GetUpdates,
    GetWebhookInfo,
    SendChatAction,
    SetWebhook,
    TelegramMethod,
)

from connectors.errors import MediaBusy, MediaGone, Rejected, SendError
from connectors.telegram.account import TelegramAccount
from connectors.telegram.session import HostSession

Json = Mapping[str, Any]

KINDS = ("message", "edited_message", "callback_query", "my_chat_member")
"""The updates that we ask for."""
_POLL_MARGIN_S = 10
_GONE = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


class BotApi:
    """Calls for one bot. Every call raises ``SendError`` and nothing else."""

    def __init__(self, account: TelegramAccount, http: aiohttp.ClientSession) -> None:
        self._account = account
        session = HostSession(
            http,
            TelegramAPIServer.from_base(account.api_url),
            timeout_s=account.timeout_s,
            connect_timeout_s=account.connect_timeout_s,
            proxy=account.proxy.get_secret_value() if account.proxy is not None else None,
        )
        self._session = session
        self._bot = Bot(account.token.get_secret_value(), session=session)

    async def call(self, method: TelegramMethod[Any], *, timeout_s: int | None = None) -> Any:
        """The result of a method, as the Bot API wrote it."""
        return await self._bot(method, timeout_s)

    async def me(self) -> Json:
        """Who we are."""
        return _object(await self.call(GetMe()))

    async def updates(self, offset: int | None) -> Sequence[Json]:
        """Those from ``offset`` on; waits while there are none."""
        account = self._account
        found = await self.call(
            GetUpdates(
                offset=offset,
                limit=account.poll_limit,
                timeout=account.poll_timeout_s,
                allowed_updates=list(KINDS),
            ),
            timeout_s=account.poll_timeout_s + _POLL_MARGIN_S,
        )
        updates = found if isinstance(found, list) else []
        return [one for one in updates if isinstance(one, dict) and _has_number(one)]

    async def webhook(self) -> Json:
        """Where updates are pushed to, and how that goes."""
        return _object(await self.call(GetWebhookInfo()))

    async def set_webhook(self, url: str) -> None:
        """Have updates pushed."""
        account = self._account
        await self.call(
            SetWebhook(
                url=url,
                secret_token=account.hook_secret,
                max_connections=account.max_connections,
                allowed_updates=list(KINDS),
            )
        )

    async def delete_webhook(self) -> None:
        """Have updates kept for polling; none is lost."""
        await self.call(DeleteWebhook(drop_pending_updates=False))

    async def answer_press(self, query_id: str) -> None:
        """Tell the customer's app that the press has arrived."""
        await self.call(AnswerCallbackQuery(callback_query_id=query_id))

    async def show_typing(self, chat_id: int) -> None:
        """For some five seconds."""
        await self.call(SendChatAction(chat_id=chat_id, action="typing"))

    async def file(self, file_id: str, max_bytes: int) -> bytes:
        """A file's content.

        Raises:
            MediaError: It is gone, too large, or not to be had now. No text names its address:
                that holds the token.
        """
        try:
            found = _object(await self.call(GetFile(file_id=file_id)))
        except Rejected as error:
            is_large = "too big" in str(error)
            raise MediaGone("too_large" if is_large else "expired") from None
        except SendError as error:
            raise MediaBusy(error.code) from None
        path = found.get("file_path")
        if not isinstance(path, str):
            raise MediaGone("expired")
        if int(found.get("file_size") or 0) > max_bytes:
            raise MediaGone("too_large")
        return await self._loaded(path, max_bytes)

    async def _loaded(self, path: str, max_bytes: int) -> bytes:
        url = self._session.api.file_url(self._bot.token, path)
        content = bytearray()
        try:
            timeout_s = int(self._account.download_timeout_s)
            async for chunk in self._session.stream_content(url, timeout=timeout_s):
                content += chunk
                if len(content) > max_bytes:
                    raise MediaGone("too_large")
        except aiohttp.ClientResponseError as error:
            if error.status in _GONE:
                raise MediaGone("expired") from None
            raise MediaBusy(str(error.status)) from None
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            raise MediaBusy(type(error).__name__) from None
        return bytes(content)


def _object(found: Any) -> Json:
    return found if isinstance(found, dict) else {}


def _has_number(update: Json) -> bool:
    return isinstance(update.get("update_id"), int)


__all__ = ["KINDS", "BotApi", "Json"]
