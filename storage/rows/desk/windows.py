"""Reply windows: what a platform still lets us say, counted before it is said."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, func, or_, select, true, update

from connectors.messages import Grant, MessageId, ReplyWindow
from handoff.model.conversation import ConversationId
from handoff.model.windows import SendBudget
from storage.core.dialect import for_update, insert_or_ignore
from storage.core.keyring import Keyring
from storage.tables.messaging import outbox, reply_windows

HELD = datetime(9999, 1, 1, tzinfo=UTC)
"""``next_at`` of what waits in the outbox for the customer's next message."""
RESERVED_FROM = 5
"""Windows of so many sends or more keep some for a person."""

_t = reply_windows.c


class WindowRows:
    """Windows by conversation, the newest first."""

    def __init__(self, connection: Connection, keyring: Keyring) -> None:  # noqa: ARG002 - one shape for all repositories
        self._connection = connection

    def open(self, conversation_id: ConversationId, window: ReplyWindow, now: datetime) -> None:
        """A customer did something that lets us speak; a repeat changes nothing."""
        is_new = insert_or_ignore(
            self._connection,
            reply_windows,
            {
                "conversation_id": conversation_id,
                "key": window.key,
                "data": dict(window.data),
                "opened_at": now,
                "expires_at": window.expires_at,
                "max_replies": window.max_replies,
                "used": 0,
                "is_closed": False,
            },
        )
        if is_new and window.replaces:
            self._connection.execute(
                update(reply_windows)
                .where(
                    _t.conversation_id == conversation_id,
                    _t.key != window.key,
                    ~_t.is_closed,
                )
                .values(is_closed=True)
            )

    def take(
        self, conversation_id: ConversationId, now: datetime, *, reserve: int
    ) -> tuple[int, Grant] | None:
        """Count one send in the newest window that has room; the window's row and the leave.

        Args:
            reserve: How many of a large window are left for others.
        """
        row = self._with_room(conversation_id, now, reserve)
        if row is None:
            return None
        number = row["used"] + 1
        self._connection.execute(
            update(reply_windows).where(_t.id == row["id"]).values(used=number)
        )
        return row["id"], Grant(row["data"], number)

    def has_room(self, conversation_id: ConversationId, now: datetime, *, reserve: int) -> bool:
        """Whether ``take`` would give leave."""
        return self._with_room(conversation_id, now, reserve) is not None

    def _with_room(
        self, conversation_id: ConversationId, now: datetime, reserve: int
    ) -> Mapping[Any, Any] | None:
        statement = (
            select(reply_windows)
            .where(
                _t.conversation_id == conversation_id,
                ~_t.is_closed,
                or_(_t.expires_at.is_(None), _t.expires_at > now),
            )
            .order_by(_t.id.desc())
        )
        for row in self._connection.execute(for_update(self._connection, statement)).mappings():
            limit = row["max_replies"]
            if limit is not None and limit >= RESERVED_FROM:
                limit -= reserve
            if limit is None or row["used"] < limit:
                return row
        return None

    def grant_again(self, window_id: int, number: int) -> Grant:
        """The leave that was given before."""
        data = self._connection.execute(select(_t.data).where(_t.id == window_id)).scalar_one()
        return Grant(data, number)

    def close(self, conversation_id: ConversationId, *, up_to: int | None) -> None:
        """The platform refuses: nothing may be sent until a window opens.

        Args:
            up_to: The window whose leave it refused: those that opened after it stay open.
                ``None``: all are closed.
        """
        self._connection.execute(
            update(reply_windows)
            .where(
                _t.conversation_id == conversation_id,
                ~_t.is_closed,
                true() if up_to is None else _t.id <= up_to,
            )
            .values(is_closed=True)
        )

    def budget(self, conversation_id: ConversationId, now: datetime) -> SendBudget | None:
        """What is left, for the console; ``None`` where the channel does not count."""
        rows = (
            self._connection.execute(
                select(reply_windows)
                .where(_t.conversation_id == conversation_id)
                .order_by(_t.id.desc())
                .limit(20)
            )
            .mappings()
            .all()
        )
        counted = [row for row in rows if row["max_replies"] is not None]
        if not counted:
            return None
        is_open = [
            row
            for row in counted
            if not row["is_closed"]
            and (row["expires_at"] is None or row["expires_at"] > now)
            and row["used"] < row["max_replies"]
        ]
        return SendBudget(
            left=sum(row["max_replies"] - row["used"] for row in is_open),
            total=counted[0]["max_replies"],
            expires_at=max(
                (row["expires_at"] for row in is_open if row["expires_at"] is not None),
                default=None,
            ),
        )

    def held(self, conversation_id: ConversationId) -> frozenset[MessageId]:
        """Messages that wait until the customer writes."""
        found = self._connection.execute(
            select(outbox.c.message_id).where(
                outbox.c.state == "pending",
                outbox.c.next_at == HELD,
                outbox.c.conversation_id == conversation_id,
                outbox.c.message_id.is_not(None),
            )
        )
        return frozenset(MessageId(key) for key in found.scalars())

    def held_counts(self) -> dict[tuple[str, str], int]:
        """How many messages wait until their customer writes, by channel and account."""
        found = self._connection.execute(
            select(outbox.c.channel, outbox.c.account_id, func.count())
            .where(outbox.c.state == "pending", outbox.c.next_at == HELD)
            .group_by(outbox.c.channel, outbox.c.account_id)
        )
        return {(channel, account): int(count) for channel, account, count in found}

    def forget(self, before: datetime) -> int:
        """Drop windows that are long over; how many."""
        gone = self._connection.execute(
            reply_windows.delete().where(_t.opened_at < before, _t.is_closed)
        )
        return int(gone.rowcount)
