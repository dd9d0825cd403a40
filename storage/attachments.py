"""Files that customers and agents sent; their bytes lie in the media folder."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from connectors.messages import Attachment
from storage.keyring import Keyring
from storage.tables.messaging import attachments

_FIELDS = ("id", "kind", "mime", "name", "size", "width", "height")


class AttachmentRows:
    """Attachments by their unguessable id."""

    def __init__(self, connection: Connection, keyring: Keyring) -> None:  # noqa: ARG002 - one shape for all repositories
        self._connection = connection

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
        return Attachment(**{name: row[name] for name in _FIELDS}), row["owner"]
