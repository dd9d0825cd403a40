"""Cards: the state of a card that a customer sent."""

from __future__ import annotations

from bot.dialogue.actions import Run
from bot.dialogue.tool_result import ToolResult
from bot.sealing.spans import touches
from bot.tools.tool import Tool, ToolContext
from bot.wording.customer.cards import CARD_OUTCOMES, CARD_SECRET_TEXTS
from bot.wording.customer.values import date, time
from knowledge_base.source.tool_spec import Slot, ToolSpec
from knowledge_base.text.slots import card_secrets, order_numbers
from shop.access.answers import CardOutcome, CardView
from shop.access.wording import REDEMPTION_TEXTS

_OFFERS_PERSON = frozenset(
    {
        CardOutcome.USED,
        CardOutcome.INVALID,
        CardOutcome.FROZEN,
        CardOutcome.NOT_OURS,
        CardOutcome.LOCKED,
    }
)


def read_card_secret(text: str, _asked: str | None) -> str | None:
    """Return the first card key in a text, as typed; a number that may be an order's is none."""
    orders = [number for number in order_numbers(text) if number.kind != "dujiaoka"]
    numbers = [(number.start, number.end) for number in orders]
    found = [
        card
        for card in card_secrets(text)
        if card.kind == "grouped" or not touches(numbers, card.start, card.end)
    ]
    return text[found[0].start : found[0].end] if found else None


CARD_SECRET = Slot(
    name="card_secret",
    title="卡密",
    shape="卡号和密码，整串字母数字",
    texts=CARD_SECRET_TEXTS,
    read=read_card_secret,
    is_secret=True,
    opens="card_status",
)


async def look_up(run: Run, context: ToolContext) -> ToolResult:
    """Look up the state of a card; unknown and unsold cards sound alike."""
    answer = await context.gate.card(context.requester, run.secrets[CARD_SECRET.name])
    if answer.outcome is CardOutcome.PRIVATE_ONLY:
        return ToolResult("not_ours", remark="group", refused=(CARD_SECRET.name,))
    return ToolResult(
        answer.outcome.value,
        variables={"card": _variables(answer.view, context)},
        refused=(CARD_SECRET.name,) if answer.view is None else (),
        buttons=("handoff",) if answer.outcome in _OFFERS_PERSON else (),
    )


def _variables(view: CardView | None, context: ToolContext) -> dict[str, str]:
    if view is None:
        return {}
    return {
        "mask": view.mask,
        "product": view.product,
        "state_text": REDEMPTION_TEXTS[view.state],
        "checked_at": time(view.checked_at, context.zone),
        "expires_at": date(view.expires_at, context.zone),
    }


CARD_STATUS = Tool(
    ToolSpec(
        name="card_status",
        title="查卡密状态",
        intent="card_status",
        slots=(CARD_SECRET,),
        variables={
            "card.mask": "打了码的卡密",
            "card.product": "商品名称",
            "card.state_text": "状态，例如 未使用、已使用",
            "card.summary": "机器人自己的完整说法",
            "card.checked_at": "最后一次核实的时间",
            "card.expires_at": "有效期",
        },
        outcomes=CARD_OUTCOMES,
    ),
    look_up,
)
