"""Opening hours as this folder needs them, and time counted in them (pure)."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo


class ServiceHours(Protocol):
    """The hours in which people answer."""

    @property
    def zone(self) -> ZoneInfo:
        """The shop's time zone, in which customers read times."""
        ...

    def is_open(self, at: datetime) -> bool:
        """Tell whether somebody should be there at this moment."""
        ...

    def next_opening(self, at: datetime) -> datetime | None:
        """Return when it opens next: ``at`` itself if it is open, ``None`` if never."""
        ...

    def closes_at(self, at: datetime) -> datetime | None:
        """Return when the present opening ends; ``None`` while closed or if it never ends."""
        ...


def open_seconds(hours: ServiceHours, start: datetime, end: datetime) -> float:
    """Count the seconds from ``start`` to ``end`` that lie in opening hours."""
    total_s = 0.0
    at: datetime | None = start
    while at is not None and at < end:
        opens_at = hours.next_opening(at)
        if opens_at is None or opens_at >= end:
            break
        closes_at = hours.closes_at(opens_at)
        until = end if closes_at is None else min(closes_at, end)
        total_s += (until - opens_at).total_seconds()
        at = closes_at
    return total_s
