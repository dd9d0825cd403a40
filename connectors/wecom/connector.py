"""微信客服 as a connector: notices and the log come in, units go out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

import structlog
from aiohttp import web
from cachetools import LRUCache

from connectors.errors import (
    AuthError,
    BadWebhook,
    Fatal,
    MediaGone,
    Rejected,
    Retryable,
    SendError,
    WindowClosed,
)
from connectors.kit.base import BaseConnector
from connectors.kit.host import Host
from connectors.kit.pulse import Pulse
from connectors.kit.xml import MAX_BYTES
from connectors.media.http import read_request
from connectors.messages import (
    Capabilities,
    Check,
    MediaHandle,
    SendResult,
    SendStatus,
    Unit,
)
from connectors.wecom import codes, outgoing
from connectors.wecom.account import WecomAccount
from connectors.wecom.api import ApiOptions, WecomApi
from connectors.wecom.callback import Callback
from connectors.wecom.checking import check
from connectors.wecom.mapping import WELCOME_CODE, Mapper
from connectors.wecom.reader import Reader, ReaderOptions

log = structlog.get_logger(__name__)

_MAX_DOUBTFUL = 1000


class WecomConnector(BaseConnector):
    """Implements ``connectors.messages.Connector`` for one 客服账号."""

    def __init__(self, account: WecomAccount, host: Host) -> None:
        super().__init__(account.ref)
        self._account = account
        self._host = host
        self._api = _api(account, host)
        self._callback = Callback(
            account.corp_id,
            account.token,
            account.aes_key,
            clock_skew=timedelta(seconds=account.clock_skew_s),
            clock=host.clock,
        )
        self._reader = _reader(account, host, self._api, self.pulse)
        self._reading: asyncio.Task[None] | None = None
        self._doubtful: LRUCache[str, None] = LRUCache(_MAX_DOUBTFUL)

    @property
    def capabilities(self) -> Capabilities:
        """Text, files and menus; five answers to a message within 48 hours."""
        account = self._account
        return Capabilities(
            max_text=account.max_text_bytes,
            text_unit="bytes",
            has_buttons=True,
            max_buttons=account.max_menu_items,
            max_label=account.max_menu_label_bytes,
            max_button_text=account.max_menu_text_bytes,
            sends=frozenset({"image", "voice", "video", "file"}),
            needs_grant=True,
            merges_replies=True,
            send_idempotent=True,
            redelivers=True,
        )

    # ------------------------------------------------------------------ life

    async def start(self) -> None:
        """Read what came while we were away, then whatever comes."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._reader.run())

    async def stop(self) -> None:
        """Read no more; what is not stored stays in the log."""
        task, self._reading = self._reading, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await self._api.close()

    # ------------------------------------------------------------------ notices

    def routes(self) -> Sequence[web.RouteDef]:
        """The callback's address, for the platform's question and its notices."""
        path = f"/hooks/{self.ref.channel}/{self.ref.account_id}"
        return (
            web.get(path, self._echo, allow_head=False),
            web.post(path, self._notice),
        )

    async def _echo(self, request: web.Request) -> web.Response:
        try:
            return web.Response(text=self._callback.echo(request.query, self._host.wall()))
        except BadWebhook as error:
            return self._refused(error)

    async def _notice(self, request: web.Request) -> web.Response:
        try:
            body = await read_request(request, MAX_BYTES)
            notice = self._callback.notice(request.query, body, self._host.wall())
        except BadWebhook as error:
            return self._refused(error)
        # nothing is stored here: the messages stay in the platform's log until we read them
        if notice is not None and notice.open_kfid in {"", self._account.open_kfid}:
            self._reader.notify(notice.token)
        return web.Response(text="success")

    def _refused(self, error: BadWebhook) -> web.Response:
        log.warning("webhook_refused", channel=self.ref.channel, reason=str(error))
        return web.Response(status=error.status)

    # ------------------------------------------------------------------ sending

    async def send(self, unit: Unit) -> SendResult:
        """Send one unit; its id is the msgid, so that a repeat shows once."""
        try:
            platform_id = await self._send(unit)
        except (AuthError, Fatal) as error:
            self.pulse.sending.down(codes.advice(error.code))
            raise
        except Retryable as error:
            self.pulse.sending.degraded(f"暂时发不出消息，会再试（{error.code}）")
            raise
        self.pulse.sent(self._host.clock())
        return SendResult(SendStatus.ACCEPTED, (platform_id,))

    async def _send(self, unit: Unit) -> str:
        welcome = unit.grant.data.get(WELCOME_CODE) if unit.grant is not None else None
        content = await self._content(unit)
        method = "kf/send_msg_on_event" if welcome else "kf/send_msg"
        about = (
            {"code": welcome}
            if welcome
            else {"touser": unit.address.peer_id, "open_kfid": self._account.open_kfid}
        )
        try:
            answer = await self._api.call(method, {**about, "msgid": unit.id, **content})
        except Rejected as error:
            if self._was_sent_before(unit, error):
                return unit.id
            if welcome and not _is_known(error):
                # a code that is used up or too old: the documentation names no number for it
                raise WindowClosed(error.code, "the welcome came too late") from None
            raise
        except (Retryable, asyncio.CancelledError) as error:
            if not isinstance(error, Retryable) or error.maybe_sent:
                self._doubt(unit.id)
            raise
        self._doubtful.pop(unit.id, None)
        return str(answer.get("msgid") or unit.id)

    async def _content(self, unit: Unit) -> dict[str, object]:
        attachment = unit.attachment
        if attachment is None:
            return outgoing.text(unit, max_menu_text_bytes=self._account.max_menu_text_bytes)
        try:
            content = await self._host.files.read(attachment)
        except MediaGone:
            raise Rejected("gone", "the file is no longer there") from None
        kind = outgoing.file_kind(attachment, len(content))
        media_id = await self._api.upload(
            kind, content, name=outgoing.file_name(attachment), mime=attachment.mime
        )
        return outgoing.file(kind, media_id)

    def _doubt(self, unit_id: str) -> None:
        """Note that nobody knows whether it was sent."""
        self._doubtful[unit_id] = None

    def _was_sent_before(self, unit: Unit, error: Rejected) -> bool:
        """Whether this refusal says that the msgid was used already.

        The documentation says that a repeat is an error, but not which. So: a code that an admin
        has named, or one that we do not know, for a unit whose first sending was in doubt.
        """
        if error.code in map(str, self._account.repeated_msgid_codes):
            return True
        is_doubtful = error.maybe_sent or unit.id in self._doubtful
        if not is_doubtful or _is_known(error):
            return False
        log.warning("wecom_repeated_msgid", code=error.code)
        self.pulse.detail["repeated_msgid_code"] = error.code
        return True

    # ------------------------------------------------------------------ files and checks

    async def fetch(self, media: MediaHandle, max_bytes: int) -> bytes:
        """A customer's file, within the three days that the platform keeps it."""
        media_id = media.handle.get("media_id")
        if not isinstance(media_id, str):
            raise MediaGone("refused")
        return await self._api.download(media_id, max_bytes)

    async def check(self) -> Check:
        """Ask for a token and for the app's accounts."""
        return await check(self._account, self._api, self._host.public_url)


def _is_known(error: SendError) -> bool:
    digits = error.code.removeprefix("-")
    return not digits.isdecimal() or codes.meaning(int(error.code)) is not None


def _api(account: WecomAccount, host: Host) -> WecomApi:
    options = ApiOptions(
        api_url=account.api_url,
        corp_id=account.corp_id,
        secret=account.secret,
        timeout_s=account.timeout_s,
        refresh_before_s=account.refresh_before_s,
        busy_tries=account.busy_tries,
        limited_pause_s=account.limited_pause_s,
    )
    return WecomApi(options, host.http, clock=host.clock, sleep=host.sleep)


def _reader(account: WecomAccount, host: Host, api: WecomApi, pulse: Pulse) -> Reader:
    mapper = Mapper(
        account.ref,
        account.open_kfid,
        window=timedelta(hours=account.window_h),
        replies_per_message=account.replies_per_message,
        welcome=timedelta(seconds=account.welcome_s),
    )
    options = ReaderOptions(
        account.open_kfid,
        poll_s=account.poll_s,
        history=timedelta(minutes=account.history_min),
        callback_token_life=timedelta(seconds=account.callback_token_s),
    )
    return Reader(options, api, mapper, host, pulse)


__all__ = ["WecomConnector"]
