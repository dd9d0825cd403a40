"""Memory of a conversation between two turns. No secret is ever kept in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

MEMORY_KEY = "bot"
"""Key under which a conversation keeps it, among what other parts remember."""
ORDER_NUMBER = "order_number"
"""The slot whose values agents read in a handoff's summary."""
_KEPT = 6


@dataclass(frozen=True, slots=True)
class PendingTool:
    """A tool that waits for something the customer has yet to say.

    Attributes:
        slots: What is known already; secrets are never kept here.
        asking: The slot that was asked for last.
        is_secret: The answer is a secret: it is sealed where it is stored.
        tries: Answers to that question that could not be read.
        is_optional: The customer has an answer already; this would only add to it.
    """

    tool: str
    intent: str
    asking: str
    slots: Mapping[str, str] = field(default_factory=dict)
    is_secret: bool = False
    tries: int = 0
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class Mention:
    """A value that was spoken of, ``turns_ago`` turns before this one."""

    value: str
    turns_ago: int = 0


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
        spoken_of: Slot → the value of it that was spoken of last.
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
    spoken_of: Mapping[str, Mention] = field(default_factory=dict)
    unread_media: int = 0
    album: str | None = None
    shown_at: float | None = None
    is_english: bool = False
    tried: tuple[str, ...] = ()
    orders: tuple[tuple[str, str], ...] = ()
    knows_privacy: bool = False

    def is_near(self, slot: str, turns: int) -> bool:
        """Tell whether a value of the slot was spoken of in so many turns."""
        mention = self.spoken_of.get(slot)
        return mention is not None and mention.turns_ago <= turns

    def at_next_turn(self) -> Memory:
        """Return the memory one turn later: what was spoken of is that much further away."""
        older = {
            slot: replace(mention, turns_ago=mention.turns_ago + 1)
            for slot, mention in self.spoken_of.items()
        }
        return replace(self, spoken_of=older)

    def having_tried(self, what: str) -> Memory:
        """Return the memory with one more thing that the bot did; the last few are kept."""
        return replace(self, tried=(*self.tried, what)[-_KEPT:])

    def having_spoken_of(self, values: Mapping[str, str], outcome: str) -> Memory:
        """Return the memory after a tool's answer that spoke of these values of slots."""
        mentions = {slot: Mention(value) for slot, value in values.items()}
        orders = self.orders
        if ORDER_NUMBER in values:
            number = values[ORDER_NUMBER]
            others = tuple(pair for pair in orders if pair[0] != number)
            orders = (*others, (number, outcome))[-_KEPT:]
        return replace(self, spoken_of={**self.spoken_of, **mentions}, orders=orders)

    def as_json(self) -> dict[str, Any]:
        """Return what is stored: only what differs from an empty memory."""
        kept = {name: getattr(self, name) for name in self.__slots__}
        kept = {name: value for name, value in kept.items() if value != getattr(_EMPTY, name)}
        if self.pending is not None:
            kept["pending"] = asdict(self.pending)
        if self.spoken_of:
            kept["spoken_of"] = {slot: asdict(mention) for slot, mention in self.spoken_of.items()}
        return kept

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Memory:
        """Return what was stored; what only an older version knew is dropped."""
        known: dict[str, Any] = {key: stored[key] for key in stored if key in cls.__slots__}
        for name in ("offered", "orders"):
            known[name] = tuple((key, value) for key, value in known.get(name, ()))
        known["tried"] = tuple(known.get("tried", ()))
        mentions = known.get("spoken_of", {})
        known["spoken_of"] = {slot: Mention(**mention) for slot, mention in mentions.items()}
        pending = known.get("pending")
        # a question of an older version does not say: sealing too much is the lesser harm
        known["pending"] = PendingTool(**{"is_secret": True, **pending}) if pending else None
        return cls(**known)


_EMPTY = Memory()
