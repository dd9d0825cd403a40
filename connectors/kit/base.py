"""What most connectors have in common: a pulse, and doing nothing where there is nothing to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from connectors.errors import MediaGone
from connectors.kit.pulse import Pulse
from connectors.messages import Address, ChannelRef, Check, Health, MediaHandle

if TYPE_CHECKING:
    from aiohttp import web


class BaseConnector:
    """A connector that is never called, needs no start, shows no typing and has no files."""

    def __init__(self, ref: ChannelRef) -> None:
        self._ref = ref
        self.pulse = Pulse()

    @property
    def ref(self) -> ChannelRef:
        """The account it speaks for."""
        return self._ref

    def health(self) -> Health:
        """How it feels now."""
        return self.pulse.health()

    def routes(self) -> Sequence[web.RouteDef]:
        """None."""
        return ()

    async def start(self) -> None:
        """Nothing to begin."""

    async def stop(self) -> None:
        """Nothing to end."""

    async def typing(self, address: Address, author: str, *, is_on: bool) -> None:
        """Nothing to show."""

    async def fetch(self, media: MediaHandle, max_bytes: int) -> bytes:  # noqa: ARG002 - one shape for all
        """Nothing to fetch."""
        raise MediaGone("refused")

    async def check(self) -> Check:
        """Nothing to ask."""
        return Check(is_reachable=None, is_authorised=None)
