"""One open page: reads its frames, answers them, and lets the transcript flow."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import structlog
from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from connectors.errors import NotStored
from connectors.messages import Attachment, Inbound, InboundKind, Outbound
from connectors.web import frames, wording
from connectors.web.chat import WebChat
from connectors.web.frames import (
    MAX_TEXT_CHARS,
    CsatFrame,
    HistoryFrame,
    MessageFrame,
    PingFrame,
    PressFrame,
    TypingFrame,
)
from connectors.web.hub import CATCH_UP_LINES, VisitorSocket

log = structlog.get_logger(__name__)

FLOOD_FRAMES = 100
"""Frames that may be refused one after the other before the page is closed."""
HISTORY_LINES = 50
MAX_COMMENT_CHARS = 500
_FRAMES = frozenset({WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.PING, WSMsgType.PONG})


class Page:
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
        self._address = chat.address_of(visitor_id)
        self._socket = VisitorSocket(
            wire,
            chat.chat_log,
            chat.connector.ref,
            visitor_id,
            cursor=cursor,
            media_url=chat.media_url,
        )
        self._admission = chat.admission
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
                if not await self._take(frame):
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

    async def _take(self, message: WSMessage) -> bool:
        """Deal with one frame; ``False`` ends the connection."""
        if message.type not in _FRAMES:
            return False  # the connection is ending, or a frame was larger than any may be
        raw: Any = message.data
        # counted before it is looked at: reading JSON is what a flood would make us do
        wait_s = self._admission.frame(self._visitor_id, self._sources, len(raw or b""))
        if wait_s > 0:
            return await self._too_fast(None, wait_s)
        match message.type:
            case WSMsgType.PING:
                await self._wire.pong(raw)
                return True
            case WSMsgType.PONG:
                return True
        return await self._deal_with(frames.parse(raw))

    async def _deal_with(self, frame: frames.Frame | None) -> bool:
        wait_s = self._wait_s(frame)
        if wait_s > 0:
            return await self._too_fast(frame, wait_s)
        self._dropped = 0
        match frame:
            case None:
                await self._error("bad_frame")
            case PingFrame():
                await self._socket.send({"type": "pong"})
            case TypingFrame():
                await self._typing()
            case HistoryFrame(before=before):
                await self._history(before)
            case MessageFrame():
                await self._message(frame)
            case PressFrame():
                await self._press(frame)
            case CsatFrame():
                await self._csat(frame)
        return True

    def _wait_s(self, frame: frames.Frame | None) -> float:
        match frame:
            case PingFrame() | TypingFrame():
                return 0.0
            case HistoryFrame():
                return self._admission.read(self._visitor_id, self._sources)
        # what is too long is refused unread, in its own words
        text = frame.text if isinstance(frame, MessageFrame) else ""
        chars = len(text) if len(text) <= MAX_TEXT_CHARS else 0
        return self._admission.message(self._visitor_id, self._sources, chars)

    async def _too_fast(self, frame: frames.Frame | None, wait_s: float) -> bool:
        self._dropped += 1
        if self._dropped > FLOOD_FRAMES:
            log.warning("chat_flooded", dropped=self._dropped)
            self._admission.flooded(self._visitor_id, self._sources)
            await self._wire.close(code=WSCloseCode.POLICY_VIOLATION, message=b"too fast")
            return False
        client_id = getattr(frame, "client_id", None)
        if client_id is not None or self._dropped == 1:
            await self._error("too_fast", client_id, retry_after_s=max(1.0, wait_s))
        return True

    async def _typing(self) -> None:
        # a hint and no more: one in a while is as good as each
        if self._admission.typing(self._visitor_id, self._sources) == 0:
            await self._chat.on_typing(self._address)

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
        for line in shown:
            self._socket.note(line)
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
        text = wording.error(code, wait_s=retry_after_s or 0)
        frame: dict[str, Any] = {"type": "error", "code": code, "text": text}
        if client_id is not None:
            frame["client_id"] = client_id
        if retry_after_s is not None:
            frame["retry_after_s"] = round(retry_after_s, 1)
        await self._socket.send(frame)
