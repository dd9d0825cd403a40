"""The wall clock as a service needs it: true, and never backwards.

Retries, timers, leases and places in a queue are dates in the database. A clock that is set back an
hour would put each of them off by an hour: a customer whose retry was a second away hears nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

log = structlog.get_logger(__name__)

PACE = 0.5
"""Speed at which it runs until the wall clock has caught up; waits take twice as long meanwhile."""
FARTHEST_AHEAD = timedelta(hours=2)
"""A wall clock set back by more was wrong for long, or by much: it is followed at once. Longer than
an hour, which a clock is off by whose time zone or summer time was wrong."""
_WORTH_TELLING = timedelta(seconds=1)


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


class SteadyClock:
    """Tells the time; may be asked from any thread.

    Args:
        wall: The wall clock, aware.
        ticks: Seconds that never run backwards and stop for nobody.
    """

    def __init__(
        self,
        wall: Callable[[], datetime] = utc_now,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall = wall
        self._ticks = ticks
        self._lock = threading.Lock()
        self._told, self._told_at = wall(), ticks()
        self._is_ahead = False

    def __call__(self) -> datetime:
        """Return the wall clock's time, or a little more than was told last."""
        with self._lock:
            wall, ticks = self._wall(), self._ticks()
            crawled = self._told + timedelta(seconds=(ticks - self._told_at) * PACE)
            self._note(crawled - wall)
            is_followed = wall >= crawled or crawled - wall > FARTHEST_AHEAD
            self._told, self._told_at = wall if is_followed else crawled, ticks
            return self._told

    def resume(self, at: datetime) -> None:
        """Go on from a time that was told before a restart, if the wall clock says less."""
        with self._lock:
            self._told = max(self._told, at)

    def _note(self, ahead: timedelta) -> None:
        is_ahead = ahead > _WORTH_TELLING
        if is_ahead and not self._is_ahead:
            log.warning("wall_clock_set_back", by_s=round(ahead.total_seconds()))
        self._is_ahead = is_ahead


__all__ = ["SteadyClock", "utc_now"]
