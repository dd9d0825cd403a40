"""Timetable: the next timer of a conversation, told from what is stored of it (pure).

Nothing is scheduled in memory: ``due_at`` in the database is the earliest of these, and so survives
a restart. A timer that fires too early, because somebody wrote meanwhile, only looks again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from handoff.machine.rules import Rules
from handoff.model.conversation import Conversation, State, WaitingMode

Due = tuple[datetime, "Timer"]


class Timer(StrEnum):
    """A step that comes by time; ``timer_transitions`` says what it does."""

    CLAIM_LAPSES = "claim_lapses"
    NUDGE = "nudge"
    ESCALATE = "escalate"
    WARN_OF_CLOSING = "warn_of_closing"
    CLOSE_SILENT = "close_silent"
    STILL_WAITING = "still_waiting"
    OFFER_CHOICES = "offer_choices"
    CLOSE_IDLE = "close_idle"
    EXTERNAL_ENDS = "external_ends"


def next_timer(conversation: Conversation, rules: Rules) -> Due | None:
    """Return when the next timer is due and which it is; ``None`` if nothing is."""
    match conversation.state:
        case State.BOT:
            since = conversation.last_message_at or conversation.opened_at
            return _after(since, rules.bot_idle_s), Timer.CLOSE_IDLE
        case State.WAITING:
            return _of_waiting(conversation, rules)
        case State.AGENT:
            return _of_agent(conversation, rules)
        case State.EXTERNAL:
            spoken_at = _latest(conversation.last_customer_at, conversation.last_agent_at)
            since = spoken_at or conversation.opened_at
            return _after(since, rules.external_idle_s), Timer.EXTERNAL_ENDS
        case State.CLOSED:
            return None


def _of_waiting(conversation: Conversation, rules: Rules) -> Due:
    queued_at = conversation.queued_at or conversation.opened_at
    since = _latest(queued_at, conversation.last_customer_at) or queued_at
    timers = [(_after(since, rules.waiting_idle_s), Timer.CLOSE_IDLE)]
    if conversation.mode is WaitingMode.LIVE:
        timers.append((_after(queued_at, rules.live_wait_s), Timer.OFFER_CHOICES))
        if conversation.notices_sent < rules.waiting_notices_max:
            looked_at = conversation.last_notice_at or queued_at
            is_first = looked_at <= queued_at
            pause_s = rules.first_waiting_notice_s if is_first else rules.waiting_notice_every_s
            timers.append((_after(looked_at, pause_s), Timer.STILL_WAITING))
    return min(timers)


def _of_agent(conversation: Conversation, rules: Rules) -> Due | None:
    held_since = conversation.claimed_at or conversation.opened_at
    if conversation.acted_at is None:
        return _after(held_since, rules.claim_act_s), Timer.CLAIM_LAPSES
    if conversation.unanswered_since is not None:
        return _of_unanswered(conversation.unanswered_since, conversation.nudges_sent, rules)
    if conversation.closing_at is not None:
        return conversation.closing_at, Timer.CLOSE_SILENT
    last_word_at = conversation.last_agent_at or held_since
    pause_s = rules.customer_silent_s - rules.closing_notice_s
    return _after(last_word_at, pause_s), Timer.WARN_OF_CLOSING


def _of_unanswered(since: datetime, nudges_sent: int, rules: Rules) -> Due | None:
    match nudges_sent:
        case 0:
            return _after(since, rules.agent_nudge_s), Timer.NUDGE
        case 1:
            return _after(since, rules.agent_escalate_s), Timer.ESCALATE
        case _:
            return None  # never silently back to the bot


def _after(moment: datetime, seconds: float) -> datetime:
    return moment + timedelta(seconds=seconds)


def _latest(*moments: datetime | None) -> datetime | None:
    return max((moment for moment in moments if moment is not None), default=None)
