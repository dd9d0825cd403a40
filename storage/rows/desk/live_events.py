"""The log of changes in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, select

from handoff.model.conversation import ConversationId
from handoff.model.live_events import LiveEvent, LiveEventKind
from storage.core.after_commit import AfterCommit
from storage.tables.messaging import events

_INSERT = events.insert()


class LiveEventRows:
    """Implements ``handoff.model.ports.LiveEvents``."""

    def __init__(self, connection: Connection, after_commit: AfterCommit) -> None:
        self._connection = connection
        self._after_commit = after_commit
        self._fresh: list[dict[str, Any]] = []

    def add(
        self,
        kind: LiveEventKind,
        conversation_id: ConversationId,
        at: datetime,
        *,
        message_id: str | None = None,
        detail: str | None = None,
    ) -> None:
        """Append a change; all of a unit are written together at its end (``flush``)."""
        self._fresh.append(
            {
                "kind": kind.value,
                "conversation_id": conversation_id,
                "at": at,
                "message_id": message_id,
                "detail": detail,
            }
        )

    def flush(self) -> None:
        """Write what was appended, in its order."""
        if self._fresh:
            self._connection.execute(_INSERT, self._fresh)
            self._fresh = []
            self._after_commit.has_events = True

    def after(self, cursor: int, limit: int) -> Sequence[LiveEvent]:
        """Events with a greater id, ascending."""
        rows = self._connection.execute(
            select(events).where(events.c.id > cursor).order_by(events.c.id).limit(limit)
        ).mappings()
        return [LiveEvent(**{**row, "kind": LiveEventKind(row["kind"])}) for row in rows]

    def cursor(self) -> int:
        """Id of the newest event."""
        return int(self._connection.execute(select(func.max(events.c.id))).scalar() or 0)

    def latest_at(self) -> datetime | None:
        """Return the time of the newest event; ``None`` before the first."""
        newest = select(events.c.at).order_by(events.c.id.desc()).limit(1)
        return self._connection.execute(newest).scalar()

    def oldest(self) -> int:
        """Id of the oldest event that is kept."""
        return int(self._connection.execute(select(func.min(events.c.id))).scalar() or 0)

    def forget(self, before: datetime) -> int:
        """Drop events older than ``before``; how many went."""
        return self._connection.execute(delete(events).where(events.c.at < before)).rowcount
