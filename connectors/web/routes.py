"""The web chat's HTTP side: visitor tokens, the socket, uploads and pictures."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from aiohttp import BodyPartReader, WSCloseCode, WSMsgType, web

from connectors.errors import NotStored
from connectors.media import MAX_IMAGE_BYTES, BadFile, MediaStore
from connectors.messages import Address, Attachment, Inbound, InboundKind, Outbound, Sink
from connectors.rate import Bucket
from connectors.web import frames, wording
from connectors.web.connector import WebConnector
from connectors.web.frames import (
    MAX_TEXT_CHARS,
    CsatFrame,
    HistoryFrame,
    MessageFrame,
    PingFrame,
    PressFrame,
    TypingFrame,
)
from connectors.web.hub import CATCH_UP_LINES, ChatLog, Hub, VisitorSocket
from connectors.web.tokens import TokenSigner

log = structlog.get_logger(__name__)

MAX_FRAME_BYTES = 256 * 1024
"""10,000 characters, escaped, must still get a friendly answer; more closes the socket (1009)."""
BURST, PER_S = 30.0, 1.0
MAX_SOCKETS = 10
FLOOD_FRAMES = 200
HISTORY_LINES = 50
MAX_COMMENT_CHARS = 500
TOKEN_INVALID = 4401


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a page shows before the first word.

    Attributes:
        is_open: Somebody is there to answer now.
    """

    shop_name: str
    hours_text: str
    is_open: bool
    text: str
    buttons: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class WebChat:
    """Everything that the web chat's routes need.

    Attributes:
        greeting: By locale (``zh`` or ``en``): read at each visit, for kb.yaml may change.
        attachment_of: The stored attachment, if this identity uploaded it.
        add_attachment: Stores what is known of an uploaded file.
        on_typing: Told when a customer types.
        origins: Origins of pages that may embed the chat; empty for any.
        sources_of: Throttle keys of a request's source: the exact one, then the wider network's;
            none for the demo's owner.
    """

    connector: WebConnector
    hub: Hub
    chat_log: ChatLog
    sink: Sink
    signer: TokenSigner
    media: MediaStore
    clock: Callable[[], datetime]
    greeting: Callable[[str], Greeting]
    attachment_of: Callable[[str, str], Awaitable[Attachment | None]]
    add_attachment: Callable[[Attachment, str], Awaitable[None]]
    on_typing: Callable[[Address], Awaitable[None]]
    origins: Sequence[str]
    sources_of: Callable[[web.Request], tuple[str, ...]]

    # ---------------------------------------------------------------- wiring

    def routes(self) -> list[web.RouteDef]:
        """The routes to mount at the server's root."""
        return [
            web.post("/widget/visitor", self.visitor),
            web.options("/widget/{tail:.*}", self.preflight),
            web.get("/widget/ws", self.socket),
            web.post("/widget/upload", self.upload),
            web.get("/widget/media/{id}", self.picture),
        ]

    @property
    def _site(self) -> str:
        return self.connector.ref.account_id

    def _cors(self, request: web.Request) -> Mapping[str, str]:
        """Headers that let an embedding page read the answer; no cookie is ever involved."""
        origin = request.headers.get("Origin")
        if origin is None or not self._may_embed(request):
            return {}
        return {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Headers": "Authorization, Content-Type",
            "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
            "Access-Control-Max-Age": "86400",
            "Vary": "Origin",
        }

    def _may_embed(self, request: web.Request) -> bool:
        origin = request.headers.get("Origin")
        if origin is None or not self.origins:
            return True
        return origin in self.origins or origin.partition("://")[2] == request.host

    def _address(self, visitor_id: str) -> Address:
        return Address(self.connector.ref, peer_id=visitor_id, user_id=visitor_id)

    def media_url(self, attachment: Attachment) -> str:
        """A signed path to a file, good for a while."""
        signature = self.signer.media_signature(attachment.id, self.clock())
        return f"/widget/media/{attachment.id}?sig={signature}"

    # ---------------------------------------------------------------- HTTP

    async def preflight(self, request: web.Request) -> web.Response:
        """Answer a browser's question before a cross-origin request."""
        return web.Response(status=204, headers=self._cors(request))

    async def visitor(self, request: web.Request) -> web.Response:
        """Give a browser a visitor's token, or renew the one it has."""
        if not self._may_embed(request):
            return self._refuse(request, 403, "origin")
        try:
            body = await request.json() if request.can_read_body else {}
        except ValueError:
            body = {}
        body = body if isinstance(body, dict) else {}
        now = self.clock()
        known = self.signer.check(str(body.get("token") or ""), self._site, now)
        if known is not None:
            token, visitor = self.signer.renew(known, self._site, now)
        else:
            token, visitor = self.signer.new_visitor(self._site, now)
        greeting = self.greeting("en" if body.get("locale") == "en" else "zh")
        return web.json_response(
            {
                "visitor_id": visitor.visitor_id,
                "token": token,
                "shop": {
                    "name": greeting.shop_name,
                    "hours_text": greeting.hours_text,
                    "open_now": greeting.is_open,
                },
                "welcome": {
                    "text": greeting.text,
                    "buttons": [{"id": key, "label": label} for key, label in greeting.buttons],
                },
                "limits": {"text_chars": MAX_TEXT_CHARS, "image_bytes": MAX_IMAGE_BYTES},
            },
            headers=self._cors(request),
        )

    async def upload(self, request: web.Request) -> web.Response:
        """Take one picture, checked by content."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        visitor_id = self.signer.check(token, self._site, self.clock())
        if visitor_id is None or not self._may_embed(request):
            return self._refuse(request, 401, "expired")
        try:
            name, content = await _one_file(request)
            attachment = await asyncio.to_thread(self.media.save, content, name)
            await self.add_attachment(attachment, self._address(visitor_id).identity)
        except BadFile as error:
            return self._refuse(request, 413 if error.code == "too_large" else 415, error.code)
        except (NotStored, OSError):
            return self._refuse(request, 503, "not_stored")
        body = frames.attachment_json(attachment, self.media_url(attachment))
        return web.json_response(
            {"attachment_id": attachment.id, **body}, status=201, headers=self._cors(request)
        )

    async def picture(self, request: web.Request) -> web.StreamResponse:
        """Show a picture to whoever holds its signed link."""
        key = request.match_info["id"]
        path = self.media.path(key)
        signature = request.query.get("sig", "")
        if path is None or not self.signer.may_see_media(key, signature, self.clock()):
            raise web.HTTPNotFound
        return web.FileResponse(path, headers=picture_headers(path.read_bytes()[:12]))

    def _refuse(self, request: web.Request, status: int, code: str) -> web.Response:
        text = wording.error(code, request.headers.get("Accept-Language", ""))
        return web.json_response(
            {"error": {"code": code, "text": text}}, status=status, headers=self._cors(request)
        )

    # ---------------------------------------------------------------- the socket

    async def socket(self, request: web.Request) -> web.StreamResponse:
        """One page's connection, from hello to goodbye."""
        wire = web.WebSocketResponse(max_msg_size=MAX_FRAME_BYTES, heartbeat=25, compress=False)
        await wire.prepare(request)
        visitor_id = self.signer.check(request.query.get("token", ""), self._site, self.clock())
        if visitor_id is None or not self._may_embed(request):
            await wire.close(code=TOKEN_INVALID, message=b"token")
            return wire
        if len(self.hub.of(visitor_id)) >= MAX_SOCKETS:
            await wire.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b"too many pages")
            return wire
        last_seq = request.query.get("last_seq", "0")
        cursor = int(last_seq) if last_seq.isdecimal() and len(last_seq) < 10 else 0  # noqa: PLR2004 - seq is a 32-bit number
        page = _Page(self, wire, visitor_id, cursor, sources=self.sources_of(request))
        await page.run()
        return wire


class _Page:
    """One connection: reads frames, answers them, and lets the transcript flow."""

    def __init__(
        self,
        chat: WebChat,
        wire: web.WebSocketResponse,
        visitor_id: str,
        cursor: int,
        *,
        sources: tuple[str, ...],
    ) -> None:
        self._chat = chat
        self._wire = wire
        self._visitor_id = visitor_id
        self._sources = sources
        self._address = chat._address(visitor_id)  # noqa: SLF001 - one module, two halves
        self._socket = VisitorSocket(
            wire,
            chat.chat_log,
            chat.connector.ref,
            visitor_id,
            cursor=cursor,
            media_url=chat.media_url,
        )
        now_s = time.monotonic()
        self._bucket = Bucket(burst=BURST, per_s=PER_S, level=BURST, at_s=now_s)
        self._small_bucket = Bucket(burst=120, per_s=10, level=120, at_s=now_s)
        self._dropped = 0

    async def run(self) -> None:
        """Serve until the page goes."""
        try:
            await self._hello()
        except (ConnectionError, RuntimeError):
            return
        except Exception as error:  # noqa: BLE001 - a database that is away: the page tries again
            log.warning("chat_not_opened", error=type(error).__name__)
            await self._wire.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b"try again")
            return
        pump = asyncio.create_task(self._socket.pump())
        try:
            async for frame in self._wire:
                if frame.type not in {WSMsgType.TEXT, WSMsgType.BINARY}:
                    break
                if not await self._take(frame.data):
                    break
        except (ConnectionError, RuntimeError) as error:
            log.debug("chat_dropped", error=type(error).__name__)
        finally:
            self._chat.hub.remove(self._socket)
            pump.cancel()
            with suppress(asyncio.CancelledError, ConnectionError, RuntimeError):
                await pump

    async def _hello(self) -> None:
        chat, socket = self._chat, self._socket
        state = await chat.chat_log.state(chat.connector.ref, self._visitor_id)
        has_more = False
        if state.last_seq - socket.cursor > CATCH_UP_LINES:
            # a page that was away for long gets the newest; it asks for the rest as it scrolls
            socket.cursor = state.last_seq - CATCH_UP_LINES
            has_more = True
        # a number from the future belongs to a database that is gone
        socket.cursor = min(socket.cursor, state.last_seq)
        socket.shown_state = state
        await socket.send(
            {
                "type": "hello",
                "visitor_id": self._visitor_id,
                "last_seq": state.last_seq,
                "state": state.state,
                "agent": state.agent,
                "mode": state.mode,
                "position": state.position,
                "has_more": has_more,
            }
        )
        # first known to the hub, then caught up: what is said in between is offered, not lost
        chat.hub.add(socket)
        try:
            await socket.catch_up()
        except BaseException:
            chat.hub.remove(socket)
            raise

    async def _take(self, raw: str | bytes) -> bool:
        """Deal with one frame; ``False`` ends the connection."""
        frame = frames.parse(raw)
        now_s = time.monotonic()
        is_small = isinstance(frame, TypingFrame | HistoryFrame | PingFrame)
        bucket = self._small_bucket if is_small else self._bucket
        if not bucket.take(now_s):
            return await self._too_fast(frame, bucket)
        self._dropped = 0
        match frame:
            case None:
                await self._error("bad_frame")
            case PingFrame():
                await self._socket.send({"type": "pong"})
            case TypingFrame():
                await self._chat.on_typing(self._address)
            case HistoryFrame(before=before):
                await self._history(before)
            case MessageFrame():
                await self._message(frame)
            case PressFrame():
                await self._press(frame)
            case CsatFrame():
                await self._csat(frame)
        return True

    async def _too_fast(self, frame: frames.Frame | None, bucket: Bucket) -> bool:
        self._dropped += 1
        if self._dropped > FLOOD_FRAMES:
            log.warning("chat_flooded", dropped=self._dropped)
            await self._wire.close(code=WSCloseCode.POLICY_VIOLATION, message=b"too fast")
            return False
        client_id = getattr(frame, "client_id", None)
        if client_id is not None or self._dropped == 1:
            await self._error("too_fast", client_id, retry_after_s=max(1.0, bucket.wait_s()))
        return True

    async def _message(self, frame: MessageFrame) -> None:
        text = frame.text.replace("\0", "")
        if len(text) > MAX_TEXT_CHARS:
            await self._error("too_long", frame.client_id)
            return
        attachments: tuple[Attachment, ...] = ()
        if frame.attachment_id is not None:
            found = await self._chat.attachment_of(frame.attachment_id, self._address.identity)
            if found is None:
                await self._error("bad_attachment", frame.client_id)
                return
            attachments = (found,)
        if not text.strip() and not attachments:
            await self._error("empty", frame.client_id)
            return
        await self._accept(self._inbound(frame.client_id, text=text, attachments=attachments))

    async def _press(self, frame: PressFrame) -> None:
        chat = self._chat
        label = await chat.chat_log.button_label(
            chat.connector.ref, self._visitor_id, frame.msg_id, frame.button
        )
        if label is None and frame.msg_id == "welcome":
            # the welcome is shown before there is a conversation; its buttons are the shop's own
            label = dict(chat.greeting("zh").buttons).get(frame.button)
        if label is None:
            await self._error("bad_press", frame.client_id)
            return
        await self._accept(
            self._inbound(
                frame.client_id,
                kind=InboundKind.BUTTON,
                text=label,
                button=frame.button,
                button_of=frame.msg_id,
            )
        )

    async def _csat(self, frame: CsatFrame) -> None:
        comment = frame.comment.replace("\0", "").strip()[:MAX_COMMENT_CHARS]
        stars = "★" * frame.score + "☆" * (5 - frame.score)
        await self._accept(
            self._inbound(
                frame.client_id,
                kind=InboundKind.CSAT,
                text=f"{stars} {comment}".strip(),
                score=frame.score,
            )
        )

    def _inbound(self, client_id: str, **parts: Any) -> Inbound:
        return Inbound(
            # a visitor's own name for it is unique for that visitor only
            dedup_key=f"{self._visitor_id}:{client_id}",
            client_id=client_id,
            address=self._address,
            received_at=self._chat.clock(),
            sources=self._sources,
            **parts,
        )

    async def _accept(self, message: Inbound) -> None:
        chat, client_id = self._chat, str(message.client_id)
        self._socket.expect_own(client_id)
        try:
            (receipt,) = await chat.sink.accept([message])
        except NotStored as error:
            await self._error("not_stored", client_id, retry_after_s=error.retry_after_s)
            return
        chat.connector.pulse.heard(message.received_at)
        if receipt.seq <= self._socket.cursor:
            # sent again after its acknowledgement was lost
            await self._socket.send(
                {
                    "type": "ack",
                    "client_id": client_id,
                    "seq": receipt.seq,
                    "id": receipt.message_id,
                }
            )
            return
        line = Outbound(
            outbox_id="",
            address=self._address,
            message_id=receipt.message_id,
            seq=receipt.seq,
            text=message.text,
            author="customer",
            at=message.received_at,
            client_id=client_id,
            kind="csat" if message.kind is InboundKind.CSAT else "text",
            attachments=message.attachments,
        )
        chat.hub.publish(self._visitor_id, line)

    async def _history(self, before: int) -> None:
        chat = self._chat
        lines = await chat.chat_log.before(
            chat.connector.ref, self._visitor_id, before, HISTORY_LINES + 1
        )
        shown = lines[-HISTORY_LINES:]
        await self._socket.send(
            {
                "type": "history",
                "items": [frames.message_frame(line, chat.media_url) for line in shown],
                "has_more": len(lines) > HISTORY_LINES,
            }
        )

    async def _error(
        self, code: str, client_id: str | None = None, *, retry_after_s: float | None = None
    ) -> None:
        frame: dict[str, Any] = {"type": "error", "code": code, "text": wording.error(code)}
        if client_id is not None:
            frame["client_id"] = client_id
        if retry_after_s is not None:
            frame["retry_after_s"] = round(retry_after_s, 1)
        await self._socket.send(frame)


async def _one_file(request: web.Request) -> tuple[str, bytes]:
    """The first file of a multipart body, read no further than allowed.

    Raises:
        BadFile: There is none, or it is too large.
    """
    try:
        async for part in await request.multipart():
            if isinstance(part, BodyPartReader) and part.name == "file":
                content = bytearray()
                while chunk := await part.read_chunk(64 * 1024):
                    content += chunk
                    if len(content) > MAX_IMAGE_BYTES:
                        raise BadFile("too_large")
                return part.filename or "", bytes(content)
    except (ValueError, AssertionError, web.HTTPException):
        raise BadFile("not_an_image") from None
    raise BadFile("not_an_image")


_SIGNS = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}


def picture_headers(head: bytes) -> Mapping[str, str]:
    """Headers under which a stored picture can be nothing but a picture.

    Args:
        head: Its first 12 bytes.
    """
    mime = next((mime for sign, mime in _SIGNS.items() if head.startswith(sign)), "image/webp")
    return {
        "Content-Type": mime,
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, max-age=86400",
    }


__all__ = ["Greeting", "WebChat", "picture_headers"]
