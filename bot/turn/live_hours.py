"""Opening hours of the knowledge base in use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.turn.knowledge import Knowledge
from knowledge_base.source.hours import OpeningHours


@dataclass(frozen=True, slots=True)
class LiveHours:
    """Implements ``handoff.desk.hours.ServiceHours``: those of the knowledge base in use."""

    knowledge: Knowledge

    @property
    def _hours(self) -> OpeningHours:
        return self.knowledge.current.shop.hours

    @property
    def zone(self) -> ZoneInfo:
        """The shop's time zone."""
        return self._hours.zone

    def is_open(self, at: datetime) -> bool:
        """Tell whether somebody should be there."""
        return self._hours.is_open(at)

    def next_opening(self, at: datetime) -> datetime | None:
        """Return the next opening."""
        return self._hours.next_opening(at)

    def closes_at(self, at: datetime) -> datetime | None:
        """Return the end of the present opening."""
        return self._hours.closes_at(at)
