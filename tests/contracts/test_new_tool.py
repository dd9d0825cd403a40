"""A tool that nobody has seen before: its declaration is all that the bot needs to know of it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.app.services import services
from bot.app.settings import Settings
from bot.dialogue.actions import Run
from bot.dialogue.tool_result import ToolResult
from bot.tools.registry import TOOL_SPECS, TOOLS, specs_of
from bot.tools.tool import Tool, ToolContext
from bot.turn.commit import Outcome
from bot.turn.knowledge import KnowledgeFiles
from knowledge_base.evaluation.check import explain
from knowledge_base.source.tool_spec import Slot, SlotTexts, ToolOutcome, ToolSpec
from shop.access.answers import CardOutcome, OrderOutcome, ProductOutcome, ResendOutcome
from storage.core.keyring import Keyring
from storage.core.schema import upgrade
from storage.unit_of_work import UnitOfWork
from tests.bot.conftest import Channel, Clock, Customer

KB = """
shop: {name: 小店, timezone: Asia/Shanghai, hours: 每天 00:00-24:00}
intents:
  pick_up:
    title: 取货
    ask: [我要取货, 帮我开柜, 打开取货柜, open my locker please]
    patterns: [取货, open my locker]
    tool: locker_open
    outcomes: {opened: "柜门 {{ locker.number }} 开了，东西请拿好。"}
  greeting:
    title: 打招呼
    ask: [你好, 在吗]
    answer: 您好！
"""
PIN = "4821"


def found(pattern: str, text: str) -> str | None:
    match = re.search(pattern, text)
    return match[0] if match else None


LOCKER = Slot(
    name="locker",
    title="柜号",
    shape="一个字母、横杠、两位数字",
    texts=SlotTexts(
        question=("请问柜号是多少？", "Which locker?"),
        unreadable=("柜号像 A-12 这样，再看一下？", "It looks like A-12."),
        resume=("柜号还发吗？", "And the locker?"),
    ),
    read=lambda text, _asked: found(r"[A-Z]-\d\d(?!\d)", text),
)
CODE = Slot(
    name="pick_up_code",
    title="取货码",
    shape="四位数字",
    texts=SlotTexts(
        question=("取货码发我一下。", "And the code?"),
        unreadable=("取货码是四位数字。", "It has four digits."),
        resume=("取货码还发吗？", "And the code?"),
    ),
    read=lambda text, _asked: found(r"(?<![\d-])\d{4}(?!\d)", text),
    is_secret=True,
)


async def open_locker(run: Run, _context: ToolContext) -> ToolResult:
    is_right = run.secrets["pick_up_code"].get_secret_value() == PIN
    return ToolResult(
        "opened" if is_right else "jammed",
        variables={"locker": {"number": run.slots["locker"]}},
        refused=() if is_right else ("pick_up_code",),
    )


LOCKER_OPEN = Tool(
    ToolSpec(
        name="locker_open",
        title="开柜",
        intent="pick_up",
        slots=(LOCKER, CODE),
        variables={"locker.number": "柜号"},
        outcomes={
            "opened": ToolOutcome("柜门开了", ("开了。", "Locker {{ locker.number }} is open.")),
            "jammed": ToolOutcome("打不开，转人工", ("卡住了。", "It is stuck."), reason="intent"),
            "unavailable": ToolOutcome("连不上", ("连不上。", "Not reachable.")),
        },
    ),
    open_locker,
)


@pytest.fixture
async def customer(tmp_path: Path) -> AsyncIterator[Customer]:
    (tmp_path / "kb.yaml").write_text(KB)
    clock, tools = Clock(), (*TOOLS, LOCKER_OPEN)
    settings = Settings(
        data_dir=tmp_path, kb=tmp_path / "kb.yaml", fragment_wait_s=0.0, _env_file=None
    )
    upgrade(settings.database)
    knowledge = KnowledgeFiles(settings.kb, specs_of(tools), None).load()
    turns: list[Outcome] = []
    async with services(
        settings,
        keyring=Keyring([Keyring.new_key()]),
        clock=clock,
        knowledge=knowledge,
        on_turn=turns.append,
        tools=tools,
    ) as parts:
        channel = Channel()
        parts.connectors.add(channel)
        yield Customer(parts, channel, turns)


async def written(customer: Customer) -> str:
    """All that the customer's transcript shows to who has no right to reveal secrets."""
    conversation = await customer.conversation()

    def unit(work: UnitOfWork) -> str:
        return "\n".join(line.text for line in work.messages.after(conversation.id, 0, 50))

    return await customer.parts.storage.read(unit)


async def test_its_slots_are_asked_for_in_order(customer: Customer) -> None:
    assert await customer.says("我要取货") == "请问柜号是多少？"
    assert customer.last_turn.reasons.actions == ("ask_slot:locker",)
    assert await customer.says("A-12") == "取货码发我一下。"
    assert customer.last_turn.reasons.actions == ("ask_slot:pick_up_code",)
    assert await customer.says(PIN) == "柜门 A-12 开了，东西请拿好。"
    assert customer.last_turn.reasons.actions == ("tool:locker_open",)


async def test_one_message_fills_both_slots(customer: Customer) -> None:
    assert await customer.says(f"取货，柜子 B-07，{PIN}") == "柜门 B-07 开了，东西请拿好。"


async def test_a_value_that_does_not_fit_is_not_taken(customer: Customer) -> None:
    await customer.says("我要取货")
    assert await customer.says("十二号柜子呀") == "柜号像 A-12 这样，再看一下？"
    await customer.says("A-12")
    assert await customer.says("就是那四位数") == "取货码是四位数字。"
    assert "开了" in await customer.says(f"哦是 {PIN}")


async def test_another_question_is_answered_and_the_slot_asked_for_again(
    customer: Customer,
) -> None:
    await customer.says("我要取货")
    assert await customer.says("你好") == "您好！\n柜号还发吗？"


@pytest.mark.parametrize(
    "lines", [["我要取货", "A-12", PIN], [f"取货，柜子 B-07，{PIN}"], ["我要取货", f"A-12 {PIN}"]]
)
async def test_its_secret_is_sealed_however_it_was_said(
    customer: Customer, lines: list[str]
) -> None:
    for line in lines:
        await customer.says(line)
    shown = await written(customer)
    assert PIN not in shown
    assert "{{secret:" in shown
    assert PIN not in repr((await customer.conversation()).memory)


async def test_what_proved_to_be_no_secret_stays_readable(customer: Customer) -> None:
    await customer.says("取货，柜子 B-07，1999")
    assert "1999" in await written(customer)


async def test_an_outcome_that_needs_a_person_calls_one(customer: Customer) -> None:
    assert "卡住了。" in await customer.says("取货，柜子 B-07，1999")
    conversation = await customer.conversation()
    assert conversation.state == "waiting"
    assert conversation.summary is not None
    assert conversation.summary["tried"] == ["开柜：打不开，转人工"]


async def test_what_kb_yaml_leaves_unsaid_is_said_as_declared(customer: Customer) -> None:
    assert await customer.says("open my locker please") == "Which locker?"
    await customer.says("A-12")
    assert await customer.says(PIN) == "Locker A-12 is open."


def test_kb_check_explains_it_from_the_declaration() -> None:
    explained = explain(LOCKER_OPEN.spec)
    for words in ("开柜", "柜号：一个字母", "取货码：四位数字", "柜门开了", "locker.number"):
        assert words in explained


@pytest.mark.parametrize("name", TOOL_SPECS)
def test_every_tool_can_say_that_the_shop_is_out_of_reach(name: str) -> None:
    assert "unavailable" in TOOL_SPECS[name].outcomes


@pytest.mark.parametrize(
    ("tool", "outcomes"),
    [
        ("order_lookup", OrderOutcome),
        ("card_resend", ResendOutcome),
        ("card_status", CardOutcome),
        ("product_lookup", ProductOutcome),
    ],
)
def test_every_answer_of_the_gate_is_an_outcome_that_can_be_worded(
    tool: str, outcomes: type[OrderOutcome]
) -> None:
    words = {"private_only", "proof_needed"}  # said in words of their own
    assert {outcome.value for outcome in outcomes} - words <= set(TOOL_SPECS[tool].outcomes)
