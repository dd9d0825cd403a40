"""What is written down when something is shown or sent again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shop.domain.numbers import OrderNumber
from shop.domain.proofs import Level


class ResendChannel(StrEnum):
    """Where cards went."""

    CHAT = "chat"
    MAIL = "mail"


@dataclass(frozen=True, slots=True)
class Resent:
    """Cards were sent again; never allocates, never changes stock.

    Attributes:
        target_mask: The mail address, masked; ``""`` in the chat.
    """

    number: OrderNumber
    identity: str
    channel: ResendChannel
    target_mask: str
    at: datetime
    turn_id: str


class Shown(StrEnum):
    """What of an order left the gate."""

    STATE = "state"
    CARDS = "cards"
    MAILED_CARDS = "mailed_cards"


@dataclass(frozen=True, slots=True)
class Disclosed:
    """The audit of one disclosure: who saw what, by which proof level."""

    number: OrderNumber
    identity: str
    level: Level
    what: Shown
    cards: int
    at: datetime
    turn_id: str
