"""The queue's arithmetic (pure): who is where, and how long it may take."""

from __future__ import annotations

import math
from collections.abc import Iterable

from handoff.model.conversation import Conversation, ConversationId, State


def order_of(conversation: Conversation) -> tuple[float, str]:
    """Sorts a queue: who waits longest comes first, equals by id."""
    queued_at = conversation.queued_at or conversation.opened_at
    return queued_at.timestamp(), conversation.id


def positions(conversations: Iterable[Conversation]) -> dict[ConversationId, int]:
    """The place of each that waits, from 1; others have none."""
    waiting = (one for one in conversations if one.state is State.WAITING)
    return {one.id: place for place, one in enumerate(sorted(waiting, key=order_of), start=1)}


def estimate_min(position: int, agents_online: int, handling_s: float) -> int:
    """What is left to wait, in whole minutes, at least 1.

    Everybody in front, and the customer, is taken at the pace of the agents who are there; with
    nobody online it is what one would need.

    >>> estimate_min(position=4, agents_online=2, handling_s=180)
    6
    """
    rounds = math.ceil(position / max(agents_online, 1))
    return max(1, math.ceil(rounds * handling_s / 60))
