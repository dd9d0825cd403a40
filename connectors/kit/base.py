"""What most connectors have in common: a pulse, and doing nothing where there is nothing to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from connectors.errors import MediaGone
from connectors.messages import Address, ChannelRef, Check, Health, HealthState, MediaHandle

if TYPE_CHECKING:
    from aiohttp import web


class Pulse:
    """Keeps an account's health as its connector learns of it.

    Texts are for an admin, in Chinese: never a token, an identity or a customer's words.
    """

    def __init__(self, state: HealthState = HealthState.STARTING) -> None:
        self.state = state
        self.last_inbound_at: datetime | None = None
        self.last_outbound_ok_at: datetime | None = None
        self.last_error: str | None = None
        self.detail: dict[str, Any] = {}

    def heard(self, at: datetime) -> None:
        """Something came in."""
        self.last_inbound_at = at

    def sent(self, at: datetime) -> None:
        """Something went out: whatever was wrong before is over."""
        self.last_outbound_ok_at = at
        self.up()

    def up(self) -> None:
        """All is well."""
        self.state, self.last_error = HealthState.UP, None

    def degraded(self, error: str) -> None:
        """Something fails that may pass."""
        self.state, self.last_error = HealthState.DEGRADED, error

    def down(self, error: str) -> None:
        """Nothing but an admin helps."""
        self.state, self.last_error = HealthState.DOWN, error

    def health(self) -> Health:
        """As of now."""
        detail: Mapping[str, Any] = dict(self.detail)
        return Health(
            self.state,
            last_inbound_at=self.last_inbound_at,
            last_outbound_ok_at=self.last_outbound_ok_at,
            last_error=self.last_error,
            detail=detail,
        )


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
