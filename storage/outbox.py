"""What is to be sent, and where each stands."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import LABEL_STYLE_TABLENAME_PLUS_COL, Connection, bindparam, exists, select, update
from ulid import ULID

from connectors.delivery import Dispatch
from connectors.messages import Address, ChannelRef, MessageId, Outbound
from handoff.conversation import Conversation, ConversationId
from handoff.events import EventKind
from handoff.transcript import Message
from storage.aftermath import Aftermath
from storage.conversations import conversation_of
from storage.dialect import insert_or_ignore
from storage.events import EventRows
from storage.keyring import Keyring
from storage.messages import MessageRows
from storage.secrets import SecretRows
from storage.tables.messaging import conversations, outbox

LEASE_S = 30
"""A row that this process took and did not finish is taken again after so long."""
MAIL = ChannelRef("mail", "smtp")

_INSERT = outbox.insert()
_SENT = (
    update(outbox)
    .where(outbox.c.id == bindparam("key"))
    .values(state="sent", sent_at=bindparam("at"), error=None)
)


class OutboxRows:
    """Implements ``handoff.ports.Outbox`` and ``connectors.delivery.Outbox``."""

    def __init__(
        self,
        connection: Connection,
        keyring: Keyring,
        *,
        secrets: SecretRows,
        events: EventRows,
        aftermath: Aftermath,
    ) -> None:
        self._connection = connection
        self._keyring = keyring
        self._secrets = secrets
        self._events = events
        self._aftermath = aftermath

    def add(self, message: Message, conversation: Conversation) -> None:
        """Queue a message; it is handed to delivery as soon as this unit is committed."""
        key = str(ULID())
        self._connection.execute(
            _INSERT,
            {
                "id": key,
                "message_id": message.id,
                "conversation_id": conversation.id,
                "channel": conversation.address.ref.channel,
                "account_id": conversation.address.ref.account_id,
                "seq": message.seq,
                "epoch": message.epoch,
                "state": "pending",
                "attempts": 1,
                "next_at": message.at + timedelta(seconds=LEASE_S),
                "created_at": message.at,
            },
        )
        self._aftermath.dispatches.append(
            Dispatch(self._outbound(key, message, conversation.address), conversation.id, 1)
        )

    def add_mail(
        self,
        conversation_id: ConversationId,
        *,
        key: str,
        to: str,
        subject: str,
        body: str,
        at: datetime,
    ) -> bool:
        """Queue a mail; ``False`` if one with this idempotency key was queued before."""
        outbox_id = str(ULID())
        sealed = self._keyring.seal(json.dumps({"to": to, "subject": subject, "body": body}))
        is_new = insert_or_ignore(
            self._connection,
            outbox,
            {
                "id": outbox_id,
                "conversation_id": conversation_id,
                "channel": MAIL.channel,
                "account_id": MAIL.account_id,
                "seq": 0,
                "state": "pending",
                "attempts": 1,
                "next_at": at + timedelta(seconds=LEASE_S),
                "created_at": at,
                "mail_key": key,
                "mail": sealed,
            },
        )
        if is_new:
            mail = {"to": to, "subject": subject, "body": body}
            self._aftermath.dispatches.append(
                Dispatch(_mail(outbox_id, mail, at), conversation_id, 1)
            )
        return is_new

    def retry(self, message_id: MessageId) -> bool:
        """Queue a failed message again."""
        row = (
            self._connection.execute(select(outbox).where(outbox.c.message_id == message_id))
            .mappings()
            .one_or_none()
        )
        if row is None or row["state"] not in {"failed", "unknown"}:
            return False
        self._connection.execute(
            update(outbox).where(outbox.c.id == row["id"]),
            {"state": "pending", "attempts": 0, "next_at": row["created_at"], "error": None},
        )
        self._events.add(
            EventKind.MESSAGE_CHANGED,
            row["conversation_id"],
            row["created_at"],
            message_id=message_id,
        )
        return True

    def claim(self, now: datetime, limit: int) -> Sequence[Dispatch]:
        """Take what is due, the oldest of each conversation first, for ``LEASE_S`` seconds.

        A bot's message whose conversation has another owner since is cancelled instead: nothing of
        the bot may be sent after a person took over.
        """
        earlier = outbox.alias("earlier")
        rows = self._connection.execute(
            select(outbox, conversations)
            .join(conversations, conversations.c.id == outbox.c.conversation_id)
            .where(
                outbox.c.state == "pending",
                outbox.c.next_at <= now,
                # one that waits for its retry holds back those behind it
                ~exists().where(
                    earlier.c.conversation_id == outbox.c.conversation_id,
                    earlier.c.channel == outbox.c.channel,
                    earlier.c.state == "pending",
                    earlier.c.next_at > now,
                    earlier.c.seq < outbox.c.seq,
                ),
            )
            .order_by(outbox.c.created_at, outbox.c.seq)
            .limit(limit)
            .set_label_style(LABEL_STYLE_TABLENAME_PLUS_COL)
        ).mappings()
        taken = []
        for row in rows.all():
            mine = {name[7:]: row[name] for name in row if str(name).startswith("outbox_")}
            theirs = {
                str(name)[14:]: row[name] for name in row if str(name).startswith("conversations_")
            }
            if mine["epoch"] is not None and mine["epoch"] != theirs["owner_epoch"]:
                self._set(mine["id"], state="cancelled", error="somebody else owns it now")
                self._changed(mine, now)
                continue
            attempts = mine["attempts"] + 1
            self._set(mine["id"], attempts=attempts, next_at=now + timedelta(seconds=LEASE_S))
            outbound = self._rebuild(mine, theirs)
            taken.append(Dispatch(outbound, mine["conversation_id"], attempts))
        return taken

    def release(self, now: datetime) -> None:
        """At start, with no other process: what a dead one had taken is due at once."""
        self._connection.execute(
            update(outbox).where(outbox.c.state == "pending").values(next_at=now)
        )

    def sent(self, ids: Sequence[str], at: datetime) -> None:
        """Mark as taken by the platform."""
        self._connection.execute(_SENT, [{"key": key, "at": at} for key in ids])

    def postpone(self, ids: Sequence[str], next_at: datetime, error: str) -> None:
        """Try again later."""
        for key in ids:
            self._set(key, next_at=next_at, error=error[:200])

    def fail(self, outbox_id: str, now: datetime, error: str, *, is_unknown: bool = False) -> None:
        """Give up loudly: the console shows it, with a button to try again."""
        state = "unknown" if is_unknown else "failed"
        self._set(outbox_id, state=state, error=error[:200])
        row = (
            self._connection.execute(select(outbox).where(outbox.c.id == outbox_id))
            .mappings()
            .one()
        )
        self._changed(row, now)

    def _set(self, key: str, **values: Any) -> None:
        self._connection.execute(update(outbox).where(outbox.c.id == key), values)

    def _changed(self, row: Mapping[Any, Any], now: datetime) -> None:
        self._events.add(
            EventKind.MESSAGE_CHANGED, row["conversation_id"], now, message_id=row["message_id"]
        )

    def _outbound(self, key: str, message: Message, address: Address) -> Outbound:
        return Outbound(
            outbox_id=key,
            address=address,
            message_id=message.id,
            seq=message.seq,
            text=self._secrets.fill(message.text, message.secrets),
            author=message.author.value,
            author_name=message.author_name,
            at=message.at,
            kind=message.kind.value,
            buttons=message.buttons,
            attachments=message.attachments,
        )

    def _rebuild(self, row: Mapping[str, Any], conversation: Mapping[str, Any]) -> Outbound:
        if row["mail"] is not None:
            return _mail(row["id"], json.loads(self._keyring.open(row["mail"])), row["created_at"])
        message = MessageRows(self._connection, self._keyring).get(row["message_id"])
        assert message is not None, "an outbox row without its message"  # noqa: S101 - a foreign key in spirit
        return self._outbound(row["id"], message, conversation_of(conversation).address)


def _mail(key: str, mail: Mapping[str, str], at: datetime) -> Outbound:
    return Outbound(
        outbox_id=key,
        address=Address(MAIL, peer_id=mail["to"], user_id=mail["to"]),
        message_id=MessageId(key),
        seq=0,
        text=mail["body"],
        subject=mail["subject"],
        author="system",
        at=at,
        kind="mail",
    )
