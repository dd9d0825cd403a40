"""Sessions and wrong logins in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, or_, select, update
from ulid import ULID

from handoff.auth.sessions import Session
from handoff.model.conversation import AgentId
from storage.core.keyring import Keyring
from storage.tables.handoff import agents, login_attempts, sessions


class SessionRows:
    """Implements ``handoff.auth.sessions.Sessions``."""

    def __init__(self, connection: Connection, keyring: Keyring) -> None:
        self._connection = connection
        self._keyring = keyring

    def add(self, session: Session) -> None:
        """Store a new session."""
        self._connection.execute(
            sessions.insert(),
            {
                "token_hash": session.token_hash,
                "agent_id": session.agent_id,
                "csrf_token": session.csrf_token,
                "created_at": session.created_at,
                "seen_at": session.seen_at,
            },
        )

    def get(self, token_hash: bytes) -> Session | None:
        """The session of an agent who may still log in, or ``None``."""
        found = self.some([token_hash])
        return found[0] if found else None

    def some(self, token_hashes: Sequence[bytes]) -> Sequence[Session]:
        """Those of these sessions that exist and whose agents may still log in."""
        rows = self._connection.execute(
            select(sessions)
            .join(agents, agents.c.id == sessions.c.agent_id)
            .where(sessions.c.token_hash.in_(token_hashes), agents.c.is_disabled.is_(False))
        ).mappings()
        return [Session(**row) for row in rows]

    def touch(self, token_hash: bytes, at: datetime) -> None:
        """It was used."""
        self._connection.execute(
            update(sessions).where(sessions.c.token_hash == token_hash), {"seen_at": at}
        )

    def end(self, token_hash: bytes) -> None:
        """Log out."""
        self._connection.execute(delete(sessions).where(sessions.c.token_hash == token_hash))

    def end_all(self, agent_id: AgentId) -> None:
        """Log an agent out everywhere."""
        self._connection.execute(delete(sessions).where(sessions.c.agent_id == agent_id))

    def add_attempt(self, username: str, source: str, at: datetime) -> str:
        """Note a try that counts as wrong until it is forgiven; its id."""
        key = str(ULID())
        self._connection.execute(
            login_attempts.insert(),
            {
                "id": key,
                "pair": self._pair(username, source),
                "source": self._source(source),
                "at": at,
            },
        )
        return key

    def forgive(self, attempt_ids: Sequence[str]) -> None:
        """The password was right."""
        self._connection.execute(delete(login_attempts).where(login_attempts.c.id.in_(attempt_ids)))

    def attempts_of_pair(self, username: str, source: str, since: datetime) -> Sequence[datetime]:
        """When this user was tried in vain from this source, the latest first."""
        statement = (
            select(login_attempts.c.at)
            .where(login_attempts.c.pair == self._pair(username, source))
            .where(login_attempts.c.at > since)
            .order_by(login_attempts.c.at.desc())
        )
        return list(self._connection.execute(statement).scalars())

    def attempts_of_source(self, source: str, since: datetime) -> Sequence[datetime]:
        """When anybody was tried in vain from this source, the latest first."""
        statement = (
            select(login_attempts.c.at)
            .where(login_attempts.c.source == self._source(source))
            .where(login_attempts.c.at > since)
            .order_by(login_attempts.c.at.desc())
        )
        return list(self._connection.execute(statement).scalars())

    def forget(
        self, *, attempts_before: datetime, unseen_since: datetime, created_before: datetime
    ) -> None:
        """Drop what counts no longer."""
        self._connection.execute(
            delete(login_attempts).where(login_attempts.c.at < attempts_before)
        )
        self._connection.execute(
            delete(sessions).where(
                or_(sessions.c.seen_at < unseen_since, sessions.c.created_at < created_before)
            )
        )

    def _pair(self, username: str, source: str) -> bytes:
        return self._keyring.blind(f"{username}\0{source}", "login_pair")

    def _source(self, source: str) -> bytes:
        return self._keyring.blind(source, "login_source")
