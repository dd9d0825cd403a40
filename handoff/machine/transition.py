"""A transition of a conversation: the state it leads to, and what that brings about."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from handoff.model.conversation import Conversation


class Notice(StrEnum):
    """A text that tells the customer of it; the words are in ``handoff.desk.notices``."""

    HANDED_OFF = "handed_off"
    ALREADY_WAITING = "already_waiting"
    STILL_WAITING = "still_waiting"
    CHOICES = "choices"
    KEEPS_WAITING = "keeps_waiting"
    LEAVES_MESSAGE = "leaves_message"
    LEFT_QUEUE = "left_queue"
    AGENT_JOINED = "agent_joined"
    REQUEUED = "requeued"
    TRANSFERRED = "transferred"
    TRANSFERRED_TO_QUEUE = "transferred_to_queue"
    GIVEN_BACK = "given_back"
    CLOSING_SOON = "closing_soon"


class Alert(StrEnum):
    """A reason to call the agents."""

    HANDOFF = "handoff"
    REOPENED = "reopened"
    LAPSED = "lapsed"
    TRANSFERRED = "transferred"
    NUDGE = "nudge"
    SUPERVISORS = "supervisors"


@dataclass(frozen=True, slots=True)
class Transition:
    """One legal step of a conversation.

    Attributes:
        conversation: As it is afterwards, neither saved nor given a new segment yet.
        notice: Said to the customer, once; ``agent_name`` where it speaks of somebody.
        alert: Calls the agents to it; ``None``: nobody.
        is_agents_reply: An agent's words follow: the first of a segment end the customer's wait.
        opens_segment: A new segment begins at ``segment_first_seq`` (``None``: the newest message).
        closes_segment: The running segment ends.
        asks_csat: The customer is asked how it was, if anybody has helped in this segment.
    """

    conversation: Conversation
    notice: Notice | None = None
    agent_name: str | None = None
    alert: Alert | None = None
    is_agents_reply: bool = False
    opens_segment: bool = False
    segment_first_seq: int | None = None
    closes_segment: bool = False
    asks_csat: bool = False
