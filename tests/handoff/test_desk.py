"""The desk and its timers on a real database: what the customer hears, what the agents see."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from handoff.desk.append import append_message
from handoff.desk.desk import Desk
from handoff.desk.presence import Presence, Status
from handoff.desk.timers import tick
from handoff.machine.events import (
    AgentSent,
    Claimed,
    Closed,
    CustomerWrote,
    Event,
    HandoffRequested,
    Reason,
)
from handoff.model.conversation import (
    AgentId,
    Conversation,
    State,
    WaitingMode,
)
from handoff.model.live_events import LiveEventKind
from handoff.model.transcript import Author, Message, MessageKind
from storage.storage import Storage
from storage.unit_of_work import UnitOfWork
from tests.factories.handoff import NOON, ManualClock, customer_writes

MEI = AgentId("01MEI")


class Counter:
    """A shop's desk with one customer at it."""

    def __init__(self, database: Storage, desk: Desk, clock: ManualClock) -> None:
        self.database = database
        self.desk = desk
        self.clock = clock

    async def says(self, text: str, visitor: str = "v-1a2b", **event: bool) -> Conversation:
        def unit(work: UnitOfWork) -> Conversation:
            return customer_writes(work, self.desk, self.clock(), text, visitor, **event)[0]

        return await self.database.write(unit)

    async def happens(self, conversation: Conversation, event: Event) -> Conversation:
        def unit(work: UnitOfWork) -> Conversation:
            return self.desk.handle(work, work.conversations.lock(conversation.id), event)

        return await self.database.write(unit)

    async def tick(self, **by: float) -> None:
        await tick(self.database, self.desk, self.clock.advance(**by))

    async def now(self, conversation: Conversation) -> Conversation:
        found = await self.database.read(lambda work: work.conversations.get(conversation.id))
        assert found is not None
        return found

    async def heard(self, conversation: Conversation) -> list[Message]:
        """What the system told the customer."""
        lines = await self.database.read(lambda work: work.messages.after(conversation.id, 0, 500))
        return [one for one in lines if one.author is Author.SYSTEM]

    async def kinds(self, conversation: Conversation) -> list[tuple[LiveEventKind, str | None]]:
        events = await self.database.read(lambda work: work.live_events.after(0, 500))
        return [(one.kind, one.detail) for one in events if one.conversation_id == conversation.id]


@pytest.fixture
def counter(database: Storage, desk: Desk, clock: ManualClock) -> Counter:
    return Counter(database, desk, clock)


async def test_a_handoff_says_one_notice_and_calls_the_agents(
    counter: Counter, presence: Presence
) -> None:
    presence.connected(MEI, "小美")
    conversation = await counter.says("转人工")
    waiting = await counter.happens(conversation, HandoffRequested(Reason.ASKED))
    assert (waiting.state, waiting.mode) == (State.WAITING, WaitingMode.LIVE)
    heard = await counter.heard(waiting)
    assert [one.text for one in heard] == ["已经帮您叫人工客服了，马上就来，请稍等一下～"]
    kinds = await counter.kinds(waiting)
    assert (LiveEventKind.ALERT, "handoff") in kinds
    assert (LiveEventKind.QUEUE_CHANGED, None) in kinds


async def test_the_second_in_the_queue_hears_the_place_and_the_estimate(
    counter: Counter, presence: Presence
) -> None:
    presence.connected(MEI, "小美")
    for visitor in ("v-one1", "v-two2"):
        conversation = await counter.says("转人工", visitor)
        conversation = await counter.happens(conversation, HandoffRequested(Reason.ASKED))
        counter.clock.advance(seconds=1)
    heard = await counter.heard(conversation)
    assert "前面还有 1 位，预计 6 分钟左右" in heard[0].text


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (NOON, "上线后会第一时间回您"),
        (NOON.replace(hour=18), "今天 09:00 上班后会回您"),
        (NOON.replace(hour=15), "明天 09:00 上班后会回您"),
    ],
)
async def test_with_nobody_online_the_customer_hears_when_and_the_bot_keeps_helping(
    counter: Counter, at: datetime, words: str
) -> None:
    counter.clock.now = at
    conversation = await counter.says("转人工")
    waiting = await counter.happens(conversation, HandoffRequested(Reason.ASKED))
    assert waiting.mode is WaitingMode.AFTER_HOURS
    heard = await counter.heard(waiting)
    assert words in heard[0].text
    assert "我继续帮您" in heard[0].text
    assert [one.id for one in heard[0].buttons] == ["leave_message", "back_to_bot"]


async def test_an_english_customer_hears_english(counter: Counter, presence: Presence) -> None:
    presence.connected(MEI, "Mei")
    conversation = await counter.says("a person please")

    def unit(work: UnitOfWork) -> None:
        held = work.conversations.lock(conversation.id)
        work.conversations.save(replace(held, locale="en"))

    await counter.database.write(unit)
    waiting = await counter.happens(conversation, HandoffRequested(Reason.ASKED))
    heard = await counter.heard(waiting)
    assert heard[0].text == "I've called a person, they'll be right with you."


async def test_a_waiting_customer_hears_again_only_when_the_place_changed(
    counter: Counter, presence: Presence
) -> None:
    presence.connected(MEI, "小美")
    first = await counter.says("转人工", "v-one1")
    first = await counter.happens(first, HandoffRequested(Reason.ASKED))
    counter.clock.advance(seconds=1)
    second = await counter.says("转人工", "v-two2")
    second = await counter.happens(second, HandoffRequested(Reason.ASKED))
    await counter.tick(seconds=60)
    assert len(await counter.heard(second)) == 1
    await counter.happens(first, AgentSent(MEI, "小美"))
    await counter.tick(seconds=120)
    heard = await counter.heard(second)
    assert [one.text for one in heard[1:]] == ["让您久等了，您排在第一位，预计 3 分钟左右。"]


async def test_after_10_min_choices_are_offered_once(counter: Counter, presence: Presence) -> None:
    presence.connected(MEI, "小美")
    conversation = await counter.says("转人工")
    waiting = await counter.happens(conversation, HandoffRequested(Reason.ASKED))
    for _ in range(30):
        await counter.tick(seconds=60)
    offered = [
        one
        for one in await counter.heard(waiting)
        if [button.id for button in one.buttons] == ["wait", "leave_message", "back_to_bot"]
    ]
    assert len(offered) == 1
    assert (await counter.now(waiting)).mode is WaitingMode.AFTER_HOURS


async def test_when_the_last_agent_goes_away_who_waits_is_told(
    counter: Counter, presence: Presence
) -> None:
    presence.connected(MEI, "小美")
    conversation = await counter.says("转人工")
    waiting = await counter.happens(conversation, HandoffRequested(Reason.ASKED))
    presence.choose(MEI, Status.AWAY)
    counter.clock.advance(minutes=1)
    await counter.tick(seconds=0)
    assert (await counter.now(waiting)).mode is WaitingMode.AFTER_HOURS


async def test_a_second_lapsed_claim_sets_the_agent_away(
    counter: Counter, presence: Presence
) -> None:
    presence.connected(MEI, "小美")
    conversation = await counter.says("转人工")
    waiting = await counter.happens(conversation, HandoffRequested(Reason.ASKED))
    queued_at = waiting.queued_at
    for expected in (Status.ONLINE, Status.AWAY):
        await counter.happens(waiting, Claimed(MEI, "小美"))
        await counter.tick(seconds=120)
        again = await counter.now(waiting)
        assert (again.state, again.queued_at) == (State.WAITING, queued_at)
        assert presence.status(MEI) is expected


async def test_timers_are_in_the_database_and_survive_a_restart(
    counter: Counter, clock: ManualClock, desk: Desk
) -> None:
    conversation = await counter.says("在吗")
    restarted = Counter(
        counter.database,
        Desk(desk.rules, presence=Presence(clock), hours=desk._hours, clock=clock),
        clock,
    )
    await restarted.tick(minutes=29)
    assert (await counter.now(conversation)).state is State.BOT
    await restarted.tick(minutes=1)
    closed = await counter.now(conversation)
    assert (closed.state, closed.closed_reason) == (State.CLOSED, "idle")
    assert await counter.heard(closed) == []


async def test_a_late_message_keeps_the_bot_conversation_open(counter: Counter) -> None:
    conversation = await counter.says("在吗")
    await counter.tick(minutes=20)
    await counter.says("还在吗")
    await counter.tick(minutes=20)
    assert (await counter.now(conversation)).state is State.BOT


async def test_a_silent_customer_is_told_then_closed_then_asked_for_csat(
    counter: Counter,
) -> None:
    conversation = await counter.says("在吗")

    def answered(work: UnitOfWork) -> None:
        held = counter.desk.handle(
            work, work.conversations.lock(conversation.id), AgentSent(MEI, "小美")
        )
        held, _ = append_message(
            work, held, author=Author.AGENT, text="处理好了", at=counter.clock()
        )
        work.conversations.save(held)

    await counter.database.write(answered)
    await counter.tick(minutes=20)
    await counter.tick(minutes=10)
    closed = await counter.now(conversation)
    assert (closed.state, closed.closed_reason) == (State.CLOSED, "customer_silent")
    heard = await counter.heard(closed)
    assert "10 分钟内没有新消息" in heard[-2].text
    assert heard[-1].kind is MessageKind.CSAT


async def test_who_was_never_answered_is_not_asked_for_csat(counter: Counter) -> None:
    conversation = await counter.says("在吗")
    closed = await counter.happens(conversation, Closed())
    assert await counter.heard(closed) == []


async def test_one_conversations_failure_does_not_stop_the_others_timers(
    counter: Counter, desk: Desk
) -> None:
    class Failing(Desk):
        def handle(self, work, conversation, event):  # type: ignore[no-untyped-def]
            if conversation.address.peer_id == "v-one1":
                raise RuntimeError("odd")
            return desk.handle(work, conversation, event)

    one = await counter.says("在吗", "v-one1")
    two = await counter.says("在吗", "v-two2")
    failing = Failing(desk.rules, presence=desk.presence, hours=desk._hours, clock=desk._clock)
    await tick(counter.database, failing, counter.clock.advance(minutes=31))
    assert (await counter.now(one)).state is State.BOT
    assert (await counter.now(two)).state is State.CLOSED


async def test_thanks_after_closing_change_nothing_the_customer_sees(counter: Counter) -> None:
    conversation = await counter.says("在吗")
    closed = await counter.happens(conversation, Closed())
    after = await counter.says("谢谢", reopens=False)
    assert (after.state, after.segment_id) == (State.CLOSED, closed.segment_id)
    assert (await counter.happens(after, CustomerWrote())).state is State.BOT
