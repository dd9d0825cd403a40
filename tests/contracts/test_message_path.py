"""Inbox, outbox and secrets, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from argon2 import PasswordHasher
from pydantic import SecretStr
from sqlalchemy import Engine, select

from connectors.delivery.outbox import Dispatch
from connectors.messages import Receipt
from handoff.model.conversation import ConversationId
from handoff.model.transcript import DeliveryState
from shop.demo.seeding import demo_shop, plant
from shop.domain.passwords import Passwords
from storage.core.after_commit import AfterCommit
from storage.rows.messages.outbox import LEASE_S
from storage.storage import Storage
from storage.tables.base import metadata
from storage.tables.messaging import conversations, inbound, messages
from storage.unit_of_work import UnitOfWork
from tests.factories.messaging import (
    a_stored_conversation,
    an_address,
    an_inbound,
    bot_says,
    received,
    somebody_takes_over,
)
from tests.factories.shop import NOON

LATER = NOON + timedelta(seconds=LEASE_S + 1)


def rows(engine: Engine, table: Any) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select(table)).mappings())


async def claimed(storage: Storage, at: Any = LATER) -> Sequence[Dispatch]:
    return await storage.write(lambda work: work.outbox.claim(at, 100))


# ---------------------------------------------------------------------- inbox


async def test_a_message_that_comes_twice_is_stored_once_with_one_receipt(
    storage: Storage, engine: Engine
) -> None:
    message = an_inbound("付了款没收到卡密", key="k1")
    first: Receipt
    (first,) = await received(storage, message)
    (again,) = await received(storage, message)
    assert first.is_new
    assert not again.is_new
    assert (again.message_id, again.seq) == (first.message_id, first.seq)
    assert len(rows(engine, inbound)) == len(rows(engine, messages)) == 1


async def test_deliveries_of_one_message_that_come_together_are_stored_once(
    storage: Storage, engine: Engine
) -> None:
    await a_stored_conversation(storage)
    message = an_inbound(key="k1")
    receipts = await asyncio.gather(*(received(storage, message) for _ in range(10)))
    assert sum(receipt.is_new for (receipt,) in receipts) == 1
    assert len({receipt.message_id for (receipt,) in receipts}) == 1
    assert len(rows(engine, inbound)) == 2


async def test_first_messages_of_one_customer_that_come_together_open_one_conversation(
    storage: Storage, engine: Engine
) -> None:
    receipts = await asyncio.gather(
        *(received(storage, an_inbound(f"第{number}句")) for number in range(4))
    )
    assert sorted(receipt.seq for (receipt,) in receipts) == [1, 2, 3, 4]
    assert len(rows(engine, conversations)) == 1


async def test_equal_keys_of_different_visitors_are_different_messages(
    storage: Storage, engine: Engine
) -> None:
    await received(storage, an_inbound(visitor="v1", key="k"), an_inbound(visitor="v2", key="k"))
    assert len(rows(engine, inbound)) == 2


async def test_what_waits_for_its_turn_is_given_in_order_and_to_one_turn_only(
    storage: Storage,
) -> None:
    texts = [f"第{number}句" for number in range(5)]
    (receipt, *_) = await received(storage, *(an_inbound(text) for text in texts))
    conversation_id = ConversationId(receipt.conversation_id)
    pending = await storage.read(lambda work: work.inbox.pending(conversation_id))
    assert [one.text for one in pending] == texts
    assert await storage.read(lambda work: work.inbox.unanswered()) == [conversation_id]
    ids = [one.id for one in pending]
    assert await storage.write(lambda work: work.inbox.assign(ids[:2], "T1"))
    assert not await storage.write(lambda work: work.inbox.assign(ids[1:3], "T2"))
    await storage.write(lambda work: work.inbox.assign(ids, "T3"))
    assert await storage.read(lambda work: work.inbox.unanswered()) == []


async def test_each_further_start_of_a_turn_is_counted_for_its_own_rows(storage: Storage) -> None:
    (receipt, _) = await received(storage, an_inbound("一"), an_inbound("二"))
    conversation_id = ConversationId(receipt.conversation_id)
    pending = await storage.read(lambda work: work.inbox.pending(conversation_id))
    first, second = (one.id for one in pending)
    assert await storage.write(lambda work: work.inbox.begin([first])) == 2
    assert await storage.write(lambda work: work.inbox.begin([first, second])) == 3
    assert await storage.write(lambda work: work.inbox.begin([second])) == 3


async def test_conversations_are_taken_up_in_the_order_in_which_they_wait(
    storage: Storage,
) -> None:
    receipts = await received(
        storage, *(an_inbound(visitor=name) for name in ("v2", "v1", "v3", "v1"))
    )
    waiting = dict.fromkeys(receipt.conversation_id for receipt in receipts)
    assert await storage.read(lambda work: work.inbox.unanswered()) == list(waiting)


# ---------------------------------------------------------------------- outbox


async def test_a_fresh_line_is_leased_to_whoever_committed_it(
    storage: Storage, told: list[AfterCommit]
) -> None:
    conversation_id = await a_stored_conversation(storage)
    await storage.write(lambda work: bot_says(work, conversation_id, "您好"))
    assert [one.outbound.text for one in told[-1].dispatches] == ["您好"]
    assert await claimed(storage, NOON) == []
    (taken,) = await claimed(storage)
    assert (taken.outbound.text, taken.attempts) == ("您好", 2)
    assert taken.outbound.address == an_address()
    assert await claimed(storage) == []  # it is leased again


async def test_what_was_sent_is_not_taken_again(storage: Storage, told: list[AfterCommit]) -> None:
    conversation_id = await a_stored_conversation(storage)
    message = await storage.write(lambda work: bot_says(work, conversation_id))
    key = told[-1].dispatches[0].outbound.outbox_id
    await storage.write(lambda work: work.outbox.sent([key], NOON))
    assert await claimed(storage) == []
    stored = await storage.read(lambda work: work.messages.get(message.id))
    assert stored is not None
    assert stored.delivery is DeliveryState.SENT


async def test_a_bots_line_is_cancelled_once_somebody_else_owns_the_conversation(
    storage: Storage,
) -> None:
    conversation_id = await a_stored_conversation(storage)
    message = await storage.write(lambda work: bot_says(work, conversation_id))
    await storage.write(lambda work: somebody_takes_over(work, conversation_id))
    assert await claimed(storage) == []
    stored = await storage.read(lambda work: work.messages.get(message.id))
    assert stored is not None
    assert stored.delivery is DeliveryState.CANCELLED


async def test_of_a_conversation_all_that_is_due_is_taken_at_once(storage: Storage) -> None:
    first = await a_stored_conversation(storage, "v1")
    second = await a_stored_conversation(storage, "v2")

    def unit(work: UnitOfWork) -> None:
        for number, conversation in enumerate((first, second, first, second, first)):
            bot_says(work, conversation, at=NOON + timedelta(seconds=number))

    await storage.write(unit)
    late = NOON + timedelta(hours=1)
    taken = await storage.write(lambda work: work.outbox.claim(late, 1))
    assert [one.conversation_id for one in taken] == [first] * 3
    assert [one.outbound.seq for one in taken] == sorted(one.outbound.seq for one in taken)
    rest = await storage.write(lambda work: work.outbox.claim(late, 1))
    assert [one.conversation_id for one in rest] == [second, second]
    assert await storage.write(lambda work: work.outbox.claim(late, 1)) == []


async def test_a_line_that_waits_holds_back_those_behind_it_and_no_others(
    storage: Storage, told: list[AfterCommit]
) -> None:
    mine, other = [await a_stored_conversation(storage, visitor) for visitor in ("v1", "v2")]
    for conversation_id in (mine, mine, other):
        await storage.write(
            lambda work, key=conversation_id: bot_says(work, key)  # type: ignore[misc]
        )
    first = told[-3].dispatches[0].outbound.outbox_id
    until = LATER + timedelta(minutes=5)
    await storage.write(lambda work: work.outbox.postpone([first], until, "busy", is_fault=True))
    assert [one.conversation_id for one in await claimed(storage)] == [other]
    due = await claimed(storage, until)
    assert [one.outbound.seq for one in due if one.conversation_id == mine] == [2, 3]


async def test_a_wait_longer_than_there_are_is_due_and_what_is_held_is_not(
    storage: Storage,
) -> None:
    for visitor in ("v1", "v2"):
        conversation_id = await a_stored_conversation(storage, visitor)

        def unit(work: UnitOfWork, key: ConversationId = conversation_id) -> None:
            bot_says(work, key)

        await storage.write(unit)
    (first, second) = [one.outbound.outbox_id for one in await claimed(storage)]
    far = LATER + timedelta(days=30)
    await storage.write(lambda work: work.outbox.postpone([first], far, "x", is_fault=True))
    await storage.write(lambda work: work.outbox.hold([second], LATER, "x", closes_window=False))
    assert [one.outbound.outbox_id for one in await claimed(storage)] == [first]


async def test_what_a_dead_process_had_taken_is_due_at_the_next_start(storage: Storage) -> None:
    conversation_id = await a_stored_conversation(storage)
    await storage.write(lambda work: bot_says(work, conversation_id))
    assert await claimed(storage, NOON) == []
    await storage.write(lambda work: work.outbox.release(NOON))
    assert len(await claimed(storage, NOON)) == 1


async def test_a_line_that_was_given_up_can_be_tried_again(
    storage: Storage, told: list[AfterCommit]
) -> None:
    conversation_id = await a_stored_conversation(storage)
    message = await storage.write(lambda work: bot_says(work, conversation_id))
    key = told[-1].dispatches[0].outbound.outbox_id
    await storage.write(lambda work: work.outbox.fail(key, NOON, "blocked"))
    assert await claimed(storage) == []
    stored = await storage.read(lambda work: work.messages.get(message.id))
    assert stored is not None
    assert (stored.delivery, stored.delivery_error) == (DeliveryState.FAILED, "blocked")
    assert await storage.write(lambda work: work.outbox.retry(message.id))
    (taken,) = await claimed(storage)
    assert taken.attempts == 1
    assert not await storage.write(lambda work: work.outbox.retry(message.id))


async def test_a_mail_is_queued_once_a_key(storage: Storage) -> None:
    conversation_id = await a_stored_conversation(storage)
    mail: dict[str, Any] = {
        "to": "xiaoming@example.com",
        "subject": "卡密",
        "body": "STAR-7KQ2",
        "at": NOON,
    }
    outcomes = [
        await storage.write(lambda work: work.outbox.add_mail(conversation_id, key="k", **mail))
        for _ in range(2)
    ]
    assert outcomes == [True, False]
    (taken,) = await claimed(storage)
    assert (taken.outbound.address.peer_id, taken.outbound.text) == (mail["to"], mail["body"])


# ---------------------------------------------------------------------- secrets


async def test_no_secret_stands_in_the_clear_in_any_column_of_any_table(
    storage: Storage, engine: Engine
) -> None:
    demo = demo_shop(b"contracts", NOON)
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    await plant(storage, demo, Passwords(hasher))
    card, contact = "STAR-7KQ2-M8XD-41VN-9CHT", "xiaoming8823@example.com"
    phone, password = "13812345678", "kehu-8823"
    said = f"我的卡密 {card} 用不了，邮箱 {contact}，电话 {phone}，查询密码：{password}"
    (receipt,) = await received(storage, an_inbound(said))
    conversation_id = ConversationId(receipt.conversation_id)
    await storage.write(
        lambda work: bot_says(work, conversation_id, f"新卡密：{card}", secrets=(card,))
    )
    await storage.write(
        lambda work: work.outbox.add_mail(
            conversation_id, key="k", to=contact, subject="补发", body=card, at=NOON
        )
    )
    planted = [
        value
        for one in demo.orders.values()
        for value in (one.contact, one.password, *(secret for _, secret in one.cards))
    ]
    secret_values = {card, contact, phone, password} | {
        value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for value in planted
        if value
    }
    assert len(secret_values) > 10
    for table in metadata.sorted_tables:
        for row in rows(engine, table):
            for column, value in row.items():
                shown = value.decode("latin-1") if isinstance(value, bytes) else str(value)
                found = [one for one in secret_values if one in shown]
                assert not found, f"{table.name}.{column} shows a secret"


async def test_a_sealed_line_is_whole_again_when_it_is_read_by_its_owner(
    storage: Storage,
) -> None:
    card = "STAR-7KQ2-M8XD-41VN-9CHT"
    (receipt,) = await received(storage, an_inbound(f"这张 {card} 用不了"))
    conversation_id = ConversationId(receipt.conversation_id)
    (pending,) = await storage.read(lambda work: work.inbox.pending(conversation_id))
    assert pending.text == f"这张 {card} 用不了"
    assert card not in pending.message.text
    await storage.write(
        lambda work: bot_says(work, conversation_id, f"新的是 {card}", secrets=(card,))
    )
    (taken,) = await claimed(storage)
    assert taken.outbound.text == f"新的是 {card}"
