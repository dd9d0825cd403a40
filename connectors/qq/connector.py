"""A QQ bot as a connector: signed events come in, replies go out."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Any

import structlog
from aiohttp import web
from cachetools import LRUCache

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
from connectors.kit.access_token import AccessToken
from connectors.kit.base import BaseConnector
from connectors.kit.host import Host
from connectors.media.http import read_request
from connectors.messages import (
    Address,
    Attachment,
    Capabilities,
    Check,
    MediaHandle,
    SendResult,
    SendStatus,
    Unit,
)
from connectors.qq import codes, outgoing, webhook
from connectors.qq.account import QQAccount
from connectors.qq.api import Answer, ApiOptions, QQApi
from connectors.qq.checking import check
from connectors.qq.mapping import PRESS, Mapper, Windows
from connectors.qq.signing import Signatures
from connectors.qq.tokens import TokenOffice
from connectors.qq.webhook import Door, Envelope

log = structlog.get_logger(__name__)

_GREETING_PAUSES_S = (2.0, 10.0, 30.0, 60.0, 300.0)
_MAX_AUDITED = 1000
_MAX_BACKGROUND = 100


class QQConnector(BaseConnector):
    """Implements ``connectors.messages.Connector`` for one bot."""

    def __init__(self, account: QQAccount, host: Host) -> None:
        super().__init__(account.ref)
        self._account = account
        self._host = host
        self._token = _token(account, host)
        self._api = _api(account, host, self._token)
        self._door = Door(Signatures(account.app_id, account.secret, max_age_s=account.max_age_s))
        self._audited: LRUCache[str, tuple[str, Address]] = LRUCache(_MAX_AUDITED)
        self._mapper = Mapper(account.ref, _windows(account), self._audited.get)
        self._may_draw_buttons = account.buttons
        self._background: set[asyncio.Task[None]] = set()

    @property
    def capabilities(self) -> Capabilities:
        """Few replies to each message; each may be sent again, and shows once."""
        account = self._account
        return Capabilities(
            max_text=account.max_text,
            has_buttons=self._may_draw_buttons,
            max_buttons=outgoing.MAX_BUTTONS,
            max_label=account.max_button_label,
            sends=frozenset({"image", "video", "file"}),
            needs_grant=True,
            merges_replies=True,
            send_idempotent=True,
            redelivers=True,
        )

    # ------------------------------------------------------------------ life

    async def start(self) -> None:
        """Ask who we are, so that wrong credentials show before a customer writes."""
        self._in_background(self._greet())

    async def stop(self) -> None:
        """End what runs beside."""
        tasks = tuple(self._background)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._token.close()

    async def _greet(self) -> None:
        for pause_s in _GREETING_PAUSES_S:
            try:
                await self._api.me()
            except (Retryable, RateLimited) as error:
                self.pulse.sending.degraded(f"暂时连不上 QQ，会再试（{error.code}）")
                await self._host.sleep(pause_s)
            except SendError as error:
                self.pulse.sending.down(codes.advice(error.code))
                return
            else:
                self.pulse.sending.up()
                return

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    # ------------------------------------------------------------------ the webhook

    def routes(self) -> Sequence[web.RouteDef]:
        """The callback address that the owner saves on the platform."""
        return (web.post(f"/hooks/{self.ref.channel}/{self.ref.account_id}", self._hook),)

    async def _hook(self, request: web.Request) -> web.Response:
        now = self._host.wall()
        try:
            body = await read_request(request)
            envelope = self._door.admit(request.headers, body, now)
            if envelope.op == webhook.URL_CHECK:
                return web.json_response(self._door.proof(request.headers, envelope, now))
        except BadWebhook as error:
            log.warning("webhook_refused", channel=self.ref.channel, reason=str(error))
            return web.Response(status=error.status)
        if envelope.op == webhook.HEARTBEAT:
            return web.json_response({"op": webhook.HEARTBEAT_ACK, "d": envelope.d})
        is_taken = envelope.op != webhook.DISPATCH or await self._take(envelope)
        # told 1, the platform brings the event once more
        return web.json_response({"op": webhook.CALLBACK_ACK, "d": 0 if is_taken else 1})

    async def _take(self, envelope: Envelope) -> bool:
        """Store an event; ``False`` if that failed."""
        now = self._host.clock()
        inbound = self._mapper.inbound(envelope, now)
        if inbound is None:
            return True
        try:
            receipts = await self._host.sink.accept((inbound,))
        except NotStored:
            log.warning("event_not_stored", channel=self.ref.channel)
            return False
        self.pulse.heard(now)
        # who repeats a press, signed as it is, must not make us call QQ each time
        is_new = not receipts or receipts[0].is_new
        if envelope.kind == PRESS and is_new and len(self._background) < _MAX_BACKGROUND:
            self._in_background(self._acknowledge(envelope.data.get("id")))
        return True

    async def _acknowledge(self, interaction_id: object) -> None:
        """Stop the wheel on the button; if it fails, the app stops it after a while."""
        if not isinstance(interaction_id, str) or not interaction_id:
            return
        try:
            await self._api.acknowledge(interaction_id)
        except SendError as error:
            log.debug("press_not_acknowledged", code=error.code)

    # ------------------------------------------------------------------ sending

    async def send(self, unit: Unit) -> SendResult:
        """Answer with one unit; its (message, number) is sent once, however often we try."""
        try:
            answer = await self._send(unit)
        except (AuthError, Fatal) as error:
            self.pulse.sending.down(codes.advice(error.code))
            raise
        except Retryable as error:
            self.pulse.sending.degraded(f"暂时发不出消息，会再试（{error.code}）")
            raise
        except Rejected as error:
            raise self._without_format(unit, error) from None
        self.pulse.sent(self._host.clock())
        return self._result(unit, answer)

    async def _send(self, unit: Unit) -> Answer:
        if unit.attachment is None:
            body = outgoing.text_body(unit, mentions=self._account.mention)
            return await self._api.send(unit.address, body)
        outgoing.reply_to(unit)  # nothing is handed over that cannot be sent then
        file_info = await self._hand_over(unit.address, unit.attachment)
        return await self._api.send(unit.address, outgoing.media_body(unit, file_info))

    async def _hand_over(self, address: Address, attachment: Attachment) -> str:
        is_by_link = self._account.send_files_by == "link"
        link = self._host.files.link(attachment) if is_by_link else None
        content = None
        if link is None:
            try:
                content = await self._host.files.read(attachment)
            except MediaGone:
                raise Rejected("gone", "the file is no longer there") from None
        return await self._api.upload(address, outgoing.upload_body(attachment, content, link))

    def _without_format(self, unit: Unit, error: Rejected) -> Rejected:
        """What was refused; buttons that are not permitted are not tried again."""
        if error.code.isdecimal() and int(error.code) in codes.NO_PERMISSION:
            self._may_draw_buttons = False
            self.pulse.detail["buttons"] = "QQ 没有给机器人开通按钮，改用数字选项"
        if error.is_format and not unit.buttons:
            return Rejected(error.code, "refused as plain text")  # no plainer form is left
        return error

    def _result(self, unit: Unit, answer: Answer) -> SendResult:
        if answer.code in codes.AUDITED:
            audit_id = _audit_id(answer)
            if audit_id:
                self._audited[audit_id] = (unit.id, unit.address)
            return SendResult(SendStatus.PENDING_AUDIT, (audit_id,) if audit_id else ())
        message_id = answer.body.get("id")
        is_named = isinstance(message_id, str) and answer.code != codes.DUPLICATE
        return SendResult(SendStatus.ACCEPTED, (str(message_id),) if is_named else ())

    # ------------------------------------------------------------------ files and checks

    async def fetch(self, media: MediaHandle, max_bytes: int) -> bytes:
        """A customer's file; its address ends after a while."""
        url = media.handle.get("url")
        if not isinstance(url, str):
            raise MediaGone("refused")
        return await self._host.downloads.get(
            url, max_bytes, private_hosts=self._account.private_media
        )

    async def check(self) -> Check:
        """Ask for a token and for the bot's name."""
        return await check(self._account, self._api, self._host.public_url)


def _audit_id(answer: Answer) -> str:
    data = answer.body.get("data")
    audit = data.get("message_audit") if isinstance(data, dict) else None
    found = audit.get("audit_id") if isinstance(audit, dict) else None
    return found if isinstance(found, str) else ""


def _windows(account: QQAccount) -> Windows:
    return Windows(
        private=timedelta(minutes=account.private_window_min),
        private_replies=account.private_replies,
        group=timedelta(minutes=account.group_window_min),
        group_replies=account.group_replies,
    )


def _token(account: QQAccount, host: Host) -> AccessToken:
    office = TokenOffice(
        account.app_id,
        account.secret,
        account.token_url,
        host.http,
        timeout_s=account.timeout_s,
        pause_s=account.limited_pause_s,
    )
    return AccessToken(
        office.fetch,
        clock=host.clock,
        refresh_before=timedelta(seconds=account.refresh_before_s),
    )


def _api(account: QQAccount, host: Host, token: AccessToken) -> QQApi:
    options = ApiOptions(
        api_url=account.api_url,
        app_id=account.app_id,
        timeout_s=account.timeout_s,
        upload_timeout_s=account.upload_timeout_s,
        pause_s=account.limited_pause_s,
    )
    return QQApi(options, host.http, token)


__all__ = ["QQConnector"]
