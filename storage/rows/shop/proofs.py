"""What was proved by whom, and the codes that are out."""

from __future__ import annotations

import hmac
import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime

from pydantic import SecretStr
from sqlalchemy import Connection, bindparam, delete, select, update

from shop.domain.numbers import OrderNumber
from shop.domain.proofs import Code, Factor, Proof
from storage.core.dialect import insert_or_ignore, upsert
from storage.core.keyring import Keyring
from storage.tables.shop import proof_codes, proofs

_MOST = 200
_DIGITS = re.compile(r"(?<!\d)\d{6}(?!\d)")
_OF_IDENTITY = (
    select(proofs)
    .where(proofs.c.identity == bindparam("identity"))
    .order_by(proofs.c.proved_at.desc(), proofs.c.order_number)
    .limit(_MOST)
)


class ProofRows:
    """Implements ``shop.domain.ports.Proofs``."""

    def __init__(self, connection: Connection, keyring: Keyring) -> None:
        self._connection = connection
        self._keyring = keyring

    def add(self, proof: Proof) -> None:
        """Store a proof; the same turn stores it once."""
        row = {
            "turn_id": proof.turn_id,
            "order_number": proof.number,
            "factor": proof.factor.value,
            "identity": proof.identity,
            "proved_at": proof.proved_at,
        }
        insert_or_ignore(self._connection, proofs, row)

    def of_identity(self, identity: str) -> Sequence[Proof]:
        """Everything that this identity ever proved (the last 200), the newest first."""
        rows = self._connection.execute(_OF_IDENTITY, {"identity": identity})
        return [
            Proof(
                OrderNumber(row.order_number),
                row.identity,
                Factor(row.factor),
                row.proved_at,
                row.turn_id,
            )
            for row in rows
        ]

    def put_code(self, code: Code) -> None:
        """Store a code, hashed, in place of the one before it."""
        row = {
            "order_number": code.number,
            "identity": code.identity,
            "digits_blind": self._blind(code.number, code.identity, code.digits.get_secret_value()),
            "made_at": code.made_at,
            "expires_at": code.expires_at,
            "tries_left": code.tries,
        }
        upsert(self._connection, proof_codes, row, keys=["order_number", "identity"])

    def try_code(self, number: OrderNumber, identity: str, typed: SecretStr, now: datetime) -> bool:
        """Whether this is the code that is out for this identity; a try of it is used up."""
        found = _DIGITS.findall(unicodedata.normalize("NFKC", typed.get_secret_value()))
        if len(found) != 1:
            return False
        mine = (proof_codes.c.order_number == number, proof_codes.c.identity == identity)
        used = self._connection.execute(
            update(proof_codes)
            .where(*mine, proof_codes.c.tries_left > 0, proof_codes.c.expires_at > now)
            .values(tries_left=proof_codes.c.tries_left - 1)
        )
        if used.rowcount != 1:
            return False
        stored = self._connection.execute(select(proof_codes.c.digits_blind).where(*mine)).scalar()
        return stored is not None and hmac.compare_digest(
            bytes(stored), self._blind(number, identity, found[0])
        )

    def forget_code(self, number: OrderNumber, identity: str) -> None:
        """A code that has served is no code any more."""
        self._connection.execute(
            delete(proof_codes).where(
                proof_codes.c.order_number == number, proof_codes.c.identity == identity
            )
        )

    def _blind(self, number: OrderNumber, identity: str, digits: str) -> bytes:
        # keyed: six digits would be found at once under any plain hash
        return self._keyring.blind(f"{number}\0{identity}\0{digits}", "code")
