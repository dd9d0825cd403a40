"""Entering a state: each function leaves nothing of the stay in the state before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from handoff.machine.events import CloseReason, Reason
from handoff.model.conversation import AgentId, Conversation, State, WaitingMode


def to_bot(conversation: Conversation) -> Conversation:
    """Give it to the bot; why and since when a person was wanted is forgotten."""
    return replace(
        _left(conversation),
        state=State.BOT,
        reason=None,
        summary=None,
        queued_at=None,
        missed_claims=0,
    )


def to_queue(
    conversation: Conversation,
    now: datetime,
    *,
    reason: Reason | str,
    mode: WaitingMode | None,
    summary: Mapping[str, Any] | None = None,
    queued_at: datetime | None = None,
) -> Conversation:
    """Let it wait for a person.

    Args:
        mode: ``None`` counts as live: calling somebody in vain is better than calling nobody.
        summary: ``None`` keeps the one that is there.
        queued_at: An earlier place that is kept; ``None``: the end of the queue.
    """
    return replace(
        _left(conversation),
        state=State.WAITING,
        mode=mode or WaitingMode.LIVE,
        reason=str(reason),
        summary=conversation.summary if summary is None else summary,
        queued_at=queued_at or now,
        last_notice_at=now,
    )


def to_agent(conversation: Conversation, agent: AgentId, now: datetime) -> Conversation:
    """Give it to a person, who has not acted yet: the place in the queue is kept until then."""
    return replace(
        _left(conversation),
        state=State.AGENT,
        assignee=agent,
        last_assignee=agent,
        claimed_at=now,
        unanswered_since=now,
    )


def to_external(conversation: Conversation, now: datetime) -> Conversation:
    """Leave it to whoever answers in the channel's own app."""
    return replace(
        _left(conversation),
        state=State.EXTERNAL,
        queued_at=None,
        missed_claims=0,
        last_agent_at=now,
    )


def to_closed(conversation: Conversation, now: datetime, reason: CloseReason) -> Conversation:
    """Close it; the last assignee and the reason of a handoff stay readable."""
    return replace(
        _left(conversation),
        state=State.CLOSED,
        queued_at=None,
        closed_at=now,
        closed_reason=str(reason),
    )


def _left(conversation: Conversation) -> Conversation:
    """Forget what belongs to a stay in one state."""
    return replace(
        conversation,
        mode=None,
        assignee=None,
        claimed_at=None,
        acted_at=None,
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
