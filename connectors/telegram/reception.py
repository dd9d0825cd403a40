"""How well updates reach us, and since when."""

from __future__ import annotations

from datetime import datetime, timedelta

from connectors.kit.pulse import Way
from connectors.messages import HealthState


class Reception(Way):
    """The receiving way, which also knows for how long.

    Attributes:
        since: When the present trouble began; ``None`` while there is none.
        ok_at: When updates could be had last.
    """

    def __init__(self) -> None:
        super().__init__()
        self.since: datetime | None = None
        self.ok_at: datetime | None = None

    def ok(self, at: datetime) -> None:
        """All is well."""
        self.up()
        self.since, self.ok_at = None, at

    def troubled(self, text: str, at: datetime, *, is_down: bool = False) -> None:
        """Something fails."""
        (self.down if is_down else self.degraded)(text)
        self.since = self.since or at

    def troubled_for(self, now: datetime) -> timedelta:
        """How long the present trouble lasts."""
        return now - self.since if self.since is not None else timedelta()

    def is_silent_for(self, limit: timedelta, now: datetime) -> bool:
        """Whether all seems well although nothing was heard of the platform for too long."""
        if self.state is not HealthState.UP or self.ok_at is None:
            return False
        return now - self.ok_at > limit
