"""The tools as kb.yaml may know them: slots, variables, outcomes, each explained in Chinese."""

from __future__ import annotations

from collections.abc import Mapping

from knowledge_base.source.tool_spec import ToolSpec

_ORDER_VARIABLES = {
    "order.number": "订单号",
    "order.product": "商品名称",
    "order.state_text": "订单状态，例如 待付款、处理中、已发货",
    "order.summary": "机器人自己的完整说法",
    "order.created_at": "下单时间",
    "order.paid_at": "付款时间",
    "order.hold_until": "付款截止时间",
    "order.amount": "金额（验证后才有）",
    "order.cards": "卡密（验证后才有）",
    "order.promise": "承诺的发货时间",
    "order.contact_mask": "下单联系方式，打了码（验证后才有）",
}
_REFUSALS = {
    "not_found": "订单不存在，或验证没通过（两种情况必须说得一样）",
    "throttled": "查得太频繁",
    "locked": "错得太多，暂时锁定",
    "unavailable": "系统查不了，转人工",
}

_TITLES = {
    "order_lookup": "查订单",
    "card_resend": "补发卡密",
    "card_status": "查卡密状态",
    "product_lookup": "查商品",
}

TOOL_SPECS: Mapping[str, ToolSpec] = {
    spec.name: spec
    for spec in (
        ToolSpec(
            name="order_lookup",
            slots=("order_number",),
            variables=_ORDER_VARIABLES,
            outcomes={
                "pending_payment": "待付款，还在保留时间内",
                "expired": "没付款，已超时关闭",
                "cancelled": "已取消",
                "processing": "已付款，正在处理，没超过承诺时间",
                "stuck": "已付款，超过承诺时间还没发，转人工",
                "delivered": "已发货",
                "partially_delivered": "只发了一部分，转人工",
                "abnormal": "订单异常，转人工",
                "risk_hold": "人工审核中",
                "failed": "发货失败，转人工",
                "topup_processing": "直充正在处理",
                "topup_stuck": "直充超过承诺时间，转人工",
                "topup_done": "直充已到账",
                "refunding": "退款处理中",
                "refunded": "已退款",
                "partially_refunded": "已部分退款",
                **_REFUSALS,
            },
        ),
        ToolSpec(
            name="card_resend",
            slots=("order_number", "proof"),
            variables=_ORDER_VARIABLES,
            outcomes={
                "shown": "验证通过，直接给出卡密",
                "mailed": "已补发到下单时留的邮箱",
                "proof_needed": "需要先验证",
                "not_delivered": "已付款，还没发货",
                "not_paid": "还没付款",
                "cooldown": "刚补发过，稍后再试",
                **_REFUSALS,
            },
        ),
        ToolSpec(
            name="card_status",
            slots=("card_secret",),
            variables={
                "card.mask": "打了码的卡密",
                "card.product": "商品名称",
                "card.state_text": "状态，例如 未使用、已使用",
                "card.summary": "机器人自己的完整说法",
                "card.checked_at": "最后一次核实的时间",
                "card.expires_at": "有效期",
            },
            outcomes={
                "unused": "核实过：未使用",
                "used": "核实过：已使用",
                "expired": "已过有效期",
                "invalid": "核实过：无效",
                "frozen": "被冻结或地区不符",
                "unknown": "是本店卖出的卡，但用没用过查不到",
                "not_ours": "不是本店卖出的卡（没卖出的也这样说）",
                "throttled": _REFUSALS["throttled"],
                "locked": _REFUSALS["locked"],
                "unavailable": _REFUSALS["unavailable"],
            },
        ),
        ToolSpec(
            name="product_lookup",
            slots=("product",),
            variables={
                "product.name": "商品名称",
                "product.price": "价格",
                "product.stock": "库存情况，例如 有货、缺货",
                "product.summary": "机器人自己的完整说法",
                "products.list": "找到的商品，一行一个",
            },
            outcomes={
                "in_stock": "有货",
                "low_stock": "快卖完了",
                "sold_out": "缺货",
                "closed": "已下架",
                "several": "找到好几个",
                "none": "没找到",
                "unavailable": _REFUSALS["unavailable"],
            },
        ),
    )
}


def told(tool: str, outcome: str) -> str:
    """What a tool did and found, in a few Chinese words for agents."""
    return f"{_TITLES[tool]}：{TOOL_SPECS[tool].outcomes[outcome]}"


def state_told(outcome: str) -> str:
    """An order's state by the outcome of its look-up, for agents."""
    for tool in ("order_lookup", "card_resend"):
        if outcome in TOOL_SPECS[tool].outcomes:
            return TOOL_SPECS[tool].outcomes[outcome]
    return outcome
