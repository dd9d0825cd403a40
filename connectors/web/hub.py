"""Open sockets of visitors, each a cursor over the transcript.

A socket shows the transcript in the order of ``seq`` and nothing twice. A new line goes out at once
if it is the next one; otherwise the socket reads what lies between from the log. So an
acknowledgement, which is nothing but one's own line passing by, can never overtake a reply, and a
page that comes back with the last number it saw misses nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from connectors.messages import Attachment, ChannelRef, Outbound
from connectors.web.frames import message_frame, to_json

log = structlog.get_logger(__name__)

CATCH_UP_LINES = 200
MAX_QUEUED = 2000


@dataclass(frozen=True, slots=True)
class ChatState:
    """What a page shows of the conversation beside its lines.

    Attributes:
        state: ``bot``, ``waiting``, ``agent``, ``external`` or ``closed``.
        agent: The name of the person who has it, if one has.
        mode: ``live`` or ``after_hours`` while it waits: whether somebody is there.
        position: Place in the queue from 1, if it waits.
        last_seq: Place of the newest line; 0 before the first.
    """

    state: str = "bot"
    agent: str | None = None
    mode: str | None = None
    position: int | None = None
    last_seq: int = 0


class ChatLog(Protocol):
    """A visitor's transcript as the visitor may see it: no notes, secrets filled in."""

    async def after(
        self, ref: ChannelRef, visitor_id: str, seq: int, limit: int
    ) -> Sequence[Outbound]:
        """Lines with a greater place, ascending; the customer's own have ``author`` customer."""
        ...

    async def before(
        self, ref: ChannelRef, visitor_id: str, seq: int, limit: int
    ) -> Sequence[Outbound]:
        """The last lines with a smaller place, ascending."""
        ...

    async def state(self, ref: ChannelRef, visitor_id: str) -> ChatState:
        """Where the conversation stands."""
        ...

    async def button_label(
        self, ref: ChannelRef, visitor_id: str, message_id: str, button: str
    ) -> str | None:
        """The label of a button that this visitor was offered; ``None`` if they were not."""
        ...


class Wire(Protocol):
    """The sending half of a WebSocket."""

    async def send_str(self, data: str) -> None:
        """Send one text frame."""
        ...

    async def close(self, *, code: int, message: bytes = b"") -> Any:
        """Close with a code."""
        ...


class VisitorSocket:
    """One open page."""

    def __init__(
        self,
        wire: Wire,
        chat_log: ChatLog,
        ref: ChannelRef,
        visitor_id: str,
        *,
        cursor: int,
        media_url: Callable[[Attachment], str],
    ) -> None:
        self.visitor_id = visitor_id
        self.cursor = cursor
        self.shown_state: ChatState | None = None
        self._wire = wire
        self._log = chat_log
        self._ref = ref
        self._media_url = media_url
        self._lines: deque[Outbound] = deque()
        self._own: dict[str, None] = {}
        self._wake = asyncio.Event()
        # lines that were shown with their secrets hidden: a new proof shows them again
        self._hidden: set[int] = set()

    def expect_own(self, client_id: str) -> None:
        """This page sent it: its line comes back as an acknowledgement."""
        self._own[client_id] = None

    def offer(self, line: Outbound) -> None:
        """A line was added to the transcript."""
        self._lines.append(line)
        self._wake.set()

    async def send(self, frame: dict[str, Any]) -> None:
        """Send one frame beside the transcript's lines."""
        await self._wire.send_str(to_json(frame))

    async def close(self) -> None:
        """The server is going: the page comes back by itself."""
        await self._wire.close(code=1001, message=b"server is going")

    async def pump(self) -> None:
        """Send lines as they come, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._lines:
                if len(self._lines) > MAX_QUEUED:
                    await self._wire.close(code=1013, message=b"too slow")
                    return
                line = self._lines.popleft()
                is_own = line.client_id is not None and line.client_id in self._own
                if line.author == "customer" and not is_own:
                    # typed on another page: here it stands as the log shows it, passwords hidden
                    await self.catch_up(line.seq)
                    continue
                if line.seq > self.cursor + 1:
                    await self.catch_up(line.seq - 1)
                await self._show(line)

    async def catch_up(self, until: int | None = None) -> None:
        """Send what the log holds after the cursor.

        Args:
            until: The last place wanted; ``None`` for all there is.
        """
        while until is None or self.cursor < until:
            lines = await self._log.after(self._ref, self.visitor_id, self.cursor, CATCH_UP_LINES)
            for line in lines:
                await self._show(line)
            if len(lines) < CATCH_UP_LINES:
                return

    async def _show(self, line: Outbound) -> None:
        if line.seq <= self.cursor:
            return
        self.cursor = line.seq
        if line.client_id is not None and line.client_id in self._own:
            del self._own[line.client_id]
            await self.send(
                {
                    "type": "ack",
                    "client_id": line.client_id,
                    "seq": line.seq,
                    "id": line.message_id,
                }
            )
            return
        self.note(line)
        await self.send(message_frame(line, self._media_url))
        if line.author in {"bot", "agent"}:
            await self.look_again()

    def note(self, line: Outbound) -> None:
        """A line is shown on the page, whole or with something hidden."""
        if line.verify is not None:
            self._hidden.add(line.seq)

    async def look_again(self) -> None:
        """Show lines whole that were hidden, where what was proved since allows it."""
        if not self._hidden:
            return
        wanted, cursor = set(self._hidden), min(self._hidden) - 1
        while wanted:
            lines = await self._log.after(self._ref, self.visitor_id, cursor, CATCH_UP_LINES)
            for line in lines:
                if line.seq in wanted and line.verify is None:
                    self._hidden.discard(line.seq)
                    await self.send(message_frame(line, self._media_url))
                wanted.discard(line.seq)
            if len(lines) < CATCH_UP_LINES:
                return
            cursor = lines[-1].seq


class Hub:
    """All open sockets, by visitor."""

    def __init__(self) -> None:
        self._sockets: dict[str, list[VisitorSocket]] = {}

    def add(self, socket: VisitorSocket) -> None:
        """A page was opened."""
        self._sockets.setdefault(socket.visitor_id, []).append(socket)

    def remove(self, socket: VisitorSocket) -> None:
        """A page was closed."""
        sockets = self._sockets.get(socket.visitor_id, [])
        if socket in sockets:
            sockets.remove(socket)
        if not sockets:
            self._sockets.pop(socket.visitor_id, None)

    def of(self, visitor_id: str) -> Sequence[VisitorSocket]:
        """The pages that this visitor has open."""
        return tuple(self._sockets.get(visitor_id, ()))

    def publish(self, visitor_id: str, line: Outbound) -> None:
        """Offer a line to every page of a visitor."""
        for socket in self._sockets.get(visitor_id, ()):
            socket.offer(line)

    async def close(self) -> None:
        """Close every page's socket, all at once."""
        sockets = [socket for sockets in self._sockets.values() for socket in sockets]
        await asyncio.gather(*(socket.close() for socket in sockets), return_exceptions=True)

    def __len__(self) -> int:
        return sum(len(sockets) for sockets in self._sockets.values())
