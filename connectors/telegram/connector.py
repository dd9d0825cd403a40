"""Telegram as a connector: updates come in, units go out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from aiohttp import web
from cachetools import LRUCache, TTLCache

from connectors.errors import (
    AuthError,
    BadWebhook,
    Fatal,
    MediaGone,
    NotStored,
    RateLimited,
    Rejected,
    Retryable,
    SendError,
)
from connectors.kit.backoff import spread_out
from connectors.kit.base import BaseConnector
from connectors.kit.host import Host
from connectors.kit.secrets import is_same
from connectors.media.http import read_request
from connectors.messages import (
    Address,
    Capabilities,
    Check,
    Checkpoint,
    Health,
    Inbound,
    Markup,
    MediaHandle,
    Pace,
    PeerKind,
    SendResult,
    SendStatus,
    Unit,
)
from connectors.telegram import advice, outgoing
from connectors.telegram.account import TelegramAccount
from connectors.telegram.api import BotApi, Json
from connectors.telegram.checking import check
from connectors.telegram.mapping import Mapper, is_from_group, pressed, topic
from connectors.telegram.outgoing import Place
from connectors.telegram.poller import Poller
from connectors.telegram.reception import Reception
from connectors.telegram.refusals import Moved
from connectors.telegram.webhook import WebhookKeeper

log = structlog.get_logger(__name__)

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - a header's name
_MAX_REMEMBERED = 5000
_INTRODUCTION_RETRY_S = 5.0
_SILENCE_S = 60.0


class TelegramConnector(BaseConnector):
    """Implements ``connectors.messages.Connector`` for one bot."""

    def __init__(self, account: TelegramAccount, host: Host) -> None:
        super().__init__(account.ref)
        self._account = account
        self._host = host
        self._api = BotApi(account, host.http)
        self._mapper = Mapper(account.ref, account.bot_id)
        self._reception = Reception()
        self.pulse.receiving = self._reception
        self._receiving: asyncio.Task[None] | None = None
        self._answers: set[asyncio.Task[None]] = set()
        self._topics: LRUCache[tuple[str, str], tuple[int, int | None]] = LRUCache(_MAX_REMEMBERED)
        typing_every = timedelta(seconds=account.typing_every_s)
        self._typing: TTLCache[str, None, datetime] = TTLCache(
            _MAX_REMEMBERED, typing_every, host.clock
        )
        self._moved: dict[int, int] = {}

    @property
    def capabilities(self) -> Capabilities:
        """Formatted text, buttons and files; what was sent twice is shown twice."""
        account = self._account
        return Capabilities(
            max_text=account.max_text,
            text_unit="utf16",
            has_buttons=True,
            max_buttons=account.max_buttons,
            max_label=account.max_label,
            sends=frozenset({"image", "voice", "video", "file"}),
            has_typing=True,
            markup=Markup.HTML,
            redelivers=True,
            loses_before_us=account.updates == "relayed",
            pace=Pace(account.account_per_s, account.peer_per_s, account.peer_burst),
        )

    def health(self) -> Health:
        """The worse of sending and receiving."""
        task, now = self._receiving, self._host.clock()
        if task is not None and task.done():
            self._reception.troubled(advice.BUG, now, is_down=True)
        elif task is not None and self._account.updates == "polling":
            silence = timedelta(seconds=self._account.poll_timeout_s + _SILENCE_S)
            if self._reception.is_silent_for(silence, now):
                self._reception.troubled(advice.SILENT, now)
        if self._reception.ok_at is not None:
            self.pulse.detail["last_poll_ok_at"] = self._reception.ok_at
        return super().health()

    # ------------------------------------------------------------------ life

    async def start(self) -> None:
        """Begin to poll, or see to the webhook."""
        if self._receiving is None:
            self._receiving = asyncio.create_task(self._receive())

    async def stop(self) -> None:
        """Take nothing in any more; a webhook stays, and Telegram waits for our return."""
        task, self._receiving = self._receiving, None
        running = [*self._answers, *([task] if task is not None else [])]
        for one in running:
            one.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _receive(self) -> None:
        await self._introduce()
        account, api, host = self._account, self._api, self._host
        if account.updates == "polling":
            await Poller(account, api, host, self._reception, self._take).run()
        elif account.updates == "webhook":
            await WebhookKeeper(account, api, host, self._reception).run()
        else:
            await asyncio.Event().wait()  # what comes, the shop's bot brings

    async def _introduce(self) -> None:
        """Learn the bot's name: in groups we hear only what is said to it."""
        while self._mapper.username is None:
            now = self._host.clock()
            try:
                me = await self._api.me()
            except SendError as error:
                is_down = isinstance(error, AuthError)
                self._reception.troubled(advice.receiving(error), now, is_down=is_down)
                wait_s = self._account.refused_pause_s if is_down else _INTRODUCTION_RETRY_S
                if isinstance(error, RateLimited):
                    wait_s = error.retry_after_s
                await self._host.sleep(spread_out(wait_s, self._host.random()))
                continue
            self._mapper = replace(self._mapper, username=str(me.get("username") or ""))
            self._reception.ok(now)

    # ------------------------------------------------------------------ updates

    def routes(self) -> Sequence[web.RouteDef]:
        """The webhook's address, unless we poll."""
        if self._account.updates == "polling":
            return ()
        return (web.post(self._account.hook_path, self._hook),)

    async def _hook(self, request: web.Request) -> web.Response:
        try:
            self._check_secret(request)
            update = _update(await read_request(request))
        except BadWebhook as error:
            log.warning("webhook_refused", channel=self.ref.channel, reason=str(error))
            return web.Response(status=error.status)
        if self._mapper.username is None and is_from_group(update):
            return _later(2.0)  # nobody knows yet whether it is for us
        try:
            await self._take([update])
        except NotStored as error:
            return _later(error.retry_after_s)
        return web.Response()

    def _check_secret(self, request: web.Request) -> None:
        if not is_same(request.headers.get(SECRET_HEADER, ""), self._account.hook_secret):
            raise BadWebhook(401, "the secret is wrong")

    async def _take(self, updates: Sequence[Json], checkpoint: Checkpoint | None = None) -> None:
        """Store updates; then, and only then, do what must be done at once."""
        now = self._host.clock()
        found: list[Inbound] = []
        for update in updates:
            found += self._mapper.inbounds(update, now)
        if found or checkpoint is not None:
            await self._host.sink.accept(found, checkpoint)
        if found:
            self.pulse.heard(now)
        for update in updates:
            self._after_storing(update)

    def _after_storing(self, update: Json) -> None:
        query_id = pressed(update)
        if query_id is not None:
            self._spawn(self._api.answer_press(query_id))
        where = topic(update) if is_from_group(update) else None
        if where is not None:
            message = update["message"]
            key = (str(message["chat"]["id"]), str((message.get("from") or {}).get("id")))
            self._topics[key] = where

    def _spawn(self, call: Awaitable[None]) -> None:
        task = asyncio.create_task(_quietly(call))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    # ------------------------------------------------------------------ sending

    async def send(self, unit: Unit) -> SendResult:
        """Send one unit."""
        try:
            message = await self._sent(unit)
        except (AuthError, Fatal) as error:
            self.pulse.sending.down(advice.sending(error))
            raise
        except Retryable as error:
            self.pulse.sending.degraded(advice.sending(error))
            raise
        self.pulse.sent(self._host.clock())
        number = message.get("message_id") if isinstance(message, dict) else None
        return SendResult(SendStatus.ACCEPTED, (str(number),) if number is not None else ())

    async def _sent(self, unit: Unit) -> Any:
        place = self._place(unit.address)
        content = await self._content(unit)
        try:
            return await self._try(unit, content, place)
        except Moved as moved:
            # the group was upgraded: once more, to where it is now
            self._moved[place.chat_id] = moved.chat_id
            return await self._try(unit, content, replace(place, chat_id=moved.chat_id))

    async def _try(self, unit: Unit, content: bytes, place: Place) -> Any:
        attachment = unit.attachment
        if attachment is None:
            return await self._api.call(outgoing.text(unit, place))
        most = self._account.max_photo_bytes
        method = outgoing.file(unit, attachment, content, place, max_photo_bytes=most)
        try:
            return await self._api.call(method)
        except Moved:
            raise
        except Rejected:
            # odd proportions, or a customer who takes no voice messages: as a plain file, once
            plain = outgoing.as_document(method)
            if plain is None:
                raise
            return await self._api.call(plain)

    async def _content(self, unit: Unit) -> bytes:
        if unit.attachment is None:
            return b""
        try:
            content = await self._host.files.read(unit.attachment)
        except MediaGone:
            raise Rejected("gone", "the file is no longer there") from None
        if len(content) > self._account.max_upload_bytes:
            raise Rejected("413", "the file is too large")
        return content

    def _place(self, address: Address) -> Place:
        chat_id = int(address.peer_id)
        chat_id = self._moved.get(chat_id, chat_id)
        if address.kind is not PeerKind.GROUP:
            return Place(chat_id)
        asked = self._topics.get((address.peer_id, address.user_id))
        if asked is None:  # from before a restart
            return Place(chat_id, mention=address.user_id)
        return Place(chat_id, reply_to=asked[0], thread_id=asked[1])

    async def typing(self, address: Address, author: str, *, is_on: bool) -> None:  # noqa: ARG002
        """Show that somebody writes: it goes by itself after some five seconds."""
        if not is_on or address.peer_id in self._typing:
            return
        self._typing[address.peer_id] = None
        await _quietly(self._api.show_typing(self._place(address).chat_id))

    # ------------------------------------------------------------------ files and checks

    async def fetch(self, media: MediaHandle, max_bytes: int) -> bytes:
        """A customer's file; Telegram gives bots no more than 20 MB."""
        file_id = media.handle.get("file_id")
        if not isinstance(file_id, str):
            raise MediaGone("refused")
        return await self._api.file(file_id, max_bytes)

    async def check(self) -> Check:
        """Ask who the bot is, and where its updates go."""
        return await check(self._account, self._api, self._host.public_url, self._host.clock())


async def _quietly(call: Awaitable[None]) -> None:
    """Try what may fail without harm."""
    try:
        await call
    except SendError as error:
        log.debug("telegram_courtesy_failed", code=error.code)


def _update(body: bytes) -> Json:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise BadWebhook(400, "no JSON") from None
    if not isinstance(found, dict) or not isinstance(found.get("update_id"), int):
        raise BadWebhook(400, "no update")
    return found


def _later(retry_after_s: float) -> web.Response:
    return web.Response(status=503, headers={"Retry-After": str(max(1, round(retry_after_s)))})


__all__ = ["TelegramConnector"]
