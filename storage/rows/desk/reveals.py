"""Who looked at which secret, in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select
from ulid import ULID

from handoff.console.reveals import Reveal
from handoff.model.conversation import AgentId, ConversationId
from storage.core.keyring import Keyring
from storage.tables.handoff import reveals


class RevealRows:
    """Implements ``handoff.console.reveals.Reveals``."""

    def __init__(self, connection: Connection, keyring: Keyring) -> None:  # noqa: ARG002 - one shape for all repositories
        self._connection = connection

    def add(
        self, secret_id: str, conversation_id: ConversationId, agent_id: AgentId, at: datetime
    ) -> None:
        """Note that an agent is shown a secret."""
        self._connection.execute(
            reveals.insert(),
            {
                "id": str(ULID()),
                "secret_id": secret_id,
                "conversation_id": conversation_id,
                "agent_id": agent_id,
                "at": at,
            },
        )

    def of_secret(self, secret_id: str) -> Sequence[Reveal]:
        """Who was shown it, the first first."""
        statement = select(reveals).where(reveals.c.secret_id == secret_id).order_by(reveals.c.at)
        return [
            Reveal(row["secret_id"], row["conversation_id"], row["agent_id"], row["at"])
            for row in self._connection.execute(statement).mappings()
        ]
