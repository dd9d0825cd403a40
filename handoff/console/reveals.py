"""Reveals: an agent looks at a secret, and it is noted who and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from handoff.model.conversation import AgentId, ConversationId


@dataclass(frozen=True, slots=True)
class Reveal:
    """One look."""

    secret_id: str
    conversation_id: ConversationId
    agent_id: AgentId
    at: datetime


class Reveals(Protocol):
    """The log of looks; nothing is ever taken out of it."""

    def add(
        self, secret_id: str, conversation_id: ConversationId, agent_id: AgentId, at: datetime
    ) -> None:
        """Note that an agent is shown a secret."""

    def of_secret(self, secret_id: str) -> Sequence[Reveal]:
        """Who was shown it, the first first."""
