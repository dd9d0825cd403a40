"""Agents in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select, update

from handoff.auth.agents import Agent, Credentials, Role
from handoff.model.conversation import AgentId
from storage.core.dialect import insert_or_ignore
from storage.core.keyring import Keyring
from storage.tables.handoff import agents


class AgentRows:
    """Implements ``handoff.auth.agents.Agents``."""

    def __init__(self, connection: Connection, keyring: Keyring) -> None:  # noqa: ARG002 - one shape for all repositories
        self._connection = connection

    def add(self, agent: Agent, password_hash: str) -> bool:
        """Store a new agent; ``False`` if the username is taken."""
        row = {
            "id": agent.id,
            "username": agent.username,
            "name": agent.name,
            "role": agent.role.value,
            "password_hash": password_hash,
            "is_disabled": agent.is_disabled,
            "created_at": agent.created_at,
        }
        return insert_or_ignore(self._connection, agents, row)

    def get(self, agent_id: AgentId) -> Agent | None:
        """The agent, or ``None``."""
        statement = select(agents).where(agents.c.id == agent_id)
        row = self._connection.execute(statement).mappings().one_or_none()
        return None if row is None else _agent_of(row)

    def all(self) -> Sequence[Agent]:
        """Everybody, by username."""
        rows = self._connection.execute(select(agents).order_by(agents.c.username)).mappings()
        return [_agent_of(row) for row in rows]

    def credentials(self, username: str) -> Credentials | None:
        """Who logs in by this name, or ``None``."""
        statement = select(agents).where(agents.c.username == username)
        row = self._connection.execute(statement).mappings().one_or_none()
        return None if row is None else Credentials(_agent_of(row), row["password_hash"])

    def save(self, agent: Agent) -> None:
        """Store a changed agent."""
        self._connection.execute(
            update(agents).where(agents.c.id == agent.id),
            {"name": agent.name, "role": agent.role.value, "is_disabled": agent.is_disabled},
        )

    def set_password(self, agent_id: AgentId, password_hash: str) -> None:
        """Store another password."""
        self._connection.execute(
            update(agents).where(agents.c.id == agent_id), {"password_hash": password_hash}
        )


def _agent_of(row: Mapping[Any, Any]) -> Agent:
    return Agent(
        id=row["id"],
        username=row["username"],
        name=row["name"],
        role=Role(row["role"]),
        created_at=row["created_at"],
        is_disabled=row["is_disabled"],
    )
