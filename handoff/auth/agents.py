"""Agents: the people who answer."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from pydantic import SecretStr
from ulid import ULID

from handoff.auth.passwords import hashed
from handoff.errors import HandoffError
from handoff.model.conversation import AgentId
from handoff.model.ports import Units

_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,31}")
MAX_NAME_CHARS = 40


class Role(StrEnum):
    """What somebody may do; each may do what those before it may."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"

    def includes(self, other: Role) -> bool:
        """Whether this role may do what the other may."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(other)


@dataclass(frozen=True, slots=True)
class Agent:
    """One person.

    Attributes:
        username: Lower case, unique; what is typed at login.
        name: Shown to customers.
    """

    id: AgentId
    username: str
    name: str
    role: Role
    created_at: datetime
    is_disabled: bool = False


@dataclass(frozen=True, slots=True)
class Credentials:
    """An agent and the hash of their password."""

    agent: Agent
    password_hash: str = field(repr=False)


class BadAgent(HandoffError):
    """A name or a username cannot be used; the text says why, in Chinese."""


class Agents(Protocol):
    """Agents, one row each."""

    def add(self, agent: Agent, password_hash: str) -> bool:
        """Store a new agent; ``False`` if the username is taken."""

    def get(self, agent_id: AgentId) -> Agent | None:
        """The agent, or ``None``."""

    def all(self) -> Sequence[Agent]:
        """Everybody, disabled ones too, by username."""

    def credentials(self, username: str) -> Credentials | None:
        """Who logs in by this name, or ``None``."""

    def save(self, agent: Agent) -> None:
        """Store a changed agent."""

    def set_password(self, agent_id: AgentId, password_hash: str) -> None:
        """Store another password."""


class AgentSessions(Protocol):
    """As much of the sessions as disabling an agent needs."""

    def end_all(self, agent_id: AgentId) -> None:
        """End every session of an agent."""


class AgentWork(Protocol):
    """The repositories that managing agents needs."""

    @property
    def agents(self) -> Agents:
        """Who answers."""

    @property
    def sessions(self) -> AgentSessions:
        """Who is logged in."""


def folded_username(username: str) -> str:
    """The username as it is stored and looked up: full width and capitals make no difference."""
    return unicodedata.normalize("NFKC", username).strip().casefold()


async def add_agent(
    units: Units[AgentWork],
    *,
    username: str,
    password: SecretStr,
    name: str = "",
    role: Role = Role.AGENT,
    now: datetime,
) -> Agent:
    """Make somebody able to log in.

    Args:
        name: Shown to customers; the username where it is empty.

    Raises:
        BadAgent: The username is taken or malformed, or the name is too long.
        WeakPassword: The password is too short.
    """
    folded = folded_username(username)
    if not _USERNAME.fullmatch(folded):
        raise BadAgent("用户名要 2–32 位，只用字母、数字、点、下划线和短横线，例如 xiaomei")
    shown = name.strip() or folded
    if len(shown) > MAX_NAME_CHARS:
        raise BadAgent(f"显示名最多 {MAX_NAME_CHARS} 个字")
    agent = Agent(AgentId(str(ULID())), folded, shown, role, now)
    password_hash = await hashed(password)
    if not await units.write(lambda work: work.agents.add(agent, password_hash)):
        raise BadAgent(f"用户名 {folded} 已经有人用了，换一个再试")
    return agent


async def disable_agent(units: Units[AgentWork], username: str) -> Agent:
    """Keep somebody from logging in, and end the sessions they have.

    Raises:
        BadAgent: There is nobody of this name.
    """

    def unit(work: AgentWork) -> Agent | None:
        found = work.agents.credentials(folded_username(username))
        if found is None:
            return None
        agent = replace(found.agent, is_disabled=True)
        work.agents.save(agent)
        work.sessions.end_all(agent.id)
        return agent

    agent = await units.write(unit)
    if agent is None:
        raise BadAgent(f"没有用户名为 {username} 的客服；用 kefu agent list 查看")
    return agent


async def set_password(units: Units[AgentWork], username: str, password: SecretStr) -> Agent:
    """Give somebody another password, and end the sessions that were opened with the old one.

    Raises:
        BadAgent: There is nobody of this name.
        WeakPassword: The password is too short.
    """
    password_hash = await hashed(password)

    def unit(work: AgentWork) -> Agent | None:
        found = work.agents.credentials(folded_username(username))
        if found is None:
            return None
        work.agents.set_password(found.agent.id, password_hash)
        work.sessions.end_all(found.agent.id)
        return found.agent

    agent = await units.write(unit)
    if agent is None:
        raise BadAgent(f"没有用户名为 {username} 的客服；用 kefu agent list 查看")
    return agent
