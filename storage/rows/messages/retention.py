"""What is old enough to go: found by reading, deleted in small units of work."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, exists, func, null, or_, select, update

from handoff.model.conversation import State
from storage.core.keyring import Keyring
from storage.tables.handoff import reveals
from storage.tables.messaging import (
    attachments,
    conversations,
    customers,
    identities,
    inbound,
    messages,
    outbox,
    secrets,
    segments,
    turns,
)
from storage.tables.shop import deliveries, disclosures, proof_codes, proofs

FORGOTTEN = "已删除的顾客"
"""The name of a customer who wanted to be forgotten."""
PICTURES_OF_KB = "kb"
"""Owner of the knowledge base's own pictures, which are nobody's."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Deletions of one unit.

    Attributes:
        files: Ids of files whose bytes are to be deleted now that no row names them.
    """

    messages: int = 0
    files: tuple[str, ...] = ()


class RetentionRows:
    """Implements ``bot.app.persistence.retention.Old``."""

    def __init__(self, connection: Connection, keyring: Keyring) -> None:  # noqa: ARG002 - one shape for all repositories
        self._connection = connection

    def old_messages(self, before: datetime, limit: int) -> Sequence[str]:
        """Messages of conversations that ended before; what is open keeps all of its own."""
        return self._ids(
            select(messages.c.id)
            .join(segments, segments.c.id == messages.c.segment_id)
            .where(messages.c.at < before, segments.c.closed_at < before)
            .limit(limit)
        )

    def forget_messages(self, ids: Sequence[str]) -> Forgotten:
        """Delete messages with all that hangs on them: secrets, files, reasons, what was sent."""
        rows = self._connection.execute(
            select(messages.c.conversation_id, messages.c.segment_id, messages.c.extra).where(
                messages.c.id.in_(ids)
            )
        ).all()
        extras = [row.extra or {} for row in rows]
        sealed = [str(ref[0]) for extra in extras for ref in extra.get("secrets", ())]
        self._delete(reveals, reveals.c.secret_id, sealed)
        self._delete(secrets, secrets.c.id, sealed)
        named = [str(one["id"]) for extra in extras for one in extra.get("attachments", ())]
        files = self._forget_files(named)
        decided = select(inbound.c.turn_id).where(inbound.c.message_id.in_(ids))
        said = select(messages.c.turn_id).where(messages.c.id.in_(ids))
        self._connection.execute(
            delete(turns).where(or_(turns.c.id.in_(decided), turns.c.id.in_(said)))
        )
        self._delete(inbound, inbound.c.message_id, ids)
        self._delete(outbox, outbox.c.message_id, ids)
        self._delete(messages, messages.c.id, ids)
        self._connection.execute(
            update(segments)
            .where(segments.c.id.in_({row.segment_id for row in rows}))
            .values(csat_comment=None)
        )
        self._forget_empty({row.conversation_id for row in rows})
        return Forgotten(len(rows), files)

    def _forget_empty(self, ids: set[str]) -> None:
        """Of conversations without a message left, forget what was noted of the customer."""
        has_messages = exists().where(messages.c.conversation_id == conversations.c.id)
        empty = select(conversations.c.customer_id).where(
            conversations.c.id.in_(ids),
            conversations.c.state == State.CLOSED.value,
            ~has_messages,
        )
        gone = list(self._connection.execute(empty).scalars())
        self._connection.execute(
            update(conversations)
            .where(conversations.c.id.in_(ids), conversations.c.state == State.CLOSED.value)
            .where(~has_messages)
            .values(summary=null(), memory={})
        )
        self._connection.execute(
            update(identities).where(identities.c.customer_id.in_(gone)).values(contacts=None)
        )

    def _forget_files(self, ids: Sequence[str]) -> tuple[str, ...]:
        ours = self._ids(
            select(attachments.c.id).where(
                attachments.c.id.in_(ids), attachments.c.owner != PICTURES_OF_KB
            )
        )
        self._delete(attachments, attachments.c.id, ours)
        return tuple(ours)

    def loosen_files(self, before: datetime, now: datetime, limit: int) -> int:
        """Let old files go, except those of conversations that are open; how many."""
        kept = {
            str(one["id"])
            for extra in self._connection.execute(
                select(messages.c.extra)
                .join(conversations, conversations.c.segment_id == messages.c.segment_id)
                .where(conversations.c.state != State.CLOSED.value, messages.c.extra.is_not(None))
            ).scalars()
            for one in (extra or {}).get("attachments", ())
        }
        old = self._ids(
            select(attachments.c.id)
            .where(
                attachments.c.created_at < before,
                attachments.c.state == "ready",
                attachments.c.owner != PICTURES_OF_KB,
                attachments.c.loose_until.is_(None),
                attachments.c.id.not_in(kept),
            )
            .limit(limit)
        )
        self._connection.execute(
            update(attachments).where(attachments.c.id.in_(old)).values(loose_until=now)
        )
        return len(old)

    def forget_mails(self, before: datetime) -> int:
        """Delete mails that were dealt with before."""
        return self._connection.execute(
            delete(outbox).where(
                outbox.c.message_id.is_(None),
                outbox.c.state != "pending",
                outbox.c.created_at < before,
            )
        ).rowcount

    def forget_records(self, before: datetime) -> int:
        """Delete what says who proved, was shown or was sent which order before."""
        count = 0
        for table, at in (
            (proofs, proofs.c.proved_at),
            (disclosures, disclosures.c.at),
            (deliveries, deliveries.c.at),
        ):
            count += self._connection.execute(delete(table).where(at < before)).rowcount
        return count

    def identities_of_order(self, number: str) -> Sequence[str]:
        """Channel identities that proved an order, or were shown it."""
        proved = select(proofs.c.identity).where(proofs.c.order_number == number)
        shown = select(disclosures.c.identity).where(disclosures.c.order_number == number)
        return sorted(set(self._ids(proved)) | set(self._ids(shown)))

    def messages_of(self, identity: str, limit: int) -> Sequence[str]:
        """Messages of somebody's conversations, the first ones."""
        whose = select(conversations.c.id).where(*_is_of(identity))
        return self._ids(
            select(messages.c.id).where(messages.c.conversation_id.in_(whose)).limit(limit)
        )

    def counts_of(self, identity: str) -> tuple[int, int]:
        """How many conversations and messages somebody has."""
        whose = select(conversations.c.id).where(*_is_of(identity))
        said = select(func.count()).where(messages.c.conversation_id.in_(whose))
        talks = select(func.count()).select_from(conversations).where(*_is_of(identity))
        return (
            int(self._connection.execute(talks).scalar_one()),
            int(self._connection.execute(said).scalar_one()),
        )

    def forget_identity(self, identity: str) -> Sequence[str]:
        """Forget what is noted of somebody beside their messages; files whose bytes are to go."""
        of = _is_of(identity)
        who = self._ids(select(conversations.c.customer_id).where(*of))
        self._connection.execute(update(conversations).where(*of).values(summary=null(), memory={}))
        self._connection.execute(
            update(identities).where(identities.c.customer_id.in_(who)).values(contacts=None)
        )
        self._connection.execute(
            update(customers).where(customers.c.id.in_(who)).values(name=FORGOTTEN)
        )
        for table in (proofs, proof_codes, disclosures, deliveries):
            self._connection.execute(delete(table).where(table.c.identity == identity))
        return self._forget_files(
            self._ids(select(attachments.c.id).where(attachments.c.owner == identity))
        )

    def known_files(self, ids: Sequence[str]) -> set[str]:
        """Those of these files that a row names."""
        return set(self._ids(select(attachments.c.id).where(attachments.c.id.in_(ids))))

    def _ids(self, statement: Any) -> list[str]:
        return [str(key) for key in self._connection.execute(statement).scalars()]

    def _delete(self, table: Any, column: Any, keys: Iterable[str]) -> None:
        self._connection.execute(delete(table).where(column.in_(list(keys))))


def _is_of(identity: str) -> tuple[ColumnElement[bool], ...]:
    """The conversations of ``channel:account:user``."""
    channel, _, rest = identity.partition(":")
    account, _, user = rest.partition(":")
    return (
        conversations.c.channel == channel,
        conversations.c.account_id == account,
        conversations.c.user_id == user,
    )
