"""What a timer that came due makes of a conversation (pure)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from handoff.machine.events import CloseReason, Reason, TimerFired
from handoff.machine.move import (
    Alert,
    Move,
    Notice,
    closed,
    in_queue,
)
from handoff.machine.rules import Rules
from handoff.machine.timetable import Step, next_step
from handoff.model.conversation import Conversation, WaitingMode


def fired(  # noqa: PLR0911 - a return is a row of the table
    conversation: Conversation, event: TimerFired, now: datetime, rules: Rules
) -> Move:
    """The move of the earliest step that is due; none where somebody acted meanwhile.

    After a long stop several steps may be over: each is a move of its own, one tick after another.
    """
    due = next_step(conversation, rules)
    if due is None or due[0] > now:
        return Move(conversation)
    match due[1]:
        case Step.CLAIM_LAPSES:
            return _claim_lapsed(conversation, event, now)
        case Step.NUDGE | Step.ESCALATE:
            after = replace(conversation, nudges_sent=conversation.nudges_sent + 1)
            is_first = due[1] is Step.NUDGE
            return Move(after, alert=Alert.NUDGE if is_first else Alert.SUPERVISORS)
        case Step.WARN_OF_CLOSING:
            # counted from now where the timer comes late: the customer gets the time that is told
            closing_at = now + timedelta(seconds=rules.closing_notice_s)
            return Move(replace(conversation, closing_at=closing_at), notice=Notice.CLOSING_SOON)
        case Step.CLOSE_SILENT:
            after = closed(conversation, now, CloseReason.CUSTOMER_SILENT)
            return Move(after, closes_segment=True, asks_csat=True)
        case Step.STILL_WAITING:
            return _still_waiting(conversation, event, now)
        case Step.OFFER_CHOICES:
            return _offered(conversation)
        case Step.CLOSE_IDLE:
            return Move(closed(conversation, now, CloseReason.IDLE), closes_segment=True)
        case Step.EXTERNAL_ENDS:
            return _external_ended(conversation, event, now)


def _claim_lapsed(conversation: Conversation, event: TimerFired, now: datetime) -> Move:
    after = in_queue(
        replace(conversation, missed_claims=conversation.missed_claims + 1),
        now,
        reason=conversation.reason or Reason.CLAIM_LAPSED,
        mode=event.mode,
        queued_at=conversation.queued_at,
    )
    return Move(after, notice=Notice.REQUEUED, alert=Alert.LAPSED)


def _still_waiting(conversation: Conversation, event: TimerFired, now: datetime) -> Move:
    if event.mode is WaitingMode.AFTER_HOURS:
        return _offered(conversation)
    looked = replace(conversation, last_notice_at=now)
    told = (conversation.told_position, conversation.told_wait_min)
    if told == (event.position, event.wait_min):
        return Move(looked)
    # the desk notes which place it tells; here only that one is told
    after = replace(looked, notices_sent=conversation.notices_sent + 1)
    return Move(after, notice=Notice.STILL_WAITING)


def _offered(conversation: Conversation) -> Move:
    return Move(replace(conversation, mode=WaitingMode.AFTER_HOURS), notice=Notice.CHOICES)


def _external_ended(conversation: Conversation, event: TimerFired, now: datetime) -> Move:
    wrote_at, replied_at = conversation.last_customer_at, conversation.last_agent_at
    if wrote_at is not None and (replied_at is None or wrote_at > replied_at):
        after = in_queue(conversation, now, reason=Reason.EXTERNAL_ENDED, mode=event.mode)
        return Move(after, notice=Notice.HANDED_OFF, alert=Alert.HANDOFF)
    return Move(closed(conversation, now, CloseReason.EXTERNAL_ENDED), closes_segment=True)
