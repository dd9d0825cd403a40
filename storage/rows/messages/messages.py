"""The transcript in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, desc, func, select, update

from connectors.messages import Attachment, Button, MediaState, MessageId
from handoff.model.conversation import ConversationId
from handoff.model.transcript import (
    Author,
    DeliveryState,
    Message,
    MessageKind,
    SecretRef,
    TurnReasons,
)
from storage.core.keyring import Keyring
from storage.tables.messaging import conversations, inbound, messages, outbox, turns

# Where a message stands is told by its outbox row, and a customer's turn by its inbound row:
# nothing is written twice.
_MESSAGES = (
    select(
        messages,
        outbox.c.state.label("delivery"),
        outbox.c.error.label("delivery_error"),
        func.coalesce(messages.c.turn_id, inbound.c.turn_id).label("of_turn"),
    )
    .select_from(messages)
    .outerjoin(outbox, outbox.c.message_id == messages.c.id)
    .outerjoin(inbound, inbound.c.message_id == messages.c.id)
)
# Built once: building a statement costs more than running it on SQLite.
_BY_ID = _MESSAGES.where(messages.c.id == bindparam("key"))
_BY_CLIENT_ID = _MESSAGES.where(
    messages.c.conversation_id == bindparam("conversation"),
    messages.c.client_id == bindparam("client"),
)
_AFTER = (
    _MESSAGES.where(
        messages.c.conversation_id == bindparam("conversation"),
        messages.c.seq > bindparam("seq"),
    )
    .order_by(messages.c.seq)
    .limit(bindparam("limit"))
)
_BEFORE = (
    _MESSAGES.where(
        messages.c.conversation_id == bindparam("conversation"),
        messages.c.seq < bindparam("seq"),
    )
    .order_by(desc(messages.c.seq))
    .limit(bindparam("limit"))
)
_INSERT = messages.insert()
_DELIVERY = {"unknown": DeliveryState.FAILED}


class MessageRows:
    """Implements ``handoff.model.ports.Messages``."""

    def __init__(self, connection: Connection, keyring: Keyring) -> None:  # noqa: ARG002 - one shape for all repositories
        self._connection = connection

    def add(self, message: Message) -> None:
        """Store a message."""
        extra: dict[str, Any] = {}
        if message.secrets:
            extra["secrets"] = [[ref.id, ref.mask, ref.kind] for ref in message.secrets]
        if message.quoted:
            extra["quoted"] = message.quoted
        if message.buttons:
            extra["buttons"] = [[button.id, button.label] for button in message.buttons]
        if message.attachments:
            extra["attachments"] = [
                _attachment_values(attachment) for attachment in message.attachments
            ]
        self._connection.execute(
            _INSERT,
            {
                "id": message.id,
                "conversation_id": message.conversation_id,
                "segment_id": message.segment_id,
                "seq": message.seq,
                "author": message.author.value,
                "kind": message.kind.value,
                "at": message.at,
                "text": message.text,
                "author_id": message.author_id,
                "author_name": message.author_name,
                "client_id": message.client_id,
                "turn_id": message.turn_id,
                "epoch": message.epoch,
                "extra": extra or None,
            },
        )

    def replace_attachment(self, message_id: MessageId, attachment: Attachment) -> None:
        """A file of a message has arrived, or never will."""
        extra = dict(
            self._connection.execute(
                select(messages.c.extra).where(messages.c.id == message_id)
            ).scalar_one()
            or {}
        )
        extra["attachments"] = [
            _attachment_values(attachment) if one["id"] == attachment.id else one
            for one in extra.get("attachments", ())
        ]
        self._connection.execute(
            update(messages).where(messages.c.id == message_id).values(extra=extra)
        )

    def requote(self, message_id: MessageId, quoted: str, secrets: Sequence[SecretRef]) -> None:
        """Replace what a line answers, and what all its placeholders stand for."""
        extra = self._connection.execute(
            select(messages.c.extra).where(messages.c.id == message_id)
        ).scalar_one()
        refs = [[ref.id, ref.mask, ref.kind] for ref in secrets]
        kept = {**(extra or {}), "secrets": refs, "quoted": quoted}
        self._connection.execute(
            update(messages).where(messages.c.id == message_id).values(extra=kept)
        )

    def retext(self, message_id: MessageId, text: str, secrets: Sequence[SecretRef]) -> None:
        """Replace a line's stored text, and what its placeholders stand for."""
        extra = self._connection.execute(
            select(messages.c.extra).where(messages.c.id == message_id)
        ).scalar_one()
        kept = {**(extra or {}), "secrets": [[ref.id, ref.mask, ref.kind] for ref in secrets]}
        self._connection.execute(
            update(messages).where(messages.c.id == message_id).values(text=text, extra=kept)
        )

    def _many(self, statement: Select[Any], parameters: Mapping[str, Any]) -> list[Message]:
        rows = self._connection.execute(statement, parameters).mappings().all()
        turn_ids = {row["of_turn"] for row in rows if row["of_turn"]}
        reasons = self._reasons(turn_ids) if turn_ids else {}
        return [_message_of(row, reasons) for row in rows]

    def _reasons(self, turn_ids: set[str]) -> dict[str, TurnReasons]:
        found = self._connection.execute(
            select(turns.c.id, turns.c.reasons).where(turns.c.id.in_(turn_ids))
        )
        return {
            turn_id: TurnReasons(
                **{
                    **stored,
                    "turn_id": turn_id,
                    "actions": tuple(stored["actions"]),
                    "candidates": tuple(stored["candidates"]),
                }
            )
            for turn_id, stored in found
        }

    def get(self, message_id: MessageId) -> Message | None:
        """The message, or ``None``."""
        found = self._many(_BY_ID, {"key": message_id})
        return found[0] if found else None

    def by_client_id(self, conversation_id: ConversationId, client_id: str) -> Message | None:
        """The message that its sender named so."""
        found = self._many(_BY_CLIENT_ID, {"conversation": conversation_id, "client": client_id})
        return found[0] if found else None

    def after(self, conversation_id: ConversationId, seq: int, limit: int) -> Sequence[Message]:
        """Messages with a greater place, ascending."""
        parameters = {"conversation": conversation_id, "seq": seq, "limit": limit}
        return self._many(_AFTER, parameters)

    def before(self, conversation_id: ConversationId, seq: int, limit: int) -> Sequence[Message]:
        """The last messages with a smaller place, ascending."""
        parameters = {"conversation": conversation_id, "seq": seq, "limit": limit}
        return self._many(_BEFORE, parameters)[::-1]

    def last(self, conversation_ids: Sequence[ConversationId]) -> dict[ConversationId, Message]:
        """The newest message of each that is no note."""
        newest = (
            select(messages.c.conversation_id, func.max(messages.c.seq).label("seq"))
            .where(
                messages.c.conversation_id.in_(conversation_ids),
                messages.c.kind != MessageKind.NOTE.value,
            )
            .group_by(messages.c.conversation_id)
            .subquery()
        )
        statement = _MESSAGES.join(
            newest,
            and_(
                newest.c.conversation_id == messages.c.conversation_id,
                newest.c.seq == messages.c.seq,
            ),
        )
        return {message.conversation_id: message for message in self._many(statement, {})}

    def unread(self, conversation_ids: Sequence[ConversationId]) -> dict[ConversationId, int]:
        """How many of the customer's messages nobody has read."""
        rows = self._connection.execute(
            select(messages.c.conversation_id, func.count())
            .select_from(messages)
            .join(conversations, conversations.c.id == messages.c.conversation_id)
            .where(
                messages.c.conversation_id.in_(conversation_ids),
                messages.c.author == Author.CUSTOMER.value,
                messages.c.seq > conversations.c.read_seq,
            )
            .group_by(messages.c.conversation_id)
        )
        return {ConversationId(key): int(count) for key, count in rows}


def _message_of(row: Mapping[Any, Any], reasons: Mapping[str, TurnReasons]) -> Message:
    extra = row["extra"] or {}
    state = row["delivery"]
    return Message(
        id=row["id"],
        conversation_id=row["conversation_id"],
        segment_id=row["segment_id"],
        seq=row["seq"],
        author=Author(row["author"]),
        at=row["at"],
        kind=MessageKind(row["kind"]),
        text=row["text"],
        quoted=extra.get("quoted", ""),
        author_id=row["author_id"],
        author_name=row["author_name"],
        client_id=row["client_id"],
        turn_id=row["of_turn"],
        epoch=row["epoch"],
        secrets=tuple(SecretRef(*one) for one in extra.get("secrets", ())),
        buttons=tuple(Button(*one) for one in extra.get("buttons", ())),
        attachments=tuple(map(_attachment_of, extra.get("attachments", ()))),
        delivery=(_DELIVERY.get(state) or DeliveryState(state)) if state else DeliveryState.NONE,
        delivery_error=row["delivery_error"],
        reasons=reasons.get(row["of_turn"]),
    )


def _attachment_values(attachment: Attachment) -> dict[str, Any]:
    return {
        "id": attachment.id,
        "kind": attachment.kind,
        "mime": attachment.mime,
        "size": attachment.size,
        "name": attachment.name,
        "width": attachment.width,
        "height": attachment.height,
        **({} if attachment.state is MediaState.READY else {"state": attachment.state.value}),
    }


def _attachment_of(stored: Mapping[str, Any]) -> Attachment:
    state = MediaState(stored.get("state", MediaState.READY.value))
    return Attachment(**{**stored, "state": state})
