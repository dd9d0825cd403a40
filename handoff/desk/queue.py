"""The queue: the place of each who waits, and how long it may take."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from handoff.machine.rules import Rules
from handoff.model.conversation import Conversation, ConversationId, State
from handoff.model.ports import Work


@dataclass(frozen=True, slots=True)
class QueuePlace:
    """A place in the queue.

    Attributes:
        position: From 1; ``None`` if the conversation does not wait.
        wait_min: What is estimated to be left, in minutes; ``None`` likewise.
    """

    position: int | None = None
    wait_min: int | None = None


def place_of(
    work: Work, conversation: Conversation, agents_online: Callable[[], int], rules: Rules
) -> QueuePlace:
    """Look up a conversation's place in the queue."""
    position = work.conversations.position(conversation)
    if position is None:
        return QueuePlace()
    return QueuePlace(position, estimate_min(position, agents_online(), rules.handling_s))


def order_of(conversation: Conversation) -> tuple[float, str]:
    """Return the key that sorts a queue: the longest wait first, equals by id."""
    queued_at = conversation.queued_at or conversation.opened_at
    return queued_at.timestamp(), conversation.id


def positions(conversations: Iterable[Conversation]) -> dict[ConversationId, int]:
    """Number those who wait, from 1; others have no place."""
    waiting = (each for each in conversations if each.state is State.WAITING)
    return {each.id: place for place, each in enumerate(sorted(waiting, key=order_of), start=1)}


def estimate_min(position: int, agents_online: int, handling_s: float) -> int:
    """Estimate what is left to wait, in whole minutes, at least 1.

    Everybody in front, and the customer, is taken at the pace of the agents who are there; with
    nobody online it is what one would need.

    >>> estimate_min(position=4, agents_online=2, handling_s=180)
    6
    """
    rounds = math.ceil(position / max(agents_online, 1))
    return max(1, math.ceil(rounds * handling_s / 60))
