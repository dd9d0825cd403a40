"""The web chat as a connector: sending is offering a line to the visitor's open pages.

A page that is closed loses nothing: the transcript is the log that it reads when it comes back. So
a message counts as accepted once it is stored, and sending it twice shows it once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from connectors.kit.base import BaseConnector
from connectors.messages import (
    Address,
    Capabilities,
    ChannelRef,
    Health,
    SendResult,
    SendStatus,
    Unit,
)
from connectors.web.frames import MAX_TEXT_CHARS
from connectors.web.hub import ChatLog, Hub

CAPABILITIES = Capabilities(
    max_text=MAX_TEXT_CHARS,
    has_buttons=True,
    sends=frozenset({"image"}),
    composes=True,
    has_typing=True,
    send_idempotent=True,
    redelivers=True,
)


class WebConnector(BaseConnector):
    """Implements ``connectors.messages.Connector`` for the shop's page."""

    def __init__(
        self, ref: ChannelRef, hub: Hub, chat_log: ChatLog, clock: Callable[[], datetime]
    ) -> None:
        super().__init__(ref)
        self._hub = hub
        self._log = chat_log
        self._clock = clock
        self.pulse.sending.up()

    @property
    def capabilities(self) -> Capabilities:
        """What a page can show."""
        return CAPABILITIES

    def health(self) -> Health:
        """Up as long as the server is."""
        self.pulse.detail["open_pages"] = len(self._hub)
        return super().health()

    async def send(self, unit: Unit) -> SendResult:
        """Show a line on every open page of the visitor."""
        message = unit.outbound
        visitor_id = message.address.peer_id
        self._hub.publish(visitor_id, message)
        self.pulse.sent(self._clock())
        # whatever changes who one talks to is announced by one of these
        if message.author in {"system", "agent"}:
            await self.tell_state(visitor_id)
        return SendResult(SendStatus.ACCEPTED)

    async def tell_state(self, visitor_id: str) -> None:
        """Send a ``state`` frame to each page that shows an older state."""
        sockets = self._hub.of(visitor_id)
        if not sockets:
            return
        state = await self._log.state(self._ref, visitor_id)
        shown = replace(state, last_seq=0)
        for socket in sockets:
            before = socket.shown_state
            if before is not None and replace(before, last_seq=0) == shown:
                continue
            socket.shown_state = state
            await _quietly(
                socket.send(
                    {
                        "type": "state",
                        "state": state.state,
                        "agent": state.agent,
                        "mode": state.mode,
                        "position": state.position,
                    }
                )
            )

    async def typing(self, address: Address, author: str, *, is_on: bool) -> None:
        """Show or hide the dots."""
        for socket in self._hub.of(address.peer_id):
            await _quietly(socket.send({"type": "typing", "author": author, "on": is_on}))


async def _quietly(sending: object) -> None:
    """A page that went away in this moment reads the same from the log when it is back."""
    try:
        await sending  # type: ignore[misc]
    except (ConnectionError, RuntimeError):
        return
