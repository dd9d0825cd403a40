"""Agents: who there is, and who is there."""

from __future__ import annotations

from handoff.console.api.routing import Call, Route
from handoff.console.live import LiveFeed
from handoff.console.models import AgentOut, AgentsOut, PresenceIn
from handoff.console.views import ViewWork, agent_out, agents_out
from handoff.desk.presence import Presence, Status
from handoff.model.ports import Units


class AgentsApi:
    """Serves ``/agents`` and ``/presence``."""

    def __init__(self, units: Units[ViewWork], *, presence: Presence, feed: LiveFeed) -> None:
        self._units = units
        self._presence = presence
        self._feed = feed

    def routes(self) -> list[Route]:
        """The routes of this noun."""
        return [
            Route("GET", "/agents", self.agents, "Everybody who may log in", answer=AgentsOut),
            Route(
                "PUT",
                "/presence",
                self.choose_presence,
                "Be online or away",
                body=PresenceIn,
                answer=AgentOut,
            ),
        ]

    async def agents(self, _call: Call) -> AgentsOut:
        """Everybody who may log in."""
        items = await self._units.read(lambda work: agents_out(work, self._presence))
        return AgentsOut(items=items)

    async def choose_presence(self, call: Call) -> AgentOut:
        """Be online or away."""
        agent = call.agent
        self._presence.choose(agent.id, Status(call.body(PresenceIn).status))
        self._feed.wake()
        held = await self._units.read(lambda work: work.conversations.open_count(agent.id))
        return agent_out(agent, self._presence, held)
