"""A visitor's transcript in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from connectors.messages import ChannelRef, Outbound
from connectors.web.hub import ChatState


class MemoryChatLog:
    """Implements ``connectors.web.hub.ChatLog`` for one visitor.

    Attributes:
        is_open: While it is cleared, reading waits: a database that takes its time.
        reads: How often lines were read.
    """

    def __init__(self) -> None:
        self.lines: list[Outbound] = []
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.reads = 0

    async def after(
        self, ref: ChannelRef, visitor_id: str, seq: int, limit: int
    ) -> Sequence[Outbound]:
        assert (ref.channel, visitor_id) == ("web", "v1")
        self.reads += 1
        found = [line for line in self.lines if line.seq > seq][:limit]
        await self.is_open.wait()
        return found

    async def before(
        self, ref: ChannelRef, visitor_id: str, seq: int, limit: int
    ) -> Sequence[Outbound]:
        assert (ref.channel, visitor_id) == ("web", "v1")
        return [line for line in self.lines if line.seq < seq][-limit:]

    async def state(self, ref: ChannelRef, visitor_id: str) -> ChatState:
        assert (ref.channel, visitor_id) == ("web", "v1")
        return ChatState(last_seq=self.lines[-1].seq if self.lines else 0)

    async def button_label(
        self, ref: ChannelRef, visitor_id: str, message_id: str, button: str
    ) -> str | None:
        assert (ref.channel, visitor_id) == ("web", "v1")
        labels = {
            (str(line.message_id), one.id): one.label for line in self.lines for one in line.buttons
        }
        return labels.get((message_id, button))
