"""Sentences about products."""

from __future__ import annotations

from collections.abc import Mapping

from bot.wording.customer.refusals import UNAVAILABLE
from knowledge_base.source.tool_spec import SlotTexts, ToolOutcome

PRODUCT_TEXTS = SlotTexts(
    question=("请问是哪一款商品呢？", "Which product do you mean?"),
    unreadable=(
        "没找到这款商品，能再说一下名字吗？",
        "I could not find that product. What is it called?",
    ),
    resume=("刚才想问的是哪一款商品呢？", "Which product was it?"),
)

PRODUCT_OUTCOMES: Mapping[str, ToolOutcome] = {
    "in_stock": ToolOutcome(
        "有货",
        (
            "{{ product.name }}：{{ product.price }} 元，有货，可以直接下单。",
            "{{ product.name }}: ¥{{ product.price }}, in stock.",
        ),
    ),
    "low_stock": ToolOutcome(
        "快卖完了",
        (
            "{{ product.name }}：{{ product.price }} 元，剩得不多了，要的话尽快～",
            "{{ product.name }}: ¥{{ product.price }}, only a few left.",
        ),
    ),
    "sold_out": ToolOutcome(
        "缺货",
        (
            "{{ product.name }}：{{ product.price }} 元，暂时缺货。补货时间不确定，"
            "可以过会儿再来看看。",
            "{{ product.name }}: ¥{{ product.price }}, sold out for now.",
        ),
    ),
    "closed": ToolOutcome(
        "已下架",
        (
            "{{ product.name }} 已经下架了。",
            "{{ product.name }} is no longer sold.",
        ),
    ),
    "several": ToolOutcome(
        "找到好几个",
        (
            "有这几款，您要哪一款？\n{{ products.list }}",
            "We have these; which one?\n{{ products.list }}",
        ),
    ),
    "none": ToolOutcome(
        "没找到",
        (
            "没找到这款商品。店里现在有：\n{{ products.list }}",
            "I could not find that. We have:\n{{ products.list }}",
        ),
    ),
    "unavailable": UNAVAILABLE,
}
