"""What customers type is sealed before it is stored, and again when it proves to be a secret."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import Engine, select

from bot.dialogue.memory import MEMORY_KEY, ORDER_NUMBER, Memory, PendingTool
from bot.sealing.resealing import reseal
from connectors.messages import Attachment, InboundKind, MediaHandle
from handoff.model.conversation import ConversationId
from handoff.model.transcript import Message
from storage.storage import Storage
from storage.tables.base import metadata
from storage.unit_of_work import UnitOfWork
from tests.bot.sealing.labelled import Line, lines
from tests.factories.messaging import an_inbound, received
from tests.factories.shop import NOON

NUMBER = "DD4K8ZP92MQX7T1VCH60RA"
AN_ORDER = Memory().having_spoken_of({ORDER_NUMBER: NUMBER}, "delivered")
MEMORIES = {
    "none": Memory(),
    "shown": AN_ORDER,
    "asked": replace(
        AN_ORDER, pending=PendingTool("card_resend", "order_resend", "proof", is_secret=True)
    ),
}
CARD = "STAR-2ZAR-BVVS-3Q4W-MARR"


async def in_context(storage: Storage, visitor: str, memory: Memory) -> ConversationId:
    (receipt,) = await received(storage, an_inbound(visitor=visitor))

    def unit(work: UnitOfWork) -> ConversationId:
        found = work.conversations.lock(ConversationId(receipt.conversation_id))
        changed = replace(found, memory={MEMORY_KEY: memory.as_json()})
        return work.conversations.save(changed).id

    return await storage.write(unit)


def everything(engine: Engine) -> str:
    """All that a copy of the database shows."""
    shown = []
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(select(table)).mappings():
                shown += [
                    value.decode("latin-1") if isinstance(value, bytes) else str(value)
                    for value in row.values()
                ]
    return "\n".join(shown)


async def transcript(storage: Storage, conversation_id: ConversationId) -> Sequence[Message]:
    return await storage.read(lambda work: work.messages.after(conversation_id, 0, 200))


async def taken(storage: Storage, conversation_id: ConversationId, *values: str) -> Memory:
    """The gate took these values."""

    def unit(work: UnitOfWork) -> Memory:
        conversation = work.conversations.lock(conversation_id)
        memory = Memory.from_json(conversation.memory.get(MEMORY_KEY, {}))
        return reseal(work, conversation, values, NOON, memory)

    return await storage.write(unit)


async def test_no_secret_of_the_labelled_lines_is_stored_in_the_clear(
    storage: Storage, engine: Engine
) -> None:
    labelled = [line for name in ("tuned.tsv", "blind.tsv") for line in lines(name)]
    await _say_all(storage, labelled)
    shown = everything(engine)
    secrets = {line.text[start:end] for line in labelled for start, end in line.secrets}
    assert len(secrets) > 150
    # what is a secret in one line may be part of a transaction's number in another
    plain = "\n".join(line.text for line in labelled if not line.secrets)
    told = {one for one in secrets if len(one) > 5 and one not in plain}
    left = {one for one in told if one in shown}
    assert left == {"我家的猫叫团团", "nihao886"}, "the two that only the gate can tell"


async def _say_all(storage: Storage, labelled: Sequence[Line]) -> None:
    for context, memory in MEMORIES.items():
        for place, line in enumerate(one for one in labelled if one.context == context):
            if place % 3 == 0:
                await in_context(storage, f"{context}{place // 3}", memory)
            visitor = f"{context}{place // 3}"
            await received(storage, an_inbound(line.text, visitor=visitor))


async def test_order_numbers_stay_readable_to_agents(storage: Storage) -> None:
    conversation_id = await in_context(storage, "v1", MEMORIES["asked"])
    await received(storage, an_inbound(f"是 {NUMBER} 这单，密码 abc12345"))
    said = (await transcript(storage, conversation_id))[-1]
    assert NUMBER in said.text
    assert "abc12345" not in said.text
    assert [ref.kind for ref in said.secrets] == ["password"]


@pytest.mark.parametrize(
    ("said", "value"),
    [
        (["woaiwojia", "在吗", "woaiwojia"], "woaiwojia"),
        (["用的是 Woaiwojia 吧"], "woaiwojia"),
        (["我家的猫叫团团"], "我家的猫叫团团"),
        (["团团"], "团团"),
        (["jxjj", "7033"], "jxjj7033"),
        (["是 jxjj", "7033 这个"], "jxjj 7033"),
        (["ｊｘｊｊ　７０３３ 对吗"], "jxjj7033"),
        (["w o a i w o"], "woaiwo"),
        (["STAR-2ZAR", "BVVS", "3Q4W-MARR"], CARD),
    ],
)
async def test_what_the_gate_took_is_sealed_wherever_it_was_said(
    storage: Storage, said: list[str], value: str
) -> None:
    conversation_id = await in_context(storage, "v1", Memory(last_question=f"那 {value} 呢"))
    for text in said:
        await received(storage, an_inbound(text))
    memory = await taken(storage, conversation_id, value)
    customer = [one.text for one in await transcript(storage, conversation_id)]
    readable = "".join(char for text in customer for char in text if char.isalnum()).lower()
    if len(value) > 2:
        assert not any(part.lower() in readable for part in value.replace("-", " ").split())
        assert memory.last_question == ""
    assert customer[0] == "在吗", "what is no secret stays"


async def test_a_sealed_line_says_the_same_as_before_to_who_may_read_it(storage: Storage) -> None:
    conversation_id = await in_context(storage, "v1", Memory())
    texts = ["密码大概是 woaiwojia 或者", "STAR-2ZAR-BVVS", "-3Q4W-MARR 用不了"]
    for text in texts:
        await received(storage, an_inbound(text))
    await taken(storage, conversation_id, "woaiwojia", CARD)

    def unit(work: UnitOfWork) -> list[str]:
        stored = work.messages.after(conversation_id, 1, 10)
        return [work.secrets.fill(one.text, one.secrets) for one in stored]

    assert await storage.read(unit) == texts


async def test_a_value_inside_another_word_stays(storage: Storage) -> None:
    conversation_id = await in_context(storage, "v1", Memory())
    await received(storage, an_inbound("我买了 steamdeck 的卡 1234567元"))
    await taken(storage, conversation_id, "steam", "12345")
    assert (await transcript(storage, conversation_id))[
        -1
    ].text == "我买了 steamdeck 的卡 1234567元"


async def test_the_console_is_told_which_lines_changed(storage: Storage) -> None:
    conversation_id = await in_context(storage, "v1", Memory())
    (receipt,) = await received(storage, an_inbound("woaiwojia"))
    cursor = await storage.read(lambda work: work.live_events.cursor())
    await taken(storage, conversation_id, "woaiwojia")
    events = await storage.read(lambda work: work.live_events.after(cursor, 10))
    assert [(one.kind.value, one.message_id) for one in events] == [
        ("message_changed", receipt.message_id)
    ]


async def test_names_files_and_a_native_reply_are_sealed_too(
    storage: Storage, engine: Engine
) -> None:
    picture = Attachment("a" * 32, "image", "image/png", 10, f"卡密{CARD}.png")
    voice = MediaHandle("file", {"id": "x"}, name="密码jxjj7033.txt")
    await received(
        storage,
        an_inbound("看图", person_name="加我 13800138000", attachments=(picture,), media=(voice,)),
        an_inbound("换个名字", person_name="vx:xiaoming2000"),
        an_inbound(kind=InboundKind.EDIT, text="密码是 abkz4410"),
        an_inbound(kind=InboundKind.NATIVE_REPLY, text=f"您的卡 {CARD}", client_id=None),
        an_inbound(kind=InboundKind.OTHER, raw=b'{"p": "jxjj7033"}'),
    )
    shown = everything(engine)
    for value in (CARD, "jxjj7033", "13800138000", "xiaoming2000", "abkz4410"):
        assert value not in shown, value
