"""What is due next in a conversation, told from what is stored of it (pure).

Nothing is scheduled in memory: ``due_at`` in the database is the earliest of these, and so survives
a restart. A timer that fires too early, because somebody wrote meanwhile, only looks again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from handoff.machine.rules import Rules
from handoff.model.conversation import Conversation, State, WaitingMode


class Step(StrEnum):
    """What a timer does."""

    CLAIM_LAPSES = "claim_lapses"
    NUDGE = "nudge"
    ESCALATE = "escalate"
    WARN_OF_CLOSING = "warn_of_closing"
    CLOSE_SILENT = "close_silent"
    STILL_WAITING = "still_waiting"
    OFFER_CHOICES = "offer_choices"
    CLOSE_IDLE = "close_idle"
    EXTERNAL_ENDS = "external_ends"


def next_step(conversation: Conversation, rules: Rules) -> tuple[datetime, Step] | None:
    """When the next timer is due and what it does; ``None`` if nothing is."""
    match conversation.state:
        case State.BOT:
            since = conversation.last_message_at or conversation.opened_at
            return since + timedelta(seconds=rules.bot_idle_s), Step.CLOSE_IDLE
        case State.WAITING:
            return _of_waiting(conversation, rules)
        case State.AGENT:
            return _of_agent(conversation, rules)
        case State.EXTERNAL:
            spoken_at = _latest(conversation.last_customer_at, conversation.last_agent_at)
            spoken_at = spoken_at or conversation.opened_at
            return spoken_at + timedelta(seconds=rules.external_idle_s), Step.EXTERNAL_ENDS
        case State.CLOSED:
            return None


def _of_waiting(conversation: Conversation, rules: Rules) -> tuple[datetime, Step]:
    queued_at = conversation.queued_at or conversation.opened_at
    since = _latest(queued_at, conversation.last_customer_at) or queued_at
    steps = [(since + timedelta(seconds=rules.waiting_idle_s), Step.CLOSE_IDLE)]
    if conversation.mode is WaitingMode.LIVE:
        steps.append((queued_at + timedelta(seconds=rules.live_wait_s), Step.OFFER_CHOICES))
        if conversation.notices_sent < rules.waiting_notices_max:
            looked_at = conversation.last_notice_at or queued_at
            is_first = looked_at <= queued_at
            pause_s = rules.first_waiting_notice_s if is_first else rules.waiting_notice_every_s
            steps.append((looked_at + timedelta(seconds=pause_s), Step.STILL_WAITING))
    return min(steps)


def _of_agent(conversation: Conversation, rules: Rules) -> tuple[datetime, Step] | None:
    held_since = conversation.claimed_at or conversation.opened_at
    if conversation.acted_at is None:
        return held_since + timedelta(seconds=rules.claim_act_s), Step.CLAIM_LAPSES
    if conversation.unanswered_since is not None:
        match conversation.nudges_sent:
            case 0:
                return conversation.unanswered_since + timedelta(
                    seconds=rules.agent_nudge_s
                ), Step.NUDGE
            case 1:
                pause = timedelta(seconds=rules.agent_escalate_s)
                return conversation.unanswered_since + pause, Step.ESCALATE
            case _:
                return None  # never silently back to the bot
    if conversation.closing_at is not None:
        return conversation.closing_at, Step.CLOSE_SILENT
    last_word_at = conversation.last_agent_at or held_since
    pause_s = rules.customer_silent_s - rules.closing_notice_s
    return last_word_at + timedelta(seconds=pause_s), Step.WARN_OF_CLOSING


def _latest(*moments: datetime | None) -> datetime | None:
    return max((moment for moment in moments if moment is not None), default=None)
