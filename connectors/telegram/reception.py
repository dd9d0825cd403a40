"""How well updates reach us, apart from how well we can send."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from connectors.messages import Health, HealthState


class Reception:
    """What the receiving side knows of itself; texts are for an admin, in Chinese.

    Attributes:
        since: When the present trouble began; ``None`` while there is none.
        ok_at: When updates could be had last.
    """

    def __init__(self) -> None:
        self.state = HealthState.STARTING
        self.text: str | None = None
        self.since: datetime | None = None
        self.ok_at: datetime | None = None

    def ok(self, at: datetime) -> None:
        """All is well."""
        self.state, self.text, self.since, self.ok_at = HealthState.UP, None, None, at

    def troubled(self, text: str, at: datetime, *, is_down: bool = False) -> None:
        """Something fails."""
        self.state = HealthState.DOWN if is_down else HealthState.DEGRADED
        self.text = text
        self.since = self.since or at

    def troubled_for(self, now: datetime) -> timedelta:
        """How long the present trouble lasts."""
        return now - self.since if self.since is not None else timedelta()

    def is_silent_for(self, limit: timedelta, now: datetime) -> bool:
        """Whether all seems well although nothing was heard of the platform for too long."""
        if self.state is not HealthState.UP or self.ok_at is None:
            return False
        return now - self.ok_at > limit

    def added_to(self, health: Health) -> Health:
        """The whole account's health: the worse of both sides."""
        detail = dict(health.detail)
        if self.ok_at is not None:
            detail["last_poll_ok_at"] = self.ok_at
        if self.state is HealthState.UP and health.state is HealthState.STARTING:
            return replace(health, state=HealthState.UP, detail=detail)
        if _RANK[self.state] > _RANK[health.state]:
            return replace(health, state=self.state, last_error=self.text, detail=detail)
        return replace(health, detail=detail)


_RANK = {
    HealthState.UP: 0,
    HealthState.STARTING: 0,
    HealthState.DEGRADED: 1,
    HealthState.DOWN: 2,
}

__all__ = ["Reception"]
