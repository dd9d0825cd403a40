"""What was missed is found again, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from ulid import ULID

from connectors.messages import Inbound, InboundKind
from handoff.model.conversation import ConversationId
from handoff.model.transcript import TurnReasons
from knowledge_base.evaluation.missed import Missed
from storage.storage import Storage
from storage.unit_of_work import UnitOfWork
from tests.factories.messaging import an_inbound, received
from tests.factories.shop import NOON

LONG_AGO = NOON - timedelta(days=90)


async def a_turn(
    storage: Storage,
    *messages: Inbound | str,
    action: str = "fallback",
    band: str | None = "miss",
    at: datetime = NOON,
    **more: Any,
) -> None:
    """Somebody writes, and the bot decides so."""
    said = [an_inbound(one) if isinstance(one, str) else one for one in messages]
    receipts = await received(storage, *said)
    turn_id = str(ULID())

    def unit(work: UnitOfWork) -> None:
        conversation = work.conversations.lock(ConversationId(receipts[0].conversation_id))
        pending = work.inbox.pending(conversation.id)
        assert work.inbox.assign([one.id for one in pending], turn_id)
        more.setdefault("rule", "below_clarify")
        reasons = TurnReasons(turn_id=turn_id, actions=(action,), band=band, **more)
        work.turns.add(conversation, reasons, at=at, took_ms=1.0)

    await storage.write(unit)


async def missed(storage: Storage, **more: Any) -> Sequence[Missed]:
    return await storage.read(lambda work: work.turns.missed(LONG_AGO, **more))


async def texts(storage: Storage) -> list[str]:
    return [one.text for one in await missed(storage)]


async def test_what_was_not_understood_and_what_called_a_person_is_missed_newest_first(
    storage: Storage,
) -> None:
    await a_turn(storage, "能代写贺卡吗", at=NOON)
    await a_turn(storage, "贺卡呢", action="handoff", at=NOON + timedelta(seconds=5))
    assert await texts(storage) == ["贺卡呢", "能代写贺卡吗"]
    (_, first) = await missed(storage)
    assert first.at == NOON
    assert first.conversation
    assert not first.was_clarified


@pytest.mark.parametrize(
    "reasons",
    [
        {"action": "answer", "band": "answer", "intent": "greeting", "rule": "sure"},
        {"action": "handoff", "band": "answer", "intent": "human_agent", "rule": "exact"},
        {"action": "handoff", "intent": "order_status"},  # an answer to the bot's own question
        {"action": "ask_slot:order_number"},
        {"action": "tool:order_lookup"},
        {"action": "silent"},  # said to a person
        {"rule": "out_of_scope"},  # nothing should answer
        {"action": "handoff", "band": None, "rule": None},  # a picture, or a button
    ],
)
async def test_everything_else_is_not_missed(storage: Storage, reasons: dict[str, Any]) -> None:
    await a_turn(storage, "有没有", **reasons)
    assert await texts(storage) == []


async def test_a_question_asked_back_is_missed_unless_a_choice_was_made(storage: Storage) -> None:
    for visitor, text in (("v1", "选了的"), ("v2", "换了说法的"), ("v3", "没再说话的")):
        asked = an_inbound(text, visitor=visitor)
        await a_turn(storage, asked, action="clarify", band="clarify", rule="below_answer")
    later = NOON + timedelta(minutes=1)
    await a_turn(
        storage,
        an_inbound("付款方式", visitor="v1", kind=InboundKind.BUTTON, button="intent:payment"),
        action="answer",
        band="answer",
        intent="payment",
        rule="button",
        at=later,
    )
    await a_turn(
        storage,
        an_inbound("怎么付款", visitor="v2"),
        action="answer",
        band="answer",
        intent="payment",
        rule="exact",
        at=later,
    )
    found = await missed(storage)
    assert {one.text for one in found} == {"换了说法的", "没再说话的"}
    assert all(one.was_clarified for one in found)


async def test_what_the_customer_chose_after_a_miss_is_kept_with_it(storage: Storage) -> None:
    await a_turn(storage, "给钱的法子")
    await a_turn(
        storage,
        an_inbound("付款方式", kind=InboundKind.BUTTON, button="intent:payment"),
        action="answer",
        band="answer",
        intent="payment",
        rule="button",
        at=NOON + timedelta(minutes=1),
    )
    (one,) = await missed(storage)
    assert (one.text, one.chosen) == ("给钱的法子", "payment")


async def test_the_next_turn_of_somebody_else_tells_nothing(storage: Storage) -> None:
    await a_turn(storage, an_inbound("给钱的法子", visitor="v1"))
    await a_turn(
        storage,
        an_inbound("付款方式", visitor="v2", kind=InboundKind.BUTTON, button="intent:payment"),
        action="answer",
        band="answer",
        intent="payment",
        rule="button",
        at=NOON + timedelta(minutes=1),
    )
    (one,) = await missed(storage)
    assert one.chosen is None


async def test_parts_of_one_sentence_are_joined_in_their_order(storage: Storage) -> None:
    await a_turn(storage, "那个", "贺卡", "能代写吗")
    assert await texts(storage) == ["那个\n贺卡\n能代写吗"]


async def test_secrets_stay_sealed(storage: Storage) -> None:
    await a_turn(storage, "STAR-7KQ2-M8XD-AAAA 这个咋整")
    (one,) = await missed(storage)
    assert "7KQ2" not in one.text
    assert one.text.startswith("{{secret:")


async def test_what_is_too_long_ago_and_beyond_the_limit_is_left_out(storage: Storage) -> None:
    await a_turn(storage, "去年的话", at=LONG_AGO - timedelta(seconds=1))
    for n in range(3):
        await a_turn(storage, f"第{n}句", at=NOON + timedelta(seconds=n))
    assert await texts(storage) == ["第2句", "第1句", "第0句"]
    assert [one.text for one in await missed(storage, limit=2)] == ["第2句", "第1句"]
