"""Files that customers and agents sent; their bytes lie in the media folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select, update

from connectors.messages import Attachment, ChannelRef, MediaHandle, MediaState, MessageId
from handoff.model.attachments import Awaited, Usage
from storage.core.after_commit import AfterCommit
from storage.core.keyring import Keyring
from storage.tables.messaging import attachments

_FIELDS = ("id", "kind", "mime", "name", "size", "width", "height")
FETCH_LEASE = timedelta(seconds=120)


class AttachmentRows:
    """Attachments by their unguessable id."""

    def __init__(
        self, connection: Connection, keyring: Keyring, *, after_commit: AfterCommit
    ) -> None:
        self._connection = connection
        self._keyring = keyring
        self._after_commit = after_commit

    def add(
        self,
        attachment: Attachment,
        *,
        owner: str,
        at: datetime,
        source: str | None = None,
        loose_until: datetime | None = None,
    ) -> None:
        """Store what is known of a file that ``owner`` (an identity or an agent) sent.

        Args:
            source: The network that it came from, where that is known.
            loose_until: When it goes unless a message carries it; ``None`` for never.
        """
        values: dict[str, Any] = {name: getattr(attachment, name) for name in _FIELDS}
        values |= {
            "owner": owner,
            "created_at": at,
            "sent_from": source,
            "loose_until": loose_until,
        }
        self._connection.execute(attachments.insert(), values)

    def attach(self, ids: Sequence[str]) -> None:
        """A message carries them: they stay."""
        self._connection.execute(
            update(attachments)
            .where(attachments.c.id.in_(ids), attachments.c.state == MediaState.READY.value)
            .values(loose_until=None)
        )

    def used(self, *, owner: str, since: datetime) -> Usage:
        """What an owner sent since then, deleted or not."""
        return self._usage(attachments.c.owner == owner, since)

    def used_by_source(self, source: str, since: datetime) -> Usage:
        """What came from a source since then, deleted or not."""
        return self._usage(attachments.c.sent_from == source, since)

    def _usage(self, whose: ColumnElement[bool], since: datetime) -> Usage:
        # what is still to be fetched has no size yet, and what was not fetched took no room
        kept = (MediaState.READY.value, MediaState.EXPIRED.value)
        files, size = self._connection.execute(
            select(func.count(), func.coalesce(func.sum(attachments.c.size), 0)).where(
                whose, attachments.c.created_at > since, attachments.c.state.in_(kept)
            )
        ).one()
        return Usage(int(files), int(size))

    def total_size(self) -> int:
        """Bytes of all files that lie here."""
        total = self._connection.execute(
            select(func.sum(attachments.c.size)).where(
                attachments.c.state == MediaState.READY.value
            )
        ).scalar_one()
        return int(total or 0)

    def expire(self, now: datetime, limit: int) -> Sequence[str]:
        """Mark uploads whose time is over; those whose bytes may still lie here."""
        due = (
            select(attachments.c.id)
            .where(attachments.c.loose_until <= now)
            .order_by(attachments.c.loose_until)
            .limit(limit)
        )
        gone = list(self._connection.execute(due).scalars())
        self._connection.execute(
            update(attachments)
            .where(attachments.c.id.in_(gone))
            .values(state=MediaState.EXPIRED.value)
        )
        return gone

    def deleted(self, ids: Sequence[str]) -> None:
        """Their bytes are gone."""
        self._connection.execute(
            update(attachments).where(attachments.c.id.in_(ids)).values(loose_until=None)
        )

    def get(self, attachment_id: str) -> tuple[Attachment, str] | None:
        """The attachment and its owner, or ``None``."""
        row = (
            self._connection.execute(select(attachments).where(attachments.c.id == attachment_id))
            .mappings()
            .one_or_none()
        )
        if row is None:
            return None
        found = {name: row[name] for name in _FIELDS}
        return Attachment(**found, state=MediaState(row["state"])), row["owner"]

    def add_pending(
        self,
        attachment: Attachment,
        media: MediaHandle,
        *,
        ref: ChannelRef,
        message_id: MessageId,
        owner: str,
        sent_from: str,
        at: datetime,
    ) -> None:
        """Note a file that lies with a platform and is to be fetched."""
        source = {"kind": media.kind, "handle": dict(media.handle), "name": media.name}
        values: dict[str, Any] = {name: getattr(attachment, name) for name in _FIELDS}
        self._connection.execute(
            attachments.insert(),
            {
                **values,
                "owner": owner,
                "sent_from": sent_from,
                "created_at": at,
                "state": MediaState.PENDING.value,
                "channel": ref.channel,
                "account_id": ref.account_id,
                "message_id": message_id,
                "source": self._keyring.seal(json.dumps(source)),
                "next_at": at,
            },
        )
        self._after_commit.has_media = True

    def claim(self, now: datetime, limit: int) -> Sequence[Awaited]:
        """Take files that are due, for a while."""
        # longer than the lease: written by a clock that has been set back since
        self._connection.execute(
            update(attachments)
            .where(attachments.c.state == "pending", attachments.c.next_at > now + FETCH_LEASE)
            .values(next_at=now)
        )
        rows = (
            self._connection.execute(
                select(attachments)
                .where(attachments.c.state == "pending", attachments.c.next_at <= now)
                .order_by(attachments.c.next_at)
                .limit(limit)
            )
            .mappings()
            .all()
        )
        taken = []
        for row in rows:
            self._set(row["id"], attempts=row["attempts"] + 1, next_at=now + FETCH_LEASE)
            source = json.loads(self._keyring.open(row["source"]))
            taken.append(
                Awaited(
                    attachment=Attachment(
                        **{name: row[name] for name in _FIELDS}, state=MediaState.PENDING
                    ),
                    media=MediaHandle(
                        source["kind"], source["handle"], source["name"], row["mime"], row["size"]
                    ),
                    ref=ChannelRef(row["channel"], row["account_id"]),
                    message_id=MessageId(row["message_id"]),
                    attempts=row["attempts"] + 1,
                    owner=row["owner"],
                    source=row["sent_from"],
                )
            )
        return taken

    def settle(self, attachment: Attachment) -> None:
        """It is here, or it never will be: where it lay is forgotten."""
        values = {name: getattr(attachment, name) for name in _FIELDS if name != "id"}
        self._set(attachment.id, **values, state=attachment.state.value, source=None, next_at=None)

    def postpone(self, attachment_id: str, next_at: datetime) -> None:
        """Try again later."""
        self._set(attachment_id, next_at=next_at)

    def _set(self, key: str, **values: Any) -> None:
        self._connection.execute(
            update(attachments).where(attachments.c.id == key).values(**values)
        )
