"""Products: price and stock by name."""

from __future__ import annotations

from typing import Any

from bot.dialogue.actions import Run
from bot.dialogue.tool_result import SlotRequest, ToolResult
from bot.tools.tool import Tool, ToolContext
from bot.wording.customer.products import PRODUCT_OUTCOMES, PRODUCT_TEXTS
from bot.wording.customer.values import price, product_line, stock
from knowledge_base.source.tool_spec import Slot, ToolSpec
from shop.access.answers import ProductAnswer, ProductOutcome

_LISTED = 8
_ANSWER_CHARS = 4000

PRODUCT = Slot(
    name="product",
    title="商品",
    shape="商品名称，说个大概也行",
    texts=PRODUCT_TEXTS,
    from_question=True,
    answer_chars=_ANSWER_CHARS,
)


async def look_up(run: Run, context: ToolContext) -> ToolResult:
    """Look for the product that is named, else for the one that was spoken of."""
    answer = await context.gate.products(run.slots[PRODUCT.name])
    last = run.spoken_of.get(PRODUCT.name)
    if answer.product is None and last is not None:
        # "那多少钱": the product that was spoken of before
        answer = await context.gate.products(last)
    is_open_question = answer.outcome in {ProductOutcome.SEVERAL, ProductOutcome.NONE}
    asks = SlotRequest(run.tool, PRODUCT.name, is_optional=True)
    return ToolResult(
        answer.outcome.value,
        variables=_variables(answer),
        spoken_of={} if answer.product is None else {PRODUCT.name: answer.product.name},
        asks=asks if is_open_question else None,
    )


def _variables(answer: ProductAnswer) -> dict[str, dict[str, Any]]:
    listed = [
        product_line(product.name, product.price, product.stock)
        for product in answer.products[:_LISTED]
    ]
    found = answer.product
    named = (
        {"name": found.name, "price": price(found.price), "stock": stock(found.stock)}
        if found is not None
        else {}
    )
    return {"products": {"list": "\n".join(listed)}, "product": named}


PRODUCT_LOOKUP = Tool(
    ToolSpec(
        name="product_lookup",
        title="查商品",
        intent="product_price",
        slots=(PRODUCT,),
        variables={
            "product.name": "商品名称",
            "product.price": "价格",
            "product.stock": "库存情况，例如 有货、缺货",
            "product.summary": "机器人自己的完整说法",
            "products.list": "找到的商品，一行一个",
        },
        outcomes=PRODUCT_OUTCOMES,
    ),
    look_up,
)
