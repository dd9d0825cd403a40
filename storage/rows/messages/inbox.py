"""What came in, each once, and the turn that dealt with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from connectors.messages import Inbound, InboundKind, MessageId, Receipt
from handoff.model.conversation import ConversationId
from handoff.model.inbound import Pending
from storage.core.dialect import insert_new
from storage.core.keyring import Keyring
from storage.rows.messages.messages import MessageRows
from storage.rows.messages.secrets import SecretRows
from storage.tables.messaging import inbound, messages

_PENDING = (
    select(inbound)
    .where(inbound.c.conversation_id == bindparam("conversation"), inbound.c.turn_id.is_(None))
    # where deliveries may overtake each other, the platform's own order counts
    .order_by(func.coalesce(inbound.c.order_hint, ""), inbound.c.id)
    .limit(50)
)
_RECEIPT = (
    select(inbound.c.message_id, inbound.c.conversation_id, messages.c.seq)
    .join(messages, messages.c.id == inbound.c.message_id)
    .where(
        inbound.c.channel == bindparam("channel"),
        inbound.c.account_id == bindparam("account"),
        inbound.c.dedup_key == bindparam("dedup"),
    )
)
_ASSIGN = (
    update(inbound)
    .where(inbound.c.id == bindparam("key"), inbound.c.turn_id.is_(None))
    .values(turn_id=bindparam("turn"))
)


NO_TURN = "event"
"""Stands where a turn's id would, in rows of what needs no answer."""


class InboxRows:
    """Implements ``handoff.model.inbound.Inbox``."""

    def __init__(self, connection: Connection, keyring: Keyring) -> None:
        self._connection = connection
        self._messages = MessageRows(connection, keyring)
        self._secrets = SecretRows(connection, keyring)

    def record(
        self,
        message: Inbound,
        conversation_id: ConversationId,
        message_id: MessageId,
        *,
        needs_turn: bool = True,
    ) -> int | None:
        """Store it; its row, or ``None`` if the channel delivered it before."""
        data: dict[str, Any] = {
            "sources": list(message.sources),
            "button": message.button,
            "button_of": message.button_of,
            "score": message.score,
            "locale": message.locale,
            "unreadable": message.is_unreadable,
            "album": message.album,
        }
        row = insert_new(
            self._connection,
            inbound,
            {
                "channel": message.address.ref.channel,
                "account_id": message.address.ref.account_id,
                "dedup_key": message.dedup_key,
                "conversation_id": conversation_id,
                "message_id": message_id,
                "kind": message.kind.value,
                "received_at": message.received_at,
                "order_hint": message.order_hint,
                "turn_id": None if needs_turn else NO_TURN,
                "data": {key: value for key, value in data.items() if value},
            },
        )
        return None if row is None else int(row)

    def pressed_since(
        self, conversation_id: ConversationId, button: str, button_of: str, since: datetime
    ) -> bool:
        """Whether the same button of the same message was pressed since then."""
        rows = self._connection.execute(
            select(inbound.c.data).where(
                inbound.c.conversation_id == conversation_id,
                inbound.c.kind == InboundKind.BUTTON.value,
                inbound.c.received_at >= since,
            )
        ).scalars()
        return any(
            data.get("button") == button and data.get("button_of") == button_of for data in rows
        )

    def receipt(self, message: Inbound) -> Receipt | None:
        """The receipt given when it first came; ``None`` if it never did."""
        row = self._connection.execute(
            _RECEIPT,
            {
                "channel": message.address.ref.channel,
                "account": message.address.ref.account_id,
                "dedup": message.dedup_key,
            },
        ).one_or_none()
        if row is None:
            return None
        return Receipt(message.dedup_key, row[0], row[1], row[2], is_new=False)

    def pending(self, conversation_id: ConversationId) -> Sequence[Pending]:
        """What has had no turn yet, in the order in which it came; at most 50."""
        rows = self._connection.execute(_PENDING, {"conversation": conversation_id})
        found = []
        for row in rows.mappings().all():
            message = self._messages.get(row["message_id"])
            assert message is not None, "an inbound row without its message"  # noqa: S101 - a foreign key in spirit
            found.append(
                Pending(
                    id=row["id"],
                    kind=InboundKind(row["kind"]),
                    message=message,
                    text=self._secrets.fill(message.text, message.secrets),
                    quoted=self._secrets.fill(message.quoted, message.secrets),
                    received_at=row["received_at"],
                    sources=tuple(row["data"].get("sources", ())),
                    button=row["data"].get("button"),
                    button_of=row["data"].get("button_of"),
                    score=row["data"].get("score"),
                    is_unreadable=row["data"].get("unreadable", False),
                    album=row["data"].get("album"),
                )
            )
        return found

    def unanswered(self) -> Sequence[ConversationId]:
        """Conversations in which something has had no turn: after a crash, where to go on."""
        rows = self._connection.execute(
            select(inbound.c.conversation_id)
            .where(inbound.c.turn_id.is_(None))
            .group_by(inbound.c.conversation_id)
            .order_by(func.min(inbound.c.id))
        )
        return [ConversationId(key) for key in rows.scalars()]

    def begin(self, ids: Sequence[int]) -> int:
        """Count one more start of a turn for these rows; the most that one of them has now."""
        these = inbound.c.id.in_(ids)
        self._connection.execute(
            update(inbound).where(these).values(attempts=inbound.c.attempts + 1)
        )
        return int(
            self._connection.execute(select(func.max(inbound.c.attempts)).where(these)).scalar_one()
        )

    def assign(self, ids: Sequence[int], turn_id: str) -> bool:
        """Give inbound rows to a turn; ``False`` if one of them had a turn already."""
        given = 0
        for key in ids:
            result = self._connection.execute(_ASSIGN, {"key": key, "turn": turn_id})
            given += result.rowcount
        return given == len(ids)
