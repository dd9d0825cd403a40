"""What connectors keep: how far they have read, who may poll, what they did not understand."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, or_, select, update

from connectors.messages import ChannelRef, Checkpoint, Inbound
from storage.core.dialect import insert_or_ignore, upsert
from storage.core.keyring import Keyring
from storage.tables.messaging import checkpoints, leases, raw_inbound


class ChannelRows:
    """Checkpoints, leases and raw payloads."""

    def __init__(self, connection: Connection, keyring: Keyring) -> None:
        self._connection = connection
        self._keyring = keyring

    def checkpoint(self, ref: ChannelRef, name: str) -> str | None:
        """How far an account was read; ``None`` at its first start."""
        found: str | None = self._connection.execute(
            select(checkpoints.c.value).where(
                checkpoints.c.channel == ref.channel,
                checkpoints.c.account_id == ref.account_id,
                checkpoints.c.name == name,
            )
        ).scalar()
        return found

    def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Remember how far an account was read."""
        row = {
            "channel": checkpoint.ref.channel,
            "account_id": checkpoint.ref.account_id,
            "name": checkpoint.name,
            "value": checkpoint.value,
        }
        upsert(self._connection, checkpoints, row, keys=["channel", "account_id", "name"])

    def hold_lease(self, name: str, holder: str, now: datetime, for_s: float) -> bool:
        """Take or prolong a lease; ``False`` while somebody else's lasts."""
        until = now + timedelta(seconds=for_s)
        row = {"name": name, "holder": holder, "until": until}
        if insert_or_ignore(self._connection, leases, row):
            return True
        taken = self._connection.execute(
            update(leases)
            .where(leases.c.name == name, or_(leases.c.holder == holder, leases.c.until <= now))
            .values(holder=holder, until=until)
        )
        return taken.rowcount == 1

    def release_lease(self, name: str, holder: str) -> None:
        """Give a lease back; nothing if it is somebody else's."""
        self._connection.execute(
            delete(leases).where(leases.c.name == name, leases.c.holder == holder)
        )

    def keep_raw(self, message: Inbound) -> bool:
        """Keep a payload that nobody understood; ``False`` if it is here already."""
        ref = message.address.ref
        payload = (message.raw or b"")[:20_000].decode("utf-8", "replace")
        return insert_or_ignore(
            self._connection,
            raw_inbound,
            {
                "channel": ref.channel,
                "account_id": ref.account_id,
                "dedup_key": message.dedup_key,
                "received_at": message.received_at,
                "sealed": self._keyring.seal(payload),
            },
        )

    def forget_raw(self, before: datetime) -> int:
        """Drop old payloads; how many."""
        gone = self._connection.execute(
            delete(raw_inbound).where(raw_inbound.c.received_at < before)
        )
        return int(gone.rowcount)
