"""The shop's own app as a connector."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from typing import Literal, cast
from urllib.parse import urlsplit

import aiohttp
import structlog
from aiohttp import web

from connectors.app import mapping, openapi, signing
from connectors.app.account import AppAccount
from connectors.app.frames import ButtonOut, FileOut, MessageOut, TakenOut, UserRef
from connectors.app.webhook import not_stored, read_body, read_frame, refused
from connectors.errors import (
    AuthError,
    BadWebhook,
    MediaGone,
    NotStored,
    RateLimited,
    Rejected,
    Retryable,
    SendError,
    Undeliverable,
)
from connectors.kit.base import BaseConnector
from connectors.kit.host import Host
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

log = structlog.get_logger(__name__)

_OK = range(200, 300)
_GONE, _TOO_MANY = 410, 429
_AUTH = frozenset({401, 403})
_RETRY = frozenset({408, 409, 425})
_SERVER = 500
_DEFAULT_PAUSE_S, _LONGEST_PAUSE_S = 5.0, 3600.0

Author = Literal["bot", "agent", "system"]
Kind = Literal["image", "voice", "video", "file"]


class AppConnector(BaseConnector):
    """Implements ``connectors.messages.Connector`` for one app or site."""

    def __init__(self, account: AppAccount, host: Host) -> None:
        super().__init__(account.ref)
        self._account = account
        self._host = host
        self._timeout = aiohttp.ClientTimeout(total=account.timeout_s)
        self.pulse.sending.up()
        old = (account.old_secret,) if account.old_secret is not None else ()
        self._secrets = (account.secret, *old)

    @property
    def capabilities(self) -> Capabilities:
        """What the shop's programmers draw; a repeated id is shown once."""
        has_links = self._host.public_url is not None
        return Capabilities(
            max_text=self._account.max_text,
            has_buttons=True,
            sends=frozenset({"image", "voice", "video", "file"} if has_links else ()),
            has_typing=self._account.typing,
            send_idempotent=True,
            redelivers=True,
        )

    # ------------------------------------------------------------------ in

    def routes(self) -> Sequence[web.RouteDef]:
        """Where the app posts to, and what it may read about that."""
        base = f"/hooks/{self.ref.channel}/{self.ref.account_id}"
        return (web.post(base, self._hook), web.get(f"{base}/openapi.json", self._document))

    async def _document(self, _request: web.Request) -> web.Response:
        return web.json_response(openapi.document())

    async def _hook(self, request: web.Request) -> web.Response:
        now = self._host.clock()
        try:
            # what is not of now is not read at all
            signing.check_time(
                request.headers, self._host.wall(), max_skew_s=self._account.max_skew_s
            )
            body = await read_body(request, self._account.max_body_mb)
            signing.check_signature(self._secrets, request.headers, body)
            message = mapping.inbound(self.ref, read_frame(body), now)
            receipts = await self._host.sink.accept((message,))
        except BadWebhook as error:
            log.warning("webhook_refused", channel=self.ref.channel, status=error.status)
            return refused(error)
        except NotStored as error:
            return not_stored(error)
        self.pulse.heard(now)
        receipt = receipts[0] if receipts else None
        taken = TakenOut(
            duplicate=receipt is not None and not receipt.is_new,
            message_id=receipt.message_id if receipt is not None else None,
        )
        return web.json_response(taken.model_dump(mode="json"), status=202)

    async def fetch(self, media: MediaHandle, max_bytes: int) -> bytes:
        """A file's content, which may have come with the message.

        Raises:
            MediaError: It is gone, too large, or not to be had now.
        """
        data = media.handle.get("data")
        if isinstance(data, str):
            return await asyncio.to_thread(_decoded, data, max_bytes)
        return await self._host.downloads.get(
            str(media.handle.get("url", "")),
            max_bytes,
            private_hosts=self._account.private_media,
        )

    # ------------------------------------------------------------------ out

    async def send(self, unit: Unit) -> SendResult:
        """Post one unit to the shop's server.

        Raises:
            SendError: It was not taken, or nobody knows.
        """
        outbound = unit.outbound
        files = (self._file(unit.attachment),) if unit.attachment is not None else ()
        await self._post(
            MessageOut(
                id=unit.id,
                user=UserRef(id=unit.address.user_id),
                author=cast("Author", outbound.author),
                author_name=outbound.author_name,
                text=unit.text,
                buttons=tuple(ButtonOut(token=key, label=label) for key, label in unit.buttons),
                attachments=files,
                at=outbound.at,
            )
        )
        self.pulse.sent(self._host.clock())
        return SendResult(SendStatus.DELIVERED)

    def _file(self, attachment: Attachment) -> FileOut:
        link = self._host.files.link(attachment)
        if link is None:
            raise Rejected("no_public_url", "files need KEFU_PUBLIC_URL")
        return FileOut(
            kind=cast("Kind", attachment.kind),
            url=link,
            mime=attachment.mime,
            name=attachment.name,
            size=attachment.size,
        )

    async def _post(self, frame: MessageOut) -> None:
        account = self._account
        body = frame.model_dump_json().encode()
        headers = {
            "Content-Type": "application/json",
            **signing.headers(account.secret, body, self._host.wall()),
        }
        try:
            async with self._host.http.post(
                account.webhook_url,
                data=body,
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
            ) as answer:
                error = _refusal(answer)
        except (aiohttp.ClientError, OSError, TimeoutError) as fault:
            self.pulse.sending.degraded("连不上 App 的服务器，会再试")
            name = type(fault).__name__
            # the shop's server knows a repeated id
            raise Retryable("network", name, maybe_sent=True) from None
        if error is not None:
            self._feel(error)
            raise error

    def _feel(self, error: SendError) -> None:
        if isinstance(error, AuthError):
            self.pulse.sending.down("App 的服务器不认我们的签名：两边的 secret 要一样")
        elif isinstance(error, Retryable):
            self.pulse.sending.degraded(f"App 的服务器出错了（{error.code}），会再试")

    async def typing(self, address: Address, author: str, *, is_on: bool) -> None:
        """Tell the app, where it wants to know; a loss does not matter."""
        if not is_on or not self._account.typing:
            return
        now = self._host.clock()
        frame = MessageOut(
            id=f"typing-{int(now.timestamp())}",
            type="typing",
            user=UserRef(id=address.user_id),
            author=cast("Author", author),
            at=now,
        )
        try:
            await self._post(frame)
        except SendError as error:
            log.debug("typing_not_shown", code=error.code)

    async def check(self) -> Check:
        """Nothing is sent to the shop's server: it would show up at somebody's."""
        path = f"/hooks/{self.ref.channel}/{self.ref.account_id}"
        base = self._host.public_url
        advice = []
        if base is None:
            advice.append("还没有填 kefu 的公网地址（KEFU_PUBLIC_URL），图片和文件发不到 App。")
        if urlsplit(self._account.webhook_url).scheme != "https":
            advice.append("webhook_url 最好用 https：消息里会有卡密。")
        return Check(
            is_reachable=None,
            is_authorised=None,
            webhook=f"App 发到 {(base or '') + path}",
            advice=tuple(advice),
        )


def _refusal(answer: aiohttp.ClientResponse) -> SendError | None:
    """What the shop's server says; its words are not repeated."""
    status = answer.status
    if status in _OK:
        return None
    code = str(status)
    if status == _GONE:
        return Undeliverable(code, "顾客已经不在 App 里了")
    if status == _TOO_MANY:
        return RateLimited(code, "too fast", retry_after_s=_pause_s(answer))
    if status in _AUTH:
        return AuthError(code, "the app's server refuses our signature")
    if status >= _SERVER or status in _RETRY:
        return Retryable(code, "the app's server failed")
    return Rejected(code, "the app's server does not take it")


def _pause_s(answer: aiohttp.ClientResponse) -> float:
    told = answer.headers.get("Retry-After", "")
    seconds = float(told) if told.isdecimal() else _DEFAULT_PAUSE_S
    return min(max(seconds, 1.0), _LONGEST_PAUSE_S)


def _decoded(data: str, max_bytes: int) -> bytes:
    if len(data) > max_bytes * 4 // 3 + 4:
        raise MediaGone("too_large")
    try:
        return base64.b64decode(data, validate=True)
    except ValueError:
        raise MediaGone("refused") from None
