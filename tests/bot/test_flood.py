"""A flood on any channel is stored, answered in few turns, and holds nobody else up."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from ulid import ULID

from bot.app.services import Services
from bot.inbox.bounds import (
    MAX_FILES,
    MAX_SECRETS,
    MAX_STORED_CHARS,
    bounded,
    ends,
    few,
)
from bot.inbox.turn_queue import CONVERSATION_PACE, Origin, TurnQueue
from bot.turn.commit import Outcome
from connectors.messages import Address, ChannelRef, Inbound, MediaHandle, PeerKind
from handoff.model.conversation import ConversationId
from handoff.model.transcript import Message
from storage.unit_of_work import UnitOfWork
from tests.bot.conftest import START

TELEGRAM = ChannelRef("telegram", "bot")
CODE = "ABCD-EFGH-1234-5678"


def an_address(user: str, group: str | None = None) -> Address:
    kind = PeerKind.PRIVATE if group is None else PeerKind.GROUP
    return Address(TELEGRAM, group or user, user, kind)


def says(user: str, text: str = "支持哪些付款方式", **parts: Any) -> Inbound:
    return Inbound(str(ULID()), an_address(user), START, text=text, **parts)


class Time:
    """A monotonic clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now_s = 0.0

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        await asyncio.sleep(0)


# ---------------------------------------------------------------------- bounds


@pytest.mark.parametrize("length", [0, 1, MAX_STORED_CHARS])
def test_a_message_within_bounds_is_kept_as_it_is(length: int) -> None:
    message = says("u", "好" * length)
    assert bounded(message) is message


def test_what_is_cut_of_a_message_is_told_in_it() -> None:
    kept = bounded(says("u", "好" * 10_000)).text
    assert kept.startswith("好" * MAX_STORED_CHARS)
    assert kept.endswith("…（太长了，后面 6000 个字没有保存）")


def test_half_a_card_key_is_not_left_standing_in_the_clear() -> None:
    kept = bounded(says("u", "好" * (MAX_STORED_CHARS - 7) + CODE + "好" * 100)).text
    assert "ABCD" not in kept


def test_more_files_than_one_message_may_carry_are_told_of() -> None:
    media = tuple(MediaHandle("image", {"id": number}) for number in range(500))
    kept = bounded(says("u", "", media=media))
    assert kept.media == media[:MAX_FILES]
    assert kept.text == "（文件太多了，后面 480 个没有保存）"


def test_of_a_long_text_both_ends_are_read() -> None:
    text = "头" * 3000 + "中" * 5000 + "尾" * 1000
    assert ends(text) == "头" * 3000 + "\n" + "尾" * 1000
    assert ends("短") == "短"


def test_of_many_secrets_the_last_are_sealed_as_one() -> None:
    spans = [(at, at + 5, "phone") for at in range(0, 1000, 10)]
    sealed = few(spans)
    assert len(sealed) == MAX_SECRETS
    assert sealed[-1] == (spans[MAX_SECRETS - 1][0], 995, "phone")
    assert few(spans[:3]) == spans[:3]


async def test_a_message_of_ten_thousand_characters_is_stored_and_answered(
    parts: Services,
) -> None:
    await parts.intake.accept([says("u", "卡" * 5000 + CODE * 400)])
    await parts.turns.settle()
    (message,) = await lines_of(parts, "u")
    assert len(message.text) < MAX_STORED_CHARS + 100
    assert "ABCD" not in message.text


# ---------------------------------------------------------------------- whose turn it is


@pytest.mark.parametrize(
    ("address", "sources", "source"),
    [
        (an_address("u1"), (), "telegram:bot:u1"),
        (an_address("u1", "g1"), (), "telegram:bot:group:g1"),
        (an_address("u2", "g1"), (), "telegram:bot:group:g1"),
        (Address(ChannelRef("web", "default"), "v", "v"), ("ip:1", "net:1"), "ip:1"),
    ],
)
def test_the_source_of_a_turn_is_a_network_a_group_or_a_person(
    address: Address, sources: tuple[str, ...], source: str
) -> None:
    assert Origin.of(ConversationId("c"), address, sources).source == source


async def test_a_turn_that_waits_for_the_rest_of_a_sentence_lets_others_in() -> None:
    queue = TurnQueue(places=1, share=1)
    mine, theirs = Origin(ConversationId("c1"), "a"), Origin(ConversationId("c2"), "b")
    async with queue.place(mine) as place:
        async with place.away(), queue.place(theirs):
            pass
        waiting = asyncio.create_task(enter(queue, theirs))
        await asyncio.sleep(0)
        assert len(queue) == 1
    await waiting


async def enter(queue: TurnQueue, origin: Origin) -> None:
    async with queue.place(origin):
        pass


@pytest.mark.parametrize("is_admitted", [False, True])
async def test_who_is_cancelled_while_waiting_keeps_no_place(*, is_admitted: bool) -> None:
    queue = TurnQueue(places=1, share=1)
    mine = Origin(ConversationId("c1"), "a")
    async with queue.place(mine):
        waiting = asyncio.create_task(enter(queue, Origin(ConversationId("c2"), "b")))
        await asyncio.sleep(0)
        if not is_admitted:
            waiting.cancel()
    waiting.cancel()  # at the moment at which it was let in
    with pytest.raises(asyncio.CancelledError):
        await waiting
    async with asyncio.timeout(1):
        await enter(queue, mine)


async def test_a_turn_that_is_cancelled_on_its_way_back_keeps_no_place() -> None:
    queue = TurnQueue(places=1, share=1)

    async def leaves() -> None:
        async with queue.place(Origin(ConversationId("c1"), "a")) as place, place.away():
            raise TimeoutError

    with pytest.raises(TimeoutError):
        await leaves()
    async with asyncio.timeout(1):
        await enter(queue, Origin(ConversationId("c2"), "b"))


async def test_the_owners_terminal_has_no_pace() -> None:
    time = Time()
    queue = TurnQueue(now_s=lambda: time.now_s, sleep=time.sleep)
    own = Origin.of(ConversationId("c"), Address(ChannelRef("terminal", "chat"), "u", "u"), ())
    assert not any([await queue.paced(own) for _ in range(1000)])


# ---------------------------------------------------------------------- floods


@pytest.fixture
def time(parts: Services) -> Time:
    """Turns on a clock that only sleeping moves."""
    time = Time()
    parts.turns._queue = TurnQueue(now_s=lambda: time.now_s, sleep=time.sleep)
    return time


async def lines_of(parts: Services, user: str) -> list[Message]:
    def unit(work: UnitOfWork) -> list[Message]:
        conversation = work.conversations.of_address(an_address(user))
        assert conversation is not None
        return list(work.messages.before(conversation.id, 1_000_000, 10_000))

    return [one for one in await parts.storage.read(unit) if one.author.value == "customer"]


async def test_five_hundred_messages_of_one_customer_are_stored_and_answered_in_few_turns(
    parts: Services, turns: list[Outcome], time: Time
) -> None:
    burst = int(CONVERSATION_PACE.burst)
    await parts.intake.accept([says("u", f"第 {number} 句，在吗") for number in range(500)])
    await parts.turns.settle()
    assert len(await lines_of(parts, "u")) == 500
    assert await parts.storage.read(lambda work: work.inbox.unanswered()) == []
    # the first ones by themselves, then a second's worth in each turn: 50 are read at a time
    assert len(turns) <= burst + 500 / 50 + 2
    assert time.now_s > 5


async def test_a_group_of_many_has_one_pace(parts: Services, time: Time) -> None:
    for number in range(300):
        message = says(f"m{number}")
        in_group = replace(message, address=an_address(f"m{number}", "g1"))
        await parts.intake.accept([in_group])
    await parts.turns.settle()
    assert time.now_s > 10
    assert await parts.storage.read(lambda work: work.inbox.unanswered()) == []


async def test_twenty_customers_do_not_wait_for_a_crowd_of_one_source(
    parts: Services, turns: list[Outcome]
) -> None:
    flood = [says(f"f{n}", sources=("ip:flood",)) for n in range(90)]
    await parts.intake.accept([*flood, *(says(f"honest{n}") for n in range(20))])
    await parts.turns.settle()
    whose = [turn.conversation.address.user_id for turn in turns]
    last = max(place for place, user in enumerate(whose) if user.startswith("honest"))
    assert len(whose) == 110
    assert last < 60


async def test_what_waits_for_its_place_at_a_stop_is_left_for_the_next_start(
    parts: Services,
) -> None:
    parts.turns._queue = TurnQueue(places=0, share=1)
    await parts.intake.accept([says(f"u{n}") for n in range(10)])
    await parts.turns.stop(grace_s=0)
    left = await parts.storage.read(lambda work: work.inbox.unanswered())
    assert len(left) == 10
