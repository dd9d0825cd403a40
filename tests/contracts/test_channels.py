"""What every storage promises to channels, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from connectors.messages import (
    ChannelRef,
    Checkpoint,
    Grant,
    Inbound,
    InboundKind,
    MediaHandle,
    MediaState,
    ReplyWindow,
)
from handoff.model.conversation import ConversationId
from handoff.model.transcript import DeliveryState
from storage.core.after_commit import AfterCommit
from storage.storage import Storage
from storage.unit_of_work import UnitOfWork
from tests.factories.messaging import WEB, a_stored_conversation, an_inbound, bot_says, received
from tests.factories.shop import NOON


def a_window(key: str = "w1", *, most: int | None = 5, hours: float | None = 48) -> ReplyWindow:
    expires_at = None if hours is None else NOON + timedelta(hours=hours)
    return ReplyWindow(key, {"msg_id": key}, expires_at, most)


async def the_outbox_row(storage: Storage, conversation: ConversationId) -> str:
    def unit(work: UnitOfWork) -> str:
        bot_says(work, conversation)
        return work.after_commit.dispatches[-1].outbound.outbox_id

    return await storage.write(unit)


async def test_a_retry_has_the_same_leave_and_the_next_unit_another(storage: Storage) -> None:
    conversation = await a_stored_conversation(storage)
    await received(storage, an_inbound(window=a_window(most=4)))
    key = await the_outbox_row(storage, conversation)

    first = await storage.write(lambda work: work.outbox.grant(key, f"{key}-0", NOON))
    again = await storage.write(lambda work: work.outbox.grant(key, f"{key}-0", NOON))
    second = await storage.write(lambda work: work.outbox.grant(key, f"{key}-1", NOON))

    assert first == again
    assert first is not None
    assert second is not None
    assert (first.number, second.number, first.data) == (1, 2, {"msg_id": "w1"})


async def test_the_bot_leaves_two_of_five_sends_to_a_person(storage: Storage) -> None:
    conversation = await a_stored_conversation(storage)
    await received(storage, an_inbound(window=a_window()))
    key = await the_outbox_row(storage, conversation)

    def takes(number: int) -> Callable[[UnitOfWork], Grant | None]:
        return lambda work: work.outbox.grant(key, f"{key}-{number}", NOON)

    given = [await storage.write(takes(number)) for number in range(5)]

    assert [one is not None for one in given] == [True, True, True, False, False]
    budget = await storage.read(lambda work: work.windows.budget(conversation, NOON))
    assert budget is not None
    assert (budget.left, budget.total) == (2, 5)


async def test_no_leave_is_given_after_the_window_and_none_is_left(storage: Storage) -> None:
    conversation = await a_stored_conversation(storage)
    await received(storage, an_inbound(window=a_window()))
    key = await the_outbox_row(storage, conversation)
    late = NOON + timedelta(hours=49)

    assert await storage.write(lambda work: work.outbox.grant(key, f"{key}-0", late)) is None
    budget = await storage.read(lambda work: work.windows.budget(conversation, late))
    assert budget is not None
    assert budget.left == 0


async def test_a_newer_message_renews_the_window_and_a_repeat_does_not(storage: Storage) -> None:
    conversation = await a_stored_conversation(storage)
    await received(storage, an_inbound(key="k1", window=a_window("w1", most=1)))
    key = await the_outbox_row(storage, conversation)
    assert await storage.write(lambda work: work.outbox.grant(key, f"{key}-0", NOON))

    await received(storage, an_inbound(key="k1", window=a_window("w1", most=1)))
    assert await storage.write(lambda work: work.outbox.grant(key, f"{key}-1", NOON)) is None
    await received(storage, an_inbound(key="k2", window=a_window("w2", most=1)))
    assert await storage.write(lambda work: work.outbox.grant(key, f"{key}-1", NOON)) is not None


async def test_what_was_held_is_due_when_the_customer_writes(
    storage: Storage, told: list[AfterCommit]
) -> None:
    conversation = await a_stored_conversation(storage)
    key = await the_outbox_row(storage, conversation)
    await storage.write(lambda work: work.outbox.hold([key], NOON, "no", closes_window=False))
    month = NOON + timedelta(days=30)
    assert await storage.write(lambda work: work.outbox.claim(month, 10)) == []

    await received(storage, an_inbound(key="k2", window=a_window("w2")))

    # with the very commit that stores the message: the answer to it can only come after
    assert [one.outbound.outbox_id for one in told[-1].dispatches] == [key]
    assert await storage.write(lambda work: work.outbox.claim(NOON, 10)) == []


async def test_a_customer_who_wrote_since_a_message_was_refused_keeps_it_from_being_held(
    storage: Storage,
) -> None:
    conversation = await a_stored_conversation(storage)
    key = await the_outbox_row(storage, conversation)
    # nothing lets us speak; and then, before that is noted, the customer writes
    assert await storage.write(lambda work: work.outbox.grant(key, f"{key}-0", NOON)) is None
    await received(storage, an_inbound(key="k1", window=a_window("w1", most=1)))
    hold = partial(_hold, key)
    assert await storage.write(partial(hold, closes_window=False)) is False
    assert await storage.write(lambda work: work.outbox.grant(key, f"{key}-0", NOON)) is not None

    # the platform refuses that leave; only its window is closed
    await received(storage, an_inbound(key="k2", window=a_window("w2", most=1)))
    assert await storage.write(partial(hold, closes_window=True)) is False
    grant = await storage.write(lambda work: work.outbox.grant(key, f"{key}-0", NOON))
    assert grant is not None
    assert grant.number == 1

    assert await storage.write(partial(hold, closes_window=True)) is True
    assert await storage.write(lambda work: work.outbox.grant(key, f"{key}-0", NOON)) is None


def _hold(key: str, work: UnitOfWork, *, closes_window: bool) -> bool:
    return work.outbox.hold([key], NOON, "no", closes_window=closes_window)


async def test_what_waits_behind_a_held_message_is_held_too_and_goes_out_after_it(
    storage: Storage, told: list[AfterCommit]
) -> None:
    conversation = await a_stored_conversation(storage)
    first = await the_outbox_row(storage, conversation)
    second = await the_outbox_row(storage, conversation)
    await storage.write(
        lambda work: work.outbox.postpone([second], NOON, "behind an earlier one", is_fault=True)
    )
    await storage.write(lambda work: work.outbox.hold([first], NOON, "no", closes_window=False))

    assert await storage.write(lambda work: work.outbox.claim(NOON, 10)) == []

    held = await storage.read(lambda work: work.windows.held(conversation))
    assert len(held) == 2
    await received(storage, an_inbound(key="k2", window=a_window("w2")))
    assert [one.outbound.outbox_id for one in told[-1].dispatches] == [first, second]


async def test_a_held_answer_that_came_too_late_is_not_sent(storage: Storage) -> None:
    conversation = await a_stored_conversation(storage)
    key = await the_outbox_row(storage, conversation)
    await storage.write(lambda work: work.outbox.hold([key], NOON, "no", closes_window=False))
    later = NOON + timedelta(hours=2)

    await received(storage, an_inbound(key="k2", window=a_window("w2"), received_at=later))

    assert await storage.write(lambda work: work.outbox.claim(later, 10)) == []
    lines = await storage.read(lambda work: work.messages.after(conversation, 0, 10))
    assert DeliveryState.CANCELLED in {line.delivery for line in lines}


async def test_a_customer_who_left_gets_nothing_until_they_are_back(storage: Storage) -> None:
    conversation = await a_stored_conversation(storage)
    first = await the_outbox_row(storage, conversation)
    await the_outbox_row(storage, conversation)

    await storage.write(lambda work: work.outbox.unreachable(first, NOON, "顾客已拉黑"))

    lines = await storage.read(lambda work: work.messages.after(conversation, 0, 10))
    assert [line.delivery for line in lines[1:]] == [DeliveryState.FAILED, DeliveryState.FAILED]
    gone = await storage.read(lambda work: work.conversations.get(conversation))
    assert gone is not None
    assert gone.unreachable == "顾客已拉黑"
    await received(storage, an_inbound(key="k2"))
    back = await storage.read(lambda work: work.conversations.get(conversation))
    assert back is not None
    assert back.unreachable is None


async def test_units_that_were_sent_are_remembered(storage: Storage) -> None:
    conversation = await a_stored_conversation(storage)
    key = await the_outbox_row(storage, conversation)
    await storage.write(lambda work: work.outbox.progressed(key, 2))
    await storage.write(lambda work: work.outbox.postpone([key], NOON, "busy", is_fault=True))
    (taken,) = await storage.write(lambda work: work.outbox.claim(NOON, 10))
    assert taken.progress == 2


async def test_a_lease_has_one_holder_until_it_runs_out(storage: Storage) -> None:
    def hold(who: str, after_s: float = 0) -> object:
        at = NOON + timedelta(seconds=after_s)
        return storage.write(lambda work: work.channels.hold_lease("poll", who, at, 30))

    assert await hold("a")  # type: ignore[misc]
    assert not await hold("b", 10)  # type: ignore[misc]
    assert await hold("a", 20)  # type: ignore[misc]
    assert not await hold("b", 40)  # type: ignore[misc]
    assert await hold("b", 51)  # type: ignore[misc]
    await storage.write(lambda work: work.channels.release_lease("poll", "a"))
    assert not await hold("a", 52)  # type: ignore[misc]


async def test_messages_and_the_checkpoint_are_stored_together(storage: Storage) -> None:
    await received(storage, an_inbound(), checkpoint=Checkpoint(WEB, "cursor", "c1"))
    found = await storage.read(lambda work: work.channels.checkpoint(WEB, "cursor"))
    assert found == "c1"
    other = ChannelRef("web", "other")
    assert await storage.read(lambda work: work.channels.checkpoint(other, "cursor")) is None


async def test_a_checkpoint_is_stored_also_where_no_message_came(storage: Storage) -> None:
    await received(storage, checkpoint=Checkpoint(WEB, "cursor", "c2"))
    assert await storage.read(lambda work: work.channels.checkpoint(WEB, "cursor")) == "c2"


async def test_messages_that_overtook_each_other_are_answered_in_the_platforms_order(
    storage: Storage,
) -> None:
    conversation = await a_stored_conversation(storage)
    await received(
        storage, an_inbound("二", order_hint="0002"), an_inbound("一", order_hint="0001")
    )
    pending = await storage.read(lambda work: work.inbox.pending(conversation))
    assert [one.text for one in pending][-2:] == ["一", "二"]


async def test_what_nobody_understood_is_kept_sealed_for_a_while(
    storage: Storage, engine: object
) -> None:
    odd = an_inbound(kind=InboundKind.OTHER, raw=b'{"poll": "secret words"}')
    assert await received(storage, odd) == ()
    assert await received(storage, odd) == ()  # once
    with engine.connect() as connection:  # type: ignore[attr-defined]
        rows = connection.exec_driver_sql("select sealed from raw_inbound").all()
    assert len(rows) == 1
    assert b"secret words" not in bytes(rows[0][0])
    gone = await storage.write(lambda work: work.channels.forget_raw(NOON + timedelta(days=1)))
    assert gone == 1


async def test_a_file_waits_with_the_platform_until_it_is_fetched(
    storage: Storage, told: list[AfterCommit]
) -> None:
    handle = MediaHandle("voice", {"file_id": "F1"}, name="留言.ogg", mime="audio/ogg", size=9)
    (receipt,) = await received(storage, an_inbound("", media=(handle,)))
    assert told[-1].has_media
    conversation = ConversationId(receipt.conversation_id)
    (line,) = await storage.read(lambda work: work.messages.after(conversation, 0, 10))
    assert [one.state for one in line.attachments] == [MediaState.PENDING]

    (awaited,) = await storage.write(lambda work: work.attachments.claim(NOON, 10))
    assert awaited.media.handle == {"file_id": "F1"}
    assert await storage.write(lambda work: work.attachments.claim(NOON, 10)) == []  # leased

    later = NOON + timedelta(minutes=3)
    (again,) = await storage.write(lambda work: work.attachments.claim(later, 10))
    assert again.attempts == 2


@pytest.mark.parametrize("text", ["", "你好"])
async def test_the_name_on_the_channel_is_the_name_in_the_console(
    storage: Storage, text: str
) -> None:
    def named(name: str, key: str) -> Inbound:
        return an_inbound(text, key=key, person_name=name)

    (receipt,) = await received(storage, named("小明", "1"))
    await received(storage, named("小明同学", "2"))

    def name(work: UnitOfWork) -> str:
        conversation = work.conversations.get(ConversationId(receipt.conversation_id))
        assert conversation is not None
        return work.customers.name(conversation.customer_id)

    assert await storage.read(name) == "小明同学"
