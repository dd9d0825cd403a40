"""A conversation, as it is stored.

One conversation is one customer on one channel account, for as long as both exist. A *segment* is
its stretch from opening to closing; reports count segments. Who may speak, and every legal
transition from state to state, is pure code in ``handoff.machine``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

from connectors.messages import Address

ConversationId = NewType("ConversationId", str)
CustomerId = NewType("CustomerId", str)
SegmentId = NewType("SegmentId", str)
AgentId = NewType("AgentId", str)


class State(StrEnum):
    """State of a conversation: it says who owns it."""

    BOT = "bot"
    WAITING = "waiting"
    AGENT = "agent"
    EXTERNAL = "external"
    CLOSED = "closed"


class WaitingMode(StrEnum):
    """Mode of a wait: somebody is there to claim it, or will be."""

    LIVE = "live"
    AFTER_HOURS = "after_hours"


@dataclass(frozen=True, slots=True)
class Segment:
    """One stretch of a conversation from opening to closing; the unit that reports count.

    Attributes:
        first_seq: Place of its first message.
        last_seq: Place of its last; ``None`` while it is open.
        handed_off_at: When a person was first called; ``None`` if the bot did it alone.
        first_response_s: Entering the queue to the agent's first text; ``None`` if there was none.
        csat_score: 1 (bad) to 5 (good); ``None`` if not given.
    """

    id: SegmentId
    conversation_id: ConversationId
    opened_at: datetime
    first_seq: int
    closed_at: datetime | None = None
    closed_reason: str | None = None
    last_seq: int | None = None
    handed_off_at: datetime | None = None
    handoff_reason: str | None = None
    agent_id: AgentId | None = None
    first_response_s: float | None = None
    csat_score: int | None = None
    csat_comment: str | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """The state of one conversation.

    Attributes:
        version: Grows with every change; compare-and-set key of claims.
        owner_epoch: Grows when the owner does; a bot's message carries the epoch it was decided in.
        last_seq: Place of the newest message, notes included.
        reason: Why a person was called (``handoff.machine.events.Reason``); ``None`` with the bot.
        queued_at: When it entered the queue; kept when a claim lapses.
        claimed_at: When the assignee got it; ``acted_at`` is their first act after that.
        notices_sent: "Still waiting" notices to the customer in this wait.
        last_notice_at: When such a notice was last due, whether it was said or not.
        told_position: The place in the queue that the customer last heard; ``None`` if none.
        told_wait_min: The estimate that the customer last heard, in minutes.
        unanswered_since: When the oldest message came that the assignee has not answered.
        nudges_sent: Calls to agents because of it: 1 the assignee's, 2 the supervisors' too.
        closing_at: When it will close unless the customer writes; ``None`` if not announced.
        due_at: When the next timer must look at it; ``None`` if nothing is due. Timers live
            here, in the database, and so survive a restart.
        summary: What the agent should know at the handoff: wanted, tried, orders.
        memory: The dialogue's own memory, opaque here.
        read_seq: Newest message that the agents' side has seen.
        unreachable: Why nothing can be sent to this customer (blocked, unfollowed), for the
            console; ``None`` while they can be reached.
    """

    id: ConversationId
    customer_id: CustomerId
    address: Address
    state: State
    segment_id: SegmentId
    opened_at: datetime
    version: int = 0
    owner_epoch: int = 0
    last_seq: int = 0
    mode: WaitingMode | None = None
    assignee: AgentId | None = None
    reason: str | None = None
    queued_at: datetime | None = None
    claimed_at: datetime | None = None
    acted_at: datetime | None = None
    missed_claims: int = 0
    notices_sent: int = 0
    last_notice_at: datetime | None = None
    told_position: int | None = None
    told_wait_min: int | None = None
    unanswered_since: datetime | None = None
    nudges_sent: int = 0
    last_customer_at: datetime | None = None
    last_agent_at: datetime | None = None
    last_message_at: datetime | None = None
    closing_at: datetime | None = None
    closed_at: datetime | None = None
    closed_reason: str | None = None
    last_assignee: AgentId | None = None
    due_at: datetime | None = None
    read_seq: int = 0
    locale: str = "zh"
    unreachable: str | None = None
    summary: Mapping[str, Any] | None = None
    memory: Mapping[str, Any] = field(default_factory=dict)
