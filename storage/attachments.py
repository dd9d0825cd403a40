"""Files that customers and agents sent; their bytes lie in the media folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from bot.fetching import Awaited
from connectors.messages import Attachment, ChannelRef, MediaHandle, MediaState, MessageId
from storage.aftermath import Aftermath
from storage.keyring import Keyring
from storage.tables.messaging import attachments

_FIELDS = ("id", "kind", "mime", "name", "size", "width", "height")
FETCH_LEASE = timedelta(seconds=120)


class AttachmentRows:
    """Attachments by their unguessable id."""

    def __init__(self, connection: Connection, keyring: Keyring, *, aftermath: Aftermath) -> None:
        self._connection = connection
        self._keyring = keyring
        self._aftermath = aftermath

    def add(self, attachment: Attachment, *, owner: str, at: datetime) -> None:
        """Store what is known of a file that ``owner`` (an identity or an agent) sent."""
        values: dict[str, Any] = {name: getattr(attachment, name) for name in _FIELDS}
        self._connection.execute(attachments.insert(), {**values, "owner": owner, "created_at": at})

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

    def await_(
        self,
        attachment: Attachment,
        media: MediaHandle,
        *,
        ref: ChannelRef,
        message_id: MessageId,
        owner: str,
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
                "created_at": at,
                "state": MediaState.PENDING.value,
                "channel": ref.channel,
                "account_id": ref.account_id,
                "message_id": message_id,
                "source": self._keyring.seal(json.dumps(source)),
                "next_at": at,
            },
        )
        self._aftermath.has_media = True

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
