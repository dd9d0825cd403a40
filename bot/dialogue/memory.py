"""What the bot remembers of a conversation between two turns. No secret is ever kept in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

MEMORY_KEY = "bot"
"""Where a conversation keeps it, among what other parts remember."""
_KEPT = 6


@dataclass(frozen=True, slots=True)
class PendingTool:
    """A tool that waits for something the customer has yet to say.

    Attributes:
        slots: What is known already; proofs and card secrets are never kept here.
        asking: The slot that was asked for last.
        tries: Answers to that question that could not be read.
        is_optional: The customer has an answer already; this would only add to it.
    """

    tool: str
    intent: str
    asking: str
    slots: Mapping[str, str] = field(default_factory=dict)
    tries: int = 0
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class Memory:
    """The dialogue's memory of one conversation.

    Attributes:
        offered: Buttons under the bot's last message, (id, label): "2" picks the second.
        misses: Misses in a row.
        last_intent: What was answered last, and how many times in a row (``repeats``).
        last_question: What the customer asked when that was answered, in their words, without
            numbers and keys; a fragment right after it continues it.
        last_tool: The tool intent that spoke last: a bare order number means it again.
        last_order: The order that was spoken of last, ``order_age`` turns ago.
        last_product: The product that was spoken of last.
        unread_media: Pictures in a row that could not be read.
        album: The last album that was answered: a part of it that comes late is not answered anew.
        shown_at: When the last file came, if nothing was said since (seconds since 1970).
        is_english: The customer writes English.
        tried: What the bot did lately, a few words each, for whoever takes over.
        orders: Orders that were looked up: number and outcome, newest last.
        knows_privacy: The customer was told what becomes of their data.
    """

    pending: PendingTool | None = None
    offered: tuple[tuple[str, str], ...] = ()
    misses: int = 0
    last_intent: str | None = None
    repeats: int = 0
    last_question: str = ""
    last_tool: str | None = None
    last_order: str | None = None
    order_age: int = 0
    last_product: str | None = None
    unread_media: int = 0
    album: str | None = None
    shown_at: float | None = None
    is_english: bool = False
    tried: tuple[str, ...] = ()
    orders: tuple[tuple[str, str], ...] = ()
    knows_privacy: bool = False

    def having_tried(self, what: str) -> Memory:
        """The memory with one more thing that the bot did; the last few are kept."""
        return replace(self, tried=(*self.tried, what)[-_KEPT:])

    def having_seen(self, number: str, outcome: str) -> Memory:
        """The memory with an order that was looked up."""
        others = tuple(pair for pair in self.orders if pair[0] != number)
        orders = (*others, (number, outcome))[-_KEPT:]
        return replace(self, last_order=number, order_age=0, orders=orders)

    def as_json(self) -> dict[str, Any]:
        """As it is stored: only what differs from an empty memory."""
        kept = {name: getattr(self, name) for name in self.__slots__}
        kept = {name: value for name, value in kept.items() if value != getattr(_EMPTY, name)}
        if self.pending is not None:
            kept["pending"] = asdict(self.pending)
        return kept

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Memory:
        """What was stored; what an older version kept and this one does not know is dropped."""
        known: dict[str, Any] = {key: stored[key] for key in stored if key in cls.__slots__}
        for name in ("offered", "orders"):
            known[name] = tuple((key, value) for key, value in known.get(name, ()))
        known["tried"] = tuple(known.get("tried", ()))
        pending = known.get("pending")
        known["pending"] = PendingTool(**pending) if pending else None
        return cls(**known)


_EMPTY = Memory()
