"""A QQ account as a connector, over a WebSocket that either side opens."""

from __future__ import annotations

import asyncio
import base64
from collections import deque
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import structlog
from aiohttp import web
from cachetools import LRUCache

from connectors.errors import MediaGone, NotStored, Rejected, Retryable, SendError
from connectors.kit.backoff import Backoff
from connectors.kit.base import BaseConnector
from connectors.kit.host import Host
from connectors.kit.secrets import is_same
from connectors.messages import (
    Address,
    Attachment,
    Capabilities,
    Check,
    Checkpoint,
    Health,
    HealthState,
    Inbound,
    InboundKind,
    MediaHandle,
    Pace,
    PeerKind,
    SendResult,
    SendStatus,
    Unit,
)
from connectors.onebot import codes, segments
from connectors.onebot.account import OneBotAccount
from connectors.onebot.backfill import Backfill
from connectors.onebot.files import Files
from connectors.onebot.link import REPLACED, Link
from connectors.onebot.mapping import TEMPORARY, Mapper, line_of

log = structlog.get_logger(__name__)

_ROLES = frozenset({"universal", "api", "event"})
_KINDS = {"image": "image", "voice": "record", "video": "video"}
_MISSED_BEATS = 3
_REMEMBERED = 2000
_MAX_WAITING_EVENTS = 2000
_REDIAL = Backoff(first_s=2.0, longest_s=60.0)
_GOODBYE_S = 1.0
"""How long the other side may take to say goodbye: a dead one never does."""
_STORE_PAUSE_S = 1.0
HEARD = "heard"
"""The checkpoint that tells when the last message was stored."""


class OneBotConnector(BaseConnector):
    """Implements ``connectors.messages.Connector`` for one QQ account."""

    def __init__(self, account: OneBotAccount, host: Host) -> None:
        super().__init__(account.ref)
        self._account = account
        self._host = host
        self._link: Link | None = None
        self._events: asyncio.Queue[tuple[Mapping[str, Any], datetime]] = asyncio.Queue(
            _MAX_WAITING_EVENTS
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._sent_ids: LRUCache[str, None] = LRUCache(_REMEMBERED)
        self._sent_texts: deque[tuple[str, str]] = deque(maxlen=_REMEMBERED)
        self._failed_once: LRUCache[str, None] = LRUCache(_REMEMBERED)
        self._mapper = Mapper(account.ref, account.self_id, self._is_ours)
        self._files = Files(lambda: self._link, self._download)
        self._backfill = Backfill(account.self_id)
        self._lost_at: datetime | None = None
        self._last_beat_at: datetime | None = None
        self._beat_every = timedelta(seconds=30)
        self._can_type = True
        self._is_stopping = False

    @property
    def capabilities(self) -> Capabilities:
        """Text and files, choices by number; nothing tells a repeated send."""
        account = self._account
        return Capabilities(
            max_text=account.max_text,
            sends=frozenset({"image", "voice", "video", "file"}),
            has_typing=self._can_type,
            pace=Pace(account.per_minute / 60, 1 / account.peer_gap_s),
        )

    def health(self) -> Health:
        """A socket that is open while its heartbeats have stopped is not well."""
        beat = self._last_beat_at
        if (
            self.pulse.sending.state is HealthState.UP
            and beat is not None
            and self._host.clock() - beat > _MISSED_BEATS * self._beat_every
        ):
            self.pulse.sending.degraded("QQ 那边的心跳停了，可能已经掉线")
        return super().health()

    # ------------------------------------------------------------------ life

    async def start(self) -> None:
        """Store what comes in; in forward mode dial as well."""
        self._beside(self._store_events())
        if self._account.mode == "forward":
            self._beside(self._dial())
        else:
            self.pulse.sending.degraded("还没有 QQ 连上来")

    async def stop(self) -> None:
        """Hang up; what has come in is stored first."""
        self._is_stopping = True
        if self._link is not None:
            await self._link.close(aiohttp.WSCloseCode.GOING_AWAY)
        with suppress(TimeoutError):
            async with asyncio.timeout(2):
                await self._events.join()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _beside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ------------------------------------------------------------------ connections

    def routes(self) -> Sequence[web.RouteDef]:
        """Where the implementation connects to, in reverse mode."""
        return (web.get(self._account.path, self._door),) if self._account.mode == "reverse" else ()

    async def _door(self, request: web.Request) -> web.StreamResponse:
        refused = self._refusal(request)
        if refused is not None:
            log.warning("onebot_refused", status=refused, account=self.ref.account_id)
            return web.Response(status=refused)
        wire = web.WebSocketResponse(
            max_msg_size=self._account.max_frame_mb * 1024 * 1024,
            compress=False,
            timeout=_GOODBYE_S,
        )
        await wire.prepare(request)
        role = request.headers.get("X-Client-Role", "Universal").lower()
        await self._serve(self._a_link(wire), is_for_actions=role != "event")
        return wire

    def _refusal(self, request: web.Request) -> int | None:
        """The status to refuse a connection with.

        Source: OneBot 11 standard, "反向 WebSocket"; NapCatQQ sends ``Bearer `` even where its
        token is empty; Lagrange may leave out the role.
        """
        header = request.headers.get("Authorization", "")
        given = header[7:].strip() if header[:7].lower() == "bearer " else ""
        given = given or request.query.get("access_token", "")
        if not given:
            return 401
        # where a connection comes from proves nothing: behind a proxy everybody is 127.0.0.1
        if not is_same(given, self._account.access_token.get_secret_value()):
            return 403
        if request.headers.get("X-Self-ID", "") != self._account.self_id:
            return 403
        role = request.headers.get("X-Client-Role", "Universal").lower()
        return None if role in _ROLES and not self._is_stopping else 403

    async def _dial(self) -> None:
        """Keep a connection open: back-off doubles to a minute, with jitter."""
        account, failures = self._account, 0
        assert account.url is not None  # noqa: S101 - the account was checked
        while True:
            try:
                async with self._host.http.ws_connect(
                    account.url,
                    headers=self._authorization(),
                    max_msg_size=account.max_frame_mb * 1024 * 1024,
                    timeout=aiohttp.ClientWSTimeout(ws_close=_GOODBYE_S),
                ) as wire:
                    failures = 0
                    await self._serve(self._a_link(wire), is_for_actions=True)
            except aiohttp.WSServerHandshakeError as error:
                self.pulse.sending.down(f"QQ 那边拒绝连接（{error.status}）：检查 access_token")
            except (aiohttp.ClientError, OSError, TimeoutError):
                self.pulse.sending.degraded("连不上 QQ 那边，会一直再试")
            failures += 1
            await self._host.sleep(_REDIAL.pause_s(failures, self._host.random()))

    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._account.access_token.get_secret_value()}"}

    def _a_link(self, wire: Any) -> Link:
        account = self._account
        return Link(wire, timeout_s=account.action_timeout_s, dead_after=account.dead_after)

    async def _serve(self, link: Link, *, is_for_actions: bool) -> None:
        if is_for_actions:
            await self._newest_wins(link)
            self._beside(self._catch_up(link, self._lost_at))
        self.pulse.sending.up()
        try:
            async for frame in link.frames():
                await self._take(link, frame)
        except (ConnectionError, RuntimeError) as error:
            log.debug("onebot_dropped", error=type(error).__name__)
        finally:
            link.lost()
            if self._link is link:
                self._link = None
                self._lost_at = self._host.clock()
                self.pulse.sending.degraded("QQ 那边断开了，等它重新连上")

    async def _newest_wins(self, link: Link) -> None:
        """A half-open old socket must not lock the account out until TCP gives up."""
        old, self._link = self._link, link
        if old is not None:
            await old.close(REPLACED)

    async def _catch_up(self, link: Link, since: datetime | None) -> None:
        """Store what was said in between; it may well be less than all.

        Args:
            since: When the connection was lost; ``None`` after a start: what was stored last tells.
        """
        now = self._host.clock()
        if since is None:
            stored = await self._host.checkpoints.get(self.ref, HEARD)
            if stored is None:
                return  # an account that is new here: what was said before is not for us
            since = datetime.fromisoformat(stored)
        for event in await self._backfill.missed(link, since, now):
            await self._events.put((event, now))

    # ------------------------------------------------------------------ frames

    async def _take(self, link: Link, frame: Mapping[str, Any]) -> None:
        if "post_type" not in frame:
            link.answered(frame)
            return
        now = self._host.clock()
        match frame["post_type"]:
            case "meta_event":
                self._beat(frame, now)
            case "request":
                self._asked(link, frame)
            case _:
                if frame.get("notice_type") == "bot_offline":
                    self.pulse.sending.down("QQ 掉线了：请到 NapCat 等软件里重新登录")
                await self._events.put((frame, now))

    def _beat(self, frame: Mapping[str, Any], now: datetime) -> None:
        self._last_beat_at = now
        interval = frame.get("interval")
        if isinstance(interval, int) and interval > 0:
            self._beat_every = timedelta(milliseconds=interval)
        status = frame.get("status")
        is_offline = isinstance(status, Mapping) and status.get("online") is False
        if is_offline:
            self.pulse.sending.down("QQ 掉线了：请到 NapCat 等软件里重新登录")
        elif self._link is not None:
            self.pulse.sending.up()

    def _asked(self, link: Link, frame: Mapping[str, Any]) -> None:
        if frame.get("request_type") == "friend" and self._account.accept_friends:
            self._beside(self._befriend(link, str(frame.get("flag", ""))))

    async def _befriend(self, link: Link, flag: str) -> None:
        with suppress(SendError):
            await link.call("set_friend_add_request", flag=flag, approve=True)

    async def _store_events(self) -> None:
        """In order, and for as long as it takes: nobody delivers an event again."""
        while True:
            event, at = await self._events.get()
            try:
                inbound = self._mapper.inbound(event, at)
                if inbound is not None:
                    inbound = await self._with_quote(inbound)
                    await self._stored(inbound, at)
                    self._backfill.heard(event)
                    self.pulse.heard(at)
            except Exception:  # an odd event must not stop those behind it
                log.exception("onebot_event_lost", kind=str(event.get("post_type"))[:20])
            finally:
                self._events.task_done()

    async def _with_quote(self, inbound: Inbound) -> Inbound:
        """The message with what it answers: OneBot tells the number alone, so it is asked for."""
        link, number = self._link, inbound.reference
        if inbound.kind is not InboundKind.MESSAGE or number is None or link is None:
            return inbound
        try:
            answer = await link.ask("get_msg", message_id=_number(number))
        except SendError:
            link.missing.add("get_msg")  # nobody's message waits for such an answer again
            return inbound
        data = answer.get("data") if answer is not None else None
        return replace(inbound, quoted=line_of(data)) if isinstance(data, Mapping) else inbound

    async def _stored(self, inbound: Inbound, at: datetime) -> None:
        checkpoint = Checkpoint(self.ref, HEARD, at.isoformat())
        while True:
            try:
                await self._host.sink.accept((inbound,), checkpoint)
            except NotStored:
                await self._host.sleep(_STORE_PAUSE_S)
            else:
                return

    # ------------------------------------------------------------------ sending

    async def send(self, unit: Unit) -> SendResult:
        """Send one unit.

        Raises:
            SendError: It was not taken, or nobody knows.
        """
        link = self._link
        if link is None:
            raise Retryable("offline", "no OneBot side is connected")
        self._sent_texts.append((unit.address.user_id, unit.text))
        answer = await self._acted(link, unit)
        status = answer.get("status")
        if status == "failed":
            raise self._refused(unit, codes.failure(answer))
        data = answer.get("data")
        message_id = str(data.get("message_id", "")) if isinstance(data, Mapping) else ""
        if message_id:
            self._sent_ids[message_id] = None
        self.pulse.sent(self._host.clock())
        # "async": taken, and nobody will say what became of it
        taken = SendStatus.ACCEPTED if status == "ok" else SendStatus.PENDING_AUDIT
        return SendResult(taken, (message_id,) if message_id else ())

    def _refused(self, unit: Unit, error: SendError) -> SendError:
        """A plain failure is tried once more, and no more: it may be "blocked" or "muted"."""
        if not isinstance(error, Retryable) or error.maybe_sent:
            return error
        if unit.id in self._failed_once:
            return Rejected(error.code, "refused twice by the OneBot side")
        self._failed_once[unit.id] = None
        return error

    async def _acted(self, link: Link, unit: Unit) -> Mapping[str, Any]:
        address, file = unit.address, unit.attachment
        if file is None:
            return await self._said(link, address, [segments.text(unit.text)])
        content = "base64://" + base64.b64encode(await self._content(file)).decode()
        kind = _KINDS.get(file.kind)
        if kind is not None:
            return await self._said(link, address, [segments.file(kind, content)])
        name = file.name or f"{file.id[:8]}.bin"
        if address.kind is PeerKind.GROUP:
            return await link.call(
                "upload_group_file", group_id=_number(address.peer_id), file=content, name=name
            )
        return await link.call(
            "upload_private_file", user_id=_number(address.user_id), file=content, name=name
        )

    async def _content(self, file: Attachment) -> bytes:
        try:
            return await self._host.files.read(file)
        except MediaGone as error:
            raise Rejected("file_gone", "the file is no longer there") from error

    async def _said(
        self, link: Link, address: Address, message: list[dict[str, Any]]
    ) -> Mapping[str, Any]:
        if address.kind is PeerKind.GROUP:
            mention = [segments.at(address.user_id), segments.text(" ")]
            return await link.call(
                "send_group_msg", group_id=_number(address.peer_id), message=[*mention, *message]
            )
        _, _, group = address.peer_id.partition(TEMPORARY)
        through = {"group_id": _number(group)} if group else {}
        return await link.call(
            "send_private_msg", user_id=_number(address.user_id), message=message, **through
        )

    def _is_ours(self, message_id: str, peer_id: str, words: str) -> bool:
        """By its id; while the answer to a send is still on its way, by its words."""
        return message_id in self._sent_ids or (
            bool(peer_id) and (peer_id, words) in self._sent_texts
        )

    async def typing(self, address: Address, author: str, *, is_on: bool) -> None:  # noqa: ARG002 - one shape for all
        """NapCat alone can; another says 1404 once, and is not asked again."""
        link = self._link
        is_private = address.kind is PeerKind.PRIVATE
        if not is_on or link is None or not self._can_type or not is_private:
            return
        with suppress(SendError):
            answer = await link.ask(
                "set_input_status", user_id=_number(address.user_id), event_type=1
            )
            self._can_type = answer is not None

    # ------------------------------------------------------------------ files and checks

    async def fetch(self, media: MediaHandle, max_bytes: int) -> bytes:
        """A file's content; voices are asked for as MP3, which browsers play.

        Raises:
            MediaError: It is gone, too large, or not to be had now.
        """
        return await self._files.fetch(media, max_bytes)

    async def _download(self, url: str, max_bytes: int) -> bytes:
        return await self._host.downloads.get(
            url, max_bytes, private_hosts=self._account.private_media
        )

    async def check(self) -> Check:
        """In forward mode dial once; in reverse mode only tell where to connect."""
        account = self._account
        if account.mode == "reverse":
            base = (self._host.public_url or "http://127.0.0.1:8000").replace("http", "ws", 1)
            return Check(None, None, webhook=f"让 QQ 那边连 {base}{account.path}")
        headers = self._authorization()
        try:
            async with self._host.http.ws_connect(account.url or "", headers=headers):
                return Check(is_reachable=True, is_authorised=True)
        except aiohttp.WSServerHandshakeError:
            advice = ("暗号不对：access_token 要和 NapCat 等软件里写的一样。",)
            return Check(is_reachable=True, is_authorised=False, advice=advice)
        except (aiohttp.ClientError, OSError, TimeoutError):
            advice = ("连不上：NapCat 等软件开着吗？url 里的地址和端口对吗？",)
            return Check(is_reachable=False, is_authorised=None, advice=advice)


def _number(text: str) -> int | str:
    """Ids are numbers in the standard."""
    return int(text) if text.isdecimal() else text
