"""Presence: the status that each agent chose, and whether their console is connected."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from handoff.model.conversation import AgentId
from handoff.model.ports import Clock


class Status(StrEnum):
    """Status of an agent. ``OFFLINE`` is never chosen: it is a console that is not connected."""

    ONLINE = "online"
    AWAY = "away"
    OFFLINE = "offline"


@dataclass(slots=True)
class _Agent:
    name: str
    chosen: Status = Status.ONLINE
    sockets: int = 0
    seen_at: datetime | None = None
    missed_claims: int = 0


class Presence:
    """Kept in memory: after a restart the consoles connect again.

    Safe to ask from any thread: transitions are made on the database's.

    Args:
        grace_s: An agent whose connection was lost still counts as there for so long.
    """

    def __init__(self, clock: Clock, *, grace_s: float = 45) -> None:
        self._clock = clock
        self._grace = timedelta(seconds=grace_s)
        self._lock = threading.Lock()
        self._agents: dict[AgentId, _Agent] = {}
        # the consoles of a server that has just started need a moment to come back
        self._is_empty_told = False
        self._counts_as_empty_at = clock() + self._grace

    def connected(self, agent: AgentId, name: str) -> None:
        """Note that a console of this agent is connected."""
        with self._lock:
            self._agent(agent, name).sockets += 1

    def disconnected(self, agent: AgentId) -> None:
        """Note that one of their consoles is not connected any more."""
        with self._lock:
            found = self._agents.get(agent)
            if found is not None and found.sockets:
                found.sockets -= 1
                found.seen_at = self._clock()

    def seen(self, agent: AgentId, name: str) -> None:
        """Note that they asked for something: they count as connected for the grace time."""
        with self._lock:
            self._agent(agent, name).seen_at = self._clock()

    def choose(self, agent: AgentId, status: Status) -> None:
        """Note that they want to be online or away."""
        with self._lock:
            found = self._agents.get(agent)
            if found is not None:
                found.chosen = status
                found.missed_claims = 0

    def gone(self, agent: AgentId) -> None:
        """Forget an agent who logged out, or may not log in any more."""
        with self._lock:
            self._agents.pop(agent, None)

    def missed_claim(self, agent: AgentId, *, away_at: int) -> bool:
        """Count a lapsed claim; ``True`` if that set them away, at ``away_at`` in a row."""
        with self._lock:
            found = self._agents.get(agent)
            if found is None:
                return False
            found.missed_claims += 1
            if found.missed_claims < away_at or found.chosen is Status.AWAY:
                return False
            found.chosen = Status.AWAY
            return True

    def acted(self, agent: AgentId) -> None:
        """Forget earlier lapses: they did something with a conversation."""
        with self._lock:
            found = self._agents.get(agent)
            if found is not None:
                found.missed_claims = 0

    def status(self, agent: AgentId) -> Status:
        """Return an agent's status."""
        with self._lock:
            return self._status(agent)

    def name_if_online(self, agent: AgentId) -> str | None:
        """Return their name if they are online; else ``None``."""
        with self._lock:
            is_online = self._status(agent) is Status.ONLINE
            return self._agents[agent].name if is_online else None

    def online_count(self) -> int:
        """Count the agents who are online."""
        with self._lock:
            return self._online_count()

    def has_just_emptied(self) -> bool:
        """Tell whether everybody has left since somebody was there; ``True`` once each time.

        A server that has just started counts as full for the grace time.
        """
        with self._lock:
            if self._online_count():
                self._is_empty_told = False
                return False
            if self._is_empty_told or self._clock() < self._counts_as_empty_at:
                return False
            self._is_empty_told = True
            return True

    def _agent(self, agent: AgentId, name: str) -> _Agent:
        found = self._agents.setdefault(agent, _Agent(name))
        found.name = name
        return found

    def _status(self, agent: AgentId) -> Status:
        found = self._agents.get(agent)
        if found is None:
            return Status.OFFLINE
        is_fresh = found.seen_at is not None and self._clock() - found.seen_at <= self._grace
        if not found.sockets and not is_fresh:
            return Status.OFFLINE
        return found.chosen

    def _online_count(self) -> int:
        return sum(self._status(agent) is Status.ONLINE for agent in self._agents)
