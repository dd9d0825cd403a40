"""Timer transitions: pure code that says what each timer makes of a conversation."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from handoff.machine.events import CloseReason, Reason, TimerFired
from handoff.machine.rules import Rules
from handoff.machine.states import to_closed, to_queue
from handoff.machine.timetable import Timer, next_timer
from handoff.machine.transition import Alert, Notice, Transition
from handoff.model.conversation import Conversation, WaitingMode


def timer_transition(  # noqa: PLR0911 - a return is a timer
    conversation: Conversation, event: TimerFired, now: datetime, rules: Rules
) -> Transition:
    """Return the transition of the earliest timer that is due; none where somebody acted since.

    After a long stop several timers may be over: each is a transition of its own, one tick after
    another.
    """
    due = next_timer(conversation, rules)
    if due is None or due[0] > now:
        return Transition(conversation)
    match due[1]:
        case Timer.CLAIM_LAPSES:
            return _claim_lapsed(conversation, event, now)
        case Timer.NUDGE | Timer.ESCALATE:
            return _nudged(conversation, due[1])
        case Timer.WARN_OF_CLOSING:
            # counted from now where the timer comes late: the customer gets the time that is told
            closing_at = now + timedelta(seconds=rules.closing_notice_s)
            after = replace(conversation, closing_at=closing_at)
            return Transition(after, notice=Notice.CLOSING_SOON)
        case Timer.CLOSE_SILENT:
            after = to_closed(conversation, now, CloseReason.CUSTOMER_SILENT)
            return Transition(after, closes_segment=True, asks_csat=True)
        case Timer.STILL_WAITING:
            return _still_waiting(conversation, event, now)
        case Timer.OFFER_CHOICES:
            return _offered(conversation)
        case Timer.CLOSE_IDLE:
            after = to_closed(conversation, now, CloseReason.IDLE)
            return Transition(after, closes_segment=True)
        case Timer.EXTERNAL_ENDS:
            return _external_ended(conversation, event, now)


def _claim_lapsed(conversation: Conversation, event: TimerFired, now: datetime) -> Transition:
    queued = to_queue(
        conversation,
        now,
        reason=conversation.reason or Reason.CLAIM_LAPSED,
        mode=event.mode,
        queued_at=conversation.queued_at,
    )
    after = replace(queued, missed_claims=conversation.missed_claims + 1)
    return Transition(after, notice=Notice.REQUEUED, alert=Alert.LAPSED)


def _nudged(conversation: Conversation, timer: Timer) -> Transition:
    after = replace(conversation, nudges_sent=conversation.nudges_sent + 1)
    return Transition(after, alert=Alert.NUDGE if timer is Timer.NUDGE else Alert.SUPERVISORS)


def _still_waiting(conversation: Conversation, event: TimerFired, now: datetime) -> Transition:
    if event.mode is WaitingMode.AFTER_HOURS:
        return _offered(conversation)
    looked = replace(conversation, last_notice_at=now)
    told = (conversation.told_position, conversation.told_wait_min)
    if told == (event.position, event.wait_min):
        return Transition(looked)
    # the desk notes which place it tells; here only that one is told
    after = replace(looked, notices_sent=conversation.notices_sent + 1)
    return Transition(after, notice=Notice.STILL_WAITING)


def _offered(conversation: Conversation) -> Transition:
    after = replace(conversation, mode=WaitingMode.AFTER_HOURS)
    return Transition(after, notice=Notice.CHOICES)


def _external_ended(conversation: Conversation, event: TimerFired, now: datetime) -> Transition:
    wrote_at, replied_at = conversation.last_customer_at, conversation.last_agent_at
    if wrote_at is not None and (replied_at is None or wrote_at > replied_at):
        after = to_queue(conversation, now, reason=Reason.EXTERNAL_ENDED, mode=event.mode)
        return Transition(after, notice=Notice.HANDED_OFF, alert=Alert.HANDOFF)
    after = to_closed(conversation, now, CloseReason.EXTERNAL_ENDED)
    return Transition(after, closes_segment=True)
