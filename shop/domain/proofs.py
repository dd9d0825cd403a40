"""How somebody shows that an order is theirs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

from pydantic import SecretStr

from shop.domain.numbers import OrderNumber


class Factor(StrEnum):
    """What was shown beside the order number."""

    PASSWORD = "password"  # noqa: S105 - the name of a factor
    CODE = "code"
    ACCOUNT = "account"
    CONTACT = "contact"


class Level(IntEnum):
    """How much is proved; a higher level sees everything that a lower one does.

    ``CONTACT`` (number and contact typed, not proved) sees the state and may have the cards sent
    to that contact. ``OWNER`` sees the cards. ``STAFF`` is for people with a role, logged.
    """

    NOTHING = 0
    NUMBER = 1
    CONTACT = 2
    OWNER = 3
    STAFF = 4


LEVELS = {
    Factor.PASSWORD: Level.OWNER,
    Factor.CODE: Level.OWNER,
    Factor.ACCOUNT: Level.OWNER,
    Factor.CONTACT: Level.CONTACT,
}


@dataclass(frozen=True, slots=True)
class Proof:
    """One proof by one channel identity; good for a while (24 h by default)."""

    number: OrderNumber
    identity: str
    factor: Factor
    proved_at: datetime
    turn_id: str

    @property
    def level(self) -> Level:
        """What it is worth."""
        return LEVELS[self.factor]


@dataclass(frozen=True, slots=True)
class Code:
    """A code of six digits that goes to the contact on the order, for one identity to type."""

    number: OrderNumber
    identity: str
    digits: SecretStr
    made_at: datetime
    expires_at: datetime
    tries: int
