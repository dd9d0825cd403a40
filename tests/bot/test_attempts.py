"""A message on which the bot dies is tried again, and then given to a person; the others go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from bot.app.services import Services, services
from bot.app.settings import Settings
from bot.turn.plan import Plan
from bot.turn.planner import Planner
from handoff.errors import StorageUnavailable
from handoff.model.conversation import Conversation
from handoff.model.inbound import Pending
from knowledge_base.recognition.loader import KnowledgeBase
from storage.core.keyring import Keyring
from storage.core.schema import upgrade
from tests.bot.conftest import Channel, Clock, Customer

POISON = "毒药毒药毒药"


class Killed(BaseException):
    """The process dies here: no handler of ours may see it."""


@dataclass(frozen=True, slots=True)
class DeadlyPlanner:
    """A planner that ends the process at one text, and keeps what it was asked to plan for."""

    planner: Planner
    planned: list[str]
    fails: Callable[[str], None]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.planner, name)

    async def plan(
        self, conversation: Conversation, group: Sequence[Pending], turn_id: str, now: datetime
    ) -> Plan:
        self.planned.append(group[0].text)
        self.fails(group[0].text)
        return await self.planner.plan(conversation, group, turn_id, now)


def dies(text: str) -> None:
    if text == POISON:
        raise Killed


@dataclass
class Lives:
    """Processes on one database, one after the other."""

    start: Callable[[], AbstractAsyncContextManager[tuple[Services, Channel]]]
    planned: list[str]


@pytest.fixture
def lives(
    settings: Settings, clock: Clock, knowledge: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> Lives:
    upgrade(settings.database)
    keyring = Keyring([Keyring.new_key()])
    planned: list[str] = []

    @asynccontextmanager
    async def start() -> AsyncIterator[tuple[Services, Channel]]:
        try:
            async with services(
                settings, keyring=keyring, clock=clock, knowledge=knowledge
            ) as parts:
                channel = Channel()
                parts.connectors.add(channel)
                planner = DeadlyPlanner(parts.planner(), planned, dies)
                monkeypatch.setattr(parts.turns, "_planner", lambda: planner)
                yield parts, channel
        except* Killed:
            pass  # whatever the process was at ends with it

    return Lives(start, planned)


async def store(parts: Services, customer: Customer, text: str) -> None:
    """Store a message, and then the process is killed before anything begins."""
    message = customer.message(text)
    await parts.storage.write(lambda work: parts.intake.accept_one(work, message))


async def settled(parts: Services) -> None:
    await parts.turns.settle()
    await parts.delivery.settle()


async def test_the_third_start_of_a_message_that_kills_the_process_hands_over(
    lives: Lives,
) -> None:
    async with lives.start() as (parts, channel):
        victim = Customer(parts, channel, [], name="victim")
        await victim.sends(POISON)
        await settled(parts)
    async with lives.start() as (parts, channel):
        await parts.start()
        await settled(parts)
        assert lives.planned == [POISON, POISON]
    async with lives.start() as (parts, channel):
        await parts.start()
        await settled(parts)
        victim = Customer(parts, channel, [], name="victim")
        conversation = await victim.conversation()
        assert (conversation.state, conversation.reason) == ("waiting", "bot_error")
        assert lives.planned == [POISON, POISON]
        assert len(victim.heard) == 1


async def test_who_waits_beside_a_deadly_message_is_answered_and_not_handed_over(
    lives: Lives,
) -> None:
    async with lives.start() as (parts, channel):
        for name in ("before", "victim", "after"):
            customer = Customer(parts, channel, [], name=name)
            await store(parts, customer, POISON if name == "victim" else "支持哪些付款方式")
    for _ in range(3):
        async with lives.start() as (parts, channel):
            await parts.start()
            await settled(parts)
    async with lives.start() as (parts, channel):
        for name, state in (("before", "bot"), ("victim", "waiting"), ("after", "bot")):
            customer = Customer(parts, channel, [], name=name)
            assert (await customer.conversation()).state == state
    assert lives.planned.count("支持哪些付款方式") == 2


async def test_one_conversation_is_taken_up_after_the_other(
    lives: Lives, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once, most = 0, 0

    async with lives.start() as (parts, channel):
        for number in range(5):
            customer = Customer(parts, channel, [], name=f"c{number}")
            await store(parts, customer, "支持哪些付款方式")
    async with lives.start() as (parts, channel):
        turn = parts.turns._turn

        async def watched(*args: Any, **named: Any) -> bool:
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(0)
            try:
                return await turn(*args, **named)
            finally:
                at_once -= 1

        monkeypatch.setattr(parts.turns, "_turn", watched)
        await parts.start()
        await settled(parts)
        assert len(channel.lines) == 5
    assert most == 1


async def test_a_message_on_which_the_turn_itself_breaks_is_handed_over_at_once(
    lives: Lives, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with lives.start() as (parts, channel):
        customer = Customer(parts, channel, [], name="victim")
        commit = parts.turns._commit

        async def breaks(
            planner: Planner, seen: Conversation, group: Any, plan: Plan, **rest: Any
        ) -> Any:
            if not plan.has_failed:
                raise RuntimeError("a bug")
            return await commit(planner, seen, group, plan, **rest)

        monkeypatch.setattr(parts.turns, "_commit", breaks)
        await customer.says("支持哪些付款方式")
        conversation = await customer.conversation()
        assert (conversation.state, conversation.reason) == ("waiting", "bot_error")
        assert len(lives.planned) == 2


async def test_a_database_that_is_away_counts_as_no_attempt(
    lives: Lives, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.turn.worker.STORAGE_RETRY_S", 0.0)
    async with lives.start() as (parts, channel):
        customer = Customer(parts, channel, [], name="patient")
        await store(parts, customer, "支持哪些付款方式")
    async with lives.start() as (parts, channel):
        commit, away = parts.turns._commit, [0]

        async def is_away_at_first(*args: Any, **rest: Any) -> Any:
            away[0] += 1
            if away[0] <= 5:
                raise StorageUnavailable("away")
            return await commit(*args, **rest)

        monkeypatch.setattr(parts.turns, "_commit", is_away_at_first)
        await parts.start()
        await settled(parts)
        customer = Customer(parts, channel, [], name="patient")
        assert (await customer.conversation()).state == "bot"
        assert len(customer.heard) == 1


async def test_what_cannot_even_be_handed_over_is_left_and_holds_up_nobody(
    lives: Lives, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with lives.start() as (parts, channel):
        commit = parts.turns._commit

        async def breaks(planner: Planner, seen: Conversation, *args: Any, **rest: Any) -> Any:
            if seen.address.user_id == "victim":
                raise RuntimeError("a bug")
            return await commit(planner, seen, *args, **rest)

        monkeypatch.setattr(parts.turns, "_commit", breaks)
        victim = Customer(parts, channel, [], name="victim")
        other = Customer(parts, channel, [], name="other")
        await victim.says("支持哪些付款方式")
        assert "支付宝" in await other.says("支持哪些付款方式")
        monkeypatch.setattr(parts.turns, "_commit", commit)
        await victim.says("你好")
        assert (await victim.conversation()).state == "waiting"


async def test_a_text_that_cannot_be_searched_for_secrets_is_stored_sealed_as_a_whole(
    lives: Lives, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(text: str, conversation: Conversation) -> Any:
        raise ValueError(text, conversation)

    async with lives.start() as (parts, channel):
        monkeypatch.setattr(parts.intake, "_find_secrets", breaks)
        customer = Customer(parts, channel, [], name="odd")
        assert "支付宝" in await customer.says("支持哪些付款方式")
        conversation = await customer.conversation()
        (line, _) = await parts.storage.read(
            lambda work: work.messages.after(conversation.id, 0, 10)
        )
        assert "付款" not in line.text
        assert [one.kind for one in line.secrets] == ["unread"]


async def test_of_those_that_a_dead_process_left_one_is_begun_at_a_time_also_as_they_write_again(
    lives: Lives, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, most = 0, 0
    names = [f"c{number}" for number in range(8)]
    async with lives.start() as (parts, channel):
        for name in names:
            await store(parts, Customer(parts, channel, [], name=name), "支持哪些付款方式")
    async with lives.start() as (parts, channel):
        decide = parts.turns._decide

        async def watched(*args: Any, **rest: Any) -> bool:
            nonlocal begun, most
            begun += 1
            most = max(most, begun)
            try:
                return await decide(*args, **rest)
            finally:
                begun -= 1

        monkeypatch.setattr(parts.turns, "_decide", watched)
        await parts.turns.recover()
        for name in names:
            await Customer(parts, channel, [], name=name).sends("你好")
        await settled(parts)
        assert len(channel.lines) == 2 * len(names)
    assert most == 1
