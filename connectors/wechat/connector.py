"""A 公众号 as a connector: verified pushes come in, units go out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import structlog
from aiohttp import web
from cachetools import TTLCache
from pydantic import SecretStr

from connectors.errors import (
    AuthError,
    BadWebhook,
    Fatal,
    MediaError,
    MediaGone,
    NotStored,
    RateLimited,
    Rejected,
    Retryable,
    SendError,
)
from connectors.kit.base import BaseConnector
from connectors.kit.host import Host
from connectors.kit.replay import BoundBodies
from connectors.kit.xml import MAX_BYTES
from connectors.media.http import read_request
from connectors.messages import (
    Address,
    Capabilities,
    Check,
    Checkpoint,
    Inbound,
    InboundKind,
    MediaHandle,
    SendResult,
    SendStatus,
    Unit,
)
from connectors.wechat import codes, outgoing
from connectors.wechat.account import WechatAccount
from connectors.wechat.api import ApiOptions, WechatApi
from connectors.wechat.callback import Callback, read
from connectors.wechat.checking import check
from connectors.wechat.mapping import Mapper
from connectors.wechat.passive import Desk, PassiveOptions

log = structlog.get_logger(__name__)

ROOM_BYTES = 248
"""Left in every text: for the choices of a menu, full-width signs, and a hint that more follows."""
PASSIVE_REPLIES = 3
_MAX_TYPING = 5000
_ANSWERED = frozenset({InboundKind.MESSAGE, InboundKind.BUTTON, InboundKind.ARRIVAL})


class WechatConnector(BaseConnector):
    """Implements ``connectors.messages.Connector`` for one Official Account."""

    def __init__(self, account: WechatAccount, host: Host) -> None:
        super().__init__(account.ref)
        self._account = account
        self._host = host
        self._api = _api(account, host)
        sealed = account.encryption != "plain"
        self._callback = Callback(
            account.app_id,
            account.token,
            account.encoding_aes_key if sealed else None,
            clock_skew=timedelta(seconds=account.clock_skew_s),
        )
        good_for = timedelta(seconds=account.clock_skew_s)
        self._bodies = (
            None if sealed else BoundBodies(self.ref, host.checkpoints, good_for, host.clock)
        )
        self._mapper = _mapper(account)
        self._desk = Desk(_passive_options(account))
        self._typing: TTLCache[str, None, datetime] = TTLCache(
            _MAX_TYPING, timedelta(seconds=account.typing_every_s), host.clock
        )
        self._logging_in: asyncio.Task[None] | None = None
        self._takes_menus = account.buttons and not account.is_passive

    @property
    def capabilities(self) -> Capabilities:
        """Text, pictures, videos and menus; text alone where replies are passive."""
        account = self._account
        is_full = not account.is_passive
        return Capabilities(
            max_text=account.max_text_bytes - ROOM_BYTES,
            text_unit="bytes",
            has_buttons=self._takes_menus,
            max_buttons=account.max_menu_items,
            max_label=account.max_menu_label_bytes,
            sends=frozenset({"image", "video"}) if is_full else frozenset(),
            has_typing=is_full,
            needs_grant=True,
            merges_replies=True,
            redelivers=True,
        )

    # ------------------------------------------------------------------ life

    async def start(self) -> None:
        """See whether the platform takes our credentials; pushes come by themselves."""
        if self._account.is_passive:
            self.pulse.sending.up()
        elif self._logging_in is None:
            self._logging_in = asyncio.create_task(self._log_in())

    async def stop(self) -> None:
        """Hold no push any longer; what was not answered is delivered again."""
        self._desk.close()
        task, self._logging_in = self._logging_in, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await self._api.close()

    async def _log_in(self) -> None:
        try:
            await self._api.log_in()
        except SendError as error:
            self._note(error)
        else:
            self.pulse.sending.up()

    # ------------------------------------------------------------------ pushes

    def routes(self) -> Sequence[web.RouteDef]:
        """The address of 服务器配置, for the platform's question and its pushes."""
        path = f"/hooks/{self.ref.channel}/{self.ref.account_id}"
        return (
            web.get(path, self._echo, allow_head=False),
            web.post(path, self._pushed),
        )

    async def _echo(self, request: web.Request) -> web.Response:
        try:
            echo = self._callback.echo(request.query, self._host.wall())
            await self._bind(request, echo.encode())
        except BadWebhook as error:
            return self._refused(error)
        except NotStored as error:
            return _later(error)
        return web.Response(text=echo)

    async def _bind(self, request: web.Request, body: bytes) -> None:
        """In plain mode a signature vouches for no body: for the first that came with it alone."""
        if self._bodies is not None:
            await self._bodies.check(request.query["signature"], body)

    async def _pushed(self, request: web.Request) -> web.Response:
        now = self._host.clock()
        try:
            body = await read_request(request, MAX_BYTES)
            xml = self._callback.opened(request.query, body, self._host.wall())
            message = read(xml)
            inbound = self._mapper.inbound(message, xml, now)
            # what holds no message must not use up the signature of one that does
            await self._bind(request, body)
            binding = self._binding(request, body)
            if self._account.is_passive and inbound.kind in _ANSWERED:
                return await self._answered(request, message, inbound, binding)
            await self._accept(inbound, binding)
        except BadWebhook as error:
            return self._refused(error)
        except NotStored as error:
            return _later(error)
        return _noted()

    def _binding(self, request: web.Request, body: bytes) -> Checkpoint | None:
        if self._bodies is None:
            return None
        return self._bodies.binding(request.query["signature"], body)

    async def _accept(self, inbound: Inbound, binding: Checkpoint | None) -> None:
        await self._host.sink.accept([inbound], binding)
        self.pulse.heard(inbound.received_at)

    async def _answered(
        self, request: web.Request, message: Any, inbound: Inbound, binding: Checkpoint | None
    ) -> web.Response:
        """Hold a push until there is an answer to give it, or the platform hangs up."""
        openid = inbound.address.peer_id
        # before it is stored: the answer may be there at once
        with self._desk.holding(openid):
            await self._accept(inbound, binding)
            text = await self._desk.answer(openid, inbound.dedup_key)
        if text is None:
            return web.Response(status=503)
        if not text:
            return _noted()
        if request.transport is None or request.transport.is_closing():
            self._desk.missed(inbound.dedup_key)
        nonce = f"{int(self._host.random() * 10**10):010d}"
        reply = self._callback.reply(message, text, self._host.wall(), nonce)
        return web.Response(text=reply, content_type="application/xml")

    def _refused(self, error: BadWebhook) -> web.Response:
        log.warning("webhook_refused", channel=self.ref.channel, reason=str(error))
        return web.Response(status=error.status)

    # ------------------------------------------------------------------ sending

    async def send(self, unit: Unit) -> SendResult:
        """Send one unit: as a customer-service message, or by a push that waits."""
        try:
            if self._account.is_passive:
                await self._desk.put(unit.address.peer_id, outgoing.shown_as_is(unit.text))
            else:
                about = {"touser": unit.address.peer_id, **await self._content(unit)}
                await self._api.call("message/custom/send", about)
        except SendError as error:
            if unit.buttons and isinstance(error, Rejected) and error.code in codes.NO_SUCH_KIND:
                # numbers from now on: asking each time would cost a refusal each time
                self._takes_menus = False
            self._note(error)
            raise
        # a message that arrives ends the dots
        self._typing.pop(unit.address.peer_id, None)
        self.pulse.sent(self._host.clock())
        return SendResult(SendStatus.ACCEPTED)

    async def _content(self, unit: Unit) -> dict[str, Any]:
        attachment = unit.attachment
        account = self._account
        if attachment is None:
            return outgoing.message(unit, max_text_bytes=account.max_text_bytes)
        try:
            content = await self._host.files.read(attachment)
        except MediaGone:
            raise Rejected("gone", "文件已经不在了") from None
        is_video = attachment.kind == "video"
        max_bytes = account.max_video_bytes if is_video else account.max_image_bytes
        name = outgoing.file_name(attachment, content, max_bytes=max_bytes)
        media_id = await self._api.upload(attachment.kind, content, name=name, mime=attachment.mime)
        return outgoing.media(attachment.kind, media_id)

    def _note(self, error: SendError) -> None:
        match error:
            case AuthError() | Fatal():
                advice = codes.advice(error.code)
                ip = self._api.refused_ip
                self.pulse.sending.down(f"{advice}（{ip}）" if ip else advice)
            case RateLimited():
                self.pulse.sending.degraded(codes.advice(error.code))
            case Retryable():
                self.pulse.sending.degraded(f"暂时连不上微信，会再试（{error.code}）")

    async def typing(self, address: Address, author: str, *, is_on: bool) -> None:  # noqa: ARG002
        """Show or hide “对方正在输入”, which lasts for 15 s: asking again meanwhile is refused."""
        openid = address.peer_id
        if self._account.is_passive or is_on is (openid in self._typing):
            return
        if is_on:
            self._typing[openid] = None
        else:
            self._typing.pop(openid, None)
        command = "Typing" if is_on else "CancelTyping"
        try:
            await self._api.call("message/custom/typing", {"touser": openid, "command": command})
        except SendError as error:
            log.debug("typing_not_shown", channel=self.ref.channel, code=error.code)

    # ------------------------------------------------------------------ files and checks

    async def fetch(self, media: MediaHandle, max_bytes: int) -> bytes:
        """A customer's file, within the three days that the platform keeps it."""
        media_id, address = media.handle.get("media_id"), media.handle.get("url")
        if isinstance(media_id, str) and self._account.app_secret is not None:
            try:
                found = await self._api.download(media_id, max_bytes)
            except MediaError as error:
                # a picture has an address besides, which needs no permission
                is_final = isinstance(error, MediaGone) and error.code == "too_large"
                if not isinstance(address, str) or is_final:
                    raise
            else:
                if isinstance(found, bytes):
                    return found
                address = found
        if not isinstance(address, str):
            raise MediaGone("refused")
        return await self._host.downloads.get(
            address, max_bytes, private_hosts=self._account.private_media
        )

    async def check(self) -> Check:
        """Ask for a token, and whether customer-service messages are allowed."""
        return await check(self._account, self._api, self._host.public_url)


def _later(error: NotStored) -> web.Response:
    return web.Response(status=503, headers={"Retry-After": str(round(error.retry_after_s))})


def _noted() -> web.Response:
    return web.Response(text="success")


def _api(account: WechatAccount, host: Host) -> WechatApi:
    options = ApiOptions(
        api_url=account.api_url,
        app_id=account.app_id,
        app_secret=account.app_secret or SecretStr(""),
        token_call=account.token_call,
        timeout_s=account.timeout_s,
        refresh_before_s=account.refresh_before_s,
        limited_pause_s=account.limited_pause_s,
        daily_limit_pause_s=account.daily_limit_pause_s,
    )
    return WechatApi(options, host.http, clock=host.clock)


def _mapper(account: WechatAccount) -> Mapper:
    if account.is_passive:
        # an answer goes out by a delivery of the message itself, so only while there are some
        window = timedelta(seconds=account.platform_timeout_s * account.deliveries)
        return Mapper(
            account.ref,
            message_window=window,
            message_replies=PASSIVE_REPLIES,
            event_window=window,
            event_replies=PASSIVE_REPLIES,
            menu=account.menu,
        )
    return Mapper(
        account.ref,
        message_window=timedelta(hours=account.window_h),
        message_replies=account.replies_per_message,
        event_window=timedelta(seconds=account.event_window_s),
        event_replies=account.replies_per_event,
        menu=account.menu,
    )


def _passive_options(account: WechatAccount) -> PassiveOptions:
    return PassiveOptions(
        deliveries=account.deliveries,
        platform_timeout_s=account.platform_timeout_s,
        answer_within_s=account.answer_within_s,
        gather_s=account.gather_s,
        max_text_bytes=account.max_text_bytes,
        waiting_text=account.waiting_text,
    )


__all__ = ["WechatConnector"]
