"""Conversations, agents and opening hours for tests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from argon2 import PasswordHasher
from ulid import ULID

from connectors.messages import Address, ChannelRef
from handoff.auth.agents import Agent, Role
from handoff.desk.append import append_message
from handoff.desk.desk import Desk
from handoff.machine.events import CustomerWrote
from handoff.model.conversation import (
    AgentId,
    Conversation,
    ConversationId,
    CustomerId,
    Segment,
    SegmentId,
    State,
)
from handoff.model.transcript import Author, Message
from storage.unit_of_work import UnitOfWork

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
"""A Monday, 12:00 in the shop's time zone."""
SHANGHAI = ZoneInfo("Asia/Shanghai")
PASSWORD = "correct horse"


class ManualClock:
    """A clock that a test moves."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


@dataclass(frozen=True)
class DailyHours:
    """Open every day from one hour to another, in Shanghai."""

    opens: int = 9
    closes: int = 23
    zone: ZoneInfo = SHANGHAI

    def is_open(self, at: datetime) -> bool:
        return self.opens <= at.astimezone(self.zone).hour < self.closes

    def next_opening(self, at: datetime) -> datetime | None:
        if self.is_open(at):
            return at.astimezone(UTC)
        local = at.astimezone(self.zone)
        opening = local.replace(hour=self.opens, minute=0, second=0, microsecond=0)
        return (opening if opening > local else opening + timedelta(days=1)).astimezone(UTC)

    def closes_at(self, at: datetime) -> datetime | None:
        if not self.is_open(at):
            return None
        local = at.astimezone(self.zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        return (midnight + timedelta(hours=self.closes)).astimezone(UTC)


def an_address(visitor: str = "v-1a2b") -> Address:
    return Address(ChannelRef("web", "shop"), peer_id=visitor, user_id=visitor)


def a_conversation(state: State = State.BOT, **changes: Any) -> Conversation:
    """A conversation with the bot at noon, or with changes."""
    conversation = Conversation(
        id=ConversationId("C1"),
        customer_id=CustomerId("K1"),
        address=an_address(),
        state=State.BOT,
        segment_id=SegmentId("S1"),
        opened_at=NOON,
        last_seq=3,
        last_message_at=NOON,
        last_customer_at=NOON,
    )
    return replace(conversation, **{"state": state, **changes})


def an_agent(username: str = "xiaomei", role: Role = Role.AGENT, name: str = "") -> Agent:
    return Agent(AgentId(str(ULID())), username, name or username, role, NOON)


@cache
def the_password_hash() -> str:
    """One hash for all test agents: hashing is slow on purpose."""
    return PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)


def customer_writes(
    work: UnitOfWork, desk: Desk, now: datetime, text: str, visitor: str = "v-1a2b", **event: Any
) -> tuple[Conversation, Message]:
    """A customer's message: stored, and told to the desk as a turn would."""
    address = an_address(visitor)
    conversation = work.conversations.of_address(address)
    if conversation is None:
        segment = Segment(SegmentId(str(ULID())), ConversationId(str(ULID())), now, first_seq=1)
        conversation = Conversation(
            id=segment.conversation_id,
            customer_id=work.people.of_address(address, now, f"访客 {visitor[-4:].upper()}"),
            address=address,
            state=State.BOT,
            segment_id=segment.id,
            opened_at=now,
        )
        work.conversations.add(conversation)
        work.segments.add(segment)
    conversation, message = append_message(
        work, conversation, author=Author.CUSTOMER, text=text, at=now
    )
    wrote = CustomerWrote(first_seq=message.seq, **event)
    return desk.handle(work, conversation, wrote), message
