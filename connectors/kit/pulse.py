"""An account's health, as its connector learns of it on both ways."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.messages import Health, HealthState


class Way:
    """One way of an account, sending or receiving.

    Attributes:
        state: ``STARTING`` until anything is known of it.
        error: What is wrong, for an admin, in Chinese: never a token, an identity or a customer's
            words. ``None`` while nothing is.
    """

    def __init__(self) -> None:
        self.state = HealthState.STARTING
        self.error: str | None = None

    def up(self) -> None:
        """All is well."""
        self.state, self.error = HealthState.UP, None

    def degraded(self, error: str) -> None:
        """Something fails that may pass."""
        self.state, self.error = HealthState.DEGRADED, error

    def down(self, error: str) -> None:
        """Nothing but an admin helps."""
        self.state, self.error = HealthState.DOWN, error


class Pulse:
    """Keeps both ways apart: a platform that lets us read may still refuse what we send.

    An account whose two ways are one, such as a socket's, speaks of ``sending`` alone.
    """

    def __init__(self) -> None:
        self.sending = Way()
        self.receiving = Way()
        self.last_inbound_at: datetime | None = None
        self.last_outbound_ok_at: datetime | None = None
        self.detail: dict[str, Any] = {}

    def heard(self, at: datetime) -> None:
        """Something came in."""
        self.last_inbound_at = at

    def sent(self, at: datetime) -> None:
        """Something went out: whatever was wrong with sending is over."""
        self.last_outbound_ok_at = at
        self.sending.up()

    def health(self) -> Health:
        """The worse of both ways, as of now."""
        worse = max(self.sending, self.receiving, key=lambda way: _RANKS[way.state])
        detail: Mapping[str, Any] = dict(self.detail)
        return Health(
            worse.state,
            last_inbound_at=self.last_inbound_at,
            last_outbound_ok_at=self.last_outbound_ok_at,
            last_error=worse.error,
            detail=detail,
        )


_RANKS = {
    HealthState.STARTING: 0,
    HealthState.UP: 1,
    HealthState.DEGRADED: 2,
    HealthState.DOWN: 3,
}
