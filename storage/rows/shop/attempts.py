"""Who looked and tried, and when: what throttles and locks are reckoned from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, or_, select, update

from shop.domain.attempts import Attempt, AttemptKind
from storage.core.dialect import upsert
from storage.core.keyring import Keyring
from storage.tables.shop import attempt_sources, attempts

_RECENT = (
    select(attempts.c.kind, attempts.c.at)
    .where(
        attempts.c.source == bindparam("source"),
        attempts.c.at > bindparam("since"),
        or_(
            attempts.c.kind == AttemptKind.LOOKUP.value,
            attempts.c.subject_blind == bindparam("subject"),
        ),
    )
    .order_by(attempts.c.at, attempts.c.id)
)
_ON_SUBJECT = (
    select(attempts.c.kind, attempts.c.at)
    .where(
        attempts.c.subject_blind == bindparam("subject"),
        attempts.c.kind.in_(bindparam("kinds", expanding=True)),
        attempts.c.source == bindparam("source"),
        attempts.c.at > bindparam("since"),
    )
    .order_by(attempts.c.at, attempts.c.id)
)
_ADD = attempts.insert().returning(attempts.c.id)


class AttemptRows:
    """Implements ``shop.domain.ports.Attempts``."""

    def __init__(self, connection: Connection, keyring: Keyring) -> None:
        self._connection = connection
        self._keyring = keyring

    def _blind(self, subject: str) -> bytes:
        return self._keyring.blind(subject, "attempt")

    def hold(self, sources: Sequence[str], subject: str, now: datetime) -> None:
        """Let no other unit judge these sources, or this subject, until this one ends."""
        # Judging and adding must be one step, or fifty tries at once would all see none before
        # them. Changing a row of the source holds it on every database; sorted, so that two units
        # never wait for each other.
        for key in sorted({*sources, f"on:{self._blind(subject).hex()}"}):
            row = {"source": key, "seen_at": now}
            upsert(self._connection, attempt_sources, row, keys=["source"])

    def recent(self, source: str, subject: str, since: datetime) -> Sequence[Attempt]:
        """All look-ups of a source, and its tries on one subject."""
        rows = self._connection.execute(
            _RECENT, {"source": source, "subject": self._blind(subject), "since": since}
        )
        return [Attempt(AttemptKind(kind), at) for kind, at in rows]

    def on_subject(
        self, kinds: Collection[AttemptKind], source: str, subject: str, since: datetime
    ) -> Sequence[Attempt]:
        """Tries of one source on one subject; no look-ups of others."""
        rows = self._connection.execute(
            _ON_SUBJECT,
            {
                "subject": self._blind(subject),
                "kinds": [kind.value for kind in kinds],
                "source": source,
                "since": since,
            },
        )
        return [Attempt(AttemptKind(kind), at) for kind, at in rows]

    def add(self, kind: AttemptKind, source: str, subject: str, at: datetime) -> int:
        """Record an attempt; its id."""
        row = {
            "kind": kind.value,
            "source": source,
            "subject_blind": self._blind(subject),
            "at": at,
        }
        return int(self._connection.execute(_ADD, row).scalar_one())

    def settle(self, ids: Sequence[int], kind: AttemptKind) -> None:
        """Say what became of tries."""
        self._connection.execute(
            update(attempts).where(attempts.c.id.in_(ids)), {"kind": kind.value}
        )

    def forget(self, before: datetime) -> int:
        """Delete what is too old to count; how many."""
        gone = self._connection.execute(delete(attempts).where(attempts.c.at < before))
        self._connection.execute(delete(attempt_sources).where(attempt_sources.c.seen_at < before))
        return gone.rowcount
