"""The parts of a move: where it leads, what the customer hears, whom it calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from handoff.machine.events import CloseReason, Reason
from handoff.model.conversation import (
    AgentId,
    Conversation,
    State,
    WaitingMode,
)


class Notice(StrEnum):
    """What the customer is told; the words are in ``handoff.desk.notices``."""

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
    """What the agents are called for."""

    HANDOFF = "handoff"
    REOPENED = "reopened"
    LAPSED = "lapsed"
    TRANSFERRED = "transferred"
    NUDGE = "nudge"
    SUPERVISORS = "supervisors"


class Speech(StrEnum):
    """What the bot may say to the customer."""

    ANSWERS = "answers"
    NOTICES_ONLY = "notices_only"
    ANSWERS_WITH_PROMISE = "answers_with_promise"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Move:
    """One legal step of a conversation.

    Attributes:
        conversation: As it is afterwards, neither saved nor given a new segment yet.
        notice: Said to the customer, once; ``agent_name`` where it speaks of somebody.
        alert: Who is called to it; ``None``: nobody.
        opens_segment: A new segment begins at ``segment_first_seq`` (``None``: the newest message).
        closes_segment: The running segment ends.
        asks_csat: The customer is asked how it was, if anybody has helped in this segment.
    """

    conversation: Conversation
    notice: Notice | None = None
    agent_name: str | None = None
    alert: Alert | None = None
    opens_segment: bool = False
    segment_first_seq: int | None = None
    closes_segment: bool = False
    asks_csat: bool = False


def owner_of(conversation: Conversation) -> str:
    """Who may speak to the customer: ``bot``, ``queue``, ``agent:ID``, ``external``, ``none``."""
    match conversation.state:
        case State.BOT:
            return "bot"
        case State.WAITING:
            return "queue"
        case State.AGENT:
            return f"agent:{conversation.assignee}"
        case State.EXTERNAL:
            return "external"
        case State.CLOSED:
            return "none"


def may_bot_speak(conversation: Conversation) -> Speech:
    """What the bot may say to the customer now."""
    match conversation.state, conversation.mode:
        case State.BOT, _:
            return Speech.ANSWERS
        case State.WAITING, WaitingMode.AFTER_HOURS:
            return Speech.ANSWERS_WITH_PROMISE
        case State.WAITING, _:
            return Speech.NOTICES_ONLY
        case _:
            return Speech.NOTHING


def with_bot(conversation: Conversation) -> Conversation:
    """Owned by the bot, nothing left of a wait or an assignment."""
    return replace(
        conversation,
        state=State.BOT,
        mode=None,
        assignee=None,
        reason=None,
        summary=None,
        queued_at=None,
        claimed_at=None,
        acted_at=None,
        missed_claims=0,
        notices_sent=0,
        last_notice_at=None,
        told_position=None,
        told_wait_min=None,
        unanswered_since=None,
        nudges_sent=0,
        closing_at=None,
        closed_at=None,
        closed_reason=None,
    )


def in_queue(
    conversation: Conversation,
    now: datetime,
    *,
    reason: Reason | str,
    mode: WaitingMode | None,
    summary: Mapping[str, Any] | None = None,
    queued_at: datetime | None = None,
) -> Conversation:
    """Waiting for a person.

    Args:
        mode: ``None`` counts as live: calling somebody in vain is better than calling nobody.
        summary: ``None`` keeps the one that is there.
        queued_at: An earlier place that is kept; ``None``: the end of the queue.
    """
    return replace(
        conversation,
        state=State.WAITING,
        mode=mode or WaitingMode.LIVE,
        assignee=None,
        reason=str(reason),
        summary=conversation.summary if summary is None else summary,
        queued_at=queued_at or now,
        claimed_at=None,
        acted_at=None,
        notices_sent=0,
        last_notice_at=now,
        told_position=None,
        told_wait_min=None,
        unanswered_since=None,
        nudges_sent=0,
        closing_at=None,
        closed_at=None,
        closed_reason=None,
    )


def with_agent(conversation: Conversation, agent: AgentId, now: datetime) -> Conversation:
    """Owned by a person who has not acted yet; the place in the queue is kept should they not."""
    return replace(
        conversation,
        state=State.AGENT,
        mode=None,
        assignee=agent,
        last_assignee=agent,
        claimed_at=now,
        acted_at=None,
        notices_sent=0,
        last_notice_at=None,
        told_position=None,
        told_wait_min=None,
        unanswered_since=now,
        nudges_sent=0,
        closing_at=None,
        closed_at=None,
        closed_reason=None,
    )


def closed(conversation: Conversation, now: datetime, reason: CloseReason) -> Conversation:
    """Owned by nobody; who had it last and why it was handed off stay readable."""
    return replace(
        conversation,
        state=State.CLOSED,
        mode=None,
        assignee=None,
        queued_at=None,
        claimed_at=None,
        acted_at=None,
        notices_sent=0,
        last_notice_at=None,
        told_position=None,
        told_wait_min=None,
        unanswered_since=None,
        nudges_sent=0,
        closing_at=None,
        closed_at=now,
        closed_reason=str(reason),
    )
