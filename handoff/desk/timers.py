"""Timers: fires what is due in the database, one conversation at a time."""

from __future__ import annotations

from datetime import datetime

import structlog

from handoff.desk.desk import Desk
from handoff.errors import Conflict, IllegalTransition, NoSuchConversation, StorageUnavailable
from handoff.machine.events import Event, NobodyOnline, TimerFired
from handoff.model.conversation import (
    AgentId,
    Conversation,
    ConversationId,
    State,
    WaitingMode,
)
from handoff.model.ports import Units, Work

log = structlog.get_logger(__name__)

BATCH = 100


async def tick(units: Units[Work], desk: Desk, now: datetime) -> int:
    """Fire what is due by now; called about once a second.

    One conversation's failure stays its own: it is logged, and tried again at the next tick.

    Returns:
        How many conversations were looked at.

    Raises:
        StorageUnavailable: The database cannot be used; nothing further was done.
    """
    due = await units.read(lambda work: work.conversations.due(now, BATCH))
    for conversation_id in due:
        await _handle(units, desk, conversation_id, TimerFired())
    if desk.presence.has_just_emptied():
        left = await units.read(_waiting_live)
        for conversation_id in left:
            await _handle(units, desk, conversation_id, NobodyOnline())
    return len(due)


def _waiting_live(work: Work) -> list[ConversationId]:
    waiting = work.conversations.waiting()
    return [each.id for each in waiting if each.mode is WaitingMode.LIVE]


async def _handle(
    units: Units[Work], desk: Desk, conversation_id: ConversationId, event: Event
) -> None:
    def unit(work: Work) -> tuple[Conversation, Conversation]:
        before = work.conversations.lock(conversation_id)
        return before, desk.handle(work, before, event)

    try:
        before, after = await units.write(unit)
    except (Conflict, IllegalTransition, NoSuchConversation):
        return  # somebody was faster: it is looked at again when it is due again
    except StorageUnavailable:
        raise
    except Exception:  # one conversation's failure must not stop the others' timers
        log.exception("timer_failed", conversation_id=conversation_id)
        return
    lapsed_from = _lapsed_from(before, after, event)
    if lapsed_from is None:
        return
    if desk.presence.missed_claim(lapsed_from, away_at=desk.rules.missed_claims_before_away):
        log.info("agent_set_away", agent_id=lapsed_from)


def _lapsed_from(before: Conversation, after: Conversation, event: Event) -> AgentId | None:
    is_lapse = (
        isinstance(event, TimerFired)
        and before.state is State.AGENT
        and after.state is State.WAITING
    )
    return before.assignee if is_lapse else None
