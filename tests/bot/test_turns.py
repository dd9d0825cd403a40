"""What a turn promises: once, in order, and never over a person."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from bot.app.services import Services
from bot.app.settings import Settings
from bot.dialogue.actions import Run
from bot.dialogue.tool_result import ToolResult
from bot.tools.tool import Caller
from connectors.messages import Inbound, InboundKind
from handoff.machine import events
from handoff.model.conversation import AgentId, ConversationId
from shop.demo.seeding import DemoShop
from storage.tables.messaging import inbound, messages, outbox, secrets, turns
from storage.unit_of_work import UnitOfWork
from tests.bot.conftest import START, Channel, Clock, Customer


async def count(parts: Services, table: object) -> int:
    def unit(work: UnitOfWork) -> int:
        statement = select(func.count()).select_from(table)  # type: ignore[arg-type]
        return int(work._connection.execute(statement).scalar_one())

    return await parts.storage.read(unit)


async def test_a_message_told_twice_is_answered_once(customer: Customer, parts: Services) -> None:
    await customer.says("你好", key="same")
    again = await customer.says("你好", key="same")
    assert again == ""
    assert await count(parts, inbound) == 1
    assert await count(parts, turns) == 1


async def test_a_message_told_twice_at_once_is_answered_once(
    customer: Customer, parts: Services
) -> None:
    await asyncio.gather(*(customer.sends("你好", key="same") for _ in range(5)))
    await customer.settled()
    assert await count(parts, inbound) == 1
    assert len(customer.heard) == 1


async def test_twenty_fast_messages_are_answered_in_order(
    customer: Customer, parts: Services
) -> None:
    asked = ["你好", "支持哪些付款方式"] * 10
    await asyncio.gather(*(customer.sends(text) for text in asked))
    await customer.settled()
    seqs = [line.seq for line in customer.heard]
    assert seqs == sorted(set(seqs))
    assert await count(parts, inbound) == 20

    def unit(work: UnitOfWork) -> int:
        statement = select(func.count(inbound.c.turn_id.distinct()))
        return int(work._connection.execute(statement).scalar_one())

    assert await parts.storage.read(unit) == 20


async def test_the_rest_of_an_unfinished_sentence_is_taken_together(
    customer: Customer, parts: Services
) -> None:
    parts.turns._fragment_wait_s = 30.0  # the second half comes long before
    await customer.sends("我昨天买的那个，")
    await customer.sends("付了款没收到卡密怎么办？")
    await customer.settled()
    assert await count(parts, turns) == 1
    assert customer.last_turn.reasons.candidates[0]["intent"] == "order_not_received"


async def test_what_arrives_together_with_the_rest_of_a_sentence_has_a_turn_as_well(
    customer: Customer, parts: Services
) -> None:
    parts.turns._fragment_wait_s = 30.0
    await customer.sends("我昨天买的那个，")
    together = ("付了款没收到卡密怎么办？", "支持哪些付款方式？")
    await parts.intake.accept([customer.message(text) for text in together])
    await customer.settled()
    assert await count(parts, turns) == 2
    assert await parts.storage.read(lambda work: work.inbox.unanswered()) == []


async def test_what_arrives_as_the_wait_for_the_rest_ends_has_a_turn_as_well(
    customer: Customer, parts: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts.turns._fragment_wait_s = 30.0
    load = parts.turns._load
    loads: list[str] = []

    async def ends_while_reading(conversation_id: ConversationId) -> object:
        loads.append(conversation_id)
        if len(loads) == 1:
            raise TimeoutError
        return await load(conversation_id)

    monkeypatch.setattr(parts.turns, "_load", ends_while_reading)
    await customer.sends("我昨天买的那个，")
    await customer.sends("支持哪些付款方式？")
    await customer.settled()
    assert await count(parts, turns) == 2
    assert await parts.storage.read(lambda work: work.inbox.unanswered()) == []


class SlowTools:
    """A shop that answers when the test says so."""

    def __init__(self) -> None:
        self.is_asked = asyncio.Event()
        self.may_answer = asyncio.Event()

    async def run(self, run: Run, caller: Caller) -> ToolResult:
        assert run.tool == "order_lookup"
        assert caller.turn_id
        self.is_asked.set()
        await self.may_answer.wait()
        return ToolResult("cancelled")


async def test_an_agent_who_takes_over_silences_a_turn_in_flight(
    customer: Customer, parts: Services, agent_online: str
) -> None:
    await customer.says("你好")
    conversation = await customer.conversation()
    slow = SlowTools()
    parts.planner._planner = replace(parts.planner(), tools=slow)

    def take_over(work: UnitOfWork) -> None:
        found = work.conversations.lock(conversation.id)
        parts.desk.handle(work, found, events.AgentSent(AgentId(agent_online), "小美"))

    await customer.sends("查订单 DD-00000-00000-00000-00000")
    await slow.is_asked.wait()
    await parts.storage.write(take_over)
    slow.may_answer.set()
    await customer.settled()
    said_by_bot = [line for line in customer.heard if line.author == "bot"]
    assert len(said_by_bot) == 1  # the greeting, from before
    assert customer.last_turn.reasons.actions == ("silent",)


async def test_the_bot_is_silent_while_a_person_has_it_and_suggests_to_them(
    customer: Customer, parts: Services, agent_online: str
) -> None:
    await customer.says("转人工")

    def claim(work: UnitOfWork) -> None:
        found = work.conversations.waiting()[0]
        parts.desk.handle(work, found, events.Claimed(AgentId(agent_online), "小美"))

    await parts.storage.write(claim)
    before = len(customer.heard)
    for _ in range(20):
        await customer.sends("支持哪些付款方式")
    await customer.settled()
    assert [line for line in customer.heard[before:] if line.author == "bot"] == []
    assert customer.last_turn.reasons.intent == "payment_methods"


async def test_a_handoff_gives_the_customer_exactly_one_notice(
    customer: Customer, agent_online: str
) -> None:
    await customer.says("转人工")
    assert agent_online
    notices = [line for line in customer.heard if line.author == "system"]
    assert len(notices) == 1
    await customer.says("在吗")
    assert [line for line in customer.heard if line.author == "system"] == notices


async def test_out_of_hours_the_bot_goes_on_and_promises_a_person(
    customer: Customer, clock: Clock
) -> None:
    clock.advance(hours=14)  # two in the morning
    await customer.says("转人工")
    answer = await customer.says("支持哪些付款方式")
    assert "支付宝" in answer
    assert "客服" in answer.splitlines()[-1]
    assert (await customer.conversation()).state == "waiting"


async def test_buyongle_leaves_the_queue(customer: Customer, agent_online: str) -> None:
    await customer.says("转人工")
    await customer.says("不用了")
    assert agent_online
    assert (await customer.conversation()).state == "bot"


async def test_thanks_do_not_reopen_a_closed_conversation_and_a_question_does(
    customer: Customer, parts: Services
) -> None:
    await customer.says("你好")

    def close(work: UnitOfWork) -> None:
        found = work.conversations.of_address(customer.address)
        assert found is not None
        parts.desk.handle(work, found, events.Closed())

    await parts.storage.write(close)
    heard = len(customer.heard)
    await customer.says("谢谢")
    assert (await customer.conversation()).state == "closed"
    assert len(customer.heard) == heard
    answer = await customer.says("支持哪些付款方式")
    assert "支付宝" in answer
    assert (await customer.conversation()).state == "bot"


async def test_satisfaction_is_kept_once_with_the_segment(
    customer: Customer, parts: Services
) -> None:
    await customer.says("你好")

    def close(work: UnitOfWork) -> None:
        found = work.conversations.of_address(customer.address)
        assert found is not None
        parts.desk.handle(work, found, events.Closed())

    await parts.storage.write(close)
    await customer.settled()
    assert customer.heard[-1].kind == "csat"
    for score in (5, 1):
        await customer.says("★" * score + " 很快", kind=InboundKind.CSAT, score=score)
    conversation = await customer.conversation()
    segment = await parts.storage.read(lambda work: work.segments.get(conversation.segment_id))
    assert segment is not None
    assert (segment.csat_score, segment.csat_comment) == (5, "很快")
    assert conversation.state == "closed"


async def test_a_bot_that_breaks_twice_hands_over(customer: Customer, parts: Services) -> None:
    asked: list[str] = []

    class BrokenTools:
        async def run(self, run: Run, caller: Caller) -> ToolResult:
            asked.append(caller.turn_id)
            raise RuntimeError(run.tool)

    parts.planner._planner = replace(parts.planner(), tools=BrokenTools())
    await customer.says("查订单 DD-00000-00000-00000-00000")
    conversation = await customer.conversation()
    assert (conversation.state, conversation.reason) == ("waiting", "bot_error")
    assert len(asked) == 2


async def test_secrets_are_nowhere_in_the_clear(
    customer: Customer, parts: Services, demo: DemoShop, settings: Settings
) -> None:
    order = demo.orders["delivered"]
    password = order.password.get_secret_value()
    await customer.says("我的手机是13812345678，邮箱 abc@example.com")
    await customer.says(f"补发卡密 {order.order.number}")
    shown = await customer.says(password)
    card = order.cards[0][1].get_secret_value()
    assert card in shown
    await parts.storage.write(lambda work: work.probe())
    stored = b"".join(path.read_bytes() for path in settings.data_dir.glob("kefu.db*"))
    for value in (password, card, "13812345678", "abc@example.com", order.contact):
        assert value.encode() not in stored
    assert await count(parts, secrets) >= 4


async def test_what_a_dead_process_left_is_answered_after_the_start(
    customer: Customer, parts: Services, channel: Channel
) -> None:
    def store(work: UnitOfWork) -> None:
        message = Inbound(
            dedup_key="left", address=customer.address, received_at=START, text="你好"
        )
        parts.intake.accept_one(work, message)  # stored, and then the process died

    await parts.storage.write(store)
    assert channel.lines == []
    await parts.start()
    await customer.settled()
    assert len(customer.heard) == 1


async def test_a_reply_that_was_committed_but_not_sent_is_sent_after_the_start(
    customer: Customer, parts: Services, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as dying:  # the process dies between commit and sending
        dying.setattr(parts.delivery, "hand_over", lambda _dispatches: None)
        await customer.says("你好")
    assert channel.lines == []
    await parts.start()
    await customer.settled()
    assert len(customer.heard) == 1

    def unit(work: UnitOfWork) -> list[str]:
        return list(work._connection.execute(select(outbox.c.state)).scalars())

    assert await parts.storage.read(unit) == ["sent"]


async def test_a_late_retry_of_the_bot_is_not_sent_once_a_person_has_it(
    customer: Customer,
    parts: Services,
    channel: Channel,
    agent_online: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as dying:
        dying.setattr(parts.delivery, "hand_over", lambda _dispatches: None)
        await customer.says("你好")

    def take_over(work: UnitOfWork) -> None:
        found = work.conversations.of_address(customer.address)
        assert found is not None
        parts.desk.handle(work, found, events.AgentSent(AgentId(agent_online), "小美"))

    await parts.storage.write(take_over)
    await parts.start()
    await customer.settled()
    assert [line.author for line in channel.lines] == ["system"]


async def test_every_turn_keeps_its_reasons(customer: Customer, parts: Services) -> None:
    await customer.says("付款后多久发货")

    def unit(work: UnitOfWork) -> list[object]:
        found = work.conversations.of_address(customer.address)
        assert found is not None
        return [one.reasons for one in work.messages.after(found.id, 0, 10)]

    reasons = await parts.storage.read(unit)
    assert all(reason is not None for reason in reasons)
    assert customer.last_turn.reasons.candidates
    assert await count(parts, messages) == 2
