"""Sealed values that message texts point to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select
from ulid import ULID

from handoff.model.conversation import ConversationId
from handoff.model.transcript import PLACEHOLDER, SecretRef
from storage.core.keyring import Keyring
from storage.tables.messaging import secrets

HIDDEN = "••••"
PROOFS = frozenset({"password", "proof"})
"""Kinds of what is typed to prove something."""
_VISIBLE = 2
_SHORTEST_SHOWN = 8


def mask(value: str) -> str:
    """First and last two characters and a middle of fixed length; short values show nothing.

    Source: kefu's rule for logs, summaries and consoles: a mask must not tell the length either.

    >>> mask("STAR-7KQ2-M8XD")
    'ST••••XD'
    >>> mask("1234")
    '••••'
    """
    compact = value.strip()
    if len(compact) < _SHORTEST_SHOWN:
        return HIDDEN
    return f"{compact[:_VISIBLE]}••••{compact[-_VISIBLE:]}"


class SecretRows:
    """Implements ``handoff.model.ports.Secrets``."""

    def __init__(self, connection: Connection, keyring: Keyring) -> None:
        self._connection = connection
        self._keyring = keyring
        self._fresh: dict[str, str] = {}

    def seal(
        self,
        conversation_id: ConversationId,
        value: str,
        kind: str,
        order_number: str | None = None,
    ) -> SecretRef:
        """Keep a value encrypted."""
        # of eight characters four would be half a password
        shown = HIDDEN if kind in PROOFS else mask(value)
        ref = SecretRef(id=str(ULID()), mask=shown, kind=kind)
        self._connection.execute(
            secrets.insert(),
            {
                "id": ref.id,
                "conversation_id": conversation_id,
                "kind": kind,
                "mask": ref.mask,
                "order_number": order_number,
                "sealed": self._keyring.seal(value),
            },
        )
        self._fresh[ref.id] = value
        return ref

    def values(self, ids: Sequence[str]) -> Mapping[str, str]:
        """The values of several."""
        found = {key: self._fresh[key] for key in ids if key in self._fresh}
        missing = [key for key in ids if key not in found]
        if missing:
            rows = self._connection.execute(
                select(secrets.c.id, secrets.c.sealed).where(secrets.c.id.in_(missing))
            )
            found.update({key: self._keyring.open(blob) for key, blob in rows})
        return found

    def orders(self, ids: Sequence[str]) -> Mapping[str, str]:
        """The order that each belongs to; those of none are left out."""
        rows = self._connection.execute(
            select(secrets.c.id, secrets.c.order_number).where(
                secrets.c.id.in_(list(ids)), secrets.c.order_number.is_not(None)
            )
        )
        return {str(key): str(number) for key, number in rows}

    def reveal(self, secret_id: str) -> str | None:
        """The value, or ``None`` if there is none by this id."""
        return self.values([secret_id]).get(secret_id)

    def conversation_of(self, secret_id: str) -> ConversationId | None:
        """Where the secret was written."""
        found = self._connection.execute(
            select(secrets.c.conversation_id).where(secrets.c.id == secret_id)
        ).scalar()
        return None if found is None else ConversationId(found)

    def fill(self, text: str, refs: Sequence[SecretRef]) -> str:
        """The text with its own secrets in place; a placeholder that somebody typed stays."""
        if not refs:
            return text
        values = self.values([ref.id for ref in refs])
        return PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)
