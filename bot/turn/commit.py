"""Committing a turn: everything that it changes, in one transaction."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from bot.dialogue.memory import MEMORY_KEY
from bot.sealing.resealing import reseal
from bot.tools import effects
from bot.tools.effects import EffectsWork
from bot.turn.plan import Plan
from bot.wording.compose import Reply
from handoff.desk.append import append_message, sealed
from handoff.desk.desk import Desk
from handoff.errors import HandoffError
from handoff.machine import events
from handoff.model.conversation import Conversation, State
from handoff.model.inbound import Inbox, Pending
from handoff.model.ports import Work
from handoff.model.transcript import (
    Author,
    Message,
    TurnReasons,
    with_masks,
)
from knowledge_base.source.intent import IntentId


class StaleTurn(HandoffError):
    """A turn came too late: another owner has the conversation, or the messages had their turn."""


class TurnRows(Protocol):
    """Decisions, one of each turn."""

    def add(
        self, conversation: Conversation, reasons: TurnReasons, *, at: datetime, took_ms: float
    ) -> None:
        """Store a turn."""


class TurnWork(Work, EffectsWork, Protocol):
    """The repositories that a turn needs."""

    @property
    def inbox(self) -> Inbox:
        """Messages that came in."""

    @property
    def turns(self) -> TurnRows:
        """Decisions."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A committed turn.

    Attributes:
        messages: What the bot said, as stored; the desk's notices are not among it.
        took_ms: From taking the message up to the decision, the wait for fragments included.
    """

    conversation: Conversation
    plan: Plan
    reasons: TurnReasons
    messages: tuple[Message, ...]
    took_ms: float


def commit_turn(
    work: TurnWork,
    desk: Desk,
    *,
    seen: Conversation,
    group: Sequence[Pending],
    plan: Plan,
    turn_id: str,
    at: datetime,
    took_ms: float,
    titles: Mapping[IntentId, str],
) -> Outcome:
    """Store a turn, its replies and the state that follows.

    Args:
        seen: The conversation as it was planned on.

    Raises:
        StaleTurn: It has another owner since, or a message of the group had its turn: nothing is
            changed, plan again.
    """
    conversation = work.conversations.lock(seen.id)
    if (conversation.owner_epoch, conversation.state, conversation.mode) != (
        seen.owner_epoch,
        seen.state,
        seen.mode,
    ):
        raise StaleTurn(f"conversation {seen.id} moved on")
    if not work.inbox.assign([pending.id for pending in group], turn_id):
        raise StaleTurn(f"conversation {seen.id}: a message had its turn")
    reasons = plan.reasons(turn_id, titles)
    memory = reseal(work, conversation, plan.accepted, at, plan.memory)
    conversation = replace(
        conversation,
        memory={**conversation.memory, MEMORY_KEY: memory.as_json()},
        # notices speak the customer's language too
        locale="en" if plan.memory.is_english else "zh",
    )
    wrote = events.CustomerWrote(reopens=plan.reopens, first_seq=group[0].message.seq)
    is_plain = conversation.state is State.BOT and plan.handoff is None
    if not is_plain or plan.event is not None:
        conversation = desk.handle(work, conversation, wrote)
    if plan.event is not None:
        conversation = desk.handle(work, conversation, plan.event)
    messages: list[Message] = []
    for reply in plan.replies:
        conversation, message = _say(work, conversation, reply, turn_id, at, is_last=False)
        messages.append(message)
    if plan.lead is not None:
        conversation, message = _say(work, conversation, plan.lead, turn_id, at, is_last=True)
        messages.append(message)
    work.turns.add(conversation, reasons, at=at, took_ms=took_ms)
    if plan.effects:
        effects.apply(work, conversation, plan.effects, at)
    if plan.csat is not None:
        _rate(work, conversation, plan.csat, group[0])
    if plan.has_failed:
        conversation = desk.handle(work, conversation, events.BotFailed())
    elif plan.handoff is not None:
        asked = events.HandoffRequested(reason=plan.handoff, summary=plan.summary)
        conversation = desk.handle(work, conversation, asked)
    elif is_plain and plan.event is None:
        # the usual turn stores the conversation once: the transition is made over what was said
        conversation = desk.handle(work, conversation, wrote)
    else:
        conversation = work.conversations.save(conversation)
    return Outcome(conversation, plan, reasons, tuple(messages), took_ms)


def _say(
    work: TurnWork,
    conversation: Conversation,
    reply: Reply,
    turn_id: str,
    at: datetime,
    *,
    is_last: bool,
) -> tuple[Conversation, Message]:
    def find(text: str) -> list[tuple[int, int, str]]:
        return _places(text, reply.secrets)

    text, secrets = sealed(work.secrets, conversation.id, reply.text, find, reply.order_number)
    return append_message(
        work,
        conversation,
        author=Author.BOT,
        text=text,
        secrets=secrets,
        buttons=reply.buttons,
        attachments=reply.attachments,
        turn_id=turn_id,
        at=at,
        is_last_word=is_last,
    )


def _places(text: str, values: Sequence[str]) -> list[tuple[int, int, str]]:
    """Return the places of the values in the text, in order, none inside another."""
    longest_first = sorted(set(values), key=len, reverse=True)
    pattern = "|".join(re.escape(value) for value in longest_first if value)
    if not pattern:
        return []
    return [(*found.span(), "card") for found in re.finditer(pattern, text)]


def _rate(work: TurnWork, conversation: Conversation, score: int, pending: Pending) -> None:
    """Keep the satisfaction with the segment that was just closed, the first answer only."""
    segment = work.segments.get(conversation.segment_id)
    if segment is None or segment.csat_score is not None:
        return
    # where figures stand nothing can be revealed: masks go in place of what is sealed
    comment = with_masks(pending.message.text, pending.message.secrets).lstrip("★☆ ").strip()
    work.segments.save(replace(segment, csat_score=score, csat_comment=comment or None))
